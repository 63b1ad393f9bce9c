//! SES's answers in the program's own words. Pure.

use jiff::Timestamp;
use jiff::tz::Offset;

use super::super::list::Listed;
use super::super::notes::Remarks;
use super::super::time;
use super::wire::{NodeVo, Progress, Version};
use crate::model::{
    Kind, Node, NodeCollector, NodeCounts, NodeKey, NodeStatus, Observation, Seen, Upgrade,
    UpgradeStatus,
};
use crate::provider::{ApiError, Reason};
use crate::text::clean;

/// What is known besides the progress answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    /// The cluster in the list.
    pub(super) listed: &'a Listed,
    /// The versions that the service knows; empty when it did not say.
    pub(super) versions: &'a [Version],
    /// The upgrade that this process saw last.
    pub(super) seen: Option<&'a Seen>,
    /// The zone of the dates.
    pub(super) offset: Offset,
}

/// A cluster of which no upgrade is known.
pub(super) fn idle(listed: &Listed) -> Observation {
    Observation {
        name: listed.name.clone(),
        version: listed.version.clone(),
        raw_status: clean(&listed.status),
        changing: listed.is("changing"),
        upgrades: Vec::new(),
        unknown_words: Vec::new(),
        refused: None,
        ..Observation::default()
    }
}

/// Whether the version list tells that this version's engine is not `OpenSearch`, which alone can be
/// upgraded. In doubt it can.
pub(super) fn cannot_be_upgraded(version: &str, versions: &[Version]) -> bool {
    let mut engines = versions
        .iter()
        .filter(|known| is_named(version, known))
        .map(|known| known.engine.to_ascii_lowercase())
        .peekable();
    engines.peek().is_some()
        && engines.all(|engine| !engine.is_empty() && !engine.contains("opensearch"))
}

/// Whether a version of the cluster list is this one of the version list: by code, by name, or by
/// the number in the name (`OpenSearch 2.9.0` and `2.9.0`).
fn is_named(version: &str, known: &Version) -> bool {
    let version = version.trim();
    if version.is_empty() {
        return false;
    }
    if version.eq_ignore_ascii_case(&known.code) || version.eq_ignore_ascii_case(&known.name) {
        return true;
    }
    let one_is_bare = !version.contains(' ') || !known.name.contains(' ');
    one_is_bare && number_in(version).eq_ignore_ascii_case(number_in(&known.name))
}

fn number_in(name: &str) -> &str {
    name.split_whitespace().next_back().unwrap_or_default()
}

/// Whether the cluster runs the version of this code.
fn runs(version: &str, code: &str, versions: &[Version]) -> bool {
    let code = code.trim();
    !code.is_empty()
        && (version.trim().eq_ignore_ascii_case(code)
            || versions
                .iter()
                .any(|known| known.code.eq_ignore_ascii_case(code) && is_named(version, known)))
}

/// What a progress answer tells, and what is odd about it. An empty answer tells of no upgrade.
pub(super) fn observation(
    progress: &Progress,
    facts: &Facts<'_>,
) -> Result<(Observation, Remarks), ApiError> {
    let mut observation = idle(facts.listed);
    if observation.name.is_empty() {
        observation.name.clone_from(&progress.name);
    }
    let mut remarks = Remarks::default();
    let date = &progress.version_vo.action_date;
    // Which nodes wait and which are done hangs on this date: without it nothing can be told.
    let requested = time::read(date, facts.offset).map_err(|_| {
        ApiError::new(
            Reason::Protocol,
            format!("the upgrade's actionDate ({}) is not a date; look for a newer version of this program", clean(date)),
        )
    })?;
    if let Some(requested) = requested {
        let mut reader = Reader {
            requested,
            offset: facts.offset,
            at_target: runs(
                &facts.listed.version,
                &progress.version_vo.target_version_code,
                facts.versions,
            ),
            moves: progress
                .node_status_vo_list
                .iter()
                .any(|node| matches!(Word::of(&node.status), Word::Complete | Word::Step { .. })),
            seen: facts
                .seen
                .filter(|seen| seen.last.requested == Some(requested)),
            unknown_words: Vec::new(),
            remarks: Remarks::default(),
        };
        let upgrade = reader.upgrade(progress, facts);
        observation.upgrades.push(upgrade);
        observation.unknown_words = reader.unknown_words;
        remarks = reader.remarks;
    }
    Ok((observation, remarks))
}

/// A node's `status`: an open set in odd casing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Empty,
    /// Done.
    Complete,
    /// In its normal state: not touched yet, or back again. Never "the upgrade runs".
    Running,
    Failed,
    /// Anything else names the step that the node is at.
    Step {
        is_known: bool,
    },
}

impl Word {
    fn of(status: &str) -> Self {
        let word = status.trim().to_ascii_lowercase();
        match word.as_str() {
            "" => Self::Empty,
            "complete" => Self::Complete,
            "running" => Self::Running,
            _ if word.contains("fail") || word.contains("error") => Self::Failed,
            _ => Self::Step {
                is_known: word.starts_with("upgrade"),
            },
        }
    }
}

/// Reads the nodes of one answer.
struct Reader<'a> {
    requested: Timestamp,
    offset: Offset,
    /// The cluster runs the target version.
    at_target: bool,
    /// A node is complete or in work.
    moves: bool,
    /// What this process saw of this upgrade.
    seen: Option<&'a Seen>,
    unknown_words: Vec<String>,
    remarks: Remarks,
}

impl Reader<'_> {
    fn upgrade(&mut self, progress: &Progress, facts: &Facts<'_>) -> Upgrade {
        let listed = &progress.node_status_vo_list;
        if progress
            .node_count
            .is_some_and(|count| usize::try_from(count) != Ok(listed.len()))
        {
            // Ratios come from the list.
            self.remarks
                .add(|| "nodeCount is not the number of nodes listed".to_owned());
        }
        let nodes = self.nodes(listed);
        let counts = nodes.counts();
        let status = if counts.total() == 0 {
            self.status_without_nodes(facts.listed)
        } else {
            status(counts)
        };
        let mut upgrade = Upgrade::new(Kind::Version, status);
        upgrade.from_version = present(&progress.version_vo.current_version_code);
        upgrade.to_version = present(&progress.version_vo.target_version_code);
        upgrade.requested = Some(self.requested);
        upgrade.set_nodes(nodes);
        if upgrade.is_ended() {
            upgrade.ended = self.ended(&upgrade);
        }
        upgrade
    }

    /// Each node and role once, in the order of the answer: of two entries the worse counts.
    fn nodes(&mut self, listed: &[NodeVo]) -> NodeCollector {
        let mut nodes = NodeCollector::default();
        for entry in listed {
            if !nodes.add(self.node(entry)) {
                self.remarks.add(|| {
                    format!(
                        "node {} ({}) is listed twice, and the worse state counts",
                        clean(&entry.hostname),
                        role(&entry.node_role_code)
                    )
                });
            }
        }
        nodes
    }

    fn node(&mut self, entry: &NodeVo) -> Node {
        let raw = clean(&entry.status);
        let updated = time::read(&entry.updated_date, self.offset).unwrap_or_else(|_| {
            self.remarks.add(|| {
                format!(
                    "updatedDate of node {} is not a date: {}",
                    clean(&entry.hostname),
                    clean(&entry.updated_date)
                )
            });
            None
        });
        let mut node = Node::new(
            entry.hostname.trim(),
            &role(&entry.node_role_code),
            NodeStatus::Unknown,
            &raw,
        );
        node.updated = updated;
        let since_request = updated.filter(|at| *at >= self.requested);
        node.status = match Word::of(&entry.status) {
            Word::Empty => NodeStatus::Unknown,
            Word::Complete => {
                node.ended = since_request;
                NodeStatus::Succeeded
            }
            Word::Failed => {
                node.ended = since_request;
                NodeStatus::Failed
            }
            Word::Running => self.running(&node.key, updated),
            Word::Step { is_known } => {
                if !is_known {
                    self.unknown_words.push(raw);
                }
                // When its present word began; the first that is seen begins the work.
                node.started = since_request;
                NodeStatus::Upgrading
            }
        };
        node
    }

    /// `running` with a time before the request is a node that waits; after it, one that is back,
    /// if anything proves that the upgrade got there.
    fn running(&self, key: &NodeKey, updated: Option<Timestamp>) -> NodeStatus {
        let is_proven = self.at_target || self.seen.is_some_and(|seen| seen.saw_upgrading(key));
        match updated {
            Some(at) if at < self.requested => NodeStatus::Waiting,
            Some(_) if is_proven || self.moves => NodeStatus::Succeeded,
            None if is_proven => NodeStatus::Succeeded,
            _ => NodeStatus::Unknown,
        }
    }

    /// An upgrade whose answer names no node: just requested, or long over.
    fn status_without_nodes(&self, listed: &Listed) -> UpgradeStatus {
        if self.at_target {
            UpgradeStatus::Succeeded
        } else if listed.is("changing") {
            UpgradeStatus::Pending
        } else {
            UpgradeStatus::Unknown
        }
    }

    /// When it ended: the latest time of a node, as it was when the end was first seen, since a
    /// node can be restarted later.
    fn ended(&self, upgrade: &Upgrade) -> Option<Timestamp> {
        self.seen
            .filter(|seen| seen.last.status == upgrade.status && seen.last.is_ended())
            .and_then(|seen| seen.last.ended)
            .or_else(|| {
                let times = upgrade.nodes.iter().filter_map(|node| node.updated);
                let times = times.chain(upgrade.left_out.latest);
                times.filter(|at| *at >= self.requested).max()
            })
    }
}

/// The upgrade's state from its nodes', of which there is at least one.
fn status(nodes: NodeCounts) -> UpgradeStatus {
    let any = |status| nodes.of(status) > 0;
    let all = |status| nodes.of(status) == nodes.total();
    if any(NodeStatus::Upgrading) {
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

/// M is the manager, not the master.
fn role(code: &str) -> String {
    match code.trim() {
        "M" | "m" => "manager".to_owned(),
        "D" | "d" => "data".to_owned(),
        other => clean(other).to_lowercase(),
    }
}

fn present(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
