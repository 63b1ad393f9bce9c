//! Upgrades of a cluster in the history: those that end, and what earlier ones tell of one that runs.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::past::estimated_end;
use crate::model::{ClusterState, Memory, NodeStatus, PastUpgrade, UpgradeView, track};
use crate::poll::generation::Generation;
use crate::poll::storage::cluster;

/// Takes what ended with the last good poll: an upgrade whose outcome is new is counted, and one of the history
/// that ended again takes its place there.
pub(super) fn note(
    generation: &Generation,
    state: &ClusterState,
    earlier: &Memory,
    memory: &Memory,
) {
    let counted = track::ended_since(earlier, &state.upgrades);
    for view in state.upgrades.iter().filter(|view| view.ended.is_some()) {
        let kind = view.upgrade.kind;
        let is_counted = counted.iter().any(|ended| ended.upgrade.kind == kind);
        let seen = memory.last(kind).map(|seen| seen.first_seen);
        let first_seen = seen.unwrap_or(state.last_success);
        let known = known(generation, state, first_seen, view);
        let has_ended_again = known
            .as_ref()
            .is_some_and(|known| Some(known.ended) != view.ended);
        if is_counted || has_ended_again {
            let first_seen = known.map_or(first_seen, |known| known.key.first_seen);
            put(generation, state, first_seen, view, is_counted);
        }
    }
}

/// Returns the upgrade as the history has it. Its first sight moves where its cluster was gone for a while, and
/// with the clock: the vendor's id or request time tells then that it is the one.
fn known(
    generation: &Generation,
    state: &ClusterState,
    first_seen: Timestamp,
    view: &UpgradeView,
) -> Option<Arc<PastUpgrade>> {
    let upgrade = &view.upgrade;
    let is_told = upgrade.id.is_some() || upgrade.requested.is_some();
    let history = generation.deps.store.history();
    let past = history.of(&cluster(generation, &state.key.id), upgrade.kind);
    past.into_iter().find(|past| {
        past.key.first_seen == first_seen || is_told && past.upgrade.upgrade.is_same(upgrade)
    })
}

/// Puts an upgrade that ended into the history.
fn put(
    generation: &Generation,
    state: &ClusterState,
    first_seen: Timestamp,
    view: &UpgradeView,
    is_counted: bool,
) {
    let location = generation.account.cloud.place();
    let Some(past) = PastUpgrade::new(state, &location, first_seen, view) else {
        return;
    };
    let storage = &generation.deps.storage;
    let past = Arc::new(past);
    generation.deps.store.history().put(past.clone());
    if is_counted {
        let outcome = past.outcome();
        let (total, durations) = generation.metrics.upgrade_ended(outcome, past.duration());
        storage.put_ended(generation, outcome.as_str(), total);
        storage.put_durations(generation, outcome.as_str(), &durations);
    }
    storage.put_past(past);
}

/// Estimates the ends of upgrades that run by the earlier ones of the cluster, before the first of their own nodes
/// is done. `now` is the time of the last good poll.
pub(super) fn estimate(generation: &Generation, state: &mut ClusterState, now: Timestamp) {
    let history = generation.deps.store.history();
    let id = state.key.id.clone();
    for view in &mut state.upgrades {
        let has_pace = view.upgrade.node_counts().of(NodeStatus::Succeeded) > 0;
        if view.estimated_end.is_none() && view.started.is_some() && !has_pace {
            let earlier = history.of(&cluster(generation, &id), view.upgrade.kind);
            view.estimated_end = estimated_end(view, earlier.iter().map(|past| &**past), now);
        }
    }
}
