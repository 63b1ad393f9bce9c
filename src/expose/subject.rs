//! A cluster as the families see it: what is shown of it at a time, with its labels written once.

use std::collections::HashSet;
use std::ops::RangeFrom;

use jiff::Timestamp;

use super::row::push_label;
use super::series::Labels;
use crate::model::{ClusterState, Kind, Node, Span, Task, UpgradeView};

/// A cluster with the upgrades that are shown.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    /// All that is known.
    pub(crate) state: &'a ClusterState,
    /// The time for which it is rendered.
    pub(crate) now: Timestamp,
    /// Its identity, without `kind`.
    pub(crate) labels: Labels,
    /// At most one of each kind; none before the first good poll.
    pub(crate) upgrades: Vec<Shown<'a>>,
}

/// An upgrade that is shown.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    /// The upgrade.
    pub(crate) view: &'a UpgradeView,
    /// Its identity.
    pub(crate) labels: Labels,
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
    pub(crate) labels: Labels,
}

/// A task of a shown upgrade.
#[derive(Debug)]
pub(crate) struct ShownTask<'a> {
    /// The task.
    pub(crate) task: &'a Task,
    /// Its identity, the upgrade's included.
    pub(crate) labels: Labels,
}

impl<'a> Subject<'a> {
    /// The cluster at `now`.
    pub(crate) fn new(state: &'a ClusterState, now: Timestamp) -> Self {
        let mut text = String::new();
        push_label(&mut text, "account", &state.key.account);
        push_label(&mut text, "product", state.key.product);
        push_label(&mut text, "cluster_id", &state.key.id);
        push_label(&mut text, "cluster_name", &state.name);
        let mut ids = 0..;
        let labels = Labels::new(&mut ids, text);
        let upgrades = state.shown(now);
        let upgrades = upgrades.map(|view| Shown::new(view, &labels.text, &mut ids));
        Self {
            state,
            now,
            upgrades: upgrades.collect(),
            labels,
        }
    }

    /// Returns whether an upgrade of this kind is shown.
    pub(crate) fn shows(&self, kind: Kind) -> bool {
        self.upgrades.iter().any(|u| u.view.upgrade.kind == kind)
    }

    /// Returns all labels, by their places.
    pub(crate) fn all_labels(&self) -> impl Iterator<Item = &str> {
        let upgrades = self.upgrades.iter().flat_map(|upgrade| {
            let nodes = upgrade.nodes.iter().map(|node| &node.labels);
            let tasks = upgrade.tasks.iter().map(|task| &task.labels);
            std::iter::once(&upgrade.labels).chain(nodes).chain(tasks)
        });
        let all = std::iter::once(&self.labels).chain(upgrades);
        all.map(|labels| labels.text.as_str())
    }
}

impl<'a> Shown<'a> {
    fn new(view: &'a UpgradeView, cluster: &str, ids: &mut RangeFrom<u32>) -> Self {
        let upgrade = &view.upgrade;
        let mut text = cluster.to_owned();
        push_label(&mut text, "kind", upgrade.kind.as_str());
        let labels = Labels::new(ids, text);
        // Two lines with the same labels would cost the whole scrape.
        let mut seen = HashSet::new();
        let nodes = upgrade
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| seen.insert(&node.key))
            .map(|(place, node)| {
                let mut text = with_room(&labels.text, node.key.name.len() + node.key.role.len());
                push_label(&mut text, "node", &node.key.name);
                push_label(&mut text, "role", &node.key.role);
                ShownNode {
                    node,
                    work: view.work(place),
                    labels: Labels::new(ids, text),
                }
            })
            .collect();
        let mut seen = HashSet::new();
        let tasks = upgrade
            .tasks
            .iter()
            .filter(|task| seen.insert((task.order, &task.name)))
            .map(|task| {
                let mut text = with_room(&labels.text, task.name.len());
                push_label(&mut text, "order", &task.order.to_string());
                push_label(&mut text, "task", &task.name);
                ShownTask {
                    task,
                    labels: Labels::new(ids, text),
                }
            })
            .collect();
        Self {
            view,
            labels,
            nodes,
            tasks,
        }
    }
}

/// Copies labels into a text with room for two more, whose values have this length.
fn with_room(labels: &str, more: usize) -> String {
    let mut text = String::with_capacity(labels.len() + more + 32);
    text.push_str(labels);
    text
}
