//! Secondary calls that fail.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::scripted::{Scripted, at, info, list, nodes, task, workflow};
use crate::model::Reason;

const TASKS: &str = "upgrade/tasks";
const LISTS: [&str; 2] = [TASKS, "nodes"];

/// Minutes from the begin of a test to a time, to the nearest.
fn minute(time: Timestamp) -> i64 {
    (time.duration_since(at()) + SignedDuration::from_secs(30)).as_mins()
}

#[tokio::test]
async fn progress_is_kept_for_15_minutes_and_neither_loss_nor_return_is_progress() {
    let mut one = Scripted::upgrading("Running", "Running").await;
    let first = one.poll().await;
    assert_eq!(first.nodes(), ["upgrading", "waiting"]);
    assert_eq!(first.view().ratio, Some(1.4 / 2.0));
    assert_eq!(
        minute(first.view().last_progress),
        0,
        "its silence begins at first sight"
    );
    for call in LISTS {
        one.fail(call, 500);
    }
    for minutes in [1, 14] {
        let kept = one.poll_after(minutes).await;
        assert_eq!(
            kept.nodes(),
            ["upgrading", "waiting"],
            "{minutes} min later"
        );
        assert_eq!(kept.view().ratio, Some(1.4 / 2.0));
        assert_eq!(
            kept.degraded(),
            [
                ("ListUpgradeClusterTasks", "server"),
                ("ListNodes", "server")
            ]
        );
        assert_eq!(minute(kept.advanced.degraded[0].since), 1);
    }
    let lapsed = one.poll_after(1).await;
    assert_eq!(lapsed.nodes(), [""; 0]);
    assert_eq!(
        lapsed.view().ratio,
        Some(1.0 / 2.0),
        "the points tell so much"
    );
    assert_eq!(lapsed.status(), "running");
    one.set(TASKS, &list(&[task("Running", "0.40")]));
    one.set("nodes", &nodes(&["Upgrading", "Active"]));
    let back = one.poll_after(1).await;
    assert_eq!(back.nodes(), ["upgrading", "waiting"]);
    assert_eq!(back.degraded(), []);
    for polled in [&lapsed, &back] {
        assert_eq!(minute(polled.view().last_progress), 0);
    }
    one.set(TASKS, &list(&[task("Running", "0.60")]));
    let moved = one.poll_after(1).await;
    assert_eq!(minute(moved.view().last_progress), 18);
}

#[tokio::test]
async fn what_moved_meanwhile_is_progress() {
    let mut one = Scripted::upgrading("Running", "Running").await;
    one.poll().await;
    one.fail("nodes", 403);
    one.poll_after(20).await;
    one.poll_after(20).await;
    one.set("nodes", &nodes(&["Active", "Upgrading"]));
    let back = one.poll_after(1).await;
    assert_eq!(
        back.nodes(),
        ["succeeded", "upgrading"],
        "seen in work before"
    );
    assert_eq!(minute(back.view().last_progress), 41);
}

#[tokio::test]
async fn nothing_stalls_whose_progress_cannot_be_seen() {
    for (call, status, point, suspended) in [
        (TASKS, "Running", "Running", true),
        ("nodes", "Running", "Running", true),
        (TASKS, "Running", "Success", false),
        ("nodes", "Running", "Success", false),
    ] {
        let mut one = Scripted::upgrading(status, point).await;
        if point == "Success" {
            one.phase("Available");
            let mut check = workflow(status, point);
            let points = check["status"]["pointStatuses"].as_array_mut().unwrap();
            points.push(json!({"taskType": "PostCheck", "status": "Running"}));
            one.set("upgradeworkflows", &list(&[check]));
        }
        one.poll().await;
        one.fail(call, 500);
        let silent = one.poll_after(31).await;
        let view = silent.view();
        assert_eq!(view.upgrade.is_stall_suspended, suspended, "{call} {point}");
        assert_eq!(view.stalled, !suspended, "{call} {point}");
    }
}

#[tokio::test]
async fn nodes_that_were_never_readable_suspend_no_stall_while_tasks_answer() {
    let mut one = Scripted::upgrading("Running", "Running").await;
    one.fail("nodes", 403);
    let first = one.poll().await;
    assert_eq!((first.status(), first.nodes().len()), ("running", 0));
    assert_eq!(first.advanced.degraded[0].permission, "cce:node:list");
    assert!(one.poll_after(31).await.view().stalled);
    one.fail(TASKS, 403);
    assert!(one.poll_after(1).await.view().upgrade.is_stall_suspended);
}

#[tokio::test]
async fn an_upgrade_that_ended_stays_ended() {
    for phase in ["Success", "Failed"] {
        let mut one = Scripted::task_only(phase).await;
        one.phase("Available");
        let want = if phase == "Success" {
            "succeeded"
        } else {
            "failed"
        };
        assert_eq!(one.poll().await.status(), want);
        one.fail(TASKS, 500);
        one.discover().await;
        for minutes in [1, 10, 20] {
            let polled = one.poll_after(minutes).await;
            assert_eq!(polled.status(), want, "{minutes} min");
            assert_eq!(polled.degraded(), [("ListUpgradeClusterTasks", "server")]);
            assert_eq!(polled.ended, 0);
        }
    }
}

#[tokio::test]
async fn an_upgrade_that_only_a_task_told_is_never_none() {
    let mut one = Scripted::task_only("Running").await;
    let first = one.poll().await;
    assert_eq!((first.status(), first.view().ratio), ("running", Some(0.4)));
    one.fail(TASKS, 403);
    let kept = one.poll_after(1).await;
    assert_eq!((kept.status(), kept.view().ratio), ("running", Some(0.4)));
    let lapsed = one.poll_after(16).await;
    let of_nodes = Some(0.0);
    assert_eq!(
        (lapsed.status(), lapsed.view().ratio),
        ("running", of_nodes)
    );
    assert_eq!(lapsed.view().upgrade.id.as_deref(), Some("t"));
    one.phase("Available");
    let unknown = one.poll_after(1).await;
    assert_eq!(unknown.status(), "unknown");
    assert_eq!(unknown.view().upgrade.id.as_deref(), Some("t"));
    assert_eq!(one.poll_after(60).await.status(), "unknown");
    one.phase("RollingBack");
    let back = one.poll_after(1).await;
    assert_eq!(back.status(), "running");
    assert_eq!(minute(back.view().last_progress), 0);
}

#[tokio::test]
async fn a_pause_that_only_a_task_told_is_kept_then_unknown() {
    let mut one = Scripted::task_only("Pause").await;
    assert_eq!(one.poll().await.status(), "paused");
    one.fail(TASKS, 500);
    assert_eq!(one.poll_after(1).await.status(), "paused");
    one.phase("Available");
    assert_eq!(one.poll_after(16).await.status(), "unknown");
}

#[tokio::test]
async fn without_any_task_the_phase_and_upgradeinfo_decide() {
    for (phase, says, want) in [
        ("Upgrading", "Success", "running"),
        ("RollingBack", "Success", "running"),
        ("Available", "Running", "unknown"),
        ("Available", "Pause", "unknown"),
        ("Available", "Success", "none"),
        ("Available", "Failed", "none"),
    ] {
        let mut one = Scripted::start(phase).await;
        one.set("upgradeinfo", &info(says));
        one.fail(TASKS, 500);
        for _ in 0..2 {
            let polled = one.poll().await;
            assert_eq!(polled.status(), want, "{phase} {says}");
            assert_eq!(polled.degraded(), [("ListUpgradeClusterTasks", "server")]);
        }
    }
}

#[tokio::test]
async fn history_hides_no_upgrade_that_only_the_phase_tells() {
    for (workflow_phase, want) in [
        ("Running", "w"),
        ("Pending", "w"),
        ("Success", ""),
        ("Cancel", ""),
        ("Init", "w"),
    ] {
        let mut one = Scripted::upgrading(workflow_phase, "Failed").await;
        one.fail(TASKS, 500);
        let polled = one.poll().await;
        let id = polled.view().upgrade.id.clone().unwrap_or_default();
        assert_eq!(id, want, "{workflow_phase}");
        let want = if workflow_phase == "Pending" {
            "failed"
        } else {
            "running"
        };
        assert_eq!(polled.status(), want, "{workflow_phase}");
    }
}

#[tokio::test]
async fn tasks_are_listed_at_every_poll_while_upgradeinfo_fails() {
    let mut one = Scripted::start("Available").await;
    one.fail("upgradeinfo", 500);
    for _ in 0..3 {
        one.asked();
        let polled = one.poll().await;
        assert_eq!(polled.status(), "none");
        assert_eq!(polled.degraded(), [("ShowClusterUpgradeInfo", "server")]);
        assert!(one.asked().contains(&TASKS.to_owned()));
    }
    one.set(TASKS, &list(&[task("Running", "0.4")]));
    assert_eq!(one.poll().await.status(), "running");
}

#[tokio::test]
async fn kept_nodes_do_not_hold_the_end() {
    for (phase, status, node) in [
        ("Success", "succeeded", "succeeded"),
        ("Pending", "failed", "unknown"),
        ("Cancel", "cancelled", "unknown"),
    ] {
        let mut one = Scripted::upgrading("Running", "Running").await;
        one.poll().await;
        one.fail("nodes", 500);
        one.phase("Available");
        let point = if phase == "Success" {
            "Success"
        } else {
            "Failed"
        };
        one.set("upgradeworkflows", &list(&[workflow(phase, point)]));
        one.set(TASKS, &list(&[task("Success", "1")]));
        let polled = one.poll_after(1).await;
        assert_eq!((polled.status(), polled.ended), (status, 1));
        assert_eq!(polled.nodes()[0], node);
        assert_eq!(polled.view().upgrade.nodes[0].raw_status, "Upgrading");
        assert!(polled.view().ended.is_some());
    }
}

#[tokio::test]
async fn refused_nodes_are_kept_for_their_precheck() {
    let mut one = Scripted::start("Available").await;
    let mut failed = workflow("Pending", "Init");
    failed["status"]["pointStatuses"][0]["status"] = json!("Failed");
    one.set("upgradeworkflows", &list(&[failed.clone()]));
    one.set("nodes", &nodes(&["Active", "Active"]));
    let checked =
        json!({"nodeInfo": {"uid": "u2", "name": "n2"}, "itemsStatus": [{"phase": "Failed"}]});
    let status = json!({"nodeCheckStatus": {"nodeStageStatus": [checked]}});
    one.set(
        "precheck/tasks",
        &list(&[json!({"metadata": {"uid": "p"}, "status": status})]),
    );
    assert_eq!(one.poll().await.nodes(), ["waiting", "failed"]);
    one.fail("precheck/tasks", 500);
    let kept = one.poll_after(1).await;
    assert_eq!(
        (kept.status(), kept.nodes()),
        ("failed", vec!["waiting", "failed"])
    );
    assert_eq!(kept.degraded(), [("ListPreCheckTasks", "server")]);
    assert_eq!(one.poll_after(16).await.nodes(), ["waiting", "waiting"]);
    failed["status"]["pointStatuses"][0]["taskID"] = json!("p-2");
    one.set("upgradeworkflows", &list(&[failed]));
    assert_eq!(one.poll_after(1).await.nodes(), ["waiting", "waiting"]);
}

#[tokio::test]
async fn refused_credentials_fail_the_poll_on_any_call() {
    for call in ["upgradeinfo", TASKS, "nodes"] {
        let mut one = Scripted::upgrading("Running", "Running").await;
        if call == "upgradeinfo" {
            one.phase("Available");
        }
        one.fail(call, 401);
        assert_eq!(
            one.try_poll().await.unwrap_err().reason,
            Reason::Auth,
            "{call}"
        );
    }
}
