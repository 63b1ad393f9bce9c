//! Chooses the entry of the history that describes the current upgrade: a workflow, or a task that no
//! workflow names.

use std::cmp::Reverse;
use std::collections::HashSet;

use jiff::Timestamp;

use super::super::wire::{Point, Task, Workflow};
use super::{task_status, workflow_status};
use crate::model::UpgradeStatus;
use crate::provider::huawei::time::go_time;

/// Workflows, and tasks, of a history that are compared with each other.
const MAX_HISTORY: usize = 1_000;

/// Chooses the entry in work, else one that waits, else the one created last. A task counts only when
/// no workflow stands for it.
pub(super) fn choose<'a>(workflows: &'a [Workflow], tasks: &'a [Task]) -> Option<Choice<'a>> {
    let workflows = foremost(workflows.iter().map(Choice::Workflow).collect());
    let tasks = foremost(tasks.iter().map(Choice::Task).collect());
    let mut ids = HashSet::new();
    let mut without_id = Vec::new();
    for choice in &workflows {
        let Choice::Workflow(workflow) = *choice else {
            continue;
        };
        let points = workflow.status.point_statuses.iter();
        ids.extend(points.map(|point| point.task_id.as_str()));
        without_id.extend(
            cluster_point(workflow)
                .filter(|p| p.task_id.is_empty())
                .map(|_| workflow),
        );
    }
    ids.remove("");
    let is_own = |choice: &Choice<'_>| match choice {
        Choice::Workflow(_) => true,
        Choice::Task(task) => {
            !ids.contains(task.metadata.uid.as_str())
                && !without_id.iter().any(|w| names_cluster_task(w, task))
        }
    };
    let own = tasks.into_iter().filter(is_own);
    workflows.into_iter().chain(own).max_by_key(Choice::rank)
}

/// Returns the entries that may be current, at most [`MAX_HISTORY`], in the order of the answer.
fn foremost(mut entries: Vec<Choice<'_>>) -> Vec<Choice<'_>> {
    if entries.len() > MAX_HISTORY {
        entries.sort_by_cached_key(|entry| Reverse(entry.rank()));
        entries.truncate(MAX_HISTORY);
        entries.reverse();
    }
    entries
}

/// Entry of the history that describes the current upgrade.
pub(super) enum Choice<'a> {
    Workflow(&'a Workflow),
    Task(&'a Task),
}

impl<'a> Choice<'a> {
    /// The history has no documented order, so it is never read by its order. A phase that nobody
    /// knows counts as ended here: a new final word on an old entry must not hide what came after.
    fn rank(&self) -> (u8, Option<Timestamp>, Option<Timestamp>, &'a str) {
        let (status, metadata) = match self {
            Self::Workflow(w) => (workflow_status(&w.status.phase), &w.metadata),
            Self::Task(t) => (task_status(&t.status.phase), &t.metadata),
        };
        let activity = match status {
            Some(UpgradeStatus::Running | UpgradeStatus::Paused) => 2,
            Some(UpgradeStatus::Pending) => 1,
            _ => 0,
        };
        (
            activity,
            go_time(&metadata.creation_timestamp),
            go_time(&metadata.update_timestamp),
            &metadata.uid,
        )
    }
}

fn is_named(point: &Point, task: &Task) -> bool {
    !point.task_id.is_empty() && point.task_id == task.metadata.uid
}

/// Returns true for the task of the workflow's `Cluster` point.
///
/// Points may come without ids. A point that has begun and has none is that of a task of the same
/// target that is not older than the workflow: of one under way while the point is, else of one
/// that was there when the workflow last changed.
pub(super) fn names_cluster_task(workflow: &Workflow, task: &Task) -> bool {
    let Some(point) = cluster_point(workflow) else {
        return false;
    };
    if !point.task_id.is_empty() {
        return is_named(point, task);
    }
    let created = go_time(&task.metadata.creation_timestamp);
    let fits = match point.status.as_str() {
        "Queuing" | "Running" => {
            task_status(&task.status.phase).is_some_and(|status| !status.is_final())
        }
        "Success" | "Failed" => created <= go_time(&workflow.metadata.update_timestamp),
        _ => false,
    };
    fits && created >= go_time(&workflow.metadata.creation_timestamp)
        && is_same_version(&task.spec.target_version, &workflow.spec.target_version)
}

/// The last one, should there be several.
pub(super) fn cluster_point(workflow: &Workflow) -> Option<&Point> {
    let points = &workflow.status.point_statuses;
    points.iter().rev().find(|p| p.task_type == "Cluster")
}

/// Versions are alike when one begins the other at a whole number: what is asked for as `v1.23`
/// comes back as `v1.23.8-r0`.
pub(super) fn is_same_version(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    long.strip_prefix(short)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_is_compared_by_its_newest_entries() {
        let at = |n: usize| {
            format!(
                "2026-01-01 {:02}:{:02}:{:02} +0000 UTC",
                n / 3600,
                n / 60 % 60,
                n % 60
            )
        };
        let workflow = |n: usize| {
            let mut workflow = Workflow::default();
            workflow.metadata.uid = format!("w{n}");
            workflow.metadata.creation_timestamp = at(n);
            workflow.status.phase = "Success".to_owned();
            workflow.status.point_statuses = vec![Point {
                task_type: "Cluster".to_owned(),
                status: "Success".to_owned(),
                ..Point::default()
            }];
            workflow
        };
        let task = |n: usize| {
            let mut task = Task::default();
            task.metadata.uid = format!("t{n}");
            task.metadata.creation_timestamp = at(n);
            task.status.phase = "Success".to_owned();
            task.spec.target_version = format!("v{n}");
            task
        };
        assert!(go_time(&at(1)).is_some());
        let workflows: Vec<Workflow> = (0..20_000).rev().map(workflow).collect();
        let tasks: Vec<Task> = (0..20_000).map(task).collect();
        let newest = |tasks: &[Task]| match choose(&workflows, tasks) {
            Some(Choice::Workflow(workflow)) => workflow.metadata.uid.clone(),
            Some(Choice::Task(task)) => task.metadata.uid.clone(),
            None => String::new(),
        };
        assert_eq!(newest(&tasks[..100]), "w19999");
        assert_eq!(newest(&[task(20_001)]), "t20001");
    }
}
