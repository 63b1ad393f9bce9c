//! A vendor that answers each path as the test says, whoever signs.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Bodies by the end of their path; the longest end that fits counts.
pub(super) type Answers = BTreeMap<String, String>;

pub(super) struct Vendor {
    pub(super) url: String,
    answers: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl Vendor {
    pub(super) async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = answers.into_iter().map(|(path, body)| (path, body.into()));
        let answers = Arc::new(Mutex::new(answers.collect::<BTreeMap<String, Bytes>>()));
        let served = answers.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answers = served.clone();
                let service = service_fn(move |request: hyper::Request<_>| {
                    let answer = answer(&answers.lock().unwrap(), &request);
                    async { Ok::<_, Infallible>(answer) }
                });
                let connection = http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, answers }
    }

    /// Answers this path with another body from now on.
    pub(super) fn set(&self, path: &str, body: String) {
        let mut answers = self.answers.lock().unwrap();
        answers.insert(path.to_owned(), body.into());
    }
}

fn answer(
    answers: &BTreeMap<String, Bytes>,
    request: &hyper::Request<hyper::body::Incoming>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let fits = answers
        .iter()
        .filter(|(end, _)| path.ends_with(end.as_str()));
    let is_az = request
        .uri()
        .query()
        .is_some_and(|q| q.contains("AZ_MIGRATION"));
    let body = match fits.max_by_key(|(end, _)| end.len()) {
        Some(_) if is_az => Some(Bytes::from_static(b"{\"totalSize\":0,\"detailList\":[]}")),
        Some((_, body)) => Some(body.clone()),
        None => None,
    };
    let mut response = Response::new(Full::new(body.clone().unwrap_or_default()));
    if body.is_none() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
