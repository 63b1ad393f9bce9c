//! Start with what was stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::UpgradeStatus;
use crate::poll::cluster::WatchedCluster;
use crate::poll::generation::Generation;
use crate::poll::select::{self, Wanted};
use crate::poll::storage::call_names;
use crate::ready::Latch;

/// Restores the clusters of a product that were stored and that the config selects, and shows them.
pub(super) fn clusters(
    generation: &Generation,
    first: &Latch,
) -> BTreeMap<Arc<str>, WatchedCluster> {
    let storage = &generation.deps.storage;
    let known = |word: &str| UpgradeStatus::ALL.iter().find(|s| s.as_str() == word);
    for (outcome, total) in storage.take_ended(generation) {
        if let Some(outcome) = known(&outcome) {
            generation.metrics.upgrades_ended(*outcome, total);
        }
    }
    for (outcome, counts) in storage.take_durations(generation.product().name) {
        if let Some(outcome) = known(&outcome) {
            generation.metrics.add_durations(*outcome, &counts);
        }
    }
    let mut records = storage.take(generation);
    let known: Vec<_> = records
        .iter()
        .map(|(id, record)| Wanted {
            id: id.clone(),
            name: record.name.to_string(),
            named: record.is_named,
            thresholds: generation.config.thresholds,
        })
        .collect();
    let calls = call_names(generation);
    let now = generation.clock.read().0;
    let mut clusters = BTreeMap::new();
    for wanted in select::again(&generation.config, None, &known).clusters {
        if let Some(record) = records.remove(&wanted.id) {
            let id = wanted.id.clone();
            let mut cluster = WatchedCluster::new(generation, wanted, first.clone(), now);
            cluster.restore(generation, record, &calls);
            clusters.insert(id, cluster);
        }
    }
    for id in records.keys() {
        storage.remove(generation, id);
    }
    let states = clusters.values().map(|cluster| cluster.state().clone());
    generation.deps.store.put_all(states.collect::<Vec<_>>());
    clusters
}
