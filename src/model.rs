//! What is known of a cluster and of its upgrade, in one vocabulary for every cloud.
//!
//! No serde and no IO: the providers map a vendor's answer into these types, [`track`] adds what
//! only a sequence of answers can tell, and everything after reads the result.

pub mod progress;
pub mod track;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Declares an enum of states with its exposition words, in the order in which they are exposed.
macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every state, in the order in which they are exposed.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of this state in metrics and answers.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

states! {
    /// The state of an upgrade (contract, section 4).
    UpgradeStatus {
        /// No upgrade is known.
        None => "none",
        /// Requested; nothing has moved yet.
        Pending => "pending",
        /// In work.
        Running => "running",
        /// Held by a person.
        Paused => "paused",
        /// Ended well.
        Succeeded => "succeeded",
        /// Ended badly, or waits for a retry.
        Failed => "failed",
        /// Ended with some nodes done and some not.
        PartiallyFailed => "partially_failed",
        /// Called off.
        Cancelled => "cancelled",
        /// The vendor's word is not one that this program knows.
        Unknown => "unknown",
    }
}

states! {
    /// The state of a node within an upgrade.
    NodeStatus {
        /// Its turn has not come.
        Waiting => "waiting",
        /// In work.
        Upgrading => "upgrading",
        /// Done.
        Succeeded => "succeeded",
        /// Its upgrade failed.
        Failed => "failed",
        /// Cannot be told.
        Unknown => "unknown",
    }
}

states! {
    /// The state of a task (a step of the node in work, or a point of a workflow).
    TaskStatus {
        /// Not begun.
        Waiting => "waiting",
        /// In work.
        Running => "running",
        /// Done.
        Succeeded => "succeeded",
        /// Failed.
        Failed => "failed",
        /// Cannot be told.
        Unknown => "unknown",
    }
}

states! {
    /// What an upgrade changes; two kinds are two series sets side by side.
    Kind {
        /// The version of the cluster.
        Version => "version",
        /// The availability zone of its nodes (CSS `AZ_MIGRATION`).
        AzMigration => "az_migration",
    }
}

impl UpgradeStatus {
    /// Whether the upgrade is over, if no node is in work any more.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::PartiallyFailed | Self::Cancelled
        )
    }

    /// Whether a cluster in this state is polled at the active interval.
    pub const fn is_active(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::Running | Self::Paused | Self::Unknown
        )
    }
}

impl NodeStatus {
    /// Which of two reports about one node to believe: the worse one.
    pub const fn badness(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Waiting => 1,
            Self::Upgrading => 2,
            Self::Unknown => 3,
            Self::Failed => 4,
        }
    }
}

/// What names a cluster across accounts and products.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The account's name in the config.
    pub account: Arc<str>,
    /// The product's name: `ses`, `cdss`, `css`, `cce`.
    pub product: &'static str,
    /// The vendor's id of the cluster.
    pub id: Arc<str>,
}

/// A node by name and role; one name can stand for a broker and a `ZooKeeper` node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey {
    /// Host name.
    pub name: String,
    /// Role, in lower case; empty when nobody says.
    pub role: String,
}

/// One node within an upgrade, as one answer tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Name and role.
    pub key: NodeKey,
    /// Its state.
    pub status: NodeStatus,
    /// The vendor's own word; empty when there is none.
    pub raw_status: String,
    /// When the vendor last changed its state.
    pub updated: Option<Timestamp>,
    /// When work on it began, where the vendor says so.
    pub started: Option<Timestamp>,
    /// When work on it ended, where the vendor says so.
    pub ended: Option<Timestamp>,
    /// Order of the task that it is at.
    pub task_order: Option<u32>,
    /// Share of its own tasks that are done, from 0 to below 1; only while it is in work.
    pub share_done: f64,
}

impl Node {
    /// A node of which only name, role, state and raw word are known.
    pub fn new(name: &str, role: &str, status: NodeStatus, raw_status: &str) -> Self {
        Self {
            key: NodeKey {
                name: name.to_owned(),
                role: role.to_owned(),
            },
            status,
            raw_status: raw_status.to_owned(),
            updated: None,
            started: None,
            ended: None,
            task_order: None,
            share_done: 0.0,
        }
    }
}

/// One task: a step of the node in work (CSS) or a point of a workflow (CCE).
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// As the vendor numbers it (CSS `order`), or its place from 1 (CCE points).
    pub order: u32,
    /// The vendor's name of it.
    pub name: String,
    /// Its state.
    pub status: TaskStatus,
    /// When it began.
    pub start: Option<Timestamp>,
    /// When it ended.
    pub end: Option<Timestamp>,
}

/// One upgrade, as one answer (with what earlier answers told) describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Upgrade {
    /// What it changes.
    pub kind: Kind,
    /// Its state. [`UpgradeStatus::None`] never stands here: no upgrade is no value.
    pub status: UpgradeStatus,
    /// The vendor's id, where it has one.
    pub id: Option<String>,
    /// Version before.
    pub from_version: Option<String>,
    /// Version after.
    pub to_version: Option<String>,
    /// When it was requested.
    pub requested: Option<Timestamp>,
    /// When it ended, where the vendor says so.
    pub ended: Option<Timestamp>,
    /// Executions as the vendor counts them (CSS `executeTimes`).
    pub executions: Option<u64>,
    /// The vendor's own progress from 0 to 1, where nodes do not tell it (CCE).
    pub ratio: Option<f64>,
    /// Nothing runs and nothing is queued: a person has to act (CCE). Never stalled.
    pub waits_for_person: bool,
    /// Polls in a row in which the cluster looked idle before the upgrade proved its end (CDSS).
    pub quiet_polls: u32,
    /// Its nodes, each name and role once.
    pub nodes: Vec<Node>,
    /// Its tasks, in order.
    pub tasks: Vec<Task>,
}

impl Upgrade {
    /// An upgrade of which nothing is known but kind and state.
    pub fn new(kind: Kind, status: UpgradeStatus) -> Self {
        Self {
            kind,
            status,
            id: None,
            from_version: None,
            to_version: None,
            requested: None,
            ended: None,
            executions: None,
            ratio: None,
            waits_for_person: false,
            quiet_polls: 0,
            nodes: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// Whether two answers speak of the same upgrade: the vendor's id decides, else the request time.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.id, &other.id) {
            (Some(a), Some(b)) => a == b,
            _ => self.requested == other.requested,
        }
    }

    /// Whether it is over: a final state, and no node in work.
    pub fn is_ended(&self) -> bool {
        self.status.is_final() && !self.nodes.iter().any(|n| n.status == NodeStatus::Upgrading)
    }

    /// Executions beyond the first, never below 0.
    pub fn retries(&self) -> Option<u64> {
        self.executions.map(|n| n.saturating_sub(1))
    }
}

/// What one good poll of a cluster tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The cluster's name at the vendor.
    pub name: String,
    /// The version that it runs, as the vendor writes it; empty when not told.
    pub version: String,
    /// The vendor's own word for the cluster's state; empty when not told.
    pub raw_status: String,
    /// The cluster itself says that it is changing or upgrading.
    pub changing: bool,
    /// The upgrades known, at most one of each kind.
    pub upgrades: Vec<Upgrade>,
    /// Words that the mapping does not know, one entry an occurrence.
    pub unknown_words: Vec<String>,
    /// The vendor refused to tell progress although nothing seems wrong (contract, section 4, SES).
    pub refused: Option<String>,
}

/// What a worker remembers of a cluster between its polls; lost with the process.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// By kind, the upgrade last seen.
    pub upgrades: BTreeMap<Kind, Seen>,
}

/// What earlier polls saw of the upgrade that is current now.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The upgrade as the last good poll told it.
    pub last: Upgrade,
    /// When this process saw it first.
    pub first_seen: Timestamp,
    /// When it entered its state, as far as known.
    pub status_since: Timestamp,
    /// When this process last saw anything of it change; its first sight is not a change.
    pub changed: Option<Timestamp>,
    /// When this process first saw it ended.
    pub ended_seen: Option<Timestamp>,
    /// It ended longer ago than `retain_ended`: it is `none` again, and binds nothing that comes.
    pub forgotten: bool,
    /// Since when, and until when, each node was in work.
    pub worked: BTreeMap<NodeKey, Span>,
}

/// A stretch of work on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First time that the vendor or this process gives for work on it.
    pub start: Timestamp,
    /// When the work ended; none while it lasts.
    pub end: Option<Timestamp>,
}

impl Memory {
    /// The upgrade of this kind that was last seen.
    pub fn last(&self, kind: Kind) -> Option<&Seen> {
        self.upgrades.get(&kind)
    }
}

impl Seen {
    /// Whether this process saw the node in work during this upgrade.
    pub fn saw_upgrading(&self, node: &NodeKey) -> bool {
        self.worked.contains_key(node)
    }
}

/// The limits in force for one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// No progress for this long is stalled.
    pub stalled_after: Duration,
    /// Running for this long is overdue.
    pub overdue_after: Duration,
    /// How long an ended upgrade keeps its series.
    pub retain_ended: Duration,
}

/// One upgrade with everything that is derived from it, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct UpgradeView {
    /// The upgrade itself.
    pub upgrade: Upgrade,
    /// When it entered its state, as far as known.
    pub status_since: Timestamp,
    /// When it ended, once it has.
    pub ended: Option<Timestamp>,
    /// The last sign of progress.
    pub last_progress: Timestamp,
    /// Whether it counts as stalled.
    pub stalled: bool,
    /// Progress from 0 to 1; 1 only when succeeded. None when there is nothing to compute it from.
    pub ratio: Option<f64>,
    /// From the pace of its finished nodes; none when it cannot be told.
    pub estimated_end: Option<Timestamp>,
    /// Order of the current task.
    pub task_order: Option<u32>,
    /// Work on each node: in the order of `upgrade.nodes`, none when unknown or waiting.
    pub node_work: Vec<Option<Span>>,
}

/// A failed poll, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// The fixed word (contract, section 5).
    pub reason: &'static str,
    /// What happened, and what to do.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// All that is known of one cluster: immutable, replaced at each poll.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterState {
    /// Its identity.
    pub key: Key,
    /// `ncloud` or `huawei`.
    pub cloud: &'static str,
    /// The region in the config.
    pub cloud_region: Arc<str>,
    /// Its name, the config's or the vendor's.
    pub name: String,
    /// The version that it runs.
    pub version: String,
    /// The vendor's own word for its state.
    pub raw_status: String,
    /// Whether the last poll was good.
    pub up: bool,
    /// Whether any poll was ever good; before that nothing is known of its upgrades.
    pub answered: bool,
    /// When a poll was last good; before the first one, when the cluster was added.
    pub last_success: Timestamp,
    /// The last failure, if the last poll failed.
    pub last_error: Option<LastError>,
    /// The configured interval in force.
    pub poll_interval: Duration,
    /// The limits in force.
    pub thresholds: Thresholds,
    /// Its upgrades.
    pub upgrades: Vec<UpgradeView>,
}

impl ClusterState {
    /// The upgrades that are shown at `now`: without those that ended longer ago than
    /// `retain_ended`.
    pub fn shown(&self, now: Timestamp) -> impl Iterator<Item = &UpgradeView> {
        self.upgrades
            .iter()
            .filter(move |view| self.forgotten_at(view).is_none_or(|at| now < at))
    }

    /// When an upgrade becomes `none` again.
    pub fn forgotten_at(&self, view: &UpgradeView) -> Option<Timestamp> {
        view.ended
            .and_then(|at| at.checked_add(self.thresholds.retain_ended).ok())
    }
}
