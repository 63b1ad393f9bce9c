//! Kills of an exporter that stores its state: an Alertmanager hears nothing new.

#![expect(clippy::float_cmp, reason = "counts are exact")]

use std::collections::BTreeMap;
use std::time::Duration;

use super::servers::{Alertmanager, texts};
use super::told::first;
use crate::harness::{
    Process, eventually, free_port, get, samples, start_exporter_with, start_simulator,
};

const CONFIG: &str = "
polling: {active_interval: 1s, idle_interval: 1s, timeout: 5s, rate_limit: 100}
upgrades: {stalled_after: 8s}
accounts: [{name: kr, ncloud: {access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, cdss: {endpoint: ENDPOINT}}}]
alerting: {resend_interval: 3s, alertmanagers: [{url: ALERTMANAGER}]}
";

/// Time after which an alert ends that is not posted again: four times the resend interval.
pub(super) const LAPSE: Duration = Duration::from_secs(12);

const FLAGS: &[&str] = &["--storage.path=state"];

/// Writes a cluster of CDSS whose upgrade has so many brokers, each in work for 4 s.
pub(super) fn cluster(id: u32, brokers: usize, more: &str) -> String {
    let brokers = (1..=brokers).map(|number| format!("{{name: b-{number}, role: broker}}"));
    let brokers: Vec<_> = brokers.collect();
    format!(
        "  - {{product: cdss, id: \"{id}\", name: events-{id}, versions: [2.8.2, 3.7.1], starts_after: 0s, \
         nodes: [{}], steps: [{{name: Upgrade, takes: 4s}}]{more}}}\n",
        brokers.join(", ")
    )
}

/// Returns when each alert began that the Alertmanager holds, by name and cluster.
pub(super) async fn begins(alertmanager: &Alertmanager) -> BTreeMap<(String, String), String> {
    let alerts = alertmanager.alerts().await;
    let begins = alerts.iter().map(|alert| {
        let labels = texts(alert, "labels");
        let cluster = labels.get("cluster_id").cloned().unwrap_or_default();
        let begin = alert["startsAt"].as_str().unwrap().to_owned();
        ((labels["alertname"].clone(), cluster), begin)
    });
    begins.collect()
}

/// Returns how many upgrades the exporter counts as ended.
async fn ended(port: u16) -> f64 {
    let metrics = get(&format!("http://127.0.0.1:{port}/metrics")).await;
    let samples = samples(&metrics.unwrap());
    let name = "rolling_upgrade_exporter_upgrades_ended_total";
    let ended = samples.iter().filter(|sample| sample.name == name);
    ended.map(|sample| sample.value).sum()
}

pub(super) async fn kill(exporter: &mut Process) {
    exporter.signal("KILL").await;
    exporter.child.wait().await.unwrap();
}

/// One upgrade is half done, one hangs, and one has a broker that failed.
#[tokio::test]
async fn a_kill_tells_an_alertmanager_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let alertmanager = Alertmanager::start(folder).await;
    let scenario = [
        cluster(1001, 60, ""),
        cluster(1002, 3, ", hangs: {node: 2, step: 1, lasts: 1h}"),
        cluster(1003, 3, ", fails: {node: 2, step: 1}"),
    ];
    let scenario = format!("clusters:\n{}", scenario.concat());
    let (_simulator, sim_url) = start_simulator(folder, &scenario).await;
    let config = CONFIG.replace("ENDPOINT", &sim_url);
    let config = config.replace("ALERTMANAGER", &alertmanager.url);
    let port = free_port();
    let mut exporter = start_exporter_with(folder, port, &config, FLAGS);
    for alert in [
        "RollingUpgradeInProgress",
        "RollingUpgradeNodeFailed",
        "RollingUpgradeStalled",
    ] {
        first(&alertmanager, alert).await;
    }
    // By then what is over has ended, such as the progress of the upgrade that failed.
    tokio::time::sleep(LAPSE + LAPSE / 2).await;
    let told = alertmanager.webhook.told().len();
    let before = begins(&alertmanager).await;
    let counted = ended(port).await;
    assert_eq!(counted, 1.0, "the upgrade of 1003");
    for (alert, id) in [
        ("Stalled", "1002"),
        ("NodeFailed", "1003"),
        ("InProgress", "1001"),
    ] {
        let alert = (format!("RollingUpgrade{alert}"), id.to_owned());
        assert!(
            before.contains_key(&alert),
            "{alert:?} is not among {before:?}"
        );
    }
    for round in 0..2 {
        kill(&mut exporter).await;
        exporter = start_exporter_with(folder, port, &config, FLAGS);
        let ready = format!("http://127.0.0.1:{port}/-/ready");
        eventually(Duration::from_secs(30), "readiness", || get(&ready)).await;
        // By then whatever is not posted again has ended.
        tokio::time::sleep(LAPSE + LAPSE / 2).await;
        let now = alertmanager.webhook.told();
        assert_eq!(
            now.len(),
            told,
            "round {round}: {:#?}\n{}",
            &now[told..],
            exporter.output()
        );
        assert_eq!(begins(&alertmanager).await, before, "round {round}");
        assert_eq!(ended(port).await, counted, "round {round}");
    }
}
