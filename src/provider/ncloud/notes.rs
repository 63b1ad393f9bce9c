//! Oddities in answers that change nothing and are told once in the log, not at each poll.

use std::ops::Deref;

use crate::telemetry::log::LogOnce;

/// Oddities of one answer that are told; an answer may have one for each of a million nodes.
const MAX_REMARKS: usize = 100;

/// Oddities of one answer, of which the first [`MAX_REMARKS`] are kept.
#[derive(Debug, Default)]
pub(super) struct Remarks(Vec<String>);

impl Remarks {
    /// Adds an oddity while there is room.
    pub(super) fn add(&mut self, remark: impl FnOnce() -> String) {
        if self.0.len() < MAX_REMARKS {
            self.0.push(remark());
        }
    }
}

impl Deref for Remarks {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

/// The oddities told so far, each with its cluster.
#[derive(Debug, Default)]
pub(super) struct Notes(LogOnce<(String, String)>);

impl Notes {
    /// Logs those of these notes on a cluster that were not logged before.
    pub(super) fn tell(
        &self,
        (account, product, cluster): (&str, &'static str, &str),
        notes: Remarks,
    ) {
        for note in notes.0 {
            if self.0.is_new((cluster.to_owned(), note.clone())) {
                tracing::warn!(account, product, cluster, note, "An answer is odd.");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_bounded_number_of_remarks() {
        let mut remarks = Remarks::default();
        for n in 0..1_000_000 {
            remarks.add(|| format!("node {n} is listed twice"));
        }
        assert_eq!(remarks.len(), MAX_REMARKS);
    }
}
