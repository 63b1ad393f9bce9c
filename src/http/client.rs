//! HTTP clients: limits and trust.

mod trust;

use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ClientConfig};

use self::trust::Verifier;
use super::{ApiError, Cause, Network, lookup};
use crate::model::Reason;

const USER_AGENT: &str = concat!("rolling-upgrade-exporter/", env!("CARGO_PKG_VERSION"));

/// What all clients of the program have.
pub(crate) fn builder(connect: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(connect)
        .pool_idle_timeout(Duration::from_secs(50))
        // A redirect would carry signed headers to another host.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // Proxies come from the config only: credentials go where the file says.
        .no_proxy()
        .dns_resolver(Arc::new(lookup::System))
}

/// Versions of HTTP that a client speaks over TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/2 where the server has it, else HTTP/1.1.
    #[default]
    Any,
    /// HTTP/1.1.
    Http1,
}

/// TLS of a client.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    /// Certificates to trust instead of the system's CAs.
    pub(crate) roots: Option<Vec<CertificateDer<'static>>>,
    /// Certificate of the client, with its key.
    pub(crate) identity: Option<Identity>,
    /// The client never speaks TLS, and needs no CAs.
    pub(crate) is_plain_http: bool,
    pub(crate) protocol: Protocol,
}

/// Certificate chain and key of a client.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    whole: reqwest::Identity,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// Reads certificates and a key; `None` where one of them is missing, or they do not fit together.
    pub(crate) fn from_pem(pem: &[u8]) -> Option<Self> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let (chain, key) = (chain.ok()?, PrivateKeyDer::from_pem_slice(pem).ok()?);
        let provider = aws_lc_rs::default_provider();
        rustls::sign::CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider).ok()?;
        Some(Self {
            chain,
            key,
            whole: reqwest::Identity::from_pem(pem).ok()?,
        })
    }
}

/// Builds the client that trusts these certificates, or the system's CAs.
///
/// # Errors
/// When the system has no CAs and no certificates are given; a client of plain http needs none.
pub(crate) fn build(
    mut builder: reqwest::ClientBuilder,
    tls: Tls,
) -> Result<reqwest::Client, ApiError> {
    let failed =
        |text: &str| ApiError::new(Reason::Network, text).because(Cause::Network(Network::Tls));
    if tls.protocol == Protocol::Http1 {
        builder = builder.http1_only();
    }
    if let Some(roots) = tls.roots {
        let config = config(roots, tls.identity, tls.protocol)
            .map_err(|why| failed(&format!("TLS cannot be set up with the CA file: {why}")))?;
        builder = builder.tls_backend_preconfigured(config);
    } else {
        if let Some(identity) = tls.identity {
            builder = builder.identity(identity.whole);
        }
        if tls.is_plain_http {
            // reqwest refuses to start on a machine without CAs, even if it never needs one.
            builder = builder.tls_certs_only([]);
        }
    }
    builder.build().map_err(|_| {
        failed(
            "no CA certificates were found on this machine: install ca-certificates, or set ca_file",
        )
    })
}

/// Builds the TLS settings of a client that trusts these certificates.
fn config(
    roots: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
    protocol: Protocol,
) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new(roots, provider.clone())?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity {
        Some(identity) => config.with_client_auth_cert(identity.chain, identity.key)?,
        None => config.with_no_client_auth(),
    };
    let protocols: &[&[u8]] = match protocol {
        Protocol::Any => &[b"h2", b"http/1.1"],
        Protocol::Http1 => &[b"http/1.1"],
    };
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}
