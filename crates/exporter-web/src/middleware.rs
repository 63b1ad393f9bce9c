//! Middleware of every request: the host, the rate limit, the login, and headers for each answer.

use std::net::IpAddr;

use hyper::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Request, StatusCode};

use super::admission::InFlight;
use super::answer::{Answer, text};
use super::auth::Verdict;
use super::config::WebConfig;
use super::connection::Server;
use super::host;
use super::metrics::LoginRefusal;
use super::server::{Handler, Settings};

/// Answers a request, if it may be answered.
pub(super) async fn handle<H: Handler>(
    server: &Server<H>,
    request: &Request<()>,
    in_flight: &InFlight,
) -> Answer {
    let (settings, handler) = (&server.settings, &server.handler);
    let peer = in_flight.peer();
    let config = settings.access.config();
    let mut answer = if let Err(problem) = host::check(request) {
        text(
            StatusCode::BAD_REQUEST,
            format!("{problem}: a request names the host once\n"),
        )
    } else if settings.access.is_over_limit() {
        refuse(StatusCode::TOO_MANY_REQUESTS)
    } else {
        match log_in(settings, &config, request, peer).await {
            // Answers to probes are short.
            Ok(()) if handler.is_probe(request.uri().path()) || in_flight.admitted().await => {
                handler.handle(request).await
            }
            Ok(()) => busy(),
            Err(refused) => refused,
        }
    };
    for (name, value) in &config.headers {
        // A header that the handler set is made for the answer: its own policy is the stricter one.
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
async fn log_in(
    settings: &Settings,
    config: &WebConfig,
    request: &Request<()>,
    peer: IpAddr,
) -> Result<(), Answer> {
    let headers = request.headers();
    let address = settings.trusted_proxies.client_address(peer, headers);
    let logins = settings.access.logins();
    let refusal = match logins.check(&config.users, headers, address).await {
        Verdict::Welcome => return Ok(()),
        Verdict::NoCredentials => None,
        Verdict::Refused(refusal) => Some(refusal),
    };
    if let Some(refusal) = refusal {
        logins.count_refusal(refusal, address, &settings.metrics);
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

/// Builds an answer that only says its status, in Go's words.
fn refuse(status: StatusCode) -> Answer {
    let reason = status.canonical_reason().unwrap_or_default();
    text(status, format!("{reason}\n"))
}
