//! Nodes of an upgrade: the vendor names those that are completed and those in work, and describes the
//! steps of one.

use std::collections::{HashMap, HashSet};

use super::super::wire::Detail;
use super::MappingInput;
use crate::model::bounds;
use crate::model::{Node, NodeCollector, NodeStatus, Task, TaskStatus, UpgradeStatus};

/// Collects the nodes that an upgrade in this state names, those in work with what `tasks` tell.
pub(super) fn nodes(
    detail: &Detail,
    status: UpgradeStatus,
    tasks: &[Task],
    input: &MappingInput<'_>,
) -> NodeCollector {
    let completed: HashSet<&str> = detail.completed_nodes.iter().collect();
    let current = || {
        let batch = detail.current_batch_nodes.iter();
        detail.current_node_name.iter().chain(batch)
    };
    let in_work: HashSet<&str> = current().collect();
    let described = described(detail);
    let roles = Roles::of(input);
    let names = detail.total_nodes.iter();
    let names = names.chain(detail.completed_nodes.iter()).chain(current());
    let mut nodes = NodeCollector::default();
    nodes.extend(names.map(|name| {
        let state = node_status(status, completed.contains(name), in_work.contains(name));
        let mut node = Node::new(name, &roles.role(name), state, "");
        let works = matches!(state, NodeStatus::Upgrading | NodeStatus::Failed);
        if works && described == Some(name) {
            describe(&mut node, tasks);
        }
        node
    }));
    nodes
}

/// State of a node. The vendor has none of its own; an upgrade that failed in part is over, so that
/// its other nodes do not wait any more.
fn node_status(upgrade: UpgradeStatus, is_completed: bool, is_in_work: bool) -> NodeStatus {
    match upgrade {
        _ if is_completed => NodeStatus::Succeeded,
        UpgradeStatus::Succeeded => NodeStatus::Succeeded,
        UpgradeStatus::PartiallyFailed => NodeStatus::Failed,
        UpgradeStatus::Failed if is_in_work => NodeStatus::Failed,
        _ if is_in_work => NodeStatus::Upgrading,
        _ => NodeStatus::Waiting,
    }
}

/// Returns the node whose steps `currentNodeDetail` tells: one, also when a batch of them is in work.
fn described(detail: &Detail) -> Option<&str> {
    let mut batch = detail.current_batch_nodes.iter();
    detail.current_node_name.iter().next().or_else(|| {
        let first = batch.next()?;
        batch.all(|name| name == first).then_some(first)
    })
}

/// Puts into a node what its tasks tell of it.
fn describe(node: &mut Node, tasks: &[Task]) {
    node.started = tasks.iter().filter_map(|task| task.start).min();
    node.updated = tasks
        .iter()
        .filter_map(|task| task.start.max(task.end))
        .max();
    node.task_order = current(tasks).map(|task| task.order);
    if node.status == NodeStatus::Upgrading && !tasks.is_empty() {
        let count = |n: usize| u32::try_from(n).map_or(f64::MAX, f64::from);
        let done = tasks
            .iter()
            .filter(|task| task.status == TaskStatus::Succeeded)
            .count();
        // A node that waits to be called done is not done.
        node.share_done = (count(done) / count(tasks.len())).min(0.99);
    }
}

/// Returns the task that runs, else the one that failed, else the last that ended.
fn current(tasks: &[Task]) -> Option<&Task> {
    let with = |status| tasks.iter().find(move |task| task.status == status);
    with(TaskStatus::Running)
        .or_else(|| with(TaskStatus::Failed))
        .or_else(|| {
            tasks
                .iter()
                .filter(|task| task.status == TaskStatus::Succeeded)
                .max_by_key(|task| (task.end, task.order))
        })
}

/// Roles of the nodes by name. A node that is being replaced can be missing in the list for a while:
/// then it keeps the role that it had, and its series their labels.
struct Roles<'a> {
    listed: HashMap<&'a str, &'a str>,
    remembered: HashMap<&'a str, &'a str>,
}

impl<'a> Roles<'a> {
    fn of(input: &MappingInput<'a>) -> Self {
        // The first entry of a name counts, as it does for a reader of the list.
        let first = |roles: &mut dyn Iterator<Item = (&'a str, &'a str)>| {
            let mut map = HashMap::new();
            for (name, role) in roles {
                map.entry(name).or_insert(role);
            }
            map
        };
        let instances = input.cluster.instances.iter();
        let seen = input.memory.upgrades.values();
        let told = seen.map(|seen| seen.fully_told.as_deref().unwrap_or(&seen.last));
        let nodes = told.flat_map(|upgrade| &upgrade.nodes);
        let nodes = nodes.filter(|node| !node.key.role.is_empty());
        Self {
            listed: first(&mut instances.map(|i| (&*i.name, i.role.trim()))),
            remembered: first(&mut nodes.map(|node| (&*node.key.name, &*node.key.role))),
        }
    }

    /// Returns the instance's type in lower case; empty when nothing tells it.
    fn role(&self, name: &str) -> String {
        match self.listed.get(name) {
            Some(role) if !role.is_empty() => role.to_ascii_lowercase(),
            _ => {
                let role = self.remembered.get(&*bounds::name(name));
                role.copied().unwrap_or_default().to_owned()
            }
        }
    }
}
