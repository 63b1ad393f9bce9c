//! States of SES nodes: each word is read by its time, the request's time and the other nodes.

use jiff::Timestamp;
use jiff::tz::Offset;

use super::super::wire::NodeVo;
use crate::model::{Node, NodeCollector, NodeKey, NodeStatus, Remark, Remarks, Seen};
use crate::text::clean;

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

/// A node with its word and time read.
struct Entry<'a> {
    vo: &'a NodeVo,
    word: Word,
    updated: Option<Timestamp>,
}

/// Nodes of one answer, and what is odd about them.
pub(super) struct Nodes {
    pub(super) all: NodeCollector,
    /// Words of steps that are not known.
    pub(super) unknown_words: Vec<String>,
    pub(super) remarks: Remarks,
}

/// Facts about the upgrade that decide the states of its nodes.
pub(super) struct Upgrade<'a> {
    /// Time of the request.
    pub(super) requested: Timestamp,
    /// Zone of the dates.
    pub(super) zone: Offset,
    /// The cluster runs the target version.
    pub(super) at_target: bool,
    /// Earlier polls of this upgrade.
    pub(super) seen: Option<&'a Seen>,
}

impl Upgrade<'_> {
    /// Reads the nodes of an answer, each name and role once; of two entries the worse counts.
    pub(super) fn nodes(&self, listed: &[NodeVo]) -> Nodes {
        let entries: Vec<Entry<'_>> = listed.iter().map(|vo| self.entry(vo)).collect();
        let is_in_work = |entry: &Entry<'_>| matches!(entry.word, Word::Step { .. });
        let is_done = |entry: &Entry<'_>| entry.word == Word::Complete && !self.is_older(entry);
        let others = Others {
            any_in_work: entries.iter().any(is_in_work),
            any_done: entries.iter().any(is_done),
        };
        let mut nodes = Nodes {
            all: NodeCollector::default(),
            unknown_words: Vec::new(),
            remarks: Remarks::default(),
        };
        for entry in entries {
            let node = self.node(&entry, others);
            if entry.word == (Word::Step { is_known: false }) {
                nodes.unknown_words.push(node.raw_status.clone());
            }
            if !nodes.all.add(node) {
                nodes.remarks.add(|| {
                    Remark::Note(format!(
                        "node {} ({}) is listed twice, and the worse state counts",
                        clean(entry.vo.hostname()),
                        role(&entry.vo.node_role_code)
                    ))
                });
            }
        }
        nodes
    }

    fn entry<'a>(&self, vo: &'a NodeVo) -> Entry<'a> {
        Entry {
            vo,
            word: Word::of(&vo.status),
            updated: vo.updated_date.at(self.zone),
        }
    }

    /// Returns true for a word that the node had before the request: it tells of the last upgrade.
    fn is_older(&self, entry: &Entry<'_>) -> bool {
        entry.updated.is_some_and(|at| at < self.requested)
    }

    fn node(&self, entry: &Entry<'_>, others: Others) -> Node {
        let mut node = Node::new(
            entry.vo.hostname(),
            &role(&entry.vo.node_role_code),
            NodeStatus::Unknown,
            &clean(&entry.vo.status),
        );
        node.updated = entry.updated;
        node.status = self.status(entry, &node.key, others);
        let since_request = entry.updated.filter(|at| *at >= self.requested);
        match entry.word {
            Word::Complete | Word::Failed => node.ended = since_request,
            // The time of the present word; the first that is seen begins the work.
            Word::Step { .. } => node.started = since_request,
            Word::Empty | Word::Running => {}
        }
        node
    }

    fn status(&self, entry: &Entry<'_>, key: &NodeKey, others: Others) -> NodeStatus {
        let is_older = self.is_older(entry);
        match entry.word {
            Word::Empty => NodeStatus::Unknown,
            Word::Step { .. } => NodeStatus::Upgrading,
            Word::Complete if is_older && (!self.at_target || others.any_in_work) => {
                NodeStatus::Waiting
            }
            Word::Complete => NodeStatus::Succeeded,
            Word::Failed | Word::Running if is_older => NodeStatus::Waiting,
            Word::Failed => NodeStatus::Failed,
            // The node is back, if anything proves that the upgrade got there.
            Word::Running => {
                let was_seen = self.seen.is_some_and(|seen| seen.saw_upgrading(key));
                let has_begun = entry.updated.is_some() && (others.any_in_work || others.any_done);
                if self.at_target || was_seen || has_begun {
                    NodeStatus::Succeeded
                } else {
                    NodeStatus::Unknown
                }
            }
        }
    }
}

/// Progress of the other nodes.
#[derive(Clone, Copy)]
struct Others {
    /// A node is at a step.
    any_in_work: bool,
    /// A node is complete in this upgrade.
    any_done: bool,
}

/// M is the manager, not the master.
fn role(code: &str) -> String {
    match code.trim() {
        "M" | "m" => "manager".to_owned(),
        "D" | "d" => "data".to_owned(),
        other => clean(other).to_lowercase(),
    }
}
