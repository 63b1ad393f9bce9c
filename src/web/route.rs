//! From a request to its answer, without a socket.

use exporter_web::{Answer, Handler, Place, maybe_gzip, respond, run_blocking, text};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderMap,
    HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, VARY,
};
use hyper::{Method, Request, StatusCode, Uri};

use super::{App, api, page};
use crate::expose::{Scrape, negotiate};
use crate::report::Report;

impl Handler for App {
    async fn handle(&self, request: &Request<()>) -> Answer {
        let (uri, headers) = (request.uri(), request.headers());
        let path = match self.prefix.place(uri.path()) {
            Place::Inside(path) => path,
            Place::Redirect(page) => return redirect(request.method(), &page),
            Place::Outside => return not_found(self),
        };
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        match path {
            "/-/reload" => match *request.method() {
                Method::POST | Method::PUT => {
                    self.reload
                        .handle(request, self.external_url.as_ref())
                        .await
                }
                _ => not_allowed("POST, PUT", "only POST and PUT\n"),
            },
            path if path == self.telemetry_path && reads => metrics(self, headers),
            "/" if reads => people(self, uri, headers).await,
            page::HISTORY if reads => history_page(self, uri, headers).await,
            api::UPGRADES if reads => upgrades(self, uri, headers).await,
            api::HISTORY if reads => history(self, uri, headers).await,
            "/-/healthy" if reads => text(StatusCode::OK, "OK\n"),
            "/-/ready" if reads && self.ready.is_ready() => text(StatusCode::OK, "OK\n"),
            "/-/ready" if reads => text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the first poll round has not ended yet\n",
            ),
            "/" | page::HISTORY | api::UPGRADES | api::HISTORY | "/-/healthy" | "/-/ready" => {
                only_reading()
            }
            path if path == self.telemetry_path => only_reading(),
            _ => not_found(self),
        }
    }
}

fn only_reading() -> Answer {
    not_allowed("GET, HEAD", "only GET and HEAD\n")
}

fn not_found(app: &App) -> Answer {
    let told = format!("not found; {}/ lists what is here\n", app.prefix.as_str());
    text(StatusCode::NOT_FOUND, told)
}

/// Redirects to the page.
fn redirect(method: &Method, page: &str) -> Answer {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return only_reading();
    }
    let mut answer = text(StatusCode::FOUND, format!("the page is at {page}\n"));
    if let Ok(page) = HeaderValue::from_str(page) {
        answer.headers_mut().insert(LOCATION, page);
    }
    answer
}

/// Answers with the page of the current upgrades.
fn people(app: &App, uri: &Uri, headers: &HeaderMap) -> impl Future<Output = Answer> + use<> {
    let (store, ready, clock) = (app.store.clone(), app.ready.is_ready(), app.clock.clone());
    let query = uri.query().unwrap_or_default().to_owned();
    let clouds = app.clouds;
    let telemetry_path = app.telemetry_path.clone();
    html(headers, move || {
        let report = Report::new(&store, ready, clock.now());
        page::page(report, &query, &telemetry_path, clouds)
    })
}

/// Answers with the page of the history.
fn history_page(app: &App, uri: &Uri, headers: &HeaderMap) -> impl Future<Output = Answer> + use<> {
    let (store, clock) = (app.store.clone(), app.clock.clone());
    let query = uri.query().unwrap_or_default().to_owned();
    let clouds = app.clouds;
    html(headers, move || {
        let (past, has_storage) = (store.history().all(), store.has_storage());
        page::history(&past, has_storage, &query, clouds, clock.now())
    })
}

/// Answers with a page.
fn html<F>(headers: &HeaderMap, make: F) -> impl Future<Output = Answer> + use<F>
where
    F: FnOnce() -> page::Page + Send + 'static,
{
    let gzip = takes_gzip(headers);
    run_blocking(move || {
        let page = make();
        let (body, gzip) = maybe_gzip(page.html.into_bytes(), gzip);
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

/// Answers with the upgrades as JSON.
fn upgrades(app: &App, uri: &Uri, headers: &HeaderMap) -> impl Future<Output = Answer> + use<> {
    let (store, ready, clock) = (app.store.clone(), app.ready.is_ready(), app.clock.clone());
    let query = uri.query().unwrap_or_default().to_owned();
    let clouds = app.clouds;
    json(headers, move || {
        api::upgrades(Report::new(&store, ready, clock.now()), &query, clouds)
    })
}

/// Answers with the history as JSON.
fn history(app: &App, uri: &Uri, headers: &HeaderMap) -> impl Future<Output = Answer> + use<> {
    let (store, clock) = (app.store.clone(), app.clock.clone());
    let query = uri.query().unwrap_or_default().to_owned();
    let clouds = app.clouds;
    json(headers, move || {
        api::history(&store.history().all(), &query, clouds, clock.now())
    })
}

/// Answers with a document. A large fleet's takes some milliseconds: not where scrapes are answered.
fn json<F>(headers: &HeaderMap, make: F) -> impl Future<Output = Answer> + use<F>
where
    F: FnOnce() -> api::Outcome + Send + 'static,
{
    let gzip = takes_gzip(headers);
    run_blocking(move || match make() {
        Ok(body) => {
            let (body, gzip) = maybe_gzip(body, gzip);
            compressible(respond(StatusCode::OK, "application/json", body), gzip)
        }
        Err((status, told)) => text(status, told),
    })
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

#[cfg(test)]
mod tests;
