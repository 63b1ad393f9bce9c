use std::sync::Arc;

use exporter_web::{Reload, RoutePrefix};
use jiff::Timestamp;

use super::*;
use crate::clock::Clock;
use crate::clouds::CLOUDS;
use crate::expose::Exposition;
use crate::ready::{Latch, Ready};
use crate::report::HistoryReport;
use crate::store::Store;
use crate::store::history::tests::past;
use crate::telemetry::Metrics;

fn app(telemetry_path: &str) -> (App, Latch) {
    let (ready, latch) = Ready::new();
    let clock = Clock::tokio(Timestamp::UNIX_EPOCH);
    let metrics = Arc::new(Metrics::new());
    let app = App {
        clouds: CLOUDS,
        store: Arc::new(Store::new()),
        exposition: Arc::new(Exposition::new(metrics, clock.clone())),
        ready,
        reload: Reload::Off,
        prefix: RoutePrefix::default(),
        external_url: None,
        telemetry_path: telemetry_path.to_owned(),
        clock,
    };
    (app, latch)
}

async fn ask(app: &App, method: &str, target: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .body(())
        .unwrap();
    app.handle(&request).await
}

#[tokio::test]
async fn routes_every_path_and_refuses_the_rest() {
    let (app, _latch) = app("/metrics");
    for path in [
        "/",
        "/metrics",
        "/-/healthy",
        "/metrics?x=1",
        "/api/v1/upgrades",
        "/api/v1/upgrades?state=failed",
        "/history",
        "/history?outcome=nonsense&page=x",
        "/api/v1/history",
        "/api/v1/history?outcome=failed&limit=5",
    ] {
        assert_eq!(ask(&app, "GET", path).await.status(), 200, "{path}");
        assert_eq!(ask(&app, "HEAD", path).await.status(), 200, "{path}");
    }
    for path in ["/metrics/", "/-/", "/api/v1/", "/favicon.ico", "//"] {
        assert_eq!(ask(&app, "GET", path).await.status(), 404, "{path}");
        assert_eq!(ask(&app, "POST", path).await.status(), 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
        for path in [
            "/",
            "/history",
            "/metrics",
            "/api/v1/upgrades",
            "/api/v1/history",
            "/-/healthy",
            "/-/ready",
        ] {
            let answer = ask(&app, method, path).await;
            assert_eq!(answer.status(), 405, "{method} {path}");
            assert_eq!(answer.headers()["allow"], "GET, HEAD");
        }
    }
}

#[tokio::test]
async fn reloading_takes_post_and_put_and_has_to_be_allowed() {
    let (app, _latch) = app("/metrics");
    for method in ["POST", "PUT"] {
        let answer = ask(&app, method, "/-/reload").await;
        assert_eq!(answer.status(), 403, "{method}");
        let body = answer.into_body().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(body.contains("--web.enable-lifecycle"), "{body}");
    }
    for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
        let answer = ask(&app, method, "/-/reload").await;
        assert_eq!(answer.status(), 405, "{method}");
        assert_eq!(answer.headers()["allow"], "POST, PUT");
    }
}

#[tokio::test]
async fn is_ready_once_the_latch_is_gone() {
    let (app, latch) = app("/metrics");
    assert_eq!(ask(&app, "GET", "/-/ready").await.status(), 503);
    assert_eq!(ask(&app, "GET", "/-/healthy").await.status(), 200);
    drop(latch);
    assert_eq!(ask(&app, "GET", "/-/ready").await.status(), 200);
}

#[tokio::test]
async fn everything_lies_below_the_prefix_and_the_root_leads_there() {
    let (mut app, _latch) = app("/metrics");
    app.prefix = "/up/grades".parse().unwrap();
    for path in [
        "/",
        "/history",
        "/metrics",
        "/api/v1/upgrades",
        "/api/v1/history",
        "/-/healthy",
    ] {
        let path = format!("/up/grades{path}");
        assert_eq!(ask(&app, "GET", &path).await.status(), 200, "{path}");
    }
    for (path, page) in [("/", "up/grades/"), ("/up/grades", "grades/")] {
        let answer = ask(&app, "GET", path).await;
        assert_eq!(answer.status(), 302, "{path}");
        assert_eq!(answer.headers()["location"], page, "{path}");
        assert_eq!(ask(&app, "POST", path).await.status(), 405, "{path}");
    }
    for path in ["/metrics", "/-/healthy", "/-/reload", "/up/gradesx", "/up/"] {
        let answer = ask(&app, "POST", path).await;
        assert_eq!(answer.status(), 404, "{path}");
    }
    let answer = ask(&app, "GET", "/metrics").await;
    let body = answer.into_body().to_bytes();
    assert_eq!(body, "not found; /up/grades/ lists what is here\n");
    assert_eq!(ask(&app, "POST", "/up/grades/-/reload").await.status(), 403);
}

#[tokio::test]
async fn metrics_may_replace_the_page() {
    let (app, _latch) = app("/");
    let answer = ask(&app, "GET", "/").await;
    assert!(answer.headers()["content-type"] != "text/html; charset=utf-8");
    assert_eq!(ask(&app, "GET", "/metrics").await.status(), 404);
}

#[tokio::test]
async fn passes_a_compressed_scrape_through() {
    let scrape = |gzip| Scrape {
        content_type: "text/plain; version=0.0.4; charset=utf-8",
        gzip,
        body: vec![bytes::Bytes::from_static(b"\x1f\x8b body")],
    };
    let answer = scraped(scrape(true));
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.headers()["vary"], "Accept, Accept-Encoding");
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let body = answer.into_body().to_bytes();
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
    for path in ["/", "/history"] {
        let answer = ask(&app, "GET", path).await;
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

#[tokio::test]
async fn the_document_is_json_and_a_wrong_query_is_told() {
    let (app, _latch) = app("/metrics");
    let answer = ask(&app, "GET", "/api/v1/upgrades").await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["vary"], "Accept-Encoding");
    let body = answer.into_body().to_bytes();
    let report: Report = serde_json::from_slice(&body).unwrap();
    assert!(!report.ready);
    let answer = ask(&app, "GET", "/api/v1/upgrades?state=x").await;
    assert_eq!(answer.status(), 400);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
}

#[tokio::test]
async fn the_history_is_a_page_and_json_that_names_what_a_query_gets_wrong() {
    let (app, _latch) = app("/metrics");
    let past = Arc::new(past("c1", 0, 60, 2));
    app.store.history().put(past);
    let answer = ask(&app, "GET", "/api/v1/history?cluster=c*").await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["vary"], "Accept-Encoding");
    let body = answer.into_body().to_bytes();
    let report: HistoryReport = serde_json::from_slice(&body).unwrap();
    assert_eq!(report.upgrades[0].nodes.len(), 2);
    let page = ask(&app, "GET", "/history?cluster=c*").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let page = String::from_utf8(page.into_body().to_bytes().to_vec()).unwrap();
    assert!(page.contains("name-c1"), "{page}");
    let answer = ask(&app, "GET", "/api/v1/history?clusters=c1").await;
    assert_eq!(answer.status(), 400);
    let text = String::from_utf8(answer.into_body().to_bytes().to_vec()).unwrap();
    assert!(
        text.starts_with("no parameter \"clusters\"; there are account, "),
        "{text}"
    );
}
