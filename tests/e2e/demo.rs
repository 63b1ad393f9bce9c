//! The demo, as a newcomer starts it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::time::Duration;

use rolling_upgrade_exporter::cloud::products;
use rolling_upgrade_exporter::clouds::CLOUDS;

use crate::harness::{
    PROGRAM, Process, Sample, eventually, free_port, get, refused, samples, select,
};

/// Metrics of upgrades, each with the products that can know it.
const FAMILIES: &[(&str, &[&str])] = &[
    ("rolling_upgrade_status", ALL),
    ("rolling_upgrade_status_since_timestamp_seconds", ALL),
    ("rolling_upgrade_info", ALL),
    ("rolling_upgrade_requested_timestamp_seconds", ALL),
    ("rolling_upgrade_started_timestamp_seconds", ALL),
    ("rolling_upgrade_last_progress_timestamp_seconds", ALL),
    ("rolling_upgrade_duration_seconds", ALL),
    ("rolling_upgrade_progress_ratio", ALL),
    ("rolling_upgrade_nodes", ALL),
    ("rolling_upgrade_node_status", ALL),
    ("rolling_upgrade_node_info", ALL),
    ("rolling_upgrade_node_duration_seconds", ALL),
    ("rolling_upgrade_stalled", ALL),
    ("rolling_upgrade_stalled_after_seconds", ALL),
    ("rolling_upgrade_overdue_after_seconds", ALL),
    ("rolling_upgrade_estimated_end_timestamp_seconds", ALL),
    ("rolling_upgrade_ended_timestamp_seconds", ALL),
    ("rolling_upgrade_available_info", &["cce"]),
    ("rolling_upgrade_cluster_info", ALL),
    ("rolling_upgrade_up", ALL),
    ("rolling_upgrade_last_success_timestamp_seconds", ALL),
    ("rolling_upgrade_poll_interval_seconds", ALL),
    ("rolling_upgrade_node_updated_timestamp_seconds", &["ses"]),
    ("rolling_upgrade_task_order", &["css", "cce"]),
    ("rolling_upgrade_task_status", &["css", "cce"]),
    (
        "rolling_upgrade_task_start_timestamp_seconds",
        &["css", "cce"],
    ),
    (
        "rolling_upgrade_task_end_timestamp_seconds",
        &["css", "cce"],
    ),
    ("rolling_upgrade_executions", &["css"]),
    ("rolling_upgrade_retries", &["css"]),
    ("rolling_upgrade_node_task_order", &["css"]),
];
/// Every product.
const ALL: &[&str] = &[];

/// An upgrade that ends inside the first minute is not needed for these; the test waits for them.
const WITHIN_A_CYCLE: &[&str] = &["rolling_upgrade_ended_timestamp_seconds"];

fn state_of(samples: &[Sample], name: &str) -> Option<String> {
    let labels = [("cluster_name", name)];
    select(samples, "rolling_upgrade_status", &labels)
        .into_iter()
        .find(|s| s.value > 0.5)
        .map(|s| s.label("status").to_owned())
}

/// Clusters whose upgrade fails, or is stalled for a while.
const IN_TROUBLE: [&str; 4] = ["css-billing", "shop-backend", "search-shop", "clicks"];

/// Clusters that begin a second upgrade within four minutes.
const GO_ON: [&str; 7] = [
    "search-logs",
    "search-shop",
    "events",
    "css-orders",
    "css-billing",
    "shop-frontend",
    "batch-jobs",
];

/// Runs both at once, since each takes a minute and a half.
#[tokio::test]
async fn demo_shows_every_outcome_and_keeps_trouble_in_sight() {
    tokio::join!(shows_every_metric_and_outcome(), keeps_trouble_in_sight());
}

async fn shows_every_metric_and_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut demo = Process::start(
        folder.path(),
        PROGRAM,
        &["demo", "--web.listen-address", &format!("127.0.0.1:{port}")],
    );
    let url = format!("http://127.0.0.1:{port}/metrics");
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut states: BTreeSet<(String, String)> = BTreeSet::new();
    let mut stuck: BTreeSet<String> = BTreeSet::new();
    let mut requests: BTreeSet<(String, String)> = BTreeSet::new();
    let begun = tokio::time::Instant::now();
    eventually(Duration::from_secs(30), "the first answer", || get(&url)).await;
    loop {
        let now = samples(&get(&url).await.unwrap());
        for sample in &now {
            seen.insert((sample.name.clone(), sample.label("product").to_owned()));
        }
        for sample in select(&now, "rolling_upgrade_status", &[]) {
            if sample.value > 0.5 {
                states.insert((
                    sample.label("cluster_name").to_owned(),
                    sample.label("status").to_owned(),
                ));
            }
        }
        for sample in select(&now, "rolling_upgrade_stalled", &[]) {
            if sample.value > 0.5 {
                stuck.insert(sample.label("cluster_name").to_owned());
            }
        }
        let requested = "rolling_upgrade_requested_timestamp_seconds";
        for sample in select(&now, requested, &[("product", "ses")]) {
            let name = sample.label("cluster_name").to_owned();
            requests.insert((name, sample.value.to_string()));
        }
        let again = requests.iter().filter(|(name, _)| name == "search-logs");
        let goes_on = again.count() > 1;
        let missing: Vec<_> = FAMILIES
            .iter()
            .flat_map(|(name, of)| {
                let is_of = |product: &&str| of.is_empty() || of.contains(product);
                let all = products(CLOUDS).map(|product| product.info().name);
                all.filter(is_of)
                    .map(|product| (*name, product))
                    .collect::<Vec<_>>()
            })
            .filter(|(name, product)| !seen.contains(&((*name).to_owned(), (*product).to_owned())))
            .collect();
        let elapsed = begun.elapsed();
        let late: Vec<_> = missing
            .iter()
            .filter(|(name, _)| !WITHIN_A_CYCLE.contains(name))
            .collect();
        assert!(
            late.is_empty() || elapsed < Duration::from_secs(60),
            "not within a minute: {late:?}\n{}",
            demo.output()
        );
        let told = [
            ("css-billing", "failed"),
            ("search-logs", "succeeded"),
            ("events", "succeeded"),
            ("css-orders", "succeeded"),
            ("shop-frontend", "succeeded"),
            ("batch-jobs", "succeeded"),
        ]
        .iter()
        .all(|(name, state)| states.contains(&((*name).to_owned(), (*state).to_owned())));
        if missing.is_empty() && told && goes_on && stuck.contains("search-shop") {
            break;
        }
        assert!(
            elapsed < Duration::from_secs(120),
            "not within two minutes: missing {missing:?}, a fresh upgrade {goes_on}, stuck {stuck:?}, states {states:?}, now {:?}\n{}",
            state_of(&now, "search-shop"),
            demo.output()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    stuck.remove("clicks");
    assert_eq!(stuck.len(), 1, "only these get stuck: {stuck:?}");
    let now = samples(&get(&url).await.unwrap());
    assert_quiet(&now, &demo.output());
    let memory = select(&now, "process_resident_memory_bytes", &[])[0].value;
    assert!(memory > 1e6, "{memory} bytes");
    // That counts the program's own code, which is several times as large without optimizations; what
    // it allocates is the same.
    let id = demo.child.id().unwrap();
    let proc = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let (_, allocated) = proc.split_once("RssAnon:").unwrap();
    let allocated: u64 = allocated
        .split_whitespace()
        .next()
        .and_then(|kib| kib.parse().ok())
        .unwrap();
    assert!(allocated < 12 << 10, "{allocated} KiB");
    let output = demo.output();
    let simulator = output
        .split_whitespace()
        .find(|word| word.starts_with("http://127.0.0.1:") && !word.contains(&port.to_string()))
        .unwrap_or_else(|| panic!("the simulator's address is not told:\n{output}"))
        .trim_end_matches(['/', '.', ',']);
    assert_eq!(refused(simulator).await, Vec::<String>::new());
    // A client that says nothing, and one that never reads, must not delay the end.
    let address = format!("127.0.0.1:{port}");
    let _silent = std::net::TcpStream::connect(&address).unwrap();
    let mut deaf = std::net::TcpStream::connect(&address).unwrap();
    deaf.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut some = [0; 16];
    deaf.read_exact(&mut some).unwrap();
    let (code, took) = demo.terminate().await;
    assert_eq!(code, Some(0), "{}", demo.output());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// Speed of the demo that is watched for longer.
const SPEED: f64 = 3.0;

/// Watches the demo until its fourth minute ends.
async fn keeps_trouble_in_sight() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let speed = format!("--speed={SPEED}");
    let mut demo = Process::start(
        folder.path(),
        PROGRAM,
        &["demo", &speed, "--web.listen-address", &address],
    );
    let url = format!("http://{address}/metrics");
    eventually(Duration::from_secs(30), "the first answer", || get(&url)).await;
    let begun = tokio::time::Instant::now();
    // The versions of each cluster's upgrades, in turn.
    let mut upgrades: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut succeeded = BTreeSet::new();
    loop {
        let elapsed = begun.elapsed().as_secs_f64() * SPEED;
        let now = samples(&get(&url).await.unwrap());
        for sample in select(&now, "rolling_upgrade_info", &[("kind", "version")]) {
            let versions = ["from_version", "to_version"].map(|name| sample.label(name).to_owned());
            let [from, to] = versions;
            let of_cluster = upgrades
                .entry(sample.label("cluster_name").to_owned())
                .or_default();
            // CDSS tells the version only at the end.
            if !to.is_empty() && of_cluster.last() != Some(&(from.clone(), to.clone())) {
                of_cluster.push((from, to));
            }
        }
        for sample in select(&now, "rolling_upgrade_status", &[("status", "succeeded")]) {
            if sample.value > 0.5 {
                succeeded.insert(sample.label("cluster_name").to_owned());
            }
        }
        if elapsed > 120.0 {
            let any = |name, labels: &[(&str, &str)]| {
                let found = select(&now, name, labels);
                found.into_iter().any(|sample| sample.value > 0.5)
            };
            let is_in_sight = (
                any("rolling_upgrade_status", &[("status", "failed")]),
                any("rolling_upgrade_stalled", &[]),
            );
            assert_eq!(
                is_in_sight,
                (true, true),
                "failed and stalled at {elapsed} s\n{}",
                demo.output()
            );
        }
        assert_quiet(&now, &demo.output());
        if elapsed > 245.0 {
            let failed = get(&format!("http://{address}/api/v1/upgrades?state=failed")).await;
            let reason = "coredns is too old for the target version";
            assert!(failed.as_ref().unwrap().contains(reason), "{failed:?}");
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    for name in ["css-billing", "search-shop", "clicks"] {
        assert!(succeeded.contains(name), "{name}: {succeeded:?}");
    }
    for (name, upgrades) in &upgrades {
        let different: BTreeSet<_> = upgrades.iter().collect();
        assert_eq!(different.len(), upgrades.len(), "{name}: {upgrades:?}");
    }
    let image = ("7.10.2".to_owned(), "7.10.2_24.4.0_1029".to_owned());
    assert!(upgrades["css-orders"].contains(&image), "{upgrades:?}");
    for name in GO_ON {
        let count = upgrades.get(name).map_or(0, Vec::len);
        assert!(count > 1, "{name}: {upgrades:?}");
    }
    demo.terminate().await;
}

/// Asserts that nothing but the story is told: all words and answers are known and good, and the log warns
/// only of upgrades that failed or are stalled.
fn assert_quiet(now: &[Sample], output: &str) {
    let is_unknown = |sample: &&Sample| {
        let is_status = matches!(
            sample.name.as_str(),
            "rolling_upgrade_status"
                | "rolling_upgrade_node_status"
                | "rolling_upgrade_task_status"
        );
        is_status && sample.label("status") == "unknown"
    };
    let is_trouble = |sample: &&Sample| {
        matches!(
            sample
                .name
                .strip_prefix("rolling_upgrade_exporter_")
                .unwrap_or_default(),
            "poll_failures_total"
                | "failing_since_timestamp_seconds"
                | "degraded_since_timestamp_seconds"
                | "unknown_statuses_total"
                | "truncated_total"
        )
    };
    let odd: Vec<_> = now
        .iter()
        .filter(|sample| is_unknown(sample) || is_trouble(sample))
        .filter(|sample| sample.value.abs() > 0.0)
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
    let is_in_story = |line: &&str| {
        let is_of = |name: &&str| line.contains(&format!("name={name} "));
        (line.contains("stalled") || line.contains("failed")) && IN_TROUBLE.iter().any(is_of)
    };
    let warnings: Vec<_> = output
        .lines()
        .filter(|line| line.contains(" WARN ") || line.contains(" ERROR "))
        .filter(|line| !is_in_story(line))
        .collect();
    assert!(warnings.is_empty(), "{warnings:?}");
}
