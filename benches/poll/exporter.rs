//! The exporter's own tasks from the store to the page and the alerts, with polls that this process makes up.

use std::convert::Infallible;
use std::io::BufRead as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::expose::Exposition;
use rolling_upgrade_exporter::model::{ClusterState, Memory, NodeStatus, Span};
use rolling_upgrade_exporter::store::Store;
use rolling_upgrade_exporter::{alert, config, poll, store, telemetry};
use rustix::time::{ClockId, clock_gettime};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::clusters;
use crate::storage::{self, Storage};

/// Time between two polls: that of 10,000 clusters with the default interval of 30 s.
const PACE: Duration = Duration::from_millis(3);
/// Polls before the first that is measured.
const WARM_UP: usize = 2_000;
/// The exporter is at rest once it has posted nothing for so long.
const AT_REST: Duration = Duration::from_secs(2);

/// An exporter without pollers.
struct Exporter {
    store: Arc<Store>,
    storage: Option<Storage>,
    exposition: Arc<Exposition>,
    /// Alerts that were posted, as requests.
    posts: Arc<AtomicU64>,
}

impl Exporter {
    async fn start(storage: Option<Storage>) -> Self {
        let clock = Clock::system();
        let store = Arc::new(Store::new());
        store.put_config_load(Some(clock.now()));
        let mut metrics = telemetry::Metrics::new();
        store::register(&store, metrics.own());
        poll::Metrics::new(metrics.own());
        let counters = alert::Metrics::new(metrics.own());
        let exposition = Arc::new(Exposition::new(Arc::new(metrics), clock.clone()));
        tokio::spawn(exposition.clone().run(store.clone()));
        let posts = Arc::new(AtomicU64::new(0));
        let alerting = alerting(&alertmanager(posts.clone()).await);
        let world = alert::World {
            store: store.clone(),
            metrics: counters,
            clock,
            page: None,
            storage: alert::Storage::default(),
        };
        tokio::spawn(async move {
            let (orders, received) = mpsc::channel(1);
            alert::run(Some(alerting), received, world, std::future::pending()).await;
            drop(orders);
        });
        if let Some(storage) = &storage {
            storage.start();
        }
        Self {
            store,
            storage,
            exposition,
            posts,
        }
    }

    /// Waits until everything is shown and every alert is posted.
    async fn until_at_rest(&self) {
        self.exposition.caught_up(&self.store).await;
        loop {
            let before = self.posts.load(Ordering::Relaxed);
            tokio::time::sleep(AT_REST).await;
            if self.posts.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }

    /// Takes polls of these workers, one after another.
    async fn take(&self, workers: &mut [Worker], places: &[usize], change: fn(&mut ClusterState)) {
        for place in places {
            let Worker { state, memory } = &mut workers[*place];
            // As the poller does, which compares the answer with the upgrade that it knows, and changes a copy.
            for (seen, view) in memory.upgrades.values().zip(&state.upgrades) {
                std::hint::black_box(*seen.last == *view.upgrade);
            }
            let mut polled = Memory::clone(memory);
            state.last_success += Duration::from_secs(1);
            change(state);
            storage::take(&mut polled, state);
            *memory = Arc::new(polled);
            let state = Arc::new(state.clone());
            if let Some(storage) = &self.storage {
                storage.put(&state, memory.clone());
            }
            self.store.put(state);
            tokio::time::sleep(PACE).await;
        }
    }

    /// Returns the time of a scrape, the median of many, while polls go on.
    async fn scrape(&self, workers: &mut [Worker], places: &[usize]) -> Duration {
        let mut times = Vec::new();
        for place in places {
            self.take(workers, &[*place], |_| ()).await;
            let begun = Instant::now();
            let body = self.exposition.scrape(None, Some("gzip")).body;
            std::hint::black_box(body.iter().map(Bytes::len).sum::<usize>());
            times.push(begun.elapsed());
        }
        times.sort();
        times[times.len() / 2]
    }
}

/// Knowledge of the worker of a cluster.
struct Worker {
    state: ClusterState,
    memory: Arc<Memory>,
}

/// Polls clusters as the lines of the input say, and answers each with the CPU time of a poll, or the time of a
/// scrape.
pub(crate) fn serve_polls(count: usize, is_stored: bool) {
    let now = Clock::system().now();
    let runtime = Runtime::new().expect("threads");
    let storage = is_stored.then(|| runtime.block_on(Storage::open()));
    let exporter = runtime.block_on(Exporter::start(storage));
    let states = (0..count).map(|n| clusters::upgrading(n, now));
    let mut workers: Vec<_> = states
        .map(|state| Worker {
            memory: Arc::new(storage::memory(&state)),
            state,
        })
        .collect();
    let states = workers.iter().map(|worker| worker.state.clone());
    exporter.store.put_all(states);
    if let Some(storage) = &exporter.storage {
        // The first write of a cluster is its whole record.
        for worker in &workers {
            storage.put(&Arc::new(worker.state.clone()), worker.memory.clone());
        }
    }
    runtime.block_on(exporter.until_at_rest());
    let mut rng = fastrand::Rng::with_seed(7);
    let mut places =
        |polls: usize| -> Vec<usize> { (0..polls).map(|_| rng.usize(..count)).collect() };
    // What is measured is the exporter as it runs for weeks, not what the first round leaves to the allocator.
    runtime.block_on(exporter.take(&mut workers, &places(WARM_UP), |_| ()));
    runtime.block_on(exporter.until_at_rest());
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("text");
        let (word, polls) = line.split_once(' ').expect("two words");
        let places = places(polls.parse().expect("a number"));
        let change = match word {
            "scrape" => {
                let time = runtime.block_on(exporter.scrape(&mut workers, &places));
                println!("{}", time.as_nanos());
                continue;
            }
            "moved" => move_node,
            _ => |_: &mut ClusterState| (),
        };
        let before = cpu_time();
        runtime.block_on(exporter.take(&mut workers, &places, change));
        let taken = cpu_time().saturating_sub(before);
        println!("{}", taken.as_nanos() / places.len() as u128);
    }
}

/// Ends the work on the node in work, and begins that on the next.
fn move_node(state: &mut ClusterState) {
    let now = state.last_success;
    let Some(view) = state.upgrades.first_mut() else {
        return;
    };
    let nodes = &mut view.upgrade_mut().nodes;
    let place = nodes.iter().position(|n| n.status == NodeStatus::Upgrading);
    let place = place.unwrap_or_default();
    nodes[place].status = NodeStatus::Succeeded;
    let next = (place + 1) % nodes.len();
    nodes[next].status = NodeStatus::Upgrading;
    let node_work = Arc::make_mut(&mut view.node_work);
    if let Some(work) = &mut node_work[place] {
        work.end = Some(now);
    }
    node_work[next] = Some(Span {
        start: now,
        end: None,
    });
    view.last_progress = now;
}

/// Prints the number of series, and how much the resident memory grew with them.
pub(crate) fn measure_memory(shape: &str, series: usize) {
    let make: fn(usize, Timestamp) -> ClusterState = match shape {
        "idle" => clusters::idle,
        _ => clusters::upgrading,
    };
    let now = Clock::system().now();
    let runtime = Runtime::new().expect("threads");
    let exporter = runtime.block_on(Exporter::start(None));
    let each = rolling_upgrade_exporter::expose::render(&[make(0, now)], now);
    let each = each.lines().filter(|line| !line.starts_with('#')).count();
    runtime.block_on(exporter.until_at_rest());
    let before = resident();
    let count = series.div_ceil(each);
    exporter.store.put_all((0..count).map(|n| make(n, now)));
    runtime.block_on(exporter.until_at_rest());
    println!("{} {}", count * each, resident().saturating_sub(before));
}

/// Returns the resident memory in bytes.
fn resident() -> u64 {
    let status = procfs::process::Process::myself().and_then(|process| process.status());
    let kilobytes = status.expect("the state of this process").vmrss;
    kilobytes.expect("its resident memory") * 1024
}

/// Returns the CPU time of all threads of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(time.tv_sec.unsigned_abs(), nanos)
}

/// Serves an Alertmanager that takes everything, and returns its address.
async fn alertmanager(posts: Arc<AtomicU64>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                continue;
            };
            let posts = posts.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let posts = posts.clone();
                async move {
                    drop(request.into_body().collect().await);
                    posts.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
                }
            });
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move { drop(serving.await) });
        }
    });
    format!("http://{address}")
}

fn alerting(url: &str) -> config::Alerting {
    let text = format!(
        "accounts: [{{name: a, ncloud: {{access_key: x, secret_key: x, ses: {{}}}}}}]\n\
         alerting: {{resend_interval: 15m, alertmanagers: [{{url: '{url}'}}]}}\n"
    );
    let config = config::parse(CLOUDS, &text, Path::new(""), &|_| None).expect("a good config");
    config.alerting.expect("it has the section")
}
