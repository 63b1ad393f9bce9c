//! Which calls the cloud offers, as far as this process was told, and what was done since the last
//! discovery.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::provider::Call;

/// Calls of an account that were answered well in this process, by address and project: such a call is
/// offered there, whatever a later answer says.
#[derive(Debug, Default)]
pub(super) struct Answered(Mutex<BTreeSet<(Arc<str>, &'static str)>>);

impl Answered {
    pub(super) fn insert(&self, site: &Arc<str>, call: &Call) {
        self.lock().insert((site.clone(), call.name));
    }

    pub(super) fn contains(&self, site: &Arc<str>, call: &Call) -> bool {
        self.lock().contains(&(site.clone(), call.name))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<(Arc<str>, &'static str)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// State of all clusters of an account that outlasts a poll, even one that fails.
#[derive(Debug, Default)]
pub(super) struct Rounds(Mutex<Round>);

/// A call for one cluster.
type ClusterCall = (String, &'static str);

#[derive(Debug, Default)]
struct Round {
    /// Calls that the last poll was told not to be published.
    unpublished: BTreeSet<ClusterCall>,
    /// Calls that are not offered: left alone until the next discovery.
    left_alone: BTreeSet<ClusterCall>,
    /// Clusters whose tasks were listed since the last discovery. Should a list have lagged behind
    /// `upgradeinfo`, the next discovery puts it right.
    listed: BTreeSet<String>,
    /// Clusters of which the log told that a node stands twice in an answer.
    told_twice: BTreeSet<String>,
    /// The log told that not every call is offered.
    is_told: bool,
}

impl Rounds {
    /// Begins anew after a discovery of the clusters that `exists` tells.
    pub(super) fn begin(&self, exists: impl Fn(&str) -> bool) {
        let mut round = self.lock();
        round.left_alone.clear();
        round.listed.clear();
        round.unpublished.retain(|(id, _)| exists(id));
        round.told_twice.retain(|id| exists(id));
    }

    /// Records that a poll was told that the call is not published, or that it was not. Returns whether
    /// the poll before was told so, too.
    pub(super) fn set_unpublished(&self, id: &str, call: &Call, is_unpublished: bool) -> bool {
        let (mut round, entry) = (self.lock(), (id.to_owned(), call.name));
        if is_unpublished {
            !round.unpublished.insert(entry)
        } else {
            round.unpublished.remove(&entry)
        }
    }

    /// Leaves a call alone. Returns whether it is the first one of this account.
    pub(super) fn leave_alone(&self, id: &str, call: &Call) -> bool {
        let mut round = self.lock();
        round.left_alone.insert((id.to_owned(), call.name));
        !std::mem::replace(&mut round.is_told, true)
    }

    pub(super) fn is_left_alone(&self, id: &str, call: &Call) -> bool {
        self.lock().left_alone.contains(&(id.to_owned(), call.name))
    }

    pub(super) fn set_listed(&self, id: &str) {
        self.lock().listed.insert(id.to_owned());
    }

    pub(super) fn is_listed(&self, id: &str) -> bool {
        self.lock().listed.contains(id)
    }

    /// Returns whether the log has yet to tell that a node of the cluster stands twice in an answer.
    pub(super) fn is_first_twice(&self, id: &str) -> bool {
        self.lock().told_twice.insert(id.to_owned())
    }

    fn lock(&self) -> MutexGuard<'_, Round> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
