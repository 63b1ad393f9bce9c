//! From CCE's workflows, upgrade tasks and cluster phase to the one upgrade that is current.
//!
//! A workflow is what the console makes; its points become the tasks. An upgrade that was started
//! through the API alone is an upgrade task that no workflow's point names.

mod cancel;
mod choice;
mod outage;
mod ratio;

use jiff::Timestamp;

pub(super) use self::choice::foremost_tasks;
use self::choice::{Choice, cluster_point, names_cluster_task};
pub(super) use self::outage::{Source, Tasks};
use super::wire::{Point, Task, Workflow};
use super::words::{
    ClusterPhase, PointState, cluster_phase, is, point_state, shown, task_status, workflow_status,
};
use crate::clouds::huawei::time::go_time;
use crate::model::{self, Kind, Memory, Precheck, TaskStatus, Upgrade, UpgradeStatus};
use crate::text::non_empty;

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

/// Knowledge of a cluster's upgrades at one poll.
#[derive(Debug)]
pub(super) struct MappingInput<'a> {
    /// Phase of the cluster in the cluster list.
    pub(super) cluster_phase: &'a str,
    pub(super) workflows: &'a [Workflow],
    pub(super) tasks: &'a Tasks,
    pub(super) memory: &'a Memory,
    pub(super) now: Timestamp,
}

/// The current upgrade, without its nodes, and what the nodes need to know of it.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) upgrade: Upgrade,
    pub(super) stage: Stage,
    /// The nodes are in work: by the `Cluster` point, the upgrade's own task, or the cluster's phase.
    pub(super) is_in_work: bool,
    /// Task id of the precheck, where its point says that it failed; it may be empty.
    pub(super) failed_precheck: Option<String>,
    /// Task id of a precheck that passed, where it is to be used yet and its point does not tell until
    /// when it is good; not empty.
    pub(super) undated_precheck: Option<String>,
}

impl Current {
    fn new(upgrade: Upgrade, stage: Stage) -> Self {
        Self {
            is_in_work: upgrade.status == UpgradeStatus::Running,
            upgrade,
            stage,
            failed_precheck: None,
            undated_precheck: None,
        }
    }
}

/// Returns the current upgrade: one in work, else one that waits, else the one created last; where
/// neither workflow nor task tells of one, what the cluster's phase alone tells.
///
/// `words` collects what is not in the documents.
pub(super) fn current(input: &MappingInput<'_>, words: &mut Vec<String>) -> Option<Current> {
    let phase = known(
        cluster_phase(input.cluster_phase),
        ClusterPhase::Other,
        input.cluster_phase,
        words,
    );
    let seen = input.memory.last(Kind::Version);
    let forgotten = seen.filter(|seen| seen.forgotten);
    let forgotten = forgotten.and_then(|seen| seen.last.id.as_deref());
    let tasks = input.tasks;
    let chosen = match choice::choose(input.workflows, tasks, forgotten) {
        Some(Choice::Workflow(workflow)) => {
            // Once the last list is too old, it tells nothing of what is in work.
            let is_told =
                |task: &&Task| tasks.source != Source::Lapsed && names_cluster_task(workflow, task);
            let task = tasks.list.iter().find(is_told);
            let mut current = of_workflow(workflow, task, phase, words);
            outage::of_workflow(&mut current.upgrade, tasks.source);
            Some(current)
        }
        Some(Choice::Task(task)) => {
            let mut current = of_task(task, phase, words);
            outage::of_task(&mut current.upgrade, tasks.source, phase);
            current.is_in_work = current.upgrade.status == UpgradeStatus::Running;
            Some(current)
        }
        None => of_cluster(phase, input.memory, input.now),
    };
    outage::unseen(chosen, input, phase)
}

fn of_workflow(
    workflow: &Workflow,
    cluster_task: Option<&Task>,
    cluster_phase: ClusterPhase,
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
    upgrade.id = non_empty(&workflow.metadata.uid);
    upgrade.from_version = non_empty(&workflow.spec.cluster_version);
    upgrade.to_version = non_empty(&workflow.spec.target_version);
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
    let progress = cluster_task.and_then(|task| ratio::progress(&task.status.progress));
    upgrade.ratio = ratio::of_points(status, points, progress);
    upgrade.own_progress = progress;
    // A cluster at work has started, even while no point tells of it.
    upgrade.starts_with_a_task =
        !cluster_phase.is_changing() || upgrade.tasks.iter().any(has_begun);
    // With the cluster itself at work, missing point statuses do not mean that nothing runs.
    upgrade.waits_for_person = !status.is_final()
        && !cluster_phase.is_changing()
        && !points.iter().any(|point| {
            let state = point_state(&point.status);
            matches!(state, PointState::Running | PointState::Queuing)
        });

    let cluster = cluster_point(workflow).map_or(PointState::Init, |p| point_state(&p.status));
    let stage = match (status, cluster) {
        (UpgradeStatus::Succeeded, _) => Stage::After,
        (_, PointState::Success) if cluster_phase != ClusterPhase::RollingBack => Stage::After,
        (_, PointState::Success | PointState::Running | PointState::Failed) => Stage::At,
        _ if cluster_phase.is_changing() => Stage::At,
        _ => Stage::Before,
    };
    let check = points.iter().rev().find(|p| is(&p.task_type, "PreCheck"));
    let in_state = |state| check.filter(|p| point_state(&p.status) == state);
    let passed = in_state(PointState::Success);
    let valid_until = passed.and_then(|p| go_time(&p.expires));
    let is_over = matches!(status, UpgradeStatus::Succeeded | UpgradeStatus::Cancelled);
    upgrade.details.is_cancellable = cancel::is_cancellable(workflow);
    upgrade.details.precheck = valid_until.filter(|_| !is_over).map(|until| Precheck {
        valid_until: Some(until),
        ..Precheck::default()
    });
    let is_undated = stage == Stage::Before && !status.is_final() && valid_until.is_none();
    Current {
        failed_precheck: in_state(PointState::Failed).map(|p| p.task_id.clone()),
        undated_precheck: passed
            .filter(|p| is_undated && !p.task_id.is_empty())
            .map(|p| p.task_id.clone()),
        is_in_work: !status.is_final()
            && (cluster == PointState::Running || cluster_phase.is_changing()),
        upgrade,
        stage,
    }
}

fn of_task(task: &Task, cluster_phase: ClusterPhase, words: &mut Vec<String>) -> Current {
    let phase = &task.status.phase;
    let status = known(task_status(phase), UpgradeStatus::Unknown, phase, words);
    let status = with_cluster_phase(status, cluster_phase);
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.id = non_empty(&task.metadata.uid);
    upgrade.from_version = non_empty(&task.spec.version);
    upgrade.to_version = non_empty(&task.spec.target_version);
    upgrade.requested = go_time(&task.metadata.creation_timestamp);
    // An unfinished task has a completion time too.
    if status.is_final() {
        upgrade.ended = go_time(&task.status.completion_time)
            .or_else(|| go_time(&task.metadata.update_timestamp));
    }
    upgrade.own_progress = ratio::progress(&task.status.progress);
    upgrade.ratio = ratio::of_task(status, upgrade.own_progress);
    let stage = match status {
        UpgradeStatus::Succeeded => Stage::After,
        UpgradeStatus::Pending if !cluster_phase.is_changing() => Stage::Before,
        _ => Stage::At,
    };
    Current::new(upgrade, stage)
}

/// Where the upgrade calls are not published, or tell nothing, the cluster's phase is all there is.
/// It has no times: the upgrade counts from when this process first saw it.
fn of_cluster(phase: ClusterPhase, memory: &Memory, now: Timestamp) -> Option<Current> {
    let status = match phase {
        ClusterPhase::Upgrading | ClusterPhase::RollingBack => UpgradeStatus::Running,
        ClusterPhase::RollbackFailed => UpgradeStatus::Failed,
        ClusterPhase::Other => return None,
    };
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.requested = since_first_seen(memory, now);
    Some(Current::new(upgrade, Stage::At))
}

/// Returns since when an upgrade without an id has been known.
fn since_first_seen(memory: &Memory, now: Timestamp) -> Option<Timestamp> {
    let seen = memory.last(Kind::Version).map(|seen| &seen.last);
    seen.filter(|last| last.id.is_none())
        .and_then(|last| last.requested)
        .or(Some(now))
}

/// A rollback is not in the workflow's own phase.
fn with_cluster_phase(status: UpgradeStatus, phase: ClusterPhase) -> UpgradeStatus {
    match phase {
        ClusterPhase::RollingBack => UpgradeStatus::Running,
        ClusterPhase::RollbackFailed => UpgradeStatus::Failed,
        ClusterPhase::Upgrading | ClusterPhase::Other => status,
    }
}

fn task_of((order, point): (u32, &Point), words: &mut Vec<String>) -> model::Task {
    let state = point_state(&point.status);
    if state == PointState::Unknown {
        words.push(shown(&point.status));
    }
    // CCE fills end times of what has not ended, so a time counts only where the status allows it.
    let ended = matches!(state, PointState::Success | PointState::Failed);
    let begun = !matches!(state, PointState::Init | PointState::Queuing);
    model::Task {
        order,
        name: point.task_type.clone(),
        status: state.task(),
        start: go_time(&point.start).filter(|_| begun),
        end: go_time(&point.end).filter(|_| ended),
        description: None,
    }
}

fn has_begun(task: &model::Task) -> bool {
    task.start.is_some() || !matches!(task.status, TaskStatus::Waiting | TaskStatus::Unknown)
}

/// The status, or `other` with the word told.
fn known<T>(status: Option<T>, other: T, raw: &str, words: &mut Vec<String>) -> T {
    status.unwrap_or_else(|| {
        words.push(shown(raw));
        other
    })
}

#[cfg(test)]
mod tests;
