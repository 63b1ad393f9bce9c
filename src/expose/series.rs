//! The lines of one cluster. Most of a line are its labels, which many lines share: they stand once.

use super::family::FAMILIES;
use super::row::{LiveLine, push_label};

/// Labels of series, as their place among those of the cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Labels(pub(crate) u32);

/// Texts of labels: `name="value"`, escaped and separated by commas, without the braces.
#[derive(Debug, Default)]
pub(crate) struct LabelTexts {
    /// One after another.
    text: String,
    /// End of each.
    ends: Vec<u32>,
}

/// Lines of one cluster while they are written, family by family. The next cluster uses its memory again.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) labels: LabelTexts,
    /// Text that follows the shared labels of each line.
    pub(crate) tails: String,
    lines: Vec<Line>,
    /// Lines whose value is made when they are scraped.
    pub(crate) live: Vec<LiveLine>,
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
    live: Box<[LiveLine]>,
}

impl LabelTexts {
    /// Adds labels: those of `base`, then these.
    pub(crate) fn add(&mut self, base: Option<Labels>, labels: &[(&str, &str)]) -> Labels {
        if let Some(Labels(base)) = base {
            let base = base as usize;
            let start = base.checked_sub(1).map_or(0, |before| self.ends[before]);
            self.text
                .extend_from_within(start as usize..self.ends[base] as usize);
        }
        for (name, value) in labels {
            push_label(&mut self.text, name, value);
        }
        self.ends.push(short(self.text.len()));
        Labels(short(self.ends.len() - 1))
    }
}

impl Draft {
    /// Forgets everything but the memory.
    pub(crate) fn clear(&mut self) {
        self.labels.text.clear();
        self.labels.ends.clear();
        self.tails.clear();
        self.lines.clear();
        self.live.clear();
        self.families.clear();
    }

    /// Adds a line, of which the last `len` bytes of the tails follow the labels.
    pub(crate) fn add(&mut self, labels: Labels, len: usize) {
        self.lines.push(Line {
            labels: labels.0,
            len: short(len),
        });
    }

    /// Ends the lines of a family.
    pub(crate) fn end_family(&mut self) {
        let ends = (short(self.lines.len()), short(self.tails.len()));
        self.families.push(ends);
    }

    /// Builds the lines.
    pub(crate) fn finish(&self) -> Series {
        let labels = &self.labels;
        let mut text = String::with_capacity(labels.text.len() + self.tails.len());
        text.push_str(&labels.text);
        text.push_str(&self.tails);
        let start = short(labels.text.len());
        let mut families = [(0, start); FAMILIES.len()];
        for (family, (lines, tails)) in families.iter_mut().zip(&self.families) {
            *family = (*lines, start + tails);
        }
        Series {
            text: text.into(),
            families,
            label_ends: labels.ends.as_slice().into(),
            lines: self.lines.as_slice().into(),
            live: self.live.as_slice().into(),
        }
    }
}

impl Series {
    /// Writes the lines of a family, live lines aside.
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

    /// Returns the live lines.
    pub(crate) fn live(&self) -> &[LiveLine] {
        &self.live
    }

    /// Returns the live lines of a family.
    pub(crate) fn live_lines(&self, family: usize) -> impl Iterator<Item = &LiveLine> {
        self.live.iter().filter(move |line| line.family == family)
    }

    /// Writes what stands before the value of a live line.
    pub(crate) fn write_head(&self, line: &LiveLine, out: &mut String) {
        out.push_str(FAMILIES[line.family].name);
        out.push('{');
        out.push_str(self.labels(line.labels));
        out.push_str(&line.more);
        out.push_str("} ");
    }

    /// Returns whether both have one set of labels at each place.
    pub(crate) fn has_labels_of(&self, other: &Self) -> bool {
        self.label_ends == other.label_ends && self.all_labels() == other.all_labels()
    }

    /// Returns whether the lines of a family differ, live lines aside. `has_same_labels` says that both
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
