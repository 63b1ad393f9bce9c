//! What CCE tells of prechecks and of versions, from the simulator to the API and the metrics.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::{Pair, eventually, get, select};

/// An idle cluster, one whose precheck fails without a failed node, and one whose precheck passed.
const SCENARIO: &str = "
clusters:
  - product: cce
    id: b4b9e60f-8aa2-11ee-af09-0255ac100001
    name: idle
    versions: [v1.28.3-r0, v1.28.3-r4, v1.29.1-r0]
    nodes: [{name: n-1, role: node}]
  - product: cce
    id: b4b9e60f-8aa2-11ee-af09-0255ac100002
    name: refused
    versions: [v1.28.3-r0, v1.29.1-r0]
    starts_after: 0s
    before: [{name: PreCheck, takes: 10ms}]
    nodes: [{name: n-1, role: node}]
    steps: [{name: Upgrade, takes: 1h}]
    fails: {before: 1}
    findings:
      - {scope: cluster, item: DeprecatedApi, level: Info, message: an old API is used}
      - {scope: addon, target: coredns, item: AddonVersion, level: Fatal, message: coredns is too old, codes: [CCE.01400017]}
  - product: cce
    id: b4b9e60f-8aa2-11ee-af09-0255ac100003
    name: passed
    versions: [v1.28.3-r0, v1.29.1-r0]
    starts_after: 0s
    before: [{name: PreCheck, takes: 10ms}, {name: Snapshot, takes: 1h}]
    nodes: [{name: n-1, role: node}]
    steps: [{name: Upgrade, takes: 1h}]
";

const CONFIG: &str = "
polling: {active_interval: 1s, idle_interval: 1s, rate_limit: 100}
accounts:
  - name: cn
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: SIMHUAWEIACCESSKEY00
      secret_key: sim-huawei-secret-key
      cce: {endpoint: ENDPOINT}
";

/// Returns the cluster of this name in the API.
async fn cluster(pair: &Pair, name: &str) -> Result<Value, String> {
    let shown = get(&format!("{}/api/v1/upgrades", pair.url)).await?;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let clusters = shown["clusters"].as_array().unwrap();
    let found = clusters.iter().find(|c| c["cluster_name"] == name);
    found
        .cloned()
        .ok_or_else(|| format!("no {name} in {shown}"))
}

#[tokio::test]
async fn prechecks_and_offered_versions_are_shown() {
    let pair = Pair::start(SCENARIO, CONFIG).await;
    let patience = Duration::from_secs(30);
    let refused = eventually(patience, "the precheck's failure", || async {
        let refused = cluster(&pair, "refused").await?;
        match &refused["upgrades"][0]["status"] {
            status if status == "failed" => Ok(refused),
            status => Err(status.to_string()),
        }
    })
    .await;
    let upgrade = &refused["upgrades"][0];
    assert_eq!(
        upgrade["precheck"],
        json!({
            "valid_until": null,
            "findings": [
                {
                    "scope": "addon", "target": "coredns", "item": "AddonVersion",
                    "message": "coredns is too old", "codes": ["CCE.01400017"],
                },
                {
                    "scope": "cluster", "target": "", "item": "DeprecatedApi",
                    "message": "an old API is used", "codes": [],
                },
            ],
            "findings_left_out": 0,
        })
    );
    assert_eq!(upgrade["can_be_cancelled"], true);
    assert_eq!(
        upgrade["reason"],
        "AddonVersion (addon coredns): coredns is too old [CCE.01400017]"
    );
    assert_eq!(upgrade["nodes"][0]["status"], "waiting", "no node failed");

    let passed = eventually(patience, "the precheck's end", || async {
        let passed = cluster(&pair, "passed").await?;
        let until = &passed["upgrades"][0]["precheck"]["valid_until"];
        let until = until.as_str().ok_or_else(|| passed.to_string())?;
        Ok((until.parse::<Timestamp>().unwrap(), passed.clone()))
    })
    .await;
    let upgrade = &passed.1["upgrades"][0];
    let ended = upgrade["tasks"][0]["end"].as_str().unwrap();
    let good_for = passed.0.duration_since(ended.parse().unwrap());
    assert_eq!(good_for.as_hours(), 24);
    assert_eq!(upgrade["precheck"]["findings"], json!([]));
    assert_eq!(upgrade["can_be_cancelled"], false, "a point is in work");

    let idle = cluster(&pair, "idle").await.unwrap();
    assert_eq!(
        idle["available_versions"],
        json!([
            {"version": "v1.28.3-r4", "recommended": true},
            {"version": "v1.29.1-r0", "recommended": false},
        ])
    );
    let samples = pair.samples().await;
    let of_idle = [("cluster_name", "idle")];
    let none = [("cluster_name", "idle"), ("status", "none")];
    assert!(select(&samples, "rolling_upgrade_status", &none)[0].value > 0.5);
    let offers = select(&samples, "rolling_upgrade_available_info", &of_idle);
    let offers = offers.iter().map(|offer| {
        assert!(offer.value > 0.5 && offer.label("kind").is_empty());
        (offer.label("to_version"), offer.label("recommended"))
    });
    assert_eq!(
        offers.collect::<Vec<_>>(),
        [("v1.28.3-r4", "true"), ("v1.29.1-r0", "false")]
    );
    assert_eq!(pair.refused().await, [""; 0]);
}
