//! Two exporters side by side, each with a storage of its own: they show the same, and an Alertmanager hears
//! each alert once, whichever of them is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use super::kill::{LAPSE, begins, cluster, kill};
use super::servers::{Alertmanager, texts};
use super::told::{first, stories};
use crate::harness::{
    Process, Sample, eventually, free_port, get, samples, start_exporter_with, start_simulator,
};

const CONFIG: &str = "
polling: {active_interval: 1s, idle_interval: 1s, timeout: 5s, rate_limit: 100}
upgrades: {stalled_after: 8s}
accounts:
  - {name: kr, ncloud: {access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, ses: {endpoint: ENDPOINT}, cdss: {endpoint: ENDPOINT}}}
  - {name: cn, huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, access_key: SIMHUAWEIACCESSKEY00, secret_key: sim-huawei-secret-key, css: {endpoint: ENDPOINT}, cce: {endpoint: ENDPOINT}}}
alerting: {resend_interval: 3s, alertmanagers: [{url: ALERTMANAGER}]}
";

/// Clusters of the other products: one hangs, one has a node that failed, and one is in work all the time.
const OTHERS: &str = "
  - {product: ses, id: \"3427188\", name: logs, versions: [\"270\", \"290\"], starts_after: 0s,
     nodes: [{name: d-1, role: D}, {name: d-2, role: D}], steps: [{name: Upgrade_OpenSearch, takes: 4s}],
     hangs: {node: 2, step: 1, lasts: 1h}}
  - {product: css, id: ea244205-d641-45d9-9dcb-ab2236bcd07e, name: orders, versions: [7.6.2, 7.10.2], starts_after: 0s,
     nodes: [{name: ess-1, role: ess}, {name: ess-2, role: ess}], steps: [{name: Data migration, takes: 4s}],
     fails: {node: 2, step: 1}}
  - {product: cce, id: b4b9e60f-8aa2-11ee-af09-0255ac10004f, name: shop, versions: [v1.25.16-r0, v1.27.16-r0], starts_after: 0s,
     nodes: [{name: n-1, role: node}], steps: [{name: Upgrade, takes: 10m}]}
";

const SENT: &str = "rolling_upgrade_exporter_alerts_sent_total";

/// One of the exporters.
struct Replica {
    port: u16,
    flag: String,
    process: Process,
}

impl Replica {
    fn start(folder: &Path, config: &str, name: &str) -> Self {
        let (port, flag) = (free_port(), format!("--storage.path=state-{name}"));
        let process = start_exporter_with(folder, port, config, &[&flag]);
        Self {
            port,
            flag,
            process,
        }
    }

    /// Starts it anew after its end, and waits until it is ready.
    async fn restart(&mut self, folder: &Path, config: &str) {
        self.process = start_exporter_with(folder, self.port, config, &[&self.flag]);
        let ready = format!("http://127.0.0.1:{}/-/ready", self.port);
        eventually(Duration::from_secs(30), "readiness", || get(&ready)).await;
    }

    async fn samples(&self) -> Vec<Sample> {
        let text = get(&format!("http://127.0.0.1:{}/metrics", self.port)).await;
        samples(&text.unwrap())
    }

    /// Returns what it shows of all but one cluster, and of what it counted of them, by series.
    async fn series(&self, left_out: &str) -> BTreeMap<String, f64> {
        let samples = self.samples().await;
        let series = samples
            .iter()
            .filter(|one| !is_of_process(one) && one.label("cluster_id") != left_out);
        series
            .map(|one| (format!("{} {:?}", one.name, one.labels), one.value))
            .collect()
    }

    /// Returns how many alerts it has posted.
    async fn sent(&self) -> f64 {
        let samples = self.samples().await;
        let sent = samples.iter().filter(|one| one.name == SENT);
        sent.map(|one| one.value).sum()
    }
}

/// Beginnings of the names that tell of the process and of the work that it did, and of nothing that it saw.
const OF_PROCESS: [&str; 7] = [
    "process_",
    SENT,
    "rolling_upgrade_exporter_api_requests_total",
    "rolling_upgrade_exporter_config_last_reload_success_timestamp_seconds",
    "rolling_upgrade_exporter_poll_duration_seconds",
    "rolling_upgrade_exporter_polls_total",
    "rolling_upgrade_exporter_storage_size_bytes",
];

fn is_of_process(sample: &Sample) -> bool {
    OF_PROCESS
        .iter()
        .any(|begin| sample.name.starts_with(begin))
}

/// Returns by how much the values of a metric may differ: each replica notes the times of its own polls, and
/// an estimate continues such times into the future.
fn tolerance(series: &str) -> f64 {
    let name = series.split(' ').next().unwrap_or_default();
    match name {
        "rolling_upgrade_estimated_end_timestamp_seconds" => 60.0,
        "rolling_upgrade_exporter_clock_skew_seconds" => 3.0,
        _ if name.ends_with("timestamp_seconds") || name.ends_with("duration_seconds") => 3.0,
        _ => 0.0,
    }
}

/// Returns how two replicas differ.
fn differences(a: &BTreeMap<String, f64>, b: &BTreeMap<String, f64>) -> Vec<String> {
    let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let differ = keys.into_iter().filter_map(|key| {
        let (a, b) = (a.get(key), b.get(key));
        match (a, b) {
            (Some(a), Some(b)) if (a - b).abs() <= tolerance(key) => None,
            _ => Some(format!("{key}: {a:?} and {b:?}")),
        }
    });
    differ.collect()
}

/// Waits for a moment at which both show the same series, but those of one cluster.
async fn agree(replicas: &[Replica; 2], left_out: &str) {
    eventually(Duration::from_secs(20), "the same series", || async {
        let [a, b] = replicas;
        let (a, b) = tokio::join!(a.series(left_out), b.series(left_out));
        assert!(a.len() > 150, "{a:#?}");
        let differences = differences(&a, &b);
        if differences.is_empty() {
            Ok(())
        } else {
            Err(differences.join("\n"))
        }
    })
    .await;
}

#[tokio::test]
async fn two_replicas_tell_once_whichever_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let alertmanager = Alertmanager::start(folder).await;
    let hangs = ", hangs: {node: 2, step: 1, lasts: 1h}";
    let scenario = [cluster(1001, 60, ""), cluster(1002, 3, hangs)].concat();
    let scenario = format!("clusters:\n{scenario}{OTHERS}");
    let (_simulator, sim_url) = start_simulator(folder, &scenario).await;
    let config = CONFIG.replace("ENDPOINT", &sim_url);
    let config = config.replace("ALERTMANAGER", &alertmanager.url);
    let mut replicas = ["a", "b"].map(|name| Replica::start(folder, &config, name));
    for alert in ["InProgress", "NodeFailed", "Failed", "Stalled"] {
        first(&alertmanager, &format!("RollingUpgrade{alert}")).await;
    }
    // By then what is over has ended, such as the progress of the upgrade that failed.
    tokio::time::sleep(LAPSE + LAPSE / 2).await;
    agree(&replicas, "").await;
    for replica in &replicas {
        assert!(replica.sent().await > 0.0, "both post");
    }
    let told = alertmanager.webhook.told();
    let before = begins(&alertmanager).await;
    for (alert, id) in [
        ("InProgress", "1001"),
        ("Stalled", "1002"),
        ("Stalled", "3427188"),
        ("Failed", "ea244205-d641-45d9-9dcb-ab2236bcd07e"),
        ("NodeFailed", "ea244205-d641-45d9-9dcb-ab2236bcd07e"),
        ("InProgress", "b4b9e60f-8aa2-11ee-af09-0255ac10004f"),
    ] {
        let alert = (format!("RollingUpgrade{alert}"), id.to_owned());
        assert!(
            before.contains_key(&alert),
            "{alert:?} is not in {before:?}"
        );
    }
    let seen = stories(&told);
    for held in alertmanager.alerts().await {
        let labels = texts(&held, "labels");
        assert_eq!(seen.get(&labels), Some(&vec!["firing"]), "{labels:?}");
    }
    // One is killed and starts at once.
    kill(&mut replicas[0].process).await;
    replicas[0].restart(folder, &config).await;
    agree(&replicas, "").await;
    tokio::time::sleep(LAPSE / 2).await;
    assert_eq!(alertmanager.webhook.told(), told);

    // The other one is killed, and is away for longer than an alert lasts that is not posted again.
    kill(&mut replicas[1].process).await;
    tokio::time::sleep(LAPSE + LAPSE / 2).await;
    assert_eq!(begins(&alertmanager).await, before);
    replicas[1].restart(folder, &config).await;
    // CDSS does not tell which brokers of a running upgrade are done: those of this time were seen by one.
    agree(&replicas, "1001").await;
    tokio::time::sleep(LAPSE / 2).await;
    assert_eq!(alertmanager.webhook.told(), told);
    assert_eq!(begins(&alertmanager).await, before);
}
