//! A host whose clock is off, or steps during upgrades: polls go on, no age is wrong, and the clock alone
//! is told. The clouds' clock is right, and the exporter runs in this process, by a clock that is set.

mod exporter;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use rolling_upgrade_exporter::alert;
use rolling_upgrade_exporter::clock::Clock;

use crate::harness::{eventually, select};
use crate::replay;
use exporter::{Exporter, clouds};

/// Scenario in which every product is in an upgrade for longer than a test takes. Nodes are done in turn.
const SCENARIO: &str = r#"
clusters:
  - product: ses
    id: "3427188"
    name: search
    versions: ["270", "290"]
    starts_after: 0s
    nodes: [{name: s-1, role: D}, {name: s-2, role: D}, {name: s-3, role: D}]
    steps: [{name: Upgrade_OpenSearch, takes: 15s}]
  - product: cdss
    id: "3432149"
    name: events
    versions: ["2.8.2", "3.7.1"]
    starts_after: 0s
    nodes: [{name: b-1, role: broker}, {name: b-2, role: broker}, {name: b-3, role: broker}]
    steps: [{name: Rolling, takes: 15s}]
  - product: css
    id: ea244205-d641-45d9-9dcb-ab2236bcd07e
    name: logs
    versions: ["7.6.2", "7.10.2"]
    starts_after: 0s
    nodes: [{name: ess-1, role: ess}, {name: ess-2, role: ess}]
    steps: [{name: Data migration, takes: 20s}]
  - product: cce
    id: 4ae2d4e0-5c4e-11ed-8b3c-0255ac100ab1
    name: shop
    versions: [v1.28.3-r0, v1.29.1-r0]
    starts_after: 0s
    nodes: [{name: n-1, role: node}, {name: n-2, role: node}, {name: n-3, role: node}]
    steps: [{name: Kubelet, takes: 15s}]
"#;

/// Limits that a step of 4 minutes is beyond, and a test is not.
const CONFIG: &str = "
polling: {active_interval: 300ms, idle_interval: 1s, discovery_interval: 5s, timeout: 5s, rate_limit: 200}
upgrades: {stalled_after: 2m, overdue_after: 3m}
accounts:
  - name: kr
    ncloud:
      access_key: SIMNCLOUDACCESSKEY00
      secret_key: sim-ncloud-secret-key
      ses: {endpoint: ENDPOINT}
      cdss: {endpoint: ENDPOINT}
  - name: cn
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: SIMHUAWEIACCESSKEY00
      secret_key: sim-huawei-secret-key
      css: {endpoint: ENDPOINT, stalled_after: 2m}
      cce: {endpoint: ENDPOINT}
alerting:
  resend_interval: 1s
  alertmanagers: [{url: ALERTMANAGER}]
";

const SKEWED: &str = "RollingUpgradeClockSkew";

impl Exporter {
    /// Looks for this long whether anything is wrong.
    async fn is_well(&self, begun: Timestamp, for_seconds: u64) {
        let end = tokio::time::Instant::now() + Duration::from_secs(for_seconds);
        while tokio::time::Instant::now() < end {
            self.is_well_now(begun);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn is_well_now(&self, begun: Timestamp) {
        let (now, right) = (self.scrape(), Clock::system().now());
        let values = |name: &str| {
            let name = format!("rolling_upgrade_{name}");
            select(&now, &name, &[])
                .iter()
                .map(|one| one.value)
                .collect()
        };
        assert_eq!(values("up"), [1.0; 4], "polls go on");
        assert_eq!(values("stalled"), [0.0; 4]);
        let seconds = rolling_upgrade_exporter::telemetry::seconds;
        let (right, age) = (seconds(right), right.duration_since(begun).as_secs_f64());
        let near = |name: &str, least: f64, most: f64| {
            let values: Vec<f64> = values(name);
            let are = !values.is_empty() && values.iter().all(|v| (least..=most).contains(v));
            assert!(are, "{name} within {least} and {most}: {values:?}");
        };
        near("last_success_timestamp_seconds", right - 4.0, right + 2.0);
        near("duration_seconds", 0.0, age + 3.0);
        near("node_duration_seconds", 0.0, age + 3.0);
        let begun = seconds(begun);
        for time in ["status_since", "requested", "started", "last_progress"] {
            near(
                &format!("{time}_timestamp_seconds"),
                begun - 3.0,
                right + 2.0,
            );
        }
        let report = self.report();
        let times = report.times();
        for cluster in &report.clusters {
            let age = |at: Timestamp| times.of(&cluster.account).duration_since(at).as_secs();
            let data = age(cluster.last_success.unwrap());
            assert!((-2..=4).contains(&data), "{data}: {cluster:?}");
            let upgrade = &cluster.upgrades[0];
            assert!(!upgrade.stalled && !upgrade.overdue, "{upgrade:?}");
        }
        let alerts = self.posted.lock().unwrap();
        let others = alerts
            .iter()
            .find(|(name, _)| name != SKEWED && name != "RollingUpgradeInProgress");
        assert_eq!(others, None);
    }

    /// Waits until the clock is told: by the sidecar, the metric and the report.
    async fn tells_the_clock(&self, seconds: f64) {
        eventually(Duration::from_secs(10), "the clock is told", || async {
            let posted = self.posted.lock().unwrap().clone();
            let skews = select(
                &self.scrape(),
                "rolling_upgrade_exporter_clock_skew_seconds",
                &[],
            )
            .iter()
            .map(|one| one.value)
            .collect::<Vec<_>>();
            let report = self.report();
            let told = report.skewed_clocks().len() == 2
                && skews.len() == 2
                && skews.iter().all(|skew| (skew - seconds).abs() < 3.0)
                && ["kr", "cn"]
                    .iter()
                    .all(|account| posted.contains(&(SKEWED.to_owned(), (*account).to_owned())));
            let said = format!("{posted:?} {skews:?} {:?}", report.skewed_clocks());
            if told { Ok(()) } else { Err(said) }
        })
        .await;
    }
}

/// Lets promtool play what an exporter shows, by a right clock: only the clock is told.
async fn rules_tell_only_the_clock(exporter: &Exporter) {
    let start = Clock::system().now();
    let mut series: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let wanted = replay::names();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    for _ in 0..4 {
        tick.tick().await;
        let body = exporter.exposition.scrape(None, None).body;
        for line in std::str::from_utf8(&body.concat()).unwrap().lines() {
            let (name, _) = line.split_once(['{', ' ']).unwrap_or_default();
            if wanted.contains(name) {
                let (labels, value) = line.rsplit_once(' ').unwrap();
                let values = series.entry(replay::targeted(labels)).or_default();
                values.push(replay::rebased(name, value, start));
            }
        }
    }
    let mut text = "rule_files: [rules.yml]\nevaluation_interval: 1s\ntests:\n  - interval: 1s\n    input_series:\n".to_owned();
    for (series, values) in &series {
        writeln!(
            text,
            "      - series: '{series}'\n        values: '{}'",
            values.join(" ")
        )
        .unwrap();
    }
    text += "    alert_rule_test:\n";
    let rules = alert::rules().filter(|rule| rule.alert != "RollingUpgradeInProgress");
    for rule in rules {
        writeln!(
            text,
            "      - {{eval_time: 3s, alertname: {}, exp_alerts: [",
            rule.alert
        )
        .unwrap();
        for account in ["cn", "kr"].iter().filter(|_| rule.alert == SKEWED) {
            let labels = alert::Labels::from([("account".to_owned(), (*account).to_owned())]);
            let expected = serde_json::json!({
                "exp_labels": {"account": account, "severity": rule.severity.as_str()},
                "exp_annotations": rule.annotations(&labels),
            });
            writeln!(text, "        {expected},").unwrap();
        }
        text += "      ]}\n";
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.yml"), alert::rules_file()).unwrap();
    let file = folder.path().join("clock.test.yml");
    std::fs::write(&file, &text).unwrap();
    replay::play(&file).await;
}

/// Plays a host whose clock is off from the start on.
async fn off_from_the_start(seconds: i64) {
    let begun = Clock::system().now();
    let (world, endpoint, _clouds) = clouds(SCENARIO).await;
    let exporter = Exporter::start(&endpoint, CONFIG, seconds).await;
    exporter.until_running(4).await;
    exporter.is_well(begun, 6).await;
    #[expect(clippy::cast_precision_loss, reason = "some minutes")]
    exporter.tells_the_clock(seconds as f64).await;
    rules_tell_only_the_clock(&exporter).await;
    exporter.is_well_now(begun);
    // Each account was refused once, and vendor time signed from then on.
    let refused = world.seen().1;
    assert!(refused.len() <= 4, "{refused:?}");
}

#[tokio::test]
async fn host_20_minutes_ahead_changes_nothing_but_its_alert() {
    off_from_the_start(1200).await;
}

#[tokio::test]
async fn host_20_minutes_behind_changes_nothing_but_its_alert() {
    off_from_the_start(-1200).await;
}

/// Plays a host whose clock steps while upgrades run, and back.
async fn steps(seconds: i64) {
    let begun = Clock::system().now();
    let (world, endpoint, _clouds) = clouds(SCENARIO).await;
    let exporter = Exporter::start(&endpoint, CONFIG, 0).await;
    exporter.until_running(4).await;
    exporter.is_well_now(begun);
    exporter.ahead.store(seconds, Ordering::Relaxed);
    exporter.is_well(begun, 5).await;
    #[expect(clippy::cast_precision_loss, reason = "some minutes")]
    exporter.tells_the_clock(seconds as f64).await;
    rules_tell_only_the_clock(&exporter).await;
    exporter.ahead.store(0, Ordering::Relaxed);
    exporter.is_well(begun, 3).await;
    assert!(exporter.report().skewed_clocks().is_empty());
    assert_eq!(world.seen().1, [""; 0], "4 minutes are allowed");
}

#[tokio::test]
async fn step_of_4_minutes_ahead_during_upgrades_stalls_nothing() {
    steps(240).await;
}

#[tokio::test]
async fn step_of_4_minutes_back_during_upgrades_stalls_nothing() {
    steps(-240).await;
}

/// A CCE upgrade in whose middle nothing is told for minutes.
const SILENT: &str = "
clusters:
  - product: cce
    id: 4ae2d4e0-5c4e-11ed-8b3c-0255ac100ab1
    name: shop
    versions: [v1.28.3-r0, v1.29.1-r0]
    starts_after: 0s
    nodes: [{name: n-1, role: node}, {name: n-2, role: node}]
    steps: [{name: Kubelet, takes: 10m}]
";

const IMPATIENT: &str = "
polling: {active_interval: 300ms, timeout: 5s, rate_limit: 200}
accounts:
  - name: cn
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: SIMHUAWEIACCESSKEY00
      secret_key: sim-huawei-secret-key
      cce: {endpoint: ENDPOINT, stalled_after: 3s}
alerting:
  resend_interval: 1s
  alertmanagers: [{url: ALERTMANAGER}]
";

/// Returns whether the upgrade is stalled; `None` before it is shown.
fn is_stalled(exporter: &Exporter) -> Option<bool> {
    let now = exporter.scrape();
    let found = select(&now, "rolling_upgrade_stalled", &[]);
    found.first().map(|one| one.value > 0.5)
}

async fn until_stalled(exporter: &Exporter) {
    eventually(Duration::from_secs(30), "it stalls", || async {
        let is_stalled = is_stalled(exporter);
        (is_stalled == Some(true))
            .then_some(())
            .ok_or_else(String::new)
    })
    .await;
}

#[tokio::test]
async fn restart_during_a_cce_upgrade_stalls_nothing_at_first_sight() {
    let (_world, endpoint, _clouds) = clouds(SILENT).await;
    let before = Exporter::start(&endpoint, IMPATIENT, 0).await;
    before.until_running(1).await;
    until_stalled(&before).await;
    drop(before);
    let after = Exporter::start(&endpoint, IMPATIENT, 0).await;
    after.until_running(1).await;
    let end = tokio::time::Instant::now() + Duration::from_millis(1500);
    while tokio::time::Instant::now() < end {
        assert_eq!(is_stalled(&after), Some(false), "its silence begins anew");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let posted = after.posted.lock().unwrap().clone();
    let told = posted
        .iter()
        .find(|(name, _)| name == "RollingUpgradeStalled");
    assert_eq!(told, None);
    until_stalled(&after).await;
}
