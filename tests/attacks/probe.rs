//! Requests whose time is measured.

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::Target;
use super::target::Stream;

/// A GET request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) path: &'a str,
    /// Credentials in base64.
    pub(crate) login: Option<&'a str>,
}

impl<'a> Request<'a> {
    pub(crate) fn get(path: &'a str) -> Self {
        Self { path, login: None }
    }
}

/// An answer's status and body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Sends a request on a new connection and returns its time, from the connect to the last byte.
pub(crate) async fn measure(
    target: &Target,
    from: [u8; 4],
    request: &Request<'_>,
    limit: Duration,
) -> io::Result<Duration> {
    let begun = Instant::now();
    ask(target, from, request, limit).await?;
    Ok(begun.elapsed())
}

/// Sends a request on a new connection and returns the body of the answer, which must be 200.
pub(crate) async fn ask(
    target: &Target,
    from: [u8; 4],
    request: &Request<'_>,
    limit: Duration,
) -> io::Result<Vec<u8>> {
    within(limit, async {
        let mut stream = connect(target, from).await?;
        exchange(&mut stream, request).await
    })
    .await
}

/// Awaits an answer's body.
///
/// # Errors
///
/// Fails when the answer is not 200 or not complete within `limit`.
pub(crate) async fn within(
    limit: Duration,
    asked: impl Future<Output = io::Result<Answer>>,
) -> io::Result<Vec<u8>> {
    let answer = timeout(limit, asked)
        .await
        .unwrap_or_else(|_| Err(error(format!("no answer within {limit:?}"))))?;
    match answer.status {
        200 => Ok(answer.body),
        other => Err(error(format!("status {other}"))),
    }
}

/// Opens a connection for HTTP/1.1.
pub(crate) async fn connect(target: &Target, from: [u8; 4]) -> io::Result<Box<dyn Stream>> {
    target.connect(from, b"http/1.1").await
}

/// Sends a request on an open connection and reads the whole answer.
pub(crate) async fn exchange(
    stream: &mut (impl Stream + ?Sized),
    request: &Request<'_>,
) -> io::Result<Answer> {
    let login = match request.login {
        Some(login) => format!("Authorization: Basic {login}\r\n"),
        None => String::new(),
    };
    let path = request.path;
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{login}\r\n");
    stream.write_all(head.as_bytes()).await?;

    let mut read = Vec::with_capacity(4096);
    let body_at = loop {
        if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    };
    let mut body = read.split_off(body_at);
    let (status, length) = parse_head(&read)?;
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Answer { status, body })
}

fn parse_head(head: &[u8]) -> io::Result<(u16, usize)> {
    let head = String::from_utf8_lossy(head);
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| error(format!("no status: {head}")))?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.parse().ok())
        .ok_or_else(|| error(format!("no length: {head}")))?;
    Ok((status, length))
}

fn error(text: String) -> io::Error {
    io::Error::other(text)
}
