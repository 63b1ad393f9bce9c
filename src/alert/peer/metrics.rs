//! Counters and health of each Alertmanager.

use std::sync::Arc;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use crate::store::Store;
use crate::telemetry::series::{Counters, Series, counters};

/// Counters of alerts, by address of the Alertmanager; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    sent: Counters,
    errors: Counters,
    dropped: Counters,
}

impl Metrics {
    /// Registers the counters.
    pub fn new(registry: &mut Registry) -> Self {
        Self {
            sent: counters(
                registry,
                "alerts_sent",
                "Alerts posted to an Alertmanager, taken or not",
            ),
            errors: counters(
                registry,
                "alerts_errors",
                "Alerts posted to an Alertmanager that it did not take, or not all of their batch",
            ),
            dropped: counters(
                registry,
                "alerts_dropped",
                "Alerts that an Alertmanager never got: the queue was full, or the program ended",
            ),
        }
    }
}

/// Record of one Alertmanager: its counters, and its health in the store.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) label: String,
    store: Arc<Store>,
    sent: Counter,
    errors: Counter,
    dropped: Counter,
}

/// Owner of a record; what it shows ends when this is dropped.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) record: Record,
    _series: [Series; 3],
}

impl Owner {
    /// Starts the record of an Alertmanager: its counters are at 0, and it takes alerts.
    pub(super) fn new(label: &str, store: &Arc<Store>, metrics: &Metrics) -> Self {
        store.add_alertmanager(label);
        let owner = vec![("alertmanager", label.to_owned().into())];
        let families = [&metrics.sent, &metrics.errors, &metrics.dropped];
        let series = families.map(|family| Series::new(family, &owner));
        let [sent, errors, dropped] = series.each_ref().map(|series| series.counter(&[]));
        Self {
            record: Record {
                label: label.to_owned(),
                store: store.clone(),
                sent,
                errors,
                dropped,
            },
            _series: series,
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.record.store.remove_alertmanager(&self.record.label);
    }
}

impl Record {
    /// Counts alerts of a post that was taken.
    pub(super) fn took(&self, alerts: usize) {
        self.sent.inc_by(count(alerts));
    }

    /// Notes that the Alertmanager takes every alert.
    pub(super) fn recovered(&self) {
        self.store.put_alertmanager(&self.label, None);
    }

    /// Counts alerts of a post that was not taken, or not all of it: the Alertmanager fails since then
    /// at the latest.
    pub(super) fn refused(&self, alerts: usize, now: Timestamp) {
        self.sent.inc_by(count(alerts));
        self.errors.inc_by(count(alerts));
        self.store.put_alertmanager(&self.label, Some(now));
    }

    /// Counts alerts that never reached it.
    pub(super) fn dropped(&self, alerts: usize) {
        self.dropped.inc_by(count(alerts));
    }
}

fn count(alerts: usize) -> u64 {
    u64::try_from(alerts).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry;

    #[test]
    fn series_and_health_leave_with_the_alertmanager() {
        let (store, mut registry) = (Arc::new(Store::new()), telemetry::Metrics::new());
        crate::store::register(&store, registry.own());
        let metrics = Metrics::new(registry.own());
        let owner = Owner::new("http://am", &store, &metrics);
        let record = owner.record.clone();
        record.refused(2, Timestamp::UNIX_EPOCH);
        let shown = || registry.encode().matches("alertmanager=\"").count();
        assert_eq!((store.health().unreachable.len(), shown()), (1, 4));
        drop(owner);
        assert_eq!((store.health().unreachable.len(), shown()), (0, 0));
        record.refused(2, Timestamp::UNIX_EPOCH);
        assert_eq!((store.health().unreachable.len(), shown()), (0, 0), "late");
    }
}
