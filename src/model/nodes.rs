//! The nodes of one answer: each name and role once, all counted, a bounded number kept.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Add;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bounds::MAX_NODES;
use super::{Node, NodeKey, NodeStatus};

/// Number of nodes in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NodeCounts([u64; NodeStatus::ALL.len()]);

impl NodeCounts {
    /// Returns the number of nodes in this state.
    pub fn of(&self, status: NodeStatus) -> u64 {
        self.0[status as usize]
    }

    /// Returns the number of nodes in any state.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn count(&mut self, status: NodeStatus) {
        self.0[status as usize] += 1;
    }

    fn remove(&mut self, status: NodeStatus) {
        // Two nodes that share a hash are counted once.
        let count = &mut self.0[status as usize];
        *count = count.saturating_sub(1);
    }

    /// Puts all nodes into one state.
    pub fn become_all(&mut self, status: NodeStatus) {
        let all = self.total();
        *self = Self::default();
        self.0[status as usize] = all;
    }
}

impl Serialize for NodeCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let states = NodeStatus::ALL.iter();
        serializer.collect_map(states.map(|status| (status, self.of(*status))))
    }
}

impl<'de> Deserialize<'de> for NodeCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut counts = Self::default();
        for (status, count) in BTreeMap::<NodeStatus, u64>::deserialize(deserializer)? {
            counts.0[status as usize] = count;
        }
        Ok(counts)
    }
}

impl Add for NodeCounts {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
        self
    }
}

impl<'a> FromIterator<&'a Node> for NodeCounts {
    fn from_iter<I: IntoIterator<Item = &'a Node>>(nodes: I) -> Self {
        let mut counts = Self::default();
        nodes.into_iter().for_each(|node| counts.count(node.status));
        counts
    }
}

/// Nodes and tasks of an upgrade beyond the bounds: counted, and not kept one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Nodes by state.
    pub nodes: NodeCounts,
    /// Latest time that the vendor tells of one of these nodes; `None` when it tells none.
    pub latest: Option<Timestamp>,
    /// Number of tasks.
    pub tasks: u64,
}

/// Collects the nodes of one answer. Of two reports about a node the worse counts; of more nodes
/// than [`MAX_NODES`] those are kept that need attention, then the first by name.
#[derive(Debug, Default)]
pub struct NodeCollector {
    counts: NodeCounts,
    /// State of each node so far, by the hash of its key: an answer may name a million of them. Two
    /// of a million share a hash of 64 bits with a chance of 1 in 30 million.
    states: HashMap<u64, NodeStatus>,
    hasher: RandomState,
    /// Kept nodes by rank and key, with their place in the answer.
    kept: BTreeMap<(u8, NodeKey), (usize, Node)>,
    places: usize,
    /// Latest time of a node that is not kept.
    latest: Option<Timestamp>,
}

impl NodeCollector {
    /// Adds a node, and returns whether it is the first report about it.
    pub fn add(&mut self, node: Node) -> bool {
        let hash = self.hasher.hash_one(&node.key);
        self.add_hashed(hash, node)
    }

    fn add_hashed(&mut self, hash: u64, node: Node) -> bool {
        let place = self.places;
        self.places += 1;
        let known = match self.states.entry(hash) {
            Entry::Vacant(entry) => {
                entry.insert(node.status);
                None
            }
            Entry::Occupied(mut entry) => {
                let known = *entry.get();
                if node.status.badness() <= known.badness() {
                    return false;
                }
                entry.insert(node.status);
                Some(known)
            }
        };
        self.counts.count(node.status);
        let mut before = None;
        if let Some(known) = known {
            self.counts.remove(known);
            before = self.kept.remove(&(rank(known), node.key.clone()));
        }
        let place = before.map_or(place, |(place, _)| place);
        let key = (rank(node.status), node.key.clone());
        self.kept.insert(key, (place, node));
        if self.kept.len() > MAX_NODES
            && let Some((_, (_, last))) = self.kept.pop_last()
        {
            let times = [last.updated, last.started, last.ended];
            self.latest = times.into_iter().flatten().chain(self.latest).max();
        }
        known.is_none()
    }

    /// Returns the counts of all nodes so far.
    pub fn counts(&self) -> NodeCounts {
        self.counts
    }

    /// Returns the kept nodes in the order of the answer, and the others as counts.
    pub fn finish(self) -> (Vec<Node>, LeftOut) {
        let mut kept: Vec<(usize, Node)> = self.kept.into_values().collect();
        kept.sort_unstable_by_key(|(place, _)| *place);
        let nodes: Vec<Node> = kept.into_iter().map(|(_, node)| node).collect();
        let mut left_out = LeftOut {
            nodes: self.counts,
            latest: self.latest,
            tasks: 0,
        };
        for node in &nodes {
            left_out.nodes.remove(node.status);
        }
        (nodes, left_out)
    }
}

impl Extend<Node> for NodeCollector {
    fn extend<I: IntoIterator<Item = Node>>(&mut self, nodes: I) {
        for node in nodes {
            self.add(node);
        }
    }
}

/// Order in which nodes are kept: those that need attention first.
fn rank(status: NodeStatus) -> u8 {
    match status {
        NodeStatus::Failed => 0,
        NodeStatus::Upgrading => 1,
        NodeStatus::Unknown => 2,
        NodeStatus::Waiting => 3,
        NodeStatus::Succeeded => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn node(name: &str, status: NodeStatus) -> Node {
        Node::new(name, "data", status, "")
    }

    fn names(nodes: &[Node]) -> Vec<&str> {
        nodes.iter().map(|node| &*node.key.name).collect()
    }

    #[test]
    fn counts_all_nodes_and_keeps_those_that_need_attention() {
        let mut nodes = NodeCollector::default();
        let all = 50_000;
        for n in 0..all {
            let status = match n {
                40_000 => NodeStatus::Unknown,
                40_001 => NodeStatus::Upgrading,
                49_999 => NodeStatus::Failed,
                n if n % 2 == 0 => NodeStatus::Succeeded,
                _ => NodeStatus::Waiting,
            };
            nodes.add(node(&format!("n{n:05}"), status));
        }
        let (kept, left_out) = nodes.finish();
        assert_eq!(kept.len(), MAX_NODES);
        let counts: NodeCounts = kept.iter().collect();
        for status in [
            NodeStatus::Unknown,
            NodeStatus::Upgrading,
            NodeStatus::Failed,
        ] {
            assert_eq!((counts.of(status), left_out.nodes.of(status)), (1, 0));
        }
        assert_eq!(counts.of(NodeStatus::Succeeded), 0);
        assert_eq!(left_out.nodes.of(NodeStatus::Succeeded), 24_999);
        assert_eq!(counts.total() + left_out.nodes.total(), all);
        assert_eq!(names(&kept[..2]), ["n00001", "n00003"], "by name");
        assert!(kept.is_sorted_by_key(|node| node.key.name.clone()));
    }

    #[test]
    fn keeps_the_order_of_an_answer_within_the_bound() {
        let mut nodes = NodeCollector::default();
        nodes.extend(["b", "a", "c"].map(|name| node(name, NodeStatus::Waiting)));
        let (kept, left_out) = nodes.finish();
        assert_eq!(names(&kept), ["b", "a", "c"]);
        assert_eq!(left_out, LeftOut::default());
    }

    #[test]
    fn keeps_the_same_nodes_whatever_their_order() {
        let kept = |numbers: &mut dyn Iterator<Item = usize>| {
            let mut nodes = NodeCollector::default();
            nodes.extend(numbers.map(|n| node(&n.to_string(), NodeStatus::Waiting)));
            let mut kept = nodes.finish().0;
            kept.sort_by(|a, b| a.key.cmp(&b.key));
            kept
        };
        assert_eq!(kept(&mut (0..30_000)), kept(&mut (0..30_000).rev()));
    }

    #[test]
    fn the_worse_of_two_reports_about_a_node_counts() {
        let mut nodes = NodeCollector::default();
        assert!(nodes.add(node("a", NodeStatus::Waiting)));
        assert!(nodes.add(node("b", NodeStatus::Failed)));
        assert!(!nodes.add(node("a", NodeStatus::Failed)));
        assert!(!nodes.add(node("b", NodeStatus::Succeeded)));
        assert!(nodes.add(Node::new("a", "manager", NodeStatus::Waiting, "")));
        let (kept, left_out) = nodes.finish();
        assert_eq!(names(&kept), ["a", "b", "a"]);
        let states: Vec<_> = kept.iter().map(|node| node.status).collect();
        let failed = NodeStatus::Failed;
        assert_eq!(states, [failed, failed, NodeStatus::Waiting]);
        assert_eq!(left_out.nodes.total(), 0);
    }

    #[test]
    fn a_worse_report_about_a_node_left_out_counts() {
        let mut nodes = NodeCollector::default();
        let all = (0..30_000).map(|n| node(&format!("n{n:05}"), NodeStatus::Succeeded));
        nodes.extend(all);
        nodes.add(node("n29999", NodeStatus::Failed));
        let (kept, left_out) = nodes.finish();
        assert_eq!(kept.len(), MAX_NODES);
        assert_eq!(kept.last().unwrap().status, NodeStatus::Failed);
        assert_eq!(left_out.nodes.total(), 10_000);
    }

    #[test]
    fn two_nodes_that_share_a_hash_break_no_count() {
        let mut nodes = NodeCollector::default();
        assert!(nodes.add_hashed(7, node("a", NodeStatus::Waiting)));
        nodes.add_hashed(7, node("b", NodeStatus::Failed));
        let (kept, left_out) = nodes.finish();
        assert_eq!(names(&kept), ["a", "b"]);
        assert_eq!(left_out, LeftOut::default());
    }

    #[test]
    fn tells_the_latest_time_of_the_nodes_left_out() {
        let mut nodes = NodeCollector::default();
        for n in 0..30_000 {
            let mut node = node(&format!("n{n:05}"), NodeStatus::Succeeded);
            node.updated = Some(at(n));
            nodes.add(node);
        }
        assert_eq!(nodes.finish().1.latest, Some(at(29_999)));
    }
}
