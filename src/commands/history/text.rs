//! Texts of the history, made fit for a terminal: foreign text in them is escaped.

use jiff::Timestamp;
use rolling_upgrade_exporter::report::format::{self, length};
use rolling_upgrade_exporter::report::{NodeReport, PastUpgradeReport};
use rolling_upgrade_exporter::text::escaped;

fn safe(text: &str) -> String {
    escaped(text).into_owned()
}

/// Returns the cluster's name, or its id where it has none.
pub(super) fn name(upgrade: &PastUpgradeReport) -> String {
    safe(format::name_or_id(
        &upgrade.cluster_name,
        &upgrade.cluster_id,
    ))
}

/// Returns the outcome in words.
pub(super) fn outcome(upgrade: &PastUpgradeReport) -> String {
    safe(&format::plain(upgrade.outcome.as_str()))
}

/// Returns what the upgrade changed, where that is not the version.
pub(super) fn change(upgrade: &PastUpgradeReport) -> Option<String> {
    format::change(&upgrade.kind).map(safe)
}

/// Returns the versions before and after by the codes of the metrics.
pub(super) fn versions(upgrade: &PastUpgradeReport) -> String {
    safe(&format::versions(upgrade))
}

/// Returns the versions before and after by name, with the codes beside them.
pub(super) fn named_versions(upgrade: &PastUpgradeReport) -> String {
    safe(&format::named_versions(upgrade))
}

/// Returns the vendor's reason why the upgrade, or a node of it, failed.
pub(super) fn reason(upgrade: &PastUpgradeReport) -> Option<String> {
    let reason = upgrade.reason.as_deref()?;
    Some(safe(reason)).filter(|reason| !reason.is_empty())
}

/// Returns a node and for how long it was in work.
pub(super) fn timed(node: &NodeReport) -> String {
    let took = node.duration_seconds.map_or(String::new(), length);
    format!("{} {took}", safe(&node.node))
}

/// Returns a date of UTC.
pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// Returns date and minute of UTC.
pub(super) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Returns a time of UTC to the second, with its date where that is not the date of the end.
pub(super) fn moment(at: Timestamp, end: Timestamp) -> String {
    let time = at.strftime("%H:%M:%S").to_string();
    match day(at) {
        date if date == day(end) => time,
        date => format!("{date} {time}"),
    }
}
