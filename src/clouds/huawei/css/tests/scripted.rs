//! A CSS with answers of its own.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{CssProvider, provider};

/// HTTP status and body.
pub(super) type Scripted = (u16, String);

/// Request lines so far.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// Starts a CSS that answers each request line by `answer`, until that has none.
pub(super) async fn answering(
    answer: impl FnMut(&str) -> Option<Scripted> + Send + 'static,
) -> (CssProvider, Asked) {
    let (address, asked) = serve(answer).await;
    (provider(address), asked)
}

/// Answers each request line by `answer`, until that has none.
pub(super) async fn serve(
    mut answer: impl FnMut(&str) -> Option<Scripted> + Send + 'static,
) -> (SocketAddr, Asked) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Asked::default();
    let kept = asked.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let line = head.lines().next().unwrap_or_default();
            kept.lock().push(line.to_owned());
            let Some((status, body)) = answer(line) else {
                return;
            };
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            // A client that has seen enough hangs up.
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    (address, asked)
}

/// Starts a CSS that answers each request with the next of these.
pub(super) async fn scripted(answers: Vec<Scripted>) -> (CssProvider, Asked) {
    let mut answers = VecDeque::from(answers);
    answering(move |_| answers.pop_front()).await
}

/// A page of the list of clusters, of which there are `total`.
pub(super) fn page(total: usize, ids: std::ops::Range<usize>) -> Scripted {
    let clusters: Vec<_> = ids
        .map(|n| json!({"id": n.to_string(), "name": "x"}))
        .collect();
    let body = json!({"totalSize": total, "clusters": clusters});
    (200, body.to_string())
}

/// Upgrades with these ids and states, of which there are `total`.
pub(super) fn details(total: usize, upgrades: &[(&str, &str)]) -> Scripted {
    let details: Vec<_> = upgrades
        .iter()
        .map(|(id, status)| json!({"id": id, "startTime": "2023-01-05T02:23:39", "status": status}))
        .collect();
    let body = json!({"totalSize": total, "detailList": details});
    (200, body.to_string())
}

/// One upgrade, or one change of the zone, in this state.
pub(super) fn one(status: &str) -> Scripted {
    details(1, &[(status, status)])
}

/// No upgrades.
pub(super) fn none() -> Scripted {
    (200, r#"{"totalSize":0}"#.to_owned())
}

/// A refusal with this code.
pub(super) fn refused(code: &str) -> Scripted {
    let body = json!({"errCode": code, "externalMessage": "not now"});
    (400, body.to_string())
}

/// An error of the gateway with this number.
pub(super) fn gateway(status: u16, number: &str) -> Scripted {
    let body = json!({"error_code": format!("APIGW.{number}"), "error_msg": "no"});
    (status, body.to_string())
}
