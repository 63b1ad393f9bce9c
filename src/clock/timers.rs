//! Instants at which time alone changes what holds of a thing, each by the clock of its account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Times;

/// Instants of things that have the keys `K`. The work of each call does not grow with their number.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    accounts: BTreeMap<Arc<str>, Instants<K>>,
    /// Moment of the last call of [`Self::passed`].
    last: Option<Times>,
}

/// Instants by the clock of one account.
#[derive(Debug)]
struct Instants<K> {
    /// `None` in place of a key stands before every key, and is no entry.
    at: BTreeSet<(Timestamp, Option<K>)>,
    /// None lies between the last moment, which is included, and this one. With it most calls need no search.
    next: Timestamp,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self {
            accounts: BTreeMap::new(),
            last: None,
        }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Adds the instants of a thing.
    fn add(&mut self, account: &Arc<str>, key: &K, at: impl IntoIterator<Item = Timestamp>) {
        for at in at {
            let instants = self.accounts.entry(account.clone()).or_default();
            instants.next = instants.next.min(at);
            instants.at.insert((at, Some(key.clone())));
        }
    }

    /// Removes the instants of a thing.
    fn remove(&mut self, account: &Arc<str>, key: &K, at: impl IntoIterator<Item = Timestamp>) {
        let Some(instants) = self.accounts.get_mut(account) else {
            return;
        };
        for at in at {
            instants.at.remove(&(at, Some(key.clone())));
            if at == instants.next {
                instants.next = instants.from(at);
            }
        }
        if instants.at.is_empty() {
            self.accounts.remove(account);
        }
    }

    /// Puts the instants of a thing in the place of those that it had.
    pub(crate) fn replace(
        &mut self,
        account: &Arc<str>,
        key: &K,
        before: impl IntoIterator<Item = Timestamp>,
        now: impl IntoIterator<Item = Timestamp>,
    ) {
        let before: Vec<_> = before.into_iter().collect();
        let now: Vec<_> = now.into_iter().collect();
        let only = |one: &[Timestamp], other: &[Timestamp]| -> Vec<Timestamp> {
            let only = one.iter().filter(|at| !other.contains(at));
            only.copied().collect()
        };
        self.remove(account, key, only(&before, &now));
        self.add(account, key, only(&now, &before));
    }

    /// Returns the things of which an instant lies between the moment of the last call and this one, both
    /// included. A clock that was set back passes instants, too.
    pub(crate) fn passed(&mut self, times: &Times) -> BTreeSet<K> {
        let last = self.last.replace(times.clone());
        let mut passed = BTreeSet::new();
        for (account, instants) in &mut self.accounts {
            let now = times.of(account);
            let before = last.as_ref().map_or(now, |last| last.of(account));
            if before <= now && now < instants.next {
                continue;
            }
            if last.is_some() {
                let (from, to) = (before.min(now), before.max(now));
                let within = instants.at.range((from, None)..);
                let within = within.take_while(|(at, _)| *at <= to);
                passed.extend(within.filter_map(|(_, key)| key.clone()));
            }
            instants.next = instants.from(now);
        }
        passed
    }

    /// Returns the time until the next instant that the last call of [`Self::passed`] did not see pass; zero
    /// where one has passed since.
    pub(crate) fn until_next(&self, times: &Times) -> Option<SignedDuration> {
        let next = self.accounts.iter().filter_map(|(account, instants)| {
            let now = times.of(account);
            let last = self.last.as_ref().map_or(now, |last| last.of(account));
            let next = if last <= now && last < instants.next {
                Some(instants.next).filter(|next| *next < Timestamp::MAX)
            } else {
                instants.after(last.min(now))
            };
            let is_passed = |next| next <= last.max(now);
            next.map(|next| {
                if is_passed(next) {
                    SignedDuration::ZERO
                } else {
                    next.duration_since(now)
                }
            })
        });
        next.min()
    }
}

impl<K> Default for Instants<K> {
    fn default() -> Self {
        Self {
            at: BTreeSet::new(),
            next: Timestamp::MAX,
        }
    }
}

impl<K: Ord> Instants<K> {
    /// Returns the first instant at a moment or behind it; [`Timestamp::MAX`] for none.
    fn from(&self, moment: Timestamp) -> Timestamp {
        let mut from = self.at.range((moment, None)..);
        from.next().map_or(Timestamp::MAX, |(at, _)| *at)
    }

    /// Returns the first instant behind a moment.
    fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        let mut from = self.at.range((moment, None)..);
        from.find(|(at, _)| *at > moment).map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert!(timers.accounts.is_empty(), "nothing is kept");
    }

    #[test]
    fn an_instant_that_passed_since_is_due_at_once() {
        let near: Arc<str> = "near".into();
        let mut timers = Timers::default();
        timers.add(&near, &1, [at(10), at(100)]);
        timers.passed(&Times::at(at(9)));
        let until = |timers: &Timers<_>, second| {
            timers.until_next(&Times::at(at(second))).unwrap().as_secs()
        };
        assert_eq!([9, 10, 11].map(|second| until(&timers, second)), [1, 0, 0]);
        timers.passed(&Times::at(at(11)));
        assert_eq!(
            [11, 10, 9].map(|second| until(&timers, second)),
            [89, 90, 0]
        );
        timers.passed(&Times::at(at(9)));
        assert_eq!(until(&timers, 9), 1);
    }

    #[test]
    fn an_instant_that_was_removed_is_not_next() {
        let near: Arc<str> = "near".into();
        let mut timers = Timers::default();
        timers.passed(&Times::at(at(0)));
        timers.add(&near, &1, [at(20), at(30)]);
        timers.replace(&near, &1, [at(20)], []);
        let until = timers.until_next(&Times::at(at(1))).unwrap();
        assert_eq!(until.as_secs(), 29);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Instants come and go while the clock goes on, stands still and is set back.
        #[test]
        fn tells_what_a_look_at_each_instant_tells(steps in prop::collection::vec((0u8..4, 0i64..40, 0u32..3), 1..60)) {
            let account: Arc<str> = "near".into();
            let (mut timers, mut plain) = (Timers::default(), BTreeSet::new());
            let mut last = None;
            for (what, second, key) in steps {
                match what {
                    0 => {
                        timers.add(&account, &key, [at(second)]);
                        plain.insert((second, key));
                    }
                    1 => {
                        timers.remove(&account, &key, [at(second)]);
                        plain.remove(&(second, key));
                    }
                    2 => {
                        let passed = timers.passed(&Times::at(at(second)));
                        let before: i64 = last.replace(second).unwrap_or(second);
                        let within = before.min(second) + 1..before.max(second);
                        let must = plain.iter().filter(|(at, _)| within.contains(at) || *at == second && before < second);
                        let must: BTreeSet<_> = must.map(|(_, key)| *key).collect();
                        prop_assert!(passed.is_superset(&must), "{must:?} {passed:?}");
                        let may = before.min(second)..=before.max(second);
                        let may = plain.iter().filter(|(at, _)| may.contains(at)).map(|(_, key)| *key);
                        prop_assert!(passed.is_subset(&may.collect()));
                    }
                    _ => {
                        let seen = last.unwrap_or(second);
                        let next = plain.iter().map(|(at, _)| *at).find(|at| *at > seen.min(second));
                        let until = next.map(|at| if at <= seen.max(second) { 0 } else { at - second });
                        let told = timers.until_next(&Times::at(at(second)));
                        prop_assert_eq!(told.map(|until| until.as_secs()), until);
                    }
                }
            }
        }
    }
}
