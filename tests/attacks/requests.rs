//! Clients that send costly or malformed HTTP/1.1 requests.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncWriteExt, split};

use super::connections::until_closed;
use super::probe::{self, Request};
use super::{ATTACKER, Target};

/// Requests in one write of [`pipeline`].
const PIPELINED: usize = 200;

pub(super) fn large_head(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let mut head = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n".to_vec();
        for number in 0..64 {
            head.extend(format!("X-Header-{number}: {}\r\n", "x".repeat(1000)).bytes());
        }
        head.extend(b"\r\n");
        let mut stream = target.socket(ATTACKER).await?;
        stream.write_all(&head).await?;
        until_closed(stream).await
    }
    .boxed()
}

pub(super) fn pipeline(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let (reader, mut writer) = split(target.socket(ATTACKER).await?);
        let requests = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(PIPELINED);
        let write = async {
            writer.write_all(requests.as_bytes()).await?;
            writer.shutdown().await
        };
        tokio::try_join!(write, until_closed(reader)).map(drop)
    }
    .boxed()
}

pub(super) fn pages(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let mut stream = target.connect(ATTACKER, b"http/1.1").await?;
        loop {
            probe::exchange(&mut stream, &Request::get("/")).await?;
        }
    }
    .boxed()
}

pub(super) fn guess(target: Target, number: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let mut stream = target.socket(ATTACKER).await?;
        loop {
            let login = STANDARD.encode(format!("user-0:{number}-{}", fastrand::u64(..)));
            let request = Request {
                path: "/metrics",
                login: Some(&login),
            };
            probe::exchange(&mut stream, &request).await?;
        }
    }
    .boxed()
}
