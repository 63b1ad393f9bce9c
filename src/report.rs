//! What is known, as a document for people and scripts: [`Report`].
//!
//! `GET /api/v1/upgrades` sends it as JSON, the page shows it, and `status` prints it, whether it
//! polled by itself or asked a running exporter. Field names are stable within `v1`: fields are
//! added, never renamed or given another meaning. Times are RFC 3339 in UTC, lengths are seconds,
//! words are those of the metrics. What is not known is `null`.

mod attention;
mod build;
mod clock;
mod details;
pub mod filter;
pub mod format;
mod history;
mod left_out;
pub mod remote;
mod steps;
mod upgrade;
mod word;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use attention::Attention;
pub use clock::SkewedClock;
pub use details::{
    AvailableVersionReport, FindingReport, PrecheckReport, ZoneMoveReport, ZonePlanReport,
};
pub use filter::{Filter, FilterError, StateFilter};
pub use history::{HistoryFilter, HistoryReport, OUTCOMES, PastUpgradeReport};
pub use left_out::NodesLeftOut;
pub use steps::Steps;
pub use word::{Vocabulary, Word};

use crate::model::{Kind, NodeStatus, Reason, TaskStatus, UpgradeStatus};

/// The version of the document.
pub const API_VERSION: &str = "v1";

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `v1`.
    pub api_version: String,
    /// The version of the exporter that made it.
    pub exporter_version: String,
    /// The moment, by the clock of the exporter's host.
    pub generated: Timestamp,
    /// Whether the first poll round of every account ended, well or badly.
    pub ready: bool,
    /// How looking for clusters goes: one entry for each product of each account.
    pub products: Vec<ProductReport>,
    /// The watched clusters, by account, product and id.
    pub clusters: Vec<ClusterReport>,
}

/// How looking for the clusters of one product of an account goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductReport {
    /// The account's name in the config.
    pub account: String,
    /// Name of the product.
    pub product: String,
    /// Name of the cloud.
    pub cloud: String,
    /// Language of the cloud's texts, as an HTML `lang`; `None` where they are English, and in a document.
    #[serde(skip)]
    pub language: Option<&'static str>,
    /// The region in the config.
    pub cloud_region: String,
    /// Clusters that are watched.
    pub watched: u64,
    /// Clusters that exist and that the account may not read.
    pub inaccessible: u64,
    /// Clusters that are too many to be watched.
    #[serde(default)]
    pub left_out: u64,
    /// When the clusters were last listed.
    pub last_success: Option<Timestamp>,
    /// Why the last attempt failed; null when it did not.
    pub last_error: Option<ErrorReport>,
    /// Clock of the exporter's host minus that of the account's vendor, in seconds; null until the vendor
    /// told its time. Times of the account are in the vendor's time.
    #[serde(default)]
    pub clock_skew_seconds: Option<f64>,
}

/// A failed call, for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The fixed word: the label `reason` of the metrics.
    pub reason: Word<Reason>,
    /// What happened, and what to do.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// Failing secondary call of a cluster: one that only adds to what the primary call tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DegradedReport {
    /// The vendor's name of the call: the label `endpoint` of the metrics.
    pub endpoint: String,
    /// The fixed word: the label `reason` of the metrics.
    pub reason: Word<Reason>,
    /// Text of the last failure, with what to do.
    pub message: String,
    /// Noun phrase for what only this call tells.
    pub missing: String,
    /// The vendor's name of the permission or policy that the call needs; empty when not known.
    pub permission: String,
    /// Time of the first failure in a row.
    pub since: Timestamp,
}

/// One cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterReport {
    /// The account's name in the config.
    pub account: String,
    /// Name of the product.
    pub product: String,
    /// The vendor's id.
    pub cluster_id: String,
    /// Its name, the config's or the vendor's.
    pub cluster_name: String,
    /// Name of the cloud.
    pub cloud: String,
    /// Language of the cloud's texts, as an HTML `lang`; `None` where they are English, and in a document.
    #[serde(skip)]
    pub language: Option<&'static str>,
    /// The region in the config.
    pub cloud_region: String,
    /// The version that it runs; empty when not told.
    pub version: String,
    /// Name of that version, where it is a code; null when not known.
    #[serde(default)]
    pub version_name: Option<String>,
    /// The vendor's own word for its state; empty when not told.
    pub raw_status: String,
    /// Meaning of that word, where it is a code; null where it speaks for itself.
    #[serde(default)]
    pub status_meaning: Option<String>,
    /// Versions to which the vendor offers to upgrade it; empty when none is known.
    #[serde(default)]
    pub available_versions: Vec<AvailableVersionReport>,
    /// Whether the last poll was good.
    pub up: bool,
    /// When a poll was last good: the age of all the rest. Null when none ever was.
    pub last_success: Option<Timestamp>,
    /// Why the last poll failed; null when it did not.
    pub last_error: Option<ErrorReport>,
    /// Failing secondary calls; empty when nothing is missing.
    #[serde(default)]
    pub degraded: Vec<DegradedReport>,
    /// The configured interval in force between polls, in seconds.
    pub poll_interval_seconds: f64,
    /// Its upgrades, at most one of each kind; empty when there is none, or before the first good
    /// poll.
    pub upgrades: Vec<UpgradeReport>,
}

/// One upgrade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpgradeReport {
    /// `version` or `az_migration`.
    pub kind: Word<Kind>,
    /// `pending`, `running`, `paused`, `succeeded`, `failed`, `partially_failed`, `cancelled` or
    /// `unknown`.
    pub status: Word<UpgradeStatus>,
    /// When it entered that state, as far as known.
    pub status_since: Timestamp,
    /// Whether nothing moved for `stalled_after_seconds`.
    pub stalled: bool,
    /// Whether it has been running for longer than `overdue_after_seconds`.
    pub overdue: bool,
    /// Set while nothing runs and nothing is queued until a person acts.
    pub waits_for_person: bool,
    /// The vendor's id of it.
    pub upgrade_id: Option<String>,
    /// Version before.
    pub from_version: Option<String>,
    /// Version after.
    pub to_version: Option<String>,
    /// Name of the version before, where it is a code.
    #[serde(default)]
    pub from_version_name: Option<String>,
    /// Name of the version after, where it is a code.
    #[serde(default)]
    pub to_version_name: Option<String>,
    /// Vendor's reason why it, or a node of it, failed or does not move; null when nothing is wrong or
    /// no reason is given.
    #[serde(default)]
    pub reason: Option<String>,
    /// Zones of an AZ migration.
    #[serde(default)]
    pub zone_move: Option<ZoneMoveReport>,
    /// Agency in whose name the vendor calls its other services.
    #[serde(default)]
    pub agency: Option<String>,
    /// Check before the upgrade.
    #[serde(default)]
    pub precheck: Option<PrecheckReport>,
    /// True when the vendor would cancel the workflow now; null when the vendor does not say.
    #[serde(default)]
    pub can_be_cancelled: Option<bool>,
    /// Time of the request (or first seen, where the vendor does not tell).
    pub requested: Option<Timestamp>,
    /// Time at which work on it started, as far as known; null while it is pending, and while a
    /// workflow waits with no point begun.
    #[serde(default)]
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The last sign of progress.
    pub last_progress: Timestamp,
    /// Since the request, in seconds; stands still once ended.
    pub duration_seconds: Option<f64>,
    /// From 0 to 1; 1 only when succeeded.
    pub progress_ratio: Option<f64>,
    /// End by the pace of its finished nodes, before the first by earlier upgrades; null when it cannot be told or
    /// has passed.
    pub estimated_end: Option<Timestamp>,
    /// The limit in force, in seconds; null while it is not.
    pub stalled_after_seconds: Option<f64>,
    /// The limit in force, in seconds; null while it is not.
    pub overdue_after_seconds: Option<f64>,
    /// Executions as the vendor counts them.
    pub executions: Option<u64>,
    /// Executions beyond the first.
    pub retries: Option<u64>,
    /// Order of the current task.
    pub task_order: Option<u32>,
    /// Its nodes, as the vendor lists them.
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

/// One node of an upgrade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeReport {
    /// Its name.
    pub node: String,
    /// Its role; empty when nobody says.
    pub role: String,
    /// `waiting`, `upgrading`, `succeeded`, `failed` or `unknown`.
    pub status: Word<NodeStatus>,
    /// The vendor's own word; empty when there is none.
    pub raw_status: String,
    /// When the vendor last changed its state.
    pub updated: Option<Timestamp>,
    /// When work on it began, as far as the vendor or this process knows.
    pub started: Option<Timestamp>,
    /// When that ended.
    pub ended: Option<Timestamp>,
    /// How long it has been, or was, in work, in seconds.
    pub duration_seconds: Option<f64>,
    /// Order of the task that it is at.
    pub task_order: Option<u32>,
}

/// One task of an upgrade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// As the vendor numbers it, or its place from 1.
    pub order: u32,
    /// The vendor's name of it.
    pub task: String,
    /// `waiting`, `running`, `succeeded`, `failed` or `unknown`.
    pub status: Word<TaskStatus>,
    /// When it began.
    pub start: Option<Timestamp>,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// Vendor's description of it; null when there is none.
    #[serde(default)]
    pub description: Option<String>,
}

impl Report {
    /// Returns the clusters with one of their upgrades each, or with none, those in trouble first. Of
    /// those in work the longest silence comes first.
    pub fn by_attention(&self) -> Vec<(Attention, &ClusterReport, Option<&UpgradeReport>)> {
        let mut rows: Vec<_> = self
            .clusters
            .iter()
            .flat_map(|cluster| {
                let of = |upgrade| (Attention::of(cluster, upgrade), cluster, upgrade);
                let rows: Vec<_> = cluster.upgrades.iter().map(|u| of(Some(u))).collect();
                if rows.is_empty() {
                    vec![of(None)]
                } else {
                    rows
                }
            })
            .collect();
        // Stable: within a part the order is else that of account, product and id.
        rows.sort_by_key(|(attention, _, upgrade)| {
            let last_progress = upgrade.map(|upgrade| upgrade.last_progress);
            let in_work = *attention == Attention::Running;
            (*attention, last_progress.filter(|_| in_work))
        });
        rows
    }
}

fn seconds(length: Duration) -> f64 {
    length.as_secs_f64()
}
