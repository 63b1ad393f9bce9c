//! The host that a request asks (RFC 9112, section 3.2).

use hyper::header::HOST;
use hyper::http::uri::Authority;
use hyper::{Request, Version};

/// Checks the `Host` header.
///
/// # Errors
///
/// A request of HTTP/1.1 has none, or any has several or one that is no host.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), &'static str> {
    let mut values = request.headers().get_all(HOST).iter();
    match (values.next(), values.next()) {
        (None, _) if request.version() == Version::HTTP_11 => Err("the Host header is missing"),
        (None, _) => Ok(()),
        (Some(_), Some(_)) => Err("there are several Host headers"),
        (Some(value), None) if is_host(value.as_bytes()) => Ok(()),
        (Some(_), None) => Err("the Host header is no host"),
    }
}

/// Returns the host and port that a request asks: those of its target, else of its `Host` header.
pub(super) fn authority<B>(request: &Request<B>) -> Option<Authority> {
    let target = request.uri().authority().cloned();
    target.or_else(|| Authority::try_from(request.headers().get(HOST)?.as_bytes()).ok())
}

/// Reports a host with or without a port, or nothing at all, which a client sends when its URL has no
/// host.
fn is_host(value: &[u8]) -> bool {
    if value.is_empty() {
        return true;
    }
    let Ok(authority) = Authority::try_from(value) else {
        return false;
    };
    let Some(port) = authority.as_str().strip_prefix(authority.host()) else {
        // A user stands before it.
        return false;
    };
    let digits = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    !authority.host().is_empty() && (port.is_empty() || port.strip_prefix(':').is_some_and(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(version: Version, hosts: &[&str]) -> Result<(), &'static str> {
        let request = Request::builder().version(version);
        let request = hosts
            .iter()
            .fold(request, |request, host| request.header(HOST, *host));
        check(&request.body(()).unwrap())
    }

    #[test]
    fn http_1_1_needs_one_host() {
        assert!(checked(Version::HTTP_11, &[]).is_err());
        for version in [Version::HTTP_10, Version::HTTP_2] {
            assert_eq!(checked(version, &[]), Ok(()));
        }
        for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
            assert_eq!(checked(version, &["x"]), Ok(()));
            assert!(checked(version, &["x", "x"]).is_err());
            assert!(checked(version, &["a b"]).is_err());
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for host in [
            "",
            "x",
            "example.com:9100",
            "example.com:",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:9100",
            "under_score.example",
        ] {
            assert_eq!(checked(Version::HTTP_11, &[host]), Ok(()), "{host}");
        }
        for host in [
            "a b", "a/b", "http://a", "user@a", "a:port", "a:1:2", ":80", "::1", "[::1", "a,b c",
            "a?b", "é",
        ] {
            assert!(checked(Version::HTTP_11, &[host]).is_err(), "{host}");
        }
    }
}
