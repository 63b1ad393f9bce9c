//! The domain families of a whole snapshot, ready to be joined.
//!
//! In the text, a family is its header, the pieces of all shards, then its live lines. A *stretch* is as many
//! families as come before the next live lines: its bytes are fixed, so it is joined once for all scrapes. The
//! family of the failing secondary calls comes last.

use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

use bytes::Bytes;
use crc32fast::Hasher;

use super::checksum;
use super::family::FAMILIES;
use super::gzip::{Block, Deflater, Gzip};
use super::live::Live;
use super::shard::{Changed, Shard};
use super::tree::Tree;
use crate::clock::Times;

/// HELP and TYPE of each family, with their pieces.
static HEADERS: LazyLock<Vec<(String, Block)>> = LazyLock::new(|| {
    let mut deflater = Deflater::new();
    FAMILIES
        .iter()
        .map(|family| {
            let text = family.header();
            let block = Block::new(&text, &mut deflater);
            (text, block)
        })
        .collect()
});

/// Families from behind one that has live lines to the next such one.
static STRETCHES: LazyLock<Vec<Range<usize>>> = LazyLock::new(|| {
    let mut start = 0;
    let mut stretches = Vec::new();
    for end in 1..=FAMILIES.len() {
        if FAMILIES[end - 1].is_live || end == FAMILIES.len() {
            stretches.push(start..end);
            start = end;
        }
    }
    stretches
});

/// A snapshot as text and as compressed pieces.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Shards of clusters; `None` where there is no cluster.
    pub(super) tree: Option<Tree>,
    /// By family; whether it has any line, and the checksum of its header and pieces.
    families: Vec<(bool, Hasher)>,
    stretches: Vec<Stretch>,
    /// The family of the secondary calls that fail; mostly empty.
    degraded: String,
    text_size: usize,
}

/// Families with fixed bytes, and the live lines that follow. The next page takes over what did not change.
#[derive(Debug, Clone, Default)]
struct Stretch {
    sum: Hasher,
    /// Compressed text, once a scrape asked for it.
    deflated: OnceLock<Bytes>,
    /// Live lines, once a scrape asked for them.
    live: OnceLock<Arc<Live>>,
}

impl Page {
    /// Builds the page of these shards. Only the families that `changed` since the old page are summed up.
    pub(super) fn next(old: &Self, tree: Option<Tree>, changed: Changed, degraded: String) -> Self {
        let mut page = Self {
            tree,
            degraded,
            ..Self::default()
        };
        page.sum_up(old, changed);
        page
    }

    /// Returns the whole text.
    pub(crate) fn text(&self, times: &Times, room: usize) -> String {
        let live: Vec<_> = (0..STRETCHES.len()).map(|place| self.live(place)).collect();
        let live_size: usize = live.iter().map(|live| live.len()).sum();
        let mut out = String::with_capacity(self.text_size + live_size + room);
        let shards = self.shards();
        for (stretch, live) in STRETCHES.iter().zip(live) {
            for family in stretch.clone().filter(|family| self.has_lines(*family)) {
                out.push_str(&HEADERS[family].0);
                for shard in &shards {
                    for cluster in shard.clusters.iter() {
                        cluster.series.write(family, &mut out);
                    }
                }
            }
            live.write(times, &mut out);
        }
        out.push_str(&self.degraded);
        out
    }

    /// Returns the whole text as the beginning of a gzip member.
    pub(crate) fn gzip(&self, times: &Times, deflater: Deflater) -> Gzip {
        let mut gzip = Gzip::new(deflater);
        for (place, stretch) in self.stretches.iter().enumerate() {
            let piece = stretch.deflated.get_or_init(|| self.deflated(place));
            gzip.piece(piece.clone(), &stretch.sum);
            gzip.live(self.live(place), times);
        }
        gzip.text(&self.degraded);
        gzip
    }

    /// Joins the pieces of a stretch.
    fn deflated(&self, place: usize) -> Bytes {
        let (mut out, shards) = (Vec::new(), self.shards());
        let stretch = STRETCHES[place].clone();
        for family in stretch.filter(|family| self.has_lines(*family)) {
            out.extend_from_slice(&HEADERS[family].1.deflated);
            for shard in &shards {
                for part in shard.pieces.get(family).deflated() {
                    out.extend_from_slice(part);
                }
            }
        }
        out.into()
    }

    /// Returns the live lines that follow a stretch.
    fn live(&self, place: usize) -> &Live {
        static NONE: Live = Live::NONE;
        let Some(stretch) = self.stretches.get(place) else {
            return &NONE;
        };
        let family = STRETCHES[place].end - 1;
        stretch
            .live
            .get_or_init(|| Arc::new(Live::new(&self.shards(), family)))
    }

    fn has_lines(&self, family: usize) -> bool {
        self.families.get(family).is_some_and(|family| family.0)
    }

    /// Notes checksums and sizes; those of the families that did not change are taken from `old`.
    fn sum_up(&mut self, old: &Self, changed: Changed) {
        let totals = self.tree.as_ref().map(Tree::totals);
        let mut anew = Changed::default();
        self.families = (0..FAMILIES.len())
            .map(|family| {
                let before = old.families.get(family);
                let has_lines = totals.is_some_and(|totals| {
                    totals.sums[family].total_len() > 0 || totals.live.has(family)
                });
                if !changed.has(family)
                    && let Some(before) = before
                    && before.0 == has_lines
                {
                    return before.clone();
                }
                anew = anew.or(Changed::only(family));
                let totals = totals.filter(|_| has_lines);
                let parts = totals.map(|totals| [&HEADERS[family].1.sum, &totals.sums[family]]);
                (has_lines, checksum::join(parts.into_iter().flatten()))
            })
            .collect();
        self.stretches = STRETCHES
            .iter()
            .enumerate()
            .map(|(place, families)| match old.stretches.get(place) {
                Some(old) if !anew.has_any(families.clone()) => old.clone(),
                Some(stretch) => Stretch {
                    sum: checksum::rejoin(
                        &stretch.sum,
                        sums(&old.families, families),
                        sums(&self.families, families),
                    ),
                    live: stretch.live.clone(),
                    deflated: OnceLock::new(),
                },
                None => Stretch {
                    sum: checksum::join(sums(&self.families, families)),
                    ..Stretch::default()
                },
            })
            .collect();
        if changed.has_live() {
            for stretch in &mut self.stretches {
                stretch.live = OnceLock::new();
            }
        }
        let text: u64 = self.stretches.iter().map(|s| s.sum.total_len()).sum();
        self.text_size = usize::try_from(text).unwrap_or(0) + self.degraded.len();
    }

    fn shards(&self) -> Vec<&Arc<Shard>> {
        self.tree.as_ref().map(Tree::shards).unwrap_or_default()
    }
}

/// Returns the checksums of some of the families.
fn sums<'a>(
    families: &'a [(bool, Hasher)],
    places: &Range<usize>,
) -> impl ExactSizeIterator<Item = &'a Hasher> + Clone + use<'a> {
    families[places.clone()].iter().map(|(_, sum)| sum)
}
