//! What is known now: one immutable snapshot, replaced whenever a worker learns something.

pub mod disk;
mod health;
pub mod history;
mod metrics;
mod snapshot;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::clock::{Clocks, VendorClock};
use crate::model::{ClusterState, DiscoveryKey, DiscoveryState, Key};
use health::{Facts, Failures, discovery_key};
use history::History;

pub use health::{ExporterHealth, Failing};
pub use metrics::register;
pub use snapshot::{Change, Snapshot};

/// States of the looks for clusters, by account, product and region.
pub type Discoveries = BTreeMap<DiscoveryKey, Arc<DiscoveryState>>;

/// Holds the snapshot: workers put their cluster's state, everybody reads.
#[derive(Debug)]
pub struct Store {
    snapshot: ArcSwap<Snapshot>,
    discoveries: ArcSwap<Discoveries>,
    clocks: ArcSwap<Clocks>,
    facts: ArcSwap<Facts>,
    history: History,
    /// Index of the last errors of clusters and discoveries.
    failures: Mutex<Failures>,
    changed: watch::Sender<()>,
    /// Changes so far.
    changes: AtomicU64,
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

impl Store {
    /// An empty store.
    pub fn new() -> Self {
        Self {
            snapshot: ArcSwap::default(),
            discoveries: ArcSwap::default(),
            clocks: ArcSwap::default(),
            facts: ArcSwap::default(),
            history: History::default(),
            failures: Mutex::default(),
            changed: watch::Sender::new(()),
            changes: AtomicU64::new(0),
        }
    }

    /// Returns the snapshot now. Two snapshots share what did not change between them, and tell what did
    /// ([`Snapshot::changes`]).
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Sees every change from now on; several at once are one.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// How many changes there were: a snapshot that is taken later has them all.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Puts a cluster's new state.
    pub fn put(&self, state: impl Into<Arc<ClusterState>>) {
        self.put_all([state]);
    }

    /// Puts the new states of clusters as one change.
    pub fn put_all(&self, states: impl IntoIterator<Item: Into<Arc<ClusterState>>>) {
        let states: Vec<Arc<ClusterState>> = states.into_iter().map(Into::into).collect();
        self.index_errors(
            states
                .iter()
                .map(|state| (state.key.clone(), state.last_error.as_ref())),
        );
        self.change(|snapshot| {
            for state in &states {
                snapshot.insert(state.clone());
            }
        });
    }

    /// Forgets a cluster.
    pub fn remove(&self, key: &Key) {
        self.index_errors([(key.clone(), None)]);
        self.change(|snapshot| {
            snapshot.remove(key);
        });
    }

    /// How looking for clusters goes now.
    pub fn discoveries(&self) -> Arc<Discoveries> {
        self.discoveries.load_full()
    }

    /// Puts how looking for the clusters of a product went.
    pub fn put_discovery(&self, state: DiscoveryState) {
        let key = state.key();
        self.index_errors([(discovery_key(&key), state.last_error.as_ref())]);
        let state = Arc::new(state);
        self.discoveries.rcu(|old| {
            let mut new = Discoveries::clone(old);
            new.insert(key.clone(), state.clone());
            new
        });
        self.tell();
    }

    /// Forgets how looking for the clusters of a product goes.
    pub fn remove_discovery(&self, key: &DiscoveryKey) {
        self.index_errors([(discovery_key(key), None)]);
        self.discoveries.rcu(|old| {
            let mut new = Discoveries::clone(old);
            new.remove(key);
            new
        });
        self.tell();
    }

    /// Returns the clocks of the accounts' vendors: times of an account's clusters are measured by its.
    pub fn clocks(&self) -> Arc<Clocks> {
        self.clocks.load_full()
    }

    /// Puts the clock of an account's vendor.
    pub fn put_clock(&self, account: &Arc<str>, clock: &VendorClock) {
        self.clocks.rcu(|old| {
            let mut new = Clocks::clone(old);
            new.insert(account.clone(), clock.clone());
            new
        });
        self.tell();
    }

    /// Forgets the clock of an account's vendor.
    pub fn remove_clock(&self, account: &str) {
        self.clocks.rcu(|old| {
            let mut new = Clocks::clone(old);
            new.remove(account);
            new
        });
        self.tell();
    }

    /// Returns the history of upgrades, of which the page of the metrics shows nothing.
    pub fn history(&self) -> &History {
        &self.history
    }

    fn tell(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.changed.send_replace(());
    }

    fn change(&self, change: impl Fn(&mut Snapshot)) {
        self.snapshot.rcu(|old| {
            let mut new = Snapshot::clone(old);
            change(&mut new);
            new
        });
        self.tell();
    }
}
