//! The simulator's HTTP server: generic faults, then the clouds' gateways.
//!
//! - any vendor path: the vendor's answer
//! - `GET /-/seen`: how many requests came, how often each method and path, and which were refused and
//!   why (JSON)

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, future, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::scenario::FaultAnswer;
use super::{Answer, Request, World};

/// No request of these APIs is longer.
const BODY_CAP: usize = 1 << 20;

/// Serves the world behind the gateways of its scenario until aborted.
pub async fn run(listener: TcpListener, world: Arc<World>) {
    // Dropped with this future, and all connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let world = world.clone();
                    connections.spawn(async move {
                        let service = service_fn(move |request| answer(request, world.clone()));
                        let served = hyper::server::conn::http1::Builder::new()
                            .timer(TokioTimer::new())
                            .header_read_timeout(Duration::from_secs(60))
                            .max_buf_size(128 << 10)
                            .serve_connection(TokioIo::new(stream), service)
                            .await;
                        if let Err(error) = served {
                            tracing::debug!(%error, "A connection to the simulator broke.");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "The simulator cannot accept a connection.");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

impl From<Infallible> for Closed {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Body of an answer.
type Body = BoxBody<Bytes, Closed>;

fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(Closed::from).boxed()
}

/// Announces the whole body, sends its first half, and closes the connection.
fn truncated(response: hyper::Response<Bytes>) -> hyper::Response<Body> {
    let (mut head, body) = response.into_parts();
    head.headers.insert("content-length", body.len().into());
    let half = Frame::data(body.slice(..body.len() / 2));
    let first = stream::once(future::ready(Ok(half)));
    let end = stream::once(async {
        // The connection sends what it has before it meets the error.
        tokio::task::yield_now().await;
        Err(Closed)
    });
    let body = StreamBody::new(first.chain(end));
    hyper::Response::from_parts(head, BodyExt::boxed(body))
}

async fn answer(
    request: hyper::Request<Incoming>,
    world: Arc<World>,
) -> Result<hyper::Response<Body>, Closed> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_CAP).collect().await else {
        return Err(Closed);
    };
    let body = body.to_bytes();
    let request = Request {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        body: &body,
    };
    if request.path == "/-/seen" {
        let (requests, refused) = world.seen();
        let seen = json!({"requests": requests, "refused": refused, "calls": world.calls()});
        return Ok(respond(Answer::json(200, &seen), None).map(whole));
    }
    let fault = world.fault(&request);
    let faulty = match fault {
        Some(FaultAnswer::Hang) => {
            world.count(&request, None);
            std::future::pending().await
        }
        Some(FaultAnswer::Close) => {
            world.count(&request, None);
            return Err(Closed);
        }
        Some(FaultAnswer::UnknownWord) => world.answer(&request).map(|answer| {
            let keys = world.scenario.state_keys();
            with_unknown_words(answer, &keys)
        }),
        Some(fault) => odd_answer(fault),
        None => None,
    };
    let answer = faulty.unwrap_or_else(|| {
        world.answer(&request).unwrap_or_else(|| {
            Answer::json(404, &json!({"error": "no simulated cloud has this path"}))
                .refusing("no simulated cloud has this path")
        })
    });
    world.count(&request, Some(&answer));
    if fault == Some(FaultAnswer::Lost) {
        return Err(Closed);
    }
    if let Some(why) = &answer.refused {
        tracing::warn!(
            method = request.method,
            path = request.path,
            why,
            "The simulator refused a request."
        );
    }
    let response = respond(answer, date(&world, fault));
    Ok(if fault == Some(FaultAnswer::Truncated) {
        truncated(response)
    } else {
        response.map(whole)
    })
}

/// A word that no vendor has for a state.
const UNKNOWN_WORD: &str = "Simulated_Novelty";

/// Puts [`UNKNOWN_WORD`] in the place of every text under these keys.
fn with_unknown_words(mut answer: Answer, keys: &[&str]) -> Answer {
    if let Ok(mut body) = serde_json::from_str(&answer.body) {
        replace_states(&mut body, keys);
        answer.body = body.to_string();
    }
    answer
}

fn replace_states(value: &mut Value, keys: &[&str]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace_states(item, keys)),
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(word) if keys.contains(&key.as_str()) => {
                        UNKNOWN_WORD.clone_into(word);
                    }
                    value => replace_states(value, keys),
                }
            }
        }
        _ => {}
    }
}

/// The answers that no vendor words for itself.
fn odd_answer(fault: FaultAnswer) -> Option<Answer> {
    let text = |status, content_type, body: &str| Answer {
        status,
        content_type,
        headers: Vec::new(),
        body: body.to_owned(),
        refused: None,
    };
    Some(match fault {
        FaultAnswer::Html => text(
            500,
            "text/html",
            "<html><head><title>CloudMiddleWareTomcat</title></head><body>Error</body></html>",
        ),
        FaultAnswer::LoginPage => text(
            200,
            "text/html",
            "<html><head><title>Sign in</title></head><body>Sign in to go on</body></html>",
        ),
        FaultAnswer::Garbage => text(200, "application/json", "{\"code\":0,\"result\":{\"name\":"),
        FaultAnswer::Empty => text(200, "application/json", ""),
        FaultAnswer::Redirect => {
            text(302, "text/plain", "").with_header("location", "http://127.0.0.1:9/elsewhere")
        }
        _ => return None,
    })
}

/// Returns the `Date` of an answer: the time of the clouds' clock.
fn date(world: &World, fault: Option<FaultAnswer>) -> Option<Timestamp> {
    if fault == Some(FaultAnswer::OldDate) {
        return world.now().checked_sub(Duration::from_secs(600)).ok();
    }
    Some(world.now())
}

fn respond(answer: Answer, date: Option<Timestamp>) -> hyper::Response<Bytes> {
    let mut builder = hyper::Response::builder()
        .status(answer.status)
        .header("content-type", answer.content_type);
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    let date = date.and_then(|date| {
        jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&date)
            .ok()
    });
    if let Some(date) = date {
        builder = builder.header("date", date);
    }
    builder.body(Bytes::from(answer.body)).unwrap_or_default()
}
