//! Nodes and tasks of an upgrade: those that are listed, and numbers of those that are too many.

use super::{NodeReport, NodesLeftOut, PastUpgradeReport, TaskReport, UpgradeReport};
use crate::model::NodeStatus;

/// Nodes and tasks of an upgrade that runs or has ended.
#[derive(Debug, Clone, Copy)]
pub struct Steps<'a> {
    /// Nodes that are listed.
    pub nodes: &'a [NodeReport],
    /// Tasks that are listed, in order.
    pub tasks: &'a [TaskReport],
    /// Nodes that are too many to be listed, by state.
    pub nodes_left_out: NodesLeftOut,
    /// Number of tasks that are too many to be listed.
    pub tasks_left_out: u64,
}

impl Steps<'_> {
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

macro_rules! steps_of {
    ($($report:ty),+ $(,)?) => {$(
        impl<'a> From<&'a $report> for Steps<'a> {
            fn from(upgrade: &'a $report) -> Self {
                Self {
                    nodes: &upgrade.nodes,
                    tasks: &upgrade.tasks,
                    nodes_left_out: upgrade.nodes_left_out,
                    tasks_left_out: upgrade.tasks_left_out,
                }
            }
        }

        impl $report {
            /// Returns the number of nodes in this state, listed or not.
            pub fn nodes_in(&self, status: NodeStatus) -> u64 {
                Steps::from(self).nodes_in(status)
            }

            /// Returns the number of nodes, listed or not.
            pub fn all_nodes(&self) -> u64 {
                Steps::from(self).all_nodes()
            }

            /// Returns the number of tasks, listed or not.
            pub fn all_tasks(&self) -> u64 {
                Steps::from(self).all_tasks()
            }
        }
    )+};
}

steps_of!(UpgradeReport, PastUpgradeReport);

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
