//! Alerts about the data: too old, refused, throttled, incomplete, by a wrong clock.

use std::time::Duration;

use jiff::Timestamp;

use super::{CLUSTER, KEEP, MISSED, STALE, promql};
use crate::alert::input::{AlertInput, cluster_labels, label};
use crate::alert::rule::{Labels, Rule, Severity};
use crate::model::UpgradeStatus::{Paused, Pending, Running};
use crate::model::{ClusterState, Reason};
use crate::store::Failing;

/// A refusal may be a key that is being rotated.
const REJECTED: Duration = Duration::from_secs(2 * 60);
/// The exporter slows down by itself; after this it does not help.
const THROTTLED: Duration = Duration::from_secs(15 * 60);
/// As long as the last good answer is shown at least.
const DEGRADED: Duration = Duration::from_secs(15 * 60);
/// Seconds. Vendors refuse signatures that are 5 or 15 minutes off.
const SKEW: f64 = 60.0;

/// The labels that name a product of an account.
const PRODUCT: &[&str] = &["account", "product"];
/// The labels that name a call to a product of an account.
const CALL: &[&str] = &["account", "product", "endpoint"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        alert: "RollingUpgradeDataStale",
        severity: Severity::Critical,
        labels: CLUSTER,
        expr: || stale("and"),
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "Nothing is known any more of the running upgrade of {{ $labels.product }} cluster {{ $labels.cluster_name }}.",
        description: "No poll of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) was good for 15 minutes and 3 intervals or more, and an upgrade was under way when it was last seen. It may have failed or stalled since. Look at the vendor's console, then at the reason why polls fail.",
        holds: Some(|input| stale_where(input, true)),
    },
    Rule {
        alert: "RollingUpgradeDataStale",
        severity: Severity::Warning,
        labels: CLUSTER,
        expr: || stale("unless"),
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "Nothing is known any more of {{ $labels.product }} cluster {{ $labels.cluster_name }}.",
        description: "No poll of {{ $labels.product }} cluster {{ $labels.cluster_name }} ({{ $labels.cluster_id }}, account {{ $labels.account }}) was good for 15 minutes and 3 intervals or more. No upgrade was under way when it was last seen. Look at the reason why polls fail.",
        holds: Some(|input| stale_where(input, false)),
    },
    Rule {
        alert: "RollingUpgradeCredentialsRejected",
        severity: Severity::Critical,
        labels: PRODUCT,
        expr: || failing("{reason=~\"auth|permission\"}", REJECTED),
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "The credentials of account {{ $labels.account }} are rejected for {{ $labels.product }}.",
        description: "Calls to {{ $labels.product }} with the credentials of account {{ $labels.account }} have been refused for more than 2 minutes: a wrong or expired key, a clock that is off, or a permission that is missing. Upgrades of its clusters are not watched meanwhile.",
        holds: Some(|input| failing_where(input, &[Reason::Auth, Reason::Permission], REJECTED)),
    },
    Rule {
        alert: "RollingUpgradeThrottled",
        severity: Severity::Warning,
        labels: PRODUCT,
        expr: || failing("{reason=\"throttled\"}", THROTTLED),
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "Calls to {{ $labels.product }} for account {{ $labels.account }} are throttled.",
        description: "The vendor has throttled calls to {{ $labels.product }} for account {{ $labels.account }} for more than 15 minutes. The data get old. Somebody else may use the same quota; otherwise poll less often.",
        holds: Some(|input| failing_where(input, &[Reason::Throttled], THROTTLED)),
    },
    Rule {
        alert: "RollingUpgradeDegraded",
        severity: Severity::Warning,
        labels: CALL,
        expr: || {
            promql(
                "time() - min by (CALL) (rolling_upgrade_exporter_degraded_since_timestamp_seconds) > LIMIT",
                &[("CALL", &CALL.join(", ")), ("LIMIT", &DEGRADED.as_secs())],
            )
        },
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "The call {{ $labels.endpoint }} to {{ $labels.product }} fails for account {{ $labels.account }}.",
        description: "The call {{ $labels.endpoint }} to {{ $labels.product }} has failed for more than 15 minutes for one or more clusters of account {{ $labels.account }}. Their upgrades are watched, but what only this call tells is missing, and a stall that only it could show is not told. The exporter's page says what is missing, why, and which permission gives it.",
        holds: Some(|input| {
            let failing = input.failing_calls.iter();
            failing
                .filter(|call| input.is_past(&call.account, call.since, DEGRADED))
                .map(|call| {
                    let values = [&*call.account, call.product, call.endpoint];
                    let labels = CALL.iter().zip(values);
                    labels.map(|(name, value)| label(name, value)).collect()
                })
                .collect()
        }),
    },
    Rule {
        alert: "RollingUpgradeClockSkew",
        severity: Severity::Warning,
        labels: &["account"],
        expr: || {
            promql(
                "max by (account) (abs(rolling_upgrade_exporter_clock_skew_seconds)) > SKEW",
                &[("SKEW", &SKEW)],
            )
        },
        hold: Duration::ZERO,
        keep: KEEP,
        summary: "The exporter's clock and that of account {{ $labels.account }}'s cloud differ by more than a minute.",
        description: "The clock of the exporter's machine and the Date of the cloud's answers for account {{ $labels.account }} differ by more than 60 seconds. Ages, durations and stalls are measured by the cloud's clock and stay right. The end of the alerts that the exporter posts itself is by its own clock, and too early or too late by as much. Synchronize the machine's time (NTP).",
        holds: Some(|input| {
            let skewed = input.health.clock_skew.iter();
            skewed
                .filter(|(_, seconds)| seconds.abs() > SKEW)
                .map(|(account, _)| Labels::from([label("account", account)]))
                .collect()
        }),
    },
];

/// The clusters with old data, with (`and`) or without (`unless`) an upgrade under way when one of
/// the exporters had an answer last.
fn stale(set: &str) -> String {
    promql(
        r#"
        time() - max by (CLUSTER) (rolling_upgrade_last_success_timestamp_seconds)
          > clamp_min(MISSED * max by (CLUSTER) (rolling_upgrade_poll_interval_seconds), STALE)
        SET
        max by (CLUSTER) (
            rolling_upgrade_status{status=~"pending|running|paused"} == 1
          unless ignoring (kind, status) OUTDATED
        )
        "#,
        &[("SET", &set)],
    )
}

/// Returns the instant at which the data of a cluster become old.
pub(super) fn turn(cluster: &ClusterState) -> Option<Timestamp> {
    cluster.last_success.checked_add(stale_after(cluster)).ok()
}

fn stale_after(cluster: &ClusterState) -> Duration {
    cluster.poll_interval.saturating_mul(MISSED).max(STALE)
}

fn stale_where(input: &AlertInput<'_>, under_way: bool) -> Vec<Labels> {
    let is_under_way = |cluster| {
        let mut shown = input.shown(cluster);
        shown.any(|view| matches!(view.upgrade.status, Pending | Running | Paused))
    };
    input
        .clusters()
        .filter(|cluster| {
            let limit = stale_after(cluster);
            input.is_past(&cluster.key.account, cluster.last_success, limit)
        })
        .filter(|cluster| is_under_way(cluster) == under_way)
        .map(cluster_labels)
        .collect()
}

/// Polls that fail for these reasons for longer than `limit`.
fn failing(reasons: &str, limit: Duration) -> String {
    promql(
        "time() - min by (account, product) (rolling_upgrade_exporter_failing_since_timestamp_secondsREASONS) > LIMIT",
        &[("REASONS", &reasons), ("LIMIT", &limit.as_secs())],
    )
}

fn failing_where(input: &AlertInput<'_>, reasons: &[Reason], limit: Duration) -> Vec<Labels> {
    let is_one = |failing: &Failing| reasons.contains(&failing.reason);
    let failing = input.health.failing.iter();
    failing
        .filter(|f| is_one(f) && input.is_past(&f.account, f.since, limit))
        .map(|f| Labels::from([label("account", &f.account), label("product", f.product)]))
        .collect()
}
