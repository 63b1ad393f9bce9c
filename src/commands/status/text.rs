//! Texts of the report, made fit for a terminal: foreign text in them is escaped.

use rolling_upgrade_exporter::report::format;
use rolling_upgrade_exporter::report::{
    Attention, ClusterReport, DegradedReport, ErrorReport, FindingReport, Report, UpgradeReport,
};
use rolling_upgrade_exporter::text::{Foreign, escaped};

fn safe(text: &str) -> String {
    escaped(text).into_owned()
}

/// Returns the cluster's name, or its id where it has none.
pub(super) fn name(cluster: &ClusterReport) -> String {
    safe(format::name(cluster))
}

/// Returns account, product and name of a cluster.
pub(super) fn whose(cluster: &ClusterReport) -> String {
    safe(&format::whose(cluster))
}

/// Returns the state of an upgrade by the vendor-neutral word.
pub(super) fn status(upgrade: &UpgradeReport) -> String {
    safe(&format::plain(upgrade.status.as_str()))
}

/// Returns the state of a row in some words.
pub(super) fn row_state(attention: Attention, upgrade: Option<&UpgradeReport>) -> String {
    safe(&format::row_state(attention, upgrade))
}

/// Returns the state of an upgrade in a word.
pub(super) fn short_state(attention: Attention, upgrade: &UpgradeReport) -> String {
    safe(&format::short_state(attention, upgrade))
}

/// Returns how many upgrades are in each state.
pub(super) fn counts(report: &Report) -> String {
    safe(&format::counts(report))
}

/// Returns the cluster's state in the vendor's words; empty when not told.
pub(super) fn vendor_status(cluster: &ClusterReport) -> String {
    safe(&format::vendor_status(cluster))
}

/// Returns the versions of an upgrade by the codes of the metrics.
pub(super) fn versions(upgrade: &UpgradeReport) -> String {
    safe(&format::versions(upgrade))
}

/// Returns the versions of an upgrade by name, with the codes beside them.
pub(super) fn named_versions(upgrade: &UpgradeReport) -> String {
    safe(&format::named_versions(upgrade))
}

/// Returns the version that a cluster runs.
pub(super) fn running_version(cluster: &ClusterReport) -> String {
    safe(&format::running_version(cluster))
}

/// Lists the versions that the vendor offers; empty when none is known.
pub(super) fn offered(cluster: &ClusterReport) -> String {
    safe(&format::offered(cluster))
}

/// Returns the zones from and to which nodes move; empty when not told.
pub(super) fn zones(upgrade: &UpgradeReport) -> String {
    safe(&format::zones(upgrade))
}

/// Returns the vendor's reason why an upgrade failed or does not move.
pub(super) fn reason(upgrade: &UpgradeReport) -> Option<String> {
    let reason = upgrade.reason.as_deref()?;
    Some(safe(reason)).filter(|reason| !reason.is_empty())
}

/// Returns the current task and its place among all.
pub(super) fn current_task(upgrade: &UpgradeReport) -> Option<String> {
    format::current_task(upgrade).map(|task| safe(&task))
}

/// Returns the task of this order and its place among all.
pub(super) fn task(upgrade: &UpgradeReport, order: u32) -> String {
    safe(&format::task(upgrade, order))
}

/// Returns an item of a check that did not pass.
pub(super) fn finding(finding: &FindingReport) -> String {
    safe(&finding.line())
}

/// Returns a failed call. What is escaped in its message stays as it is.
pub(super) fn error(error: &ErrorReport) -> String {
    Foreign(format::error(error)).to_string()
}

/// Returns a failing secondary call.
pub(super) fn degraded(call: &DegradedReport) -> String {
    Foreign(format::degraded(call)).to_string()
}

#[cfg(test)]
mod tests {
    use rolling_upgrade_exporter::model::FindingScope;

    use super::*;

    #[test]
    fn an_item_of_a_check_is_one_line() {
        let document = include_str!("../../../tests/data/api/upgrades.json");
        let mut report: Report = serde_json::from_str(document).unwrap();
        let upgrade = report.clusters.remove(0).upgrades.remove(0);
        let mut item = upgrade.precheck.unwrap().findings.remove(0);
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
}
