//! A secondary call that fails, in every place where people and scripts look.

use std::time::Duration;

use serde_json::Value;

use super::status;
use crate::harness::{Pair, eventually, get, select};

/// Nodes cannot be listed, for lack of a permission.
const SCENARIO: &str = r"
clusters:
  - {product: cce, id: b4b9e60f-8aa2-11ee-af09-0255ac10004f, name: shop, versions: [v1.25, v1.27], starts_after: 0s,
     nodes: [{name: node-1, role: node}, {name: node-2, role: node}], steps: [{name: Upgrade, takes: 1h}]}
faults:
  - {path: /nodes$, answer: denied}
";

const CONFIG: &str = r#"
polling: {active_interval: 200ms, idle_interval: 1s, timeout: 2s, rate_limit: 100}
accounts:
  - name: cn
    huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, access_key: SIMHUAWEIACCESSKEY00,
      secret_key: sim-huawei-secret-key, cce: {endpoint: "ENDPOINT"}}
"#;

const GAUGE: &str = "rolling_upgrade_exporter_degraded_since_timestamp_seconds";

#[tokio::test]
async fn every_output_tells_what_a_failing_call_leaves_out() {
    let pair = Pair::start(SCENARIO, CONFIG).await;
    let running = [("status", "running")];
    let samples = pair
        .until("a running upgrade, degraded", |now| {
            let all = select(now, "rolling_upgrade_status", &running);
            let is_running = all.iter().any(|sample| sample.value > 0.5);
            is_running && !select(now, GAUGE, &[]).is_empty()
        })
        .await;
    let gauge = select(&samples, GAUGE, &[]);
    assert_eq!(gauge.len(), 1, "{gauge:?}");
    let labels = ["account", "product", "endpoint", "reason"].map(|name| gauge[0].label(name));
    assert_eq!(labels, ["cn", "cce", "ListNodes", "permission"]);
    assert!(select(&samples, "rolling_upgrade_up", &[])[0].value > 0.5);

    let api = get(&format!("{}/api/v1/upgrades", pair.url)).await.unwrap();
    let api: Value = serde_json::from_str(&api).unwrap();
    let cluster = &api["clusters"][0];
    assert_eq!(cluster["last_error"], Value::Null);
    let degraded = &cluster["degraded"][0];
    assert_eq!(cluster["degraded"].as_array().map(Vec::len), Some(1));
    for (field, want) in [
        ("endpoint", "ListNodes"),
        ("reason", "permission"),
        ("missing", "states of nodes"),
        ("permission", "cce:node:list"),
    ] {
        assert_eq!(degraded[field], want, "{degraded}");
    }
    let since: jiff::Timestamp = degraded["since"].as_str().unwrap().parse().unwrap();
    let told = rolling_upgrade_exporter::telemetry::seconds(since);
    assert!((gauge[0].value - told).abs() < 0.002, "{told} {gauge:?}");

    let page = get(&pair.url).await.unwrap();
    let line = "missing: states of nodes. ListNodes needs cce:node:list.";
    assert!(page.contains(line), "{page}");
    let found = get(&format!("{}/?q=degraded+listnodes", pair.url)).await;
    assert!(found.unwrap().contains(line), "the text filter finds it");

    // An exporter that runs, and a poll of its own.
    let config = format!("--config.file={}", pair.config.display());
    for flags in [["--url", &pair.url], [&config, "--product=cce"]] {
        let told = status(pair.folder.path(), &flags).await;
        assert_eq!(told.code, Some(0), "{told:?}");
        let line = "degraded    for ";
        let line = told.out.lines().find_map(|l| l.trim().strip_prefix(line));
        let line = line.unwrap_or_else(|| panic!("{told:?}"));
        let want = ", missing: states of nodes (needs cce:node:list); permission: ListNodes: ";
        assert!(line.contains(want), "{line}");
        let summary = status(pair.folder.path(), &[flags[0], flags[1], "--summary"]).await;
        assert!(
            summary.out.contains("cn cce shop  Degraded for "),
            "{summary:?}"
        );
    }
}

#[tokio::test]
async fn a_good_answer_ends_degraded() {
    let passing = SCENARIO.replace("answer: denied", "lasts: 2s, answer: denied");
    let pair = Pair::start(&passing, CONFIG).await;
    eventually(Duration::from_secs(30), "the end of the fault", || async {
        let now = pair.samples().await;
        let nodes = select(&now, "rolling_upgrade_node_status", &[]);
        match (nodes.is_empty(), select(&now, GAUGE, &[]).is_empty()) {
            (false, true) => Ok(()),
            other => Err(format!("{other:?}\n{}", pair.exporter.output())),
        }
    })
    .await;
    let api = get(&format!("{}/api/v1/upgrades", pair.url)).await.unwrap();
    assert!(api.contains(r#""degraded":[]"#), "{api}");
    assert!(!get(&pair.url).await.unwrap().contains("Degraded"));
}
