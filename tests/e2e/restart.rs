//! Restarts of the exporter in the middle of an upgrade: what the vendor tells again stays, and what was
//! only seen is lost, unless it is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{PROGRAM, Pair, Process, Sample, eventually, get, samples, select};

const CSS: &str = "polling: {active_interval: 1s, idle_interval: 1s, timeout: 5s, rate_limit: 100}
accounts: [{name: cn, huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, access_key: SIMHUAWEIACCESSKEY00, secret_key: sim-huawei-secret-key, css: {endpoint: ENDPOINT}}}]
";

const CDSS: &str = "polling: {active_interval: 1s, idle_interval: 1s, timeout: 5s, rate_limit: 100}
upgrades: {stalled_after: 3s}
accounts: [{name: kr, ncloud: {access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, cdss: {endpoint: ENDPOINT}}}]
";

/// A broker that hangs in the middle of an upgrade.
const HANGING: &str = "clusters:\n  - {product: cdss, id: \"3432149\", name: events, versions: [2.8.2, 3.7.1], \
     starts_after: 0s, nodes: [{name: b-1, role: broker}, {name: b-2, role: broker}, {name: b-3, role: broker}], \
     steps: [{name: Upgrade, takes: 3s}], hangs: {node: 2, step: 1, lasts: 1h}}\n";

const STORED: &[&str] = &["--storage.path=state"];

/// Ends the exporter and starts it anew in its place; returns once it is ready.
async fn restart(pair: &mut Pair) {
    pair.exporter.terminate().await;
    start(pair, &[]);
    until_ready(pair).await;
}

/// Starts the exporter in the place of the one that ended.
pub(crate) fn start(pair: &mut Pair, flags: &[&str]) {
    let address = pair.url.trim_start_matches("http://").to_owned();
    let config = pair.config.to_str().unwrap().to_owned();
    let args = ["--config.file", &config, "--web.listen-address", &address];
    let args = [&args, flags].concat();
    pair.exporter = Process::start(pair.folder.path(), PROGRAM, &args);
}

async fn until_ready(pair: &Pair) {
    eventually(Duration::from_secs(30), "readiness", || {
        let url = format!("{}/-/ready", pair.url);
        async move { get(&url).await }
    })
    .await;
}

/// Returns status, version before and version after of the only upgrade.
async fn versions(pair: &Pair) -> [Value; 3] {
    let report = get(&format!("{}/api/v1/upgrades", pair.url)).await.unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let upgrade = &report["clusters"][0]["upgrades"][0];
    ["status", "from_version", "to_version"].map(|field| upgrade[field].clone())
}

/// Returns the only value of a metric with these labels.
fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let found = select(samples, name, labels);
    assert!(found.len() < 2, "{found:?}");
    found.first().map(|sample| sample.value)
}

/// Returns whether this broker is in this state.
pub(crate) fn is_node(samples: &[Sample], node: &str, status: &str) -> bool {
    let labels = [("node", node), ("status", status)];
    value(samples, "rolling_upgrade_node_status", &labels) == Some(1.0)
}

#[tokio::test]
async fn an_image_upgrade_leads_to_the_image_after_a_restart() {
    let scenario = "clusters:\n  - {product: css, id: ea244205-d641-45d9-9dcb-ab2236bcd07e, name: orders, \
         versions: [7.10.2_22.5.1_1230, 7.10.2_24.3.0_0827], starts_after: 0s, \
         nodes: [{name: ess-1, role: ess}], steps: [{name: Data migration, takes: 10s}]}\n";
    let mut pair = Pair::start(scenario, CSS).await;
    let running = ["running", "7.10.2", "7.10.2_24.3.0_0827"].map(Value::from);
    assert_eq!(versions(&pair).await, running);
    restart(&mut pair).await;
    assert_eq!(versions(&pair).await, running, "seen in the middle");
    let mut ended = running.clone();
    ended[0] = "succeeded".into();
    eventually(Duration::from_secs(40), "the end", || async {
        let now = versions(&pair).await;
        assert!(now == running || now == ended, "{now:?}");
        if now == ended {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    })
    .await;
}

/// docs/metrics.md says what a restart takes of CDSS, which tells colours only.
#[tokio::test]
async fn what_was_only_seen_of_cdss_is_lost_with_the_process() {
    let mut pair = Pair::start(HANGING, CDSS).await;
    let before = pair.until("a stall", is_stalled).await;
    let one = |samples: &[Sample], name: &str| value(samples, name, &[]).unwrap();
    let ratio = one(&before, "rolling_upgrade_progress_ratio");
    assert!((ratio - 1.0 / 3.0).abs() < 0.01, "{ratio}");
    let requested = one(&before, "rolling_upgrade_requested_timestamp_seconds");
    restart(&mut pair).await;
    let after = pair.samples().await;
    for name in ["rolling_upgrade_stalled", "rolling_upgrade_progress_ratio"] {
        assert_eq!(value(&after, name, &[]), Some(0.0), "{name}");
    }
    assert!(one(&after, "rolling_upgrade_requested_timestamp_seconds") > requested);
    for (node, status) in [("b-1", "unknown"), ("b-2", "upgrading"), ("b-3", "unknown")] {
        assert!(is_node(&after, node, status), "{node} is not {status}");
    }
    let stalled = |now: &[Sample]| value(now, "rolling_upgrade_stalled", &[]) == Some(1.0);
    pair.until("the stall anew", stalled).await;
}

/// Returns whether the second broker hangs, and the first is done.
fn is_stalled(now: &[Sample]) -> bool {
    value(now, "rolling_upgrade_stalled", &[]) == Some(1.0) && is_node(now, "b-1", "succeeded")
}

/// Returns the samples that a restart must not change: all of the upgrade but what time alone changes.
pub(crate) fn lasting(samples: &[Sample]) -> BTreeMap<String, f64> {
    let moves = ["duration_seconds", "estimated_end_timestamp_seconds"];
    let of_upgrade = |s: &&Sample| {
        s.labels.contains_key("kind") && !moves.iter().any(|name| s.name.ends_with(name))
    };
    let lasting = samples.iter().filter(of_upgrade);
    lasting
        .map(|s| (format!("{} {:?}", s.name, s.labels), s.value))
        .collect()
}

#[tokio::test]
async fn a_kill_changes_nothing_that_was_stored() {
    let mut pair = Pair::start_with(HANGING, CDSS, STORED).await;
    pair.until("a stall", is_stalled).await;
    // A change is committed within a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = lasting(&pair.samples().await);
    assert!(before.len() > 20, "{before:?}");
    for round in 0..3 {
        pair.exporter.signal("KILL").await;
        pair.exporter.child.wait().await.unwrap();
        start(&mut pair, STORED);
        let url = format!("{}/metrics", pair.url);
        let first = eventually(Duration::from_secs(30), "an answer", || get(&url)).await;
        let first = samples(&first);
        assert_eq!(lasting(&first), before, "round {round}: the first scrape");
        let up = value(&first, "rolling_upgrade_exporter_storage_up", &[]);
        assert_eq!(up, Some(1.0), "round {round}");
        until_ready(&pair).await;
        assert_eq!(
            lasting(&pair.samples().await),
            before,
            "round {round}: after a poll"
        );
    }
    let log = pair.exporter.output();
    assert!(
        !log.contains("ERROR") && !log.contains("kept in memory"),
        "{log}"
    );
}

/// A key that the vendor refuses, so that the clusters cannot be listed.
#[tokio::test]
async fn a_kill_keeps_since_when_clusters_cannot_be_listed() {
    let refused = CDSS.replace("sim-ncloud-secret-key", "not-the-secret-key");
    let mut pair = Pair::start_with(HANGING, &refused, STORED).await;
    let since = |samples: &[Sample]| {
        let name = "rolling_upgrade_exporter_failing_since_timestamp_seconds";
        value(samples, name, &[("product", "cdss"), ("reason", "auth")])
    };
    let before = pair.until("a failure", |now| since(now).is_some()).await;
    let before = since(&before);
    // A change is committed within a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    pair.exporter.signal("KILL").await;
    pair.exporter.child.wait().await.unwrap();
    start(&mut pair, STORED);
    let url = format!("{}/metrics", pair.url);
    let first = eventually(Duration::from_secs(30), "an answer", || get(&url)).await;
    assert_eq!(since(&samples(&first)), before, "the first scrape");
    until_ready(&pair).await;
    assert_eq!(since(&pair.samples().await), before, "after a discovery");
}
