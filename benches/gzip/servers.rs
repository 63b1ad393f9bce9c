//! The servers that are compared.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use exporter_web::{Access, Reload, RoutePrefix, Settings};
use http_body_util::Full;
use hyper::Response;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::expose::{Exposition, render};
use rolling_upgrade_exporter::ready::Ready;
use rolling_upgrade_exporter::store::Store;
use rolling_upgrade_exporter::telemetry::{Metrics, PREFIX};
use rolling_upgrade_exporter::web::App;
use rolling_upgrade_exporter::{alert, poll, store};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::clusters;

/// Least number of series.
const SERIES: usize = 100_000;

/// Returns the number of series of the clusters.
pub(crate) fn series() -> usize {
    count() * each()
}

fn count() -> usize {
    SERIES.div_ceil(each())
}

/// Returns the number of series of a cluster.
fn each() -> usize {
    let now = Clock::system().now();
    let text = render(&[clusters::upgrading(0, now)], now);
    text.lines().filter(|line| !line.starts_with('#')).count()
}

/// Serves the exporter's metrics until the benchmark ends.
pub(crate) fn exporter() {
    run(async |listener| {
        let clock = Clock::system();
        let now = clock.now();
        let store = Arc::new(Store::new());
        let mut metrics = Metrics::new();
        store::register(&store, metrics.own());
        poll::Metrics::new(metrics.own());
        alert::Metrics::new(metrics.own());
        let web = exporter_web::Metrics::register(metrics.registry(), PREFIX);
        store.put_all((0..count()).map(|number| clusters::upgrading(number, now)));
        let exposition = Arc::new(Exposition::new(Arc::new(metrics), clock.clone()));
        exposition.publish(&store.snapshot());
        let (ready, _latch) = Ready::new();
        let app = App {
            clouds: CLOUDS,
            store,
            exposition,
            ready,
            reload: Reload::Off,
            prefix: RoutePrefix::default(),
            external_url: None,
            telemetry_path: "/metrics".to_owned(),
            clock,
        };
        let settings = Settings::new(Arc::new(Access::open()), web);
        exporter_web::serve(vec![listener], settings, app, std::future::pending()).await;
    });
}

/// Serves a file from memory until the benchmark ends.
pub(crate) fn hyper(path: &str) {
    let body = Bytes::from(std::fs::read(path).expect("the body"));
    run(async |listener| {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                continue;
            };
            let body = body.clone();
            tokio::spawn(async move {
                let service = service_fn(|_| {
                    let answer = Response::new(Full::new(body.clone()));
                    std::future::ready(Ok::<_, Infallible>(answer))
                });
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                drop(serving.await);
            });
        }
    });
}

fn run(serve: impl AsyncFnOnce(TcpListener)) {
    let runtime = Runtime::new().expect("threads");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        println!("{}", listener.local_addr().expect("its address"));
        serve(listener).await;
    });
}
