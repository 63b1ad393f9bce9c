//! The ways to a vendor: a CA of one's own, the wrong CA, a proxy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::config;
use rolling_upgrade_exporter::provider::http::{Answer, Request, Transport, Vendor};
use rolling_upgrade_exporter::provider::{ApiError, Call, Method, Reason};
use rolling_upgrade_exporter::telemetry::Metrics;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use url::Url;

const CALL: Call = Call::read("Read", Method::Get, "/read");

struct Open;

impl Vendor for Open {
    fn authorize(
        &self,
        _: &Request<'_>,
        _: Timestamp,
    ) -> Result<Vec<(&'static str, String)>, ApiError> {
        Ok(Vec::new())
    }

    fn judge(&self, _: &Answer) -> Result<(), ApiError> {
        Ok(())
    }

    fn credentials(&self) -> u64 {
        0
    }

    fn rest_after_refusal(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

fn data(name: &str) -> std::path::PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    tests.join("data/tls").join(name)
}

/// Sends a request to `base` from an account with these further keys.
async fn send(base: &str, keys: &str) -> Result<Answer, ApiError> {
    let text = format!(
        "polling: {{timeout: 2s, rate_limit: 100}}\n\
         accounts: [{{name: a, ncloud: {{access_key: AK, secret_key: SK, ses: {{}}, {keys}}}}}]"
    );
    let config = config::parse(&text, Path::new("."), &|_| None).unwrap();
    let metrics = Arc::new(Metrics::new());
    let transport = Transport::new(&config.accounts[0], metrics, Clock::system()).unwrap();
    let base = Url::parse(base).unwrap();
    let request = Request {
        product: "ses",
        call: &CALL,
        base: &base,
        path: "/read".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: None,
    };
    transport.send(&Open, &request).await
}

/// Reads a request's head and answers it with the head itself.
async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // A client that breaks off is what some tests want.
        let Ok(byte) = stream.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    let answer = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        head.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.write_all(&head).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// An HTTPS server with a certificate for `localhost`; its port.
async fn https() -> u16 {
    let certificate = CertificateDer::from_pem_file(data("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(data("server.key")).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(echo(stream));
            }
        }
    });
    port
}

#[tokio::test]
async fn a_ca_of_ones_own_is_trusted() {
    let url = format!("https://localhost:{}", https().await);
    let keys = format!("ca_file: {}", data("ca.pem").display());
    let answer = send(&url, &keys).await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn another_ca_is_not() {
    let url = format!("https://localhost:{}", https().await);
    let keys = format!("ca_file: {}", data("other-ca.pem").display());
    let error = send(&url, &keys).await.unwrap_err();
    assert_eq!(error.reason, Reason::Network);
    let text = error.to_string();
    assert!(text.contains("certificate"), "{text}");
}

#[tokio::test]
async fn calls_go_through_the_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(echo(stream));
        }
    });
    // Nothing listens there; the proxy is asked for it by its whole address.
    let keys = format!(
        "proxy_url: 'http://{proxy}', ca_file: {}",
        data("ca.pem").display()
    );
    let answer = send("http://vendor.invalid", &keys).await.unwrap();
    let head = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(
        head.starts_with("GET http://vendor.invalid/read HTTP/1.1"),
        "{head}"
    );
}
