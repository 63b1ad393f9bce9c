//! Details that a vendor tells for people: [`crate::model::Details`] in the report.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Word;
use crate::model::{AvailableVersion, Finding, FindingScope, Precheck, ZoneMove, finding_line};

/// Version to which the vendor offers to upgrade a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailableVersionReport {
    /// The version, as the vendor writes it.
    pub version: String,
    /// True when the vendor suggests it.
    pub recommended: bool,
}

/// Zones of an AZ migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneMoveReport {
    /// Type of the instances that move; null when not told.
    pub instance_type: Option<String>,
    /// Zones before.
    pub from: Vec<String>,
    /// Zones after.
    pub to: Vec<String>,
    /// Nodes of each zone after the move, as the vendor plans it.
    pub plan: Vec<ZonePlanReport>,
}

/// Nodes of one zone after a move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonePlanReport {
    /// Name of the zone.
    pub zone: String,
    /// Names of its nodes.
    pub nodes: Vec<String>,
}

/// Result of a check before an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrecheckReport {
    /// Time until which a passed check allows the upgrade; null when it did not pass or is not told.
    pub valid_until: Option<Timestamp>,
    /// Items that did not pass.
    pub findings: Vec<FindingReport>,
    /// Number of items that are too many to be listed.
    pub findings_left_out: u64,
}

/// Item of a check that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingReport {
    /// `cluster`, `addon` or `node`.
    pub scope: Word<FindingScope>,
    /// Name of the node or add-on; empty for the cluster, and where the vendor names none.
    pub target: String,
    /// Vendor's name of the item.
    pub item: String,
    /// Vendor's message; empty when there is none.
    pub message: String,
    /// Vendor's error codes.
    pub codes: Vec<String>,
}

impl FindingReport {
    /// Writes the item with its object, message and codes in one line, as [`Finding::line`] does.
    pub fn line(&self) -> String {
        finding_line(
            &self.item,
            self.scope.as_str(),
            &self.target,
            &self.message,
            &self.codes,
        )
    }
}

impl PrecheckReport {
    /// Returns the number of items that did not pass, listed or not.
    pub fn all_findings(&self) -> u64 {
        let listed = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        listed.saturating_add(self.findings_left_out)
    }
}

impl From<&AvailableVersion> for AvailableVersionReport {
    fn from(version: &AvailableVersion) -> Self {
        Self {
            version: version.version.clone(),
            recommended: version.is_recommended,
        }
    }
}

impl From<&ZoneMove> for ZoneMoveReport {
    fn from(zones: &ZoneMove) -> Self {
        let plan = zones.plan.iter().map(|plan| ZonePlanReport {
            zone: plan.zone.clone(),
            nodes: plan.nodes.clone(),
        });
        Self {
            instance_type: zones.instance_type.clone(),
            from: zones.from.clone(),
            to: zones.to.clone(),
            plan: plan.collect(),
        }
    }
}

impl From<&Precheck> for PrecheckReport {
    fn from(precheck: &Precheck) -> Self {
        Self {
            valid_until: precheck.valid_until,
            findings: precheck.findings.iter().map(Into::into).collect(),
            findings_left_out: precheck.findings_left_out,
        }
    }
}

impl From<&Finding> for FindingReport {
    fn from(finding: &Finding) -> Self {
        Self {
            scope: finding.scope.into(),
            target: finding.target.clone(),
            item: finding.item.clone(),
            message: finding.message.clone(),
            codes: finding.codes.clone(),
        }
    }
}
