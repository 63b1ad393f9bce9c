//! A real Alertmanager with the example config: which alert holds which other alert back.

use std::collections::BTreeMap;
use std::time::Duration;

use rolling_upgrade_exporter::alert::{self, Labels, Rule, Severity};
use serde_json::{Value, json};

use crate::harness::{Process, client, eventually, free_port, get};

/// Which alert holds which others back.
const PAIRS: &[(&str, &[&str])] = &[
    (
        "RollingUpgradeFailed",
        &[
            "RollingUpgradeNodeFailed",
            "RollingUpgradeNodeSlow",
            "RollingUpgradeRetrying",
        ],
    ),
    (
        "RollingUpgradePartiallyFailed",
        &[
            "RollingUpgradeNodeFailed",
            "RollingUpgradeNodeSlow",
            "RollingUpgradeRetrying",
        ],
    ),
    (
        "RollingUpgradeNodeFailed",
        &["RollingUpgradeNodeSlow", "RollingUpgradeOverdue"],
    ),
    (
        "RollingUpgradeStalled",
        &["RollingUpgradeNodeSlow", "RollingUpgradeOverdue"],
    ),
];

fn holds_back(source: &Rule, target: &Rule) -> bool {
    let listed = PAIRS
        .iter()
        .any(|(name, targets)| *name == source.alert && targets.contains(&target.alert));
    let stale = source.alert == "RollingUpgradeDataStale"
        && target.alert == source.alert
        && source.severity == Severity::Critical
        && target.severity == Severity::Warning;
    listed || stale
}

/// A cluster of its own for two alerts, so that no others can have an effect on them.
#[derive(Clone, Copy)]
struct Place<'a> {
    account: &'a str,
    product: &'a str,
    cluster: &'a str,
    kind: &'a str,
}

impl Place<'_> {
    /// The labels with which a rule fires here. What the rule does not have, it does not get.
    fn labels(self, rule: &Rule) -> Labels {
        let label = |name: &str| {
            let value = match name {
                "account" => self.account,
                "product" => self.product,
                "cluster_id" => self.cluster,
                "kind" => self.kind,
                other => other,
            };
            (name.to_owned(), value.to_owned())
        };
        let condition = rule.labels.iter().copied().map(label).collect();
        rule.alert_labels(&condition)
    }
}

struct Alertmanager {
    url: String,
    process: Process,
    _folder: tempfile::TempDir,
}

impl Alertmanager {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/alerts/alertmanager.example.yml"
        );
        let process = Process::start(
            folder.path(),
            "prometheus-alertmanager",
            &[
                &format!("--config.file={config}"),
                "--storage.path=data",
                &format!("--web.listen-address=127.0.0.1:{port}"),
                "--cluster.listen-address=",
            ],
        );
        let started = Self {
            url: format!("http://127.0.0.1:{port}"),
            process,
            _folder: folder,
        };
        eventually(Duration::from_secs(30), "Alertmanager", || async {
            let ready = get(&format!("{}/-/ready", started.url)).await;
            ready.map_err(|e| format!("{e}\n{}", started.process.output()))
        })
        .await;
        started
    }

    /// Posts alerts without an end: they fire for the 5 minutes that are the default.
    async fn post(&self, alerts: &[Labels]) {
        let alerts: Vec<_> = alerts
            .iter()
            .map(|labels| json!({"labels": labels}))
            .collect();
        let answer = client()
            .post(format!("{}/api/v2/alerts", self.url))
            .header("content-type", "application/json")
            .body(rolling_upgrade_exporter::text::json::to_string(&alerts).unwrap())
            .send()
            .await
            .unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{status}: {:?}", answer.text().await);
    }

    /// Every alert, with the labels of those that hold it back.
    async fn alerts(&self) -> BTreeMap<Labels, Vec<Labels>> {
        let text = get(&format!("{}/api/v2/alerts", self.url)).await.unwrap();
        let alerts: Vec<Value> = serde_json::from_str(&text).unwrap();
        let labels = |alert: &Value| -> Labels {
            let labels = alert["labels"].as_object().unwrap().iter();
            labels
                .map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned()))
                .collect()
        };
        let by_fingerprint: BTreeMap<&str, Labels> = alerts
            .iter()
            .map(|alert| (alert["fingerprint"].as_str().unwrap(), labels(alert)))
            .collect();
        alerts
            .iter()
            .map(|alert| {
                let by = alert["status"]["inhibitedBy"].as_array().unwrap().iter();
                let by = by.map(|f| by_fingerprint[f.as_str().unwrap()].clone());
                (labels(alert), by.collect())
            })
            .collect()
    }

    /// Every alert, after all that were posted have had their effect: Alertmanager takes them in the
    /// order in which they come, so when a pair that was posted last inhibits, all have.
    async fn settled(&self) -> BTreeMap<Labels, Vec<Labels>> {
        let last = Place {
            account: "last",
            product: "css",
            cluster: "last",
            kind: "version",
        };
        let source = last.labels(rule("RollingUpgradeFailed"));
        let target = last.labels(rule("RollingUpgradeRetrying"));
        self.post(std::slice::from_ref(&target)).await;
        self.post(&[source]).await;
        eventually(Duration::from_secs(30), "an inhibition", || async {
            let alerts = self.alerts().await;
            match alerts.get(&target).map(Vec::len) {
                Some(1) => Ok(alerts),
                other => Err(format!("{other:?}\n{}", self.process.output())),
            }
        })
        .await
    }
}

fn rule(alert: &str) -> &'static Rule {
    alert::rules().find(|rule| rule.alert == alert).unwrap()
}

/// Every two alerts of one cluster. Alerts that have no cluster are among them, and none of them is
/// held back or holds back.
#[tokio::test]
async fn an_alert_holds_back_those_that_it_explains_and_no_others() {
    let alertmanager = Alertmanager::start().await;
    let rules: Vec<_> = alert::rules().collect();
    let mut posted = Vec::new();
    // The target, the source, and whether the one is held back by the other.
    let mut want = Vec::new();
    for (i, source) in rules.iter().enumerate() {
        for (j, target) in rules.iter().enumerate().filter(|(j, _)| *j != i) {
            let name = format!("{i}-{j}");
            let place = Place {
                account: &name,
                product: "css",
                cluster: &name,
                kind: "version",
            };
            let (source_labels, target_labels) = (place.labels(source), place.labels(target));
            posted.extend([source_labels.clone(), target_labels.clone()]);
            want.push((target_labels, source_labels, holds_back(source, target)));
        }
    }
    assert_eq!(want.iter().filter(|(_, _, held)| *held).count(), 11);
    alertmanager.post(&posted).await;
    let alerts = alertmanager.settled().await;
    for (target, source, held) in want {
        let by = &alerts[&target];
        assert_eq!(
            by.contains(&source),
            held,
            "{target:?} by {source:?}: {by:?}"
        );
        assert!(by.len() <= 1, "{target:?}: {by:?}");
    }
}

#[tokio::test]
async fn another_cluster_or_kind_is_not_held_back() {
    let alertmanager = Alertmanager::start().await;
    let rules: Vec<_> = alert::rules().collect();
    let mut posted = Vec::new();
    let mut want = Vec::new();
    for (i, source) in rules.iter().enumerate() {
        for (j, target) in rules.iter().enumerate() {
            if !holds_back(source, target) {
                continue;
            }
            let (cluster, other) = (format!("{i}-{j}"), format!("{i}-{j}-other"));
            let here = Place {
                account: "kr",
                product: "ses",
                cluster: &cluster,
                kind: "version",
            };
            let mut elsewhere = vec![
                Place {
                    cluster: &other,
                    ..here
                },
                Place {
                    product: "cdss",
                    ..here
                },
                Place {
                    account: "cn",
                    ..here
                },
            ];
            if target.labels.contains(&"kind") {
                elsewhere.push(Place {
                    kind: "az_migration",
                    ..here
                });
            }
            posted.push(here.labels(source));
            for (place, held) in [(here, true)]
                .into_iter()
                .chain(elsewhere.into_iter().map(|place| (place, false)))
            {
                posted.push(place.labels(target));
                want.push((place.labels(target), held));
            }
        }
    }
    // DataStale has no kind.
    assert_eq!(want.len(), 5 * 10 + 4);
    alertmanager.post(&posted).await;
    let alerts = alertmanager.settled().await;
    for (target, held) in want {
        assert_eq!(!alerts[&target].is_empty(), held, "{target:?}");
    }
}
