//! The domain families of a whole snapshot, ready to be joined.
//!
//! In the text, a family is its header, the pieces of all shards, then its moving lines. A *stretch* is as many families as
//! come before the next moving lines: their bytes are fixed, so its checksum is too. The family of the
//! failing secondary calls comes last.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use crc32fast::Hasher;
use jiff::Timestamp;

use super::family::FAMILIES;
use super::gzip::{Block, Deflater, Gzip};
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

/// Families from one whose lines move to the next, that one included.
static STRETCHES: LazyLock<Vec<Range<usize>>> = LazyLock::new(|| {
    let mut start = 0;
    let mut stretches = Vec::new();
    for end in 1..=FAMILIES.len() {
        if FAMILIES[end - 1].moves || end == FAMILIES.len() {
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
    /// By stretch.
    stretches: Vec<Hasher>,
    /// The family of the secondary calls that fail; mostly empty.
    degraded: String,
    text_size: usize,
    gzip_size: usize,
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
        let mut out = String::with_capacity(self.text_size + self.moving_size() + room);
        let shards = self.shards();
        for (family, (header, _)) in self.present() {
            out.push_str(header);
            for shard in &shards {
                for cluster in &shard.clusters {
                    cluster.series.write(family, &mut out);
                }
            }
            write_moving(&shards, family, times, &mut out);
        }
        out.push_str(&self.degraded);
        out
    }

    /// Returns the whole text as the beginning of a gzip member.
    pub(crate) fn gzip(&self, times: &Times, room: usize, deflater: Deflater) -> Gzip {
        let room = self.gzip_size + self.moving_size() + room;
        let mut gzip = Gzip::with_capacity(room, deflater);
        let mut lines = String::new();
        let shards = self.shards();
        for (stretch, sum) in STRETCHES.iter().zip(&self.stretches) {
            let pieces = stretch
                .clone()
                .filter(|family| self.families[*family].0)
                .flat_map(|family| {
                    let header = &*HEADERS[family].1.deflated;
                    let blocks = shards
                        .iter()
                        .map(move |s| &*s.pieces[family].block.deflated);
                    std::iter::once(header).chain(blocks)
                });
            gzip.pieces(pieces, sum);
            lines.clear();
            write_moving(&shards, stretch.end - 1, times, &mut lines);
            gzip.long_text(&lines);
        }
        gzip.text(&self.degraded);
        gzip
    }

    /// Notes checksums and sizes; those of the families that did not change are taken from `old`.
    fn sum_up(&mut self, old: &Self, changed: Changed) {
        let totals = self.tree.as_ref().map(Tree::totals);
        let mut anew = Changed::default();
        self.families = (0..FAMILIES.len())
            .map(|family| {
                let before = old.families.get(family);
                let has_lines = totals.is_some_and(|totals| {
                    totals.sums[family].total_len() > 0 || totals.moves.has(family)
                });
                if !changed.has(family)
                    && let Some(before) = before
                    && before.0 == has_lines
                {
                    return before.clone();
                }
                anew = anew.or(Changed::only(family));
                let mut sum = Hasher::new();
                if let Some(totals) = totals.filter(|_| has_lines) {
                    sum.combine(&HEADERS[family].1.sum);
                    sum.combine(&totals.sums[family]);
                }
                (has_lines, sum)
            })
            .collect();
        self.stretches = STRETCHES
            .iter()
            .enumerate()
            .map(|(place, stretch)| match old.stretches.get(place) {
                Some(sum) if !anew.has_any(stretch.clone()) => sum.clone(),
                _ => {
                    let mut sum = Hasher::new();
                    for (_, family) in &self.families[stretch.clone()] {
                        sum.combine(family);
                    }
                    sum
                }
            })
            .collect();
        let text: u64 = self.stretches.iter().map(Hasher::total_len).sum();
        self.text_size = usize::try_from(text).unwrap_or(0) + self.degraded.len();
        let headers = HEADERS.iter().map(|(_, block)| block.deflated.len());
        self.gzip_size = headers.sum::<usize>() + totals.map_or(0, |totals| totals.deflated);
    }

    fn shards(&self) -> Vec<&Arc<Shard>> {
        self.tree.as_ref().map(Tree::shards).unwrap_or_default()
    }

    fn present(&self) -> impl Iterator<Item = (usize, &'static (String, Block))> {
        let headers = HEADERS.iter().enumerate();
        headers.filter(|(family, _)| self.families.get(*family).is_some_and(|f| f.0))
    }

    /// Returns about how long the moving lines are.
    fn moving_size(&self) -> usize {
        self.tree
            .as_ref()
            .map_or(0, |tree| tree.totals().moving * 256)
    }
}

/// Writes the moving lines of a family.
fn write_moving(shards: &[&Arc<Shard>], family: usize, times: &Times, out: &mut String) {
    let mut account_times = AccountTimes::new(times);
    for shard in shards.iter().filter(|shard| shard.totals.moves.has(family)) {
        for cluster in shard.moving(family) {
            let now = account_times.of(&cluster.state.key.account);
            cluster.series.write_moving(family, now, out);
        }
    }
}

/// Times of accounts that come one after another: each is looked up once.
struct AccountTimes<'a> {
    times: &'a Times,
    last: Option<(&'a Arc<str>, Timestamp)>,
}

impl<'a> AccountTimes<'a> {
    fn new(times: &'a Times) -> Self {
        Self { times, last: None }
    }

    fn of(&mut self, account: &'a Arc<str>) -> Timestamp {
        match self.last {
            Some((last, now)) if Arc::ptr_eq(last, account) => now,
            _ => {
                let now = self.times.of(account);
                self.last = Some((account, now));
                now
            }
        }
    }
}
