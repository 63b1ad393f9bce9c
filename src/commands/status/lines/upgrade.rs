//! What is new of one upgrade, a line for each thing.

use std::collections::HashMap;

use jiff::Timestamp;
use rolling_upgrade_exporter::model::{NodeStatus, TaskStatus};
use rolling_upgrade_exporter::report::format::{self, are_versions_zones, length, percent};
use rolling_upgrade_exporter::report::{
    FindingReport, NodeReport, PrecheckReport, TaskReport, UpgradeReport,
};
use rolling_upgrade_exporter::text::escaped;

use super::super::text::{self, finding, named_versions, reason, status, zones};

/// Most items of a check that are told one by one.
const MAX_FINDINGS: usize = 10;

/// Adds what changed of an upgrade; what is in work or in trouble where nothing was known of it.
pub(super) fn changes<'a>(
    old: Option<&'a UpgradeReport>,
    upgrade: &'a UpgradeReport,
    now: Timestamp,
    lines: &mut Vec<String>,
) {
    let is_new_state = old.is_none_or(|old| old.status != upgrade.status);
    let is_newly_stalled = upgrade.stalled && !old.is_some_and(|old| old.stalled);
    let is_new_reason = old.and_then(|old| old.reason.as_ref()) != upgrade.reason.as_ref();
    let why = reason(upgrade);
    // Of an upgrade that enters a state and is stalled at once, the line of the stall tells why.
    let told = why.as_deref().filter(|_| is_new_state && !is_newly_stalled);
    if is_new_state {
        lines.push(entered(upgrade, told));
    }
    if is_newly_stalled {
        let why = why
            .as_deref()
            .map_or(String::new(), |why| format!("; {why}"));
        let silence = format::silence(upgrade, now);
        lines.push(format!("stalled: {silence}{why}"));
    } else if old.is_some_and(|old| old.stalled) && !upgrade.stalled && !upgrade.is_over() {
        lines.push("moves again".to_owned());
    }
    if let Some(why) = why.filter(|_| is_new_reason && !is_new_state && !is_newly_stalled) {
        lines.push(format!("the vendor's reason: {why}"));
    }
    if let Some(limit) = format::overdue(upgrade).filter(|_| old.is_none_or(|old| !old.overdue)) {
        lines.push(format!("overdue: {limit}"));
    }
    if upgrade.waits_for_person && old.is_none_or(|old| !old.waits_for_person) {
        lines.push("waits until a person goes on with it".to_owned());
    }
    nodes(old, upgrade, lines);
    tasks(old, upgrade, lines);
    prechecks(old, upgrade, now, lines);
    let could_be_cancelled = old.is_some_and(|old| old.can_be_cancelled == Some(true));
    if could_be_cancelled && upgrade.can_be_cancelled == Some(false) && !upgrade.is_over() {
        lines.push("cannot be cancelled now".to_owned());
    }
}

/// Returns whether nodes and tasks in these states are told at first sight: those in work, and those that
/// failed, also of an upgrade that failed before.
fn is_told(upgrade: &UpgradeReport, is_in_work: bool, has_failed: bool) -> bool {
    (is_in_work || has_failed) && !upgrade.is_over() || has_failed && upgrade.has_failed()
}

fn nodes(old: Option<&UpgradeReport>, upgrade: &UpgradeReport, lines: &mut Vec<String>) {
    fn id(node: &NodeReport) -> (&str, &str) {
        (&node.node, &node.role)
    }
    let old_nodes: Option<HashMap<_, _>> =
        old.map(|old| old.nodes.iter().map(|node| (id(node), node)).collect());
    for node in &upgrade.nodes {
        let is_news = match old_nodes.as_ref().map(|old| old.get(&id(node))) {
            None => is_told(
                upgrade,
                node.status == NodeStatus::Upgrading,
                node.status == NodeStatus::Failed,
            ),
            Some(Some(old)) => (&old.status, &old.raw_status) != (&node.status, &node.raw_status),
            Some(None) => true,
        };
        if is_news {
            let line = format::node_change(upgrade, node);
            lines.push(escaped(&line).into_owned());
        }
    }
}

fn tasks(old: Option<&UpgradeReport>, upgrade: &UpgradeReport, lines: &mut Vec<String>) {
    for task in &upgrade.tasks {
        let same = |old: &&TaskReport| (old.order, &old.task) == (task.order, &task.task);
        let is_news = match old.map(|old| old.tasks.iter().find(same)) {
            None => is_told(
                upgrade,
                task.status == TaskStatus::Running,
                task.status == TaskStatus::Failed,
            ),
            Some(Some(old)) => old.status != task.status,
            Some(None) => task.status != TaskStatus::Waiting,
        };
        if is_news {
            let name = text::task(upgrade, task.order);
            lines.push(format!("task {name}: {}", escaped(task.status.as_str())));
        }
    }
}

/// Adds the items of a check that did not pass, and until when a passed one is good.
fn prechecks(
    old: Option<&UpgradeReport>,
    upgrade: &UpgradeReport,
    now: Timestamp,
    lines: &mut Vec<String>,
) {
    let Some(precheck) = &upgrade.precheck else {
        return;
    };
    if upgrade.is_over() && !upgrade.has_failed() {
        return;
    }
    let old = old.and_then(|old| old.precheck.as_ref());
    let old_until = old.and_then(|old| old.valid_until);
    let until = precheck
        .valid_until
        .filter(|until| *until > now && Some(*until) != old_until);
    if let Some(until) = until {
        lines.push(format!("precheck: {}", format::passed(until, now)));
    }
    let before: &[FindingReport] = old.map_or(&[], |old| &old.findings);
    let mut new = precheck.findings.iter().filter(|new| !before.contains(new));
    for item in new.by_ref().take(MAX_FINDINGS) {
        lines.push(format!("precheck: failed: {}", finding(item)));
    }
    let left_out = |precheck: &PrecheckReport| precheck.findings_left_out;
    let is_more = left_out(precheck) > old.map_or(0, left_out);
    let more = u64::try_from(new.count()).unwrap_or(u64::MAX);
    let more = more.saturating_add(if is_more { left_out(precheck) } else { 0 });
    lines.extend(format::more_findings(more).map(|more| format!("precheck: {more}")));
}

/// Returns which of its cluster's upgrades it is, with a space behind it; nothing for the usual one.
pub(super) fn what(upgrade: &UpgradeReport) -> String {
    let kind = format::kind(upgrade);
    kind.map_or_else(String::new, |kind| format!("{} ", escaped(kind)))
}

/// Tells that the upgrade is in a state, and why; how far it is, from where to where.
fn entered(upgrade: &UpgradeReport, why: Option<&str>) -> String {
    let what = what(upgrade);
    let status = match why {
        Some(why) => format!("{}: {why}", status(upgrade)),
        None => status(upgrade),
    };
    let took = upgrade.duration_seconds.filter(|_| upgrade.is_over());
    let is_move = are_versions_zones(upgrade);
    let facts = [
        upgrade.progress_ratio.map(percent),
        Some(named_versions(upgrade)).filter(|text| !text.is_empty() && !is_move),
        Some(zones(upgrade)).filter(|text| !text.is_empty()),
        took.map(|seconds| format!("after {}", length(seconds))),
        upgrade.retries.filter(|n| *n > 0).map(|n| match n {
            1 => "1 retry".to_owned(),
            n => format!("{n} retries"),
        }),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    if facts.is_empty() {
        return format!("{what}{status}");
    }
    let separator = if why.is_some() { ";" } else { "," };
    format!("{what}{status}{separator} {}", facts.join(", "))
}
