//! What the sidecar counts of each Alertmanager.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::labels::{OnlyAlertmanager, alertmanager_label};

/// The families with the label `alertmanager`, its address.
#[derive(Debug)]
pub struct Alerts {
    sent: Family<OnlyAlertmanager, Counter>,
    errors: Family<OnlyAlertmanager, Counter>,
    dropped: Family<OnlyAlertmanager, Counter>,
}

impl Alerts {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let alerts = Self {
            sent: Family::default(),
            errors: Family::default(),
            dropped: Family::default(),
        };
        registry.register(
            "alerts_sent",
            "Alerts posted to an Alertmanager, taken or not",
            alerts.sent.clone(),
        );
        registry.register(
            "alerts_errors",
            "Alerts posted to an Alertmanager that it did not take, or not all of their batch",
            alerts.errors.clone(),
        );
        registry.register(
            "alerts_dropped",
            "Alerts that an Alertmanager never got: the queue was full, or the program ended",
            alerts.dropped.clone(),
        );
        alerts
    }

    /// Starts an Alertmanager's counters at 0.
    pub fn announce(&self, alertmanager: &str) {
        let label = alertmanager_label(alertmanager);
        for family in [&self.sent, &self.errors, &self.dropped] {
            family.get_or_create_owned(&label);
        }
    }

    /// It gets no alerts any more: its series end.
    pub fn forget(&self, alertmanager: &str) {
        let label = alertmanager_label(alertmanager);
        for family in [&self.sent, &self.errors, &self.dropped] {
            family.remove(&label);
        }
    }

    /// Counts a batch of so many alerts that it took.
    pub fn took(&self, alertmanager: &str, alerts: usize) {
        let label = alertmanager_label(alertmanager);
        self.sent.get_or_create_owned(&label).inc_by(count(alerts));
    }

    /// Counts a batch of so many alerts that it did not take, or of which it did not hear.
    pub fn refused(&self, alertmanager: &str, alerts: usize) {
        self.took(alertmanager, alerts);
        let label = alertmanager_label(alertmanager);
        self.errors
            .get_or_create_owned(&label)
            .inc_by(count(alerts));
    }

    /// So many alerts never reached it.
    pub fn dropped(&self, alertmanager: &str, alerts: usize) {
        let label = alertmanager_label(alertmanager);
        self.dropped
            .get_or_create_owned(&label)
            .inc_by(count(alerts));
    }
}

fn count(alerts: usize) -> u64 {
    u64::try_from(alerts).unwrap_or(u64::MAX)
}
