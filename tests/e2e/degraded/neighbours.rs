//! Clusters of one account beside one for which the primary call is not published.

use rolling_upgrade_exporter::sim::scenario::{Fault, FaultAnswer};

use super::{Case, FAST, Shown, Table};
use crate::harness::select;

/// The cluster whose calls fail, and the one beside it.
const IDS: [&str; 2] = [
    "4d1ecb2c-229a-11e8-9c75-0255ac100ceb",
    "ea244205-d641-45d9-9dcb-ab2236bcd07e",
];

/// Product, role of its nodes, and end of the primary call's path.
const PRODUCTS: [(&str, &str, &str); 2] = [
    ("cce", "node", "/operation/upgradeworkflows$"),
    ("css", "ess", "/upgrade/detail$"),
];

/// Returns the path of the primary call for the first cluster.
fn path(end: &str) -> String {
    format!("/{}{end}", IDS[0])
}

fn case(name: String, (product, role, _): (&str, &str, &str), faults: &str) -> Case {
    let cluster = |id: &str| {
        format!(
            "  - {{product: {product}, id: {id}, name: shop, versions: [v1.28.3-r0, v1.29.1-r0], \
             starts_after: 0s, steps: [{{name: Upgrade, takes: 1h}}], \
             nodes: [{{name: n-1, role: {role}}}, {{name: n-2, role: {role}}}]}}\n"
        )
    };
    Case {
        name,
        scenario: format!("clusters:\n{}{faults}", IDS.map(cluster).concat()),
        cloud: format!(
            "huawei: {{region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, \
             access_key: SIMHUAWEIACCESSKEY00, secret_key: sim-huawei-secret-key, \
             {product}: {{endpoint: ENDPOINT}}}}"
        ),
    }
}

/// Returns whether the cluster's last poll was good, and whether an upgrade runs whose target is known:
/// the primary call told it.
fn seen(shown: &Shown, account: &str, id: &str) -> (bool, bool) {
    let is_set = |name: &str, labels: &[(&str, &str)]| {
        let labels = [&[("account", account), ("cluster_id", id)], labels].concat();
        let found = select(&shown.samples, name, &labels);
        found.iter().any(|sample| sample.value > 0.5)
    };
    let running = [("kind", "version"), ("status", "running")];
    let clusters = shown.api["clusters"].as_array().unwrap();
    let mut found = clusters
        .iter()
        .filter(|one| one["account"] == account && one["cluster_id"] == id);
    let has_target = found.any(|one| one["upgrades"][0]["to_version"] == "v1.29.1-r0");
    (
        is_set("rolling_upgrade_up", &[]),
        is_set("rolling_upgrade_status", &running) && has_target,
    )
}

#[tokio::test]
async fn a_call_missing_for_one_cluster_leaves_the_others_up() {
    let (mut cases, mut known) = (Vec::new(), Vec::new());
    for product in PRODUCTS {
        let (name, _, end) = product;
        let faults = format!("faults: [{{path: {}, answer: not_published}}]\n", path(end));
        cases.push(case(format!("{name}-first"), product, &faults));
        cases.push(case(format!("{name}-later"), product, ""));
        known.push((format!("{name}-later"), end));
    }
    // No call hangs, and a busy machine must not end one.
    let polling = FAST.replace("timeout: 1s", "timeout: 10s");
    let table = Table::start(&polling, &cases).await;
    let beside = |shown: &Shown| {
        for Case { name, .. } in &cases {
            assert_eq!(seen(shown, name, IDS[1]), (true, true), "{name}");
        }
    };
    let shown = table.shown().await;
    beside(&shown);
    for (name, end) in &known {
        assert_eq!(seen(&shown, name, IDS[0]), (true, true), "{name}");
        table.inject(name, Fault::new(&path(end), FaultAnswer::NotPublished));
    }
    let shown = table
        .until("three polls that fail", |shown| {
            beside(shown);
            known.iter().try_for_each(|(name, _)| {
                let failures = shown.failures(name);
                let is_enough = failures.values().sum::<f64>() > 2.5;
                is_enough
                    .then_some(())
                    .ok_or(format!("{name}: {failures:?}"))
            })
        })
        .await;
    for (name, _) in &known {
        let kept = seen(&shown, name, IDS[0]);
        assert_eq!(kept, (false, true), "{name}: known, and not taken back");
    }
}
