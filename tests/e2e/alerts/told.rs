//! What the webhooks were told, and whether it is what they must be told.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::servers::Alertmanager;
use super::story::Stories;
use crate::harness::{Process, eventually};
use crate::webhook::{Labels, Told};

/// What was told of each alert. One fingerprint is one alert is one set of labels.
pub(super) fn stories(told: &[Told]) -> BTreeMap<Labels, Vec<&str>> {
    let mut stories: BTreeMap<Labels, Vec<&str>> = BTreeMap::new();
    let mut names: BTreeMap<&str, &Labels> = BTreeMap::new();
    for one in told {
        let name = names.entry(&one.fingerprint).or_insert(&one.labels);
        assert_eq!(**name, one.labels, "a fingerprint of two alerts");
        let story = stories.entry(one.labels.clone()).or_default();
        story.push(&one.status);
    }
    stories
}

fn outputs(processes: &[Process]) -> String {
    processes.iter().map(Process::output).collect()
}

/// Waits until everything has been told; fails as soon as something else is, or something twice.
pub(super) async fn tells(
    way: &str,
    alertmanager: &Alertmanager,
    want: &Stories,
    exporters: &[Process],
) {
    eventually(Duration::from_secs(90), way, || async {
        let told = alertmanager.webhook.told();
        let seen = stories(&told);
        for (labels, story) in &seen {
            let wanted = want.get(labels).map(Vec::as_slice).unwrap_or_default();
            assert!(
                wanted.starts_with(story),
                "{way}: {labels:?} is {story:?}, not {wanted:?}\n{told:#?}\n{}",
                outputs(exporters)
            );
        }
        let missing: Vec<_> = want
            .iter()
            .filter(|(labels, story)| seen.get(*labels) != Some(*story))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!(
            "not told: {missing:?}\n{}\n{}",
            alertmanager.process.output(),
            outputs(exporters)
        ))
    })
    .await;
}

/// The notification of an alert's beginning.
pub(super) async fn first(alertmanager: &Alertmanager, what: &str) -> Told {
    eventually(Duration::from_secs(60), what, || async {
        let told = alertmanager.webhook.told();
        let found = told.into_iter().find(|t| t.label("alertname") == what);
        found.ok_or_else(|| format!("not told\n{}", alertmanager.process.output()))
    })
    .await
}

/// What a person reads, letter for letter.
pub(super) fn reads_well(told: &[Told]) {
    let book = "https://github.com/rolling-upgrade-exporter/rolling-upgrade-exporter/blob/main/alerts/RUNBOOKS.md";
    for (alert, section, summary) in [
        (
            "RollingUpgradeStalled",
            "rollingupgradestalled",
            r#"The upgrade of ses cluster 검색 "logs" <a&b> is stalled."#,
        ),
        (
            "RollingUpgradeFailed",
            "rollingupgradefailed",
            "The upgrade of css cluster orders failed.",
        ),
        (
            "RollingUpgradeNodeFailed",
            "rollingupgradenodefailed",
            "Node ess-2 of css cluster orders failed to upgrade.",
        ),
    ] {
        let found: Vec<_> = told
            .iter()
            .filter(|t| t.label("alertname") == alert)
            .collect();
        assert_eq!(found.len(), 2, "{alert}: its begin and its end");
        for one in found {
            assert_eq!(one.annotations["summary"], summary);
            assert_eq!(one.annotations["runbook_url"], format!("{book}#{section}"));
            let description = &one.annotations["description"];
            assert!(
                description.contains(one.label("cluster_id")),
                "{description}"
            );
            assert_eq!(one.label("severity"), "critical");
        }
    }
}

/// How long after the API's first failing answer the failure was told.
pub(super) fn latency(told: &[Told], failed: Timestamp) -> Duration {
    let name = "RollingUpgradeFailed";
    let one = told.iter().find(|t| t.label("alertname") == name).unwrap();
    let took = one.arrived.duration_since(failed);
    took.try_into()
        .unwrap_or_else(|_| panic!("told {took:?} before it failed"))
}

/// The texts of each alert, as the webhook was told them; every time the same.
pub(super) fn annotations(told: &[Told]) -> BTreeMap<&Labels, &Labels> {
    let mut texts = BTreeMap::new();
    for one in told {
        let first = *texts.entry(&one.labels).or_insert(&one.annotations);
        assert_eq!(*first, one.annotations);
    }
    texts
}
