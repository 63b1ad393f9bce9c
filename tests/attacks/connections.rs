//! Clients that hold plain connections.

use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use super::{ATTACKER, Target};

/// A request of which the answer keeps the connection open.
const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Interval of clients that send or read a little at a time.
const TICK: Duration = Duration::from_secs(1);

/// Bytes that a slow reader takes at a time: so many that the server's writes make progress.
const SIP: usize = 64 << 10;

/// Discards everything until the server closes.
pub(super) async fn until_closed(mut stream: impl AsyncRead + Unpin) -> io::Result<()> {
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

pub(super) fn idle(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move { until_closed(target.socket(ATTACKER).await?).await }.boxed()
}

pub(super) fn idle_everywhere(target: Target, number: usize) -> BoxFuture<'static, io::Result<()>> {
    idle_from(target, number % 100)
}

pub(super) fn idle_from_some(target: Target, number: usize) -> BoxFuture<'static, io::Result<()>> {
    idle_from(target, number % 8)
}

fn idle_from(target: Target, address: usize) -> BoxFuture<'static, io::Result<()>> {
    let address = u8::try_from(address).unwrap_or_default();
    async move { until_closed(target.socket([127, 0, 1, address]).await?).await }.boxed()
}

pub(super) fn slow_head(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let mut stream = target.socket(ATTACKER).await?;
        let endless = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Long: "
            .iter()
            .chain(std::iter::repeat(&b'x'));
        for byte in endless {
            stream.write_u8(*byte).await?;
            sleep(TICK).await;
        }
        Ok(())
    }
    .boxed()
}

pub(super) fn slow_body(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let mut stream = target.socket(ATTACKER).await?;
        let head = b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
        stream.write_all(head).await?;
        loop {
            stream.write_u8(b'x').await?;
            sleep(TICK).await;
        }
    }
    .boxed()
}

pub(super) fn unread(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let mut stream = target.small_socket(ATTACKER).await?;
        loop {
            stream.write_all(REQUEST).await?;
        }
    }
    .boxed()
}

pub(super) fn slow_reader(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let mut stream = target.socket(ATTACKER).await?;
        for _ in 0..50 {
            stream.write_all(REQUEST).await?;
        }
        let mut sip = vec![0; SIP];
        while stream.read(&mut sip).await? > 0 {
            sleep(TICK).await;
        }
        Ok(())
    }
    .boxed()
}

pub(super) fn short(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move { target.socket(ATTACKER).await.map(drop) }.boxed()
}
