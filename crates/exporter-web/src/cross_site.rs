//! Requests that a page of another site makes its reader's browser send.

use hyper::Request;
use hyper::header::{HeaderName, ORIGIN};
use hyper::http::uri::Authority;
use url::{Origin, Url};

use super::host;
use super::prefix::ExternalUrl;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Reports a request that a browser sends for a page of another origin.
///
/// `Sec-Fetch-Site` decides where the browser sends it. Else `Origin` must be the host that the
/// request asks, or the external URL's origin: a proxy may rewrite `Host`. A request with neither
/// header is not a browser's.
pub(super) fn is_cross_site<B>(request: &Request<B>, external_url: Option<&ExternalUrl>) -> bool {
    let headers = request.headers();
    if headers.contains_key(&SEC_FETCH_SITE) {
        let mut values = headers.get_all(&SEC_FETCH_SITE).iter();
        return !values.all(|value| matches!(value.as_bytes(), b"same-origin" | b"none"));
    }
    let host = host::authority(request);
    let is_own = |origin: &[u8]| {
        let Some(origin) = parse(origin) else {
            return false;
        };
        host.as_ref().is_some_and(|host| is_at(&origin, host))
            || external_url.is_some_and(|external| external.origin() == origin.origin())
    };
    let mut origins = headers.get_all(ORIGIN).iter();
    !origins.all(|origin| is_own(origin.as_bytes()))
}

/// Reads an origin such as `https://example.com:8443`; `null` is none.
fn parse(origin: &[u8]) -> Option<Url> {
    let url: Url = std::str::from_utf8(origin).ok()?.parse().ok()?;
    matches!(url.origin(), Origin::Tuple(..)).then_some(url)
}

/// Reports an origin that is at a host. Its scheme does not matter: a proxy may have taken TLS off.
fn is_at(origin: &Url, host: &Authority) -> bool {
    let asked = format!("{}://{host}", origin.scheme()).parse::<Url>();
    asked.is_ok_and(|asked| asked.origin() == origin.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request to `exporter.example:9100`.
    fn is_refused(headers: &[(&str, &str)], external_url: Option<&str>) -> bool {
        let request = Request::builder().header("host", "exporter.example:9100");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let external_url = external_url.map(|url| url.parse().unwrap());
        is_cross_site(&request.body(()).unwrap(), external_url.as_ref())
    }

    #[test]
    fn an_origin_must_be_the_host_that_is_asked() {
        assert!(!is_refused(&[], None));
        for own in [
            "http://exporter.example:9100",
            "https://EXPORTER.example:9100",
        ] {
            assert!(!is_refused(&[("origin", own)], None), "{own}");
        }
        for other in [
            "http://evil.example",
            "http://exporter.example",
            "http://exporter.example:80",
            "http://exporter.example:9100.evil.example",
            "http://a.exporter.example:9100",
            "file://exporter.example:9100",
            "exporter.example:9100",
            "null",
            "",
        ] {
            assert!(is_refused(&[("origin", other)], None), "{other}");
        }
        let two = [
            ("origin", "http://exporter.example:9100"),
            ("origin", "http://evil.example"),
        ];
        assert!(is_refused(&two, None));
    }

    #[test]
    fn the_ports_of_the_schemes_are_the_same_as_none() {
        let refused = |host: &str, origin: &str| {
            let request = Request::builder()
                .header("host", host)
                .header("origin", origin);
            is_cross_site(&request.body(()).unwrap(), None)
        };
        assert!(!refused("x.example", "https://x.example"));
        assert!(!refused("x.example:443", "https://x.example"));
        assert!(!refused("x.example", "http://x.example:80"));
        assert!(!refused("[::1]:9100", "http://[::1]:9100"));
        assert!(refused("x.example:80", "https://x.example"));
        assert!(refused("", "https://x.example"));
    }

    #[test]
    fn an_origin_may_be_the_external_urls() {
        let url = Some("https://monitoring.example.com/exporter/");
        for (origin, refused) in [
            ("https://monitoring.example.com", false),
            ("http://exporter.example:9100", false),
            ("http://monitoring.example.com", true),
            ("https://monitoring.example.com:8443", true),
            ("https://evil.example", true),
        ] {
            assert_eq!(is_refused(&[("origin", origin)], url), refused, "{origin}");
        }
    }

    #[test]
    fn sec_fetch_site_decides_where_it_is_there() {
        let other = ("origin", "https://rewritten.example");
        for (site, refused) in [
            ("same-origin", false),
            ("none", false),
            ("same-site", true),
            ("cross-site", true),
            ("new-word", true),
            ("", true),
        ] {
            let site = ("sec-fetch-site", site);
            assert_eq!(is_refused(&[site], None), refused, "{site:?}");
            assert_eq!(is_refused(&[site, other], None), refused, "{site:?}");
        }
        let two = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ];
        assert!(is_refused(&two, None));
    }
}
