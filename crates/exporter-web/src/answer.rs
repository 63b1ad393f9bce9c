//! Answers to requests.

use bytes::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

/// Answer to a request, with its whole body.
pub type Answer = Response<Bytes>;

/// Builds an answer of plain text.
pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    respond(status, "text/plain; charset=utf-8", body.into())
}

/// Builds an answer that no cache keeps, and whose type no browser guesses.
///
/// # Panics
/// When the content type is no value of a header: it is the program's own text.
pub fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let length = body.len();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    // Hyper would leave out the length of an empty body in an answer to HEAD.
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
