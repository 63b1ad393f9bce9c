mod choice;
mod started;

use serde_json::{Value, json};

use super::super::wire::List;
use super::ratio::{MAX_UNFINISHED_RATIO, progress};
use super::*;
use crate::model::Seen;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/huawei/cce-",
            $name,
            ".json"
        ))
    };
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn workflows(json: &str) -> Vec<Workflow> {
    serde_json::from_str::<List<Workflow>>(json).unwrap().items
}

fn tasks(json: &str) -> Vec<Task> {
    serde_json::from_str::<List<Task>>(json).unwrap().items
}

fn now() -> Timestamp {
    at("2025-06-01T03:00:00Z")
}

/// Tasks that were listed now.
fn listed(list: &[Task]) -> Tasks {
    Tasks {
        list: list.to_vec(),
        ..Tasks::default()
    }
}

fn input<'a>(
    cluster_phase: &'a str,
    workflows: &'a [Workflow],
    tasks: &'a Tasks,
    memory: &'a Memory,
) -> MappingInput<'a> {
    MappingInput {
        cluster_phase,
        workflows,
        tasks,
        memory,
        now: now(),
    }
}

/// The current upgrade of a cluster in this phase, and the words told.
fn map(phase: &str, workflows: &[Workflow], tasks: &[Task]) -> (Option<Current>, Vec<String>) {
    let mut words = Vec::new();
    let memory = Memory::default();
    let tasks = listed(tasks);
    let current = current(&input(phase, workflows, &tasks, &memory), &mut words);
    (current, words)
}

fn upgrade(phase: &str, workflows: &[Workflow], tasks: &[Task]) -> Upgrade {
    let (current, words) = map(phase, workflows, tasks);
    assert!(words.is_empty(), "{words:?}");
    current.unwrap().upgrade
}

/// Memory of an upgrade that was seen for the first time.
fn seen(last: Upgrade) -> Seen {
    Seen::new(last, now())
}

/// A workflow created on this day with these points (type, status).
fn workflow(uid: &str, day: u8, phase: &str, points: &[(&str, &str)]) -> Workflow {
    let points: Vec<Value> = points
        .iter()
        .map(|(kind, status)| json!({"taskType": kind, "status": status}))
        .collect();
    serde_json::from_value(json!({
        "metadata": {
            "uid": uid,
            "creationTimestamp": format!("2025-05-{day:02} 00:00:00 +0000 UTC"),
            "updateTimestamp": format!("2025-05-{day:02} 06:00:00 +0000 UTC"),
        },
        "spec": {"clusterVersion": "v1.28.3-r0", "targetVersion": "v1.29"},
        "status": {"phase": phase, "pointStatuses": points},
    }))
    .unwrap()
}

fn task(uid: &str, day: u8, phase: &str, progress: &str) -> Task {
    serde_json::from_value(json!({
        "metadata": {
            "uid": uid,
            "creationTimestamp": format!("2025-05-{day:02} 01:00:00 +0000 UTC"),
            "updateTimestamp": format!("2025-05-{day:02} 02:00:00 +0000 UTC"),
        },
        "spec": {"version": "v1.28.3-r0", "targetVersion": "v1.29.1-r0"},
        "status": {
            "phase": phase,
            "progress": progress,
            "completionTime": format!("2025-05-{day:02} 03:00:00 +0000 UTC"),
        },
    }))
    .unwrap()
}

const RUNNING: &[(&str, &str)] = &[
    ("PreCheck", "Success"),
    ("Cluster", "Running"),
    ("PostCheck", "Init"),
];

#[test]
fn the_documents_example() {
    let list = workflows(fixture!("list-upgrade-workflows"));
    let upgrade = upgrade("Available", &list, &[]);
    assert_eq!(upgrade.status, UpgradeStatus::Cancelled);
    assert_eq!(
        upgrade.id.as_deref(),
        Some("730f5577-38ef-448c-b4a7-c6878fbefdda")
    );
    assert_eq!(upgrade.from_version.as_deref(), Some("v1.17.17-r0"));
    assert_eq!(upgrade.to_version.as_deref(), Some("v1.19.16-r80"));
    assert_eq!(upgrade.requested, Some(at("2023-11-24T08:39:15.894417Z")));
    assert_eq!(upgrade.ended, Some(at("2023-11-25T02:57:25.718567Z")));
    assert_eq!(upgrade.ratio, Some(0.0));
    assert!(!upgrade.waits_for_person, "it is over");
    let points: Vec<_> = upgrade
        .tasks
        .iter()
        .map(|t| (t.order, t.name.as_str(), t.status))
        .collect();
    let waiting = TaskStatus::Waiting;
    assert_eq!(
        points,
        [
            (1, "PreCheck", waiting),
            (2, "Snapshot", waiting),
            (3, "Cluster", waiting),
            (4, "PostCheck", waiting)
        ]
    );
}

#[test]
fn the_documents_task_alone() {
    let one: Task = serde_json::from_str(fixture!("show-upgrade-cluster-task")).unwrap();
    let upgrade = upgrade("Available", &[], &[one]);
    assert_eq!(upgrade.status, UpgradeStatus::Pending);
    assert_eq!(upgrade.requested, Some(at("2022-12-16T05:40:20.75671Z")));
    assert_eq!(
        upgrade.ended, None,
        "completionTime is set and means nothing"
    );
    assert_eq!(upgrade.ratio, Some(0.0));
    assert!(upgrade.tasks.is_empty());
    assert!(!upgrade.waits_for_person);
}

#[test]
fn a_running_workflow_with_its_history() {
    let list = workflows(fixture!("made-up-workflows-running"));
    let tasks = tasks(fixture!("made-up-tasks-running"));
    let (current, words) = map("Upgrading", &list, &tasks);
    let Current { upgrade, stage, .. } = current.unwrap();
    assert!(words.is_empty());
    assert_eq!(stage, Stage::At);
    assert_eq!(upgrade.status, UpgradeStatus::Running);
    assert_eq!(
        upgrade.id.as_deref(),
        Some("aaaaaaaa-0000-4000-8000-000000000002")
    );
    assert_eq!(
        upgrade.requested,
        Some(at("2025-06-01T02:00:00.123456789Z"))
    );
    assert_eq!(upgrade.ended, None);
    assert_eq!(upgrade.ratio, Some((2.0 + 0.4) / 4.0));
    let cluster = &upgrade.tasks[2];
    assert_eq!(cluster.order, 3);
    assert_eq!(cluster.status, TaskStatus::Running);
    assert_eq!(cluster.start, Some(at("2025-06-01T02:11:00Z")));
    assert_eq!(cluster.end, None, "Go's zero time");
    assert_eq!(upgrade.tasks[3].status, TaskStatus::Waiting);
}

#[test]
fn workflow_phases() {
    for (phase, want) in [
        ("Init", UpgradeStatus::Pending),
        ("Running", UpgradeStatus::Running),
        ("Pending", UpgradeStatus::Failed),
        ("Success", UpgradeStatus::Succeeded),
        ("Cancel", UpgradeStatus::Cancelled),
    ] {
        let list = [workflow("w", 1, phase, &[])];
        assert_eq!(upgrade("Available", &list, &[]).status, want, "{phase}");
    }
}

#[test]
fn task_phases() {
    for (phase, want) in [
        ("Init", UpgradeStatus::Pending),
        ("Queuing", UpgradeStatus::Pending),
        ("Running", UpgradeStatus::Running),
        ("Pause", UpgradeStatus::Paused),
        ("Success", UpgradeStatus::Succeeded),
        ("Failed", UpgradeStatus::Failed),
    ] {
        let list = [task("t", 1, phase, "0.5")];
        let upgrade = upgrade("Available", &[], &list);
        assert_eq!(upgrade.status, want, "{phase}");
        let ended = want.is_final().then(|| at("2025-05-01T03:00:00Z"));
        assert_eq!(upgrade.ended, ended, "{phase}");
        let ratio = if phase == "Success" { 1.0 } else { 0.5 };
        assert_eq!(upgrade.ratio, Some(ratio), "{phase}");
    }
}

#[test]
fn point_statuses() {
    let points = [
        ("PreCheck", "Success"),
        ("Snapshot", "Failed"),
        ("Cluster", "Running"),
        ("PostCheck", "Queuing"),
        ("Rollback", "Init"),
        ("Rollback", ""),
    ];
    let list = [workflow("w", 1, "Running", &points)];
    let upgrade = upgrade("Upgrading", &list, &[]);
    let statuses: Vec<_> = upgrade.tasks.iter().map(|t| t.status.as_str()).collect();
    assert_eq!(
        statuses,
        [
            "succeeded",
            "failed",
            "running",
            "waiting",
            "waiting",
            "waiting"
        ]
    );
}

#[test]
fn an_end_time_counts_only_on_what_ended() {
    let point = |status: &str| {
        let mut one = workflow("w", 1, "Running", &[("Cluster", status)]);
        one.status.point_statuses[0].start = "2025-05-01 01:00:00 +0000 UTC".to_owned();
        one.status.point_statuses[0].end = "2025-05-01 02:00:00 +0000 UTC".to_owned();
        upgrade("Upgrading", &[one], &[]).tasks.remove(0)
    };
    for (status, start, end) in [
        ("Init", false, false),
        ("Queuing", false, false),
        ("Running", true, false),
        ("Success", true, true),
        ("Failed", true, true),
    ] {
        let task = point(status);
        assert_eq!(
            (task.start.is_some(), task.end.is_some()),
            (start, end),
            "{status}"
        );
    }
}

#[test]
fn unknown_words_are_unknown_and_told() {
    let list = [workflow(
        "w",
        1,
        "Frozen",
        &[("Cluster", "Odd"), ("PostCheck", "")],
    )];
    let (current, words) = map("Melting", &list, &[]);
    let upgrade = current.unwrap().upgrade;
    assert_eq!(upgrade.status, UpgradeStatus::Unknown);
    assert_eq!(upgrade.tasks[0].status, TaskStatus::Unknown);
    assert_eq!(words, ["Melting", "Frozen", "Odd"]);
    let (_, words) = map("Available", &[], &[task("t", 1, "", "")]);
    assert_eq!(words, ["(empty)"]);
}

#[test]
fn words_count_in_any_case() {
    let points = [
        ("precheck", "SUCCESS"),
        ("CLUSTER", "failed"),
        ("PostCheck", "qUEUING"),
    ];
    for (phase, want) in [
        ("INIT", UpgradeStatus::Pending),
        ("running", UpgradeStatus::Running),
        ("PENDING", UpgradeStatus::Failed),
        (" success ", UpgradeStatus::Succeeded),
        ("CANCEL", UpgradeStatus::Cancelled),
    ] {
        let list = [workflow("w", 1, phase, &points)];
        let upgrade = upgrade("AVAILABLE", &list, &[]);
        let tasks: Vec<_> = upgrade.tasks.iter().map(|t| t.status.as_str()).collect();
        assert_eq!(upgrade.status, want, "{phase}");
        assert_eq!(tasks, ["succeeded", "failed", "waiting"]);
        let (current, _) = map("available", &list, &[]);
        assert_ne!(current.unwrap().stage, Stage::Before);
    }
    let paused = upgrade("upgrading", &[], &[task("t", 1, "PAUSE", "40")]);
    assert_eq!(paused.status, UpgradeStatus::Paused);
    assert_eq!(
        upgrade("UPGRADING", &[], &[]).status,
        UpgradeStatus::Running
    );
    assert_eq!(
        upgrade("rollbackfailed", &[], &[]).status,
        UpgradeStatus::Failed
    );
}

#[test]
fn a_paused_task_pauses_its_workflow() {
    let mut running = workflow("w", 1, "Running", RUNNING);
    running.status.point_statuses[1].task_id = "t".to_owned();
    let upgrade = upgrade("Upgrading", &[running], &[task("t", 1, "Pause", "40")]);
    assert_eq!(upgrade.id.as_deref(), Some("w"));
    assert_eq!(upgrade.status, UpgradeStatus::Paused);
    assert_eq!(upgrade.ratio, Some(1.4 / 3.0));
}

#[test]
fn rollbacks_are_told_by_the_cluster() {
    let failed = [("PreCheck", "Success"), ("Cluster", "Failed")];
    let list = [workflow("w", 1, "Pending", &failed)];
    let back = upgrade("RollingBack", &list, &[]);
    assert_eq!(back.status, UpgradeStatus::Running);
    assert_eq!(back.ended, None);
    assert!(!back.waits_for_person);
    let broken = upgrade("RollbackFailed", &list, &[]);
    assert_eq!(broken.status, UpgradeStatus::Failed);
    assert!(broken.ended.is_some());
}

#[test]
fn who_waits_for_a_person() {
    let waits = |phase: &str, points: &[(&str, &str)], cluster: &str| {
        upgrade(cluster, &[workflow("w", 1, phase, points)], &[]).waits_for_person
    };
    let done = [("PreCheck", "Success"), ("Cluster", "Init")];
    assert!(waits("Running", &done, "Available"));
    assert!(waits(
        "Init",
        &[("PreCheck", ""), ("Cluster", "")],
        "Available"
    ));
    assert!(!waits("Running", RUNNING, "Upgrading"));
    assert!(!waits("Running", &[("PreCheck", "Queuing")], "Available"));
    assert!(
        !waits("Pending", &[("PreCheck", "Failed")], "Available"),
        "over"
    );
    assert!(
        !waits("Running", &[("PreCheck", ""), ("Cluster", "")], "Upgrading"),
        "points without status, and the cluster is at work"
    );
}

#[test]
fn ended_is_the_last_points_end_else_the_update() {
    let mut done = workflow(
        "w",
        1,
        "Success",
        &[("Cluster", "Success"), ("PostCheck", "Success")],
    );
    assert_eq!(
        upgrade("Available", std::slice::from_ref(&done), &[]).ended,
        Some(at("2025-05-01T06:00:00Z"))
    );
    done.status.point_statuses[0].end = "2025-05-01 04:00:00 +0000 UTC".to_owned();
    done.status.point_statuses[1].end = "2025-05-01 12:30:00 +0800 CST".to_owned();
    assert_eq!(
        upgrade("Available", &[done], &[]).ended,
        Some(at("2025-05-01T04:30:00Z"))
    );
}

#[test]
fn only_success_is_one() {
    let all = [("PreCheck", "Success"), ("Cluster", "Success")];
    let ratio = |phase: &str| upgrade("Available", &[workflow("w", 1, phase, &all)], &[]).ratio;
    assert_eq!(ratio("Success"), Some(1.0));
    assert_eq!(ratio("Running"), Some(MAX_UNFINISHED_RATIO));
    let full = upgrade("Available", &[], &[task("t", 1, "Failed", "100")]);
    assert_eq!(full.ratio, Some(MAX_UNFINISHED_RATIO));
    assert_eq!(
        upgrade("Available", &[workflow("w", 1, "Init", &[])], &[]).ratio,
        None
    );
}

#[test]
fn progress_texts() {
    for (text, want) in [
        ("0.00", Some(0.0)),
        ("0.40", Some(0.4)),
        ("1", Some(1.0)),
        ("1.00", Some(1.0)),
        ("40", Some(0.4)),
        ("40.5", Some(0.405)),
        (" 40 % ", Some(0.4)),
        ("0.5%", Some(0.005)),
        ("250", Some(1.0)),
        ("", None),
        ("-1", None),
        ("NaN", None),
        ("inf", None),
        ("half", None),
    ] {
        assert_eq!(progress(text), want, "{text}");
    }
}

#[test]
fn without_upgrade_calls_the_clusters_phase_is_all() {
    assert!(map("Available", &[], &[]).0.is_none());
    let first = upgrade("Upgrading", &[], &[]);
    assert_eq!(first.status, UpgradeStatus::Running);
    assert_eq!((first.id.clone(), first.requested), (None, Some(now())));
    assert!(first.tasks.is_empty());

    let mut memory = Memory::default();
    let first_seen = seen(first.clone());
    memory.upgrades.insert(Kind::Version, first_seen.into());
    let tasks = Tasks::default();
    let later = MappingInput {
        now: at("2025-06-01T05:00:00Z"),
        ..input("Upgrading", &[], &tasks, &memory)
    };
    let again = current(&later, &mut Vec::new());
    let again = again.unwrap().upgrade;
    assert_eq!(again.requested, Some(now()), "since it was first seen");
    assert!(again.is_same(&first));
}

#[test]
fn stages() {
    let stage = |cluster: &str, phase: &str, status: &str| {
        let list = [workflow(
            "w",
            1,
            phase,
            &[("PreCheck", "Success"), ("Cluster", status)],
        )];
        map(cluster, &list, &[]).0.unwrap().stage
    };
    assert_eq!(stage("Available", "Running", "Init"), Stage::Before);
    assert_eq!(stage("Available", "Running", "Queuing"), Stage::Before);
    assert_eq!(
        stage("Upgrading", "Running", ""),
        Stage::At,
        "no point statuses"
    );
    assert_eq!(stage("Upgrading", "Running", "Running"), Stage::At);
    assert_eq!(stage("Available", "Pending", "Failed"), Stage::At);
    assert_eq!(stage("Available", "Running", "Success"), Stage::After);
    assert_eq!(stage("Available", "Success", ""), Stage::After);
    assert_eq!(stage("RollingBack", "Pending", "Success"), Stage::At);
}

#[test]
fn the_failed_precheck_is_named() {
    let list = workflows(fixture!("made-up-workflow-precheck-failed"));
    let (current, _) = map("Available", &list, &[]);
    let current = current.unwrap();
    assert_eq!(current.upgrade.status, UpgradeStatus::Failed);
    assert_eq!(current.upgrade.ended, Some(at("2025-06-01T02:05:00Z")));
    assert_eq!(current.failed_precheck.as_deref(), Some("p-2"));
    let passed = [workflow("w", 1, "Running", RUNNING)];
    let (current, _) = map("Upgrading", &passed, &[]);
    assert_eq!(current.unwrap().failed_precheck, None);
}

#[test]
fn a_workflow_that_was_called_off_ended_then() {
    let mut one = workflow(
        "a",
        1,
        "Cancel",
        &[("PreCheck", "Success"), ("Cluster", "Init")],
    );
    one.status.point_statuses[0].end = "2025-04-01 00:00:00 +0000 UTC".to_owned();
    let upgrade = upgrade("Available", &[one], &[]);
    assert_eq!(upgrade.ended, Some(at("2025-05-01T06:00:00Z")));
}
