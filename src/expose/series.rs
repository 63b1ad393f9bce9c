//! The lines of one cluster. Most of a line are its labels, which many lines share: they stand once.

use std::ops::RangeFrom;

use jiff::Timestamp;

use super::family::FAMILIES;
use super::row::{Moving, push_since};

/// Labels of series, escaped, without the braces.
#[derive(Debug)]
pub(crate) struct Labels {
    /// Place among the labels of the cluster.
    pub(crate) id: u32,
    /// `name="value"`, separated by commas.
    pub(crate) text: String,
}

/// Lines of one cluster while they are written, family by family.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// What follows the shared labels of each line.
    pub(crate) tails: String,
    lines: Vec<Line>,
    /// Lines whose value is made when they are scraped.
    pub(crate) moving: Vec<Moving>,
    families: Vec<(u32, u32)>,
}

/// Line of the exposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// Labels by their place.
    labels: u32,
    /// Length of what follows them.
    len: u32,
}

/// Lines of one cluster. All texts stand in one piece of memory: a shard that is
/// compressed again reads those of each of its clusters, which few caches hold.
#[derive(Debug)]
pub(crate) struct Series {
    /// Labels by their place, then what follows the labels of each line.
    text: Box<str>,
    /// By family: end in the lines, and in the text.
    families: [(u32, u32); FAMILIES.len()],
    /// Ends of the labels in the text.
    label_ends: Box<[u32]>,
    lines: Box<[Line]>,
    /// Lines whose value is made when they are scraped, in the order of the families.
    moving: Box<[Moving]>,
}

impl Labels {
    /// Builds labels that take the next place.
    pub(crate) fn new(places: &mut RangeFrom<u32>, text: String) -> Self {
        let id = places.next().unwrap_or(u32::MAX);
        Self { id, text }
    }
}

impl Draft {
    /// Adds a line, of which the last `len` bytes of the tails follow the labels.
    pub(crate) fn add(&mut self, labels: &Labels, len: usize) {
        self.lines.push(Line {
            labels: labels.id,
            len: short(len),
        });
    }

    /// Ends the lines of a family.
    pub(crate) fn end_family(&mut self) {
        let ends = (short(self.lines.len()), short(self.tails.len()));
        self.families.push(ends);
    }

    /// Builds the lines; `labels` are those of the cluster, by their places.
    pub(crate) fn finish<'a>(self, labels: impl Iterator<Item = &'a str>) -> Series {
        let (mut text, mut label_ends) = (String::with_capacity(4096), Vec::new());
        for labels in labels {
            text.push_str(labels);
            label_ends.push(short(text.len()));
        }
        let start = short(text.len());
        text.push_str(&self.tails);
        let mut families = [(0, start); FAMILIES.len()];
        for (family, (lines, tails)) in families.iter_mut().zip(&self.families) {
            *family = (*lines, start + tails);
        }
        Series {
            text: text.into(),
            families,
            label_ends: label_ends.into(),
            lines: self.lines.into(),
            moving: self.moving.into(),
        }
    }
}

impl Series {
    /// Writes the lines of a family, moving lines aside.
    pub(crate) fn write(&self, family: usize, out: &mut String) {
        let name = FAMILIES[family].name;
        let (lines, mut tails) = self.family(family);
        for line in lines {
            let (tail, rest) = tails.split_at(line.len as usize);
            tails = rest;
            out.push_str(name);
            out.push('{');
            out.push_str(self.labels(line.labels));
            out.push_str(tail);
        }
    }

    /// Returns the moving lines.
    pub(crate) fn moving(&self) -> &[Moving] {
        &self.moving
    }

    /// Writes the moving lines of a family as they are at `now`.
    pub(crate) fn write_moving(&self, family: usize, now: Timestamp, out: &mut String) {
        for line in self.moving.iter().filter(|line| line.family == family) {
            out.push_str(FAMILIES[family].name);
            out.push('{');
            out.push_str(self.labels(line.labels));
            push_since(line, now, out);
        }
    }

    /// Returns whether both have one set of labels at each place.
    pub(crate) fn has_labels_of(&self, other: &Self) -> bool {
        self.label_ends == other.label_ends && self.all_labels() == other.all_labels()
    }

    /// Returns whether the lines of a family differ, moving lines aside. `has_same_labels` says that both
    /// have one set of labels at each place.
    pub(crate) fn differs(&self, other: &Self, family: usize, has_same_labels: bool) -> bool {
        let (own, others) = (self.family(family), other.family(family));
        let is_one_label = |(a, b): (&Line, &Line)| {
            has_same_labels || self.labels(a.labels) == other.labels(b.labels)
        };
        own != others || !own.0.iter().zip(others.0).all(is_one_label)
    }

    /// Returns the lines of a family, and what follows their labels.
    fn family(&self, family: usize) -> (&[Line], &str) {
        let start = match family.checked_sub(1) {
            Some(before) => self.families[before],
            None => (0, self.label_ends.last().copied().unwrap_or_default()),
        };
        let end = self.families[family];
        (
            &self.lines[start.0 as usize..end.0 as usize],
            self.part(start.1, end.1),
        )
    }

    fn labels(&self, place: u32) -> &str {
        let place = place as usize;
        let start = place.checked_sub(1).map_or(0, |p| self.label_ends[p]);
        self.part(start, self.label_ends[place])
    }

    fn all_labels(&self) -> &str {
        self.part(0, self.label_ends.last().copied().unwrap_or_default())
    }

    fn part(&self, start: u32, end: u32) -> &str {
        let part = self.text.get(start as usize..end as usize);
        part.expect("the ends were noted between whole texts")
    }
}

/// Returns a length or place within the lines of one cluster, which are far shorter than 4 GiB.
fn short(number: usize) -> u32 {
    u32::try_from(number).expect("the nodes and tasks of a cluster are bounded")
}
