//! Upgrades of a cluster in the history: those that end, and what earlier ones tell of one that runs.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::past::estimated_end;
use crate::model::{ClusterState, Memory, PastUpgrade, Seen, UpgradeView, track};
use crate::poll::generation::Generation;
use crate::poll::storage::cluster;

/// Takes what ended with the last good poll: an upgrade whose outcome is new is counted, and one that ended again
/// takes its place in the history. `before` is what was shown before the poll.
pub(super) fn note(
    generation: &Generation,
    state: &ClusterState,
    memories: (&Memory, &Memory),
    before: &[UpgradeView],
) {
    let (earlier, memory) = memories;
    let counted = track::ended_since(earlier, &state.upgrades);
    for view in &state.upgrades {
        let kind = view.upgrade.kind;
        let is_counted = counted.iter().any(|ended| ended.upgrade.kind == kind);
        let is_known = |seen: &Seen| seen.last.is_same(&view.upgrade) && !seen.outcomes.is_empty();
        let shown = before.iter().find(|shown| shown.upgrade.kind == kind);
        let ended_again = earlier.last(kind).is_some_and(is_known)
            && view.ended != shown.and_then(|shown| shown.ended);
        if is_counted || ended_again {
            put(generation, state, memory, view, is_counted);
        }
    }
}

/// Puts an upgrade that ended into the history.
fn put(
    generation: &Generation,
    state: &ClusterState,
    memory: &Memory,
    view: &UpgradeView,
    is_counted: bool,
) {
    let location = generation.account.cloud.place();
    let history = generation.deps.store.history();
    let kind = view.upgrade.kind;
    // Its first sight moves where the cluster was gone for a while, and with the clock.
    let is_told = view.upgrade.id.is_some() || view.upgrade.requested.is_some();
    let known = history.of(&cluster(generation, &state.key.id), kind);
    let known = known
        .first()
        .filter(|past| is_told && past.upgrade.upgrade.is_same(&view.upgrade));
    let seen = memory.last(kind).map(|seen| seen.first_seen);
    let first_seen = known.map(|past| past.key.first_seen).or(seen);
    let first_seen = first_seen.unwrap_or(state.last_success);
    let Some(past) = PastUpgrade::new(state, &location, first_seen, view) else {
        return;
    };
    let storage = &generation.deps.storage;
    let past = Arc::new(past);
    history.put(past.clone());
    if is_counted {
        let outcome = past.outcome();
        let (total, durations) = generation.metrics.upgrade_ended(outcome, past.duration());
        storage.put_ended(generation, outcome.as_str(), total);
        storage.put_durations(generation, outcome.as_str(), &durations);
    }
    storage.put_past(past);
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
