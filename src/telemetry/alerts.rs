//! What the sidecar counts of each Alertmanager.

use parking_lot::Mutex;
use std::collections::BTreeMap;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::labels::{OnlyAlertmanager, alertmanager_label};
use super::{FloatGauge, seconds};

/// The families with the label `alertmanager`, its address.
#[derive(Debug)]
pub struct Alerts {
    sent: Family<OnlyAlertmanager, Counter>,
    errors: Family<OnlyAlertmanager, Counter>,
    dropped: Family<OnlyAlertmanager, Counter>,
    failing_since: Family<OnlyAlertmanager, FloatGauge>,
    failing: Mutex<BTreeMap<String, Timestamp>>,
}

impl Alerts {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let alerts = Self {
            sent: Family::default(),
            errors: Family::default(),
            dropped: Family::default(),
            failing_since: Family::default(),
            failing: Mutex::default(),
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
        registry.register(
            "notifications_failing_since_timestamp_seconds",
            "Since when an Alertmanager takes no alerts; absent when fine",
            alerts.failing_since.clone(),
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
        self.failing_since.remove(&label);
        self.failing.lock().remove(alertmanager);
    }

    /// It took a batch of so many alerts. What failed of others still counts as failing.
    pub fn took(&self, alertmanager: &str, alerts: usize) {
        let label = alertmanager_label(alertmanager);
        self.sent.get_or_create_owned(&label).inc_by(count(alerts));
    }

    /// It took a batch of so many alerts, and all is well.
    pub fn delivered(&self, alertmanager: &str, alerts: usize) {
        self.took(alertmanager, alerts);
        let label = alertmanager_label(alertmanager);
        if self.failing.lock().remove(alertmanager).is_some() {
            self.failing_since.remove(&label);
        }
    }

    /// It did not take a batch of so many alerts, or could not be reached.
    pub fn refused(&self, alertmanager: &str, alerts: usize, now: Timestamp) {
        let label = alertmanager_label(alertmanager);
        self.sent.get_or_create_owned(&label).inc_by(count(alerts));
        self.errors
            .get_or_create_owned(&label)
            .inc_by(count(alerts));
        let since = *self
            .failing
            .lock()
            .entry(alertmanager.to_owned())
            .or_insert(now);
        self.failing_since
            .get_or_create_owned(&label)
            .set(seconds(since));
    }

    /// So many alerts never reached it.
    pub fn dropped(&self, alertmanager: &str, alerts: usize) {
        let label = alertmanager_label(alertmanager);
        self.dropped
            .get_or_create_owned(&label)
            .inc_by(count(alerts));
    }

    /// The Alertmanagers that take no alerts, and since when.
    pub(super) fn failing(&self) -> Vec<(String, Timestamp)> {
        let failing = self.failing.lock();
        failing.iter().map(|(url, at)| (url.clone(), *at)).collect()
    }
}

fn count(alerts: usize) -> u64 {
    u64::try_from(alerts).unwrap_or(u64::MAX)
}
