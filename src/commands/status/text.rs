//! Words for people: lengths of time, shares, states, and foreign text that is safe to print.

use jiff::Timestamp;
use rolling_upgrade_exporter::model::NodeStatus;
use rolling_upgrade_exporter::report::format::{self, length};
use rolling_upgrade_exporter::report::{ClusterReport, FindingReport, UpgradeReport};
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
    escaped(upgrade.status.as_str()).replace('_', " ")
}

/// Returns the state in some words.
pub(super) fn state(upgrade: &UpgradeReport) -> String {
    let word = status(upgrade);
    if upgrade.stalled {
        "stalled".to_owned()
    } else if !upgrade.is_over() && upgrade.nodes_in(NodeStatus::Failed) > 0 {
        format!("{word}, a node failed")
    } else if upgrade.overdue {
        format!("{word}, overdue")
    } else {
        word
    }
}

/// Returns the versions by the codes of the metrics, as far as they are known.
pub(super) fn versions(upgrade: &UpgradeReport) -> String {
    from_to(
        shown(upgrade.from_version.as_ref()),
        shown(upgrade.to_version.as_ref()),
    )
}

/// Returns the versions by name, where the names are known, with the codes beside them where the names do
/// not hold them: `Engine 2.9.0 -> 2.14.0 (290 -> 2140)`.
pub(super) fn named_versions(upgrade: &UpgradeReport) -> String {
    let codes = versions(upgrade);
    let from = upgrade.from_version_name.as_deref();
    let to = upgrade.to_version_name.as_deref();
    if let (Some(from), Some(to), true) = (from, to, is_complete(upgrade)) {
        let names = format!(
            "{} -> {}",
            escaped(from),
            escaped(format::without_product(from, to))
        );
        let holds_codes = holds_code(upgrade.from_version.as_ref(), from)
            && holds_code(upgrade.to_version.as_ref(), to);
        return if holds_codes {
            names
        } else {
            format!("{names} ({codes})")
        };
    }
    let named = |code: Option<&String>, name| {
        code.map(|code| escaped(&format::version(code, name)).into_owned())
    };
    from_to(
        named(upgrade.from_version.as_ref(), from),
        named(upgrade.to_version.as_ref(), to),
    )
}

fn shown(version: Option<&String>) -> Option<String> {
    version.map(|version| escaped(version).into_owned())
}

fn from_to(from: Option<String>, to: Option<String>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("{from} -> {to}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("to {to}"),
        (None, None) => String::new(),
    }
}

/// Returns whether a code adds nothing to the name of its version.
fn holds_code(code: Option<&String>, name: &str) -> bool {
    code.is_some_and(|code| format::version(code, Some(name)) == name)
}

fn is_complete(upgrade: &UpgradeReport) -> bool {
    upgrade.from_version.is_some() && upgrade.to_version.is_some()
}

/// Returns the vendor's reason why an upgrade failed or does not move.
pub(super) fn reason(upgrade: &UpgradeReport) -> Option<String> {
    let reason = upgrade.reason.as_deref()?;
    Some(escaped(reason).into_owned()).filter(|reason| !reason.is_empty())
}

/// Returns the current task and its place among all: `Node replacement (2 of 4)`.
pub(super) fn current_task(upgrade: &UpgradeReport) -> Option<String> {
    format::current_task(upgrade).map(|task| escaped(&task).into_owned())
}

/// Returns the task of this order and its place among all, or the order of one that is not listed.
pub(super) fn task(upgrade: &UpgradeReport, order: u32) -> String {
    let task = upgrade.tasks.iter().find(|task| task.order == order);
    match task.zip(task_place(upgrade, order)) {
        Some((task, place)) => format!("{} ({place})", escaped(&task.task)),
        None => format!("task {order}"),
    }
}

/// Returns the place of the task of this order among all: `2 of 4`; `None` when it is not listed.
pub(super) fn task_place(upgrade: &UpgradeReport, order: u32) -> Option<String> {
    let place = upgrade.tasks.iter().position(|task| task.order == order)?;
    Some(format!("{} of {}", place + 1, upgrade.all_tasks()))
}

/// Returns the zones from and to which nodes move, with the type of these nodes; empty when not told.
pub(super) fn zones(upgrade: &UpgradeReport) -> String {
    let Some(zones) = &upgrade.zone_move else {
        return String::new();
    };
    let list = |zones: &[String]| {
        let zones: Vec<_> = zones.iter().map(|zone| escaped(zone)).collect();
        Some(zones.join(", ")).filter(|zones| !zones.is_empty())
    };
    let zones_text = from_to(list(&zones.from), list(&zones.to));
    match &zones.instance_type {
        Some(kind) if !zones_text.is_empty() => format!("{zones_text} ({})", escaped(kind)),
        _ => zones_text,
    }
}

/// Describes an item of a check that did not pass: item, object, message and the vendor's codes.
pub(super) fn finding(finding: &FindingReport) -> String {
    escaped(&finding.line()).into_owned()
}

/// Writes the length of time from `at` to `now`; nothing is in the future.
pub(super) fn since(at: Timestamp, now: Timestamp) -> String {
    length(format::between(at, now))
}

#[cfg(test)]
mod tests {
    use rolling_upgrade_exporter::model::{FindingScope, Kind};

    use super::*;

    /// Returns the upgrade of the API's document, changed.
    fn upgrade(change: impl FnOnce(&mut UpgradeReport)) -> UpgradeReport {
        let document = include_str!("../../../tests/data/api/upgrades.json");
        let mut report: rolling_upgrade_exporter::report::Report =
            serde_json::from_str(document).unwrap();
        let mut upgrade = report.clusters.remove(0).upgrades.remove(0);
        change(&mut upgrade);
        upgrade
    }

    #[test]
    fn versions_have_names_and_codes() {
        let named = |from: Option<(&str, &str)>, to: Option<(&str, &str)>| {
            let own = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let upgrade = upgrade(|u| {
                u.from_version = from.and_then(|(code, _)| own(code));
                u.to_version = to.and_then(|(code, _)| own(code));
                u.from_version_name = from.and_then(|(_, name)| own(name));
                u.to_version_name = to.and_then(|(_, name)| own(name));
            });
            named_versions(&upgrade)
        };
        let old = Some(("290", "OpenSearch 2.9.0"));
        for (from, to, want) in [
            (
                old,
                Some(("2140", "OpenSearch 2.14.0")),
                "OpenSearch 2.9.0 -> 2.14.0 (290 -> 2140)",
            ),
            (
                Some(("701", "Elasticsearch 7.10.2")),
                Some(("110", "OpenSearch 1.1.0")),
                "Elasticsearch 7.10.2 -> OpenSearch 1.1.0 (701 -> 110)",
            ),
            (
                Some(("7.6.2", "Elasticsearch 7.6.2")),
                Some(("7.10.2", "Elasticsearch 7.10.2")),
                "Elasticsearch 7.6.2 -> 7.10.2",
            ),
            (old, Some(("2140", "")), "OpenSearch 2.9.0 (290) -> 2140"),
            (old, None, "from OpenSearch 2.9.0 (290)"),
            (Some(("1.0", "1.0")), Some(("2.0", "2.0")), "1.0 -> 2.0"),
            (Some(("v1", "")), Some(("v2", "")), "v1 -> v2"),
            (None, None, ""),
        ] {
            assert_eq!(named(from, to), want);
        }
    }

    #[test]
    fn an_item_of_a_check_is_one_line() {
        let mut item = upgrade(|_| {}).precheck.unwrap().findings.remove(0);
        assert_eq!(
            finding(&item),
            "addon-limit-check (addon coredns): the add-on is too old [CCE.01400001]"
        );
        item.target.clear();
        item.message = "two\nlines".to_owned();
        item.codes.clear();
        assert_eq!(finding(&item), r"addon-limit-check (addon): two\u{a}lines");
        item.scope = FindingScope::Cluster.into();
        item.message.clear();
        assert_eq!(finding(&item), "addon-limit-check");
    }

    #[test]
    fn tasks_have_a_place_among_all() {
        let upgrade = upgrade(|u| u.tasks_left_out = 2);
        assert_eq!(current_task(&upgrade).as_deref(), Some("restart (1 of 3)"));
        assert_eq!(task(&upgrade, 4), "restart (1 of 3)");
        assert_eq!(task(&upgrade, 7), "task 7");
    }

    #[test]
    fn zones_are_no_versions() {
        let mut upgrade = upgrade(|_| {});
        assert_eq!(zones(&upgrade), "cn-north-4a -> cn-north-4c (ess)");
        assert!(!format::are_versions_zones(&upgrade));
        upgrade.kind = Kind::AzMigration.into();
        assert!(format::are_versions_zones(&upgrade));
        upgrade.zone_move = None;
        assert_eq!(zones(&upgrade), "");
        assert!(!format::are_versions_zones(&upgrade));
    }
}
