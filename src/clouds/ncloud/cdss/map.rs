//! CDSS's colours in the program's own words. Pure.
//!
//! The service tells neither that an upgrade runs nor when it began or ended. An upgrade is what
//! happens between a first sign of change and a changed version, so each look is read by what the
//! looks before it saw; what was only seen is stored, or lost with the process.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::super::list::Listed;
use super::wire::{Process, Progress};
use crate::model::{
    Begin, Kind, Memory, Node, NodeCollector, NodeCounts, NodeKey, NodeStatus, Observation, Remark,
    Remarks, Seen, Upgrade, UpgradeStatus,
};
use crate::text::clean;

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

    /// Returns the state of a node of this colour within an upgrade. `green` is the state of a green one.
    fn status(self, green: NodeStatus) -> NodeStatus {
        match self {
            Self::Green => green,
            Self::Orange => NodeStatus::Upgrading,
            Self::Red => NodeStatus::Failed,
            Self::Other { .. } => NodeStatus::Unknown,
        }
    }
}

/// State that stands for the colour green where only colours are counted.
const GREEN: NodeStatus = NodeStatus::Waiting;

/// What one look at a cluster tells.
#[derive(Debug)]
struct Look<'a> {
    /// The answer.
    progress: &'a Progress,
    /// Number of nodes of each colour, as states of nodes, with [`GREEN`] for green.
    counts: NodeCounts,
    /// The colour of a service as a whole where no node of it is named.
    services: Vec<Colour>,
    /// The cluster says that it is changing.
    changing: bool,
    /// Its Kafka version; empty when not told.
    version: &'a str,
}

/// Maps a progress answer by what earlier polls saw, and notes what is odd about it. An empty answer
/// names no node.
pub(super) fn observation(
    progress: &Progress,
    listed: &Listed,
    memory: &Memory,
    now: Timestamp,
) -> Observation {
    let (mut unknown_words, remarks) = oddities(progress);
    let counts = nodes(progress, |_| GREEN).counts();
    let mut services = Vec::new();
    // A newer Kafka has no `ZooKeeper` node, and then the colour of that service means nothing.
    let words = [
        (
            &progress.broker_status,
            progress.broker_status_per_node.is_empty(),
        ),
        (&progress.zookeeper_status, counts.total() == 0),
    ];
    for (word, counts) in words {
        if counts && !word.trim().is_empty() {
            let colour = Colour::of(word);
            if colour == (Colour::Other { is_known: false }) {
                unknown_words.push(clean(word));
            }
            services.push(colour);
        }
    }
    let look = Look {
        progress,
        counts,
        services,
        changing: listed.is("changing"),
        version: listed.version.trim(),
    };
    let name = if listed.name.is_empty() {
        &progress.cluster_name
    } else {
        &listed.name
    };
    let mut unconfirmed = BTreeSet::new();
    let upgrade = next(memory, &look, now, &mut unconfirmed);
    Observation {
        name: name.clone(),
        version: listed.version.clone(),
        raw_status: clean(&listed.status),
        changing: look.changing,
        upgrades: upgrade.into_iter().collect(),
        unconfirmed,
        unknown_words,
        remarks,
        refused: None,
        ..Observation::default()
    }
}

/// Roles with their processes, in the order of the answer.
fn processes(progress: &Progress) -> impl Iterator<Item = (&'static str, &Process)> {
    let brokers = progress.broker_status_per_node.iter();
    let zookeepers = progress.zookeeper_status_per_node.iter();
    let brokers = brokers.map(|process| ("broker", process));
    brokers.chain(zookeepers.map(|process| ("zookeeper", process)))
}

/// Collects brokers and `ZooKeeper` nodes; `green` gives the state of a green one. Of two entries for
/// the same node and role the worse counts.
fn nodes(progress: &Progress, green: impl Fn(&NodeKey) -> NodeStatus) -> NodeCollector {
    let mut nodes = NodeCollector::default();
    nodes.extend(processes(progress).map(|(role, process)| {
        let raw = clean(&process.status);
        let mut node = Node::new(process.hostname(), role, NodeStatus::Unknown, &raw);
        node.status = Colour::of(&process.status).status(green(&node.key));
        node
    }));
    nodes
}

/// Words that the documents do not list, and what is odd about the answer.
fn oddities(progress: &Progress) -> (Vec<String>, Remarks) {
    let (mut words, mut remarks) = (Vec::new(), Remarks::default());
    let mut seen = HashSet::new();
    for (role, process) in processes(progress) {
        if Colour::of(&process.status) == (Colour::Other { is_known: false }) {
            words.push(clean(&process.status));
        }
        let name = process.hostname();
        if !seen.insert((role, name)) {
            remarks.add(|| {
                let name = clean(name);
                Remark::Note(format!(
                    "{role} {name} is listed twice, and the worse state counts"
                ))
            });
        }
    }
    (words, remarks)
}

/// Returns the upgrade after this look: none, the one that was seen before, or a new one. Notes it as
/// unconfirmed where the look speaks against it.
fn next(
    memory: &Memory,
    look: &Look<'_>,
    now: Timestamp,
    unconfirmed: &mut BTreeSet<Kind>,
) -> Option<Upgrade> {
    let begin = || {
        // A good poll that found no upgrade, or another one, came before this one.
        let sight = match memory.last_success {
            Some(_) => Begin::Seen,
            None => Begin::Unseen,
        };
        begin(look, sight, now)
    };
    let begins = look.changing || look.has(Colour::Orange);
    match memory.last(Kind::Version) {
        // What ended well stays as it was: a broker that breaks later is not its failure.
        Some(seen) if seen.last.status == UpgradeStatus::Succeeded => {
            if begins {
                Some(begin())
            } else {
                Some((*seen.last).clone())
            }
        }
        // A failure that nobody mended and that is no longer shown: what begins now is another one.
        Some(seen)
            if seen.forgotten && (look.has(Colour::Orange) || look.changing && look.is_green()) =>
        {
            Some(begin())
        }
        Some(seen) => go_on(memory, seen, look, unconfirmed),
        None => begins.then(begin),
    }
}

/// Begins an upgrade at its first look: its version is the one that it goes from, and this moment stands
/// for its request.
fn begin(look: &Look<'_>, sight: Begin, now: Timestamp) -> Upgrade {
    let status = status(look, false);
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.requested = Some(now);
    upgrade.from_version = (!look.version.is_empty()).then(|| look.version.to_owned());
    upgrade.begin = sight;
    upgrade.set_nodes(nodes(look.progress, |_| untouched(sight)));
    upgrade
}

/// Returns the state of a green node that was not seen orange in this upgrade: where the begin was not
/// seen, it may be done.
fn untouched(begin: Begin) -> NodeStatus {
    match begin {
        Begin::Seen => NodeStatus::Waiting,
        Begin::Unseen => NodeStatus::Unknown,
    }
}

/// Takes a further look at an upgrade that has not ended well. After a second idle look in a row with the
/// version unchanged it was a restart, not an upgrade.
fn go_on(
    memory: &Memory,
    seen: &Seen,
    look: &Look<'_>,
    unconfirmed: &mut BTreeSet<Kind>,
) -> Option<Upgrade> {
    let last = &seen.last;
    let mut upgrade = (**last).clone();
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
        if look.counts.total() == 0 {
            for node in &mut upgrade.nodes {
                node.status = NodeStatus::Succeeded;
                node.raw_status.clear();
            }
            let left_out = &mut upgrade.left_out.nodes;
            left_out.become_all(NodeStatus::Succeeded);
        } else {
            upgrade.set_nodes(nodes(look.progress, |_| NodeStatus::Succeeded));
        }
        return Some(upgrade);
    }
    // An answer that names nothing is not a sign of rest where there was something to name.
    if is_quiet && (look.names_any() || last.nodes.is_empty()) {
        if memory.unconfirmed.contains(&Kind::Version) {
            return None;
        }
        unconfirmed.insert(Kind::Version);
    }
    // An answer that names no node does not take the nodes away.
    if look.counts.total() > 0 {
        upgrade.set_nodes(nodes(look.progress, |node| {
            if seen.saw_upgrading(node) {
                NodeStatus::Succeeded
            } else {
                untouched(last.begin)
            }
        }));
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
        self.services.contains(&colour) || self.counts.of(colour.status(GREEN)) > 0
    }

    /// Returns true where any process has a colour.
    fn names_any(&self) -> bool {
        self.counts.total() > 0 || !self.services.is_empty()
    }

    /// Whether nothing is told but green. Where nothing is told of any process, the cluster's own
    /// word and version decide alone.
    fn is_green(&self) -> bool {
        let is_green = |colour: &Colour| *colour == Colour::Green;
        let green = self.counts.of(GREEN);
        green == self.counts.total() && self.services.iter().all(is_green)
    }
}

#[cfg(test)]
mod tests;
