//! Bounds on what a vendor's answer brings into the model: texts, ids, nodes, tasks, clusters.
//!
//! Whatever an answer holds, memory and `/metrics` stay bounded. Counts cover what is left out.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::nodes::NodeCollector;
use super::{Observation, Task, TaskStatus, Upgrade};
use crate::text::escaped_prefix_len;

/// Nodes of an upgrade that have series of their own; the largest clusters have some thousands.
pub const MAX_NODES: usize = 20_000;

/// Tasks of an upgrade that have series of their own.
pub const MAX_TASKS: usize = 1_000;

/// Discovered clusters of a product in an account that are watched.
pub const MAX_CLUSTERS: usize = 20_000;

/// Characters of a label's value, the mark of a cut included.
pub const MAX_CHARS: usize = 256;

/// Characters of a description or a message for people, the mark of a cut included.
pub const MAX_MESSAGE: usize = 1_024;

/// Versions that a vendor offers to a cluster.
pub const MAX_AVAILABLE: usize = 100;

/// Characters of the longest escape, `\u{e0001}`.
const LONGEST_ESCAPE: usize = 9;

/// Bytes of an id: all of its characters are ASCII.
pub const MAX_ID: usize = 256;

/// Last character of a text that was cut.
const MARK: char = '…';

/// Bound that an answer exceeded: the label `what` of `truncated_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truncated {
    /// More than [`MAX_NODES`] nodes of an upgrade.
    Nodes,
    /// More than [`MAX_TASKS`] tasks of an upgrade.
    Tasks,
    /// More than [`MAX_CLUSTERS`] clusters of a product in an account.
    Clusters,
    /// A text of more than [`MAX_CHARS`] characters.
    Label,
}

impl Truncated {
    /// Every bound.
    pub const ALL: &'static [Self] = &[Self::Nodes, Self::Tasks, Self::Clusters, Self::Label];

    /// The word in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Tasks => "tasks",
            Self::Clusters => "clusters",
            Self::Label => "label",
        }
    }

    /// Returns what happens to an answer that exceeds the bound, for people.
    pub fn effect(self) -> String {
        match self {
            Self::Nodes => format!(
                "{MAX_NODES} nodes of an upgrade have series of their own, and the others are counted only"
            ),
            Self::Tasks => format!("{MAX_TASKS} tasks of an upgrade have series of their own"),
            Self::Clusters => format!(
                "{MAX_CLUSTERS} clusters are watched; choose with include, exclude or a list of clusters"
            ),
            Self::Label => format!("a text of more than {MAX_CHARS} characters is cut"),
        }
    }
}

/// Returns a text of at most [`MAX_CHARS`] characters, as [`escaped`](crate::text::escaped) writes
/// them: a longer one is cut between characters and ends in `…`.
pub fn label(text: &str) -> String {
    if is_long(text) {
        format!("{}{MARK}", begin(text, MAX_CHARS - 1))
    } else {
        text.to_owned()
    }
}

/// Returns a text for people of at most [`MAX_MESSAGE`] characters, cut as [`label`] cuts.
pub fn message(text: &str) -> String {
    let fits = text.len() <= MAX_MESSAGE / LONGEST_ESCAPE
        || escaped_prefix_len(text, MAX_MESSAGE) == text.len();
    if fits {
        text.to_owned()
    } else {
        format!("{}{MARK}", begin(text, MAX_MESSAGE - 1))
    }
}

/// Returns a name as [`label`] does. Before the `…` of one that is cut stands a hash of the whole, so
/// that long names that begin alike stay apart.
pub fn name(text: &str) -> String {
    if !is_long(text) {
        return text.to_owned();
    }
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(text));
    let hash = u32::from_be_bytes([a, b, c, d]);
    let begin = begin(text, MAX_CHARS - "~01234567…".chars().count());
    format!("{begin}~{hash:08x}{MARK}")
}

fn begin(text: &str, max: usize) -> &str {
    text.get(..escaped_prefix_len(text, max))
        .unwrap_or_default()
}

/// Returns whether [`label`] or [`name`] cut this text: as long as a text can be, with the mark of a cut.
pub fn is_cut(text: &str) -> bool {
    text.ends_with(MARK) && escaped_prefix_len(text, MAX_CHARS - LONGEST_ESCAPE) < text.len()
}

fn is_long(text: &str) -> bool {
    // Most texts are short: no character becomes longer than this.
    text.len() > MAX_CHARS / LONGEST_ESCAPE && escaped_prefix_len(text, MAX_CHARS) < text.len()
}

/// Cuts a text in its place, and frees the rest.
fn cut(text: &mut String) {
    if is_long(text) {
        *text = label(text);
    }
}

/// Reason why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdFault {
    /// More than [`MAX_ID`] bytes.
    Long(usize),
    /// A character that no vendor's ids have.
    Character(char),
}

impl fmt::Display for IdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Long(bytes) => write!(f, "it has {bytes} bytes, and an id at most {MAX_ID}"),
            Self::Character(c) => write!(
                f,
                "it has the character {c:?} (U+{:04X}), and an id letters, digits and . _ : / - only",
                u32::from(*c)
            ),
        }
    }
}

/// Checks that a text has the form of an id: `[A-Za-z0-9._:/-]`, at most [`MAX_ID`] of them. An
/// empty text passes.
pub fn check_id(text: &str) -> Result<(), IdFault> {
    let is_of_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '/' | '-');
    if text.len() > MAX_ID {
        return Err(IdFault::Long(text.len()));
    }
    match text.chars().find(|c| !is_of_id(*c)) {
        Some(c) => Err(IdFault::Character(c)),
        None => Ok(()),
    }
}

/// Brings an observation within the bounds, and returns which of them its answer exceeded.
pub fn apply(observation: &mut Observation) -> Vec<Truncated> {
    for text in [
        &mut observation.name,
        &mut observation.version,
        &mut observation.raw_status,
    ] {
        cut(text);
    }
    observation.version_name.iter_mut().for_each(cut);
    for version in observation.available.iter_mut().flatten() {
        cut(&mut version.version);
    }
    let available = observation.available.iter_mut();
    available.for_each(|versions| versions.truncate(MAX_AVAILABLE));
    observation.upgrades.iter_mut().for_each(bound);
    let upgrades = &observation.upgrades;
    let is_exceeded = |bound: &&Truncated| match bound {
        Truncated::Nodes => upgrades.iter().any(|u| u.left_out.nodes.total() > 0),
        Truncated::Tasks => upgrades.iter().any(|u| u.left_out.tasks > 0),
        Truncated::Clusters => false,
        Truncated::Label => has_cut(observation),
    };
    let bounds = Truncated::ALL.iter().filter(is_exceeded);
    bounds.copied().collect()
}

fn bound(upgrade: &mut Upgrade) {
    for text in [&mut upgrade.from_version, &mut upgrade.to_version] {
        text.iter_mut().for_each(cut);
    }
    // A product that collects its nodes has bounded them already, in less memory.
    if upgrade.nodes.len() > MAX_NODES {
        let mut nodes = NodeCollector::default();
        for node in std::mem::take(&mut upgrade.nodes) {
            nodes.add(node);
        }
        upgrade.set_nodes(nodes);
    }
    upgrade.left_out.tasks += bound_tasks(&mut upgrade.tasks);
    for task in &mut upgrade.tasks {
        cut(&mut task.name);
        let description = task.description.as_deref().map(message);
        task.description = description;
    }
    upgrade.details.bound();
}

/// Keeps [`MAX_TASKS`] tasks in their order, and returns how many are left out. Kept before others:
/// those that run or failed, those that tell begin and current task, and those of unknown state.
fn bound_tasks(tasks: &mut Vec<Task>) -> u64 {
    let excess = tasks.len().saturating_sub(MAX_TASKS);
    if excess == 0 {
        return 0;
    }
    let places = || tasks.iter().enumerate();
    let begun = places().filter(|(_, task)| task.start.is_some());
    let first = begun.min_by_key(|(_, t)| t.start).map(|(place, _)| place);
    let ended = places().filter(|(_, task)| task.status == TaskStatus::Succeeded);
    let last = ended.max_by_key(|(_, task)| (task.end, task.order));
    let last = last.map(|(place, _)| place);
    let mut ranks: Vec<(u8, usize)> = places()
        .map(|(place, task)| {
            let rank = match task.status {
                TaskStatus::Running | TaskStatus::Failed => 1,
                _ if Some(place) == first || Some(place) == last => 0,
                TaskStatus::Unknown => 2,
                TaskStatus::Waiting | TaskStatus::Succeeded => 3,
            };
            (rank, place)
        })
        .collect();
    ranks.sort_unstable();
    let mut is_kept = vec![false; tasks.len()];
    for (_, place) in ranks.iter().take(MAX_TASKS) {
        is_kept[*place] = true;
    }
    let mut is_kept = is_kept.into_iter();
    tasks.retain(|_| is_kept.next() == Some(true));
    tasks.shrink_to_fit();
    u64::try_from(excess).unwrap_or(u64::MAX)
}

fn has_cut(observation: &Observation) -> bool {
    let own = [
        &observation.name,
        &observation.version,
        &observation.raw_status,
    ];
    let upgrades = || observation.upgrades.iter();
    let versions = upgrades().flat_map(|u| u.from_version.iter().chain(&u.to_version));
    let nodes = upgrades().flat_map(|u| &u.nodes);
    let nodes = nodes.flat_map(|node| [&node.key.name, &node.key.role, &node.raw_status]);
    let tasks = upgrades().flat_map(|u| &u.tasks).map(|task| &task.name);
    own.into_iter()
        .chain(versions)
        .chain(nodes)
        .chain(tasks)
        .any(|text| is_cut(text))
}

#[cfg(test)]
mod tests;
