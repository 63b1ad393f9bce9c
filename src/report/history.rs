//! Upgrades that ended, as a document for people and scripts: [`HistoryReport`].
//!
//! `GET /api/v1/history` sends it as JSON, the page of the history shows it, and `history` prints it. Names
//! of fields are stable within `v1`, as those of [`Report`](super::Report).

mod build;
mod filter;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{NodeReport, NodesLeftOut, TaskReport, Word};
use crate::model::{Kind, UpgradeStatus};

pub use filter::{HistoryFilter, OUTCOMES};

/// Most nodes that [`PastUpgradeReport::slowest_nodes`] returns.
const MOST_SLOWEST: usize = 5;

/// Upgrades that ended, those that ended last first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryReport {
    /// `v1`.
    pub api_version: String,
    /// Version of the program that made it.
    pub exporter_version: String,
    /// Time at which it was made, by the clock of the program's host.
    pub generated: Timestamp,
    /// Number of older upgrades that are too many for the exporter's memory: its storage has them.
    #[serde(default)]
    pub left_out: u64,
    /// Number of further upgrades that match and ended before those of `upgrades`.
    #[serde(default)]
    pub more: u64,
    /// Upgrades that match.
    pub upgrades: Vec<PastUpgradeReport>,
}

/// Upgrade that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastUpgradeReport {
    /// Name of the account in the config.
    pub account: String,
    /// Name of the product.
    pub product: String,
    /// The vendor's id of the cluster.
    pub cluster_id: String,
    /// Name of the cluster when the upgrade ended, the config's or the vendor's.
    pub cluster_name: String,
    /// Name of the cloud.
    pub cloud: String,
    /// Language of the cloud's texts, as an HTML `lang`; `None` where they are English, and in a document.
    #[serde(skip)]
    pub language: Option<&'static str>,
    /// Region in the config.
    pub cloud_region: String,
    /// `version` or `az_migration`.
    pub kind: Word<Kind>,
    /// State at the end: `succeeded`, `failed`, `partially_failed` or `cancelled`.
    pub outcome: Word<UpgradeStatus>,
    /// The vendor's id of the upgrade; null where the vendor gives none.
    pub upgrade_id: Option<String>,
    /// Version before; null when not known.
    pub from_version: Option<String>,
    /// Version after; null when not known.
    pub to_version: Option<String>,
    /// Name of the version before, where it is a code; null when not known.
    pub from_version_name: Option<String>,
    /// Name of the version after, where it is a code; null when not known.
    pub to_version_name: Option<String>,
    /// Vendor's reason why it, or a node of it, failed; null when nothing is wrong or no reason is given.
    pub reason: Option<String>,
    /// Time of the request; null where the vendor does not tell it.
    pub requested: Option<Timestamp>,
    /// Time at which the exporter first saw it.
    pub first_seen: Timestamp,
    /// Time at which work on it started; null when not known.
    pub started: Option<Timestamp>,
    /// Time of the end.
    pub ended: Timestamp,
    /// Seconds from the request to the end; from the first sight where the request is not known.
    pub duration_seconds: f64,
    /// Median, in seconds, of the durations of the last five upgrades of this kind of the cluster before it
    /// that succeeded; null where none did.
    pub earlier_median_seconds: Option<f64>,
    /// Executions as the vendor counts them; null where it does not.
    pub executions: Option<u64>,
    /// Executions beyond the first; null where the vendor does not count them.
    pub retries: Option<u64>,
    /// Nodes, as the vendor lists them.
    pub nodes: Vec<NodeReport>,
    /// Tasks in order.
    pub tasks: Vec<TaskReport>,
    /// Nodes that are too many to be listed, by state.
    #[serde(default)]
    pub nodes_left_out: NodesLeftOut,
    /// Number of tasks that are too many to be listed.
    #[serde(default)]
    pub tasks_left_out: u64,
}

impl PastUpgradeReport {
    /// Returns the nodes that were in work for the longest time, the longest first, at most five. Nodes
    /// whose time is not known are none of them.
    pub fn slowest_nodes(&self) -> Vec<&NodeReport> {
        let nodes = self.nodes.iter();
        let mut timed: Vec<(f64, &NodeReport)> = nodes
            .filter_map(|node| Some((node.duration_seconds?, node)))
            .collect();
        timed.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let slowest = timed.into_iter().take(MOST_SLOWEST);
        slowest.map(|(_, node)| node).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
