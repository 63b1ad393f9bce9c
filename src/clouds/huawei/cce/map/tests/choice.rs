//! Which entry of the history is current.

use super::super::choice::is_same_version;
use super::*;

#[test]
fn one_that_has_not_ended_is_chosen_else_the_latest_whatever_the_order() {
    let id = |list: &[Workflow]| upgrade("Available", list, &[]).id.unwrap();
    let mut list = vec![
        workflow("old", 1, "Running", &[]),
        workflow("new", 9, "Success", &[]),
        workflow("mid", 5, "Pending", &[]),
    ];
    for _ in 0..3 {
        list.rotate_left(1);
        assert_eq!(id(&list), "old");
    }
    list.retain(|w| w.metadata.uid != "old");
    assert_eq!(id(&list), "new");
    list.reverse();
    assert_eq!(id(&list), "new");
    list.push(workflow("next", 10, "Init", &[]));
    assert_eq!(id(&list), "next");
    list.push(workflow("work", 1, "Running", &[]));
    assert_eq!(id(&list), "work", "work goes before waiting");
}

#[test]
fn an_init_before_an_ended_one_is_abandoned() {
    let waiting = workflow("waiting", 2, "Init", &[]);
    for phase in ["Success", "Cancel", "Pending"] {
        let list = [waiting.clone(), workflow("ended", 3, phase, &[])];
        assert_eq!(
            upgrade("Available", &list, &[]).id.unwrap(),
            "ended",
            "{phase}"
        );
    }
    let list = std::slice::from_ref(&waiting);
    for phase in ["Success", "Failed"] {
        let ended = [task("ended", 3, phase, "1")];
        assert_eq!(
            upgrade("Available", list, &ended).id.unwrap(),
            "ended",
            "{phase}"
        );
    }
    let init = [task("init", 2, "Init", "0")];
    let list = [workflow("ended", 3, "Success", &[])];
    assert_eq!(upgrade("Available", &list, &init).id.unwrap(), "ended");
    let list = [
        waiting,
        workflow("odd", 3, "Melted", &[]),
        workflow("first", 1, "Success", &[]),
    ];
    assert_eq!(upgrade("Available", &list, &[]).id.unwrap(), "waiting");
}

#[test]
fn a_newer_init_hides_no_failure_until_it_runs() {
    let failed = workflow("failed", 2, "Pending", &[("PreCheck", "Failed")]);
    let next = |phase| [failed.clone(), workflow("next", 3, phase, &[])];
    let first = upgrade("Available", &next("Init"), &[]);
    assert_eq!(
        (first.id.as_deref(), first.status),
        (Some("failed"), UpgradeStatus::Failed)
    );
    assert_eq!(
        upgrade("Available", &next("Running"), &[]).id.unwrap(),
        "next"
    );
    let api = [task("api", 3, "Init", "0")];
    let list = std::slice::from_ref(&failed);
    assert_eq!(upgrade("Available", list, &api).id.unwrap(), "failed");
    let api = [task("api", 3, "Queuing", "0")];
    assert_eq!(upgrade("Available", list, &api).id.unwrap(), "api");
    let over = [
        failed.clone(),
        workflow("done", 3, "Success", &[]),
        workflow("next", 4, "Init", &[]),
    ];
    assert_eq!(
        upgrade("Available", &over, &[]).id.unwrap(),
        "next",
        "it was mended"
    );
}

#[test]
fn a_newer_init_is_shown_once_the_failure_is_forgotten() {
    let list = [
        workflow("failed", 2, "Pending", &[]),
        workflow("next", 3, "Init", &[]),
    ];
    let mut seen = seen(upgrade("Available", &list, &[]));
    seen.forgotten = true;
    let mut memory = Memory::default();
    memory.upgrades.insert(Kind::Version, seen.into());
    let tasks = Tasks::default();
    let current = current(&input("Available", &list, &tasks, &memory), &mut Vec::new());
    assert_eq!(current.unwrap().upgrade.id.unwrap(), "next");
}

#[test]
fn a_word_that_is_new_on_old_history_hides_nothing() {
    let list = [
        workflow("old", 1, "RolledBack", &[]),
        workflow("new", 9, "Success", &[]),
    ];
    assert_eq!(upgrade("Available", &list, &[]).id.unwrap(), "new");
}

#[test]
fn a_task_that_no_point_names_is_an_upgrade_of_its_own() {
    let mut done = workflow("w", 1, "Success", RUNNING);
    done.status.point_statuses[1].task_id = "t-1".to_owned();
    let named = task("t-1", 1, "Success", "1.00");
    let api = task("t-2", 2, "Running", "0.25");
    let upgrade = upgrade("Upgrading", &[done], &[api, named]);
    assert_eq!(upgrade.id.as_deref(), Some("t-2"));
    assert_eq!(upgrade.ratio, Some(0.25));
    assert_eq!(upgrade.from_version.as_deref(), Some("v1.28.3-r0"));
    assert_eq!(upgrade.to_version.as_deref(), Some("v1.29.1-r0"));
}

#[test]
fn a_task_that_a_point_names_is_not_chosen() {
    let mut running = workflow("w", 1, "Running", RUNNING);
    running.status.point_statuses[1].task_id = "t-1".to_owned();
    let upgrade = upgrade("Upgrading", &[running], &[task("t-1", 3, "Running", "0.5")]);
    assert_eq!(upgrade.id.as_deref(), Some("w"));
    assert_eq!(upgrade.ratio, Some(1.5 / 3.0));
}

#[test]
fn a_begun_point_without_an_id_stands_for_the_task_under_way() {
    let running = workflow("w", 1, "Running", RUNNING);
    let list = [running];
    let id = |task| upgrade("Upgrading", &list, &[task]).id.unwrap();
    assert_eq!(id(task("t", 1, "Running", "0.5")), "w");
    let mut other = task("t", 1, "Running", "0.5");
    other.spec.target_version = "v1.2".to_owned();
    assert_eq!(id(other), "t", "another target is another upgrade");
    let list = [workflow("w", 1, "Init", &[("Cluster", "Init")])];
    let api = task("t", 1, "Running", "0.5");
    assert_eq!(upgrade("Upgrading", &list, &[api]).id.unwrap(), "t");
}

#[test]
fn versions_are_compared_by_prefix_at_a_boundary() {
    assert!(is_same_version("v1.23", "v1.23.8-r0"));
    assert!(is_same_version("v1.23.8-r0", "v1.23"));
    assert!(is_same_version("v1.23.8", "v1.23.8-r0"));
    assert!(!is_same_version("v1.2", "v1.23.8-r0"));
    assert!(!is_same_version("v1.19.16-r8", "v1.19.16-r80"));
    assert!(!is_same_version("", "v1.23"));
}

#[test]
fn a_task_that_ended_is_still_its_workflows_without_an_id() {
    let points = [
        ("PreCheck", "Success"),
        ("Cluster", "Success"),
        ("PostCheck", "Failed"),
    ];
    let failed = [workflow("w", 1, "Pending", &points)];
    let of_it = [task("t", 1, "Success", "100")];
    let one = upgrade("Available", &failed, &of_it);
    assert_eq!(
        (one.id.as_deref(), one.status),
        (Some("w"), UpgradeStatus::Failed)
    );
    let later = [task("t", 2, "Success", "100")];
    let other = upgrade("Available", &failed, &later);
    assert_eq!(
        other.id.as_deref(),
        Some("t"),
        "begun after the workflow had ended"
    );
}

#[test]
fn a_record_without_content_is_no_upgrade() {
    let nothing = r#"{"kind":"List","items":[{"kind":"WorkFlowTask","apiVersion":"v3","metadata":
        {"uid":"","creationTimestamp":""},"spec":{},"status":{"phase":"","pointStatuses":[]}}]}"#;
    for json in [nothing, r#"{"items":{}}"#, r#"{"items":[{}]}"#] {
        let (current, words) = map("Available", &workflows(json), &[]);
        assert!(current.is_none() && words.is_empty(), "{json}");
    }
}
