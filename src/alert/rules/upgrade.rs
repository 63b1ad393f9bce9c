//! Alerts about an upgrade as a whole.
//!
//! Lengths of time end at the last good poll, not now: while a vendor's API is dark, nothing gets
//! older, and that it is dark is another alert. `max by` over several exporters takes the one that
//! knows most, `min by` asks that every one of them agrees; what has to be true of one exporter at the
//! same time is joined before it. One that is dark while another is not does not count with what it saw
//! last.

use std::time::Duration;

use jiff::Timestamp;

use super::{KEEP, UPGRADE, promql};
use crate::alert::input::exceeds;
use crate::alert::rule::{Rule, Severity};
use crate::model::UpgradeStatus::{self, Failed, PartiallyFailed, Paused, Running, Succeeded};
use crate::model::{ClusterState, NodeStatus, UpgradeView};

/// A pause that somebody forgot.
const PAUSED: Duration = Duration::from_secs(3600);
/// A word that is not known may be a step of a few minutes.
const UNKNOWN: Duration = Duration::from_secs(15 * 60);
/// How long a success is told.
const SUCCEEDED: Duration = Duration::from_secs(3600);

pub(super) const RULES: &[Rule] = &[
    Rule {
        alert: "RollingUpgradeFailed",
        severity: Severity::Critical,
        labels: UPGRADE,
        expr: || is_in(Failed),
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "The upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} failed.",
        description: "The {{ $labels.kind }} upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) ended as failed, or waits as failed for a retry. Some nodes may run the new version and some the old one. Find the failed node or task, then retry in the vendor's console or open a ticket.",
        holds: Some(|input| input.upgrades_where(|u| has(u.view, Failed))),
    },
    Rule {
        alert: "RollingUpgradePartiallyFailed",
        severity: Severity::Critical,
        labels: UPGRADE,
        expr: || is_in(PartiallyFailed),
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "The upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} failed for some nodes.",
        description: "The {{ $labels.kind }} upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) ended with some nodes done and some not. The cluster runs two versions. Find the nodes that were left behind, then retry in the vendor's console.",
        holds: Some(|input| input.upgrades_where(|u| has(u.view, PartiallyFailed))),
    },
    Rule {
        alert: "RollingUpgradeStalled",
        severity: Severity::Critical,
        labels: UPGRADE,
        // By each exporter's own data, but against the latest progress that any of them saw: one
        // that was restarted has seen less.
        expr: || {
            promql(
                r#"
                max by (UPGRADE) (
                    (rolling_upgrade_status{status=~"pending|running"} == 1)
                  * ignoring (kind, status) group_left ()
                    rolling_upgrade_last_success_timestamp_seconds
                  - ignoring (status)
                    rolling_upgrade_stalled_after_seconds
                )
                >
                max by (UPGRADE) (rolling_upgrade_last_progress_timestamp_seconds)
                "#,
                &[],
            )
        },
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "The upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} is stalled.",
        description: "Nothing of the {{ $labels.kind }} upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) has moved for longer than its stalled_after: no node, no task, no ratio. Find the node in work and its task, and see whether the cluster is healthy.",
        holds: Some(|input| {
            input.upgrades_where(|u| {
                matches!(u.view.upgrade.status, UpgradeStatus::Pending | Running)
                    && u.view
                        .stalled_after(&u.cluster.thresholds)
                        .is_some_and(|limit| exceeds(u.age(u.view.last_progress), limit))
            })
        }),
    },
    Rule {
        alert: "RollingUpgradeOverdue",
        severity: Severity::Warning,
        labels: UPGRADE,
        // The start counts of those who see it running: an exporter that polls an idle cluster may
        // still show the upgrade before, which is older.
        expr: || {
            promql(
                r#"
                max by (UPGRADE) (
                    (rolling_upgrade_status{status="running"} == 1)
                  * ignoring (kind, status) group_left ()
                    rolling_upgrade_last_success_timestamp_seconds
                  - ignoring (status)
                    rolling_upgrade_overdue_after_seconds
                  unless ignoring (kind, status) OUTDATED
                )
                >
                min by (UPGRADE) (
                    rolling_upgrade_started_timestamp_seconds
                  and ignoring (status)
                    rolling_upgrade_status{status="running"} == 1
                  unless ignoring (kind) OUTDATED
                )
                "#,
                &[],
            )
        },
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "The upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} is overdue.",
        description: "The {{ $labels.kind }} upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) has been running for longer than its overdue_after. It may still move. Compare its pace and its estimated end with your maintenance window.",
        holds: Some(|input| input.upgrades_where(|u| u.cluster.is_overdue(u.view))),
    },
    Rule {
        alert: "RollingUpgradeRetrying",
        severity: Severity::Warning,
        labels: UPGRADE,
        expr: || {
            promql(
                r#"
                max by (UPGRADE) (
                    rolling_upgrade_retries > 0
                  and ignoring (status)
                    rolling_upgrade_status{status="running"} == 1
                  unless ignoring (kind) OUTDATED
                )
                "#,
                &[],
            )
        },
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "The upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} is a retry.",
        description: "The {{ $labels.kind }} upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) runs for the second time or more: an earlier execution failed. Watch the node at which it failed before.",
        holds: Some(|input| {
            input.upgrades_where(|u| {
                has(u.view, Running) && u.view.upgrade.retries().is_some_and(|n| n > 0)
            })
        }),
    },
    Rule {
        alert: "RollingUpgradePaused",
        severity: Severity::Warning,
        labels: UPGRADE,
        expr: || {
            promql(
                r#"
                max by (UPGRADE) (
                    (rolling_upgrade_status{status="paused"} == 1)
                  * ignoring (kind, status) group_left ()
                    rolling_upgrade_last_success_timestamp_seconds
                  unless ignoring (kind, status) OUTDATED
                )
                -
                min by (UPGRADE) (
                    rolling_upgrade_status_since_timestamp_seconds
                  and ignoring (status)
                    rolling_upgrade_status{status="paused"} == 1
                )
                > PAUSED
                "#,
                &[("PAUSED", &PAUSED.as_secs())],
            )
        },
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "The upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} has been paused for more than an hour.",
        description: "Somebody paused the {{ $labels.kind }} upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) more than an hour ago. The cluster runs two versions until it goes on. Resume it, or silence this alert until the agreed time.",
        holds: Some(|input| {
            input.upgrades_where(|u| {
                has(u.view, Paused) && exceeds(u.age(u.view.status_since), PAUSED)
            })
        }),
    },
    Rule {
        alert: "RollingUpgradeUnknownStatus",
        severity: Severity::Warning,
        labels: UPGRADE,
        // One rule for both: two with the same labels would resolve each other. There is no time
        // for a node that is unknown, so the condition itself has to last. A node whose state cannot
        // be told of an upgrade that is over is nobody's work. The least of the exporters decides:
        // one that knows the state is enough. Every exporter that shows the upgrade has the last of
        // these series, so one that knows counts as 0.
        expr: || {
            let ended = UpgradeStatus::ALL.iter().filter(|status| status.is_final());
            let ended = ended.map(|status| status.as_str()).collect::<Vec<_>>();
            promql(
                r#"
                min by (UPGRADE) (
                    (
                        rolling_upgrade_nodes{status="unknown"} > 0
                      unless ignoring (status)
                        rolling_upgrade_status{status=~"ENDED"} == 1
                      or
                        rolling_upgrade_status{status="unknown"}
                    )
                  unless ignoring (kind, status) OUTDATED
                ) > 0
                "#,
                &[("ENDED", &ended.join("|"))],
            )
        },
        hold: UNKNOWN,
        keep: KEEP,
        summary: "The upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} is in a state that is not known.",
        description: "For 15 minutes the state of the {{ $labels.kind }} upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}), or of one of its nodes, could not be told. The vendor may have a new word, or the exporter was restarted in the middle of the upgrade. Read the vendor's word in raw_status and look at the vendor's console.",
        holds: Some(|input| {
            input.upgrades_where(|u| {
                let upgrade = &u.view.upgrade;
                has(u.view, UpgradeStatus::Unknown)
                    || (!upgrade.status.is_final()
                        && upgrade.node_counts().of(NodeStatus::Unknown) > 0)
            })
        }),
    },
    Rule {
        alert: "RollingUpgradeSucceeded",
        severity: Severity::Info,
        labels: UPGRADE,
        expr: || {
            promql(
                r#"
                time()
                -
                max by (UPGRADE) (
                    rolling_upgrade_ended_timestamp_seconds
                  and ignoring (status)
                    rolling_upgrade_status{status="succeeded"} == 1
                )
                < SUCCEEDED
                "#,
                &[("SUCCEEDED", &SUCCEEDED.as_secs())],
            )
        },
        hold: Duration::ZERO,
        keep: Duration::ZERO,
        summary: "The upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} succeeded.",
        description: "The {{ $labels.kind }} upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) ended well within the last hour. Nothing has to be done.",
        holds: Some(|input| {
            input.upgrades_where(|u| {
                let now = input.times.of(&u.cluster.key.account);
                let told = |at| now.duration_since(at) < SUCCEEDED.try_into().unwrap_or_default();
                has(u.view, Succeeded) && u.view.ended.is_some_and(told)
            })
        }),
    },
    Rule {
        alert: "RollingUpgradeInProgress",
        severity: Severity::None,
        labels: UPGRADE,
        expr: || is_in(Running),
        hold: Duration::ZERO,
        keep: Duration::ZERO,
        summary: "The upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} is running.",
        description: "The {{ $labels.kind }} upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) is running. This alert is for inhibition and for annotations; send it to nobody.",
        holds: Some(|input| input.upgrades_where(|u| has(u.view, Running))),
    },
];

/// Returns the instants at which the successes of a cluster are not told any more.
pub(super) fn turns(cluster: &ClusterState) -> impl Iterator<Item = Timestamp> {
    let views = cluster.upgrades.iter();
    let ended = views.filter_map(|view| view.ended);
    ended.filter_map(|at| at.checked_add(SUCCEEDED).ok())
}

/// The upgrades in a state.
fn is_in(status: UpgradeStatus) -> String {
    promql(
        r#"
        max by (UPGRADE) (
            rolling_upgrade_status{status="STATUS"} == 1
          unless ignoring (kind, status) OUTDATED
        )
        "#,
        &[("STATUS", &status.as_str())],
    )
}

fn has(view: &UpgradeView, status: UpgradeStatus) -> bool {
    view.upgrade.status == status
}
