//! SES's answers in the program's own words. Pure.

mod nodes;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::super::list::Listed;
use super::version;
use super::wire::{Progress, Version};
use crate::model::{
    Kind, NodeCounts, NodeStatus, Observation, Remark, Seen, Upgrade, UpgradeStatus,
};
use crate::text::{clean, non_empty};
use nodes::Nodes;

/// Input of the mapping besides the progress answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct MappingInput<'a> {
    /// The cluster in the list.
    pub(super) listed: &'a Listed,
    /// Versions that the service knows; empty when it did not tell.
    pub(super) versions: &'a [Version],
    /// The upgrade that earlier polls saw last.
    pub(super) seen: Option<&'a Seen>,
    /// Zone of the dates.
    pub(super) zone: Offset,
}

/// Maps a cluster of which no upgrade is known.
pub(super) fn idle(listed: &Listed, versions: &[Version]) -> Observation {
    Observation {
        name: listed.name.clone(),
        version: listed.version.clone(),
        version_name: version::name_of_listed(&listed.version, versions),
        raw_status: clean(&listed.status),
        changing: listed.is("changing"),
        upgrades: Vec::new(),
        unknown_words: Vec::new(),
        refused: None,
        ..Observation::default()
    }
}

/// Maps a progress answer, and notes what is odd about it. An empty answer tells of no upgrade.
pub(super) fn observation(progress: &Progress, input: &MappingInput<'_>) -> Observation {
    let mut observation = idle(input.listed, input.versions);
    if observation.name.is_empty() {
        observation.name.clone_from(&progress.name);
    }
    let Some(requested) = progress.version_vo.action_date.at(input.zone) else {
        return observation;
    };
    let target = &progress.version_vo.target_version_code;
    let facts = nodes::Upgrade {
        requested,
        zone: input.zone,
        at_target: version::runs(&input.listed.version, target, input.versions),
        seen: input
            .seen
            .filter(|seen| seen.last.requested == Some(requested)),
    };
    let Nodes {
        all: nodes,
        unknown_words,
        mut remarks,
    } = facts.nodes(&progress.node_status_vo_list);
    let count = progress.node_count.and_then(|all| u64::try_from(all).ok());
    let count = count.unwrap_or(nodes.counts().total());
    if count != nodes.counts().total() {
        remarks.add(|| Remark::Note("nodeCount is not the number of nodes listed".to_owned()));
    }
    let is_incomplete = count > nodes.counts().total();
    let status = match status(nodes.counts(), &facts, input.listed) {
        UpgradeStatus::Succeeded if is_incomplete => UpgradeStatus::Unknown,
        status => status,
    };
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.from_version = non_empty(&progress.version_vo.current_version_code);
    upgrade.to_version = non_empty(target);
    let name = |code: &Option<String>| version::name_of_code(code.as_deref()?, input.versions);
    upgrade.details.from_version_name = name(&upgrade.from_version);
    upgrade.details.to_version_name = name(&upgrade.to_version);
    upgrade.requested = Some(requested);
    upgrade.set_nodes(nodes);
    if upgrade.is_ended() {
        upgrade.ended = ended(&upgrade, &facts);
    }
    observation.upgrades.push(upgrade);
    (observation.unknown_words, observation.remarks) = (unknown_words, remarks);
    observation
}

/// Returns when the upgrade ended: the latest time of a node, as it was when the end was first seen,
/// since a node can be restarted later.
fn ended(upgrade: &Upgrade, facts: &nodes::Upgrade<'_>) -> Option<Timestamp> {
    facts
        .seen
        .filter(|seen| seen.last.status == upgrade.status && seen.last.is_ended())
        .and_then(|seen| seen.last.ended)
        .or_else(|| {
            let times = upgrade.nodes.iter().filter_map(|node| node.updated);
            let times = times.chain(upgrade.left_out.latest);
            times.filter(|at| *at >= facts.requested).max()
        })
}

/// Derives the upgrade's state from its nodes', or from the cluster's own where the answer names no
/// node: it was just requested, or is long over.
fn status(nodes: NodeCounts, facts: &nodes::Upgrade<'_>, listed: &Listed) -> UpgradeStatus {
    let any = |status| nodes.of(status) > 0;
    let all = |status| nodes.of(status) == nodes.total();
    if nodes.total() == 0 {
        if facts.at_target {
            UpgradeStatus::Succeeded
        } else if listed.is("changing") {
            UpgradeStatus::Pending
        } else {
            UpgradeStatus::Unknown
        }
    } else if any(NodeStatus::Upgrading) {
        UpgradeStatus::Running
    } else if any(NodeStatus::Failed) {
        UpgradeStatus::Failed
    } else if all(NodeStatus::Succeeded) {
        UpgradeStatus::Succeeded
    } else if all(NodeStatus::Waiting) {
        UpgradeStatus::Pending
    } else if any(NodeStatus::Succeeded) && any(NodeStatus::Waiting) {
        UpgradeStatus::Running
    } else {
        UpgradeStatus::Unknown
    }
}

#[cfg(test)]
mod tests;
