//! Health of the exporter itself: failing polls, clocks that are off, the config, the Alertmanagers.
//!
//! Each fact has one owner and leaves the store with it: a failure is the last error of a cluster or of
//! a discovery, a skew belongs to the clock of an account's vendor.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Store;
use crate::model::{DiscoveryKey, Key, LastError};

/// Health of the exporter itself at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExporterHealth {
    /// Polls that fail.
    pub failing: Vec<Failing>,
    /// By account: local clock minus the vendor's, in seconds.
    pub clock_skew: Vec<(Arc<str>, f64)>,
    /// True after a failed attempt to load the config, until a good one.
    pub reload_failed: bool,
    /// Time at which the config in use was loaded; `None` before the first.
    pub config_loaded: Option<Timestamp>,
    /// Alertmanagers that take no alerts, by address, and since when.
    pub unreachable: Vec<(String, Timestamp)>,
}

/// Polls of a product in an account that fail for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// The account.
    pub account: Arc<str>,
    /// The product.
    pub product: &'static str,
    /// The fixed word.
    pub reason: &'static str,
    /// Begin of the longest failure, of a cluster or of the discovery.
    pub since: Timestamp,
}

/// Reason and begin of a failure.
type Failure = (&'static str, Timestamp);

/// Facts that no other part of the store holds, and the index of those that others hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// Failures of the clusters, and of the discoveries (by an id that no cluster has): a scrape does not look at
    /// every cluster.
    failing: BTreeMap<Key, Failure>,
    reload_failed: bool,
    config_loaded: Option<Timestamp>,
    /// By address of each Alertmanager: since when it takes no alerts; `None` while it does.
    alertmanagers: BTreeMap<String, Option<Timestamp>>,
}

impl Facts {
    /// Returns the failures by product and reason, each since the longest one began.
    fn failing(&self) -> Vec<Failing> {
        let mut failing: Vec<Failing> = Vec::new();
        for (key, (reason, since)) in &self.failing {
            let mut of_product = failing
                .iter_mut()
                .rev()
                .take_while(|f| f.account == key.account && f.product == key.product);
            match of_product.find(|f| f.reason == *reason) {
                Some(known) => known.since = known.since.min(*since),
                None => failing.push(Failing {
                    account: key.account.clone(),
                    product: key.product,
                    reason,
                    since: *since,
                }),
            }
        }
        failing
    }
}

impl Store {
    /// Returns the health of the exporter now.
    pub fn health(&self) -> ExporterHealth {
        let facts = self.facts.load();
        let clocks = self.clocks.load();
        let skews = clocks.iter().filter_map(|(account, clock)| {
            let skew = clock.skew()?;
            Some((account.clone(), skew.as_secs_f64()))
        });
        let alertmanagers = facts.alertmanagers.iter();
        ExporterHealth {
            failing: facts.failing(),
            clock_skew: skews.collect(),
            reload_failed: facts.reload_failed,
            config_loaded: facts.config_loaded,
            unreachable: alertmanagers
                .filter_map(|(url, since)| Some((url.clone(), (*since)?)))
                .collect(),
        }
    }

    /// Puts the outcome of an attempt to load the config: when it was loaded, or `None` when that failed.
    pub fn put_config_load(&self, at: Option<Timestamp>) {
        self.change_facts(|facts| {
            facts.reload_failed = at.is_none();
            facts.config_loaded = at.or(facts.config_loaded);
        });
    }

    /// Adds an Alertmanager, which takes alerts as far as known.
    pub fn add_alertmanager(&self, url: &str) {
        self.change_facts(|facts| {
            facts.alertmanagers.insert(url.to_owned(), None);
        });
    }

    /// Puts whether an Alertmanager takes no alerts at this time, or takes them (`None`). An outage keeps
    /// its begin. Ignores an Alertmanager that was removed.
    pub fn put_alertmanager(&self, url: &str, failing: Option<Timestamp>) {
        let known = self.facts.load().alertmanagers.get(url).copied();
        if known.is_some_and(|known| known.is_some() != failing.is_some()) {
            self.change_facts(|facts| {
                if let Some(since) = facts.alertmanagers.get_mut(url) {
                    *since = failing;
                }
            });
        }
    }

    /// Removes an Alertmanager.
    pub fn remove_alertmanager(&self, url: &str) {
        self.change_facts(|facts| {
            facts.alertmanagers.remove(url);
        });
    }

    /// Keeps the index of failures in step with the last errors.
    pub(super) fn index_errors<'a>(
        &self,
        errors: impl IntoIterator<Item = (Key, Option<&'a LastError>)>,
    ) {
        let known = self.facts.load();
        let failures = errors.into_iter().map(|(key, error)| {
            let failure: Option<Failure> = error.map(|error| (error.reason, error.since));
            (key, failure)
        });
        let changed: Vec<_> = failures
            .filter(|(key, failure)| known.failing.get(key) != failure.as_ref())
            .collect();
        if changed.is_empty() {
            return;
        }
        self.change_facts(|facts| {
            for (key, failure) in &changed {
                match failure {
                    Some(failure) => facts.failing.insert(key.clone(), *failure),
                    None => facts.failing.remove(key),
                };
            }
        });
    }

    fn change_facts(&self, change: impl Fn(&mut Facts)) {
        self.facts.rcu(|old| {
            let mut new = Facts::clone(old);
            change(&mut new);
            new
        });
    }
}

/// Returns the key of a discovery in the index of failures. No cluster's id has an `@`.
pub(super) fn discovery_key(key: &DiscoveryKey) -> Key {
    Key {
        account: key.account.clone(),
        product: key.product,
        id: format!("@{}", key.region).into(),
    }
}

#[cfg(test)]
mod tests;
