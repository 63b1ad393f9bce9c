//! Every alert: of an upgrade, of a node, of the data, of the exporter itself.

mod data;
mod exporter;
mod node;
mod upgrade;

use std::fmt::Display;
use std::time::Duration;

use super::rule::Rule;

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

/// Every rule.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    upgrade::RULES
        .iter()
        .chain(node::RULES)
        .chain(data::RULES)
        .chain(exporter::RULES)
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
    for (word, value) in words {
        text = text.replace(word, &value.to_string());
    }
    text
}
