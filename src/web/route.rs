//! From a request to its answer: a plain function, without a socket. What waits for others is the
//! answer's future.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::Full;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode, Uri};

use super::aside::aside;
use super::packed::packed;
use super::prefix::Place;
use super::{App, api, page, reload};
use crate::expose::{Scrape, negotiate};
use crate::report::Report;

pub(super) type Answer = Response<Full<Bytes>>;

/// Answers a request. The body of an answer to `HEAD` is there too: hyper sends its length alone.
pub(super) fn handle<'a, B>(app: &'a App, request: &Request<B>) -> BoxFuture<'a, Answer> {
    let path = match app.prefix.place(request.uri().path()) {
        Place::Inside(path) => path,
        Place::Door(page) => return std::future::ready(door(request.method(), &page)).boxed(),
        Place::Outside => return std::future::ready(not_found(app)).boxed(),
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match path {
        path if path == app.telemetry_path => {}
        "/-/reload" => {
            return match *request.method() {
                Method::POST | Method::PUT => reload::handle(app, request),
                _ => std::future::ready(not_allowed("POST, PUT", "only POST and PUT\n")).boxed(),
            };
        }
        "/" if reads => return people(app, request.uri(), request.headers()).boxed(),
        api::PATH if reads => return upgrades(app, request.uri(), request.headers()).boxed(),
        _ => {}
    }
    std::future::ready(at_once(app, request, path)).boxed()
}

/// Returns true for the paths of probes, whose answers are short.
pub(super) fn is_probe(path: &str) -> bool {
    path.ends_with("/-/healthy") || path.ends_with("/-/ready")
}

/// What is answered from what is there.
fn at_once<B>(app: &App, request: &Request<B>, path: &str) -> Answer {
    let known =
        path == app.telemetry_path || matches!(path, "/" | api::PATH | "/-/healthy" | "/-/ready");
    if !known {
        return not_found(app);
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
        // What is made aside is asked for with other methods only.
        _ => not_allowed("GET, HEAD", "only GET and HEAD\n"),
    }
}

fn not_found(app: &App) -> Answer {
    let told = format!("not found; {}/ lists what is here\n", app.prefix.as_str());
    text(StatusCode::NOT_FOUND, told)
}

/// Leads to the page.
fn door(method: &Method, page: &str) -> Answer {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return not_allowed("GET, HEAD", "only GET and HEAD\n");
    }
    let mut answer = text(StatusCode::FOUND, format!("the page is at {page}\n"));
    if let Ok(page) = HeaderValue::from_str(page) {
        answer.headers_mut().insert(LOCATION, page);
    }
    answer
}

/// The page.
fn people(app: &App, uri: &Uri, headers: &HeaderMap) -> impl Future<Output = Answer> + use<> {
    let (store, ready, clock) = (app.store.clone(), app.ready.is_ready(), app.clock.clone());
    let query = uri.query().unwrap_or_default().to_owned();
    let gzip = takes_gzip(headers);
    let telemetry_path = app.telemetry_path.clone();
    aside(move || {
        let report = Report::new(&store, ready, clock.now());
        let page = page::page(report, &query, &telemetry_path);
        let (body, gzip) = packed(page.html.into_bytes(), gzip);
        let mut answer = compressible(
            respond(StatusCode::OK, "text/html; charset=utf-8", body),
            gzip,
        );
        let headers = answer.headers_mut();
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_str(page.policy).expect("the policy is ASCII"),
        );
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        answer
    })
}

/// What is known, as JSON. A large fleet's takes some milliseconds: not where scrapes are answered.
fn upgrades(app: &App, uri: &Uri, headers: &HeaderMap) -> impl Future<Output = Answer> + use<> {
    let (store, ready, clock) = (app.store.clone(), app.ready.is_ready(), app.clock.clone());
    let query = uri.query().unwrap_or_default().to_owned();
    let gzip = takes_gzip(headers);
    aside(
        move || match api::answer(Report::new(&store, ready, clock.now()), &query) {
            Ok(body) => {
                let (body, gzip) = packed(body, gzip);
                compressible(respond(StatusCode::OK, "application/json", body), gzip)
            }
            Err((status, told)) => text(status, told),
        },
    )
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    negotiate::gzip(joined(headers, &ACCEPT_ENCODING).as_deref())
}

/// Says whether a body is compressed, and that others may get it otherwise.
fn compressible(mut answer: Answer, gzip: bool) -> Answer {
    let headers = answer.headers_mut();
    if gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    answer
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
mod tests;
