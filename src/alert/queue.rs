//! What waits for one Alertmanager: bounded, each alert once, in its newest version. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::rule::Labels;

/// An alert that waits, as it will be posted. All Alertmanagers share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its identity.
    pub(super) labels: Arc<Labels>,
    /// The whole alert in JSON.
    pub(super) json: String,
    /// Until when it says that it fires; none: it says that it is resolved.
    pub(super) fires_until: Option<Timestamp>,
}

/// The queue.
///
/// A newer version of an alert takes the place of the one that waits: an alert that is renewed all
/// the time still comes to the front. When it is full, the oldest place is given up.
#[derive(Debug)]
pub(super) struct Queue {
    capacity: usize,
    /// By place; the lowest is the front.
    order: BTreeMap<i64, Arc<Entry>>,
    places: HashMap<Arc<Labels>, i64>,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            order: BTreeMap::new(),
            places: HashMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Queues a version that is newer than any before, and tells how many alerts were dropped for it.
    pub(super) fn push(&mut self, entry: Arc<Entry>) -> usize {
        let place = match self.places.remove(&entry.labels) {
            Some(place) => place,
            None => self.next_place(),
        };
        self.put(place, entry);
        self.trim()
    }

    /// The place behind all.
    fn next_place(&self) -> i64 {
        self.order.last_key_value().map_or(0, |(last, _)| last + 1)
    }

    /// Takes from the front at most `most` alerts of at most `bytes` together; one alone may be
    /// longer.
    pub(super) fn take(&mut self, most: usize, bytes: usize) -> Vec<Arc<Entry>> {
        let mut batch = Vec::new();
        let mut length = 0;
        while let Some(first) = self.order.first_entry() {
            length += first.get().json.len();
            if batch.len() == most || (length > bytes && !batch.is_empty()) {
                break;
            }
            let entry = first.remove();
            self.places.remove(&entry.labels);
            batch.push(entry);
        }
        batch
    }

    /// Puts a batch that was not taken back to the front, in its order, except alerts of which a
    /// newer version waits. Tells how many alerts were dropped for it.
    pub(super) fn put_back(&mut self, batch: Vec<Arc<Entry>>) -> usize {
        for entry in batch.into_iter().rev() {
            if self.places.contains_key(&entry.labels) {
                continue;
            }
            let place = self
                .order
                .first_key_value()
                .map_or(0, |(first, _)| first - 1);
            self.put(place, entry);
        }
        self.trim()
    }

    /// Puts a batch that was not taken behind all others, except alerts of which a newer version
    /// waits. Tells how many alerts were dropped for it.
    pub(super) fn put_last(&mut self, batch: Vec<Arc<Entry>>) -> usize {
        for entry in batch {
            if !self.places.contains_key(&entry.labels) {
                self.put(self.next_place(), entry);
            }
        }
        self.trim()
    }

    /// Removes the alerts that say that they fire until a moment that has passed, and tells how many
    /// they were.
    pub(super) fn expire(&mut self, now: Timestamp) -> usize {
        let before = self.order.len();
        self.order.retain(|_, entry| {
            let lapsed = entry.fires_until.is_some_and(|until| until <= now);
            if lapsed {
                self.places.remove(&entry.labels);
            }
            !lapsed
        });
        before - self.order.len()
    }

    /// Removes an alert, unless it says that it is resolved.
    pub(super) fn withdraw(&mut self, labels: &Labels) {
        let Some(place) = self.places.get(labels).copied() else {
            return;
        };
        if self
            .order
            .get(&place)
            .is_some_and(|entry| entry.fires_until.is_some())
        {
            self.order.remove(&place);
            self.places.remove(labels);
        }
    }

    fn put(&mut self, place: i64, entry: Arc<Entry>) {
        self.places.insert(entry.labels.clone(), place);
        self.order.insert(place, entry);
    }

    /// Gives up the oldest places that there is no room for.
    fn trim(&mut self) -> usize {
        let mut dropped = 0;
        while self.order.len() > self.capacity {
            if let Some((_, entry)) = self.order.pop_first() {
                self.places.remove(&entry.labels);
                dropped += 1;
            }
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(name: u8) -> Labels {
        Labels::from([("alertname".to_owned(), name.to_string())])
    }

    /// The alert `name` in a version; it fires until then, or is resolved at 0.
    fn entry(name: u8, version: u32, until: i64) -> Arc<Entry> {
        Arc::new(Entry {
            labels: labels(name).into(),
            json: format!("{name}.{version}"),
            fires_until: (until != 0).then(|| Timestamp::from_second(until).unwrap()),
        })
    }

    fn texts(batch: &[Arc<Entry>]) -> Vec<&str> {
        batch.iter().map(|entry| &*entry.json).collect()
    }

    const ALL: usize = usize::MAX;

    #[test]
    fn a_newer_version_takes_the_place_of_the_one_that_waits() {
        let mut queue = Queue::new(3);
        for (name, version) in [(1, 1), (2, 1), (3, 1), (1, 2), (3, 2)] {
            assert_eq!(queue.push(entry(name, version, 0)), 0);
        }
        assert_eq!(texts(&queue.take(ALL, ALL)), ["1.2", "2.1", "3.2"]);
        assert!(queue.is_empty() && queue.places.is_empty());
    }

    #[test]
    fn what_is_over_is_withdrawn_unless_it_tells_so() {
        let mut queue = Queue::new(9);
        for (name, until) in [(1, 5), (2, 0), (3, 5)] {
            queue.push(entry(name, 1, until));
        }
        for name in [1, 2, 4] {
            queue.withdraw(&labels(name));
        }
        assert_eq!(queue.places.len(), 2);
        assert_eq!(texts(&queue.take(ALL, ALL)), ["2.1", "3.1"]);
    }

    #[test]
    fn the_oldest_is_dropped_when_it_is_full() {
        let mut queue = Queue::new(2);
        let dropped: Vec<_> = (1..=4).map(|name| queue.push(entry(name, 1, 0))).collect();
        assert_eq!(dropped, [0, 0, 1, 1]);
        assert_eq!(texts(&queue.take(ALL, ALL)), ["3.1", "4.1"]);
    }

    #[test]
    fn a_batch_that_comes_back_is_first_again_and_never_replaces_what_is_newer() {
        let mut queue = Queue::new(4);
        for name in 1..=4 {
            queue.push(entry(name, 1, 0));
        }
        let batch = queue.take(3, ALL);
        queue.push(entry(2, 2, 0));
        queue.push(entry(5, 1, 0));
        // 1, 3, 4, 2, 5 are one too many: 1 is the oldest.
        assert_eq!(queue.put_back(batch), 1);
        assert_eq!(texts(&queue.take(ALL, ALL)), ["3.1", "4.1", "2.2", "5.1"]);
    }

    #[test]
    fn a_batch_is_bounded_by_alerts_and_by_bytes() {
        let mut queue = Queue::new(9);
        for name in 1..=5 {
            queue.push(entry(name, 1, 0));
        }
        assert_eq!(queue.take(2, ALL).len(), 2);
        assert_eq!(queue.take(ALL, 7).len(), 2, "of 3 bytes each");
        assert_eq!(queue.take(ALL, 1).len(), 1, "one alone may be longer");
    }

    #[test]
    fn only_what_says_that_it_fires_lapses() {
        let mut queue = Queue::new(9);
        for (name, until) in [(1, 10), (2, 0), (3, 11)] {
            queue.push(entry(name, 1, until));
        }
        assert_eq!(queue.expire(Timestamp::from_second(9).unwrap()), 0);
        assert_eq!(queue.expire(Timestamp::from_second(10).unwrap()), 1);
        assert_eq!(texts(&queue.take(ALL, ALL)), ["2.1", "3.1"]);
        assert!(queue.places.is_empty());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(u8, i64),
        Take(usize, usize),
        PutBack,
        PutLast,
        Expire(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..12u8, 0..9i64).prop_map(|(name, until)| Step::Push(name, until)),
            2 => (1..5usize, 1..20usize).prop_map(|(most, bytes)| Step::Take(most, bytes)),
            1 => Just(Step::PutBack),
            1 => Just(Step::PutLast),
            1 => (0..9i64).prop_map(Step::Expire),
        ]
    }

    /// The same with a plain list: what is not in it is put at this place.
    fn model(
        list: &mut Vec<Arc<Entry>>,
        capacity: usize,
        place: usize,
        batch: Vec<Arc<Entry>>,
    ) -> usize {
        let fresh = |entry: &Arc<Entry>| !list.iter().any(|other| other.labels == entry.labels);
        let batch: Vec<_> = batch.into_iter().filter(fresh).collect();
        list.splice(place..place, batch);
        let dropped = list.len().saturating_sub(capacity);
        list.drain(..dropped);
        dropped
    }

    proptest! {
        #[test]
        fn it_does_what_a_plain_list_does(
            capacity in 1..8usize,
            steps in prop::collection::vec(step(), 0..60),
        ) {
            let mut queue = Queue::new(capacity);
            let (mut list, mut taken): (Vec<Arc<Entry>>, Vec<Arc<Entry>>) = Default::default();
            for (version, step) in (0..).zip(steps) {
                match step {
                    Step::Push(name, until) => {
                        let new = entry(name, version, until);
                        match list.iter_mut().find(|old| old.labels == new.labels) {
                            Some(old) => *old = new.clone(),
                            None => list.push(new.clone()),
                        }
                        let dropped = model(&mut list, capacity, 0, Vec::new());
                        prop_assert_eq!(queue.push(new), dropped);
                    }
                    Step::Take(most, bytes) => {
                        let fits = |n: usize| {
                            let sum: usize = list[..n].iter().map(|e| e.json.len()).sum();
                            n <= most && (sum <= bytes || n == 1)
                        };
                        let n = (0..=list.len()).rev().find(|n| fits(*n)).unwrap();
                        taken = list.drain(..n).collect();
                        prop_assert_eq!(&queue.take(most, bytes), &taken);
                    }
                    Step::PutBack => {
                        let back = std::mem::take(&mut taken);
                        let dropped = model(&mut list, capacity, 0, back.clone());
                        prop_assert_eq!(queue.put_back(back), dropped);
                    }
                    Step::PutLast => {
                        let last = std::mem::take(&mut taken);
                        let place = list.len();
                        let dropped = model(&mut list, capacity, place, last.clone());
                        prop_assert_eq!(queue.put_last(last), dropped);
                    }
                    Step::Expire(now) => {
                        let now = Timestamp::from_second(now).unwrap();
                        let before = list.len();
                        list.retain(|entry| entry.fires_until.is_none_or(|until| until > now));
                        prop_assert_eq!(queue.expire(now), before - list.len());
                    }
                }
                prop_assert_eq!(queue.order.values().collect::<Vec<_>>(), list.iter().collect::<Vec<_>>());
                prop_assert_eq!(queue.places.len(), list.len());
            }
        }
    }
}
