//! Clusters rendered, and the shards of clusters that are compressed together.

use std::sync::Arc;

use jiff::Timestamp;

use super::family::{FAMILIES, LASTING};
use super::gzip::Deflater;
use super::piece::Piece;
use super::row::Rows;
use super::series::{Draft, Series};
use super::shared_list::SharedList;
use super::subject::{Subject, differ_by_poll_alone};
use super::tree::Totals;
use crate::model::{ClusterState, Key, Keys};

/// Families, as bits by their place in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Changed(u64);

const _: () = assert!(FAMILIES.len() < 64, "a bit for each family, and one more");

impl Changed {
    /// Every family.
    pub(crate) const ALL: Self = Self(u64::MAX);

    /// Live lines, of whatever family.
    pub(crate) const LIVE: Self = Self(1 << 63);

    /// This family.
    pub(crate) fn only(family: usize) -> Self {
        Self(1 << family)
    }

    /// Whether the family is among them.
    pub(crate) fn has(self, family: usize) -> bool {
        self.0 & Self::only(family).0 != 0
    }

    /// Returns whether live lines are among them.
    pub(crate) fn has_live(self) -> bool {
        self.0 & Self::LIVE.0 != 0
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

/// A cluster with its lines.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// What they were made from.
    pub(crate) state: Arc<ClusterState>,
    /// The lines.
    pub(crate) series: Series,
}

impl Rendered {
    /// Renders the cluster as it is at `now`.
    pub(crate) fn new(state: &Arc<ClusterState>, now: Timestamp, draft: &mut Draft) -> Self {
        draft.clear();
        let subject = Subject::new(state, now, &mut draft.labels);
        for (place, family) in FAMILIES.iter().enumerate() {
            (family.write)(&subject, &mut Rows::new(place, draft));
            draft.end_family();
        }
        debug_assert!(draft.live.iter().all(|line| FAMILIES[line.family].is_live));
        Self {
            state: state.clone(),
            series: draft.finish(),
        }
    }

    /// Renders the cluster as it is at `now`, where no instant of [`ClusterState::flips`] has passed since it was
    /// rendered `before`.
    pub(crate) fn after(
        before: &Self,
        state: &Arc<ClusterState>,
        now: Timestamp,
        draft: &mut Draft,
    ) -> Self {
        if !differ_by_poll_alone(state, &before.state) {
            return Self::new(state, now, draft);
        }
        draft.clear();
        let subject = Subject::of_poll(state, now);
        for (place, family) in FAMILIES.iter().enumerate().skip(LASTING) {
            (family.write)(&subject, &mut Rows::new(place, draft));
            draft.end_family();
        }
        Self {
            state: state.clone(),
            series: draft.finish_after(&before.series),
        }
    }

    /// Returns the families that have live lines.
    fn live(&self) -> Changed {
        let families = self.series.live().iter().map(|l| Changed::only(l.family));
        families.fold(Changed::default(), Changed::or)
    }

    /// Returns the families whose lines differ, live lines apart.
    fn diff(&self, other: &Self) -> Changed {
        let has_same_labels = self.series.has_labels_of(&other.series);
        let live = if has_same_labels && self.series.live() == other.series.live() {
            Changed::default()
        } else {
            Changed::LIVE
        };
        let shares = self.series.shares_lasting_lines(&other.series);
        let first = if shares { LASTING } else { 0 };
        (first..FAMILIES.len())
            .filter(|family| self.series.differs(&other.series, *family, has_same_labels))
            .fold(live, |all, family| all.or(Changed::only(family)))
    }
}

/// Neighbouring clusters with a compressed piece for each family.
#[derive(Debug)]
pub(crate) struct Shard {
    /// Keys of the clusters.
    pub(crate) keys: Keys,
    /// By key; never empty.
    pub(crate) clusters: SharedList<Rendered>,
    /// By family.
    pub(crate) pieces: SharedList<Piece>,
    /// By cluster: the families that have live lines.
    live: Vec<Changed>,
    /// Totals of these.
    pub(crate) totals: Totals,
}

impl Shard {
    /// Builds the shard with these clusters: pieces whose text is that of the `old` shard are kept. Returns
    /// the families whose are not, too.
    pub(crate) fn next(
        old: Option<&Arc<Self>>,
        clusters: SharedList<Rendered>,
        deflater: &mut Deflater,
    ) -> (Arc<Self>, Changed) {
        let changed = old.map_or(Changed::ALL, |old| changed(&old.clusters, &clusters));
        let shard = match old.filter(|_| changed != Changed::ALL) {
            Some(old) => Self::with(old, clusters, changed, deflater),
            None => Self::new(clusters, deflater),
        };
        (Arc::new(shard), changed)
    }

    fn new(clusters: SharedList<Rendered>, deflater: &mut Deflater) -> Self {
        let pieces = (0..FAMILIES.len()).map(|f| Piece::new(f, &clusters, deflater));
        let pieces: Vec<_> = pieces.map(Arc::new).collect();
        let live: Vec<_> = clusters.iter().map(|cluster| cluster.live()).collect();
        Self {
            keys: Keys::new(clusters.iter().map(|cluster| &cluster.state.key)),
            totals: Totals {
                sums: pieces.iter().map(|piece| piece.sum.clone()).collect(),
                live: any(&live),
            },
            clusters,
            pieces: pieces.into(),
            live,
        }
    }

    /// Builds the shard with these clusters in the place of themselves; `changed` are the families that differ.
    fn with(
        old: &Self,
        clusters: SharedList<Rendered>,
        changed: Changed,
        deflater: &mut Deflater,
    ) -> Self {
        let (mut pieces, mut totals) = (old.pieces.clone(), old.totals.clone());
        let differ: Vec<_> = clusters.differences(&old.clusters).collect();
        for family in (0..FAMILIES.len()).filter(|family| changed.has(*family)) {
            let old = old.pieces.get(family);
            let piece = old.with(&differ, family, &clusters, deflater);
            totals.sums[family] = piece.sum.clone();
            pieces.replace(family, Arc::new(piece));
        }
        let mut live = old.live.clone();
        for place in differ {
            live[place] = clusters.get(place).live();
        }
        totals.live = any(&live);
        Self {
            keys: old.keys.clone(),
            clusters,
            pieces,
            live,
            totals,
        }
    }

    /// Returns the clusters that have live lines in a family.
    pub(crate) fn live(&self, family: usize) -> impl Iterator<Item = &Arc<Rendered>> {
        let clusters = self.clusters.iter().zip(&self.live);
        clusters
            .filter(move |(_, live)| live.has(family))
            .map(|(cluster, _)| cluster)
    }

    /// Returns the place of the cluster, or the one at which it would stand.
    pub(crate) fn place(&self, key: &Key) -> Result<usize, usize> {
        self.keys.place(key)
    }

    /// Returns whether the first cluster stands at the key or before it.
    pub(crate) fn starts_by(&self, key: &Key) -> bool {
        self.keys.first().is_some_and(|first| first <= key)
    }
}

/// Returns the families of any.
fn any(families: &[Changed]) -> Changed {
    families
        .iter()
        .fold(Changed::default(), |all, of| all.or(*of))
}

/// The families whose text differs between two lists of clusters.
fn changed(old: &SharedList<Rendered>, new: &SharedList<Rendered>) -> Changed {
    if old.len() != new.len() {
        return Changed::ALL;
    }
    new.differences(old)
        .map(|place| (old.get(place), new.get(place)))
        .fold(Changed::default(), |all, (old, new)| {
            if old.state.key == new.state.key {
                all.or(old.diff(new))
            } else {
                Changed::ALL
            }
        })
}

/// How many clusters a shard holds at most: few enough that one that changed costs little, enough
/// that they compress well together.
pub(crate) const MOST: usize = 48;

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
            // Not quite full, so that the next cluster does not cut them again, and of one size.
            for parts in (1..=clusters.len().div_ceil(MOST * 3 / 4)).rev() {
                let rest = clusters.split_off(clusters.len().div_ceil(parts));
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
        assert_eq!(sizes(&[48, 25]), [(Some(0), 48), (Some(1), 25)]);
        assert_eq!(sizes(&[49]), [(None, 25), (None, 24)]);
        assert_eq!(sizes(&[30, 0, 30]), [(Some(0), 30), (Some(2), 30)]);
        assert_eq!(sizes(&[12, 12, 1]), [(None, 24), (Some(2), 1)]);
        let many = sizes(&[2000]);
        assert!(many.iter().all(|(_, size)| (35..=36).contains(size)));
        assert_eq!(many.iter().map(|(_, size)| size).sum::<usize>(), 2000);
    }
}
