//! Counters of polls and of what they find.

mod durations;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use durations::Durations;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::cloud::Product;
use crate::cloud::transport::{ProductRequests, RequestMetrics, product_labels};
use crate::config::Account;
use crate::model::bounds::Truncated;
use crate::model::{Reason, UpgradeStatus};
pub(super) use durations::Counts;

use crate::telemetry::series::{Counters, Labels, Series, counters};

/// Seconds; a poll is a few calls of up to 10 s each.
const POLL_BUCKETS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Counters of products that are polled, by account and product.
type Products = BTreeMap<(Arc<str>, &'static str), Weak<ProductMetrics>>;

/// Counters of polls and of the calls that they make; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    polls: Counters,
    failures: Counters,
    duration: Family<Labels, Histogram, fn() -> Histogram>,
    pub(super) requests: RequestMetrics,
    ended: Counters,
    durations: Durations,
    unknown: Counters,
    truncated: Counters,
    /// By account and product: counters in use.
    products: Arc<Mutex<Products>>,
}

impl Default for Metrics {
    /// Builds counters that no scrape shows.
    fn default() -> Self {
        Self::new(&mut Registry::default())
    }
}

impl Metrics {
    /// Registers the counters.
    pub fn new(registry: &mut Registry) -> Self {
        let polls = counters(
            registry,
            "polls",
            "Polls begun; a discovery counts as a poll of its product",
        );
        let failures = counters(
            registry,
            "poll_failures",
            "Polls that ended without data, by the reason of the failure",
        );
        let new: fn() -> Histogram = || Histogram::new(POLL_BUCKETS);
        let duration = Family::new_with_constructor(new);
        registry.register(
            "poll_duration_seconds",
            "Time that a poll took, with all its calls, retries and waits for the rate limit",
            duration.clone(),
        );
        Self {
            polls,
            failures,
            duration,
            products: Arc::default(),
            requests: RequestMetrics::new(registry),
            ended: counters(
                registry,
                "upgrades_ended",
                "Upgrades that the exporter saw end, by outcome",
            ),
            durations: Durations::register(registry),
            unknown: counters(
                registry,
                "unknown_statuses",
                "Status words in answers that the mapping does not know",
            ),
            truncated: counters(
                registry,
                "truncated",
                "Answers that exceed a bound: more than 20,000 nodes or 1,000 tasks of an upgrade, more than 20,000 clusters of a product, or a text of more than 256 characters (label). The first are kept, and counts of nodes stay right",
            ),
        }
    }

    /// Returns the counters of a product in an account, which all regions of the account share.
    pub(super) fn product(&self, account: &Arc<str>, product: &'static str) -> Arc<ProductMetrics> {
        let mut products = self.products.lock();
        products.retain(|_, metrics| metrics.strong_count() > 0);
        let key = (account.clone(), product);
        if let Some(metrics) = products.get(&key).and_then(Weak::upgrade) {
            return metrics;
        }
        let metrics = Arc::new(self.new_product(account, product));
        products.insert(key, Arc::downgrade(&metrics));
        metrics
    }

    fn new_product(&self, account: &Arc<str>, product: &'static str) -> ProductMetrics {
        let owner = product_labels(account, product);
        let of_product = vec![("product", product.into())];
        let requests = self.requests.clone();
        ProductMetrics {
            polls: Series::new(&self.polls, &owner),
            failures: Series::new(&self.failures, &owner),
            duration: self.duration.get_or_create_owned(&of_product),
            requests: ProductRequests::new(requests, account.clone(), product),
            ended: Series::new(&self.ended, &owner),
            durations: self.durations.clone(),
            product,
            unknown: self.unknown.get_or_create_owned(&of_product),
            truncated: Series::new(&self.truncated, &owner),
        }
    }
}

/// Counters of a product in an account. Their series end when this is dropped; those of the product
/// alone stay.
#[derive(Debug)]
pub(super) struct ProductMetrics {
    polls: Series,
    failures: Series,
    duration: Histogram,
    requests: ProductRequests,
    ended: Series,
    durations: Durations,
    product: &'static str,
    unknown: Counter,
    truncated: Series,
}

impl ProductMetrics {
    /// Starts at 0 every counter whose labels are known in advance.
    pub(super) fn announce(&self, account: &Account, product: &'static dyn Product) {
        self.polls.counter(&[]);
        for reason in Reason::ALL {
            self.failure(*reason);
        }
        for status in UpgradeStatus::ALL.iter().filter(|s| s.is_final()) {
            self.ended.counter(&[("outcome", status.as_str())]);
            self.durations.announce(self.product, *status);
        }
        for what in Truncated::ALL {
            self.truncated.counter(&[("what", what.as_str())]);
        }
        self.requests.announce(&*account.cloud, product);
    }

    /// Counts a poll of a cluster, or a discovery, that ended after `took`.
    pub(super) fn polled(&self, took: Duration, failure: Option<Reason>) {
        self.polls.counter(&[]).inc();
        self.duration.observe(took.as_secs_f64());
        if let Some(reason) = failure {
            self.failure(reason).inc();
        }
    }

    /// Counts a poll that brought data although the vendor refused a part of it.
    pub(super) fn refused(&self) {
        self.failure(Reason::Refused).inc();
    }

    fn failure(&self, reason: Reason) -> Counter {
        self.failures.counter(&[("reason", reason.as_str())])
    }

    /// Counts an upgrade that ended after this time. Returns how many have ended in this way, and the durations
    /// of those of the product in all accounts.
    pub(super) fn upgrade_ended(&self, outcome: UpgradeStatus, took: Duration) -> (u64, Counts) {
        let durations = self.durations.observe(self.product, outcome, took);
        (self.upgrades_ended(outcome, 1), durations)
    }

    /// Adds stored durations of upgrades that ended.
    pub(super) fn add_durations(&self, outcome: UpgradeStatus, stored: &Counts) {
        self.durations.add(self.product, outcome, stored);
    }

    /// Adds a number of upgrades that ended. Returns how many have ended in this way.
    pub(super) fn upgrades_ended(&self, outcome: UpgradeStatus, number: u64) -> u64 {
        let counter = self.ended.counter(&[("outcome", outcome.as_str())]);
        counter.inc_by(number).saturating_add(number)
    }

    /// Counts a word in an answer that the mapping does not know.
    pub(super) fn unknown_status(&self) {
        self.unknown.inc();
    }

    /// Counts an answer that exceeds a bound.
    pub(super) fn truncated(&self, what: Truncated) {
        self.truncated.counter(&[("what", what.as_str())]).inc();
    }
}

#[cfg(test)]
mod tests;
