//! The section `tls_server_config`: certificate, key, versions, suites, and whose certificates a
//! client may show.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::NoServerSessionStorage;
use tokio_rustls::rustls::{
    CipherSuite, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion, version,
};

use super::given;
use super::names::{self, Version};
use crate::tls::client::{ClientAuth, Policy};
use spanned_yaml::{Field, Section, quote};
use watched_file::{FileKind, Reader};

/// Folder and reader of the files, and the need of HTTP for HTTP/2.
pub(super) struct Context<'a> {
    pub(super) folder: &'a Path,
    pub(super) files: &'a Reader,
    pub(super) http2: bool,
}

/// The section, ready to be served.
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) hints: Vec<String>,
}

/// Reads the section, which holds something.
pub(super) fn read(field: &Field<'_>, context: &Context<'_>) -> Option<Tls> {
    let mut section = field.section();
    let chain_field = inline_or_file(&mut section, "cert");
    let key_field = inline_or_file(&mut section, "key");
    let chain = chain_field.map(|source| source.read(context).and_then(|pem| certificates(&pem)));
    let key = key_field.map(|source| source.read(context).and_then(|pem| private_key(&pem)));
    if chain.is_none() {
        section.lacks("a certificate: add cert_file (or cert)");
    }
    if key.is_none() {
        section.lacks("a key: add key_file (or key)");
    }
    let key_at = section.place("key_file").or(section.place("key"));
    let versions = versions(&mut section);
    let suites = suites(&mut section, context.http2, versions);
    let provider = aws_lc_rs::default_provider();
    let curves = curves(&mut section, provider.kx_groups.clone());
    let prefer_server = match given(&mut section, "prefer_server_cipher_suites") {
        Some(field) => field.bool(),
        None => Some(true),
    };
    let algorithms = provider.signature_verification_algorithms;
    let client_auth = client_auth(&mut section, context);
    section.finish();
    let client_auth = client_auth?;
    let provider = Arc::new(CryptoProvider {
        cipher_suites: suites?,
        kx_groups: curves?,
        ..provider
    });
    let hints = client_auth.hints();
    let asks_clients = client_auth.policy != Policy::None;
    let verifier = match client_auth.verifier(&provider, algorithms) {
        Ok(verifier) => verifier,
        Err(why) => {
            field.problems.add(field.at, why);
            return None;
        }
    };
    let (chain, key) = (chain??, key??);
    let built = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&protocols(versions?))
        .and_then(|builder| {
            builder
                .with_client_cert_verifier(verifier)
                .with_single_cert(chain, key)
        });
    match built {
        Ok(mut config) => {
            config.ignore_client_order = prefer_server?;
            if asks_clients {
                // A session that is resumed is not verified again, also when the certificate has
                // expired since.
                config.session_storage = Arc::new(NoServerSessionStorage {});
                config.send_tls13_tickets = 0;
            }
            config.alpn_protocols = if context.http2 {
                vec![b"h2".to_vec(), b"http/1.1".to_vec()]
            } else {
                vec![b"http/1.1".to_vec()]
            };
            Some(Tls {
                config: Arc::new(config),
                hints,
            })
        }
        Err(error) => {
            let mut message =
                format!("this key and the certificate cannot be used together: {error}");
            if message.contains("UnsupportedCertVersion") {
                message.clear();
                message.push_str(
                    "the certificate is X.509 version 1: make one with extensions (subjectAltName)",
                );
            }
            field.problems.add(key_at.unwrap_or(field.at), message);
            None
        }
    }
}

/// Source of PEM text.
struct Source<'a> {
    field: Field<'a>,
    is_file: bool,
}

/// PEM text, and the field that it came from.
struct Pem<'a> {
    field: Field<'a>,
    bytes: Vec<u8>,
    /// Name of the source in a message.
    place: String,
}

/// Takes `name` or `name_file`, and tells when both are there.
fn inline_or_file<'a>(section: &mut Section<'a>, name: &str) -> Option<Source<'a>> {
    let inline = given(section, name);
    let file = given(section, &format!("{name}_file"));
    if let (Some(inline), Some(file)) = (&inline, &file) {
        section.problem(
            inline.at.max(file.at),
            &format!("{name} and {name}_file are both given: keep one"),
        );
    }
    let source = |is_file| move |field| Source { field, is_file };
    inline.map(source(false)).or(file.map(source(true)))
}

impl<'a> Source<'a> {
    fn read(self, context: &Context<'_>) -> Option<Pem<'a>> {
        if !self.is_file {
            let bytes = self.field.raw()?.as_bytes().to_vec();
            let place = self.field.name.clone();
            return Some(Pem {
                field: self.field,
                bytes,
                place,
            });
        }
        let name = self.field.text()?;
        let place = format!("{} {}", self.field.name, quote(name));
        match context
            .files
            .read(&context.folder.join(name), FileKind::PEM)
        {
            Ok(bytes) => Some(Pem {
                field: self.field,
                bytes,
                place,
            }),
            Err(error) => {
                // The text is not quoted: it may be the key itself.
                let name = &self.field.name;
                let error = error.named_by(name);
                self.field
                    .wrong(format!("cannot read the file of {name}: {error}"));
                None
            }
        }
    }
}

fn certificates(pem: &Pem<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.bytes).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Some(certificates),
        _ => {
            let message = format!("{} holds no certificate in PEM form", pem.place);
            pem.field.wrong(message);
            None
        }
    }
}

fn private_key(pem: &Pem<'_>) -> Option<PrivateKeyDer<'static>> {
    let key = PrivateKeyDer::from_pem_slice(&pem.bytes);
    if key.is_err() {
        let place = &pem.place;
        pem.field.wrong(format!(
            "{place} holds no private key in PEM form (one with a passphrase cannot be used)"
        ));
    }
    key.ok()
}

fn versions(section: &mut Section<'_>) -> Option<(Version, Version)> {
    let min = match given(section, "min_version") {
        Some(field) => names::version(&field),
        None => Some(Version::Tls12),
    };
    let max_field = given(section, "max_version");
    let max = match &max_field {
        Some(field) => names::version(field),
        None => Some(Version::Tls13),
    };
    let (min, max) = (min?, max?);
    if min > max {
        if let Some(field) = max_field {
            field.wrong("max_version is older than min_version: no client could connect");
        }
        return None;
    }
    Some((min, max))
}

fn protocols((min, max): (Version, Version)) -> Vec<&'static SupportedProtocolVersion> {
    let both = [
        (Version::Tls12, &version::TLS12),
        (Version::Tls13, &version::TLS13),
    ];
    let within = |(version, _): &(Version, _)| (min..=max).contains(version);
    both.into_iter()
        .filter(within)
        .map(|(_, protocol)| protocol)
        .collect()
}

/// The suites in the order of the server's preference.
fn suites(
    section: &mut Section<'_>,
    http2: bool,
    versions: Option<(Version, Version)>,
) -> Option<Vec<SupportedCipherSuite>> {
    let all_13 = names::suites_13();
    let Some(field) = section.take("cipher_suites") else {
        return Some(all_13.chain(names::suites_12()).collect());
    };
    let items = field.items()?;
    if items.is_empty() {
        return Some(all_13.chain(names::suites_12()).collect());
    }
    let chosen: Vec<Option<_>> = items.iter().map(names::suite).collect();
    let chosen: Option<Vec<_>> = chosen.into_iter().collect();
    // Those of TLS 1.3 are always there, as in Go.
    let chosen: Vec<SupportedCipherSuite> = chosen?
        .into_iter()
        .filter(|suite| suite.tls13().is_none())
        .collect();
    let (min, max) = versions?;
    if max == Version::Tls12 && chosen.is_empty() {
        field.wrong("cipher_suites has none for TLS 1.2, and max_version allows nothing newer");
        return None;
    }
    // As Go's HTTP/2 server wants it (RFC 9113, section 9.2.2).
    let is_needed = |suite: &SupportedCipherSuite| {
        matches!(
            suite.suite(),
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        )
    };
    if http2 && min == Version::Tls12 && !chosen.iter().any(is_needed) {
        field.wrong(
            "cipher_suites lacks what HTTP/2 needs: add TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or \
             TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, set http2: false in http_server_config, or \
             min_version: TLS13",
        );
        return None;
    }
    Some(all_13.chain(chosen).collect())
}

/// The curves in the order of preference, if any are given.
fn curves(
    section: &mut Section<'_>,
    usual: Vec<&'static dyn SupportedKxGroup>,
) -> Option<Vec<&'static dyn SupportedKxGroup>> {
    let Some(field) = section.take("curve_preferences") else {
        return Some(usual);
    };
    let items = field.items()?;
    if items.is_empty() {
        return Some(usual);
    }
    let curves: Vec<Option<_>> = items.iter().map(names::curve).collect();
    curves.into_iter().collect()
}

fn client_auth(section: &mut Section<'_>, context: &Context<'_>) -> Option<ClientAuth> {
    let policy = match given(section, "client_auth_type") {
        Some(field) => field.one_of(&Policy::NAMES),
        None => Some(Policy::None),
    };
    let ca_at = section
        .place("client_ca")
        .or(section.place("client_ca_file"));
    let roots = match inline_or_file(section, "client_ca") {
        Some(source) => source
            .read(context)
            .and_then(|pem| certificates(&pem))
            .map(Some),
        None => Some(None),
    };
    let sans_field = section.take("client_allowed_sans");
    let sans = match sans_field.as_ref().filter(|field| !field.node.is_null()) {
        Some(field) => sans(field).map(Some),
        None => Some(None),
    };
    let policy = policy?;
    if policy == Policy::None {
        if let (Some(Some(_)), Some(at)) = (&roots, ca_at) {
            section.problem(
                at,
                "client_ca is given, and no client is asked for a certificate: set \
                 client_auth_type, most likely to RequireAndVerifyClientCert",
            );
            return None;
        }
        if let (Some(Some(_)), Some(field)) = (&sans, &sans_field) {
            section.problem(
                field.at,
                "client_allowed_sans is given, and no client is asked for a certificate: set \
                 client_auth_type, most likely to RequireAndVerifyClientCert",
            );
            return None;
        }
    }
    Some(ClientAuth {
        policy,
        roots: roots?,
        sans: sans?,
    })
}

fn sans(field: &Field<'_>) -> Option<Vec<String>> {
    let items = field.items()?;
    if items.is_empty() {
        field.wrong(
            "client_allowed_sans is empty: no client could connect; add a name, or remove it",
        );
        return None;
    }
    let names: Vec<Option<String>> = items
        .iter()
        .map(|item| item.text().map(str::to_owned))
        .collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests;
