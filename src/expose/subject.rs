//! A cluster as the families see it: what is shown of it at a time, with its labels written once.

use std::collections::HashSet;

use jiff::Timestamp;

use super::series::{LabelTexts, Labels, OF_CLUSTER};
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
    /// The cluster at `now`; its labels are added to `texts`.
    pub(crate) fn new(state: &'a ClusterState, now: Timestamp, texts: &mut LabelTexts) -> Self {
        let labels = [
            ("account", &*state.key.account),
            ("product", state.key.product),
            ("cluster_id", &*state.key.id),
            ("cluster_name", &*state.name),
        ];
        let labels = texts.add(None, &labels);
        let upgrades = state.shown(now);
        let upgrades = upgrades.map(|view| Shown::new(view, labels, texts));
        Self {
            state,
            now,
            upgrades: upgrades.collect(),
            labels,
        }
    }

    /// Builds the cluster for the families of its last poll alone; its labels are those of the version before.
    pub(crate) fn of_poll(state: &'a ClusterState, now: Timestamp) -> Self {
        Self {
            state,
            now,
            labels: OF_CLUSTER,
            upgrades: Vec::new(),
        }
    }

    /// Returns whether an upgrade of this kind is shown.
    pub(crate) fn shows(&self, kind: Kind) -> bool {
        self.upgrades.iter().any(|u| u.view.upgrade.kind == kind)
    }
}

/// Returns whether two states of a cluster differ in facts of the poll alone, and in facts that no family tells.
/// Upgrades that do not share their memory count as different: to compare them costs as much as to write
/// their lines.
pub(crate) fn differ_by_poll_alone(state: &ClusterState, before: &ClusterState) -> bool {
    let ClusterState {
        key,
        cloud,
        cloud_region,
        name,
        version,
        version_name: _,
        raw_status,
        status_meaning: _,
        available,
        up: _,
        answered,
        last_success: _,
        last_error: _,
        poll_interval: _,
        thresholds,
        upgrades,
        degraded: _,
    } = state;
    let mut views = upgrades.iter().zip(&before.upgrades);
    *key == before.key
        && *cloud == before.cloud
        && *cloud_region == before.cloud_region
        && *name == before.name
        && *version == before.version
        && *raw_status == before.raw_status
        && *available == before.available
        && *answered == before.answered
        && *thresholds == before.thresholds
        && upgrades.len() == before.upgrades.len()
        && views.all(|(view, before)| view.is_shared_with(before))
}

impl<'a> Shown<'a> {
    fn new(view: &'a UpgradeView, cluster: Labels, texts: &mut LabelTexts) -> Self {
        let upgrade = &view.upgrade;
        let labels = texts.add(Some(cluster), &[("kind", upgrade.kind.as_str())]);
        // Two lines with the same labels would cost the whole scrape.
        let mut seen = HashSet::with_capacity(upgrade.nodes.len());
        let nodes = upgrade
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| seen.insert(&node.key))
            .map(|(place, node)| ShownNode {
                node,
                work: view.work(place),
                labels: texts.add(
                    Some(labels),
                    &[("node", &node.key.name), ("role", &node.key.role)],
                ),
            })
            .collect();
        let mut seen = HashSet::with_capacity(upgrade.tasks.len());
        let tasks = upgrade
            .tasks
            .iter()
            .filter(|task| seen.insert((task.order, &task.name)))
            .map(|task| ShownTask {
                task,
                labels: texts.add(
                    Some(labels),
                    &[("order", &task.order.to_string()), ("task", &task.name)],
                ),
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
