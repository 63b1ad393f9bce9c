//! What is new, one plain line for each thing: for files, pipes and logs.

mod upgrade;

use rolling_upgrade_exporter::report::format;
use rolling_upgrade_exporter::report::{
    Attention, ClusterReport, DegradedReport, ProductReport, Report, SkewedClock, UpgradeReport,
};
use rolling_upgrade_exporter::text::escaped;

use super::text::{degraded, error, whose};

/// Returns what changed between two reports, failed and stalled upgrades first; everything that is in
/// work or in trouble when there was none before, whenever it began. Each line begins with the time.
pub(super) fn changes(before: Option<&Report>, now: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let times = now.times();
    for cluster in by_attention(now) {
        let old = before.and_then(|b| b.clusters.iter().find(|old| is_same_cluster(old, cluster)));
        let begin = lines.len();
        answers(old, cluster, &mut lines);
        for upgrade in &cluster.upgrades {
            let same = |old: &&UpgradeReport| is_same(old, upgrade);
            let old = old.and_then(|old| old.upgrades.iter().find(same));
            upgrade::changes(old, upgrade, times.of(&cluster.account), &mut lines);
        }
        completeness(old, cluster, &mut lines);
        lost(old, cluster, &mut lines);
        for line in lines.iter_mut().skip(begin) {
            *line = format!("{}: {line}", whose(cluster));
        }
    }
    for clock in now.skewed_clocks() {
        let is_same = |old: &SkewedClock<'_>| old.account == clock.account;
        if !before.is_some_and(|b| b.skewed_clocks().iter().any(is_same)) {
            lines.push(format!("{}: {}", escaped(clock.account), clock.notice()));
        }
    }
    for product in &now.products {
        let old = before.and_then(|b| b.products.iter().find(|old| is_same_product(old, product)));
        discovery(old, product, &mut lines);
    }
    for old in before.into_iter().flat_map(|b| &b.clusters) {
        if !now.clusters.iter().any(|new| is_same_cluster(old, new)) {
            lines.push(format!("{}: is gone", whose(old)));
        }
    }
    lines.iter().map(|line| stamped(now, line)).collect()
}

/// Returns the clusters, those with an upgrade that failed or stalled first.
fn by_attention(report: &Report) -> Vec<&ClusterReport> {
    let urgency = |cluster: &&ClusterReport| {
        let upgrades = cluster.upgrades.iter();
        let attentions = upgrades.map(|upgrade| Attention::of(cluster, Some(upgrade)));
        attentions.min().unwrap_or(Attention::Idle)
    };
    let mut clusters: Vec<_> = report.clusters.iter().collect();
    clusters.sort_by_key(urgency);
    clusters
}

/// A line with the report's time.
pub(super) fn stamped(report: &Report, line: &str) -> String {
    format!("{} {line}", report.generated.strftime("%Y-%m-%dT%H:%M:%SZ"))
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
    let whose = escaped(&format::whose_product(product)).into_owned();
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
        if !old.is_over() && !cluster.upgrades.iter().any(|new| new.kind == old.kind) {
            let what = match upgrade::what(old) {
                what if what.is_empty() => "upgrade ".to_owned(),
                what => what,
            };
            lines.push(format!("{what}is not shown any more"));
        }
    }
}

#[cfg(test)]
mod tests;
