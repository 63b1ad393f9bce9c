//! Chooses the entry of the history that describes the current upgrade: a workflow, or a task that no
//! workflow names.

use std::cmp::Reverse;
use std::collections::HashSet;

use jiff::Timestamp;

use super::super::wire::{EntryMetadata, Point, Task, Workflow};
use super::super::words::{PointState, is, point_state, task_status, workflow_status};
use super::outage::{Source, Tasks};
use crate::clouds::huawei::time::go_time;
use crate::model::UpgradeStatus;

/// Workflows, and tasks, of a history that are compared with each other.
const MAX_HISTORY: usize = 1_000;

/// Chooses the entry in work, else one that waits, else the one created last. A task counts only when
/// no workflow stands for it.
///
/// An entry in `Init` that was created before another one that ended is abandoned. A newer one does
/// not hide a failure until it runs, unless the failure is the `forgotten` entry. While tasks cannot be
/// listed, a task that had not ended gives way to a workflow that tells of its end.
pub(super) fn choose<'a>(
    workflows: &'a [Workflow],
    tasks: &'a Tasks,
    forgotten: Option<&str>,
) -> Option<Choice<'a>> {
    let mut entries = entries(workflows, &tasks.list);
    drop_superseded(&mut entries, tasks.source);
    let ends = entries.iter().filter(|entry| entry.has_ended());
    let last_end = ends.map(Choice::created).max();
    let is_abandoned = |entry: &Choice<'_>| {
        let created = entry.created();
        entry.activity() == Activity::Init
            && created.is_some()
            && last_end.is_some_and(|last| created < last)
    };
    let is_ended = |entry: &&Choice<'_>| entry.activity() == Activity::Ended;
    let last = entries.iter().filter(is_ended).copied();
    let last = last.max_by_key(Choice::rank);
    entries.retain(|entry| !is_abandoned(entry));
    let chosen = entries.into_iter().max_by_key(Choice::rank)?;
    let is_failure = |last: &Choice<'_>| {
        last.status() == Some(UpgradeStatus::Failed) && forgotten != Some(last.id())
    };
    match last.filter(is_failure) {
        Some(failure) if chosen.activity() == Activity::Init => Some(failure),
        _ => Some(chosen),
    }
}

/// Returns the workflows and those tasks that no workflow stands for.
fn entries<'a>(workflows: &'a [Workflow], tasks: &'a [Task]) -> Vec<Choice<'a>> {
    let is_told = |workflow: &&Workflow| {
        // A record without any of these tells of no upgrade.
        let (metadata, status) = (&workflow.metadata, &workflow.status);
        !(metadata.uid.is_empty()
            && metadata.creation_timestamp.is_empty()
            && workflow.spec.target_version.is_empty()
            && status.phase.is_empty()
            && status.point_statuses.is_empty())
    };
    let mut entries = foremost(
        workflows
            .iter()
            .filter(is_told)
            .map(Choice::Workflow)
            .collect(),
    );
    let mut ids = HashSet::new();
    let mut without_id = Vec::new();
    for entry in &entries {
        let Choice::Workflow(workflow) = *entry else {
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
    let tasks = foremost(tasks.iter().map(Choice::Task).collect());
    entries.extend(tasks.into_iter().filter(is_own));
    entries
}

/// Drops tasks whose end was missed because they cannot be listed: a workflow that was created later
/// tells so, or the end of the workflow that the task may belong to.
///
/// A later workflow that has not begun counts only once the last list is too old: the task may well go
/// on, and one failed poll must not change which upgrade is current.
fn drop_superseded(entries: &mut Vec<Choice<'_>>, source: Source) {
    if !source.is_failing() {
        return;
    }
    let mut last_created = None;
    let mut ended = Vec::new();
    for entry in entries.iter() {
        let Choice::Workflow(workflow) = *entry else {
            continue;
        };
        if entry.activity() != Activity::Init || source == Source::Lapsed {
            last_created = last_created.max(entry.created());
        }
        if entry.has_ended() {
            ended.push(workflow);
        }
    }
    entries.retain(|entry| match entry {
        Choice::Task(task) if !entry.has_ended() => {
            let created = entry.created();
            let is_before_another = created.is_some() && created < last_created;
            !is_before_another && !ended.iter().any(|workflow| may_own(workflow, task))
        }
        _ => true,
    });
}

/// Returns true for a workflow that may have started the task as its `Cluster` point: the point has no
/// id, the target is the same, and the task was created while the workflow went on.
fn may_own(workflow: &Workflow, task: &Task) -> bool {
    if !cluster_point(workflow).is_some_and(|point| point.task_id.is_empty())
        || !is_same_version(&task.spec.target_version, &workflow.spec.target_version)
    {
        return false;
    }
    let created = go_time(&task.metadata.creation_timestamp);
    created.is_some()
        && created >= go_time(&workflow.metadata.creation_timestamp)
        && created <= go_time(&workflow.metadata.update_timestamp)
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

/// Returns the tasks that may be current, at most [`MAX_HISTORY`].
pub(in super::super) fn foremost_tasks(mut tasks: Vec<Task>) -> Vec<Task> {
    if tasks.len() > MAX_HISTORY {
        tasks.sort_by_cached_key(|task| {
            let (activity, created, updated, id) = Choice::Task(task).rank();
            Reverse((activity, created, updated, id.to_owned()))
        });
        tasks.truncate(MAX_HISTORY);
    }
    tasks
}

/// Entry of the history that describes the current upgrade.
#[derive(Debug, Clone, Copy)]
pub(super) enum Choice<'a> {
    Workflow(&'a Workflow),
    Task(&'a Task),
}

/// Activity of an entry of the history, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Activity {
    /// It ended. A phase that is not in the documents counts as ended: a new final word on an old
    /// entry must not hide what came after.
    Ended,
    /// Nothing of it has begun.
    Init,
    /// It is in the queue.
    Queuing,
    /// It is in work.
    Running,
}

impl<'a> Choice<'a> {
    /// Returns what decides between entries: the history has no documented order, so it is never read
    /// by its order.
    fn rank(&self) -> (Activity, Option<Timestamp>, Option<Timestamp>, &'a str) {
        let (metadata, _) = self.parts();
        (
            self.activity(),
            self.created(),
            go_time(&metadata.update_timestamp),
            self.id(),
        )
    }

    fn parts(&self) -> (&'a EntryMetadata, &'a str) {
        match *self {
            Self::Workflow(workflow) => (&workflow.metadata, &workflow.status.phase),
            Self::Task(task) => (&task.metadata, &task.status.phase),
        }
    }

    fn id(&self) -> &'a str {
        &self.parts().0.uid
    }

    fn created(&self) -> Option<Timestamp> {
        go_time(&self.parts().0.creation_timestamp)
    }

    fn status(&self) -> Option<UpgradeStatus> {
        match self {
            Self::Workflow(workflow) => workflow_status(&workflow.status.phase),
            Self::Task(task) => task_status(&task.status.phase),
        }
    }

    fn has_ended(&self) -> bool {
        self.status().is_some_and(UpgradeStatus::is_final)
    }

    fn activity(&self) -> Activity {
        match self.status() {
            Some(UpgradeStatus::Running | UpgradeStatus::Paused) => Activity::Running,
            Some(UpgradeStatus::Pending) if is(self.parts().1, "Init") => Activity::Init,
            Some(UpgradeStatus::Pending) => Activity::Queuing,
            _ => Activity::Ended,
        }
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
    let fits = match point_state(&point.status) {
        PointState::Queuing | PointState::Running => {
            task_status(&task.status.phase).is_some_and(|status| !status.is_final())
        }
        PointState::Success | PointState::Failed => {
            created <= go_time(&workflow.metadata.update_timestamp)
        }
        PointState::Init | PointState::Unknown => false,
    };
    fits && created >= go_time(&workflow.metadata.creation_timestamp)
        && is_same_version(&task.spec.target_version, &workflow.spec.target_version)
}

/// The last one, should there be several.
pub(super) fn cluster_point(workflow: &Workflow) -> Option<&Point> {
    let points = &workflow.status.point_statuses;
    points.iter().rev().find(|p| is(&p.task_type, "Cluster"))
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
        let newest = |list: Vec<Task>| {
            let tasks = Tasks {
                list,
                ..Tasks::default()
            };
            let chosen = choose(&workflows, &tasks, None).unwrap();
            chosen.id().to_owned()
        };
        assert_eq!(newest((0..100).map(task).collect()), "w19999");
        assert_eq!(newest(vec![task(20_001)]), "t20001");
    }
}
