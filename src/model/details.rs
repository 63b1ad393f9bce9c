//! Details that a vendor tells of an upgrade or a cluster for people. They decide nothing: no state,
//! no progress and no alert depends on them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bounds::{MAX_NODES, label, message};

/// Details of an upgrade.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Name of the version before, where [`from_version`](super::Upgrade::from_version) is a code.
    pub from_version_name: Option<String>,
    /// Name of the version after, where [`to_version`](super::Upgrade::to_version) is a code.
    pub to_version_name: Option<String>,
    /// Zones of an AZ migration.
    pub zone_move: Option<ZoneMove>,
    /// Agency in whose name the vendor calls its other services.
    pub agency: Option<String>,
    /// Check before the upgrade; `None` when the vendor tells of none.
    pub precheck: Option<Precheck>,
    /// True when the vendor would cancel the workflow now (every critical line has been run, and no
    /// point is in work); `None` when the vendor does not say, and once the workflow succeeded or was
    /// cancelled.
    pub is_cancellable: Option<bool>,
}

/// Zones of an AZ migration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneMove {
    /// Type of the instances that move (`ess`, `ess-master`, `all`, …); `None` when not told.
    pub instance_type: Option<String>,
    /// Zones before.
    pub from: Vec<String>,
    /// Zones after.
    pub to: Vec<String>,
    /// Nodes of each zone after the move, as the vendor plans it.
    pub plan: Vec<ZonePlan>,
}

/// Nodes of one zone after a move.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonePlan {
    /// Name of the zone.
    pub zone: String,
    /// Names of its nodes.
    pub nodes: Vec<String>,
}

/// Result of a check before an upgrade.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precheck {
    /// Time until which a passed check allows the upgrade; `None` when it did not pass or is not told,
    /// and once the upgrade ended well or was cancelled.
    pub valid_until: Option<Timestamp>,
    /// Items that did not pass, at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// Number of items beyond the bound.
    pub findings_left_out: u64,
}

/// Most items of a check that are kept.
pub const MAX_FINDINGS: usize = 100;

/// Most zones of a move that are kept. All of its plan's zones together keep at most [`MAX_NODES`] names.
pub const MAX_ZONES: usize = 100;

/// Most error codes of a finding.
const MAX_CODES: usize = 10;

/// Item of a check that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Object that was checked.
    pub scope: FindingScope,
    /// Name of the node or add-on; empty for the cluster, and where the vendor names none.
    pub target: String,
    /// Vendor's name of the item.
    pub item: String,
    /// Vendor's message; empty when there is none.
    pub message: String,
    /// Vendor's error codes.
    pub codes: Vec<String>,
}

/// Object of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingScope {
    /// The cluster as a whole.
    Cluster,
    /// An add-on.
    Addon,
    /// A node.
    Node,
}

impl FindingScope {
    /// Every object.
    pub const ALL: &'static [Self] = &[Self::Cluster, Self::Addon, Self::Node];

    /// Returns the word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Addon => "addon",
            Self::Node => "node",
        }
    }
}

super::words::serde_words!(FindingScope);

/// Version to which the vendor offers to upgrade a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AvailableVersion {
    /// The version, as the vendor writes it.
    pub version: String,
    /// True when the vendor suggests it.
    pub is_recommended: bool,
}

impl Finding {
    /// Writes the item with its object, message and codes in one line.
    pub fn line(&self) -> String {
        let scope = self.scope.as_str();
        finding_line(&self.item, scope, &self.target, &self.message, &self.codes)
    }
}

/// Writes an item of a check with its object, message and codes in one line. The object's word is not
/// written for the cluster as a whole, nor where there is none.
pub(crate) fn finding_line(
    item: &str,
    scope: &str,
    target: &str,
    message: &str,
    codes: &[String],
) -> String {
    let mut line = item.to_owned();
    let is_whole = scope.is_empty() || scope == FindingScope::Cluster.as_str();
    match (scope, target) {
        (_, "") if is_whole => {}
        (scope, "") => line = format!("{line} ({scope})"),
        (scope, target) => line = format!("{line} ({scope} {target})"),
    }
    if !message.is_empty() {
        line = format!("{line}: {message}");
    }
    if !codes.is_empty() {
        line = format!("{line} [{}]", codes.join(", "));
    }
    line
}

impl Details {
    /// Brings texts and lists within the bounds of the model.
    pub(super) fn bound(&mut self) {
        for text in [
            &mut self.from_version_name,
            &mut self.to_version_name,
            &mut self.agency,
        ] {
            *text = text.as_deref().map(label);
        }
        if let Some(zones) = &mut self.zone_move {
            zones.bound();
        }
        if let Some(precheck) = &mut self.precheck {
            precheck.bound();
        }
    }
}

impl ZoneMove {
    fn bound(&mut self) {
        self.instance_type = self.instance_type.as_deref().map(label);
        self.plan.truncate(MAX_ZONES);
        for zones in [&mut self.from, &mut self.to] {
            zones.truncate(MAX_ZONES);
            cut(zones);
        }
        let mut left = MAX_NODES;
        for plan in &mut self.plan {
            plan.zone = label(&plan.zone);
            plan.nodes.truncate(left);
            left -= plan.nodes.len();
            cut(&mut plan.nodes);
        }
    }
}

impl Precheck {
    fn bound(&mut self) {
        let excess = self.findings.len().saturating_sub(MAX_FINDINGS);
        self.findings.truncate(MAX_FINDINGS);
        let excess = u64::try_from(excess).unwrap_or(u64::MAX);
        self.findings_left_out = self.findings_left_out.saturating_add(excess);
        for finding in &mut self.findings {
            finding.target = label(&finding.target);
            finding.item = label(&finding.item);
            finding.message = message(&finding.message);
            finding.codes.truncate(MAX_CODES);
            cut(&mut finding.codes);
        }
    }
}

fn cut(texts: &mut [String]) {
    for text in texts {
        *text = label(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_lists_and_texts() {
        let finding = Finding {
            scope: FindingScope::Addon,
            target: "x".repeat(2_000),
            item: "y".repeat(2_000),
            message: "z".repeat(2_000),
            codes: vec!["c".repeat(2_000); 50],
        };
        let mut details = Details {
            precheck: Some(Precheck {
                findings: vec![finding; MAX_FINDINGS + 3],
                ..Precheck::default()
            }),
            zone_move: Some(ZoneMove {
                from: vec!["a".repeat(2_000); 200],
                plan: vec![
                    ZonePlan {
                        zone: "z".into(),
                        nodes: vec!["n".into(); 300],
                    };
                    200
                ],
                ..ZoneMove::default()
            }),
            ..Details::default()
        };
        details.bound();
        let precheck = details.precheck.unwrap();
        assert_eq!(precheck.findings.len(), MAX_FINDINGS);
        assert_eq!(precheck.findings_left_out, 3);
        let first = &precheck.findings[0];
        assert_eq!(first.message.chars().count(), 1_024);
        assert_eq!(
            (first.item.chars().count(), first.codes.len()),
            (256, MAX_CODES)
        );
        let zones = details.zone_move.unwrap();
        let from = &zones.from;
        assert_eq!((from.len(), from[0].chars().count()), (MAX_ZONES, 256));
        let nodes: usize = zones.plan.iter().map(|plan| plan.nodes.len()).sum();
        assert_eq!((zones.plan.len(), nodes), (MAX_ZONES, MAX_NODES));
    }

    #[test]
    fn a_finding_is_one_line() {
        let mut finding = Finding {
            scope: FindingScope::Addon,
            target: "coredns".into(),
            item: "addon-check".into(),
            message: "too old".into(),
            codes: vec!["CCE.01".into(), "CCE.02".into()],
        };
        assert_eq!(
            finding.line(),
            "addon-check (addon coredns): too old [CCE.01, CCE.02]"
        );
        (finding.target, finding.message) = (String::new(), String::new());
        finding.codes.clear();
        assert_eq!(finding.line(), "addon-check (addon)");
        finding.scope = FindingScope::Cluster;
        assert_eq!(finding.line(), "addon-check");
    }
}
