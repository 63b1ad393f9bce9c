//! A cluster as the families see it: what is shown of it at a time, with its labels written once.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::row::push_label;
use crate::model::{ClusterState, Kind, Node, Span, Task, UpgradeView};

/// A cluster with the upgrades that are shown.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    /// All that is known.
    pub(crate) state: &'a ClusterState,
    /// The time for which it is rendered.
    pub(crate) now: Timestamp,
    /// Its identity, without `kind`.
    pub(crate) labels: String,
    /// At most one of each kind; none before the first good poll.
    pub(crate) upgrades: Vec<Shown<'a>>,
}

/// An upgrade that is shown.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    /// The upgrade.
    pub(crate) view: &'a UpgradeView,
    /// Its identity.
    pub(crate) labels: String,
    /// Its nodes, each name and role once.
    pub(crate) nodes: Vec<ShownNode<'a>>,
    /// Its tasks, each order and name once.
    pub(crate) tasks: Vec<ShownTask<'a>>,
}

/// A node of a shown upgrade.
#[derive(Debug)]
pub(crate) struct ShownNode<'a> {
    /// The node.
    pub(crate) node: &'a Node,
    /// Work on it.
    pub(crate) work: Option<Span>,
    /// Its identity, the upgrade's included.
    pub(crate) labels: String,
}

/// A task of a shown upgrade.
#[derive(Debug)]
pub(crate) struct ShownTask<'a> {
    /// The task.
    pub(crate) task: &'a Task,
    /// Its identity, the upgrade's included.
    pub(crate) labels: String,
}

impl<'a> Subject<'a> {
    /// The cluster at `now`.
    pub(crate) fn new(state: &'a ClusterState, now: Timestamp) -> Self {
        let mut labels = String::new();
        push_label(&mut labels, "account", &state.key.account);
        push_label(&mut labels, "product", state.key.product);
        push_label(&mut labels, "cluster_id", &state.key.id);
        push_label(&mut labels, "cluster_name", &state.name);
        let upgrades = state
            .shown(now)
            .map(|view| Shown::new(view, &labels))
            .collect();
        Self {
            state,
            now,
            labels,
            upgrades,
        }
    }

    /// Whether an upgrade of this kind is shown.
    pub(crate) fn shows(&self, kind: Kind) -> bool {
        self.upgrades.iter().any(|u| u.view.upgrade.kind == kind)
    }

    /// The next instant at which the clock alone changes what is shown (besides moving lines).
    pub(crate) fn next_flip(&self) -> Option<Timestamp> {
        self.upgrades
            .iter()
            .flat_map(|u| [self.state.forgotten_at(u.view), u.view.estimated_end])
            .flatten()
            .filter(|at| *at > self.now)
            .min()
    }
}

impl<'a> Shown<'a> {
    fn new(view: &'a UpgradeView, cluster: &str) -> Self {
        let upgrade = &view.upgrade;
        let mut labels = cluster.to_owned();
        push_label(&mut labels, "kind", upgrade.kind.as_str());
        // Two lines with the same labels would cost the whole scrape.
        let mut seen = BTreeSet::new();
        let nodes = upgrade
            .nodes
            .iter()
            .enumerate()
            .map(|(place, node)| {
                let mut labels = labels.clone();
                push_label(&mut labels, "node", &node.key.name);
                push_label(&mut labels, "role", &node.key.role);
                ShownNode {
                    node,
                    work: view.work(place),
                    labels,
                }
            })
            .filter(|node| seen.insert(node.labels.clone()))
            .collect();
        let tasks = upgrade
            .tasks
            .iter()
            .map(|task| {
                let mut labels = labels.clone();
                push_label(&mut labels, "order", &task.order.to_string());
                push_label(&mut labels, "task", &task.name);
                ShownTask { task, labels }
            })
            .filter(|task| seen.insert(task.labels.clone()))
            .collect();
        Self {
            view,
            labels,
            nodes,
            tasks,
        }
    }
}
