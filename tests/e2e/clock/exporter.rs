//! An exporter in this process, by a clock that is set, and the clouds that it polls.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::cloud::simulated;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::expose::Exposition;
use rolling_upgrade_exporter::poll::{Deps, Polling, Storage};
use rolling_upgrade_exporter::ready::Ready;
use rolling_upgrade_exporter::report::Report;
use rolling_upgrade_exporter::sim::{World, scenario, server};
use rolling_upgrade_exporter::store::{self, Store};
use rolling_upgrade_exporter::telemetry::Metrics;
use rolling_upgrade_exporter::{alert, config};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::harness::{Sample, eventually, samples, select};

/// Names and accounts of the alerts that were posted.
pub(super) type Posted = Arc<Mutex<BTreeSet<(String, String)>>>;

/// An exporter in this process, on a host whose clock can be set.
pub(super) struct Exporter {
    /// Seconds by which the host's clock is ahead.
    pub(super) ahead: Arc<AtomicI64>,
    clock: Clock,
    store: Arc<Store>,
    pub(super) exposition: Arc<Exposition>,
    pub(super) posted: Posted,
    _polling: Polling,
    _tasks: JoinSet<()>,
}

/// Starts the clouds of a scenario, whose clock is right.
pub(super) async fn clouds(scenario: &str) -> (Arc<World>, String, JoinSet<()>) {
    let scenario = scenario::parse(&simulated(CLOUDS), scenario).unwrap();
    let world = Arc::new(World::new(scenario, 1.0, Clock::system()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(server::run(listener, world.clone()));
    (world, url, tasks)
}

/// Starts an Alertmanager that takes everything and does not tell its time.
async fn alertmanager(posted: Posted, tasks: &mut JoinSet<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let posted = posted.clone();
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let posted = posted.clone();
                async move {
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let alerts: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
                    let label = |alert: &serde_json::Value, name: &str| {
                        let value = alert["labels"][name].as_str();
                        value.unwrap_or_default().to_owned()
                    };
                    let names = alerts
                        .iter()
                        .map(|alert| (label(alert, "alertname"), label(alert, "account")));
                    posted.lock().unwrap().extend(names);
                    Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::new())))
                }
            });
            let mut connection = hyper::server::conn::http1::Builder::new();
            connection.auto_date_header(false);
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}

impl Exporter {
    pub(super) async fn start(endpoint: &str, config: &str, ahead: i64) -> Self {
        let ahead = Arc::new(AtomicI64::new(ahead));
        let by = ahead.clone();
        let clock = Clock::by(move || {
            Clock::system().now() + SignedDuration::from_secs(by.load(Ordering::Relaxed))
        });
        let store = Arc::new(Store::new());
        store.put_config_load(Some(clock.now()));
        let mut metrics = Metrics::new();
        store::register(&store, metrics.own());
        let (poll_metrics, alert_metrics) = (
            rolling_upgrade_exporter::poll::Metrics::new(metrics.own()),
            alert::Metrics::new(metrics.own()),
        );
        let metrics = Arc::new(metrics);
        let exposition = Arc::new(Exposition::new(metrics, clock.clone()));
        let mut tasks = JoinSet::new();
        tasks.spawn(exposition.clone().run(store.clone()));
        let posted = Posted::default();
        let alertmanager = alertmanager(posted.clone(), &mut tasks).await;
        let text = config
            .replace("ENDPOINT", endpoint)
            .replace("ALERTMANAGER", &alertmanager);
        let config = config::parse(CLOUDS, &text, std::path::Path::new("."), &|_| None).unwrap();
        let world = alert::World {
            store: store.clone(),
            metrics: alert_metrics,
            clock: clock.clone(),
            page: None,
            storage: alert::Storage::default(),
        };
        let (orders, received) = mpsc::channel(1);
        tasks.spawn(async move {
            alert::run(config.alerting, received, world, std::future::pending()).await;
            drop(orders);
        });
        let deps = Deps {
            store: store.clone(),
            metrics: poll_metrics,
            clock: clock.clone(),
            storage: Storage::default(),
            confirms_at_once: false,
        };
        let (_ready, latch) = Ready::new();
        Self {
            ahead,
            clock,
            store,
            exposition,
            posted,
            _polling: Polling::start(config.accounts, deps, latch).await,
            _tasks: tasks,
        }
    }

    pub(super) fn scrape(&self) -> Vec<Sample> {
        let body = self.exposition.scrape(None, None).body;
        samples(std::str::from_utf8(&body.concat()).unwrap())
    }

    pub(super) fn report(&self) -> Report {
        Report::new(&self.store, true, self.clock.now())
    }

    /// Waits until every cluster answers and its upgrade runs.
    pub(super) async fn until_running(&self, clusters: usize) {
        eventually(Duration::from_secs(30), "every upgrade runs", || async {
            let now = self.scrape();
            let runs = select(&now, "rolling_upgrade_status", &[("status", "running")]);
            let running = runs.iter().filter(|one| one.value > 0.5).count();
            if running == clusters {
                Ok(())
            } else {
                Err(format!("{running} run: {now:?}"))
            }
        })
        .await;
    }
}
