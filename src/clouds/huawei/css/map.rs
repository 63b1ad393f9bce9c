//! Maps CSS's answers to the model. Pure.

mod nodes;
pub(super) mod untold;
mod versions;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::super::time::{NotATime, naive, strict_naive};
use super::wire::{Cluster, Detail, Step};
use crate::cloud::check_id;
use crate::http::ApiError;
use crate::model::bounds;
use crate::model::{Kind, Memory, Observation, Reason, Task, TaskStatus, Upgrade, UpgradeStatus};
use crate::text::{clean, non_empty, quote};

/// Input of the mapping beside the upgrade's own answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct MappingInput<'a> {
    /// The upgrade's cluster in the list.
    pub(super) cluster: &'a Cluster,
    /// Record of earlier polls.
    pub(super) memory: &'a Memory,
    /// Zone of dates.
    pub(super) zone: Offset,
}

/// Maps a cluster of the list, without upgrades.
pub(super) fn observation(cluster: &Cluster) -> Observation {
    Observation {
        name: cluster.name.clone(),
        version: cluster.datastore.version.clone(),
        raw_status: clean(&cluster.status),
        status_meaning: status_meaning(&cluster.status),
        changing: cluster.status == "100" || !cluster.actions.is_empty(),
        upgrades: Vec::new(),
        unknown_words: Vec::new(),
        refused: None,
        ..Observation::default()
    }
}

/// Returns the meaning of a cluster's code, as the vendor documents it; `None` of any other.
fn status_meaning(code: &str) -> Option<&'static str> {
    match code.trim() {
        "100" => Some("in progress"),
        "200" => Some("available"),
        "300" => Some("unavailable"),
        "303" => Some("failed"),
        _ => None,
    }
}

/// Maps the upgrade of this kind that matters now. `details` is the whole history in no order that
/// the vendor promises: the one that runs is chosen, else the one that started last.
pub(super) fn upgrade(
    kind: Kind,
    details: Vec<Detail>,
    input: &MappingInput<'_>,
    unknown_words: &mut Vec<String>,
) -> Result<Option<Upgrade>, ApiError> {
    let with_start = details.into_iter().map(|detail| {
        let started = start(&detail, input.zone)?;
        Ok((started, detail))
    });
    let with_start = with_start.collect::<Result<Vec<_>, ApiError>>()?;
    let chosen = with_start
        .into_iter()
        .max_by_key(|(started, detail)| (detail.is_running(), *started, detail.id.clone()));
    let Some((started, chosen)) = chosen else {
        return Ok(None);
    };
    check_id("id of the upgrade", &chosen.id)?;
    let mut upgrade = read(kind, &chosen, input, unknown_words);
    upgrade.requested = started;
    let (from, to) = versions::versions(&upgrade, &chosen, input);
    (upgrade.from_version, upgrade.to_version) = (from, to);
    if kind == Kind::AzMigration {
        upgrade.details.zone_move = versions::zone_move(&chosen);
    }
    Ok(Some(upgrade))
}

/// Reads when an upgrade was requested, which decides which one is the last.
fn start(detail: &Detail, zone: Offset) -> Result<Option<Timestamp>, ApiError> {
    strict_naive(&detail.start_time, zone).map_err(|NotATime| {
        ApiError::new(
            Reason::Protocol,
            format!(
                "startTime {} of an upgrade is not a time; the answer is not used, ask the vendor",
                quote(&bounds::label(&detail.start_time))
            ),
        )
    })
}

/// Maps an upgrade, but for its request and what depends on it.
fn read(
    kind: Kind,
    detail: &Detail,
    input: &MappingInput<'_>,
    unknown_words: &mut Vec<String>,
) -> Upgrade {
    let time = |text: &str| naive(text, input.zone);
    let status = status(&detail.status).unwrap_or_else(|| {
        note(unknown_words, &detail.status);
        UpgradeStatus::Unknown
    });
    let mut upgrade = Upgrade::new(kind, status);
    upgrade.id = non_empty(&detail.id);
    // After a retry the end of the execution before may still stand there.
    upgrade.ended = time(&detail.end_time).filter(|_| status.is_final());
    upgrade.details.agency = non_empty(&detail.agency_name);
    upgrade.executions = detail.execute_times.and_then(|n| u64::try_from(n).ok());
    upgrade.tasks = tasks(&detail.steps, &time, unknown_words);
    upgrade.set_nodes(nodes::nodes(detail, status, &upgrade.tasks, input));
    upgrade
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

/// Maps the steps of the node in work, in the vendor's order; its numbers have gaps. A step without a
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
            description: non_empty(&step.description),
        })
        .collect();
    tasks.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
    tasks.dedup_by(|a, b| (a.order, &a.name) == (b.order, &b.name));
    tasks
}

#[cfg(test)]
mod tests;
