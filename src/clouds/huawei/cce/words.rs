//! Words of CCE's documents for states and phases, in any case.

use crate::model::{TaskStatus, UpgradeStatus};
use crate::text::clean;

/// State of a workflow's point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PointState {
    /// Not begun; a point may also come without a word.
    Init,
    /// Next in the queue.
    Queuing,
    /// In work.
    Running,
    /// Ended well.
    Success,
    /// Ended badly.
    Failed,
    /// Not in the documents.
    Unknown,
}

/// Phase of a cluster, as far as it tells of upgrades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClusterPhase {
    /// The cluster is being upgraded.
    Upgrading,
    /// An upgrade is being taken back.
    RollingBack,
    /// An upgrade could not be taken back.
    RollbackFailed,
    /// The phase tells nothing of upgrades.
    Other,
}

/// Phase of a node in the node list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodePhase {
    /// In work.
    Upgrading,
    /// Works: done, or yet to come.
    Active,
    /// Broken.
    Broken,
    /// Changes for another reason than the upgrade.
    Changing,
}

/// Cluster phases of the documents that tell nothing of upgrades.
const OTHER_CLUSTER_PHASES: &[&str] = &[
    "Available",
    "Unavailable",
    "ScalingUp",
    "ScalingDown",
    "Creating",
    "Deleting",
    "Resizing",
    "Hibernating",
    "Hibernation",
    "Awaking",
    "Empty",
    "Error",
];

/// Returns whether a word of an answer is this word of the documents.
pub(super) fn is(word: &str, documented: &str) -> bool {
    word.trim().eq_ignore_ascii_case(documented)
}

fn find<T: Copy>(word: &str, documented: &[(&str, T)]) -> Option<T> {
    let mut words = documented.iter();
    words.find(|(name, _)| is(word, name)).map(|(_, of)| *of)
}

/// Returns the state of a workflow in this phase. `Pending` does not mean that it waits: a task has
/// failed.
pub(super) fn workflow_status(phase: &str) -> Option<UpgradeStatus> {
    find(
        phase,
        &[
            ("Init", UpgradeStatus::Pending),
            ("Running", UpgradeStatus::Running),
            ("Pending", UpgradeStatus::Failed),
            ("Success", UpgradeStatus::Succeeded),
            ("Cancel", UpgradeStatus::Cancelled),
        ],
    )
}

/// Returns the state of an upgrade task in this phase.
pub(super) fn task_status(phase: &str) -> Option<UpgradeStatus> {
    find(
        phase,
        &[
            ("Init", UpgradeStatus::Pending),
            ("Queuing", UpgradeStatus::Pending),
            ("Running", UpgradeStatus::Running),
            ("Pause", UpgradeStatus::Paused),
            ("Success", UpgradeStatus::Succeeded),
            ("Failed", UpgradeStatus::Failed),
        ],
    )
}

/// Returns whether a task or `upgradeinfo` in this phase tells that something goes on. `Init` does
/// not: a cluster that was never upgraded may say so.
pub(super) fn is_under_way(phase: &str) -> bool {
    !["", "Init", "Success", "Failed"]
        .iter()
        .any(|word| is(phase, word))
}

/// Returns whether nothing will change any more in a task of this phase.
pub(super) fn is_over(phase: &str) -> bool {
    is(phase, "Success") || is(phase, "Failed")
}

/// Returns the state of a point with this status.
pub(super) fn point_state(status: &str) -> PointState {
    let state = find(
        status,
        &[
            ("", PointState::Init),
            ("Init", PointState::Init),
            ("Queuing", PointState::Queuing),
            ("Running", PointState::Running),
            ("Success", PointState::Success),
            ("Failed", PointState::Failed),
        ],
    );
    state.unwrap_or(PointState::Unknown)
}

impl PointState {
    /// Returns the state of the task that the point is.
    pub(super) const fn task(self) -> TaskStatus {
        match self {
            Self::Init | Self::Queuing => TaskStatus::Waiting,
            Self::Running => TaskStatus::Running,
            Self::Success => TaskStatus::Succeeded,
            Self::Failed => TaskStatus::Failed,
            Self::Unknown => TaskStatus::Unknown,
        }
    }
}

/// Returns what a cluster's phase tells; `None` for one that is not in the documents.
pub(super) fn cluster_phase(phase: &str) -> Option<ClusterPhase> {
    let telling = find(
        phase,
        &[
            ("Upgrading", ClusterPhase::Upgrading),
            ("RollingBack", ClusterPhase::RollingBack),
            ("RollbackFailed", ClusterPhase::RollbackFailed),
            ("", ClusterPhase::Other),
        ],
    );
    telling.or_else(|| {
        let mut others = OTHER_CLUSTER_PHASES.iter();
        others
            .any(|other| is(phase, other))
            .then_some(ClusterPhase::Other)
    })
}

impl ClusterPhase {
    /// Returns whether the cluster itself is being upgraded or taken back.
    pub(super) const fn is_changing(self) -> bool {
        matches!(self, Self::Upgrading | Self::RollingBack)
    }
}

/// Returns what a node's phase tells; `None` for one that is not in the documents.
pub(super) fn node_phase(phase: &str) -> Option<NodePhase> {
    find(
        phase,
        &[
            ("Upgrading", NodePhase::Upgrading),
            ("Active", NodePhase::Active),
            ("Error", NodePhase::Broken),
            ("Abnormal", NodePhase::Broken),
            ("RepairFailed", NodePhase::Broken),
            ("Build", NodePhase::Changing),
            ("Installing", NodePhase::Changing),
            ("Deleting", NodePhase::Changing),
            ("Repairing", NodePhase::Changing),
        ],
    )
}

/// Returns a word as the log tells it, where an empty one would not be seen.
pub(super) fn shown(word: &str) -> String {
    if word.is_empty() {
        "(empty)".to_owned()
    } else {
        clean(word)
    }
}
