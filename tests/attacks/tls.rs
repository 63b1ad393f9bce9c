//! Clients that hold the TLS listener's handshakes.

use std::io;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::AsyncWriteExt;
use tokio::time::{Duration, sleep};
use tokio_rustls::rustls::ClientConnection;

use super::connections::until_closed;
use super::target::{client_config, server_name};
use super::{ATTACKER, Target};

/// Sends the client's first message, of every second client only its first half, and goes silent.
pub(super) fn handshake(target: Target, number: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let mut hello = Vec::new();
        ClientConnection::new(Arc::new(client_config(b"h2")), server_name())
            .map_err(io::Error::other)?
            .write_tls(&mut hello)?;
        if number % 2 == 1 {
            hello.truncate(hello.len() / 2);
        }
        let mut stream = target.socket(ATTACKER).await?;
        stream.write_all(&hello).await?;
        until_closed(stream).await
    }
    .boxed()
}

/// Completes the handshake and closes.
pub(super) fn short(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move { target.connect(ATTACKER, b"http/1.1").await.map(drop) }.boxed()
}

/// Sends plain HTTP, and a byte a second after it.
pub(super) fn plain(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let mut stream = target.socket(ATTACKER).await?;
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
        loop {
            sleep(Duration::from_secs(1)).await;
            stream.write_u8(b'x').await?;
        }
    }
    .boxed()
}
