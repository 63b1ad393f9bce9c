//! Nodes and tasks that are too many to be listed: counted.

use serde::{Deserialize, Serialize};

use super::UpgradeReport;
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

    fn of(&self, status: NodeStatus) -> u64 {
        match status {
            NodeStatus::Waiting => self.waiting,
            NodeStatus::Upgrading => self.upgrading,
            NodeStatus::Succeeded => self.succeeded,
            NodeStatus::Failed => self.failed,
            NodeStatus::Unknown => self.unknown,
        }
    }
}

impl UpgradeReport {
    /// Returns the number of nodes in this state, listed or not.
    pub fn nodes_in(&self, status: NodeStatus) -> u64 {
        let listed = self.nodes.iter().filter(|node| node.status == status);
        count(listed.count()).saturating_add(self.nodes_left_out.of(status))
    }

    /// Returns the number of nodes, listed or not.
    pub fn all_nodes(&self) -> u64 {
        count(self.nodes.len()).saturating_add(self.nodes_left_out.total())
    }

    /// Returns the number of tasks, listed or not.
    pub fn all_tasks(&self) -> u64 {
        count(self.tasks.len()).saturating_add(self.tasks_left_out)
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
