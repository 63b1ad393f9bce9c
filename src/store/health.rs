//! Health of the exporter itself: failing polls, clocks that are off, the config, the storage, the
//! Alertmanagers.
//!
//! Each fact has one owner and leaves the store with it: a failure is the last error of a cluster or of
//! a discovery, a skew belongs to the clock of an account's vendor.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Store;
use crate::model::{DiscoveryKey, Key, LastError, Reason};

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
    /// Outcome of the last write to the storage; `None` without a storage.
    pub storage_up: Option<bool>,
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
    pub reason: Reason,
    /// Begin of the longest failure, of a cluster or of the discovery.
    pub since: Timestamp,
}

/// Reason and begin of a failure.
type Failure = (Reason, Timestamp);

/// Facts that no other part of the store holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    reload_failed: bool,
    config_loaded: Option<Timestamp>,
    storage_up: Option<bool>,
    /// By address of each Alertmanager: since when it takes no alerts; `None` while it does.
    alertmanagers: BTreeMap<String, Option<Timestamp>>,
}

/// Account, product and reason of failures.
type Group = (Arc<str>, &'static str, Reason);

/// Index of the failures of the clusters, and of the discoveries (by an id that no cluster has): neither
/// a poll nor a scrape looks at every cluster.
#[derive(Debug, Default)]
pub(super) struct Failures {
    by_key: BTreeMap<Key, Failure>,
    /// Begins of the failures, with the id of the cluster.
    by_reason: BTreeMap<Group, BTreeSet<(Timestamp, Arc<str>)>>,
}

impl Failures {
    /// Puts the failure of a cluster or discovery, or removes it.
    fn put(&mut self, key: Key, failure: Option<Failure>) {
        let known = self.by_key.get(&key).copied();
        if known == failure {
            return;
        }
        let group = |reason| (key.account.clone(), key.product, reason);
        if let Some((reason, since)) = known {
            let group = group(reason);
            if let Some(begins) = self.by_reason.get_mut(&group) {
                begins.remove(&(since, key.id.clone()));
                if begins.is_empty() {
                    self.by_reason.remove(&group);
                }
            }
        }
        match failure {
            Some((reason, since)) => {
                let begins = self.by_reason.entry(group(reason)).or_default();
                begins.insert((since, key.id.clone()));
                self.by_key.insert(key, (reason, since));
            }
            None => drop(self.by_key.remove(&key)),
        }
    }

    /// Returns the failures by product and reason, each since the longest one began.
    fn failing(&self) -> Vec<Failing> {
        let groups = self.by_reason.iter();
        groups
            .filter_map(|((account, product, reason), begins)| {
                let (since, _) = begins.first()?;
                Some(Failing {
                    account: account.clone(),
                    product,
                    reason: *reason,
                    since: *since,
                })
            })
            .collect()
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
            failing: self.failures.lock().failing(),
            clock_skew: skews.collect(),
            reload_failed: facts.reload_failed,
            config_loaded: facts.config_loaded,
            storage_up: facts.storage_up,
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

    /// Returns whether there is a storage, whether it takes the state or not.
    pub fn has_storage(&self) -> bool {
        self.facts.load().storage_up.is_some()
    }

    /// Puts whether the storage takes the state.
    pub fn put_storage(&self, is_up: bool) {
        if self.facts.load().storage_up != Some(is_up) {
            self.change_facts(|facts| facts.storage_up = Some(is_up));
        }
    }

    /// Puts whether the storage takes the state, at once and whenever that changes, until the sender is
    /// dropped.
    pub async fn follow_storage(&self, mut is_up: watch::Receiver<bool>) {
        loop {
            let now = *is_up.borrow_and_update();
            self.put_storage(now);
            if is_up.changed().await.is_err() {
                return;
            }
        }
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
        let mut failures = self.failures.lock();
        for (key, error) in errors {
            failures.put(key, error.map(|error| (error.reason, error.since)));
        }
    }

    fn change_facts(&self, change: impl Fn(&mut Facts)) {
        self.facts.rcu(|old| {
            let mut new = Facts::clone(old);
            change(&mut new);
            new
        });
        self.tell();
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
