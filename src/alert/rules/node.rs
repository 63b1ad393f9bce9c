//! Alerts about one node of an upgrade.

use std::collections::HashMap;
use std::time::Duration;

use super::{KEEP, NODE, promql};
use crate::alert::input::{AlertInput, Shown, exceeds};
use crate::alert::rule::{Labels, Rule, Severity};
use crate::model::NodeStatus;

/// A node may take this much more than the median of those that are done.
const TIMES: u32 = 3;
/// A node that took less is not slow, however fast the others were.
const AT_LEAST: Duration = Duration::from_secs(10 * 60);
/// A median of fewer says nothing.
const SIBLINGS: usize = 2;

pub(super) const RULES: &[Rule] = &[
    Rule {
        alert: "RollingUpgradeNodeFailed",
        severity: Severity::Critical,
        labels: NODE,
        expr: || {
            promql(
                r#"
                max by (NODE) (
                    rolling_upgrade_node_status{status="failed"} == 1
                  unless ignoring (kind, node, role, status) OUTDATED
                )
                "#,
                &[],
            )
        },
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "Node {{ $labels.node }} of {{ $labels.product }} cluster {{ $labels.cluster_name }} failed to upgrade.",
        description: "The upgrade of node {{ $labels.node }} (role {{ $labels.role }}) of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) failed. The cluster may run with one node less. Check its health first, then the vendor's console for the reason.",
        holds: Some(|input| {
            let upgrades = input.upgrades();
            let failed = upgrades.flat_map(|u| {
                let nodes = u.view.upgrade.nodes.iter();
                let failed = nodes.filter(|node| node.status == NodeStatus::Failed);
                failed.map(move |node| u.node_labels(node))
            });
            failed.collect()
        }),
    },
    Rule {
        alert: "RollingUpgradeNodeSlow",
        severity: Severity::Warning,
        labels: NODE,
        // A node in work ages at scrape time; less the age of the data it is what the last good
        // poll saw.
        expr: || {
            promql(
                r#"
                (
                  max by (NODE) (
                      rolling_upgrade_node_duration_seconds
                    - ignoring (kind, node, role) group_left ()
                      (timestamp(rolling_upgrade_last_success_timestamp_seconds) - rolling_upgrade_last_success_timestamp_seconds)
                    and ignoring (status)
                      rolling_upgrade_node_status{status="upgrading"} == 1
                    unless ignoring (kind, node, role) OUTDATED
                  )
                  > LEAST
                )
                > on (UPGRADE, role) group_left ()
                (
                  TIMES * quantile by (UPGRADE, role) (0.5,
                    max by (NODE) (rolling_upgrade_node_duration_seconds and ignoring (status) rolling_upgrade_node_status{status="succeeded"} == 1)
                  )
                  and
                  count by (UPGRADE, role) (
                    max by (NODE) (rolling_upgrade_node_duration_seconds and ignoring (status) rolling_upgrade_node_status{status="succeeded"} == 1)
                  ) >= SIBLINGS
                )
                "#,
                &[
                    ("LEAST", &AT_LEAST.as_secs()),
                    ("TIMES", &TIMES),
                    ("SIBLINGS", &SIBLINGS),
                ],
            )
        },
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "Node {{ $labels.node }} of {{ $labels.product }} cluster {{ $labels.cluster_name }} is slow to upgrade.",
        description: "Node {{ $labels.node }} (role {{ $labels.role }}) of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) has been in work for more than 10 minutes and more than 3 times as long as the median of the nodes of its role that are done. It may hold more data, or be stuck.",
        holds: Some(slow_nodes),
    },
];

/// Nodes in work for longer than the median of their siblings allows.
fn slow_nodes(input: &AlertInput<'_>) -> Vec<Labels> {
    input.upgrades().flat_map(slow_of).collect()
}

fn slow_of(u: Shown<'_>) -> Vec<Labels> {
    let works = || {
        let nodes = u.view.upgrade.nodes.iter().enumerate();
        nodes.filter_map(|(place, node)| Some((node, u.view.work(place)?)))
    };
    // How long each finished node of a role was in work, in seconds.
    let mut done: HashMap<&str, Vec<f64>> = HashMap::new();
    for (node, work) in works().filter(|(node, _)| node.status == NodeStatus::Succeeded) {
        if let Some(end) = work.end {
            let took = end.duration_since(work.start).as_secs_f64();
            done.entry(&node.key.role).or_default().push(took);
        }
    }
    let medians = done.into_iter().map(|(role, took)| (role, median(took)));
    let medians: HashMap<&str, Option<f64>> = medians.collect();
    works()
        .filter(|(node, _)| node.status == NodeStatus::Upgrading)
        .filter(|(node, work)| {
            let length = u.age(work.start);
            let median = medians.get(&*node.key.role).copied().flatten();
            exceeds(length, AT_LEAST)
                && median.is_some_and(|m| length.as_secs_f64() > f64::from(TIMES) * m)
        })
        .map(|(node, _)| u.node_labels(node))
        .collect()
}

/// As `quantile(0.5, …)` computes it: between the two in the middle when they are even.
fn median(mut values: Vec<f64>) -> Option<f64> {
    if values.len() < SIBLINGS {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
    Some(f64::midpoint(*values.get(low)?, *values.get(high)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_promql() {
        assert_eq!(median(vec![5.0]), None, "one says nothing");
        assert_eq!(median(vec![9.0, 5.0]), Some(7.0));
        assert_eq!(median(vec![9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(vec![9.0, 1.0, 5.0, 6.0]), Some(5.5));
    }
}
