//! The way from a socket to HTTP where the web config asks for TLS.

pub(super) mod client;

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, rustls};

use super::log_limit::LogLimit;

/// Answer of Go's servers to plain HTTP where TLS is spoken.
const PLAIN: &str =
    "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// The protocol that client and server agreed on.
pub(super) fn is_http2<S>(stream: &TlsStream<S>) -> bool {
    let (_, connection) = stream.get_ref();
    connection.alpn_protocol() == Some(b"h2")
}

/// Reports that the client's first byte begins plain HTTP and not TLS. Waits for it.
pub(super) async fn speaks_plain_http(stream: &TcpStream, limit: Duration) -> io::Result<bool> {
    let mut first = [0];
    match timeout(limit, stream.peek(&mut first)).await {
        Ok(Ok(0)) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(Ok(_)) => Ok(first.iter().all(u8::is_ascii_uppercase)),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(ErrorKind::TimedOut.into()),
    }
}

/// Tells a client that it must speak TLS.
pub(super) async fn refuse_plain_http(mut stream: TcpStream, limit: Duration) {
    let told = async {
        stream.write_all(PLAIN.as_bytes()).await?;
        stream.shutdown().await?;
        // Closed with bytes unread, the connection would be reset before the client has read this.
        let mut rest = [0; 1024];
        loop {
            stream.readable().await?;
            match stream.try_read(&mut rest) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    };
    // An error here concerns the client alone.
    drop::<Result<io::Result<()>, _>>(timeout(limit, told).await);
}

/// Shakes hands. The stream has its own limit of time.
pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: Arc<ServerConfig>,
) -> io::Result<TlsStream<S>> {
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
    start.into_stream(config).await
}

/// Tells of handshakes that failed, at most one a second: strangers decide how many there are.
#[derive(Debug, Default)]
pub(super) struct Failures {
    limit: LogLimit,
    untold: AtomicU64,
}

impl Failures {
    pub(super) fn tell(&self, error: &io::Error) {
        if !self.limit.is_due_after(Duration::from_secs(1)) {
            self.untold.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let untold = self.untold.swap(0, Ordering::Relaxed);
        tracing::debug!(%error, untold, "A TLS handshake failed.");
    }
}
