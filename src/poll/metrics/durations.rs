//! Durations of ended upgrades: a histogram whose counts last over restarts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};

use crate::model::UpgradeStatus;

/// Upper bounds of the buckets in seconds: 5, 15 and 30 minutes, 1, 2, 4 and 8 hours, 1, 2 and 7 days.
const BOUNDS: [f64; 10] = [
    300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0, 172_800.0, 604_800.0,
];

/// Histogram by product and outcome; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Durations(Arc<Mutex<BTreeMap<(&'static str, UpgradeStatus), Counts>>>);

/// Counts of one product and outcome. JSON is their form on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Number of durations in each bucket, the last without a bound; not cumulative.
    buckets: [u64; BOUNDS.len() + 1],
    /// Sum in seconds.
    sum: f64,
}

impl Counts {
    fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let place = BOUNDS.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = self.buckets.get_mut(place) {
            *bucket = bucket.saturating_add(1);
        }
        self.sum += seconds;
    }

    fn add(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket = bucket.saturating_add(more);
        }
        self.sum += other.sum;
    }
}

impl Durations {
    /// Registers the histogram.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let durations = Self::default();
        registry.register_collector(Box::new(durations.clone()));
        durations
    }

    /// Starts a product and outcome at 0.
    pub(super) fn announce(&self, product: &'static str, outcome: UpgradeStatus) {
        self.0.lock().entry((product, outcome)).or_default();
    }

    /// Counts an upgrade that ended. Returns all counts of its product and outcome.
    pub(super) fn observe(
        &self,
        product: &'static str,
        outcome: UpgradeStatus,
        duration: Duration,
    ) -> Counts {
        let mut all = self.0.lock();
        let counts = all.entry((product, outcome)).or_default();
        counts.observe(duration);
        *counts
    }

    /// Adds counts that were stored.
    pub(super) fn add(&self, product: &'static str, outcome: UpgradeStatus, stored: &Counts) {
        let mut all = self.0.lock();
        all.entry((product, outcome)).or_default().add(stored);
    }
}

impl Collector for Durations {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.0.lock().clone();
        if all.is_empty() {
            return Ok(());
        }
        let mut family = encoder.encode_descriptor(
            "ended_upgrade_duration_seconds",
            "Time from the request, or from the first sight where the vendor tells none, to the end of upgrades that the exporter saw end",
            None,
            MetricType::Histogram,
        )?;
        for ((product, outcome), counts) in all {
            let labels = [("product", product), ("outcome", outcome.as_str())];
            let bounds = BOUNDS.iter().copied().chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(counts.buckets).collect();
            let count = counts.buckets.iter().sum();
            let mut metric = family.encode_family(&labels)?;
            metric.encode_histogram::<NoLabelSet>(counts.sum, count, &buckets, None)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn text(durations: &Durations) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(durations.clone()));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn durations_count_in_their_buckets_and_in_those_above() {
        let durations = Durations::default();
        for seconds in [300, 301, 700_000] {
            let duration = Duration::from_secs(seconds);
            durations.observe("ses", UpgradeStatus::Succeeded, duration);
        }
        let text = text(&durations);
        let lines: Vec<_> = text.lines().filter(|l| !l.starts_with('#')).collect();
        let name = "ended_upgrade_duration_seconds";
        let labels = r#"product="ses",outcome="succeeded""#;
        let bucket = |le: &str, n: u64| format!("{name}_bucket{{le=\"{le}\",{labels}}} {n}");
        assert_eq!(lines[0], format!("{name}_sum{{{labels}}} 700601.0"));
        assert_eq!(lines[1], format!("{name}_count{{{labels}}} 3"));
        assert_eq!(lines[2], bucket("300.0", 1));
        assert_eq!(lines[3], bucket("900.0", 2));
        assert_eq!(lines[11], bucket("604800.0", 2));
        assert_eq!(lines[12], bucket("+Inf", 3));
    }

    #[test]
    fn stored_counts_are_added() {
        let (durations, restored) = (Durations::default(), Durations::default());
        let outcome = UpgradeStatus::Failed;
        durations.observe("ses", outcome, Duration::from_secs(2));
        let counts = durations.observe("ses", outcome, Duration::from_secs(4000));
        let stored = crate::text::json::to_string(&counts).unwrap();
        restored.add("ses", outcome, &serde_json::from_str(&stored).unwrap());
        assert_eq!(text(&restored), text(&durations));
        // A later version may have other buckets.
        assert!(serde_json::from_str::<Counts>(r#"{"buckets":[1],"sum":2.0}"#).is_err());
    }
}
