//! CDSS's colours in the program's own words. Pure.
//!
//! The service tells neither that an upgrade runs nor when it began or ended. An upgrade is what
//! happens between a first sign of change and a changed version, so each look is read by what the
//! looks before it saw; what was only seen is lost with the process.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;

use super::super::list::Listed;
use super::wire::{Process, Progress};
use crate::model::{Kind, Node, NodeKey, NodeStatus, Observation, Seen, Upgrade, UpgradeStatus};
use crate::text::clean;

/// Idle looks with the version unchanged after which a change was a restart, not an upgrade.
const QUIET_POLLS: u32 = 2;

/// A process's colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    Green,
    Orange,
    Red,
    /// Yellow, gray, nothing, or a word that the documents do not list.
    Other {
        is_known: bool,
    },
}

impl Colour {
    fn of(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "green" => Self::Green,
            "orange" => Self::Orange,
            "red" => Self::Red,
            other => Self::Other {
                is_known: matches!(other, "yellow" | "gray" | "grey" | ""),
            },
        }
    }

    /// The state of a node of this colour within an upgrade.
    fn status(self, was_orange: bool) -> NodeStatus {
        match self {
            Self::Green if was_orange => NodeStatus::Succeeded,
            Self::Green => NodeStatus::Waiting,
            Self::Orange => NodeStatus::Upgrading,
            Self::Red => NodeStatus::Failed,
            Self::Other { .. } => NodeStatus::Unknown,
        }
    }
}

/// What one look at a cluster tells.
#[derive(Debug, Clone)]
struct Look<'a> {
    /// Its nodes with their colours, each node and role once.
    nodes: Vec<(Node, Colour)>,
    /// The nodes' colours, and that of a service as a whole where no node of it is named.
    colours: Vec<Colour>,
    /// The cluster says that it is changing.
    changing: bool,
    /// Its Kafka version; empty when not told.
    version: &'a str,
}

/// What a progress answer tells, read by what was seen before, and what is odd about it. An empty
/// answer names no node.
pub(super) fn observation(
    progress: &Progress,
    listed: &Listed,
    seen: Option<&Seen>,
    now: Timestamp,
) -> (Observation, Vec<String>) {
    let mut unknown_words = Vec::new();
    let mut remarks = Vec::new();
    let nodes = nodes(progress, &mut unknown_words, &mut remarks);
    let mut colours: Vec<Colour> = nodes.iter().map(|(_, colour)| *colour).collect();
    // A newer Kafka has no `ZooKeeper` node, and then the colour of that service means nothing.
    let services = [
        (
            &progress.broker_status,
            progress.broker_status_per_node.is_empty(),
        ),
        (&progress.zookeeper_status, nodes.is_empty()),
    ];
    for (word, counts) in services {
        if counts && !word.is_empty() {
            colours.push(Colour::of(word));
        }
    }
    let look = Look {
        nodes,
        colours,
        changing: listed.is("changing"),
        version: listed.version.trim(),
    };
    let name = if listed.name.is_empty() {
        &progress.cluster_name
    } else {
        &listed.name
    };
    let observation = Observation {
        name: name.clone(),
        version: listed.version.clone(),
        raw_status: clean(&listed.status),
        changing: look.changing,
        upgrades: next(seen, &look, now).into_iter().collect(),
        unknown_words,
        refused: None,
    };
    (observation, remarks)
}

/// Brokers and `ZooKeeper` nodes in the order of the answer: of two entries for the same node and
/// role the worse counts.
fn nodes(
    progress: &Progress,
    unknown_words: &mut Vec<String>,
    remarks: &mut Vec<String>,
) -> Vec<(Node, Colour)> {
    let mut places: BTreeMap<NodeKey, usize> = BTreeMap::new();
    let mut nodes: Vec<(Node, Colour)> = Vec::new();
    let mut add = |role: &str, process: &Process| {
        let colour = Colour::of(&process.status);
        let raw = clean(&process.status);
        let node = Node::new(process.hostname.trim(), role, colour.status(false), &raw);
        if colour == (Colour::Other { is_known: false }) {
            unknown_words.push(raw);
        }
        match places.entry(node.key.clone()) {
            Entry::Vacant(place) => {
                place.insert(nodes.len());
                nodes.push((node, colour));
            }
            Entry::Occupied(place) => {
                remarks.push(format!(
                    "{role} {} is listed twice, and the worse state counts",
                    clean(&node.key.name)
                ));
                let first = &mut nodes[*place.get()];
                if node.status.badness() > first.0.status.badness() {
                    *first = (node, colour);
                }
            }
        }
    };
    for process in &progress.broker_status_per_node {
        add("broker", process);
    }
    for process in &progress.zookeeper_status_per_node {
        add("zookeeper", process);
    }
    nodes
}

/// The upgrade after this look: none, the one that was seen before, or a new one.
fn next(seen: Option<&Seen>, look: &Look<'_>, now: Timestamp) -> Option<Upgrade> {
    let begins = look.changing || look.has(Colour::Orange);
    match seen {
        // What ended well stays as it was: a broker that breaks later is not its failure.
        Some(seen) if seen.last.status == UpgradeStatus::Succeeded => {
            if begins {
                Some(begin(look, now))
            } else {
                Some(seen.last.clone())
            }
        }
        // A failure that nobody mended and that is no longer shown: what begins now is another one.
        Some(seen)
            if seen.forgotten && (look.has(Colour::Orange) || look.changing && look.is_green()) =>
        {
            Some(begin(look, now))
        }
        Some(seen) => go_on(seen, look),
        None => begins.then(|| begin(look, now)),
    }
}

/// The first look at an upgrade: its version is the one that it goes from, and this moment stands
/// for its request.
fn begin(look: &Look<'_>, now: Timestamp) -> Upgrade {
    let status = status(look, false);
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.requested = Some(now);
    upgrade.from_version = (!look.version.is_empty()).then(|| look.version.to_owned());
    upgrade.nodes = look.nodes_when(|_| false);
    upgrade
}

/// A further look at an upgrade that has not ended well.
fn go_on(seen: &Seen, look: &Look<'_>) -> Option<Upgrade> {
    let last = &seen.last;
    let mut upgrade = last.clone();
    upgrade.quiet_polls = 0;
    let is_quiet = !look.changing && look.is_green();
    let is_new_version = !look.version.is_empty()
        && last
            .from_version
            .as_deref()
            .is_some_and(|from| from != look.version);
    if is_quiet && is_new_version {
        upgrade.status = UpgradeStatus::Succeeded;
        upgrade.to_version = Some(look.version.to_owned());
        // All of the cluster is at the new version: nodes whose work fell between two looks, too.
        if look.nodes.is_empty() {
            for node in &mut upgrade.nodes {
                node.status = NodeStatus::Succeeded;
                node.raw_status.clear();
            }
        } else {
            upgrade.nodes = look.nodes_when(|_| true);
        }
        return Some(upgrade);
    }
    // An answer that names nothing is not a sign of rest where there was something to name.
    if is_quiet && (!look.colours.is_empty() || last.nodes.is_empty()) {
        upgrade.quiet_polls = last.quiet_polls.saturating_add(1);
        if upgrade.quiet_polls >= QUIET_POLLS {
            return None;
        }
    }
    // An answer that names no node does not take the nodes away.
    if !look.nodes.is_empty() {
        upgrade.nodes = look.nodes_when(|node| seen.saw_upgrading(node));
    }
    let recovers = look.has(Colour::Orange) || look.changing && look.is_green();
    upgrade.status = if last.status == UpgradeStatus::Failed && !recovers {
        UpgradeStatus::Failed
    } else {
        let was_orange = !seen.worked.is_empty() || last.status == UpgradeStatus::Running;
        status(look, was_orange)
    };
    Some(upgrade)
}

/// The state of an upgrade that has not ended well. Nodes that are neither good nor bad (yellow,
/// gray) change nothing.
fn status(look: &Look<'_>, was_orange: bool) -> UpgradeStatus {
    if look.has(Colour::Orange) {
        UpgradeStatus::Running
    } else if look.has(Colour::Red) {
        UpgradeStatus::Failed
    } else if was_orange {
        UpgradeStatus::Running
    } else {
        UpgradeStatus::Pending
    }
}

impl Look<'_> {
    fn has(&self, colour: Colour) -> bool {
        self.colours.contains(&colour)
    }

    /// Whether nothing is told but green. Where nothing is told of any process, the cluster's own
    /// word and version decide alone.
    fn is_green(&self) -> bool {
        self.colours.iter().all(|colour| *colour == Colour::Green)
    }

    /// The nodes with their states, by whether each was orange before.
    fn nodes_when(&self, was_orange: impl Fn(&NodeKey) -> bool) -> Vec<Node> {
        self.nodes
            .iter()
            .map(|(node, colour)| {
                let mut node = node.clone();
                node.status = colour.status(was_orange(&node.key));
                node
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
