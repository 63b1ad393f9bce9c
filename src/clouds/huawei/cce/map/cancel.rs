//! Cancellability of a workflow, by its lines.

use std::collections::HashMap;

use super::super::wire::{Line, Point, Workflow};
use super::super::words::{PointState, is, point_state, workflow_status};
use crate::model::UpgradeStatus;

/// Returns whether the vendor would cancel the workflow now; `None` when no line tells, and once the
/// workflow ended.
///
/// The vendor's page says of a critical line that a workflow cannot be cancelled while it has not been
/// run. A line counts as run when the point at its end has ended, well or badly. Besides, the vendor
/// cancels nothing while a point is in work or in the queue.
pub(super) fn is_cancellable(workflow: &Workflow) -> Option<bool> {
    let status = workflow_status(&workflow.status.phase)?;
    if matches!(status, UpgradeStatus::Succeeded | UpgradeStatus::Cancelled) {
        return None;
    }
    let points = &workflow.status.point_statuses;
    let lines = workflow.status.line_statuses.iter();
    let told: Vec<(&Line, bool)> = lines
        .filter_map(|line| Some((line, flag(&line.critical)?)))
        .collect();
    if told.is_empty() {
        return None;
    }
    let is_at_work = |point: &Point| {
        let state = point_state(&point.status);
        matches!(state, PointState::Running | PointState::Queuing)
    };
    if points.iter().any(is_at_work) {
        return Some(false);
    }
    // Of several points of one type the last counts.
    let by_type: HashMap<String, PointState> = points
        .iter()
        .map(|point| (type_of(&point.task_type), point_state(&point.status)))
        .collect();
    let critical = told.iter().filter(|(_, is_critical)| *is_critical);
    let run: Vec<Option<bool>> = critical.map(|(line, _)| is_run(line, &by_type)).collect();
    if run.contains(&Some(false)) {
        return Some(false);
    }
    (!run.contains(&None)).then_some(true)
}

fn flag(word: &str) -> Option<bool> {
    if is(word, "true") {
        Some(true)
    } else {
        is(word, "false").then_some(false)
    }
}

/// Returns whether the line was run to its end; `None` where its point does not tell.
fn is_run(line: &Line, by_type: &HashMap<String, PointState>) -> Option<bool> {
    match by_type.get(&type_of(&line.end_point.task_type))? {
        PointState::Success | PointState::Failed => Some(true),
        PointState::Init | PointState::Queuing | PointState::Running => Some(false),
        PointState::Unknown => None,
    }
}

/// Returns a type of points in its one form: case does not count.
fn type_of(word: &str) -> String {
    word.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Reads a workflow whose line from `Cluster` to `PostCheck` is critical as told.
    fn told(phase: &str, states: [&str; 3], critical: &Value) -> Option<bool> {
        let [check, cluster, after] = states;
        let workflow = json!({"metadata": {"uid": "w"}, "status": {
            "phase": phase,
            "pointStatuses": [
                {"taskType": "PreCheck", "status": check},
                {"taskType": "Cluster", "status": cluster},
                {"taskType": "PostCheck", "status": after},
            ],
            "lineStatuses": [
                {"startPoint": {"taskType": "PreCheck"}, "endPoint": {"taskType": "Cluster"}, "critical": "false"},
                {"startPoint": {"taskType": "Cluster"}, "endPoint": {"taskType": "PostCheck"}, "critical": critical},
            ],
        }});
        is_cancellable(&serde_json::from_value(workflow).unwrap())
    }

    #[test]
    fn a_critical_line_that_was_not_run_forbids_it() {
        for critical in [json!(true), json!("true"), json!("True")] {
            for (states, want) in [
                (["Success", "", ""], false),
                (["Success", "Failed", "Init"], false),
                (["Success", "Success", "Failed"], true),
                (["Success", "Success", "Success"], true),
            ] {
                let can = told("Pending", states, &critical);
                assert_eq!(can, Some(want), "{states:?}");
            }
        }
        for critical in [json!(false), json!("false"), json!(null), json!("maybe")] {
            let can = told("Pending", ["Failed", "", ""], &critical);
            assert_eq!(can, Some(true), "{critical}");
        }
    }

    #[test]
    fn nothing_is_cancelled_while_a_point_is_in_work() {
        for state in ["Running", "Queuing"] {
            let can = told("Running", [state, "", ""], &json!(false));
            assert_eq!(can, Some(false), "{state}");
        }
    }

    #[test]
    fn the_last_point_of_a_type_counts_in_any_case() {
        let can = |states: [&str; 2]| {
            let [first, last] = states;
            let workflow = json!({"metadata": {"uid": "w"}, "status": {
                "phase": "Pending",
                "pointStatuses": [
                    {"taskType": "Cluster", "status": first},
                    {"taskType": " cluster", "status": last},
                ],
                "lineStatuses": [{"endPoint": {"taskType": "CLUSTER"}, "critical": "true"}],
            }});
            is_cancellable(&serde_json::from_value(workflow).unwrap())
        };
        assert_eq!(can(["Init", "Failed"]), Some(true));
        assert_eq!(can(["Failed", "Init"]), Some(false));
    }

    #[test]
    fn many_lines_and_points_are_read_in_time() {
        let many = |entry: Value, count| vec![entry; count];
        let line = json!({"endPoint": {"taskType": "Cluster"}, "critical": "true"});
        let workflow = json!({"status": {
            "phase": "Pending",
            "pointStatuses": many(json!({"taskType": "Check"}), 50_000),
            "lineStatuses": many(line, 50_000),
        }});
        let workflow = serde_json::from_value(workflow).unwrap();
        // Each line against each point would take minutes.
        assert_eq!(is_cancellable(&workflow), None);
    }

    #[test]
    fn untold_or_ended_is_neither() {
        for phase in ["Success", "Cancel", "Unheard"] {
            let can = told(phase, ["Failed", "", ""], &json!(true));
            assert_eq!(can, None, "{phase}");
        }
        let can = told("Pending", ["Success", "Success", "Unheard"], &json!(true));
        assert_eq!(can, None);
        let mut workflow = Workflow::default();
        workflow.status.phase = "Pending".to_owned();
        assert_eq!(is_cancellable(&workflow), None);
    }
}
