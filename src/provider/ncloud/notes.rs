//! Oddities in answers that change nothing and are told once in the log, not at each poll.

use crate::telemetry::once::Once;

/// The oddities told so far, each with its cluster.
#[derive(Debug, Default)]
pub(super) struct Notes(Once<(String, String)>);

impl Notes {
    /// Logs those of these notes on a cluster that were not logged before.
    pub(super) fn tell(
        &self,
        (account, product, cluster): (&str, &'static str, &str),
        notes: Vec<String>,
    ) {
        for note in notes {
            if self.0.is_new((cluster.to_owned(), note.clone())) {
                tracing::warn!(account, product, cluster, note, "An answer is odd.");
            }
        }
    }
}
