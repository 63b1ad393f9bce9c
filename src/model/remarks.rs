//! Oddities in answers that change nothing.

use std::ops::Deref;

/// Oddities of one answer that are kept; an answer may have one for each of a million nodes.
const MAX_REMARKS: usize = 100;

/// Oddity of an answer that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    /// Name of a node that stands twice; the worse state counts.
    NodeTwice(String),
    /// Any other, in words.
    Note(String),
}

/// Oddities of one answer, of which the first `MAX_REMARKS` are kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remarks(Vec<Remark>);

impl Remarks {
    /// Adds an oddity while there is room.
    pub fn add(&mut self, remark: impl FnOnce() -> Remark) {
        if self.0.len() < MAX_REMARKS {
            self.0.push(remark());
        }
    }
}

impl Deref for Remarks {
    type Target = [Remark];

    fn deref(&self) -> &[Remark] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_bounded_number_of_remarks() {
        let mut remarks = Remarks::default();
        for n in 0..1_000_000 {
            remarks.add(|| Remark::Note(format!("node {n} is listed twice")));
        }
        assert_eq!(remarks.len(), MAX_REMARKS);
    }
}
