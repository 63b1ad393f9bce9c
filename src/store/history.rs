//! Upgrades that ended: the newest ones, in memory. With a storage the disk has all of them.

mod retention;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::RwLock;

use crate::model::{Kind, PastCluster, PastKey, PastUpgrade};

pub use retention::keep;

/// Most nodes and tasks of all upgrades in memory, some 25 MB.
pub(crate) const MOST_ITEMS: usize = 50_000;

/// History of upgrades; clones share it.
#[derive(Debug, Clone, Default)]
pub struct History(Arc<RwLock<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    upgrades: BTreeMap<PastKey, Arc<PastUpgrade>>,
    items: usize,
    left_out: u64,
}

/// Upgrades of the history, those that ended last first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PastUpgrades {
    /// Those in memory.
    pub upgrades: Vec<Arc<PastUpgrade>>,
    /// Number of older ones that are too many for the memory.
    pub left_out: u64,
}

impl PastUpgrades {
    /// Builds a list of upgrades in any order, of which older ones may be left out.
    pub fn new(mut upgrades: Vec<Arc<PastUpgrade>>, left_out: u64) -> Self {
        upgrades.sort_by(|a, b| (b.ended, &a.key).cmp(&(a.ended, &b.key)));
        Self { upgrades, left_out }
    }
}

impl History {
    /// Puts an upgrade that ended, in the place of an earlier end of it.
    pub fn put(&self, upgrade: Arc<PastUpgrade>) {
        self.0.write().put(upgrade);
    }

    /// Puts upgrades that were stored; `left_out` is the number of older ones that were not loaded.
    pub fn load(&self, upgrades: impl IntoIterator<Item = PastUpgrade>, left_out: u64) {
        let mut inner = self.0.write();
        inner.left_out += left_out;
        for upgrade in upgrades {
            inner.put(Arc::new(upgrade));
        }
    }

    /// Returns all upgrades in memory.
    pub fn all(&self) -> PastUpgrades {
        let inner = self.0.read();
        let upgrades = inner.upgrades.values().cloned().collect();
        PastUpgrades::new(upgrades, inner.left_out)
    }

    /// Returns the upgrades of a kind of a cluster, those that were first seen last first.
    pub fn of(&self, cluster: &PastCluster, kind: Kind) -> Vec<Arc<PastUpgrade>> {
        let key = |first_seen| PastKey {
            cluster: cluster.clone(),
            kind,
            first_seen,
        };
        let inner = self.0.read();
        let upgrades = inner
            .upgrades
            .range(key(Timestamp::MIN)..=key(Timestamp::MAX));
        upgrades.rev().map(|(_, upgrade)| upgrade.clone()).collect()
    }

    /// Forgets upgrades that ended before this time.
    pub fn forget_before(&self, time: Timestamp) {
        let mut inner = self.0.write();
        inner.upgrades.retain(|_, upgrade| upgrade.ended >= time);
        let items = inner.upgrades.values().map(|upgrade| size(upgrade));
        inner.items = items.sum();
    }
}

impl Inner {
    fn put(&mut self, upgrade: Arc<PastUpgrade>) {
        self.items += size(&upgrade);
        let earlier = self.upgrades.insert(upgrade.key.clone(), upgrade);
        self.items -= earlier.map_or(0, |earlier| size(&earlier));
        while self.items > MOST_ITEMS && self.upgrades.len() > 1 {
            let oldest = self.upgrades.values().min_by_key(|upgrade| upgrade.ended);
            let oldest = oldest.map(|upgrade| upgrade.key.clone());
            let Some(oldest) = oldest.and_then(|key| self.upgrades.remove(&key)) else {
                return;
            };
            self.items -= size(&oldest);
            self.left_out += 1;
        }
    }
}

/// Returns what an upgrade counts for: its nodes and tasks, and itself.
pub(crate) fn size(upgrade: &PastUpgrade) -> usize {
    upgrade.items() + 1
}

#[cfg(test)]
pub(crate) mod tests;
