//! Words for people: lengths of time, shares, states, and foreign text that is safe to print.

use jiff::Timestamp;
use rolling_upgrade_exporter::report::format::length;
use rolling_upgrade_exporter::report::{ClusterReport, UpgradeReport};
use rolling_upgrade_exporter::text::escaped;

/// The cluster's name, or its id where it has none.
pub(super) fn name(cluster: &ClusterReport) -> String {
    if cluster.cluster_name.is_empty() {
        escaped(&cluster.cluster_id).into_owned()
    } else {
        escaped(&cluster.cluster_name).into_owned()
    }
}

/// Returns the vendor-neutral status with spaces, for people.
pub(super) fn status(upgrade: &UpgradeReport) -> String {
    escaped(&upgrade.status).replace('_', " ")
}

/// The state in one or two words.
pub(super) fn state(upgrade: &UpgradeReport) -> String {
    let word = status(upgrade);
    if upgrade.stalled {
        "stalled".to_owned()
    } else if upgrade.overdue {
        format!("{word}, overdue")
    } else {
        word
    }
}

/// Whether it is over: nothing of it moves any more.
pub(super) fn is_over(upgrade: &UpgradeReport) -> bool {
    let is_final = matches!(
        upgrade.status.as_str(),
        "succeeded" | "failed" | "partially_failed" | "cancelled"
    );
    upgrade.ended.is_some() || is_final && upgrade.nodes_in("upgrading") == 0
}

/// The versions, as far as they are known.
pub(super) fn versions(upgrade: &UpgradeReport) -> String {
    let shown = |version: &Option<String>| version.as_deref().map(|v| escaped(v).into_owned());
    match (shown(&upgrade.from_version), shown(&upgrade.to_version)) {
        (Some(from), Some(to)) => format!("{from} -> {to}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("to {to}"),
        (None, None) => String::new(),
    }
}

/// How long before `now`; nothing is in the future.
pub(super) fn since(at: Timestamp, now: Timestamp) -> String {
    length(now.duration_since(at).as_secs_f64())
}
