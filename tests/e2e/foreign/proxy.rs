//! Proxies between the exporter and the simulator that change what the vendor says.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::harness::client;

/// Behaviour of a proxy with answers.
#[derive(Clone)]
pub(super) enum Change {
    /// Notes the paths of all texts and numbers.
    Note(Arc<Mutex<BTreeSet<String>>>),
    /// Puts a text at a path.
    Put { path: String, text: String },
    /// Refuses every call with this document, and this text as the id of the request.
    Refuse {
        status: u16,
        document: Value,
        text: String,
    },
    /// Answers otherwise than the vendor does.
    Rewrite(Rewrite),
}

/// Turns the document of a path into an answer, whose headers replace those of the vendor.
pub(super) type Rewrite = fn(&str, &mut Value) -> Response<Vec<u8>>;

/// Starts a proxy in front of `vendor`, which ends with the test's runtime; returns its address.
pub(super) async fn start(vendor: &str, change: Change) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (vendor, client) = (vendor.to_owned(), client());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (vendor, client, change) = (vendor.clone(), client.clone(), change.clone());
            let service = service_fn(move |request| {
                let answer = answer(request, vendor.clone(), client.clone(), change.clone());
                async { Ok::<_, Infallible>(answer.await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async { connection.await.unwrap_or_default() });
        }
    });
    url
}

async fn answer(
    request: Request<Incoming>,
    vendor: String,
    client: reqwest::Client,
    change: Change,
) -> Response<Full<Bytes>> {
    if let Change::Refuse {
        status,
        document,
        text,
    } = change
    {
        let mut refusal = Response::new(Full::from(document.to_string()));
        *refusal.status_mut() = StatusCode::from_u16(status).unwrap();
        // A header holds no line ends, but bytes above 0x7f.
        let id = HeaderValue::from_bytes(text.replace(char::is_control, "\u{9b}").as_bytes());
        let id = id.unwrap();
        refusal.headers_mut().insert("x-request-id", id);
        return refusal;
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut headers = parts.headers;
    for name in [ACCEPT_ENCODING, CONTENT_LENGTH] {
        headers.remove(name);
    }
    let path = parts.uri.path().to_owned();
    // The host stays, since it is signed.
    let told = client
        .request(parts.method, format!("{vendor}{}", parts.uri))
        .headers(headers)
        .body(body)
        .send()
        .await
        .unwrap();
    let mut answer = Response::builder().status(told.status());
    for (name, value) in told.headers() {
        if *name != CONTENT_LENGTH {
            answer = answer.header(name, value);
        }
    }
    let body = told.bytes().await.unwrap();
    let Ok(mut document) = serde_json::from_slice::<Value>(&body) else {
        return answer.body(Full::from(body)).unwrap();
    };
    if let Change::Rewrite(rewrite) = change {
        let (parts, body) = rewrite(&path, &mut document).into_parts();
        let mut answer = answer.body(Full::from(body)).unwrap();
        *answer.status_mut() = parts.status;
        for (name, value) in &parts.headers {
            answer.headers_mut().insert(name, value.clone());
        }
        return answer;
    }
    leaves(&mut document, "", &mut |path, leaf| match &change {
        Change::Note(paths) => {
            paths.lock().unwrap().insert(path.to_owned());
        }
        Change::Put { path: here, text } if here == path => *leaf = Value::from(text.as_str()),
        _ => {}
    });
    answer.body(Full::from(document.to_string())).unwrap()
}

/// Visits all texts and numbers; elements of a list share a path.
fn leaves(value: &mut Value, path: &str, visit: &mut impl FnMut(&str, &mut Value)) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                leaves(value, &format!("{path}.{name}"), visit);
            }
        }
        Value::Array(list) => {
            for value in list {
                leaves(value, &format!("{path}[]"), visit);
            }
        }
        Value::String(_) | Value::Number(_) => visit(path, value),
        Value::Null | Value::Bool(_) => {}
    }
}
