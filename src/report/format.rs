//! Texts for people that follow from a report: the page and the terminal show them.
//!
//! Text of vendors stands in them as it came. The page and the terminal escape it, and add what is
//! theirs: markup, columns, colours and width.

mod history;
mod nodes;
mod state;
mod tasks;
mod trouble;
mod versions;

use jiff::Timestamp;

use super::{ClusterReport, ProductReport, UpgradeReport, Word};
use crate::model::Kind;

pub use crate::text::length;
pub use history::{against_usual, usual};
pub use nodes::{node_change, node_line, nodes_done};
pub use state::{
    WAITS_FOR_PERSON, badge, counts, overdue, row_state, short_state, short_title, silence, state,
    tab_title, title,
};
pub use tasks::{current_task, task, task_name, task_place};
pub use trouble::{
    degraded, error, findings_left_out, more_findings, nodes_left_out, notes, passed,
};
pub use versions::{
    RECOMMENDED, VersionPair, Versions, are_versions_zones, named_versions, offered,
    running_version, version, versions, zones,
};

/// Writes a share from 0 to 1 in percent, rounded down, so that 100% is only what has succeeded.
pub fn percent(ratio: f64) -> String {
    format!("{:.0}%", (ratio * 100.0).clamp(0.0, 100.0).floor())
}

/// Returns the seconds from one time to another; 0 when the clocks disagree about the order.
pub fn between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

/// Writes the length of time from one time to another; no length is below 0.
pub fn since(from: Timestamp, to: Timestamp) -> String {
    length(between(from, to))
}

/// Writes how long ago a time was.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", since(at, now))
}

/// Writes a number with commas: `1,000,000`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes a number with its noun: `1 node`, `20,000 nodes`.
pub fn count(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {noun}{s}", thousands(number))
}

/// Writes a word of the metrics for people: `partially failed`.
pub fn plain(word: &str) -> String {
    word.replace('_', " ")
}

/// Returns the name of a cluster; its id where the name is not known, as before the first good poll.
pub fn name(cluster: &ClusterReport) -> &str {
    name_or_id(&cluster.cluster_name, &cluster.cluster_id)
}

/// Returns a name, or the id where there is none.
pub fn name_or_id<'a>(name: &'a str, id: &'a str) -> &'a str {
    if name.trim().is_empty() { id } else { name }
}

/// Writes account, product and name of a cluster.
pub fn whose(cluster: &ClusterReport) -> String {
    let ClusterReport {
        account, product, ..
    } = cluster;
    format!("{account} {product} {}", name(cluster))
}

/// Writes account and product.
pub fn whose_product(product: &ProductReport) -> String {
    format!("{} {}", product.account, product.product)
}

/// Writes the cluster's state in the vendor's words: `200 available`, or the word alone where it speaks
/// for itself; empty when not told.
pub fn vendor_status(cluster: &ClusterReport) -> String {
    match &cluster.status_meaning {
        Some(meaning) => format!("{} {meaning}", cluster.raw_status),
        None => cluster.raw_status.clone(),
    }
}

/// Writes what an upgrade changes; `None` for the usual one, of the version.
pub fn kind(upgrade: &UpgradeReport) -> Option<&str> {
    change(&upgrade.kind)
}

/// Writes what upgrades of a kind change; `None` for the usual one, of the version.
pub fn change(kind: &Word<Kind>) -> Option<&str> {
    match kind {
        Word::Known(Kind::Version) => None,
        Word::Known(Kind::AzMigration) => Some("move to another zone"),
        Word::Other(other) => Some(other),
    }
}

/// Returns whether the data of a cluster are old: it missed about three polls.
pub fn is_out_of_date(cluster: &ClusterReport, at: Timestamp, now: Timestamp) -> bool {
    between(at, now) > cluster.poll_interval_seconds * 3.0 + 30.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_between_thousands() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (20_000, "20,000"),
            (1_000_000, "1,000,000"),
        ] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(
            (count(1, "node"), count(2_000, "node")),
            ("1 node".into(), "2,000 nodes".into())
        );
    }
}

/// Upgrades of the API's document.
#[cfg(test)]
mod testing {
    use super::UpgradeReport;
    use crate::report::Report;

    /// Returns the upgrade of the document, changed.
    pub(super) fn upgrade(change: impl FnOnce(&mut UpgradeReport)) -> UpgradeReport {
        let document = include_str!("../../tests/data/api/upgrades.json");
        let mut report: Report = serde_json::from_str(document).unwrap();
        let mut upgrade = report.clusters.remove(0).upgrades.remove(0);
        change(&mut upgrade);
        upgrade
    }
}
