//! From CSS's words to the model. Pure.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::Offset;

use super::super::time::naive;
use super::wire::{Cluster, Detail, Step};
use crate::model::bounds;
use crate::model::{
    Kind, Memory, Node, NodeCollector, NodeStatus, Observation, Task, TaskStatus, Upgrade,
    UpgradeStatus,
};
use crate::provider::ApiError;
use crate::provider::error::check_id;
use crate::text::clean;

/// What an upgrade is read against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'a> {
    /// Its cluster.
    pub(super) cluster: &'a Cluster,
    /// What earlier polls saw.
    pub(super) memory: &'a Memory,
    /// The zone of dates.
    pub(super) zone: Offset,
}

/// What the list tells of a cluster; its upgrades are told elsewhere.
pub(super) fn observation(cluster: &Cluster) -> Observation {
    Observation {
        name: cluster.name.clone(),
        version: cluster.datastore.version.clone(),
        raw_status: clean(&cluster.status),
        changing: cluster.status == "100" || !cluster.actions.is_empty(),
        upgrades: Vec::new(),
        unknown_words: Vec::new(),
        refused: None,
        ..Observation::default()
    }
}

/// The upgrade of this kind that matters now. `details` is the whole history in no order that the
/// vendor promises: the one that runs is chosen, else the one that started last.
pub(super) fn upgrade(
    kind: Kind,
    details: Vec<Detail>,
    ground: &Ground<'_>,
    unknown_words: &mut Vec<String>,
) -> Result<Option<Upgrade>, ApiError> {
    let chosen = details.into_iter().max_by_key(|detail| {
        let runs = status(&detail.status) == Some(UpgradeStatus::Running);
        (
            runs,
            naive(&detail.start_time, ground.zone),
            detail.id.clone(),
        )
    });
    let Some(chosen) = chosen else {
        return Ok(None);
    };
    check_id("id of the upgrade", &chosen.id)?;
    Ok(Some(read(kind, &chosen, ground, unknown_words)))
}

fn read(
    kind: Kind,
    detail: &Detail,
    ground: &Ground<'_>,
    unknown_words: &mut Vec<String>,
) -> Upgrade {
    let time = |text: &str| naive(text, ground.zone);
    let status = status(&detail.status).unwrap_or_else(|| {
        note(unknown_words, &detail.status);
        UpgradeStatus::Unknown
    });
    let mut upgrade = Upgrade::new(kind, status);
    upgrade.id = told(&detail.id);
    upgrade.requested = time(&detail.start_time);
    // After a retry the end of the execution before may still stand there.
    upgrade.ended = time(&detail.end_time).filter(|_| status.is_final());
    upgrade.executions = detail.execute_times.and_then(|n| u64::try_from(n).ok());
    upgrade.tasks = tasks(&detail.steps, &time, unknown_words);
    upgrade.set_nodes(nodes(detail, status, &upgrade.tasks, ground));
    if kind == Kind::Version {
        let image = &detail.image_info;
        // The display name is the image's; the version is what its users ask for.
        upgrade.to_version = told(&image.datastore_version).or_else(|| told(&image.display_name));
        let before = ground.memory.last(kind).map(|seen| &seen.last);
        upgrade.from_version = before
            .filter(|before| before.is_same(&upgrade))
            .and_then(|before| before.from_version.clone())
            // While it runs the list still tells the version before.
            .or_else(|| match status {
                UpgradeStatus::Running => told(&ground.cluster.datastore.version),
                _ => None,
            });
    }
    upgrade
}

fn told(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn note(unknown_words: &mut Vec<String>, word: &str) {
    if !word.trim().is_empty() {
        unknown_words.push(clean(word));
    }
}

fn status(word: &str) -> Option<UpgradeStatus> {
    match word.trim().to_ascii_uppercase().as_str() {
        "RUNNING" => Some(UpgradeStatus::Running),
        "SUCCESS" => Some(UpgradeStatus::Succeeded),
        "FAILED" => Some(UpgradeStatus::Failed),
        "PARTIAL_FAILED" => Some(UpgradeStatus::PartiallyFailed),
        _ => None,
    }
}

fn task_status(step: &Step) -> Option<TaskStatus> {
    match step.status.trim().to_ascii_uppercase().as_str() {
        "WAITING" => Some(TaskStatus::Waiting),
        "RUNNING" => Some(TaskStatus::Running),
        "SUCCESS" => Some(TaskStatus::Succeeded),
        "FAILED" => Some(TaskStatus::Failed),
        _ => None,
    }
}

/// The steps of the node in work, in the vendor's order; its numbers have gaps. A step without a
/// number gets that of its place.
fn tasks(
    steps: &[Step],
    time: &dyn Fn(&str) -> Option<Timestamp>,
    unknown_words: &mut Vec<String>,
) -> Vec<Task> {
    let mut tasks: Vec<Task> = steps
        .iter()
        .enumerate()
        .map(|(place, step)| Task {
            order: step
                .order
                .and_then(|order| u32::try_from(order).ok())
                .or_else(|| u32::try_from(place).ok())
                .unwrap_or(u32::MAX),
            name: step.name.trim().to_owned(),
            status: task_status(step).unwrap_or_else(|| {
                note(unknown_words, &step.status);
                TaskStatus::Unknown
            }),
            start: time(&step.begin_time),
            end: time(&step.end_time),
        })
        .collect();
    tasks.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
    tasks.dedup_by(|a, b| (a.order, &a.name) == (b.order, &b.name));
    tasks
}

fn nodes(
    detail: &Detail,
    status: UpgradeStatus,
    tasks: &[Task],
    ground: &Ground<'_>,
) -> NodeCollector {
    let completed: HashSet<&str> = detail.completed_nodes.iter().collect();
    let current = || {
        let batch = detail.current_batch_nodes.iter();
        detail.current_node_name.iter().chain(batch)
    };
    let in_work: HashSet<&str> = current().collect();
    let broke = matches!(
        status,
        UpgradeStatus::Failed | UpgradeStatus::PartiallyFailed
    );
    let described = described(detail);
    let roles = Roles::of(ground);
    let names = detail.total_nodes.iter();
    let names = names.chain(detail.completed_nodes.iter()).chain(current());
    let mut nodes = NodeCollector::default();
    nodes.extend(names.map(|name| {
        let state = if status == UpgradeStatus::Succeeded || completed.contains(name) {
            NodeStatus::Succeeded
        } else if in_work.contains(name) {
            if broke {
                NodeStatus::Failed
            } else {
                NodeStatus::Upgrading
            }
        } else {
            NodeStatus::Waiting
        };
        // The vendor has no word of its own for a node.
        let mut node = Node::new(name, &roles.role(name), state, "");
        let works = matches!(state, NodeStatus::Upgrading | NodeStatus::Failed);
        if works && described == Some(name) {
            describe(&mut node, tasks);
        }
        node
    }));
    nodes
}

/// The node whose steps `currentNodeDetail` tells: one, also when a batch of them is in work.
fn described(detail: &Detail) -> Option<&str> {
    let mut batch = detail.current_batch_nodes.iter();
    detail.current_node_name.iter().next().or_else(|| {
        let first = batch.next()?;
        batch.all(|name| name == first).then_some(first)
    })
}

/// What the tasks tell of their node.
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

/// The task that runs, else the one that failed, else the last that ended.
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
    fn of(ground: &Ground<'a>) -> Self {
        // The first entry of a name counts, as it does for a reader of the list.
        let first = |roles: &mut dyn Iterator<Item = (&'a str, &'a str)>| {
            let mut map = HashMap::new();
            for (name, role) in roles {
                map.entry(name).or_insert(role);
            }
            map
        };
        let instances = ground.cluster.instances.iter();
        let nodes = ground.memory.upgrades.values();
        let nodes = nodes.flat_map(|seen| &seen.last.nodes);
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

#[cfg(test)]
mod tests;
