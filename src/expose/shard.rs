//! Clusters rendered, and the shards of clusters that are compressed together.

use std::sync::Arc;

use jiff::Timestamp;

use super::family::FAMILIES;
use super::gzip::{Block, Deflater};
use super::row::{Moving, Rows};
use super::subject::Subject;
use crate::model::ClusterState;

/// Families, as bits by their place in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Changed(u64);

const _: () = assert!(FAMILIES.len() <= 64, "a bit for each family");

impl Changed {
    /// Every family.
    pub(crate) const ALL: Self = Self(u64::MAX);

    /// This family.
    pub(crate) fn only(family: usize) -> Self {
        Self(1 << family)
    }

    /// Whether the family is among them.
    pub(crate) fn has(self, family: usize) -> bool {
        self.0 & Self::only(family).0 != 0
    }

    /// Whether any of these families is.
    pub(crate) fn has_any(self, mut families: std::ops::Range<usize>) -> bool {
        families.any(|family| self.has(family))
    }

    /// These and those.
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The lines of one cluster.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// What they were made from.
    pub(crate) state: Arc<ClusterState>,
    /// Lines whose value is made when they are scraped, in the order of the families.
    pub(crate) moving: Vec<Moving>,
    /// When the clock alone makes these lines wrong.
    pub(crate) next_flip: Option<Timestamp>,
    text: Box<str>,
    /// Where each family's lines end in the text.
    ends: Box<[usize]>,
}

impl Rendered {
    /// The cluster as it is at `now`.
    pub(crate) fn new(state: &Arc<ClusterState>, now: Timestamp) -> Self {
        let subject = Subject::new(state, now);
        let (mut text, mut moving) = (String::with_capacity(4096), Vec::new());
        let ends = FAMILIES
            .iter()
            .enumerate()
            .map(|(place, family)| {
                let mut rows = Rows::new((place, family.name), &mut text, &mut moving);
                (family.write)(&subject, &mut rows);
                text.len()
            })
            .collect();
        debug_assert!(moving.iter().all(|line| FAMILIES[line.family].moves));
        Self {
            state: state.clone(),
            moving,
            next_flip: subject.next_flip(),
            text: text.into_boxed_str(),
            ends,
        }
    }

    /// Whether they still tell what `state` says at `now`.
    pub(crate) fn is_good(&self, state: &Arc<ClusterState>, now: Timestamp) -> bool {
        Arc::ptr_eq(&self.state, state) && self.next_flip.is_none_or(|at| now < at)
    }

    /// The lines of one family.
    pub(crate) fn family(&self, family: usize) -> &str {
        let start = family.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text
            .get(start..self.ends[family])
            .expect("the ends were noted between whole lines")
    }

    /// The families whose lines differ; moving lines are in no piece.
    fn diff(&self, other: &Self) -> Changed {
        (0..FAMILIES.len())
            .filter(|family| self.family(*family) != other.family(*family))
            .fold(Changed::default(), |all, f| all.or(Changed::only(f)))
    }
}

/// Neighbouring clusters with a compressed piece for each family.
#[derive(Debug)]
pub(crate) struct Shard {
    /// By key; never empty.
    pub(crate) clusters: Vec<Arc<Rendered>>,
    /// By family.
    pub(crate) blocks: Vec<Block>,
}

impl Shard {
    /// The shard with these clusters: pieces whose text is that of the `old` shard are kept. Tells
    /// which are not.
    pub(crate) fn next(
        old: Option<&Arc<Self>>,
        clusters: Vec<Arc<Rendered>>,
        deflater: &mut Deflater,
    ) -> (Arc<Self>, Changed) {
        let changed = old.map_or(Changed::ALL, |old| changed(&old.clusters, &clusters));
        if let Some(old) = old
            && old.clusters.len() == clusters.len()
            && old
                .clusters
                .iter()
                .zip(&clusters)
                .all(|(a, b)| Arc::ptr_eq(a, b))
        {
            return (old.clone(), changed);
        }
        let mut text = String::new();
        let blocks = (0..FAMILIES.len())
            .map(|family| match old {
                Some(old) if !changed.has(family) => old.blocks[family].clone(),
                _ => {
                    text.clear();
                    for cluster in &clusters {
                        text.push_str(cluster.family(family));
                    }
                    Block::new(&text, deflater)
                }
            })
            .collect();
        (Arc::new(Self { clusters, blocks }), changed)
    }
}

/// The families whose text differs between two lists of clusters.
fn changed(old: &[Arc<Rendered>], new: &[Arc<Rendered>]) -> Changed {
    let same_keys =
        old.len() == new.len() && old.iter().zip(new).all(|(a, b)| a.state.key == b.state.key);
    if !same_keys {
        return Changed::ALL;
    }
    old.iter()
        .zip(new)
        .filter(|(a, b)| !Arc::ptr_eq(a, b))
        .fold(Changed::default(), |all, (a, b)| all.or(a.diff(b)))
}

/// How many clusters a shard holds at most: few enough that one that changed costs little, enough
/// that they compress well together.
pub(crate) const MOST: usize = 64;

/// Deals clusters out to shards again: each stays in the shard in whose range it falls, shards that
/// grew too large are cut, small neighbours become one. `groups` are the clusters by the place of
/// their old shard.
pub(crate) fn deal<T>(groups: Vec<(Option<usize>, Vec<T>)>) -> Vec<(Option<usize>, Vec<T>)> {
    let mut dealt: Vec<(Option<usize>, Vec<T>)> = Vec::with_capacity(groups.len());
    for (origin, mut clusters) in groups {
        if clusters.is_empty() {
            continue;
        }
        if clusters.len() > MOST {
            // Not quite full, so that the next cluster does not cut them again.
            let parts = clusters.len().div_ceil(MOST * 3 / 4);
            let size = clusters.len().div_ceil(parts);
            while !clusters.is_empty() {
                let rest = clusters.split_off(size.min(clusters.len()));
                dealt.push((None, std::mem::replace(&mut clusters, rest)));
            }
            continue;
        }
        match dealt.last_mut() {
            Some((last_origin, last)) if last.len() + clusters.len() <= MOST / 2 => {
                *last_origin = None;
                last.append(&mut clusters);
            }
            _ => dealt.push((origin, clusters)),
        }
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_dealt_into_shards_of_a_sane_size() {
        let sizes = |groups: &[usize]| -> Vec<(Option<usize>, usize)> {
            let groups = groups
                .iter()
                .enumerate()
                .map(|(place, size)| (Some(place), vec![(); *size]))
                .collect();
            deal(groups)
                .into_iter()
                .map(|(o, c)| (o, c.len()))
                .collect()
        };
        assert_eq!(sizes(&[]), []);
        assert_eq!(sizes(&[0]), []);
        assert_eq!(sizes(&[64, 33]), [(Some(0), 64), (Some(1), 33)]);
        assert_eq!(sizes(&[65]), [(None, 33), (None, 32)]);
        assert_eq!(sizes(&[40, 0, 40]), [(Some(0), 40), (Some(2), 40)]);
        assert_eq!(sizes(&[16, 16, 1]), [(None, 32), (Some(2), 1)]);
        let many = sizes(&[2000]);
        assert!(many.iter().all(|(_, size)| (32..=48).contains(size)));
        assert_eq!(many.iter().map(|(_, size)| size).sum::<usize>(), 2000);
    }
}
