//! State of all clusters of an account that outlasts a poll, even one that fails.

use parking_lot::Mutex;
use std::collections::BTreeSet;

/// Clusters by what was done since the last discovery, or told in the log.
#[derive(Debug, Default)]
pub(super) struct Rounds(Mutex<Round>);

#[derive(Debug, Default)]
struct Round {
    /// Clusters whose tasks were listed since the last discovery. Should a list have lagged behind
    /// `upgradeinfo`, the next discovery puts it right.
    listed: BTreeSet<String>,
    /// Clusters of which the log told that a node stands twice in an answer.
    told_twice: BTreeSet<String>,
}

impl Rounds {
    /// Begins anew after a discovery of the clusters that `exists` tells.
    pub(super) fn begin(&self, exists: impl Fn(&str) -> bool) {
        let mut round = self.0.lock();
        round.listed.clear();
        round.told_twice.retain(|id| exists(id));
    }

    pub(super) fn set_listed(&self, id: &str) {
        self.0.lock().listed.insert(id.to_owned());
    }

    pub(super) fn is_listed(&self, id: &str) -> bool {
        self.0.lock().listed.contains(id)
    }

    /// Returns whether the log has yet to tell that a node of the cluster stands twice in an answer.
    pub(super) fn is_first_twice(&self, id: &str) -> bool {
        self.0.lock().told_twice.insert(id.to_owned())
    }
}
