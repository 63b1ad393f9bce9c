//! What a scrape of 2,000 clusters costs: joined pieces, against rendering and compressing the same
//! samples each time with the usual libraries; and what deciding their alerts costs. Prints medians
//! and ratios; `cargo bench --bench scrape`.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use rolling_upgrade_exporter::alert::{self, AlertInput, rules};
use rolling_upgrade_exporter::clock::{Clock, Times};
use rolling_upgrade_exporter::expose::{Exposition, render};
use rolling_upgrade_exporter::model::{
    ClusterState, Key, Kind, Node, NodeStatus, Span, Thresholds, Upgrade, UpgradeStatus,
    UpgradeView,
};
use rolling_upgrade_exporter::store::{self, ExporterHealth, Snapshot, Store};
use rolling_upgrade_exporter::{poll, telemetry};
use tokio::time::Instant;

const CLUSTERS: usize = 2000;
const ROUNDS: usize = 31;

fn main() {
    let now = Clock::system().now();
    let states: Vec<_> = (0..CLUSTERS).map(|n| cluster(n, now)).collect();
    let text = render(&states, now);
    println!(
        "{CLUSTERS} clusters, {} lines, {:.1} MB\n",
        text.lines().count(),
        megabytes(text.len())
    );

    let snapshot: Snapshot = states.into_iter().map(Arc::new).collect();
    let exposition = exposition(&snapshot);
    exposition.publish(&snapshot);
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Samples::read(&text)));
    let rendered = |registry: &Registry| {
        let mut out = String::with_capacity(text.len() * 2);
        prometheus_client::encoding::text::encode(&mut out, registry)
            .expect("writing to a String cannot fail");
        out
    };

    let joined = measure(|| {
        exposition
            .scrape(None, None)
            .body
            .iter()
            .map(Bytes::len)
            .sum()
    });
    let joined_gzip = measure(|| {
        exposition
            .scrape(None, Some("gzip"))
            .body
            .iter()
            .map(Bytes::len)
            .sum()
    });
    let library = measure(|| rendered(&registry).len());
    let library_gzip = measure(|| compress(rendered(&registry).as_bytes()).len());
    let mut changing = snapshot.clone();
    let middle = changing.values().nth(CLUSTERS / 2);
    let mut state = ClusterState::clone(middle.expect("it is there"));
    let one_change = measure(|| {
        state.last_success += Duration::from_secs(30);
        changing.insert(Arc::new(state.clone()));
        exposition.publish(&changing);
        0
    });
    let after_poll = measure(|| {
        state.last_success += Duration::from_secs(30);
        changing.insert(Arc::new(state.clone()));
        exposition.publish(&changing);
        let body = exposition.scrape(None, Some("gzip")).body;
        body.iter().map(Bytes::len).sum()
    });
    let first = measure(|| {
        Exposition::new(Arc::default(), Clock::system()).publish(&snapshot);
        0
    });

    let health = ExporterHealth::default();
    let input = AlertInput::new(Times::at(now), snapshot.values(), health);
    let conditions = || rules().filter_map(|rule| rule.holds);
    let alerts = measure(|| {
        black_box(conditions().map(|holds| holds(&input).len()).sum::<usize>());
        0
    });

    println!("                               median       body");
    line("scrape, joined, plain", &joined);
    line("scrape, library, plain", &library);
    line("scrape, joined, gzip", &joined_gzip);
    line("scrape, library, gzip", &library_gzip);
    line("publish, one cluster polled", &one_change);
    line("publish, one polled, and gzip", &after_poll);
    line("publish, all clusters new", &first);
    line("decide every alert", &alerts);
    println!();
    ratio("plain: library / joined", &library, &joined);
    ratio("gzip:  library / joined", &library_gzip, &joined_gzip);
}

/// Builds an exposition with the exporter's own families, as the program does.
fn exposition(snapshot: &Snapshot) -> Exposition {
    let store = Arc::new(Store::new());
    store.put_all(snapshot.values().map(|state| ClusterState::clone(state)));
    store.put_config_load(Some(Clock::system().now()));
    let mut metrics = telemetry::Metrics::new();
    store::register(&store, metrics.own());
    poll::Metrics::new(metrics.own());
    alert::Metrics::new(metrics.own());
    Exposition::new(Arc::new(metrics), Clock::system())
}

/// Median time, and the size of what came out.
type Measured = (Duration, usize);

fn measure(mut run: impl FnMut() -> usize) -> Measured {
    let mut size = black_box(run());
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            size = black_box(run());
            start.elapsed()
        })
        .collect();
    times.sort();
    (times[ROUNDS / 2], size)
}

fn line(name: &str, (time, size): &Measured) {
    let millis = time.as_secs_f64() * 1000.0;
    match size {
        0 => println!("{name:<28} {millis:>7.2} ms"),
        _ => println!("{name:<28} {millis:>7.2} ms {:>7.2} MB", megabytes(*size)),
    }
}

fn ratio(name: &str, slow: &Measured, fast: &Measured) {
    let times = slow.0.as_secs_f64() / fast.0.as_secs_f64();
    println!("{name:<28} {times:>7.1} x");
}

#[expect(clippy::cast_precision_loss, reason = "for show")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

fn compress(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(text)
        .and_then(|()| encoder.finish())
        .expect("writing to a Vec cannot fail")
}

/// An upgrade of ten nodes: one done, one in work, the others waiting.
fn cluster(number: usize, now: Timestamp) -> ClusterState {
    let ago = |minutes: u64| now - Duration::from_secs(minutes * 60);
    let mut upgrade = Upgrade::new(Kind::Version, UpgradeStatus::Running);
    upgrade.requested = Some(ago(60));
    upgrade.from_version = Some("7.6.2".to_owned());
    upgrade.to_version = Some("7.10.2".to_owned());
    let mut node_work = Vec::new();
    for place in 0..10 {
        let (status, work) = match place {
            0 => (NodeStatus::Succeeded, Some((60, Some(ago(30))))),
            1 => (NodeStatus::Upgrading, Some((30, None))),
            _ => (NodeStatus::Waiting, None),
        };
        let name = format!("search-{number}-{place}");
        let mut node = Node::new(&name, "data", status, "running");
        node.updated = Some(ago(30));
        upgrade.nodes.push(node);
        node_work.push(work.map(|(start, end)| Span {
            start: ago(start),
            end,
        }));
    }
    ClusterState {
        key: Key {
            account: format!("account-{}", number % 10).into(),
            product: "ses",
            id: format!("{}", 1_000_000 + number * 7919).into(),
        },
        cloud: "ncloud",
        cloud_region: "KR".into(),
        name: format!("search-{number}").into(),
        version: "7.6.2".into(),
        version_name: None,
        raw_status: "running".into(),
        status_meaning: None,
        available: Vec::new(),
        up: true,
        answered: true,
        last_success: now,
        last_error: None,
        poll_interval: Duration::from_secs(30),
        thresholds: Thresholds {
            stalled_after: Duration::from_secs(30 * 60),
            overdue_after: Duration::from_secs(6 * 3600),
            retain_ended: Duration::from_secs(7 * 86400),
        },
        degraded: Vec::new(),
        upgrades: vec![UpgradeView {
            upgrade: upgrade.into(),
            status_since: ago(60),
            started: None,
            ended: None,
            last_progress: ago(30),
            stalled: false,
            ratio: Some(0.1),
            estimated_end: Some(now + Duration::from_secs(3600)),
            task_order: None,
            node_work: node_work.into(),
        }],
    }
}

/// The samples of a text, for the library to write.
#[derive(Debug)]
struct Samples(Vec<(String, Vec<Sample>)>);

type Sample = (Vec<(String, String)>, f64);

impl Samples {
    /// Reads a text without escapes.
    fn read(text: &str) -> Self {
        let mut families: Vec<(String, Vec<Sample>)> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, rest) = line.split_once('{').expect("all lines have labels");
            let (labels, value) = rest.split_once("\"} ").expect("all lines have a value");
            let labels = labels
                .split("\",")
                .filter_map(|label| label.split_once("=\""))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let sample = (labels, value.parse().expect("a number"));
            match families.last_mut() {
                Some((last, samples)) if last == name => samples.push(sample),
                _ => families.push((name.to_owned(), vec![sample])),
            }
        }
        Self(families)
    }
}

impl Collector for Samples {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (name, samples) in &self.0 {
            let gauge = ConstGauge::new(0.0);
            let mut family = encoder.encode_descriptor(name, "Help.", None, gauge.metric_type())?;
            for (labels, value) in samples {
                ConstGauge::new(*value).encode(family.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}
