//! In which order people should look.

use super::{ClusterReport, UpgradeReport};
use crate::model::{NodeStatus, UpgradeStatus};

/// Why to look at a cluster, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attention {
    /// It failed, wholly or partly, or a node of it did.
    Failed,
    /// Nothing moved for too long.
    Stalled,
    /// The cloud does not answer.
    Silent,
    /// In work, or about to be, or waiting for a person, or in a state that is not known.
    Running,
    /// It ended well, or was called off, not long ago.
    Ended,
    /// No upgrade.
    Idle,
}

impl Attention {
    /// Every one, the most urgent first.
    pub const ALL: [Self; 6] = [
        Self::Failed,
        Self::Stalled,
        Self::Silent,
        Self::Running,
        Self::Ended,
        Self::Idle,
    ];

    /// The word, for filters and scripts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Stalled => "stalled",
            Self::Silent => "silent",
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Idle => "idle",
        }
    }

    /// Returns why to look at a cluster with this one of its upgrades. A state that only a newer version
    /// knows counts as unknown.
    pub fn of(cluster: &ClusterReport, upgrade: Option<&UpgradeReport>) -> Self {
        let Some(upgrade) = upgrade else {
            return if cluster.up { Self::Idle } else { Self::Silent };
        };
        let has_failed_node = upgrade.nodes_in(NodeStatus::Failed) > 0;
        match upgrade.status.known().unwrap_or(UpgradeStatus::Unknown) {
            UpgradeStatus::Failed | UpgradeStatus::PartiallyFailed => Self::Failed,
            status if status.is_active() && has_failed_node => Self::Failed,
            _ if upgrade.stalled => Self::Stalled,
            _ if !cluster.up => Self::Silent,
            UpgradeStatus::Succeeded | UpgradeStatus::Cancelled => Self::Ended,
            _ => Self::Running,
        }
    }
}
