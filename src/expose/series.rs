//! The lines of one cluster. Most of a line are its labels, which many lines share: they stand once.
//!
//! Most polls find nothing new of the upgrade. The next version then shares all lines but those of the families
//! that tell of the poll itself.

use std::sync::Arc;

use super::family::{FAMILIES, LASTING, POLLED};
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

/// Lines of one cluster.
#[derive(Debug)]
pub(crate) struct Series {
    lasting: Arc<Lasting>,
    polled: Polled,
}

/// Lines of the families that stay as they are while polls find nothing new. All texts stand in one piece of
/// memory, which few caches hold where there are many clusters.
#[derive(Debug)]
struct Lasting {
    /// Labels by their place, then what follows the labels of each line.
    text: Box<str>,
    /// By family: end in the lines, and in the text.
    families: [(u32, u32); LASTING],
    /// Ends of the labels in the text.
    label_ends: Box<[u32]>,
    lines: Box<[Line]>,
    /// Lines whose value is made when they are scraped, in the order of the families.
    live: Box<[LiveLine]>,
}

/// Lines of the families that tell of the last poll: at most one of each, with the labels of the cluster.
#[derive(Debug)]
struct Polled {
    /// Text that follows the labels of each line.
    text: Box<str>,
    /// By family: end in the text.
    ends: [u32; POLLED],
}

/// Labels of the cluster itself: the first that are added.
pub(crate) const OF_CLUSTER: Labels = Labels(0);

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
        Series {
            lasting: Arc::new(self.lasting()),
            polled: self.polled(LASTING),
        }
    }

    /// Builds the lines of a cluster of which only the families of the poll were written, and all other lines are
    /// those of `before`.
    pub(crate) fn finish_after(&self, before: &Series) -> Series {
        debug_assert!(
            self.live.is_empty(),
            "families of the poll have no live lines"
        );
        Series {
            lasting: before.lasting.clone(),
            polled: self.polled(0),
        }
    }

    fn lasting(&self) -> Lasting {
        let labels = &self.labels;
        let ends = self.families[..LASTING].last();
        let (line_count, tails_len) = ends.copied().unwrap_or_default();
        let tails = part(&self.tails, 0, tails_len);
        let mut text = String::with_capacity(labels.text.len() + tails.len());
        text.push_str(&labels.text);
        text.push_str(tails);
        let start = short(labels.text.len());
        let mut families = [(0, start); LASTING];
        for (family, (lines, tails)) in families.iter_mut().zip(&self.families) {
            *family = (*lines, start + tails);
        }
        Lasting {
            text: text.into(),
            families,
            label_ends: labels.ends.as_slice().into(),
            lines: self.lines[..line_count as usize].into(),
            live: self.live.as_slice().into(),
        }
    }

    /// Builds the lines of the poll, whose families stand behind so many others.
    fn polled(&self, before: usize) -> Polled {
        let (others, own) = self.families.split_at(before);
        let (first_line, start) = others.last().copied().unwrap_or_default();
        let lines = &self.lines[first_line as usize..];
        debug_assert!(lines.len() <= POLLED && lines.iter().all(|l| l.labels == OF_CLUSTER.0));
        let mut ends = [0; POLLED];
        for (end, (_, tails)) in ends.iter_mut().zip(own) {
            *end = tails - start;
        }
        Polled {
            text: part(&self.tails, start, short(self.tails.len())).into(),
            ends,
        }
    }
}

impl Series {
    /// Writes the lines of a family, live lines aside.
    pub(crate) fn write(&self, family: usize, out: &mut String) {
        let name = FAMILIES[family].name;
        let mut write = |labels, tail: &str| {
            out.push_str(name);
            out.push('{');
            out.push_str(self.lasting.labels(labels));
            out.push_str(tail);
        };
        if let Some(polled) = family.checked_sub(LASTING) {
            let tail = self.polled.tail(polled);
            if !tail.is_empty() {
                write(OF_CLUSTER.0, tail);
            }
            return;
        }
        let (lines, mut tails) = self.lasting.family(family);
        for line in lines {
            let (tail, rest) = tails.split_at(line.len as usize);
            tails = rest;
            write(line.labels, tail);
        }
    }

    /// Returns the live lines.
    pub(crate) fn live(&self) -> &[LiveLine] {
        &self.lasting.live
    }

    /// Returns the live lines of a family.
    pub(crate) fn live_lines(&self, family: usize) -> impl Iterator<Item = &LiveLine> {
        self.live().iter().filter(move |line| line.family == family)
    }

    /// Writes what stands before the value of a live line.
    pub(crate) fn write_head(&self, line: &LiveLine, out: &mut String) {
        out.push_str(FAMILIES[line.family].name);
        out.push('{');
        out.push_str(self.lasting.labels(line.labels));
        out.push_str(&line.more);
        out.push_str("} ");
    }

    /// Returns whether the two share all lines but those of the poll.
    pub(crate) fn shares_lasting_lines(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lasting, &other.lasting)
    }

    /// Returns whether both have one set of labels at each place.
    pub(crate) fn has_labels_of(&self, other: &Self) -> bool {
        let (own, others) = (&self.lasting, &other.lasting);
        self.shares_lasting_lines(other)
            || own.label_ends == others.label_ends && own.all_labels() == others.all_labels()
    }

    /// Returns whether the lines of a family differ, live lines aside. `has_same_labels` says that both
    /// have one set of labels at each place.
    pub(crate) fn differs(&self, other: &Self, family: usize, has_same_labels: bool) -> bool {
        let (lasting, others) = (&self.lasting, &other.lasting);
        let is_one_label =
            |a: u32, b: u32| has_same_labels || lasting.labels(a) == others.labels(b);
        if let Some(polled) = family.checked_sub(LASTING) {
            return self.polled.tail(polled) != other.polled.tail(polled)
                || !is_one_label(OF_CLUSTER.0, OF_CLUSTER.0);
        }
        if self.shares_lasting_lines(other) {
            return false;
        }
        let (own, others) = (lasting.family(family), others.family(family));
        let mut lines = own.0.iter().zip(others.0);
        own != others || !lines.all(|(a, b)| is_one_label(a.labels, b.labels))
    }
}

impl Polled {
    /// Returns the text behind the labels of the line of a family; nothing where it has none.
    fn tail(&self, family: usize) -> &str {
        let start = family.checked_sub(1).map_or(0, |before| self.ends[before]);
        part(&self.text, start, self.ends[family])
    }
}

impl Lasting {
    /// Returns the lines of a family, and what follows their labels.
    fn family(&self, family: usize) -> (&[Line], &str) {
        let start = match family.checked_sub(1) {
            Some(before) => self.families[before],
            None => (0, self.label_ends.last().copied().unwrap_or_default()),
        };
        let end = self.families[family];
        (
            &self.lines[start.0 as usize..end.0 as usize],
            part(&self.text, start.1, end.1),
        )
    }

    fn labels(&self, place: u32) -> &str {
        let place = place as usize;
        let start = place.checked_sub(1).map_or(0, |p| self.label_ends[p]);
        part(&self.text, start, self.label_ends[place])
    }

    fn all_labels(&self) -> &str {
        let end = self.label_ends.last().copied().unwrap_or_default();
        part(&self.text, 0, end)
    }
}

fn part(text: &str, start: u32, end: u32) -> &str {
    let part = text.get(start as usize..end as usize);
    part.expect("the ends were noted between whole texts")
}

/// Returns a length or place within the lines of one cluster, which are far shorter than 4 GiB.
fn short(number: usize) -> u32 {
    u32::try_from(number).expect("the nodes and tasks of a cluster are bounded")
}
