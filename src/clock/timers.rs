//! Instants at which time alone changes what holds of a thing, each by the clock of its account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Times;

/// Instants of things that have the keys `K`. The work of each call does not grow with their number.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    /// By account; `None` in place of a key stands before every key, and is no entry.
    instants: BTreeMap<Arc<str>, BTreeSet<(Timestamp, Option<K>)>>,
    /// Moment of the last call of [`Self::passed`].
    last: Option<Times>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self {
            instants: BTreeMap::new(),
            last: None,
        }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Adds the instants of a thing.
    pub(crate) fn add(
        &mut self,
        account: &Arc<str>,
        key: &K,
        at: impl IntoIterator<Item = Timestamp>,
    ) {
        for at in at {
            let instants = self.instants.entry(account.clone()).or_default();
            instants.insert((at, Some(key.clone())));
        }
    }

    /// Removes the instants of a thing.
    pub(crate) fn remove(
        &mut self,
        account: &Arc<str>,
        key: &K,
        at: impl IntoIterator<Item = Timestamp>,
    ) {
        let Some(instants) = self.instants.get_mut(account) else {
            return;
        };
        for at in at {
            instants.remove(&(at, Some(key.clone())));
        }
        if instants.is_empty() {
            self.instants.remove(account);
        }
    }

    /// Returns the things of which an instant lies between the moment of the last call and this one, both
    /// included. A clock that was set back passes instants, too.
    pub(crate) fn passed(&mut self, times: &Times) -> BTreeSet<K> {
        let mut passed = BTreeSet::new();
        if let Some(last) = self.last.replace(times.clone()) {
            for (account, instants) in &self.instants {
                let (before, now) = (last.of(account), times.of(account));
                let (from, to) = (before.min(now), before.max(now));
                let within = instants.range((from, None)..);
                let within = within.take_while(|(at, _)| *at <= to);
                passed.extend(within.filter_map(|(_, key)| key.clone()));
            }
        }
        passed
    }

    /// Returns the time until the next instant.
    pub(crate) fn until_next(&self, times: &Times) -> Option<SignedDuration> {
        let next = self.instants.iter().filter_map(|(account, instants)| {
            let now = times.of(account);
            let (at, _) = instants.range((now, None)..).find(|(at, _)| *at > now)?;
            Some(at.duration_since(now))
        });
        next.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn tells_what_passed_in_either_direction() {
        let (near, far): (Arc<str>, Arc<str>) = ("near".into(), "far".into());
        let mut timers = Timers::default();
        for (account, key, second) in [(&near, 1, 10), (&near, 2, 20), (&far, 3, 10)] {
            timers.add(account, &key, [at(second)]);
        }
        let moment = |near, far| Times::at(at(near)).with("far", at(far));
        let mut passed = |near, far| timers.passed(&moment(near, far)).into_iter().collect();
        let seen: Vec<Vec<i32>> = vec![
            passed(0, 0),
            passed(9, 10),
            passed(25, 11),
            passed(15, 11),
            passed(16, 9),
        ];
        assert_eq!(seen, [vec![], vec![3], vec![1, 2, 3], vec![2], vec![3]]);
        let until = timers.until_next(&moment(16, 9)).unwrap();
        assert_eq!(until.as_secs(), 1);
        timers.remove(&far, &3, [at(10)]);
        assert_eq!(timers.until_next(&moment(16, 9)).unwrap().as_secs(), 4);
        timers.remove(&near, &2, [at(20)]);
        timers.remove(&near, &1, [at(10)]);
        assert!(timers.instants.is_empty(), "nothing is kept");
    }
}
