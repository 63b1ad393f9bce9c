//! What is known of a cluster and of its upgrade, in one vocabulary for every cloud.
//!
//! No IO: the providers map a vendor's answer into these types, [`track`] adds what
//! only a sequence of answers can tell, and everything after reads the result.

pub mod bounds;
mod degraded;
mod details;
mod keys;
mod nodes;
pub mod past;
pub mod progress;
mod reason;
mod remarks;
mod secondary;
mod seen;
mod state;
mod step;
pub mod track;
mod view;
mod words;
mod worked;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use degraded::{FailingCall, FailingCalls};
pub(crate) use details::finding_line;
pub use details::{
    AvailableVersion, Details, Finding, FindingScope, MAX_FINDINGS, MAX_ZONES, Precheck, ZoneMove,
    ZonePlan,
};
pub use keys::Keys;
pub use nodes::{LeftOut, NodeCollector, NodeCounts};
pub use past::{PastCluster, PastKey, PastUpgrade};
pub use reason::Reason;
pub use remarks::{Remark, Remarks};
pub use secondary::{CallMemory, CallNames, Degraded, SecondaryCall, SecondaryFailure};
pub use seen::{Seen, Span};
pub use state::{Kind, NodeStatus, TaskStatus, UpgradeStatus};
pub use step::shifted;
pub use view::{ClusterState, DiscoveryKey, DiscoveryState, LastError, Thresholds, UpgradeView};

/// What names a cluster across accounts and products.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The account's name in the config.
    pub account: Arc<str>,
    /// The product's name.
    pub product: &'static str,
    /// The vendor's id of the cluster.
    pub id: Arc<str>,
}

/// A node by name and role; one name can stand for a broker and a `ZooKeeper` node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeKey {
    /// Host name.
    pub name: String,
    /// Role, in lower case; empty when nobody says.
    pub role: String,
}

impl NodeKey {
    /// Builds a key from label values, which are cut to the length of one.
    pub fn new(name: &str, role: &str) -> Self {
        Self {
            name: bounds::name(name),
            role: bounds::label(role),
        }
    }
}

/// One node within an upgrade, as one answer tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
            key: NodeKey::new(name, role),
            status,
            raw_status: bounds::label(raw_status),
            updated: None,
            started: None,
            ended: None,
            task_order: None,
            share_done: 0.0,
        }
    }
}

/// One task: a step of the node in work, or a point of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// As the vendor numbers it, or its place from 1 where the vendor gives no number.
    pub order: u32,
    /// The vendor's name of it.
    pub name: String,
    /// Its state.
    pub status: TaskStatus,
    /// When it began.
    pub start: Option<Timestamp>,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// Vendor's description for people; a change of it is no progress.
    pub description: Option<String>,
}

impl Task {
    /// Returns whether two answers tell one state and one set of times; descriptions do not count.
    pub fn is_at_same_point(&self, other: &Self) -> bool {
        (self.status, self.start, self.end) == (other.status, other.start, other.end)
    }
}

/// One upgrade, as one answer (with what earlier answers told) describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Executions as the vendor counts them; `None` where it does not.
    pub executions: Option<u64>,
    /// The vendor's own progress from 0 to 1, where nodes do not tell it.
    pub ratio: Option<f64>,
    /// Progress that a secondary call tells, from 0 to 1. A change of it
    /// is progress of the upgrade.
    pub own_progress: Option<f64>,
    /// Nothing runs and nothing is queued: a person has to act. Never stalled.
    pub waits_for_person: bool,
    /// Tasks are steps of the whole upgrade, which starts with the first of them.
    pub starts_with_a_task: bool,
    /// Meaning of the first sight of the upgrade for its silence.
    pub first_sight: FirstSight,
    /// Parts that this answer does not tell.
    pub untold: Untold,
    /// A failing secondary call could have shown progress: silence proves nothing, and the upgrade is
    /// not stalled.
    pub is_stall_suspended: bool,
    /// Begin of the upgrade, where only an earlier poll tells waiting nodes from finished ones.
    pub begin: Begin,
    /// Details for people.
    pub details: Details,
    /// Nodes, each name and role once; at most [`bounds::MAX_NODES`].
    pub nodes: Vec<Node>,
    /// Tasks, in order; at most [`bounds::MAX_TASKS`].
    pub tasks: Vec<Task>,
    /// Nodes and tasks beyond the bounds.
    pub left_out: LeftOut,
}

/// Begin of an upgrade, as polls of the cluster saw it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Begin {
    /// The first good poll of the cluster found the upgrade under way.
    #[default]
    Unseen,
    /// A good poll of the cluster came before.
    Seen,
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
            own_progress: None,
            waits_for_person: false,
            starts_with_a_task: false,
            first_sight: FirstSight::Nothing,
            untold: Untold::default(),
            is_stall_suspended: false,
            begin: Begin::default(),
            details: Details::default(),
            nodes: Vec::new(),
            tasks: Vec::new(),
            left_out: LeftOut::default(),
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
        self.status.is_final() && self.node_counts().of(NodeStatus::Upgrading) == 0
    }

    /// Returns the number of nodes in each state, those left out included.
    pub fn node_counts(&self) -> NodeCounts {
        self.nodes.iter().collect::<NodeCounts>() + self.left_out.nodes
    }

    /// Takes the nodes that were collected in the place of those before.
    pub fn set_nodes(&mut self, nodes: NodeCollector) {
        let tasks = self.left_out.tasks;
        (self.nodes, self.left_out) = nodes.finish();
        self.left_out.tasks = tasks;
    }

    /// Executions beyond the first, never below 0.
    pub fn retries(&self) -> Option<u64> {
        self.executions.map(|n| n.saturating_sub(1))
    }
}

/// Parts of an upgrade that an answer does not tell because a secondary call failed. What stands
/// there is of an earlier answer, or absent, and no difference from the last good answer is progress.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each part is told or not on its own"
)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untold {
    /// The upgrade as a whole.
    pub all: bool,
    /// The state: another sign stands for it.
    pub status: bool,
    /// Nodes.
    pub nodes: bool,
    /// [`Upgrade::own_progress`], and whether it is paused.
    pub progress: bool,
}

impl Untold {
    /// Returns whether any part is untold.
    pub fn any(self) -> bool {
        self.all || self.status || self.nodes || self.progress
    }
}

/// Meaning of the first sight of an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstSight {
    /// No change was seen: the vendor's times tell the silence.
    Nothing,
    /// The silence begins: work is under way whose times the vendor does not tell.
    Progress,
}

/// What one good poll of a cluster tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// The cluster's name at the vendor.
    pub name: String,
    /// The version that it runs, as the vendor writes it; empty when not told.
    pub version: String,
    /// Name of that version, where it is a code; `None` when not known.
    pub version_name: Option<String>,
    /// The vendor's own word for the cluster's state; empty when not told.
    pub raw_status: String,
    /// Meaning of [`raw_status`](Self::raw_status) in words, where it is a code; `None` where the word speaks for itself or is not known.
    pub status_meaning: Option<&'static str>,
    /// Versions to which the vendor offers to upgrade the cluster; `None` when this poll did not ask
    /// (what was told before stays).
    pub available: Option<Vec<AvailableVersion>>,
    /// The cluster itself says that it is changing or upgrading.
    pub changing: bool,
    /// The upgrades known, at most one of each kind.
    pub upgrades: Vec<Upgrade>,
    /// Kinds of the upgrades that the answer did not show: each stands in `upgrades` for one poll more,
    /// since one short answer must not take a failure back.
    pub unconfirmed: BTreeSet<Kind>,
    /// Words that the mapping does not know, one entry an occurrence.
    pub unknown_words: Vec<String>,
    /// Oddities of the answers that change nothing.
    pub remarks: Remarks,
    /// Refusal to tell progress of a cluster that is well by the list and has no known upgrade. The
    /// poll is good, and counted as `refused` (docs/ARCHITECTURE.md, States).
    pub refused: Option<String>,
    /// Outcomes of the secondary calls that the poll needed.
    pub secondary: Vec<SecondaryCall>,
    /// The next poll follows after the active interval, whatever the cluster does.
    pub ask_again_soon: bool,
    /// Notes for the next poll, in the product's own text form; `None` when there are none.
    pub notes: Option<Arc<str>>,
}

/// Memory of a worker between the polls of a cluster. A poll that finds nothing new leaves a copy that shares its
/// upgrades, calls and notes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// Time of the cluster's last good poll; `None` before the first.
    pub last_success: Option<Timestamp>,
    /// By kind, the upgrade last seen.
    pub upgrades: BTreeMap<Kind, Arc<Seen>>,
    /// [`Observation::unconfirmed`] of the last good poll.
    pub unconfirmed: BTreeSet<Kind>,
    /// Secondary calls by the vendor's name.
    pub calls: Arc<BTreeMap<&'static str, CallMemory>>,
    /// By the vendor's name of a primary call, polls in a row that were told that it is not published.
    pub unpublished: BTreeMap<&'static str, u32>,
    /// Complete discoveries since the cluster is watched.
    pub discoveries: u64,
    /// Notes of the product about earlier polls, in its own text form.
    pub notes: Option<Arc<str>>,
}

impl Memory {
    /// The upgrade of this kind that was last seen.
    pub fn last(&self, kind: Kind) -> Option<&Seen> {
        self.upgrades.get(&kind).map(|seen| &**seen)
    }

    /// Returns the upgrade of this kind for a poll whose answer does not show it, and notes it as
    /// unconfirmed; `None` when the poll before did not show it either.
    pub fn once_more(&self, kind: Kind, unconfirmed: &mut BTreeSet<Kind>) -> Option<&Seen> {
        let seen = self.last(kind)?;
        let is_first = !seen.forgotten && !self.unconfirmed.contains(&kind);
        (is_first && unconfirmed.insert(kind)).then_some(seen)
    }
}
