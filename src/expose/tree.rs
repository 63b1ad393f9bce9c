//! The shards of a page in a tree whose inner nodes hold the totals of all below them, so that a shard
//! that changed is summed up again with its few neighbours only.

use std::sync::Arc;

use crc32fast::Hasher;
use smallvec::SmallVec;

use super::checksum;
use super::family::FAMILIES;
use super::shard::{Changed, Shard};
use crate::model::{Key, Keys};

/// Children of an inner node; only the last node of a level may have fewer.
const FANOUT: usize = 8;

/// Facts of all shards of a page as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Totals {
    /// By family: checksum of the lines, in order.
    pub(crate) sums: Vec<Hasher>,
    /// Families that have live lines.
    pub(crate) live: Changed,
}

/// One or more shards in the order of their keys.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    /// A shard.
    Shard(Arc<Shard>),
    /// Trees of one height.
    Node(Arc<Node>),
}

/// Inner node.
#[derive(Debug)]
pub(crate) struct Node {
    /// Key of the first cluster of each child.
    keys: Keys,
    children: SmallVec<[Tree; FANOUT]>,
    shards: usize,
    totals: Totals,
}

impl Tree {
    /// Builds the tree of these shards; `None` for none.
    pub(crate) fn new(shards: Vec<Arc<Shard>>) -> Option<Self> {
        let mut level: Vec<Self> = shards.into_iter().map(Self::Shard).collect();
        while level.len() > 1 {
            let parts = level.chunks(FANOUT);
            level = parts.map(|part| Self::node(part.into())).collect();
        }
        level.pop()
    }

    /// Returns the totals of all shards.
    pub(crate) fn totals(&self) -> &Totals {
        match self {
            Self::Shard(shard) => &shard.totals,
            Self::Node(node) => &node.totals,
        }
    }

    /// Returns the shards in order.
    pub(crate) fn shards(&self) -> Vec<&Arc<Shard>> {
        let mut shards = Vec::with_capacity(self.len());
        self.collect(&mut shards);
        shards
    }

    /// Returns the place of the shard in whose range the key falls, and the shard.
    pub(crate) fn find(&self, key: &Key) -> (usize, &Arc<Shard>) {
        let (mut tree, mut place) = (self, 0);
        loop {
            match tree {
                Self::Shard(shard) => return (place, shard),
                Self::Node(node) => {
                    let at = node.keys.place_before(key);
                    place += node.children[..at].iter().map(Self::len).sum::<usize>();
                    tree = &node.children[at];
                }
            }
        }
    }

    /// Returns the tree with another shard at this place. Sums of families that are not among `changed` stay.
    pub(crate) fn with(&self, place: usize, shard: Arc<Shard>, changed: Changed) -> Self {
        let Self::Node(node) = self else {
            return Self::Shard(shard);
        };
        let mut children = node.children.clone();
        let mut place = place;
        for child in &mut children {
            if place < child.len() {
                *child = child.with(place, shard, changed);
                break;
            }
            place -= child.len();
        }
        Self::inner(node.keys.clone(), children, Some((node, changed)))
    }

    fn node(children: SmallVec<[Self; FANOUT]>) -> Self {
        let keys = Keys::new(children.iter().filter_map(Self::first));
        Self::inner(keys, children, None)
    }

    fn inner(
        keys: Keys,
        children: SmallVec<[Self; FANOUT]>,
        old: Option<(&Node, Changed)>,
    ) -> Self {
        let parts = || children.iter().map(Self::totals);
        let sums = (0..FAMILIES.len()).map(|family| {
            let now = sums(&children, family);
            let Some((old, changed)) = old else {
                return checksum::join(now);
            };
            let sum = &old.totals.sums[family];
            if changed.has(family) {
                checksum::rejoin(sum, sums(&old.children, family), now)
            } else {
                sum.clone()
            }
        });
        let totals = Totals {
            sums: sums.collect(),
            live: parts().fold(Changed::default(), |all, part| all.or(part.live)),
        };
        let shards = children.iter().map(Self::len).sum();
        Self::Node(Arc::new(Node {
            keys,
            children,
            shards,
            totals,
        }))
    }

    fn len(&self) -> usize {
        match self {
            Self::Shard(_) => 1,
            Self::Node(node) => node.shards,
        }
    }

    fn first(&self) -> Option<&Key> {
        match self {
            Self::Shard(shard) => shard.keys.first(),
            Self::Node(node) => node.keys.first(),
        }
    }

    fn collect<'a>(&'a self, shards: &mut Vec<&'a Arc<Shard>>) {
        match self {
            Self::Shard(shard) => shards.push(shard),
            Self::Node(node) => node.children.iter().for_each(|child| child.collect(shards)),
        }
    }
}

/// Returns the checksums of a family in each of these trees.
fn sums(trees: &[Tree], family: usize) -> impl ExactSizeIterator<Item = &Hasher> + Clone {
    trees.iter().map(move |tree| &tree.totals().sums[family])
}
