//! Tests of the client over real loopback TLS.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::super::{Identity, Protocol, Tls, build, builder};
use crate::http::failure;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

fn data(name: &str) -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
    tests.join(name)
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(data(&format!("{name}.pem"))).unwrap()
}

/// Shows a certificate, and signs with a key that need not be its own.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Starts an HTTPS server with this certificate and this key.
async fn serve(
    name: &str,
    key: &str,
    version: &'static SupportedProtocolVersion,
    asks_client: bool,
) -> SocketAddr {
    let key = PrivateKeyDer::from_pem_file(data(&format!("{key}.key"))).unwrap();
    let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let shows = Shows(Arc::new(CertifiedKey::new(vec![certificate(name)], key)));
    let config = ServerConfig::builder_with_protocol_versions(&[version]);
    let config = if asks_client {
        let mut roots = RootCertStore::empty();
        roots.add(certificate("client-ca")).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
        config.with_client_cert_verifier(verifier.unwrap())
    } else {
        config.with_no_client_auth()
    };
    let config = config.with_cert_resolver(Arc::new(shows));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust the server hangs up.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut head = [0; 4096];
                if stream.read(&mut head).await.is_ok_and(|read| read > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    drop(stream.write_all(answer).await);
                }
            });
        }
    });
    address
}

/// Asks this host at the address, trusting these certificates; the error is the cause's text.
async fn ask(host: &str, address: SocketAddr, roots: &[&str]) -> Result<u16, String> {
    let tls = Tls {
        roots: Some(roots.iter().map(|name| certificate(name)).collect()),
        ..Tls::default()
    };
    send(host, address, tls).await
}

async fn send(host: &str, address: SocketAddr, tls: Tls) -> Result<u16, String> {
    let client = build(builder(Duration::from_secs(5)), tls).unwrap();
    let url = format!("https://{host}:{}/", address.port());
    let sent = client.get(url).send().await;
    sent.map(|answer| answer.status().as_u16())
        .map_err(|broken| {
            assert!(failure::is_tls(&broken), "{broken:?}");
            failure::cause(&broken, &crate::http::Redaction::default())
        })
}

#[tokio::test]
async fn a_self_signed_server_in_the_file_is_trusted() {
    for version in VERSIONS {
        let address = serve("self-signed", "self-signed", version, false).await;
        for host in ["localhost", "127.0.0.1"] {
            for roots in [&["self-signed"][..], &["other-ca", "self-signed"]] {
                assert_eq!(ask(host, address, roots).await, Ok(200), "{host} {roots:?}");
            }
        }
        let refused = ask("localhost", address, &["ca"]).await.unwrap_err();
        assert!(refused.contains("certificate"), "{refused}");
    }
}

#[tokio::test]
async fn a_self_signed_server_of_another_name_is_refused() {
    let address = serve("stranger", "stranger", &TLS13, false).await;
    let refused = ask("localhost", address, &["stranger"]).await.unwrap_err();
    assert!(refused.contains("not valid for name"), "{refused}");
    assert!(refused.contains("stranger.example"), "{refused}");
}

#[tokio::test]
async fn a_self_signed_server_that_expired_is_refused() {
    let address = serve("self-signed-expired", "self-signed", &TLS13, false).await;
    let roots = &["self-signed-expired", "self-signed"];
    let refused = ask("localhost", address, roots).await.unwrap_err();
    assert!(refused.contains("expired"), "{refused}");
}

#[tokio::test]
async fn a_self_signed_certificate_without_its_key_is_refused() {
    for version in VERSIONS {
        // The certificate is public: a server that copied it cannot sign with its key.
        let address = serve("self-signed", "server", version, false).await;
        let refused = ask("localhost", address, &["self-signed"]).await;
        let refused = refused.unwrap_err();
        assert!(refused.contains("BadSignature"), "{refused}");
    }
}

#[tokio::test]
async fn a_certificate_with_the_names_of_a_trusted_one_is_refused() {
    // The one in the file has the same key and the same names, and is another.
    let address = serve("self-signed", "self-signed", &TLS13, false).await;
    let refused = ask("localhost", address, &["self-signed-expired"]).await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("CaUsedAsEndEntity"), "{refused}");
}

#[tokio::test]
async fn a_server_that_a_ca_in_the_file_signed_is_trusted_as_before() {
    let address = serve("server", "server", &TLS13, false).await;
    for roots in [&["ca"][..], &["self-signed", "ca"]] {
        assert_eq!(ask("localhost", address, roots).await, Ok(200), "{roots:?}");
    }
    assert!(ask("localhost", address, &["other-ca"]).await.is_err());
}

#[tokio::test]
async fn a_server_in_the_file_is_trusted_without_its_ca() {
    let address = serve("server", "server", &TLS13, false).await;
    assert_eq!(ask("localhost", address, &["server"]).await, Ok(200));
}

#[tokio::test]
async fn a_client_shows_its_certificate_beside_a_ca_file() {
    let address = serve("self-signed", "self-signed", &TLS13, true).await;
    let pem = |key: &str| {
        let mut pem = std::fs::read(data("client.pem")).unwrap();
        pem.extend(std::fs::read(data(&format!("{key}.key"))).unwrap());
        Identity::from_pem(&pem)
    };
    assert!(pem("server").is_none(), "the key of another certificate");
    let tls = Tls {
        roots: Some(vec![certificate("self-signed")]),
        identity: pem("client"),
        protocol: Protocol::Http1,
        ..Tls::default()
    };
    assert_eq!(send("localhost", address, tls).await, Ok(200));
}
