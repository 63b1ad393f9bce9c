//! Oddities in answers that change nothing and are told once in the log, not at each poll.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What was told already; after so many the rest is not told at all.
const MOST: usize = 256;

/// The oddities told so far.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<BTreeSet<(String, String)>>);

impl Notes {
    /// Logs those of these notes on a cluster that were not logged before.
    pub(super) fn tell(
        &self,
        (account, product, cluster): (&str, &'static str, &str),
        notes: Vec<String>,
    ) {
        for note in notes {
            if self.is_new(cluster, &note) {
                tracing::warn!(account, product, cluster, "An answer is odd: {note}.");
            }
        }
    }

    fn is_new(&self, cluster: &str, note: &str) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MOST && told.insert((cluster.to_owned(), note.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_note_is_told_once_and_their_number_is_bounded() {
        let notes = Notes::default();
        assert!(notes.is_new("1", "a"));
        assert!(!notes.is_new("1", "a"));
        assert!(notes.is_new("2", "a"));
        for i in 0..2 * MOST {
            notes.is_new("1", &i.to_string());
        }
        assert_eq!(notes.0.lock().unwrap().len(), MOST);
        assert!(!notes.is_new("3", "a"));
    }
}
