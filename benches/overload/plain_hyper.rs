//! A hyper server without any limit of its own: a fixed body, plain and over TLS.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::exporter::{until_benchmark_ends, write_address};

/// Serves the file on a plain listener and one with TLS until the benchmark ends.
pub(crate) async fn serve(file: &str) {
    let body = Bytes::from(std::fs::read(file).expect("the body"));
    let mut addresses = String::new();
    for acceptor in [None, Some(acceptor())] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        write_address(&mut addresses, listener.local_addr().expect("its address"));
        tokio::spawn(accept(listener, acceptor, body.clone()));
    }
    println!("{addresses}");
    until_benchmark_ends().await;
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, body: Bytes) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let (acceptor, body) = (acceptor.clone(), body.clone());
        tokio::spawn(async move {
            let Some(acceptor) = acceptor else {
                return http1(stream, body).await;
            };
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                http2(stream, body).await;
            } else {
                http1(stream, body).await;
            }
        });
    }
}

/// Serves a connection; its errors are the attacker's.
async fn http1(stream: impl AsyncRead + AsyncWrite + Unpin, body: Bytes) {
    let service = service_fn(|_| std::future::ready(Ok::<_, Infallible>(answer(&body))));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    drop(connection.await);
}

async fn http2(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, body: Bytes) {
    let service = service_fn(move |_| std::future::ready(Ok::<_, Infallible>(answer(&body))));
    let connection =
        http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
    drop(connection.await);
}

fn answer(body: &Bytes) -> Response<Full<Bytes>> {
    Response::new(Full::new(body.clone()))
}

fn acceptor() -> TlsAcceptor {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
    let certificates = CertificateDer::pem_file_iter(data.join("server.pem"))
        .expect("a certificate")
        .collect::<Result<Vec<_>, _>>()
        .expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(data.join("server.key")).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default versions")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("a certificate and its key");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}
