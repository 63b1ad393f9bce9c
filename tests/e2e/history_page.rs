//! An upgrade that ends stands in the history: on its page and in the document of the API.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Pair, eventually, get};

const CONFIG: &str = "polling: {active_interval: 1s, idle_interval: 1s, timeout: 5s, rate_limit: 100}
accounts: [{name: kr, ncloud: {access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, ses: {endpoint: ENDPOINT}}}]
";

/// One that runs for longer than the test, and one that takes some seconds.
const SCENARIO: &str = r#"
clusters:
  - {product: ses, id: "3427188", name: logs, versions: ["270", "290"], starts_after: 4s,
     nodes: [{name: d-1, role: D}, {name: d-2, role: D}], steps: [{name: Upgrade, takes: 2s}]}
  - {product: ses, id: "3427199", name: shop, versions: ["270", "290"], starts_after: 0s,
     nodes: [{name: d-1, role: D}], steps: [{name: Upgrade, takes: 1h}]}
"#;

#[tokio::test]
async fn an_upgrade_that_ends_is_on_the_page_and_in_the_document() {
    let pair = Pair::start(SCENARIO, CONFIG).await;
    let url = |path: &str| format!("{}{path}", pair.url);
    let page = get(&url("/history")).await.unwrap();
    assert!(
        page.contains("No upgrade has ended since the exporter started."),
        "{page}"
    );
    let read = async |query: &str| -> Value {
        let text = get(&url(&format!("/api/v1/history{query}"))).await.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let report = eventually(Duration::from_secs(60), "the end of an upgrade", || async {
        let report = read("").await;
        match report["upgrades"].as_array().unwrap().len() {
            0 => Err(report.to_string()),
            _ => Ok(report),
        }
    })
    .await;
    assert_eq!(
        report["upgrades"].as_array().unwrap().len(),
        1,
        "{report:#}"
    );
    let upgrade = &report["upgrades"][0];
    for (field, value) in [
        ("account", "kr"),
        ("product", "ses"),
        ("cluster_id", "3427188"),
        ("cluster_name", "logs"),
        ("outcome", "succeeded"),
        ("from_version", "270"),
        ("to_version", "290"),
    ] {
        assert_eq!(upgrade[field], value, "{field}: {upgrade:#}");
    }
    assert!(
        upgrade["duration_seconds"].as_f64().unwrap() >= 2.0,
        "{upgrade:#}"
    );
    let nodes = upgrade["nodes"].as_array().unwrap();
    let node = |node: &Value| {
        assert_eq!(node["status"], "succeeded", "{node}");
        node["node"].as_str().unwrap().to_owned()
    };
    assert_eq!(nodes.iter().map(node).collect::<Vec<_>>(), ["d-1", "d-2"]);
    let timed = nodes
        .iter()
        .filter(|node| node["duration_seconds"].is_f64());
    assert!(timed.count() > 0, "{upgrade:#}");
    let other = read("?cluster=shop&outcome=succeeded").await;
    assert_eq!(other["upgrades"], Value::Array(Vec::new()));

    let page = get(&url("/history?cluster=logs")).await.unwrap();
    for text in [
        "<bdi>logs</bdi>",
        "succeeded",
        "2 of 2 done",
        "<bdi>d-2</bdi>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let start = get(&url("/")).await.unwrap();
    let link = "./history?account=kr&amp;product=ses&amp;cluster=3427188";
    assert!(start.contains(link), "{start}");
}
