//! Input of the alert rules: the clusters as they are shown, and the health of the exporter.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::rule::Labels;
use crate::clock::Times;
use crate::model::{ClusterState, FailingCall, FailingCalls, Node, UpgradeView};
use crate::store::ExporterHealth;
use crate::text;

/// Input of the alert rules at one moment.
#[derive(Debug)]
pub struct AlertInput<'a> {
    /// The moment, by the local clock and by those of the vendors.
    pub times: Times,
    /// Clusters of which the conditions are evaluated.
    pub clusters: Vec<&'a ClusterState>,
    /// Failing secondary calls of all clusters.
    pub failing_calls: Vec<FailingCall>,
    /// Health of the exporter itself.
    pub health: ExporterHealth,
}

/// An upgrade that is shown, with its cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) cluster: &'a ClusterState,
    pub(super) view: &'a UpgradeView,
}

impl<'a> AlertInput<'a> {
    /// Builds the input for all clusters.
    pub fn new(
        times: Times,
        clusters: impl IntoIterator<Item = &'a Arc<ClusterState>>,
        health: ExporterHealth,
    ) -> Self {
        let clusters: Vec<_> = clusters.into_iter().map(|state| &**state).collect();
        let failing: FailingCalls = clusters.iter().copied().collect();
        Self {
            times,
            clusters,
            failing_calls: failing.calls().collect(),
            health,
        }
    }

    pub(super) fn clusters(&self) -> impl Iterator<Item = &'a ClusterState> {
        self.clusters.iter().copied()
    }

    pub(super) fn upgrades(&self) -> impl Iterator<Item = Shown<'a>> {
        self.clusters()
            .flat_map(|cluster| self.shown(cluster).map(move |view| Shown { cluster, view }))
    }

    /// Returns the upgrades of a cluster that are shown.
    pub(super) fn shown(&self, cluster: &'a ClusterState) -> impl Iterator<Item = &'a UpgradeView> {
        cluster.shown(self.times.of(&cluster.key.account))
    }

    /// The labels of each upgrade for which `holds`.
    pub(super) fn upgrades_where(&self, holds: impl Fn(Shown<'a>) -> bool) -> Vec<Labels> {
        self.upgrades()
            .filter(|u| holds(*u))
            .map(|u| u.labels())
            .collect()
    }

    /// Returns whether `since`, a time of an account, lies more than `limit` back.
    pub(super) fn is_past(&self, account: &str, since: Timestamp, limit: Duration) -> bool {
        exceeds(self.times.of(account).duration_since(since), limit)
    }

    /// Returns whether `since`, a time of the exporter itself, lies more than `limit` back.
    pub(super) fn is_past_here(&self, since: Timestamp, limit: Duration) -> bool {
        exceeds(self.times.local().duration_since(since), limit)
    }
}

impl Shown<'_> {
    pub(super) fn labels(&self) -> Labels {
        let mut labels = cluster_labels(self.cluster);
        let kind = self.view.upgrade.kind.as_str();
        labels.insert("kind".to_owned(), kind.to_owned());
        labels
    }

    pub(super) fn node_labels(&self, node: &Node) -> Labels {
        let mut labels = self.labels();
        for (name, value) in [("node", &node.key.name), ("role", &node.key.role)] {
            labels.extend([label(name, value)]);
        }
        labels
    }

    /// What had passed since `since` by the last good poll: while the API is dark nothing ages.
    pub(super) fn age(&self, since: Timestamp) -> SignedDuration {
        self.cluster.last_success.duration_since(since)
    }
}

/// The labels that name a cluster, as its series carry them.
pub(super) fn cluster_labels(cluster: &ClusterState) -> Labels {
    [
        ("account", &*cluster.key.account),
        ("product", cluster.key.product),
        ("cluster_id", &*cluster.key.id),
        ("cluster_name", &cluster.name),
    ]
    .into_iter()
    .map(|(name, value)| label(name, value))
    .collect()
}

/// Builds a label whose value is escaped as in the exposition, so that both are identical.
pub(super) fn label(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), text::escaped(value).into_owned())
}

/// Whether a length of time is over a limit.
pub(super) fn exceeds(length: SignedDuration, limit: Duration) -> bool {
    SignedDuration::try_from(limit).is_ok_and(|limit| length > limit)
}
