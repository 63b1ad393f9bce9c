//! Alerts about the exporter itself.

use std::time::Duration;

use super::promql;
use crate::alert::rule::{Labels, Rule, Severity};

/// Longer than a restart with a fresh image.
const DOWN: Duration = Duration::from_secs(5 * 60);
/// Longer than an Alertmanager takes to restart.
const UNREACHABLE: Duration = Duration::from_secs(5 * 60);
/// Longer than a process that is replaced keeps the storage locked.
const UNSTORED: Duration = Duration::from_secs(5 * 60);

pub(super) const RULES: &[Rule] = &[
    Rule {
        alert: "RollingUpgradeExporterDown",
        severity: Severity::Critical,
        labels: &[],
        expr: || "absent(rolling_upgrade_exporter_build_info)".to_owned(),
        hold: DOWN,
        keep: Duration::ZERO,
        summary: "No rolling-upgrade-exporter is scraped.",
        description: "For 5 minutes Prometheus has had no series of rolling-upgrade-exporter: the process is down, or Prometheus cannot reach it. No upgrade is watched by these rules meanwhile.",
        holds: None,
    },
    Rule {
        alert: "RollingUpgradeConfigReloadFailed",
        severity: Severity::Warning,
        labels: &[],
        expr: || "min(rolling_upgrade_exporter_config_last_reload_successful) == 0".to_owned(),
        hold: Duration::ZERO,
        keep: Duration::ZERO,
        summary: "The config of rolling-upgrade-exporter could not be reloaded.",
        description: "The last attempt to reload the config failed, so the exporter works with the one before. It would not start with the new one. The log names each problem with its line.",
        holds: Some(|input| {
            let failed = input.health.reload_failed.then(Labels::new);
            failed.into_iter().collect()
        }),
    },
    Rule {
        alert: "RollingUpgradeStorageFailing",
        severity: Severity::Warning,
        labels: &[],
        expr: || "min(rolling_upgrade_exporter_storage_up) == 0".to_owned(),
        hold: UNSTORED,
        keep: Duration::ZERO,
        summary: "rolling-upgrade-exporter cannot store its state.",
        description: "For 5 minutes rolling-upgrade-exporter has not been able to write its state to --storage.path. It goes on from memory, and stores the state when the disk is back; a restart before that loses what was seen since. The log names the reason and a remedy.",
        holds: Some(|input| {
            let fails = input.health.storage_up == Some(false);
            fails.then(Labels::new).into_iter().collect()
        }),
    },
    Rule {
        alert: "RollingUpgradeNotificationsFailing",
        severity: Severity::Warning,
        labels: &["alertmanager"],
        expr: || {
            promql(
                "time() - min by (alertmanager) (rolling_upgrade_exporter_notifications_failing_since_timestamp_seconds) > LIMIT",
                &[("LIMIT", &UNREACHABLE.as_secs())],
            )
        },
        hold: Duration::ZERO,
        keep: Duration::ZERO,
        summary: "rolling-upgrade-exporter cannot send alerts to {{ $labels.alertmanager }}.",
        description: "For more than 5 minutes the Alertmanager at {{ $labels.alertmanager }} has taken no alerts from the exporter, or refused some of them. These do not arrive there; those of Prometheus's rules may. The log tells why.",
        holds: Some(|input| {
            let unreachable = input.health.unreachable.iter();
            unreachable
                .filter(|(_, since)| input.is_past_here(*since, UNREACHABLE))
                .map(|(url, _)| Labels::from([("alertmanager".to_owned(), url.clone())]))
                .collect()
        }),
    },
];
