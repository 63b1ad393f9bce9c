//! What a call without an answer tells, and what an answer tells of the clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Request;
use crate::provider::{ApiError, Reason, error};

/// The credentials rest after a refusal.
pub(super) fn resting(left: Duration) -> ApiError {
    let mut error = ApiError::new(
        Reason::Auth,
        format!(
            "the vendor refused these credentials; no call is made with them for another {} so that the key is not locked",
            humantime::format_duration(Duration::from_secs(left.as_secs().max(1)))
        ),
    );
    error.retry_after = Some(left);
    error
}

/// No answer came: by reqwest's error, without its URL.
pub(super) fn network(broken: &reqwest::Error, request: &Request<'_>) -> ApiError {
    let host = request.host();
    if broken.is_timeout() {
        return ApiError::new(
            Reason::Timeout,
            format!("{host} did not answer in time; check route, firewall and proxy"),
        );
    }
    let what = if broken.is_connect() {
        "cannot connect to"
    } else {
        "the connection broke to"
    };
    ApiError::new(Reason::Network, format!("{what} {host}: {}", cause(broken)))
}

/// What broke. reqwest's own text holds the URL; its sources tell what went wrong.
pub(crate) fn cause(broken: &reqwest::Error) -> String {
    let mut cause = String::new();
    let mut source = std::error::Error::source(broken);
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    error::clean(&cause)
}

/// Local clock minus the server's. `Date` is cut to the second, so half of one is added to it.
pub(crate) fn skew(date: &str, sent: Timestamp, received: Timestamp) -> Option<SignedDuration> {
    let server = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let local = sent
        .checked_add(received.duration_since(sent) / 2)
        .unwrap_or(sent);
    Some(local.duration_since(server) - SignedDuration::from_millis(500))
}
