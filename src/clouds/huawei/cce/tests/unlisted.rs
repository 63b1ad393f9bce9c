//! Which upgrade is current while the tasks cannot be listed.

use serde_json::{Value, json};

use super::scripted::{Polled, Scripted, info, list, nodes, task, workflow};

const TASKS: &str = "upgrade/tasks";
const FAILING: [(&str, &str); 1] = [("ListUpgradeClusterTasks", "permission")];

/// Phases of a workflow that ended, with the status of its `Cluster` point and of the upgrade.
const ENDS: [(&str, &str, &str); 3] = [
    ("Pending", "Failed", "failed"),
    ("Success", "Success", "succeeded"),
    ("Cancel", "Failed", "cancelled"),
];

/// Workflow `w2`, created after the task `t` of [`task`].
fn newer(phase: &str, point: &str) -> Value {
    let mut newer = workflow(phase, point);
    newer["metadata"]["uid"] = json!("w2");
    newer["metadata"]["creationTimestamp"] = json!("2026-11-29 10:01:30 +0000 UTC");
    newer["metadata"]["updateTimestamp"] = json!("2026-11-29 10:02:00 +0000 UTC");
    newer["status"]["pointStatuses"][1]["taskID"] = json!("t2");
    newer
}

fn told(polled: &Polled) -> (&'static str, Option<&str>) {
    (polled.status(), polled.view().upgrade.id.as_deref())
}

#[tokio::test]
async fn a_kept_task_hides_no_newer_workflow() {
    for (phase, point, status) in ENDS {
        for minutes in [1, 30] {
            let mut one = Scripted::task_only("Running").await;
            assert_eq!(told(&one.poll().await), ("running", Some("t")));
            one.fail(TASKS, 403);
            one.phase("Available");
            assert_eq!(told(&one.poll_after(1).await), ("running", Some("t")));
            one.phase("Upgrading");
            one.set("upgradeworkflows", &list(&[newer("Running", "Running")]));
            assert_eq!(told(&one.poll_after(1).await), ("running", Some("w2")));
            one.phase("Available");
            one.set("upgradeworkflows", &list(&[newer(phase, point)]));
            for minutes in [minutes, 60] {
                let polled = one.poll_after(minutes).await;
                assert_eq!(told(&polled), (status, Some("w2")), "{minutes} min");
                assert_eq!(polled.degraded(), FAILING);
            }
        }
    }
}

#[tokio::test]
async fn a_newer_init_replaces_no_kept_task_until_the_list_lapses() {
    let mut one = Scripted::task_only("Running").await;
    one.phase("Available");
    one.set("upgradeworkflows", &list(&[newer("Init", "Init")]));
    assert_eq!(told(&one.poll().await), ("running", Some("t")));
    one.fail(TASKS, 403);
    assert_eq!(told(&one.poll_after(1).await), ("running", Some("t")));
    assert_eq!(told(&one.poll_after(16).await), ("pending", Some("w2")));
}

#[tokio::test]
async fn a_kept_task_ends_with_a_workflow_without_task_ids() {
    for (phase, point, status) in [
        ("Cancel", "Init", "cancelled"),
        ("Cancel", "Queuing", "cancelled"),
        ("Pending", "Init", "failed"),
        ("Success", "Success", "succeeded"),
    ] {
        let mut one = Scripted::upgrading("Running", "Running").await;
        let without_id = |phase, point| {
            let mut all = workflow(phase, point);
            let point = &mut all["status"]["pointStatuses"][1];
            point.as_object_mut().unwrap().remove("taskID");
            list(&[all])
        };
        one.set("upgradeworkflows", &without_id("Running", "Running"));
        assert_eq!(told(&one.poll().await), ("running", Some("w")));
        one.fail(TASKS, 403);
        one.phase("Available");
        one.set("upgradeworkflows", &without_id(phase, point));
        for minutes in [1, 60] {
            let polled = one.poll_after(minutes).await;
            assert_eq!(told(&polled), (status, Some("w")), "{phase} {point}");
            assert_eq!(polled.degraded(), FAILING);
        }
    }
}

#[tokio::test]
async fn a_kept_task_outlives_a_workflow_that_ended_before_it() {
    let mut retry = task("Running", "0.40");
    retry["metadata"]["creationTimestamp"] = json!("2026-11-29 09:57:00 +0000 UTC");
    retry["metadata"]["uid"] = json!("t3");
    let mut failed = workflow("Pending", "Failed");
    for id in [None, Some("t")] {
        failed["status"]["pointStatuses"][1]["taskID"] = json!(id);
        let mut one = Scripted::upgrading("Running", "Running").await;
        one.set("upgradeworkflows", &list(&[failed.clone()]));
        one.set(TASKS, &list(&[retry.clone()]));
        assert_eq!(told(&one.poll().await), ("running", Some("t3")));
        one.fail(TASKS, 403);
        assert_eq!(told(&one.poll_after(1).await), ("running", Some("t3")));
        // Called off after the task began, but its point names another one.
        if id.is_some() {
            failed["metadata"]["updateTimestamp"] = json!("2026-11-29 10:00:30 +0000 UTC");
            failed["status"]["phase"] = json!("Cancel");
            one.set("upgradeworkflows", &list(&[failed.clone()]));
            assert_eq!(told(&one.poll_after(1).await), ("running", Some("t3")));
        }
    }
}

#[tokio::test]
async fn a_flapping_call_is_no_progress_of_a_waiting_workflow() {
    for (phase, says, while_failing) in [
        ("Upgrading", "Success", "running"),
        ("Available", "Running", "unknown"),
    ] {
        for first_fails in [false, true] {
            let mut one = Scripted::upgrading("Init", "Init").await;
            one.phase(phase);
            one.set("upgradeinfo", &info(says));
            let mut began = None;
            for poll in 0..8 {
                let fails = (poll % 2 == 0) == first_fails;
                if fails {
                    one.fail(TASKS, 500);
                } else {
                    one.set(TASKS, &list(&[]));
                }
                let polled = one.poll_after(10).await;
                let status = if fails { while_failing } else { "pending" };
                assert_eq!(told(&polled), (status, Some("w")), "{phase} {poll}");
                let view = polled.view();
                assert_eq!((view.upgrade.tasks.len(), view.started), (2, None));
                let began = *began.get_or_insert(view.last_progress);
                assert_eq!(view.last_progress, began, "{phase} {poll}");
                let is_stalled = phase == "Upgrading" && !fails && poll > 3;
                assert!(view.stalled || !is_stalled, "{phase} {poll}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_waiting_workflow_tells_meanwhile_is_progress() {
    let mut one = Scripted::upgrading("Init", "Init").await;
    one.set(TASKS, &list(&[]));
    let first = one.poll().await.view().last_progress;
    one.fail(TASKS, 500);
    assert_eq!(one.poll_after(10).await.view().last_progress, first);
    one.set("nodes", &nodes(&["Active", "Upgrading"]));
    let moved = one.poll_after(10).await.view().last_progress;
    assert!(moved > first, "its nodes moved");
    one.set(TASKS, &list(&[]));
    assert_eq!(one.poll_after(10).await.view().last_progress, moved);
    one.set("upgradeworkflows", &list(&[workflow("Running", "Init")]));
    let begun = one.poll_after(10).await.view().last_progress;
    assert!(begun > moved, "it began");
}
