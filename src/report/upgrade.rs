//! Facts that follow from an upgrade of the report.

use jiff::Timestamp;

use super::UpgradeReport;
use crate::model::{NodeStatus, UpgradeStatus};

impl UpgradeReport {
    /// Returns the start when it is not the request.
    pub fn started_later(&self) -> Option<Timestamp> {
        self.started.filter(|at| Some(*at) != self.requested)
    }

    /// Returns whether the upgrade is over: nothing of it moves any more.
    pub fn is_over(&self) -> bool {
        let is_final = self.status.known().is_some_and(UpgradeStatus::is_final);
        self.ended.is_some() || is_final && self.nodes_in(NodeStatus::Upgrading) == 0
    }

    /// Returns whether the upgrade failed, wholly or partly.
    pub fn has_failed(&self) -> bool {
        let status = self.status.known();
        matches!(
            status,
            Some(UpgradeStatus::Failed | UpgradeStatus::PartiallyFailed)
        )
    }

    /// Returns whether a node failed while the upgrade goes on.
    pub fn has_failed_node(&self) -> bool {
        !self.is_over() && self.nodes_in(NodeStatus::Failed) > 0
    }
}
