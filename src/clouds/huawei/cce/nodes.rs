//! The nodes of a CCE upgrade: the node list's phases, read in the light of how far the upgrade is
//! and of what was seen before, and the nodes that the precheck refused.
//!
//! CCE tells no Kubernetes version of a node: an `Active` one is done or has yet to come, and only
//! having seen it `Upgrading` tells which.

use std::collections::HashSet;
use std::iter;
use std::ops::Add;

use super::map::{Current, Stage};
use super::wire::{Node as WireNode, NodeInfo};
use super::words::{NodePhase, node_phase, shown};
use crate::model::{
    Kind, LeftOut, Memory, Node, NodeCollector, NodeCounts, NodeKey, NodeStatus, Upgrade,
    UpgradeStatus,
};
use crate::text::clean;

/// The role of every node of the list: masters are not in it.
const ROLE: &str = "node";

/// The nodes, each name and role once.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    pub(super) all: NodeCollector,
    /// Nodes that an earlier poll left out of the list that is kept.
    pub(super) left_out: LeftOut,
    /// First name that the answer held more than once.
    pub(super) twice: Option<String>,
}

/// The node list of a cluster.
#[derive(Debug, Default)]
pub(super) struct NodeList {
    pub(super) nodes: Vec<WireNode>,
    /// It is of an earlier poll.
    pub(super) is_kept: bool,
    /// Nodes beyond the bound, where it is of an earlier poll.
    left_out: LeftOut,
}

/// The nodes of an upgrade that ended and whose last nodes are known, so that they need not be asked
/// for again. A failed one is asked for each time, and so is one that left a node failed or unknown:
/// such nodes may go on or be repaired.
pub(super) fn remembered<'a>(upgrade: &Upgrade, memory: &'a Memory) -> Option<&'a Upgrade> {
    let last = &memory.last(Kind::Version)?.last;
    let settled = matches!(
        upgrade.status,
        UpgradeStatus::Succeeded | UpgradeStatus::Cancelled
    );
    (settled
        && last.status == upgrade.status
        && last.is_same(upgrade)
        && last.is_ended()
        && !last.nodes.is_empty()
        && is_settled(&last.node_counts()))
    .then_some(last)
}

fn is_settled(nodes: &NodeCounts) -> bool {
    let settled = nodes.of(NodeStatus::Succeeded) + nodes.of(NodeStatus::Waiting);
    settled == nodes.total()
}

/// Returns the nodes of the current upgrade, from the node list and those that a precheck refused.
pub(super) fn nodes(
    list: &NodeList,
    refused: &[NodeInfo],
    current: &Current,
    memory: &Memory,
    words: &mut Vec<String>,
) -> Nodes {
    let refused_nodes = Named::of(refused.iter().map(|info| (&*info.name, &*info.uid)));
    let listed_nodes = Named::of(list.nodes.iter().map(id_of));
    let mut out = Nodes {
        left_out: left_out(list, current),
        ..Nodes::default()
    };
    for wire in &list.nodes {
        let (name, phase) = (name(&wire.metadata.name, &wire.metadata.uid), &wire.status);
        let status = match status(name, &phase.phase, current, memory, words) {
            _ if refused_nodes.has(id_of(wire)) => NodeStatus::Failed,
            status if list.is_kept => status_since(status, current),
            status => status,
        };
        out.add(Node::new(name, ROLE, status, &clean(&phase.phase)));
    }
    for info in refused {
        if !listed_nodes.has((&info.name, &info.uid)) {
            let (name, role) = (name(&info.name, &info.uid), info.node_type.to_lowercase());
            out.add(Node::new(name, &role, NodeStatus::Failed, &info.status));
        }
    }
    out
}

/// Returns the state of a node of which an earlier poll told `status`.
fn status_since(status: NodeStatus, current: &Current) -> NodeStatus {
    let is_final = current.upgrade.status.is_final();
    match (current.stage, status) {
        (Stage::Before, _) => NodeStatus::Waiting,
        (Stage::After, NodeStatus::Waiting) => NodeStatus::Succeeded,
        // The upgrade ended since, and nothing is in work any more.
        (Stage::After, NodeStatus::Upgrading) if is_final => NodeStatus::Succeeded,
        (Stage::At, NodeStatus::Upgrading) if is_final => NodeStatus::Unknown,
        _ => status,
    }
}

/// Returns the nodes beyond the bound of a kept list, in the states that they have now.
fn left_out(list: &NodeList, current: &Current) -> LeftOut {
    let before = &list.left_out;
    let since = |&status| {
        let node = Node::new("", ROLE, status_since(status, current), "");
        let count = usize::try_from(before.nodes.of(status)).unwrap_or(usize::MAX);
        iter::repeat_n(&node, count).collect::<NodeCounts>()
    };
    let counts = NodeStatus::ALL.iter().map(since);
    LeftOut {
        nodes: counts.fold(NodeCounts::default(), Add::add),
        ..*before
    }
}

impl Nodes {
    /// Puts the nodes into their upgrade.
    pub(super) fn put_into(self, upgrade: &mut Upgrade) {
        upgrade.set_nodes(self.all);
        let all = &mut upgrade.left_out;
        all.nodes = all.nodes + self.left_out.nodes;
        all.latest = all.latest.max(self.left_out.latest);
    }
}

impl NodeList {
    /// Returns the list of a good answer.
    pub(super) fn new(nodes: Vec<WireNode>) -> Self {
        Self {
            nodes,
            ..Self::default()
        }
    }

    /// Returns the list that an earlier poll of the same upgrade had.
    pub(super) fn kept(upgrade: &Upgrade, memory: &Memory) -> Self {
        let seen = memory.last(Kind::Version).map(|seen| &seen.last);
        let last = seen.filter(|last| last.is_same(upgrade));
        let nodes = last.iter().flat_map(|last| &last.nodes);
        let nodes = nodes.filter(|node| node.key.role == ROLE);
        let nodes = nodes.map(|node| {
            let mut wire = WireNode::default();
            wire.metadata.name.clone_from(&node.key.name);
            wire.status.phase.clone_from(&node.raw_status);
            wire
        });
        Self {
            nodes: nodes.collect(),
            is_kept: true,
            left_out: last.map(|last| last.left_out).unwrap_or_default(),
        }
    }
}

fn id_of(wire: &WireNode) -> (&str, &str) {
    (&wire.metadata.name, &wire.metadata.uid)
}

/// Names and uids of nodes, to find a node by either of them.
struct Named<'a> {
    names: HashSet<&'a str>,
    uids: HashSet<&'a str>,
}

impl<'a> Named<'a> {
    fn of(nodes: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut names, mut uids) = (HashSet::new(), HashSet::new());
        for (name, uid) in nodes {
            names.insert(name);
            uids.insert(uid);
        }
        // Nodes without a name, or without a uid, are not alike.
        names.remove("");
        uids.remove("");
        Self { names, uids }
    }

    fn has(&self, (name, uid): (&str, &str)) -> bool {
        self.names.contains(name) || self.uids.contains(uid)
    }
}

impl Nodes {
    /// Adds a node; of two reports about one the worse stays.
    fn add(&mut self, node: Node) {
        if node.key.name.is_empty() {
            return;
        }
        let name = self.twice.is_none().then(|| node.key.name.clone());
        if !self.all.add(node) {
            self.twice = self.twice.take().or(name);
        }
    }
}

fn status(
    name: &str,
    phase: &str,
    current: &Current,
    memory: &Memory,
    words: &mut Vec<String>,
) -> NodeStatus {
    let seen = memory
        .last(Kind::Version)
        .filter(|seen| seen.last.is_same(&current.upgrade));
    let worked = seen.is_some_and(|seen| seen.saw_upgrading(&NodeKey::new(name, ROLE)));
    let status = match node_phase(phase) {
        Some(NodePhase::Upgrading) => NodeStatus::Upgrading,
        Some(NodePhase::Active) if worked || current.stage == Stage::After => NodeStatus::Succeeded,
        Some(NodePhase::Active) => NodeStatus::Waiting,
        Some(NodePhase::Broken) if worked => NodeStatus::Failed,
        Some(NodePhase::Broken | NodePhase::Changing) => NodeStatus::Unknown,
        None => {
            words.push(shown(phase));
            NodeStatus::Unknown
        }
    };
    // A node that breaks, or is being built, before its turn has nothing to do with the upgrade.
    if current.stage == Stage::Before {
        NodeStatus::Waiting
    } else {
        status
    }
}

fn name<'a>(name: &'a str, uid: &'a str) -> &'a str {
    if name.is_empty() { uid } else { name }
}

#[cfg(test)]
mod tests;
