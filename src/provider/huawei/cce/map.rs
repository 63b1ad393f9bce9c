//! From CCE's workflows, upgrade tasks and cluster phase to the one upgrade that is current.
//!
//! A workflow is what the console makes; its points become the tasks. An upgrade that was started
//! through the API alone is an upgrade task that no workflow's point names.

mod choice;

use jiff::Timestamp;

use self::choice::{Choice, cluster_point, names_cluster_task};
use super::wire::{Point, Task, TaskStatus as Status, Workflow};
use crate::model::{self, Kind, Memory, TaskStatus, Upgrade, UpgradeStatus};
use crate::provider::huawei::time::go_time;
use crate::text::clean;

/// What an upgrade that has not succeeded shows at most.
const NEARLY: f64 = 0.99;

/// Cluster phases of the documents. They are shown as they come; another one is counted.
const CLUSTER_PHASES: &[&str] = &[
    "Available",
    "Unavailable",
    "ScalingUp",
    "ScalingDown",
    "Creating",
    "Deleting",
    "Upgrading",
    "Resizing",
    "RollingBack",
    "RollbackFailed",
    "Hibernating",
    "Hibernation",
    "Awaking",
    "Empty",
    "Error",
];

/// How far an upgrade is with the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// They are not touched yet.
    Before,
    /// They are in work, or work on them ended badly.
    At,
    /// They are all done.
    After,
}

/// The current upgrade, without its nodes, and what the nodes need to know of it.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) upgrade: Upgrade,
    pub(super) stage: Stage,
    /// The task id of the precheck that failed, where that is what the upgrade failed at; it may
    /// be empty.
    pub(super) failed_precheck: Option<String>,
}

impl Current {
    fn new(upgrade: Upgrade, stage: Stage) -> Self {
        Self {
            upgrade,
            stage,
            failed_precheck: None,
        }
    }
}

/// Whether the cluster itself says that it is being upgraded or rolled back.
pub(super) fn is_changing(cluster_phase: &str) -> bool {
    matches!(cluster_phase, "Upgrading" | "RollingBack")
}

/// The current upgrade: one in work, else one that waits, else the one created last; where neither
/// workflow nor task tells of one, what the cluster's phase alone tells.
///
/// `words` collects what is not in the documents.
pub(super) fn current(
    cluster_phase: &str,
    workflows: &[Workflow],
    tasks: &[Task],
    memory: &Memory,
    now: Timestamp,
    words: &mut Vec<String>,
) -> Option<Current> {
    if !cluster_phase.is_empty() && !CLUSTER_PHASES.contains(&cluster_phase) {
        words.push(word(cluster_phase));
    }
    let chosen = choice::choose(workflows, tasks);
    match chosen {
        Some(Choice::Workflow(workflow)) => {
            let task = tasks.iter().find(|task| names_cluster_task(workflow, task));
            Some(of_workflow(workflow, task, cluster_phase, words))
        }
        Some(Choice::Task(task)) => Some(of_task(task, cluster_phase, words)),
        None => of_cluster(cluster_phase, memory, now),
    }
}

fn of_workflow(
    workflow: &Workflow,
    cluster_task: Option<&Task>,
    cluster_phase: &str,
    words: &mut Vec<String>,
) -> Current {
    let points = &workflow.status.point_statuses;
    let phase = &workflow.status.phase;
    let mut status = known(workflow_status(phase), UpgradeStatus::Unknown, phase, words);
    if let Some(task) = cluster_task {
        let phase = &task.status.phase;
        let task = known(task_status(phase), UpgradeStatus::Unknown, phase, words);
        if task == UpgradeStatus::Paused && !status.is_final() {
            status = UpgradeStatus::Paused;
        }
    }
    let status = with_cluster_phase(status, cluster_phase);
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.id = some(&workflow.metadata.uid);
    upgrade.from_version = some(&workflow.spec.cluster_version);
    upgrade.to_version = some(&workflow.spec.target_version);
    upgrade.requested = go_time(&workflow.metadata.creation_timestamp);
    upgrade.tasks = (1..).zip(points).map(|p| task_of(p, words)).collect();
    if status.is_final() {
        let ends = upgrade.tasks.iter().filter_map(|task| task.end);
        // It can be called off long after its last point ended.
        upgrade.ended = ends
            .max()
            .filter(|_| status != UpgradeStatus::Cancelled)
            .or_else(|| go_time(&workflow.metadata.update_timestamp));
    }
    let progress = cluster_task.and_then(|task| progress(&task.status.progress));
    upgrade.ratio = ratio(status, points, progress);
    upgrade.own_progress = progress;
    upgrade.starts_with_a_task = true;
    // With the cluster itself at work, missing point statuses do not mean that nothing runs.
    upgrade.waits_for_person = !status.is_final()
        && !is_changing(cluster_phase)
        && !points
            .iter()
            .any(|p| matches!(p.status.as_str(), "Running" | "Queuing"));

    let cluster = cluster_point(workflow).map_or("", |p| &p.status);
    let stage = match (status, cluster) {
        (UpgradeStatus::Succeeded, _) => Stage::After,
        (_, "Success") if cluster_phase != "RollingBack" => Stage::After,
        (_, "Success" | "Running" | "Failed") => Stage::At,
        _ if is_changing(cluster_phase) => Stage::At,
        _ => Stage::Before,
    };
    let failed = |p: &&Point| p.task_type == "PreCheck" && p.status == "Failed";
    Current {
        failed_precheck: points
            .iter()
            .rev()
            .find(failed)
            .filter(|_| stage == Stage::Before)
            .map(|p| p.task_id.clone()),
        upgrade,
        stage,
    }
}

fn of_task(task: &Task, cluster_phase: &str, words: &mut Vec<String>) -> Current {
    let phase = &task.status.phase;
    let status = known(task_status(phase), UpgradeStatus::Unknown, phase, words);
    let status = with_cluster_phase(status, cluster_phase);
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.id = some(&task.metadata.uid);
    upgrade.from_version = some(&task.spec.version);
    upgrade.to_version = some(&task.spec.target_version);
    upgrade.requested = go_time(&task.metadata.creation_timestamp);
    // An unfinished task has a completion time too.
    if status.is_final() {
        upgrade.ended = go_time(&task.status.completion_time)
            .or_else(|| go_time(&task.metadata.update_timestamp));
    }
    upgrade.own_progress = progress(&task.status.progress);
    upgrade.ratio = match status {
        UpgradeStatus::Succeeded => Some(1.0),
        _ => upgrade.own_progress.map(|p| p.min(NEARLY)),
    };
    let stage = match status {
        UpgradeStatus::Succeeded => Stage::After,
        UpgradeStatus::Pending if !is_changing(cluster_phase) => Stage::Before,
        _ => Stage::At,
    };
    Current::new(upgrade, stage)
}

/// Where the upgrade calls are not published, or tell nothing, the cluster's phase is all there is.
/// It has no times: the upgrade counts from when this process first saw it.
fn of_cluster(cluster_phase: &str, memory: &Memory, now: Timestamp) -> Option<Current> {
    let status = match cluster_phase {
        "Upgrading" | "RollingBack" => UpgradeStatus::Running,
        "RollbackFailed" => UpgradeStatus::Failed,
        _ => return None,
    };
    let mut upgrade = Upgrade::new(Kind::Version, status);
    let seen = memory.last(Kind::Version).map(|seen| &seen.last);
    upgrade.requested = seen
        .filter(|last| last.id.is_none())
        .and_then(|last| last.requested)
        .or(Some(now));
    Some(Current::new(upgrade, Stage::At))
}

/// A rollback is not in the workflow's own phase.
fn with_cluster_phase(status: UpgradeStatus, cluster_phase: &str) -> UpgradeStatus {
    match cluster_phase {
        "RollingBack" => UpgradeStatus::Running,
        "RollbackFailed" => UpgradeStatus::Failed,
        _ => status,
    }
}

/// `Pending` does not mean that it waits: a task has failed.
fn workflow_status(phase: &str) -> Option<UpgradeStatus> {
    Some(match phase {
        "Init" => UpgradeStatus::Pending,
        "Running" => UpgradeStatus::Running,
        "Pending" => UpgradeStatus::Failed,
        "Success" => UpgradeStatus::Succeeded,
        "Cancel" => UpgradeStatus::Cancelled,
        _ => return None,
    })
}

fn task_status(phase: &str) -> Option<UpgradeStatus> {
    Some(match phase {
        "Init" | "Queuing" => UpgradeStatus::Pending,
        "Running" => UpgradeStatus::Running,
        "Pause" => UpgradeStatus::Paused,
        "Success" => UpgradeStatus::Succeeded,
        "Failed" => UpgradeStatus::Failed,
        _ => return None,
    })
}

/// Whether a task or `upgradeinfo` tells that something goes on. `Init` does not: it may be what a
/// cluster says that was never upgraded.
pub(super) fn is_under_way(status: &Status) -> bool {
    !matches!(status.phase.as_str(), "" | "Init" | "Success" | "Failed")
}

/// Whether nothing will change in this task any more.
pub(super) fn is_over(status: &Status) -> bool {
    matches!(status.phase.as_str(), "Success" | "Failed")
}

fn task_of((order, point): (u32, &Point), words: &mut Vec<String>) -> model::Task {
    let status = match point.status.as_str() {
        "" | "Init" | "Queuing" => Some(TaskStatus::Waiting),
        "Running" => Some(TaskStatus::Running),
        "Success" => Some(TaskStatus::Succeeded),
        "Failed" => Some(TaskStatus::Failed),
        _ => None,
    };
    let status = known(status, TaskStatus::Unknown, &point.status, words);
    // CCE fills end times of what has not ended, so a time counts only where the status allows it.
    let ended = matches!(status, TaskStatus::Succeeded | TaskStatus::Failed);
    let begun = status != TaskStatus::Waiting;
    model::Task {
        order,
        name: point.task_type.clone(),
        status,
        start: go_time(&point.start).filter(|_| begun),
        end: go_time(&point.end).filter(|_| ended),
    }
}

/// (Finished points + the `Cluster` point's own progress) / points; 1 only when succeeded.
fn ratio(status: UpgradeStatus, points: &[Point], cluster_progress: Option<f64>) -> Option<f64> {
    if status == UpgradeStatus::Succeeded {
        return Some(1.0);
    }
    let count = f64::from(u32::try_from(points.len()).ok()?);
    if points.is_empty() {
        return None;
    }
    let finished = points.iter().filter(|p| p.status == "Success").count();
    let finished = f64::from(u32::try_from(finished).ok()?);
    let last_cluster = points.iter().rev().find(|p| p.task_type == "Cluster");
    let own = match last_cluster {
        Some(point) if point.status != "Success" => cluster_progress.unwrap_or(0.0).min(NEARLY),
        _ => 0.0,
    };
    Some(((finished + own) / count).min(NEARLY))
}

/// A progress text from 0 to 1. Its scale is not documented: above 1, or with a percent sign, it is
/// a percentage, else a fraction.
fn progress(text: &str) -> Option<f64> {
    let text = text.trim();
    let (number, percent) = match text.strip_suffix('%') {
        Some(number) => (number.trim_end(), true),
        None => (text, false),
    };
    let value: f64 = number.parse().ok()?;
    if !value.is_finite() || value < 0.0 {
        return None;
    }
    let fraction = if percent || value > 1.0 {
        value / 100.0
    } else {
        value
    };
    Some(fraction.min(1.0))
}

/// The status, or `other` with the word told.
fn known<T>(status: Option<T>, other: T, raw: &str, words: &mut Vec<String>) -> T {
    status.unwrap_or_else(|| {
        words.push(word(raw));
        other
    })
}

/// A word as it is told in the log, where an empty one would not be seen.
pub(super) fn word(raw: &str) -> String {
    if raw.is_empty() {
        "(empty)".to_owned()
    } else {
        clean(raw)
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
