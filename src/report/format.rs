//! Texts about a report that the page and the terminal share.

use jiff::Timestamp;

use super::{ClusterReport, UpgradeReport};
use crate::model::Kind;

pub use crate::text::length;

/// Writes a share from 0 to 1 in percent, rounded down, so that 100% is only what has succeeded.
pub fn percent(ratio: f64) -> String {
    format!("{:.0}%", (ratio * 100.0).clamp(0.0, 100.0).floor())
}

/// Returns the seconds from one time to another; 0 when the clocks disagree about the order.
pub fn between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

/// Writes the name of a version, with the vendor's code beside it where both are known and the name does
/// not hold it (`OpenSearch 2.9.0` of `2.9.0`).
pub fn version(code: &str, name: Option<&str>) -> String {
    match name {
        Some(name) if name == code || name.ends_with(&format!(" {code}")) => name.to_owned(),
        Some(name) => format!("{name} ({code})"),
        _ => code.to_owned(),
    }
}

/// Returns the name of the version after without the product, where the name before begins with that
/// product, too: `2.14.0` after `OpenSearch 2.9.0`.
pub fn without_product<'a>(before: &str, after: &'a str) -> &'a str {
    match (before.rsplit_once(' '), after.rsplit_once(' ')) {
        (Some((before, _)), Some((product, version))) if before == product => version,
        _ => after,
    }
}

/// Returns whether the versions of an upgrade are the zones of a move that
/// [`zone_move`](UpgradeReport::zone_move) lists, too.
pub fn are_versions_zones(upgrade: &UpgradeReport) -> bool {
    let is_move = upgrade.kind == Kind::AzMigration;
    let zones = upgrade.zone_move.as_ref().filter(|_| is_move);
    zones.is_some_and(|zones| !(zones.from.is_empty() && zones.to.is_empty()))
}

/// Writes the current task and its place among all tasks: `Node replacement (2 of 4)`; `None` when no
/// task is current, or the current one is not listed.
pub fn current_task(upgrade: &UpgradeReport) -> Option<String> {
    let order = upgrade.task_order?;
    let place = upgrade.tasks.iter().position(|task| task.order == order)?;
    let name = &upgrade.tasks.get(place)?.task;
    Some(format!("{name} ({} of {})", place + 1, upgrade.all_tasks()))
}

/// Writes the cluster's state in the vendor's words: `200 available`, or the word alone where it speaks
/// for itself; empty when not told.
pub fn vendor_status(cluster: &ClusterReport) -> String {
    match &cluster.status_meaning {
        Some(meaning) => format!("{} {meaning}", cluster.raw_status),
        None => cluster.raw_status.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_its_code_beside_the_name_once() {
        for (code, name, want) in [
            ("290", Some("OpenSearch 2.9.0"), "OpenSearch 2.9.0 (290)"),
            ("2.9.0", Some("OpenSearch 2.9.0"), "OpenSearch 2.9.0"),
            (
                "OpenSearch 2.9.0",
                Some("OpenSearch 2.9.0"),
                "OpenSearch 2.9.0",
            ),
            ("0", Some("OpenSearch 2.9.0"), "OpenSearch 2.9.0 (0)"),
            ("290", None, "290"),
        ] {
            assert_eq!(version(code, name), want);
        }
    }
}
