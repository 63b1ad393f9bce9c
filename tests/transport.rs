//! The ways to a vendor: a CA of one's own, the wrong CA, a proxy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::cloud::transport::{
    Allowed, Answer, Authentication, Effort, Message, Request, RequestMetrics, Transport, Vendor,
};
use rolling_upgrade_exporter::cloud::{Call, Method};
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config;
use rolling_upgrade_exporter::http::{ApiError, Cause, Network};
use rolling_upgrade_exporter::model::Reason;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use url::Url;

/// The transport sends nothing but what only reads.
const CALL: Call = Call::read(
    "getClusterInfoList",
    Method::Get,
    "/cluster/getClusterInfoList",
);

struct Open;

impl Vendor for Open {
    fn authorize(&self, _: &Message<'_>, _: Timestamp) -> Result<Authentication, ApiError> {
        Ok(Authentication::default())
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
    let config = config::parse(CLOUDS, &text, Path::new("."), &|_| None).unwrap();
    let metrics = RequestMetrics::default();
    let transport =
        Transport::new(&config.accounts[0].connection(), metrics, Clock::system()).unwrap();
    let transport = transport.once();
    let base = Url::parse(base).unwrap();
    transport.allow(Allowed {
        base: base.clone(),
        prefix: String::new(),
        calls: &[&CALL],
    });
    let request = Request {
        product: "ses",
        call: &CALL,
        base: &base,
        path: CALL.path.to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: None,
        effort: Effort::Normal,
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

/// An HTTPS server with this certificate for `localhost`; its port.
async fn https(name: &str) -> u16 {
    let certificate = CertificateDer::from_pem_file(data(&format!("{name}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(data(&format!("{name}.key"))).unwrap();
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
    let url = format!("https://localhost:{}", https("server").await);
    let keys = format!("ca_file: {}", data("ca.pem").display());
    let answer = send(&url, &keys).await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_self_signed_vendor_in_the_ca_file_is_trusted() {
    let url = format!("https://localhost:{}", https("self-signed").await);
    let keys = format!("ca_file: {}", data("self-signed.pem").display());
    let answer = send(&url, &keys).await.unwrap();
    assert_eq!(answer.status, 200);
    let keys = format!("ca_file: {}", data("ca.pem").display());
    let error = send(&url, &keys).await.unwrap_err();
    assert_eq!(error.cause, Cause::Network(Network::Tls));
}

#[tokio::test]
async fn another_ca_is_not() {
    let url = format!("https://localhost:{}", https("server").await);
    let keys = format!("ca_file: {}", data("other-ca.pem").display());
    let error = send(&url, &keys).await.unwrap_err();
    assert_eq!(error.reason, Reason::Network);
    assert_eq!(error.cause, Cause::Network(Network::Tls));
    let text = error.to_string();
    assert!(
        text.contains("certificate") && text.contains("ca_file"),
        "{text}"
    );
}

/// Takes connections, and answers each with these bytes.
async fn answering(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = [0; 4096];
                if stream.read(&mut head).await.is_ok() {
                    // A client that has had enough is no failure of the test.
                    drop(stream.write_all(answer.as_bytes()).await);
                }
            });
        }
    });
    port
}

/// A port where nobody listens.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn it_is_told_where_the_way_ends() {
    let trust = format!("ca_file: {}", data("ca.pem").display());
    let plain = answering("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let closing = answering("").await;
    let (free, denying) = (
        free_port().await,
        answering("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await,
    );
    let asking =
        answering("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
    let by = |proxy: &str| format!("{trust}, proxy_url: 'http://user:hunter2@{proxy}'");
    let vendor = "https://vendor.invalid".to_owned();
    for (base, keys, end, part) in [
        (
            vendor.clone(),
            trust.clone(),
            Network::Name,
            "vendor.invalid",
        ),
        (
            format!("https://localhost:{free}"),
            trust.clone(),
            Network::Unreachable,
            "refused",
        ),
        (
            format!("https://localhost:{plain}"),
            trust.clone(),
            Network::Tls,
            "cannot trust localhost",
        ),
        (
            format!("https://localhost:{closing}"),
            trust.clone(),
            Network::Broken,
            "cannot connect to localhost",
        ),
        (
            vendor.clone(),
            by(&format!("127.0.0.1:{free}")),
            Network::Proxy,
            "the proxy 127.0.0.1",
        ),
        (
            vendor.clone(),
            by("proxy.invalid:3128"),
            Network::Proxy,
            "the proxy proxy.invalid:3128",
        ),
        (
            vendor.clone(),
            by(&format!("127.0.0.1:{denying}")),
            Network::Proxy,
            "lets through",
        ),
        (
            vendor.clone(),
            by(&format!("127.0.0.1:{asking}")),
            Network::Proxy,
            "its user",
        ),
    ] {
        let error = send(&base, &keys).await.unwrap_err();
        assert_eq!(error.cause, Cause::Network(end), "{base} {keys}: {error}");
        assert_eq!(error.reason, Reason::Network, "{error}");
        let text = error.to_string();
        assert!(text.contains(part), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
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
        "proxy_url: 'http://user:pass%20phrase@{proxy}', ca_file: {}",
        data("ca.pem").display()
    );
    let answer = send("http://vendor.invalid", &keys).await.unwrap();
    let head = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(
        head.contains("proxy-authorization: Basic dXNlcjp[redacted]Q=="),
        "the proxy's password is not repeated: {head}"
    );
    assert!(
        head.starts_with("GET http://vendor.invalid/cluster/getClusterInfoList HTTP/1.1"),
        "{head}"
    );
}
