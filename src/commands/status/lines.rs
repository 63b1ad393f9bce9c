//! What is new, one plain line for each thing: for files, pipes and logs.

use std::collections::HashMap;

use rolling_upgrade_exporter::report::format::{length, percent};
use rolling_upgrade_exporter::report::{
    ClusterReport, DegradedReport, ErrorReport, NodeReport, ProductReport, Report, TaskReport,
    UpgradeReport,
};
use rolling_upgrade_exporter::text::{Foreign, escaped};

use super::text::{is_over, name, since, status, versions};

/// What changed between two reports, in the order of the second; everything that is in work or in
/// trouble when there was none before. Each line begins with the time.
pub(super) fn changes(before: Option<&Report>, now: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for product in &now.products {
        let old = before.and_then(|b| b.products.iter().find(|old| is_same_product(old, product)));
        discovery(old, product, &mut lines);
    }
    for cluster in &now.clusters {
        let old = before.and_then(|b| b.clusters.iter().find(|old| is_same_cluster(old, cluster)));
        let begin = lines.len();
        answers(old, cluster, &mut lines);
        completeness(old, cluster, &mut lines);
        for upgrade in &cluster.upgrades {
            let same = |old: &&UpgradeReport| is_same(old, upgrade);
            let old = old.and_then(|old| old.upgrades.iter().find(same));
            one(old, upgrade, now, &mut lines);
        }
        lost(old, cluster, &mut lines);
        for line in lines.iter_mut().skip(begin) {
            *line = format!("{}: {line}", whose(cluster));
        }
    }
    for old in before.into_iter().flat_map(|b| &b.clusters) {
        if !now.clusters.iter().any(|new| is_same_cluster(old, new)) {
            lines.push(format!("{}: is gone", whose(old)));
        }
    }
    lines.iter().map(|line| stamped(now, line)).collect()
}

/// A line with the report's time.
pub(super) fn stamped(report: &Report, line: &str) -> String {
    format!("{} {line}", report.generated.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

/// For instance `kr-prod ses search-logs`.
pub(super) fn whose(cluster: &ClusterReport) -> String {
    let (account, product) = (escaped(&cluster.account), escaped(&cluster.product));
    format!("{account} {product} {}", name(cluster))
}

/// What went wrong, for people.
pub(super) fn error(error: &ErrorReport) -> String {
    format!("{}: {}", escaped(&error.reason), Foreign(&error.message))
}

/// Describes a failing secondary call: what is missing, which permission gives it, why it fails.
pub(super) fn degraded(call: &DegradedReport) -> String {
    let needs = match call.permission.as_str() {
        "" => String::new(),
        permission => format!(" (needs {})", escaped(permission)),
    };
    let (missing, reason) = (escaped(&call.missing), escaped(&call.reason));
    format!(
        "missing: {missing}{needs}; {reason}: {}",
        Foreign(&call.message)
    )
}

fn is_same_product(a: &ProductReport, b: &ProductReport) -> bool {
    (&a.account, &a.product) == (&b.account, &b.product)
}

fn is_same_cluster(a: &ClusterReport, b: &ClusterReport) -> bool {
    (&a.account, &a.product, &a.cluster_id) == (&b.account, &b.product, &b.cluster_id)
}

fn is_same(a: &UpgradeReport, b: &UpgradeReport) -> bool {
    (&a.kind, &a.upgrade_id, a.requested) == (&b.kind, &b.upgrade_id, b.requested)
}

fn discovery(old: Option<&ProductReport>, product: &ProductReport, lines: &mut Vec<String>) {
    let old = old.and_then(|old| old.last_error.as_ref());
    let whose = format!(
        "{} {}",
        escaped(&product.account),
        escaped(&product.product)
    );
    match (old, &product.last_error) {
        (None, None) => {}
        (Some(old), Some(new)) if old.message == new.message => {}
        (_, Some(new)) => lines.push(format!(
            "{whose}: clusters cannot be listed: {}",
            error(new)
        )),
        (Some(_), None) => lines.push(format!("{whose}: clusters can be listed again")),
    }
}

fn answers(old: Option<&ClusterReport>, cluster: &ClusterReport, lines: &mut Vec<String>) {
    let old = old.and_then(|old| old.last_error.as_ref());
    match (old, &cluster.last_error) {
        (None, None) => {}
        (Some(old), Some(new)) if old.message == new.message => {}
        (_, Some(new)) => lines.push(format!("no answer: {}", error(new))),
        (Some(_), None) => lines.push("answers again".to_owned()),
    }
}

/// Adds a line for each call that begins to fail, fails for another reason, or fails no more.
fn completeness(old: Option<&ClusterReport>, cluster: &ClusterReport, lines: &mut Vec<String>) {
    let before = old.map_or(&[][..], |old| &old.degraded);
    for call in &cluster.degraded {
        let is_known =
            |old: &DegradedReport| (&old.endpoint, &old.reason) == (&call.endpoint, &call.reason);
        if !before.iter().any(is_known) {
            lines.push(format!("degraded: {}", degraded(call)));
        }
    }
    for call in before {
        let still = |new: &DegradedReport| new.endpoint == call.endpoint;
        if !cluster.degraded.iter().any(still) {
            lines.push(format!("{} fails no more", escaped(&call.endpoint)));
        }
    }
}

/// Upgrades that had not ended when they were last shown.
fn lost(old: Option<&ClusterReport>, cluster: &ClusterReport, lines: &mut Vec<String>) {
    for old in old.into_iter().flat_map(|old| &old.upgrades) {
        if !is_over(old) && !cluster.upgrades.iter().any(|new| new.kind == old.kind) {
            let what = match what(old) {
                what if what.is_empty() => "upgrade ".to_owned(),
                what => what,
            };
            lines.push(format!("{what}is not shown any more"));
        }
    }
}

fn one<'a>(
    old: Option<&'a UpgradeReport>,
    upgrade: &'a UpgradeReport,
    now: &Report,
    lines: &mut Vec<String>,
) {
    let is_news = old.is_none_or(|old| old.status != upgrade.status);
    if is_news {
        lines.push(entered(upgrade));
    }
    let was_stalled = old.is_some_and(|old| old.stalled);
    match (was_stalled, upgrade.stalled) {
        (false, true) => lines.push(format!(
            "stalled: nothing moved for {}",
            since(upgrade.last_progress, now.generated)
        )),
        (true, false) if !is_over(upgrade) => lines.push("moves again".to_owned()),
        _ => {}
    }
    if upgrade.overdue && old.is_none_or(|old| !old.overdue) {
        let limit = upgrade.overdue_after_seconds.map(length);
        lines.push(format!(
            "overdue: running for longer than {}",
            limit.unwrap_or_default()
        ));
    }
    if upgrade.waits_for_person && old.is_none_or(|old| !old.waits_for_person) {
        lines.push("waits until a person goes on with it".to_owned());
    }
    let of = |node: &'a NodeReport| (&*node.node, &*node.role);
    let old_nodes =
        old.map(|old| -> HashMap<_, _> { old.nodes.iter().map(|node| (of(node), node)).collect() });
    for node in &upgrade.nodes {
        match old_nodes.as_ref().map(|old| old.get(&of(node))) {
            // At first sight those that only wait, or are done, are no news.
            None if !is_over(upgrade) && matches!(node.status.as_str(), "upgrading" | "failed") => {
                lines.push(self::node(node));
            }
            None => {}
            Some(Some(old))
                if (&old.status, &old.raw_status) == (&node.status, &node.raw_status) => {}
            Some(_) => lines.push(self::node(node)),
        }
    }
    for task in &upgrade.tasks {
        let same = |old: &&TaskReport| (old.order, &old.task) == (task.order, &task.task);
        match old.map(|old| old.tasks.iter().find(same)) {
            None if !is_over(upgrade) && matches!(task.status.as_str(), "running" | "failed") => {
                lines.push(self::task(task));
            }
            None => {}
            Some(Some(old)) if old.status == task.status => {}
            Some(None) if task.status == "waiting" => {}
            Some(_) => lines.push(self::task(task)),
        }
    }
}

/// Which of its cluster's upgrades, with a space behind it; of the usual one nothing is said.
fn what(upgrade: &UpgradeReport) -> String {
    match upgrade.kind.as_str() {
        "version" => String::new(),
        "az_migration" => "move to another zone ".to_owned(),
        other => format!("{} ", escaped(other)),
    }
}

/// The upgrade is in a state: which, how far, from where to where.
fn entered(upgrade: &UpgradeReport) -> String {
    let what = what(upgrade);
    let status = status(upgrade);
    let took = upgrade.duration_seconds.filter(|_| is_over(upgrade));
    let facts = [
        upgrade.progress_ratio.map(percent),
        Some(versions(upgrade)).filter(|text| !text.is_empty()),
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
    format!("{what}{status}, {}", facts.join(", "))
}

fn node(node: &NodeReport) -> String {
    let said = match node.raw_status.as_str() {
        "" => String::new(),
        word => format!(" ({})", escaped(word)),
    };
    let role = match node.role.as_str() {
        "" | "node" => String::new(),
        role => format!("{} ", escaped(role)),
    };
    format!(
        "{role}node {}: {}{said}",
        escaped(&node.node),
        escaped(&node.status)
    )
}

fn task(task: &TaskReport) -> String {
    format!(
        "task {} {}: {}",
        task.order,
        escaped(&task.task),
        escaped(&task.status)
    )
}

/// How all upgrades ended, or how those that are known stand: `2 succeeded, 1 failed`.
pub(super) fn counts(report: &Report) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for (_, _, upgrade) in report.by_attention() {
        let Some(upgrade) = upgrade else { continue };
        let word = if upgrade.stalled {
            "stalled".to_owned()
        } else {
            status(upgrade)
        };
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    counts.join(", ")
}

#[cfg(test)]
mod tests;
