//! Immutable map of the watched clusters. Two versions share all that did not change between them.
//!
//! The clusters stand in a tree of nodes with few parts each. A change copies the nodes from the root to one leaf:
//! pointers, some dozens at 10,000 clusters. To copy a pointer touches what it points to, and most of that stands
//! in no cache of the processor, so few parts are fastest.

use std::cmp::Ordering;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::model::{ClusterState, Key, Keys};

/// Most parts of a node.
const MOST: usize = 8;

/// Every watched cluster with its last state, by account, product and id.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    root: Option<Node>,
    len: usize,
}

/// Part of the tree; never empty. All leaves have one depth.
#[derive(Debug, Clone)]
enum Node {
    Leaf(Arc<Leaf>),
    Inner(Arc<List<Self>>),
}

/// Neighbouring clusters.
type Leaf = List<Arc<ClusterState>>;

/// Parts in the order of their first keys.
#[derive(Debug, Clone)]
struct List<T> {
    /// First key of each part.
    keys: Keys,
    parts: SmallVec<[T; MOST]>,
}

/// Part of a list, with a first key.
trait Part {
    fn first_key(&self) -> Option<&Key>;
}

impl Part for Arc<ClusterState> {
    fn first_key(&self) -> Option<&Key> {
        Some(&self.key)
    }
}

impl Part for Node {
    fn first_key(&self) -> Option<&Key> {
        match self {
            Self::Leaf(leaf) => leaf.keys.first(),
            Self::Inner(inner) => inner.keys.first(),
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
        let mut node = self.root.as_ref()?;
        loop {
            match node {
                Node::Leaf(leaf) => return leaf.parts.get(leaf.keys.place(key).ok()?),
                Node::Inner(inner) => node = inner.parts.get(inner.keys.place_before(key))?,
            }
        }
    }

    /// Returns the states in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &Arc<ClusterState>> {
        let leaves = self.root.iter().flat_map(Node::leaves);
        leaves.flat_map(|leaf| &leaf.parts)
    }

    /// Puts the state of a cluster in the place of the one before.
    pub fn insert(&mut self, state: Arc<ClusterState>) {
        let Some(root) = &mut self.root else {
            self.root = Some(Node::Leaf(Arc::new(List::of([state]))));
            self.len = 1;
            return;
        };
        let inserted = root.insert(state);
        self.len += usize::from(inserted.is_new);
        if let Some(rest) = inserted.rest {
            let parts = [root.clone(), rest];
            *root = Node::Inner(Arc::new(List::of(parts)));
        }
    }

    /// Removes a cluster.
    pub fn remove(&mut self, key: &Key) {
        if self.get(key).is_none() {
            return;
        }
        self.len -= 1;
        if let Some(root) = &mut self.root {
            root.remove(key);
        }
        self.root = self.root.take().and_then(Node::into_root);
    }

    /// Returns the differences from an earlier snapshot, in the order of the keys. Nodes that both share at one place
    /// are skipped.
    pub fn changes<'a>(&'a self, before: &'a Self) -> Vec<Change<'a>> {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        match (&before.root, &self.root) {
            (Some(before), Some(now)) => before.collect_unshared(now, &mut old, &mut new),
            (before, now) => {
                old.extend(before.iter().flat_map(Node::leaves));
                new.extend(now.iter().flat_map(Node::leaves));
            }
        }
        let states = |leaves: Vec<&'a Leaf>| leaves.into_iter().flat_map(|leaf| &leaf.parts);
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

/// Outcome of putting a state into a node.
struct Inserted {
    /// The cluster was not there before.
    is_new: bool,
    /// Second half of a node that had become too long: its next neighbour.
    rest: Option<Node>,
}

impl Node {
    /// Puts the state of a cluster in the place of the one before.
    fn insert(&mut self, state: Arc<ClusterState>) -> Inserted {
        match self {
            Self::Leaf(leaf) => {
                let place = leaf.keys.place(&state.key);
                let leaf = Arc::make_mut(leaf);
                let rest = match place {
                    Ok(place) => {
                        leaf.parts[place] = state;
                        None
                    }
                    Err(place) => leaf.add(place, state),
                };
                Inserted {
                    is_new: place.is_err(),
                    rest: rest.map(|rest| Self::Leaf(Arc::new(rest))),
                }
            }
            Self::Inner(inner) => {
                let at = inner.keys.place_before(&state.key);
                let inner = Arc::make_mut(inner);
                let Inserted { is_new, rest } = inner.parts[at].insert(state);
                if is_new && at == 0 {
                    inner.index();
                }
                let rest = rest.and_then(|rest| inner.add(at + 1, rest));
                Inserted {
                    is_new,
                    rest: rest.map(|rest| Self::Inner(Arc::new(rest))),
                }
            }
        }
    }

    /// Removes a cluster, which is there. The node may be empty then.
    fn remove(&mut self, key: &Key) {
        match self {
            Self::Leaf(leaf) => {
                let leaf = Arc::make_mut(leaf);
                leaf.parts.retain(|state| state.key != *key);
                leaf.index();
            }
            Self::Inner(inner) => {
                let at = inner.keys.place_before(key);
                let inner = Arc::make_mut(inner);
                inner.parts[at].remove(key);
                inner.tidy(at);
            }
        }
    }

    /// Returns the root without nodes that have one part only; `None` for one that has none.
    fn into_root(mut self) -> Option<Self> {
        loop {
            match &self {
                Self::Inner(inner) if inner.parts.len() == 1 => {
                    let only = inner.parts.first().cloned();
                    self = only?;
                }
                node => return (node.len() > 0).then_some(self),
            }
        }
    }

    /// Returns the number of parts.
    fn len(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.parts.len(),
            Self::Inner(inner) => inner.parts.len(),
        }
    }

    /// Takes the parts of the next neighbour.
    fn append(&mut self, next: &Self) {
        match (self, next) {
            (Self::Leaf(leaf), Self::Leaf(next)) => Arc::make_mut(leaf).append(next),
            (Self::Inner(inner), Self::Inner(next)) => Arc::make_mut(inner).append(next),
            _ => debug_assert!(false, "all leaves have one depth"),
        }
    }

    /// Returns the leaves in order.
    fn leaves(&self) -> Vec<&Leaf> {
        let mut leaves = Vec::new();
        self.collect(&mut leaves);
        leaves
    }

    fn collect<'a>(&'a self, leaves: &mut Vec<&'a Leaf>) {
        match self {
            Self::Leaf(leaf) => leaves.push(leaf),
            Self::Inner(inner) => inner.parts.iter().for_each(|part| part.collect(leaves)),
        }
    }

    /// Collects the leaves of this node and of another one but for those that stand at one place in both.
    fn collect_unshared<'a>(
        &'a self,
        other: &'a Self,
        own: &mut Vec<&'a Leaf>,
        others: &mut Vec<&'a Leaf>,
    ) {
        match (self, other) {
            (Self::Leaf(leaf), Self::Leaf(other)) if Arc::ptr_eq(leaf, other) => {}
            (Self::Inner(inner), Self::Inner(other)) if Arc::ptr_eq(inner, other) => {}
            (Self::Inner(inner), Self::Inner(other)) if inner.parts.len() == other.parts.len() => {
                for (part, other) in inner.parts.iter().zip(&other.parts) {
                    part.collect_unshared(other, own, others);
                }
            }
            _ => {
                self.collect(own);
                other.collect(others);
            }
        }
    }
}

impl<T: Part + Clone> List<T> {
    fn of(parts: impl IntoIterator<Item = T>) -> Self {
        let mut list = Self {
            keys: Keys::default(),
            parts: parts.into_iter().collect(),
        };
        list.index();
        list
    }

    /// Notes the first keys again.
    fn index(&mut self) {
        self.keys = Keys::new(self.parts.iter().filter_map(Part::first_key));
    }

    /// Adds a part. Returns the second half of the list where it has become too long.
    fn add(&mut self, place: usize, part: T) -> Option<Self> {
        self.parts.insert(place, part);
        let rest = (self.parts.len() > MOST).then(|| {
            let rest = List::of(self.parts.drain(MOST / 2..));
            self.parts.shrink_to_fit();
            rest
        });
        self.index();
        rest
    }

    /// Takes the parts of the next list.
    fn append(&mut self, next: &Self) {
        self.parts.extend(next.parts.iter().cloned());
        self.index();
    }
}

impl List<Node> {
    /// Removes the part at this place when it is empty, and joins it with its neighbours while they are small.
    fn tidy(&mut self, at: usize) {
        if self.parts.get(at).is_some_and(|part| part.len() == 0) {
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
        let len = |at: usize| self.parts.get(at).map(Node::len);
        let sum = len(at).zip(len(at + 1)).map(|(one, other)| one + other);
        if sum.is_some_and(|sum| sum <= MOST / 2) {
            let next = self.parts.remove(at + 1);
            self.parts[at].append(&next);
        }
    }
}

#[cfg(test)]
mod tests;
