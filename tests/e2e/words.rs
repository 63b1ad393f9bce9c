//! Words that vendors have for people, from the simulator to `/api/v1/upgrades` and `status`.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{PROGRAM, Pair, eventually, get};

const ORDERS: &str = "ea244205-d641-45d9-9dcb-ab2236bcd07e";
const AUDIT: &str = "5f0a6a0e-7a55-4a41-9e0b-0a8f5f2d9b21";

const SCENARIO: &str = r#"
clusters:
  - {product: css, id: ea244205-d641-45d9-9dcb-ab2236bcd07e, name: orders, versions: [7.10.2_22.5.1_1230, 7.10.2_24.3.0_0827], starts_after: 0s,
     nodes: [{name: ess-1, role: ess}, {name: ess-2, role: ess}],
     steps: [{name: Data migration, takes: 10ms}, {name: Task status update, takes: 10ms}], fails: {node: 2, step: 2}}
  - {product: css, id: 5f0a6a0e-7a55-4a41-9e0b-0a8f5f2d9b21, name: audit, kind: az_migration, versions: [7.10.2, 7.10.2], starts_after: 0s,
     nodes: [{name: ess-1, role: ess}, {name: ess-2, role: ess}], steps: [{name: Data migration, takes: 1h}]}
  - {product: ses, id: "3427188", name: search, versions: ["290", "2140"], starts_after: 0s,
     nodes: [{name: d-1, role: D}, {name: m-1, role: M}], steps: [{name: Upgrade_OpenSearch, takes: 1h}]}
"#;

const CONFIG: &str = "polling: {active_interval: 1s, idle_interval: 1s, timeout: 5s, rate_limit: 100}
accounts:
  - {name: kr, ncloud: {access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, ses: {endpoint: ENDPOINT}}}
  - {name: cn, huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, access_key: SIMHUAWEIACCESSKEY00, secret_key: sim-huawei-secret-key, css: {endpoint: ENDPOINT}}}
";

async fn clusters(url: &str) -> Vec<Value> {
    let report = get(&format!("{url}/api/v1/upgrades")).await.unwrap();
    clusters_in(&report)
}

fn clusters_in(report: &str) -> Vec<Value> {
    let mut report: Value = serde_json::from_str(report).unwrap();
    let Value::Array(clusters) = report["clusters"].take() else {
        panic!("no clusters");
    };
    clusters
}

fn cluster<'a>(clusters: &'a [Value], id: &str) -> &'a Value {
    let mut all = clusters.iter();
    all.find(|cluster| cluster["cluster_id"] == id).unwrap()
}

/// Checks everything that the vendors tell for people.
fn check(clusters: &[Value]) {
    let audit = cluster(clusters, AUDIT);
    assert_eq!(audit["raw_status"], "200");
    assert_eq!(audit["status_meaning"], "available");
    let zone_move = &audit["upgrades"][0]["zone_move"];
    let want = json!({
        "instance_type": "ess",
        "from": ["cn-north-4a"],
        "to": ["cn-north-4c"],
        "plan": [{"zone": "cn-north-4c", "nodes": ["ess-1", "ess-2"]}],
    });
    assert_eq!(*zone_move, want);
    let orders = cluster(clusters, ORDERS);
    assert_eq!(orders["version"], "7.10.2");
    let upgrade = &orders["upgrades"][0];
    assert_eq!(upgrade["status"], "failed");
    assert_eq!(upgrade["agency"], "css_test_agency");
    assert_eq!(upgrade["zone_move"], Value::Null);
    let described = &upgrade["tasks"][0]["description"];
    assert_eq!(
        described,
        "Data is migrated from a node to other nodes in the cluster by running the exclude command."
    );
    let reason = upgrade["reason"].as_str().unwrap();
    let begin = "Task status update: The cluster task status is refreshed.";
    assert!(reason.starts_with(begin), "{reason}");
    let search = cluster(clusters, "3427188");
    assert_eq!(search["version_name"], "OpenSearch 2.9.0");
    assert_eq!(search["status_meaning"], Value::Null);
    let upgrade = &search["upgrades"][0];
    let told = [
        "from_version",
        "from_version_name",
        "to_version",
        "to_version_name",
    ];
    let told = told.map(|field| upgrade[field].as_str().unwrap());
    assert_eq!(
        told,
        ["290", "OpenSearch 2.9.0", "2140", "OpenSearch 2.14.0"]
    );
}

#[tokio::test]
async fn what_vendors_tell_for_people_is_in_the_api_and_status() {
    let pair = Pair::start(SCENARIO, CONFIG).await;
    eventually(Duration::from_secs(30), "the failure", || async {
        let clusters = clusters(&pair.url).await;
        let status = &cluster(&clusters, ORDERS)["upgrades"][0]["status"];
        if status == "failed" {
            Ok(())
        } else {
            Err(status.to_string())
        }
    })
    .await;
    check(&clusters(&pair.url).await);
    let mut polled = Command::new(PROGRAM);
    let args = ["status", "--output", "json", "--config.file"];
    let polled = polled.args(args).arg(&pair.config).output().await.unwrap();
    assert_eq!(polled.status.code(), Some(3), "{polled:?}");
    check(&clusters_in(&String::from_utf8(polled.stdout).unwrap()));
    assert_eq!(pair.refused().await, [""; 0]);
    // Metrics keep the codes.
    let metrics = get(&format!("{}/metrics", pair.url)).await.unwrap();
    assert!(metrics.contains(r#"from_version="290",to_version="2140""#));
    assert!(!metrics.contains("OpenSearch 2.14.0"));
}

#[tokio::test]
async fn without_the_version_list_only_the_codes_are_shown() {
    let fault = "faults: [{path: getSearchEngineVersionList, answer: server_error}]\n";
    let pair = Pair::start(&format!("{SCENARIO}{fault}"), CONFIG).await;
    let clusters = clusters(&pair.url).await;
    let search = cluster(&clusters, "3427188");
    assert_eq!(search["version_name"], Value::Null);
    let upgrade = &search["upgrades"][0];
    assert_eq!(upgrade["to_version"], "2140");
    assert_eq!(upgrade["from_version_name"], Value::Null);
    assert_eq!(upgrade["to_version_name"], Value::Null);
}
