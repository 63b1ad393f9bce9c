//! From a request to its answer: a plain function, without a socket. What waits for others is the
//! answer's future.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::Full;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};

use super::{App, page};
use crate::expose::Scrape;

pub(super) type Answer = Response<Full<Bytes>>;

/// Answers a request. The body of an answer to `HEAD` is there too: hyper sends its length alone.
pub(super) fn handle<'a, B>(app: &'a App, request: &Request<B>) -> BoxFuture<'a, Answer> {
    if request.uri().path() != "/-/reload" {
        return std::future::ready(at_once(app, request)).boxed();
    }
    match *request.method() {
        Method::POST | Method::PUT => app.reload.answer().boxed(),
        _ => std::future::ready(not_allowed("POST, PUT", "only POST and PUT\n")).boxed(),
    }
}

/// What is answered from what is there.
fn at_once<B>(app: &App, request: &Request<B>) -> Answer {
    let path = request.uri().path();
    let known = path == app.telemetry_path || matches!(path, "/" | "/-/healthy" | "/-/ready");
    if !known {
        return text(StatusCode::NOT_FOUND, "not found; / lists what is here\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_allowed("GET, HEAD", "only GET and HEAD\n");
    }
    if path == app.telemetry_path {
        return metrics(app, request.headers());
    }
    match path {
        "/-/healthy" => text(StatusCode::OK, "OK\n"),
        "/-/ready" if app.ready.is_ready() => text(StatusCode::OK, "OK\n"),
        "/-/ready" => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the first poll round has not ended yet\n",
        ),
        _ => html(&page::page(
            &app.store.snapshot(),
            app.clock.now(),
            &app.telemetry_path,
            app.ready.is_ready(),
        )),
    }
}

fn metrics(app: &App, headers: &HeaderMap) -> Answer {
    let accept = joined(headers, &ACCEPT);
    let accept_encoding = joined(headers, &ACCEPT_ENCODING);
    scraped(
        app.exposition
            .scrape(accept.as_deref(), accept_encoding.as_deref()),
    )
}

fn scraped(scrape: Scrape) -> Answer {
    let mut answer = respond(StatusCode::OK, scrape.content_type, scrape.body);
    let headers = answer.headers_mut();
    if scrape.gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    answer
}

/// A header's values as one list, as RFC 9110 (section 5.2) lets them be joined; what is not text
/// is left out.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .map(str::to_owned)
        .reduce(|all, next| all + ", " + &next)
}

fn html(page: &page::Page) -> Answer {
    let mut answer = respond(
        StatusCode::OK,
        "text/html; charset=utf-8",
        Bytes::from(page.html.clone()),
    );
    let headers = answer.headers_mut();
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_str(page.policy).expect("the policy is ASCII"),
    );
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

fn not_allowed(allowed: &'static str, body: &'static str) -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, body);
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    respond(status, "text/plain; charset=utf-8", body.into())
}

fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let length = body.len();
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    // Hyper would leave out the length of an empty body in an answer to HEAD.
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body_util::BodyExt;
    use jiff::Timestamp;

    use super::*;
    use crate::clock::Clock;
    use crate::expose::Exposition;
    use crate::store::Store;
    use crate::telemetry::Metrics;
    use crate::web::ready::{Latch, Ready};
    use crate::web::reload::Reload;

    fn app(telemetry_path: &str) -> (App, Latch) {
        let (ready, latch) = Ready::new();
        let clock = Clock::tokio(Timestamp::UNIX_EPOCH);
        let app = App {
            store: Arc::new(Store::new()),
            exposition: Arc::new(Exposition::new(Arc::new(Metrics::new()), clock.clone())),
            ready,
            reload: Reload::Off,
            telemetry_path: telemetry_path.to_owned(),
            clock,
        };
        (app, latch)
    }

    fn ask(app: &App, method: &str, target: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .body(())
            .unwrap();
        let answered = handle(app, &request).now_or_never();
        answered.expect("nobody else is asked")
    }

    #[tokio::test]
    async fn routes_every_path_and_refuses_the_rest() {
        let (app, _latch) = app("/metrics");
        for path in ["/", "/metrics", "/-/healthy", "/metrics?x=1"] {
            assert_eq!(ask(&app, "GET", path).status(), 200, "{path}");
            assert_eq!(ask(&app, "HEAD", path).status(), 200, "{path}");
        }
        for path in ["/metrics/", "/-/", "/favicon.ico", "//"] {
            assert_eq!(ask(&app, "GET", path).status(), 404, "{path}");
            assert_eq!(ask(&app, "POST", path).status(), 404, "{path}");
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
            for path in ["/", "/metrics", "/-/healthy", "/-/ready"] {
                let answer = ask(&app, method, path);
                assert_eq!(answer.status(), 405, "{method} {path}");
                assert_eq!(answer.headers()["allow"], "GET, HEAD");
            }
        }
    }

    #[tokio::test]
    async fn reloading_takes_post_and_put_and_has_to_be_allowed() {
        let (app, _latch) = app("/metrics");
        for method in ["POST", "PUT"] {
            let answer = ask(&app, method, "/-/reload");
            assert_eq!(answer.status(), 403, "{method}");
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            assert!(body.contains("--web.enable-lifecycle"), "{body}");
        }
        for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
            let answer = ask(&app, method, "/-/reload");
            assert_eq!(answer.status(), 405, "{method}");
            assert_eq!(answer.headers()["allow"], "POST, PUT");
        }
    }

    #[tokio::test]
    async fn is_ready_once_the_latch_is_gone() {
        let (app, latch) = app("/metrics");
        assert_eq!(ask(&app, "GET", "/-/ready").status(), 503);
        assert_eq!(ask(&app, "GET", "/-/healthy").status(), 200);
        drop(latch);
        assert_eq!(ask(&app, "GET", "/-/ready").status(), 200);
    }

    #[tokio::test]
    async fn metrics_may_replace_the_page() {
        let (app, _latch) = app("/");
        let answer = ask(&app, "GET", "/");
        assert!(answer.headers()["content-type"] != "text/html; charset=utf-8");
        assert_eq!(ask(&app, "GET", "/metrics").status(), 404);
    }

    #[tokio::test]
    async fn passes_a_compressed_scrape_through() {
        let scrape = |gzip| Scrape {
            content_type: "text/plain; version=0.0.4; charset=utf-8",
            gzip,
            body: Bytes::from_static(b"\x1f\x8b body"),
        };
        let answer = scraped(scrape(true));
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        assert_eq!(answer.headers()["vary"], "Accept, Accept-Encoding");
        assert_eq!(
            answer.headers()["content-type"],
            "text/plain; version=0.0.4; charset=utf-8"
        );
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.as_ref(), b"\x1f\x8b body");
        assert!(
            !scraped(scrape(false))
                .headers()
                .contains_key("content-encoding")
        );
    }

    #[test]
    fn joins_repeated_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(joined(&headers, &ACCEPT), None);
        headers.append(ACCEPT, HeaderValue::from_static("a/b"));
        headers.append(ACCEPT, HeaderValue::from_bytes(b"\xff").unwrap());
        headers.append(ACCEPT, HeaderValue::from_static("c/d;q=0.5"));
        assert_eq!(joined(&headers, &ACCEPT).unwrap(), "a/b, c/d;q=0.5");
    }

    #[tokio::test]
    async fn the_page_allows_nothing_but_its_own_style() {
        let (app, _latch) = app("/metrics");
        let answer = ask(&app, "GET", "/");
        let policy = answer.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    }
}
