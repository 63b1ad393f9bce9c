//! The domain families of a whole snapshot, ready to be joined.
//!
//! A page is made from the one before it: what did not change is shared. In the text, a family is
//! its header, the pieces of all shards, then its moving lines. A *stretch* is as many families as
//! come before the next moving lines: their bytes are fixed, so its checksum is too. The family of the
//! failing secondary calls comes last.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use crc32fast::Hasher;
use jiff::{SignedDuration, Timestamp};

use super::degraded;
use super::family::FAMILIES;
use super::gzip::{Block, Deflater, Gzip};
use super::row::Moving;
use super::shard::{Changed, Rendered, Shard, deal};
use crate::clock::Times;
use crate::model::{ClusterState, Key};

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
    shards: Vec<Arc<Shard>>,
    /// The clusters that have moving lines.
    moving: Vec<Arc<Rendered>>,
    /// By family; whether it has any line, and the checksum of its header and pieces.
    families: Vec<(bool, Hasher)>,
    /// By stretch.
    stretches: Vec<Hasher>,
    /// The family of the secondary calls that fail; mostly empty.
    degraded: String,
    text_size: usize,
    gzip_size: usize,
    /// Next instant at which the clock alone changes the page, by account and in its vendor's time.
    next_flips: BTreeMap<Arc<str>, Timestamp>,
}

impl Page {
    /// Renders the page of these clusters at this moment. They come in the order of their keys.
    pub(crate) fn next<'a>(
        &self,
        clusters: impl Iterator<Item = (&'a Key, &'a Arc<ClusterState>)>,
        times: &Times,
    ) -> Self {
        let mut deflater = Deflater::new();
        let mut changed = Changed::default();
        let groups = deal(self.group(clusters, times));
        let is_same_list = groups.len() == self.shards.len()
            && groups
                .iter()
                .enumerate()
                .all(|(place, g)| g.0 == Some(place));
        if !is_same_list {
            changed = Changed::ALL;
        }
        let shards: Vec<_> = groups
            .into_iter()
            .map(|(origin, clusters)| {
                let old = origin.map(|place| &self.shards[place]);
                let (shard, differs) = Shard::next(old, clusters, &mut deflater);
                changed = changed.or(differs);
                shard
            })
            .collect();
        let rendered = || shards.iter().flat_map(|shard| &shard.clusters);
        let moving: Vec<_> = rendered()
            .filter(|cluster| !cluster.moving.is_empty())
            .cloned()
            .collect();
        let mut next_flips = BTreeMap::new();
        for cluster in rendered() {
            if let Some(at) = cluster.next_flip {
                let account = cluster.state.key.account.clone();
                let first = next_flips.entry(account).or_insert(at);
                *first = at.min(*first);
            }
        }
        let degraded = degraded::family(rendered().map(|cluster| &*cluster.state));
        let mut page = Self {
            shards,
            moving,
            degraded,
            next_flips,
            ..Self::default()
        };
        page.sum_up(self, changed);
        page
    }

    /// Returns the time until the clock alone changes the page, moving lines aside.
    pub(crate) fn until_next_flip(&self, times: &Times) -> Option<SignedDuration> {
        let flips = self.next_flips.iter();
        let until = flips.map(|(account, at)| at.duration_since(times.of(account)));
        until.min()
    }

    /// Returns the whole text.
    pub(crate) fn text(&self, times: &Times, room: usize) -> String {
        let mut out = String::with_capacity(self.text_size + self.moving_size() + room);
        for (family, (header, _)) in self.present() {
            out.push_str(header);
            for shard in &self.shards {
                for cluster in &shard.clusters {
                    out.push_str(cluster.family(family));
                }
            }
            self.write_moving(family, times, &mut out);
        }
        out.push_str(&self.degraded);
        out
    }

    /// Returns the whole text as the beginning of a gzip member.
    pub(crate) fn gzip(&self, times: &Times, room: usize) -> Gzip {
        let mut gzip = Gzip::with_capacity(self.gzip_size + self.moving_size() / 4 + room);
        let mut lines = String::new();
        for (stretch, sum) in STRETCHES.iter().zip(&self.stretches) {
            let pieces = stretch
                .clone()
                .filter(|family| self.families[*family].0)
                .flat_map(|family| {
                    let header = &*HEADERS[family].1.deflated;
                    let blocks = self.shards.iter().map(move |s| &*s.blocks[family].deflated);
                    std::iter::once(header).chain(blocks)
                });
            gzip.pieces(pieces, sum);
            lines.clear();
            self.write_moving(stretch.end - 1, times, &mut lines);
            gzip.text(&lines);
        }
        gzip.text(&self.degraded);
        gzip
    }

    /// Renders anew what changed and groups all clusters by the old shard in whose range they fall.
    fn group<'a>(
        &self,
        clusters: impl Iterator<Item = (&'a Key, &'a Arc<ClusterState>)>,
        times: &Times,
    ) -> Vec<(Option<usize>, Vec<Arc<Rendered>>)> {
        let mut groups: Vec<_> = self
            .shards
            .iter()
            .enumerate()
            .map(|(place, shard)| (Some(place), Vec::with_capacity(shard.clusters.len() + 1)))
            .collect();
        if groups.is_empty() {
            groups.push((None, Vec::new()));
        }
        let mut before = self.shards.iter().flat_map(|s| &s.clusters).peekable();
        let mut account_times = AccountTimes::new(times);
        let mut place = 0;
        for (key, state) in clusters {
            while self
                .shards
                .get(place + 1)
                .is_some_and(|next| next.clusters[0].state.key <= *key)
            {
                place += 1;
            }
            let now = account_times.of(&key.account);
            let rendered = take(&mut before, key)
                .filter(|old| old.is_good(state, now))
                .cloned()
                .unwrap_or_else(|| Arc::new(Rendered::new(state, now)));
            groups[place].1.push(rendered);
        }
        groups
    }

    /// Checksums and sizes; those of the families that did not change are taken from `old`.
    fn sum_up(&mut self, old: &Self, changed: Changed) {
        let mut anew = Changed::default();
        self.families = (0..FAMILIES.len())
            .map(|family| {
                let before = old.families.get(family);
                let has_lines = self.has_lines(family);
                if !changed.has(family)
                    && let Some(before) = before
                    && before.0 == has_lines
                {
                    return before.clone();
                }
                anew = anew.or(Changed::only(family));
                let mut sum = Hasher::new();
                if has_lines {
                    sum.combine(&HEADERS[family].1.sum);
                    for shard in self.shards.iter().filter(|s| s.blocks[family].len() > 0) {
                        sum.combine(&shard.blocks[family].sum);
                    }
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
        let blocks = self.shards.iter().flat_map(|s| &s.blocks);
        let headers = HEADERS.iter().map(|(_, block)| block);
        self.gzip_size = blocks.chain(headers).map(|b| b.deflated.len()).sum();
    }

    fn has_lines(&self, family: usize) -> bool {
        self.shards.iter().any(|s| s.blocks[family].len() > 0)
            || self.moving_lines(family).next().is_some()
    }

    fn present(&self) -> impl Iterator<Item = (usize, &'static (String, Block))> {
        let headers = HEADERS.iter().enumerate();
        headers.filter(|(family, _)| self.families.get(*family).is_some_and(|f| f.0))
    }

    fn moving_lines(&self, family: usize) -> impl Iterator<Item = (&Arc<Rendered>, &Moving)> {
        let clusters = self.moving.iter();
        let lines = clusters.flat_map(|cluster| cluster.moving.iter().map(move |l| (cluster, l)));
        lines.filter(move |(_, line)| line.family == family)
    }

    fn write_moving(&self, family: usize, times: &Times, out: &mut String) {
        if FAMILIES[family].moves {
            let mut account_times = AccountTimes::new(times);
            for (cluster, line) in self.moving_lines(family) {
                line.write(account_times.of(&cluster.state.key.account), out);
            }
        }
    }

    /// About how long the moving lines are.
    fn moving_size(&self) -> usize {
        self.moving.iter().map(|c| c.moving.len() * 256).sum()
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

/// The cluster of this key among those that are left; all before it are passed by.
fn take<'a>(
    clusters: &mut Peekable<impl Iterator<Item = &'a Arc<Rendered>>>,
    key: &Key,
) -> Option<&'a Arc<Rendered>> {
    while clusters.next_if(|c| c.state.key < *key).is_some() {}
    clusters.next_if(|c| c.state.key == *key)
}
