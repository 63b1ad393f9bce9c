//! Nodes and tasks that are too many to be listed: counted.

use serde::{Deserialize, Serialize};

use crate::model::NodeStatus;

/// Nodes that are too many to be listed, by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodesLeftOut {
    /// Those in the state `waiting`.
    pub waiting: u64,
    /// Those in the state `upgrading`.
    pub upgrading: u64,
    /// Those in the state `succeeded`.
    pub succeeded: u64,
    /// Those in the state `failed`.
    pub failed: u64,
    /// Those in the state `unknown`.
    pub unknown: u64,
}

impl NodesLeftOut {
    /// Returns the number in any state.
    pub fn total(&self) -> u64 {
        let parts = [
            self.waiting,
            self.upgrading,
            self.succeeded,
            self.failed,
            self.unknown,
        ];
        parts.into_iter().fold(0, u64::saturating_add)
    }

    /// Counts a node in this state; `None` is one that only a newer exporter knows.
    pub(crate) fn add(&mut self, status: Option<NodeStatus>) {
        let count = match status.unwrap_or(NodeStatus::Unknown) {
            NodeStatus::Waiting => &mut self.waiting,
            NodeStatus::Upgrading => &mut self.upgrading,
            NodeStatus::Succeeded => &mut self.succeeded,
            NodeStatus::Failed => &mut self.failed,
            NodeStatus::Unknown => &mut self.unknown,
        };
        *count = count.saturating_add(1);
    }

    /// Returns the number in this state.
    pub(super) fn of(&self, status: NodeStatus) -> u64 {
        match status {
            NodeStatus::Waiting => self.waiting,
            NodeStatus::Upgrading => self.upgrading,
            NodeStatus::Succeeded => self.succeeded,
            NodeStatus::Failed => self.failed,
            NodeStatus::Unknown => self.unknown,
        }
    }
}
