//! Which certificates a client may show: the policies of Go's `tls.ClientAuthType`, and a list of
//! names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate};

/// Go's policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// No certificate is asked for.
    None,
    /// A certificate is asked for, and not verified.
    Request,
    /// A certificate is needed, and not verified.
    RequireAny,
    /// A certificate is verified when the client has one.
    VerifyIfGiven,
    /// A verified certificate is needed.
    RequireAndVerify,
}

impl Policy {
    /// Names in the file; the second name of `RequireAnyClientCert` is an old one.
    pub(crate) const NAMES: [(&'static str, Self); 6] = [
        ("NoClientCert", Self::None),
        ("RequestClientCert", Self::Request),
        ("RequireAnyClientCert", Self::RequireAny),
        ("RequireClientCert", Self::RequireAny),
        ("VerifyClientCertIfGiven", Self::VerifyIfGiven),
        ("RequireAndVerifyClientCert", Self::RequireAndVerify),
    ];

    fn verifies(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }
}

/// Settings for certificates of clients.
#[derive(Debug)]
pub(crate) struct ClientAuth {
    pub(crate) policy: Policy,
    /// The CAs; none: the system's.
    pub(crate) roots: Option<Vec<CertificateDer<'static>>>,
    /// Names of which a certificate must have one.
    pub(crate) sans: Option<Vec<String>>,
}

impl ClientAuth {
    pub(crate) fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        if self.policy.verifies() && self.roots.is_none() {
            hints.push(
                "client certificates are verified against the system's CAs, since there is no \
                 client_ca_file: whoever has a certificate of a public CA may come in"
                    .to_owned(),
            );
        }
        if matches!(self.policy, Policy::Request | Policy::RequireAny) {
            hints.push(
                "this client_auth_type does not verify certificates: RequireAndVerifyClientCert does"
                    .to_owned(),
            );
        }
        hints
    }

    /// Builds the verifier of the policy.
    pub(crate) fn verifier(
        self,
        provider: &Arc<CryptoProvider>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<Arc<dyn ClientCertVerifier>, String> {
        if self.policy == Policy::None {
            return Ok(WebPkiClientVerifier::no_client_auth());
        }
        let pinned = self.roots.clone().unwrap_or_default();
        let chains = if self.policy.verifies() {
            let given = self
                .roots
                .unwrap_or_else(|| rustls_native_certs::load_native_certs().certs);
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(given);
            if roots.is_empty() {
                return Err(
                    "client certificates cannot be verified: no usable CA is in client_ca_file \
                     (without that key: on this machine)"
                        .to_owned(),
                );
            }
            let built =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                    .build();
            Some(built.map_err(|e| format!("client certificates cannot be verified: {e}"))?)
        } else {
            None
        };
        // A list of names would be worth nothing if a client could come without a certificate.
        let is_mandatory = matches!(self.policy, Policy::RequireAny | Policy::RequireAndVerify)
            || self.sans.is_some();
        Ok(Arc::new(Verifier {
            is_mandatory,
            chains,
            pinned,
            sans: self.sans,
            algorithms,
        }))
    }
}

#[derive(Debug)]
struct Verifier {
    is_mandatory: bool,
    /// Verifier of the chain; `None` where certificates are not verified.
    chains: Option<Arc<dyn ClientCertVerifier>>,
    /// The CAs as they are: a client may also show one of these itself, as with Go.
    pinned: Vec<CertificateDer<'static>>,
    sans: Option<Vec<String>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.as_ref().map_or(&[], |c| c.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chains) = &self.chains {
            let verified = chains.verify_client_cert(end_entity, intermediates, now);
            if verified.is_err() && !self.is_pinned(end_entity, now) {
                return verified;
            }
        }
        if let Some(allowed) = &self.sans {
            let names = names(end_entity).ok_or(CertificateError::BadEncoding)?;
            if !names.iter().any(|name| allowed.contains(name)) {
                return Err(CertificateError::ApplicationVerificationFailure.into());
            }
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Verifier {
    /// Reports that this is one of the trusted certificates itself, in its time and for clients. The
    /// self-signed certificates that openssl makes are CAs, which a chain may not end in.
    fn is_pinned(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
        if !self.pinned.iter().any(|pinned| pinned == certificate) {
            return false;
        }
        let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
            return false;
        };
        let is_for_clients = match parsed.extended_key_usage() {
            Ok(None) => true,
            Ok(Some(usage)) => usage.value.any || usage.value.client_auth,
            Err(_) => false,
        };
        let now = i64::try_from(now.as_secs())
            .ok()
            .and_then(|seconds| ASN1Time::from_timestamp(seconds).ok());
        is_for_clients && now.is_some_and(|now| parsed.validity().is_valid_at(now))
    }
}

/// The names in a certificate, as Go writes them.
fn names(certificate: &CertificateDer<'_>) -> Option<Vec<String>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let Some(extension) = parsed.subject_alternative_name().ok()? else {
        return Some(Vec::new());
    };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
            Some((*text).to_owned())
        }
        GeneralName::IPAddress(bytes) => Some(address(bytes)?.to_canonical().to_string()),
        _ => None,
    };
    Some(
        extension
            .value
            .general_names
            .iter()
            .filter_map(name)
            .collect(),
    )
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|b| IpAddr::V4(Ipv4Addr::from(b)));
    let v6 = || <[u8; 16]>::try_from(bytes).map(|b| IpAddr::V6(Ipv6Addr::from(b)));
    v4.or_else(|_| v6()).ok()
}
