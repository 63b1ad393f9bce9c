//! Rows below an upgrade: its nodes, its check, and what the cloud does not answer.

use jiff::Timestamp;
use rolling_upgrade_exporter::model::NodeStatus;
use rolling_upgrade_exporter::report::format::{self, since};
use rolling_upgrade_exporter::report::{ClusterReport, FindingReport, NodeReport, UpgradeReport};
use rolling_upgrade_exporter::text::escaped;

use super::super::text::{self, finding};
use super::rows::{Columns, Row, text_row};

/// Most items of a check that have a row each.
const MAX_FINDINGS: usize = 3;

/// Builds the rows below an upgrade: why the cloud does not answer, the nodes that are in work or failed,
/// the items of the check that did not pass, and what is missing. Of one in trouble, nodes come first.
pub(super) fn rows(
    cluster: &ClusterReport,
    upgrade: &UpgradeReport,
    now: Timestamp,
    is_trouble: bool,
    columns: &Columns,
) -> Vec<Row> {
    let error = cluster.last_error.as_ref().map(|error| {
        let age = cluster.last_success.map(|at| since(at, now));
        let age = age.map_or(String::new(), |age| format!("data are {age} old; "));
        format!("{age}{}", text::error(error))
    });
    let is_news = |node: &&NodeReport| match node.status.known() {
        Some(NodeStatus::Upgrading) => !upgrade.is_over(),
        status => status == Some(NodeStatus::Failed),
    };
    let nodes = upgrade.nodes.iter().filter(is_news);
    let mut nodes: Vec<&NodeReport> = nodes.collect();
    // Stable: the failed ones first, else as the vendor lists them.
    nodes.sort_by_key(|node| node.status != NodeStatus::Failed);
    let nodes = nodes
        .into_iter()
        .map(|node| escaped(&format::node_line(upgrade, node)).into_owned());
    let is_checked = !upgrade.is_over() || is_trouble;
    let precheck = upgrade.precheck.as_ref().filter(|_| is_checked);
    let findings = precheck.into_iter().flat_map(|precheck| &precheck.findings);
    // The row of the reason tells its item.
    let is_reason = |item: &&FindingReport| upgrade.reason.as_ref() == Some(&item.line());
    let findings = findings.filter(|item| !is_reason(item)).take(MAX_FINDINGS);
    let findings = findings.map(|item| format!("precheck failed: {}", finding(item)));
    let degraded = cluster.degraded.iter();
    let degraded = degraded.map(|call| format!("degraded, {}", text::degraded(call)));
    let texts: Vec<String> = if is_trouble {
        let rest = error.into_iter().chain(degraded);
        nodes.chain(findings).chain(rest).collect()
    } else {
        let rest = degraded.chain(nodes);
        error.into_iter().chain(rest).chain(findings).collect()
    };
    let texts = texts.iter();
    texts.map(|text| text_row("  ", text, columns)).collect()
}
