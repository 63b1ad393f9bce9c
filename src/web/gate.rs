//! What stands before every path: the host, the limit of requests, the login, and headers for each
//! answer.

use std::net::IpAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Request, Response, StatusCode};

use super::admission::InFlight;
use super::auth::Verdict;
use super::config::WebConfig;
use super::route::Answer;
use super::{App, host, route};
use crate::telemetry::web::LoginRefusal;

/// Answers a request, if it may be answered.
pub(super) async fn handle<B>(app: &App, request: &Request<B>, in_flight: &InFlight) -> Answer {
    let peer = in_flight.peer();
    let config = app.access.config();
    let mut answer = if let Err(problem) = host::check(request) {
        route::text(
            StatusCode::BAD_REQUEST,
            format!("{problem}: a request names the host once\n"),
        )
    } else if app.access.is_over_limit() {
        refuse(StatusCode::TOO_MANY_REQUESTS)
    } else {
        match log_in(app, &config, request, peer).await {
            // Answers to probes are short.
            Ok(()) if route::is_probe(request.uri().path()) || in_flight.admitted().await => {
                route::handle(app, request).await
            }
            Ok(()) => busy(),
            Err(refused) => refused,
        }
    };
    for (name, value) in &config.headers {
        // What an answer says itself is made for it: the page's own policy is the stricter one.
        answer
            .headers_mut()
            .entry(name)
            .or_insert_with(|| value.clone());
    }
    answer
}

/// Checks the login of a request, counts and logs it when it is refused.
///
/// # Errors
///
/// The answer that refuses the request.
async fn log_in<B>(
    app: &App,
    config: &WebConfig,
    request: &Request<B>,
    peer: IpAddr,
) -> Result<(), Answer> {
    let headers = request.headers();
    let address = app.trusted_proxies.client_address(peer, headers);
    let logins = app.access.logins();
    let refusal = match logins.check(&config.users, headers, address).await {
        Verdict::Welcome => return Ok(()),
        Verdict::NoCredentials => None,
        Verdict::Refused(refusal) => Some(refusal),
    };
    if let Some(refusal) = refusal {
        app.metrics.web().login_refused(refusal);
        logins.log(refusal, address);
    }
    Err(match refusal {
        None | Some(LoginRefusal::Credentials) => {
            let mut answer = refuse(StatusCode::UNAUTHORIZED);
            let headers = answer.headers_mut();
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
            answer
        }
        Some(LoginRefusal::Busy | LoginRefusal::Share) => busy(),
    })
}

/// Refuses a request that may be answered a moment later.
fn busy() -> Answer {
    let mut answer = refuse(StatusCode::SERVICE_UNAVAILABLE);
    let headers = answer.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// An answer that only says its status, in Go's words.
fn refuse(status: StatusCode) -> Answer {
    let reason = status.canonical_reason().unwrap_or_default();
    let body = format!("{reason}\n");
    let length = body.len();
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
