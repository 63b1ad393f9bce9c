//! The demo, as a newcomer starts it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::time::Duration;

use crate::harness::{
    PROGRAM, Process, Sample, eventually, free_port, get, refused, samples, select,
};

/// The upgrade metrics of the contract, each with the products that can know it.
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
const ALL: &[&str] = &["ses", "cdss", "css", "cce"];

/// An upgrade that ends inside the first minute is not needed for these; the test waits for them.
const WITHIN_A_CYCLE: &[&str] = &["rolling_upgrade_ended_timestamp_seconds"];

fn state_of(samples: &[Sample], name: &str) -> Option<String> {
    let labels = [("cluster_name", name)];
    select(samples, "rolling_upgrade_status", &labels)
        .into_iter()
        .find(|s| s.value > 0.5)
        .map(|s| s.label("status").to_owned())
}

#[tokio::test]
async fn demo_shows_every_metric_and_every_outcome() {
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
            .flat_map(|(name, products)| products.iter().map(move |p| (*name, *p)))
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
            ("search-shop", "succeeded"),
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
    assert_eq!(stuck.len(), 1, "only one upgrade gets stuck: {stuck:?}");
    let now = samples(&get(&url).await.unwrap());
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
