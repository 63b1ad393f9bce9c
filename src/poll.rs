//! When to ask: one task a product of an account discovers clusters, and polls each when it is due.
//!
//! Accounts share nothing, so that a failing one never slows another. A task owns what it knows, and its
//! config never changes: a changed config stops the tasks of the products that it changes, and starts
//! new ones with what the old ones knew.

mod access;
mod asked;
mod cluster;
mod compare;
mod generation;
mod metrics;
mod oddities;
mod product;
mod running;
pub mod schedule;
pub mod select;
mod storage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::clock::{Clock, VendorClock};
use crate::config::{Account, Config};
use crate::ready::Latch;
use crate::store::Store;
use access::LazyTransport;
use compare::{is_same_place, is_same_way, pair};
use generation::Generation;
use product::ProductPoller;
use running::RunningProduct;

pub use compare::{Changes, Tally};
pub use metrics::Metrics;
pub use storage::Storage;

/// What polling needs besides the config.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Where states go.
    pub store: Arc<Store>,
    /// Counters of the polls.
    pub metrics: Metrics,
    /// The local clock.
    pub clock: Clock,
    /// Storage of what is learnt.
    pub storage: Storage,
    /// A first poll that asks to be repeated soon is repeated at once, and the first round lasts until
    /// then: for a command that polls once.
    pub confirms_at_once: bool,
}

/// Polls everything that the config names, for as long as it is let. `first` as for
/// [`Polling::start`].
pub async fn run(config: Config, deps: Deps, first: Latch) {
    let _polling = Polling::start(config.accounts, deps, first).await;
    std::future::pending::<()>().await;
}

/// Polls everything that the config names, until it is dropped.
pub struct Polling {
    deps: Deps,
    accounts: Vec<Running>,
}

struct Running {
    account: Arc<Account>,
    access: Arc<LazyTransport>,
    products: Vec<RunningProduct>,
}

/// A config that can be taken over.
pub struct Prepared(Vec<Ready>);

struct Ready {
    account: Arc<Account>,
    access: Arc<LazyTransport>,
    /// Place of the account that it follows.
    before: Option<usize>,
    /// There was one of this name, and it was not as this one is.
    is_news: bool,
}

impl Polling {
    /// Begins. `first` is dropped once the first round of every account has ended, well or badly.
    pub async fn start(accounts: Vec<Account>, deps: Deps, first: Latch) -> Self {
        let mut polling = Self {
            deps,
            accounts: Vec::new(),
        };
        let prepared = polling.prepare(accounts);
        polling.take_over(prepared, &first).await;
        polling.deps.storage.forget_rest();
        polling
    }

    /// Compares new accounts with those that are polled. Nothing changes yet.
    pub fn prepare(&self, accounts: Vec<Account>) -> Prepared {
        let accounts: Vec<Arc<Account>> = accounts.into_iter().map(Arc::new).collect();
        let before: Vec<&Account> = self.accounts.iter().map(|b| &*b.account).collect();
        let pairs = pair(&before, &accounts);
        // All regions of an account have one clock: that of before, where one of them stays.
        let mut clocks = BTreeMap::new();
        for (account, before) in accounts.iter().zip(&pairs) {
            let before = self.before(*before);
            if let Some(before) = before.filter(|b| is_same_place(&b.account, account)) {
                let clock = before.access.clock.clone();
                clocks.entry(account.name.clone()).or_insert(clock);
            }
        }
        let mut ready = Vec::new();
        for (account, place) in accounts.into_iter().zip(pairs) {
            let before = self.before(place);
            let access = match before {
                Some(before) if is_same_way(&before.account, &account) => before.access.clone(),
                before => {
                    let before = before.filter(|b| is_same_place(&b.account, &account));
                    let before = before.map(|before| &*before.access);
                    let new = || VendorClock::new(self.deps.clock.clone());
                    let clock = clocks.entry(account.name.clone()).or_insert_with(new);
                    let clock = clock.clone();
                    Arc::new(LazyTransport::new(
                        account.clone(),
                        &self.deps,
                        clock,
                        before,
                    ))
                }
            };
            ready.push(Ready {
                is_news: before.is_none_or(|before| *before.account != *account),
                before: place,
                account,
                access,
            });
        }
        Prepared(ready)
    }

    fn before(&self, place: Option<usize>) -> Option<&Running> {
        self.accounts.get(place?)
    }

    /// Continues under a prepared config. Products that it does not change notice nothing, and clusters
    /// that it does not name are gone when this ends.
    pub async fn apply(&mut self, prepared: Prepared) -> Changes {
        self.take_over(prepared, &Latch::spent()).await
    }

    async fn take_over(&mut self, prepared: Prepared, first: &Latch) -> Changes {
        let mut changes = Changes::default();
        let before = std::mem::take(&mut self.accounts);
        let mut before: Vec<Option<Running>> = before.into_iter().map(Some).collect();
        let kept: BTreeSet<usize> = prepared.0.iter().filter_map(|r| r.before).collect();
        let names: BTreeSet<_> = prepared.0.iter().map(|r| r.account.name.clone()).collect();
        // First: a new account may have clusters with the ids of one that none follows.
        for (place, running) in before.iter_mut().enumerate() {
            if kept.contains(&place) {
                continue;
            }
            let Some(running) = running.take() else {
                continue;
            };
            changes.accounts.removed += 1;
            changes.clusters.removed += remove_all(running.products).await;
            // After its clusters: their times are measured by it while they are shown.
            if !names.contains(&running.account.name) {
                self.deps.store.remove_clock(&running.account.name);
            }
        }
        for ready in prepared.0 {
            let old = ready.before.and_then(|place| before.get_mut(place)?.take());
            match &old {
                None => changes.accounts.added += 1,
                Some(_) if ready.is_news => changes.accounts.changed += 1,
                Some(_) => {}
            }
            let running = self.next_account(ready, old, first, &mut changes).await;
            self.accounts.push(running);
        }
        changes
    }

    /// Starts the products of an account that are new, and the next generation of those that changed;
    /// removes the others of `old`.
    async fn next_account(
        &self,
        ready: Ready,
        old: Option<Running>,
        first: &Latch,
        changes: &mut Changes,
    ) -> Running {
        let Ready {
            account, access, ..
        } = ready;
        // Counters of products that go on in another place.
        let mut counted = Vec::new();
        let mut before = match old {
            Some(old) if is_same_place(&old.account, &account) => old.products,
            // What is known of clusters in another place is not true here. The counters go on.
            Some(old) => {
                let products = old.products.iter();
                counted.extend(products.map(|old| old.generation.metrics.clone()));
                changes.clusters.removed += remove_all(old.products).await;
                Vec::new()
            }
            None => Vec::new(),
        };
        self.deps.store.put_clock(&account.name, &access.clock);
        let mut products = Vec::new();
        for config in &account.products {
            let is_of = |old: &RunningProduct| old.product() == config.product;
            let old = before.iter().position(is_of);
            let mut running = old.map(|place| before.swap_remove(place));
            if let Some(old) = &running
                && let Some(next) = old.generation.next(&account, config, &access)
                && let Some(old) = running.take()
            {
                let replaced = old.replace(next).await;
                running = replaced.map(|(new, clusters)| {
                    changes.clusters.add(clusters);
                    new
                });
            }
            let new = || {
                let generation = Generation::new(&account, config, &access, &self.deps);
                RunningProduct::start(ProductPoller::new(generation, first.clone()))
            };
            products.push(running.unwrap_or_else(new));
        }
        changes.clusters.removed += remove_all(before).await;
        drop(counted);
        Running {
            account,
            access,
            products,
        }
    }
}

/// Stops products, and removes their clusters. Returns how many those were.
async fn remove_all(products: Vec<RunningProduct>) -> usize {
    let mut clusters = 0;
    for product in products {
        clusters += product.remove().await;
    }
    clusters
}

impl Prepared {
    /// Opens the ways of accounts that are not as they were, so that one that cannot be opened is
    /// known before anything changes. It reads files: not for an async thread.
    pub fn open(self) -> Result<Self, String> {
        let mut problems = Vec::new();
        for ready in self.0.iter().filter(|ready| ready.is_news) {
            let opened = ready.access.open().and_then(|transport| {
                let mut products = ready.account.products.iter();
                products.try_for_each(|config| ready.account.open(config, &transport).map(drop))
            });
            if let Err(error) = opened {
                problems.push(format!("account {}: {error}", ready.account.name));
            }
        }
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(problems.join("\n"))
        }
    }
}

#[cfg(test)]
mod tests;
