//! Every alert: of an upgrade, of a node, of the data, of the exporter itself.

mod data;
mod exporter;
mod node;
mod upgrade;

use std::fmt::Display;
use std::time::Duration;

use jiff::Timestamp;

use super::rule::Rule;
use crate::model::ClusterState;

/// The labels that name an upgrade.
const UPGRADE: &[&str] = &["account", "product", "cluster_id", "cluster_name", "kind"];
/// The labels that name a node of an upgrade.
const NODE: &[&str] = &[
    "account",
    "product",
    "cluster_id",
    "cluster_name",
    "kind",
    "node",
    "role",
];
/// The labels that name a cluster.
const CLUSTER: &[&str] = &["account", "product", "cluster_id", "cluster_name"];

/// Long enough for a pod to be replaced and to poll for the first time.
const KEEP: Duration = Duration::from_secs(5 * 60);

/// Data are old after this many polls that were due, and not before [`STALE`].
const MISSED: u32 = 3;
/// Old enough to be told.
const STALE: Duration = Duration::from_secs(15 * 60);

/// The clusters of an exporter whose data lag behind those of another one: what it saw last may be
/// over, and the other one would know. An exporter that never had an answer knows nothing better.
/// It stands after `unless`, so that a series that is missing silences nothing.
pub(super) const OUTDATED: Recording = Recording {
    record: "instance_cluster:rolling_upgrade_last_success_timestamp_seconds:outdated",
    expr: || {
        promql(
            r#"
            rolling_upgrade_last_success_timestamp_seconds
            < on (CLUSTER) group_left ()
            (
                max by (CLUSTER) (rolling_upgrade_last_success_timestamp_seconds and ignoring (kind, status) rolling_upgrade_status{status="none"})
              - clamp_min(MISSED * max by (CLUSTER) (rolling_upgrade_poll_interval_seconds), STALE)
            )
            "#,
            &[],
        )
    },
};

/// A query that others use, under a name.
pub(super) struct Recording {
    pub(super) record: &'static str,
    pub(super) expr: fn() -> String,
}

/// Every rule.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    upgrade::RULES
        .iter()
        .chain(node::RULES)
        .chain(data::RULES)
        .chain(exporter::RULES)
}

/// Returns the instants at which time alone may change what holds of a cluster, apart from [`data_turn`]. Each rule
/// whose condition asks for the time has its own here; the conditions of all are for upgrades that are shown.
pub(super) fn turns(cluster: &ClusterState) -> impl Iterator<Item = Timestamp> {
    let views = cluster.upgrades.iter();
    let forgotten = views.filter_map(|view| cluster.forgotten_at(view));
    upgrade::turns(cluster).chain(forgotten)
}

/// Returns the instant at which the data of a cluster become old, which each good poll moves.
pub(super) fn data_turn(cluster: &ClusterState) -> Option<Timestamp> {
    data::turn(cluster)
}

/// An expression from its template: without the indentation, and with each word in capitals put in.
fn promql(template: &str, words: &[(&str, &dyn Display)]) -> String {
    let lines = || template.lines().filter(|line| !line.trim().is_empty());
    let indent = |line: &str| line.len() - line.trim_start().len();
    let margin = lines().map(indent).min().unwrap_or_default();
    let mut text = lines()
        .map(|line| line.get(margin..).unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    for (name, labels) in [("UPGRADE", UPGRADE), ("NODE", NODE), ("CLUSTER", CLUSTER)] {
        text = text.replace(name, &labels.join(", "));
    }
    let own: [(&str, &dyn Display); 3] = [
        ("OUTDATED", &OUTDATED.record),
        ("MISSED", &MISSED),
        ("STALE", &STALE.as_secs()),
    ];
    for (word, value) in words.iter().chain(&own) {
        text = text.replace(word, &value.to_string());
    }
    text
}
