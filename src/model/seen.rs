//! An upgrade as the polls of a cluster saw it. Parts that a poll finds unchanged are shared with the poll before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{NodeKey, Upgrade, UpgradeStatus, worked};

/// Sight of the upgrade that is current now, by earlier polls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seen {
    /// The upgrade as the last good poll told it.
    pub last: Arc<Upgrade>,
    /// The upgrade with the last good answers of the parts that `last` does not tell; `None` when it
    /// tells them all.
    pub fully_told: Option<Arc<Upgrade>>,
    /// Time at which it started; `None` while it is pending.
    pub started: Option<Timestamp>,
    /// Outcomes that it was seen to have.
    pub outcomes: BTreeSet<UpgradeStatus>,
    /// Time at which this process saw it first.
    pub first_seen: Timestamp,
    /// Time at which it entered its state, as far as known.
    pub status_since: Timestamp,
    /// Time at which this process last saw anything of it change; its first sight is not a change.
    pub changed: Option<Timestamp>,
    /// Time at which this process first saw it ended.
    pub ended_seen: Option<Timestamp>,
    /// Mark of an end longer ago than `retain_ended`: it is `none` again, and binds nothing that comes.
    pub forgotten: bool,
    /// Work on each node, since when and until when.
    #[serde(with = "worked")]
    pub worked: Arc<BTreeMap<NodeKey, Span>>,
    /// Work on each node of `last`, which follows from `last` and `worked`; `None` until a poll showed it.
    #[serde(skip)]
    pub node_work: Option<Arc<[Option<Span>]>>,
}

/// A stretch of work on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First time that the vendor or this process gives for work on it.
    pub start: Timestamp,
    /// Time at which the work ended; `None` while it lasts.
    pub end: Option<Timestamp>,
}

impl Seen {
    /// Builds the first sight of an upgrade that is in its state since then, and of which nothing else is known.
    pub fn new(upgrade: impl Into<Arc<Upgrade>>, at: Timestamp) -> Self {
        Self {
            last: upgrade.into(),
            fully_told: None,
            started: None,
            outcomes: BTreeSet::new(),
            first_seen: at,
            status_since: at,
            changed: None,
            ended_seen: None,
            forgotten: false,
            worked: Arc::default(),
            node_work: None,
        }
    }

    /// Returns whether this process saw the node in work during this upgrade.
    pub fn saw_upgrading(&self, node: &NodeKey) -> bool {
        self.worked.contains_key(node)
    }
}

/// Compares sights. Shared parts are equal without a look into them; work on the nodes of `last` follows from other
/// fields and is not compared.
impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        let Self {
            last,
            fully_told,
            started,
            outcomes,
            first_seen,
            status_since,
            changed,
            ended_seen,
            forgotten,
            worked,
            node_work: _,
        } = self;
        let is_fully_told_equal = match (fully_told, &other.fully_told) {
            (Some(a), Some(b)) => is_equal(a, b),
            (None, None) => true,
            _ => false,
        };
        (started, first_seen, status_since)
            == (&other.started, &other.first_seen, &other.status_since)
            && (changed, ended_seen, forgotten)
                == (&other.changed, &other.ended_seen, &other.forgotten)
            && *outcomes == other.outcomes
            && *worked == other.worked
            && is_equal(last, &other.last)
            && is_fully_told_equal
    }
}

fn is_equal(a: &Arc<Upgrade>, b: &Arc<Upgrade>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    fn failed() -> Upgrade {
        Upgrade::new(Kind::Version, UpgradeStatus::Failed)
    }

    #[test]
    fn upgrades_that_were_seen_are_compared_by_every_field() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let upgrade = || Upgrade::new(Kind::Version, UpgradeStatus::Running);
        let seen = Seen {
            fully_told: Some(upgrade().into()),
            ..Seen::new(upgrade(), at(0))
        };
        let changes: [fn(&mut Seen, Timestamp); 11] = [
            |seen, _| seen.last = failed().into(),
            |seen, _| seen.fully_told = None,
            |seen, _| seen.fully_told = Some(failed().into()),
            |seen, at| seen.started = Some(at),
            |seen, _| seen.outcomes.extend([UpgradeStatus::Failed]),
            |seen, at| seen.first_seen = at,
            |seen, at| seen.status_since = at,
            |seen, at| seen.changed = Some(at),
            |seen, at| seen.ended_seen = Some(at),
            |seen, _| seen.forgotten = true,
            |seen, start| {
                let work = (NodeKey::new("n", ""), Span { start, end: None });
                seen.worked = Arc::new([work].into());
            },
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut other = seen.clone();
            assert_eq!(other, seen);
            change(&mut other, at(1));
            assert_ne!(other, seen, "{place}");
        }
        let shown = Seen {
            node_work: Some([None].into()),
            last: upgrade().into(),
            ..seen.clone()
        };
        assert_eq!(shown, seen, "what follows from other fields does not count");
    }
}
