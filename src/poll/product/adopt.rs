//! The next generation: what it keeps of the clusters, what it changes, and the end of a product.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use super::ProductPoller;
use crate::poll::compare::{Tally, is_same_choice};
use crate::poll::generation::Generation;
use crate::poll::select;
use crate::ready::Latch;

impl ProductPoller {
    /// Continues with another generation, between two tasks. Forgets nothing of the clusters that stay.
    /// Returns what becomes of the clusters.
    pub(in crate::poll) fn adopt(&mut self, next: Generation) -> Tally {
        let next = Arc::new(next);
        let before = std::mem::replace(&mut self.generation, next.clone());
        let is_replaced = !next.has_provider_of(&before);
        // Another way to sign in has other calls.
        next.metrics.announce(&next.account, next.config.product);
        let known: Vec<_> = self.clusters.values().map(|c| c.wanted().clone()).collect();
        let chosen = select::again(&next.config, self.found.as_ref(), &known);
        let ids: HashSet<_> = chosen.clusters.iter().map(|one| one.id.clone()).collect();
        let mut tally = Tally::default();
        let store = &next.deps.store;
        self.clusters.retain(|id, cluster| {
            let stays = ids.contains(id);
            if !stays {
                store.remove(&cluster.state().key);
                next.deps.storage.remove(&next, id);
                tally.removed += 1;
            }
            stays
        });
        let (mut added, mut changed) = (Vec::new(), Vec::new());
        for wanted in chosen.clusters {
            let Some(cluster) = self.clusters.get_mut(&wanted.id) else {
                added.push(wanted);
                continue;
            };
            if cluster.adopt(&next, wanted, is_replaced) {
                changed.push(cluster.state().clone());
            }
        }
        (tally.added, tally.changed) = (added.len(), changed.len());
        if !changed.is_empty() {
            store.put_all(changed);
        }
        self.add(added, &Latch::spent());
        self.shown.left_out = chosen.left_out;
        self.shown.cloud_region = next.account.cloud.region().clone();
        self.show();
        let now = Instant::now();
        if is_replaced || !is_same_choice(&before.config, &next.config) {
            self.next = now;
        } else {
            // An interval that got shorter holds from now on; a longer one after the next discovery.
            let interval = next.account.polling.discovery_interval;
            if interval < before.account.polling.discovery_interval {
                let pause = interval.max(self.asked_pause.unwrap_or_default());
                self.next = self.next.min(self.discovered + pause).max(now);
            }
        }
        tally
    }

    /// Removes the product with its clusters from the store. Returns how many clusters there were.
    pub(in crate::poll) fn remove(self) -> usize {
        let store = &self.generation.deps.store;
        for cluster in self.clusters.values() {
            store.remove(&cluster.state().key);
            let storage = &self.generation.deps.storage;
            storage.remove(&self.generation, &cluster.wanted().id);
        }
        store.remove_discovery(&self.shown.key());
        let storage = &self.generation.deps.storage;
        storage.remove_discovery(&self.generation);
        self.clusters.len()
    }
}
