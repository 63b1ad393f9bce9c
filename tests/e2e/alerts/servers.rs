//! Real Alertmanagers and Prometheis, as the alert tests need them.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Process, eventually, free_port, get};
use crate::webhook::{Labels, Webhook};

/// A cold start on a busy machine.
pub(super) const START: Duration = Duration::from_secs(60);

/// An Alertmanager that tells its own webhook of every alert separately.
pub(super) struct Alertmanager {
    pub(super) process: Process,
    pub(super) url: String,
    pub(super) webhook: Webhook,
}

/// The route waits a second for more of a group, and a second before it tells of a change.
pub(super) const GROUP_WAIT: Duration = Duration::from_secs(1);

/// A group for each alert, so that a notification is one alert's.
fn config(webhook: &str) -> String {
    format!(
        "route: {{receiver: hook, group_by: ['...'], group_wait: {wait}s, group_interval: 1s, repeat_interval: 4h}}
receivers:
  - name: hook
    webhook_configs: [{{url: '{webhook}', send_resolved: true}}]
",
        wait = GROUP_WAIT.as_secs()
    )
}

impl Alertmanager {
    /// Starts one and waits until it is ready.
    pub(super) async fn start(folder: &Path) -> Self {
        let alertmanager = Self::launch(folder, free_port(), "http", &[]).await;
        alertmanager.ready().await;
        alertmanager
    }

    /// Starts one on a port that was chosen before.
    pub(super) async fn launch(folder: &Path, port: u16, scheme: &str, more: &[&str]) -> Self {
        let webhook = Webhook::start().await;
        let file = format!("alertmanager-{port}.yml");
        std::fs::write(folder.join(&file), config(&webhook.url)).unwrap();
        let args = [
            format!("--config.file={file}"),
            format!("--storage.path=alertmanager-{port}"),
            format!("--web.listen-address=127.0.0.1:{port}"),
            // Alone, without a port for gossip.
            "--cluster.listen-address=".to_owned(),
        ];
        let args = args.iter().map(String::as_str);
        let args: Vec<&str> = args.chain(more.iter().copied()).collect();
        Self {
            process: Process::start(folder, "prometheus-alertmanager", &args),
            url: format!("{scheme}://127.0.0.1:{port}"),
            webhook,
        }
    }

    pub(super) async fn ready(&self) {
        eventually(START, "an Alertmanager", || async {
            let answer = get(&format!("{}/-/ready", self.url)).await;
            answer.map_err(|e| format!("{e}\n{}", self.process.output()))
        })
        .await;
    }

    /// The alerts that it holds now, as its API tells them.
    pub(super) async fn alerts(&self) -> Vec<Value> {
        let answer = get(&format!("{}/api/v2/alerts", self.url)).await.unwrap();
        serde_json::from_str(&answer).unwrap()
    }
}

/// The labels or the annotations of an alert of the API.
pub(super) fn texts(alert: &Value, key: &str) -> Labels {
    serde_json::from_value(alert[key].clone()).unwrap()
}

/// A Prometheus with the shipped rules.
pub(super) struct Prometheus {
    pub(super) process: Process,
    pub(super) url: String,
}

/// The rules as they are shipped, with lengths that a test can wait for. Each pair must be there.
pub(super) fn rules(shorter: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts/rolling-upgrade.rules.yml");
    let mut rules = std::fs::read_to_string(path).unwrap();
    for (shipped, short) in shorter {
        assert!(rules.contains(shipped), "no rule has {shipped:?}");
        rules = rules.replace(shipped, short);
    }
    rules
}

impl Prometheus {
    /// Starts one that scrapes and evaluates every second, and waits until it has found its
    /// Alertmanagers: that takes 5 seconds, which no alert should have to wait for.
    pub(super) async fn start(
        folder: &Path,
        rules: &str,
        external_labels: &str,
        targets: &[&str],
        alertmanagers: &[&Alertmanager],
        more: &[&str],
    ) -> Self {
        let port = free_port();
        let hosts = |urls: &[&str]| {
            let hosts = urls.iter().map(|url| url.trim_start_matches("http://"));
            hosts.collect::<Vec<_>>().join(", ")
        };
        let urls: Vec<&str> = alertmanagers.iter().map(|a| a.url.as_str()).collect();
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {external_labels}}}
rule_files: [rules-{port}.yml]
alerting:
  alert_relabel_configs: [{{action: labeldrop, regex: replica}}]
  alertmanagers: [{{static_configs: [{{targets: [{alertmanagers}]}}]}}]
scrape_configs:
  - job_name: rolling-upgrade-exporter
    static_configs: [{{targets: [{targets}]}}]
",
            alertmanagers = hosts(&urls),
            targets = hosts(targets),
        );
        std::fs::write(folder.join(format!("rules-{port}.yml")), rules).unwrap();
        let file = format!("prometheus-{port}.yml");
        std::fs::write(folder.join(&file), config).unwrap();
        let args = [
            format!("--config.file={file}"),
            format!("--storage.tsdb.path=prometheus-{port}"),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        let args = args.iter().map(String::as_str);
        let args: Vec<&str> = args.chain(more.iter().copied()).collect();
        let server = Self {
            process: Process::start(folder, "prometheus", &args),
            url: format!("http://127.0.0.1:{port}"),
        };
        eventually(START, "Prometheus and its Alertmanagers", || async {
            let found = get(&format!("{}/api/v1/alertmanagers", server.url)).await;
            let found = found.map_err(|e| format!("{e}\n{}", server.process.output()))?;
            let found: Value = serde_json::from_str(&found).unwrap();
            let active = found["data"]["activeAlertmanagers"].as_array();
            if active.is_some_and(|active| active.len() == alertmanagers.len()) {
                Ok(())
            } else {
                Err(format!("{found}\n{}", server.process.output()))
            }
        })
        .await;
        server
    }
}
