//! When time alone may change what holds of a cluster.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::alert::rules;
use crate::clock::{Timers, Times};
use crate::model::{ClusterState, Key};
use crate::store::Snapshot;

/// Instants of clusters.
#[derive(Debug, Default)]
pub(super) struct Turns {
    timers: Timers<Key>,
    /// Instant in `timers` for the time at which the data of a cluster become old: that time, or an earlier one that
    /// has not passed. Each poll moves the time; the instant follows when it passes.
    data: HashMap<Key, Timestamp>,
}

impl Turns {
    /// Returns the clusters of which an instant passed since the last call, and those whose instant came too early.
    /// `seen` are the states whose instants are known.
    pub(super) fn passed(&mut self, times: &Times, seen: &Snapshot) -> BTreeSet<Key> {
        let passed = self.timers.passed(times);
        for state in passed.iter().filter_map(|key| seen.get(key)) {
            self.replace(times, Some(state), Some(state));
        }
        passed
    }

    /// Puts the instants of a cluster in the place of those that it had. `times` are those of the last call of
    /// [`Self::passed`].
    pub(super) fn replace(
        &mut self,
        times: &Times,
        before: Option<&ClusterState>,
        now: Option<&ClusterState>,
    ) {
        let Some(ClusterState { key, .. }) = now.or(before) else {
            return;
        };
        let known = self.data.get(key).copied();
        let exact = now.and_then(rules::data_turn);
        // An instant that comes too early costs an evaluation, and is exact from then on.
        let is_early = |at: &Timestamp| {
            *at > times.of(&key.account) && exact.is_some_and(|exact| *at <= exact)
        };
        let next = known.filter(is_early).or(exact);
        let instants = |state: Option<_>, data: Option<_>| {
            let of_state = state.into_iter().flat_map(rules::turns);
            of_state.chain(data)
        };
        let (old, new) = (instants(before, known), instants(now, next));
        self.timers.replace(&key.account, key, old, new);
        match next {
            Some(next) if known != Some(next) => drop(self.data.insert(key.clone(), next)),
            Some(_) => {}
            None => drop(self.data.remove(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::expose::check::{at, cluster};

    #[test]
    fn polls_move_no_instant_until_it_passes() {
        let mut turns = Turns::default();
        let mut state = cluster("1");
        state.poll_interval = Duration::from_secs(30);
        let mut seen = Snapshot::default();
        // Polls the cluster, and returns whether an instant passed before, and the one that comes.
        let mut poll = |polled, seconds| {
            let times = Times::at(at(seconds));
            let has_passed = !turns.passed(&times, &seen).is_empty();
            state.last_success = at(polled);
            let before = seen.get(&state.key).cloned();
            turns.replace(&times, before.as_deref(), Some(&state));
            seen.insert(Arc::new(state.clone()));
            let next = turns.timers.until_next(&times);
            (has_passed, next.map(|next| seconds + next.as_secs()))
        };
        assert_eq!(poll(0, 0), (false, Some(900)));
        assert_eq!(poll(600, 600), (false, Some(900)));
        assert_eq!(poll(600, 899), (false, Some(900)));
        assert_eq!(poll(600, 900), (true, Some(1500)), "exact from now on");
        assert_eq!(poll(600, 1499), (false, Some(1500)));
        assert_eq!(poll(600, 1501), (true, None));
        assert_eq!(poll(1502, 1502), (false, Some(2402)), "it has passed");
        assert_eq!(poll(1400, 1503), (false, Some(2300)), "it comes earlier");
        let times = Times::at(at(1503));
        turns.replace(&times, seen.values().next().map(|state| &**state), None);
        assert!(turns.data.is_empty() && turns.timers.until_next(&times).is_none());
    }
}
