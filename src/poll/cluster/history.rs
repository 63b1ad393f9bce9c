//! Upgrades of a cluster in the history: those that end, and what earlier ones tell of one that runs.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::past::estimated_end;
use crate::model::{ClusterState, Memory, PastUpgrade, UpgradeView};
use crate::poll::generation::Generation;
use crate::poll::storage::cluster;

/// Counts an upgrade that ended, and puts it into the history.
pub(super) fn note(
    generation: &Generation,
    state: &ClusterState,
    memory: &Memory,
    view: &UpgradeView,
) {
    let seen = memory.last(view.upgrade.kind);
    let first_seen = seen.map_or(state.last_success, |seen| seen.first_seen);
    let location = generation.account.cloud.place();
    let Some(past) = PastUpgrade::new(state, &location, first_seen, view) else {
        return;
    };
    let outcome = past.outcome();
    let (total, durations) = generation.metrics.upgrade_ended(outcome, past.duration());
    let past = Arc::new(past);
    generation.deps.store.history().put(past.clone());
    let storage = &generation.deps.storage;
    storage.put_ended(generation, outcome.as_str(), total);
    storage.put_past(past, &durations);
}

/// Estimates the ends of upgrades that run by the earlier ones of the cluster, where the pace of their own nodes
/// does not tell it yet. `now` is the time of the last good poll.
pub(super) fn estimate(generation: &Generation, state: &mut ClusterState, now: Timestamp) {
    let history = generation.deps.store.history();
    let id = state.key.id.clone();
    for view in &mut state.upgrades {
        if view.estimated_end.is_none() && view.started.is_some() && !view.upgrade.is_ended() {
            let earlier = history.of(&cluster(generation, &id), view.upgrade.kind);
            view.estimated_end = estimated_end(view, earlier.iter().map(|past| &**past), now);
        }
    }
}
