//! Immutable map of the watched clusters. Two versions share all that did not change between them.
//!
//! The clusters stand in chunks, and the chunks in groups. A change copies one chunk, one group and the
//! list of groups: pointers, some dozens at 10,000 clusters.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{ClusterState, Key, Keys};

/// Most clusters of a chunk. They are touched more seldom than chunks and groups: copying a chunk touches
/// each.
const MOST_CLUSTERS: usize = 8;

/// Most chunks of a group.
const MOST_CHUNKS: usize = 32;

/// Clusters in the order of their keys; never empty.
type Chunk = List<ClusterState>;

/// Chunks in the order of their keys; never empty.
type Group = List<Chunk>;

/// Every watched cluster with its last state, by account, product and id.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    groups: List<Group>,
    len: usize,
}

/// Parts in the order of their first keys.
#[derive(Debug)]
struct List<T> {
    /// First key of each part.
    keys: Keys,
    parts: Vec<Arc<T>>,
}

/// Part of a list, with a first key.
trait Part {
    /// Most such parts of a list.
    const MOST: usize;

    fn first_key(&self) -> Option<&Key>;
}

impl Part for ClusterState {
    const MOST: usize = MOST_CLUSTERS;

    fn first_key(&self) -> Option<&Key> {
        Some(&self.key)
    }
}

impl<T> Part for List<T> {
    const MOST: usize = MOST_CHUNKS;

    fn first_key(&self) -> Option<&Key> {
        self.keys.first()
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            keys: Keys::default(),
            parts: Vec::new(),
        }
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self {
            keys: self.keys.clone(),
            parts: self.parts.clone(),
        }
    }
}

/// Difference between two snapshots in one cluster.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// State in the earlier snapshot; `None` for a cluster that is new.
    pub before: Option<&'a Arc<ClusterState>>,
    /// State in the later snapshot; `None` for a cluster that left.
    pub now: Option<&'a Arc<ClusterState>>,
}

impl Snapshot {
    /// Returns the number of clusters.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is no cluster.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the state of a cluster.
    pub fn get(&self, key: &Key) -> Option<&Arc<ClusterState>> {
        let group = self.groups.part_of(key)?;
        let chunk = group.part_of(key)?;
        let place = chunk.keys.place(key).ok()?;
        chunk.parts.get(place)
    }

    /// Returns the states in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &Arc<ClusterState>> {
        let chunks = self.groups.parts.iter().flat_map(|group| &group.parts);
        chunks.flat_map(|chunk| &chunk.parts)
    }

    /// Puts the state of a cluster in the place of the one before.
    pub fn insert(&mut self, state: Arc<ClusterState>) {
        let at = self.groups.keys.place_before(&state.key);
        let Some(group) = self.groups.parts.get_mut(at) else {
            self.groups = List::of(vec![Arc::new(List::of(vec![Arc::new(List::of(vec![
                state,
            ]))]))]);
            self.len = 1;
            return;
        };
        let group = Arc::make_mut(group);
        let chunk_at = group.keys.place_before(&state.key);
        let Some(chunk) = group.parts.get_mut(chunk_at).map(Arc::make_mut) else {
            return;
        };
        match chunk.keys.place(&state.key) {
            Ok(place) => {
                if let Some(known) = chunk.parts.get_mut(place) {
                    *known = state;
                }
            }
            Err(place) => {
                chunk.parts.insert(place, state);
                self.len += 1;
                chunk.index();
                group.split(chunk_at);
                self.groups.split(at);
            }
        }
    }

    /// Removes a cluster.
    pub fn remove(&mut self, key: &Key) {
        if self.get(key).is_none() {
            return;
        }
        let at = self.groups.keys.place_before(key);
        let Some(group) = self.groups.parts.get_mut(at).map(Arc::make_mut) else {
            return;
        };
        let chunk_at = group.keys.place_before(key);
        if let Some(chunk) = group.parts.get_mut(chunk_at).map(Arc::make_mut) {
            chunk.parts.retain(|state| state.key != *key);
            chunk.index();
            self.len -= 1;
        }
        group.tidy(chunk_at);
        self.groups.tidy(at);
    }

    /// Returns the differences from an earlier snapshot, in the order of the keys. What both share is
    /// not looked at.
    pub fn changes<'a>(&'a self, before: &'a Self) -> Vec<Change<'a>> {
        let (old, new) = unshared(before.groups.parts.iter(), self.groups.parts.iter());
        let (old, new) = unshared(
            old.into_iter().flat_map(|group| &group.parts),
            new.into_iter().flat_map(|group| &group.parts),
        );
        let states = |chunks: Vec<&'a Arc<Chunk>>| chunks.into_iter().flat_map(|c| &c.parts);
        let (mut old, mut new) = (states(old).peekable(), states(new).peekable());
        let mut changes = Vec::new();
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return changes,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                // The keys of most stand in no cache.
                (Some(a), Some(b)) if Arc::ptr_eq(a, b) => Ordering::Equal,
                (Some(a), Some(b)) => a.key.cmp(&b.key),
            };
            let before = if order.is_le() { old.next() } else { None };
            let now = if order.is_ge() { new.next() } else { None };
            let is_shared = before.zip(now).is_some_and(|(a, b)| Arc::ptr_eq(a, b));
            if !is_shared {
                changes.push(Change { before, now });
            }
        }
    }
}

impl FromIterator<Arc<ClusterState>> for Snapshot {
    fn from_iter<I: IntoIterator<Item = Arc<ClusterState>>>(states: I) -> Self {
        let mut snapshot = Self::default();
        states.into_iter().for_each(|state| snapshot.insert(state));
        snapshot
    }
}

impl<T: Part> List<T> {
    fn of(parts: Vec<Arc<T>>) -> Self {
        let mut list = Self {
            keys: Keys::default(),
            parts,
        };
        list.index();
        list
    }

    /// Returns the part in whose range the key falls.
    fn part_of(&self, key: &Key) -> Option<&Arc<T>> {
        self.parts.get(self.keys.place_before(key))
    }

    /// Notes the first keys again.
    fn index(&mut self) {
        self.keys = Keys::new(self.parts.iter().filter_map(|part| part.first_key()));
    }
}

impl<T: Part> List<List<T>> {
    /// Splits the part at this place when it has become too long.
    fn split(&mut self, at: usize) {
        let part = self.parts.get_mut(at).map(Arc::make_mut);
        if let Some(part) = part.filter(|part| part.parts.len() > T::MOST) {
            let rest = part.parts.split_off(part.parts.len() / 2);
            part.index();
            self.parts.insert(at + 1, Arc::new(List::of(rest)));
        }
        self.index();
    }

    /// Removes the part at this place when it is empty, and joins it with its neighbours while they are small.
    fn tidy(&mut self, at: usize) {
        if self.parts.get(at).is_some_and(|part| part.parts.is_empty()) {
            self.parts.remove(at);
        }
        self.join(at);
        if let Some(before) = at.checked_sub(1) {
            self.join(before);
        }
        self.index();
    }

    /// Joins the part at this place with the next, when both are small.
    fn join(&mut self, at: usize) {
        let len = |at: usize| self.parts.get(at).map(|part| part.parts.len());
        let sum = len(at).zip(len(at + 1)).map(|(one, other)| one + other);
        if sum.is_some_and(|sum| sum <= T::MOST / 2) {
            let next = self.parts.remove(at + 1);
            if let Some(part) = self.parts.get_mut(at).map(Arc::make_mut) {
                part.parts.extend(next.parts.iter().cloned());
                part.index();
            }
        }
    }
}

/// Returns of each of two lists the parts that the other one lacks; some that it has may be among them.
fn unshared<'a, T>(
    old: impl Iterator<Item = &'a Arc<T>>,
    new: impl Iterator<Item = &'a Arc<T>>,
) -> (Vec<&'a Arc<T>>, Vec<&'a Arc<T>>) {
    let (mut old, mut new): (Vec<_>, Vec<_>) = (old.collect(), new.collect());
    if old.len() == new.len() {
        // Mostly each stands where it stood.
        let pairs = old.into_iter().zip(new);
        return pairs.filter(|(old, new)| !Arc::ptr_eq(old, new)).unzip();
    }
    let known: HashSet<*const T> = old.iter().map(|part| Arc::as_ptr(part)).collect();
    let shared: HashSet<*const T> = new
        .iter()
        .map(|part| Arc::as_ptr(part))
        .filter(|part| known.contains(part))
        .collect();
    old.retain(|part| !shared.contains(&Arc::as_ptr(part)));
    new.retain(|part| !shared.contains(&Arc::as_ptr(part)));
    (old, new)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::expose::check::cluster;

    fn state(number: u32) -> Arc<ClusterState> {
        Arc::new(cluster(&format!("{number:06}")))
    }

    /// Returns the number of chunks that only the later snapshot has.
    fn copied(before: &Snapshot, now: &Snapshot) -> usize {
        let chunks = |snapshot: &Snapshot| -> HashSet<_> {
            let groups = snapshot.groups.parts.iter();
            let chunks = groups.flat_map(|group| &group.parts);
            chunks.map(Arc::as_ptr).collect()
        };
        chunks(now).difference(&chunks(before)).count()
    }

    #[test]
    fn a_change_copies_one_chunk_and_shares_all_other_states() {
        for size in [100, 10_000] {
            let before: Snapshot = (0..size).map(state).collect();
            let mut now = before.clone();
            now.insert(state(size / 2));
            assert_eq!(copied(&before, &now), 1);
            let shared = before.values().zip(now.values());
            let shared = shared.filter(|(a, b)| Arc::ptr_eq(a, b)).count();
            assert_eq!(shared, now.len() - 1);
            assert_eq!(now.changes(&before).len(), 1);
        }
    }

    #[test]
    fn parts_stay_small_and_become_few_when_clusters_leave() {
        let mut snapshot: Snapshot = (0..10_000).map(state).collect();
        let is_small = |snapshot: &Snapshot| {
            let groups = snapshot.groups.parts.iter();
            let mut chunks = groups.clone().flat_map(|group| &group.parts);
            groups.clone().all(|group| group.parts.len() <= MOST_CHUNKS)
                && chunks.all(|chunk| chunk.parts.len() <= MOST_CLUSTERS)
        };
        assert!(is_small(&snapshot));
        for number in (0..10_000).filter(|number| number % 100 != 0) {
            snapshot.remove(&state(number).key);
        }
        assert_eq!(snapshot.len(), 100);
        assert!(is_small(&snapshot));
        let groups = snapshot.groups.parts.iter();
        let chunks: usize = groups.map(|group| group.parts.len()).sum();
        assert!(chunks < 40, "{chunks} chunks of 100 clusters");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn does_what_a_plain_map_does_and_tells_every_difference(
            steps in prop::collection::vec((0u32..300, prop::bool::weighted(0.7)), 0..900),
            cut in 0usize..900,
        ) {
            let (mut snapshot, mut plain) = (Snapshot::default(), BTreeMap::new());
            let mut before = (snapshot.clone(), plain.clone());
            for (step, (number, is_put)) in steps.into_iter().enumerate() {
                if step == cut {
                    before = (snapshot.clone(), plain.clone());
                }
                let state = state(number);
                if is_put {
                    plain.insert(state.key.clone(), state.clone());
                    snapshot.insert(state);
                } else {
                    plain.remove(&state.key);
                    snapshot.remove(&state.key);
                }
                prop_assert_eq!(snapshot.len(), plain.len());
            }
            let same = |a: Option<&Arc<ClusterState>>, b: Option<&Arc<ClusterState>>| {
                a.map(Arc::as_ptr) == b.map(Arc::as_ptr)
            };
            prop_assert!(snapshot.values().map(Arc::as_ptr).eq(plain.values().map(Arc::as_ptr)));
            for number in 0..300 {
                let key = &state(number).key;
                prop_assert!(same(snapshot.get(key), plain.get(key)));
            }
            let keys: std::collections::BTreeSet<_> = before.1.keys().chain(plain.keys()).collect();
            let differ = keys.into_iter().filter(|key| !same(before.1.get(key), plain.get(key)));
            let differ: Vec<_> = differ.collect();
            let changes = snapshot.changes(&before.0);
            prop_assert_eq!(changes.len(), differ.len());
            for (change, key) in changes.iter().zip(differ) {
                prop_assert!(same(change.before, before.1.get(key)));
                prop_assert!(same(change.now, plain.get(key)));
            }
        }
    }
}
