//! Errors of calls without an answer.

use std::error::Error;
use std::io;

use super::lookup::LookupFailed;
use super::redaction::{Content, Redaction};
use super::{ApiError, Cause, Network};
use crate::model::Reason;
use crate::text::clean;

/// No answer came: by reqwest's error, without its URL. `host` and `proxy` carry their ports.
pub(crate) fn network(
    broken: &reqwest::Error,
    host: &str,
    proxy: Option<&str>,
    redaction: &Redaction,
) -> ApiError {
    let end = end(broken, proxy.is_some());
    let why = cause(broken, redaction);
    let message = match (end, proxy) {
        (Network::Timeout, _) => {
            format!("{host} did not answer in time; check route, firewall and proxy")
        }
        (Network::Name, _) => format!(
            "there is no address for {host}: {why}; check region, zone and endpoint, and that this machine can look up names"
        ),
        (Network::Unreachable, _) => format!(
            "cannot connect to {host}: {why}; check endpoint, route and firewall, and whether a proxy is needed"
        ),
        (Network::Tls, _) => format!(
            "cannot trust {host}: {why}; check the endpoint, and name the CA in ca_file if a proxy opens TLS or the cloud has a CA of its own"
        ),
        (Network::Proxy, Some(proxy)) => format!(
            "the proxy {proxy} gives no connection to {host}: {why}; check proxy_url, its user, and what the proxy lets through"
        ),
        (Network::Proxy | Network::Broken, _) if broken.is_connect() => {
            format!("cannot connect to {host}: {why}")
        }
        (Network::Proxy | Network::Broken, _) => {
            format!("the connection broke to {host}: {why}")
        }
    };
    let reason = match end {
        Network::Timeout => Reason::Timeout,
        _ => Reason::Network,
    };
    ApiError::new(reason, message).because(Cause::Network(end))
}

/// Whether TLS is what failed: that library's errors come in this kind.
pub(crate) fn is_tls(broken: &reqwest::Error) -> bool {
    chain(broken)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::InvalidData)
}

/// Where the way ended.
fn end(broken: &reqwest::Error, by_proxy: bool) -> Network {
    if broken.is_timeout() {
        return Network::Timeout;
    }
    if !broken.is_connect() {
        return Network::Broken;
    }
    let kinds: Vec<io::ErrorKind> = chain(broken)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .collect();
    // The TLS library's errors come in this kind.
    if kinds.contains(&io::ErrorKind::InvalidData) {
        return Network::Tls;
    }
    if by_proxy {
        return Network::Proxy;
    }
    if chain(broken).any(<dyn Error>::is::<LookupFailed>) {
        return Network::Name;
    }
    let unreachable = |kind: &io::ErrorKind| {
        matches!(
            kind,
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
        )
    };
    if kinds.iter().any(unreachable) {
        return Network::Unreachable;
    }
    if kinds.contains(&io::ErrorKind::TimedOut) {
        return Network::Timeout;
    }
    Network::Broken
}

/// An error and its sources. An `io::Error` that carries another one does not tell it as its source.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let carried = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match carried {
            Some(carried) => Some(carried as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// What broke. reqwest's own text holds the URL; its sources tell what went wrong, HTTP/2's in the words of
/// the server.
pub(crate) fn cause(broken: &reqwest::Error, redaction: &Redaction) -> String {
    let mut cause = String::new();
    let mut source = std::error::Error::source(broken);
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    clean(&redaction.text(&cause, Content::Prose))
}
