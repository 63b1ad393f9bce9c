//! Details for people: findings and validity of prechecks, and the versions that are offered.

use serde_json::{Value, json};

use super::scripted::{Polled, Scripted, info, list, nodes, workflow};
use crate::model::{Finding, Precheck};

const PRECHECKS: &str = "precheck/tasks";
const UNTIL: &str = "2026-11-30 10:00:00 +0000 UTC";

/// Builds a workflow in this phase with a precheck in this state; nothing else of it has begun.
fn checked(phase: &str, state: &str) -> Value {
    let mut workflow = workflow(phase, "Init");
    workflow["status"]["pointStatuses"][0]["status"] = json!(state);
    workflow
}

/// Builds the list of prechecks with one whose add-ons have an item that failed; every node passed.
fn addon_failed() -> Value {
    let item = json!({
        "name": "AddonVersion", "level": "Fatal", "phase": "Failed", "message": "too old",
        "errorCodes": ["CCE.01400017"], "riskSource": {"addonRisks": [{"addonTemplateName": "coredns"}]},
    });
    list(&[json!({"metadata": {"uid": "p"}, "status": {
        "phase": "Failed",
        "addonCheckStatus": {"phase": "Failed", "itemsStatus": [item]},
        "nodeCheckStatus": {"phase": "Success", "nodeStageStatus": []},
    }})])
}

fn precheck(polled: &Polled) -> Option<&Precheck> {
    polled.view().upgrade.details.precheck.as_ref()
}

fn findings(polled: &Polled) -> Vec<String> {
    let check = precheck(polled);
    let findings = check.iter().flat_map(|check| &check.findings);
    findings.map(Finding::line).collect()
}

async fn failed() -> Scripted {
    let one = Scripted::start("Available").await;
    one.set("upgradeworkflows", &list(&[checked("Pending", "Failed")]));
    one.set("nodes", &nodes(&["Active", "Active"]));
    one.set(PRECHECKS, &addon_failed());
    one
}

const ADDON: [&str; 1] = ["AddonVersion (addon coredns): too old [CCE.01400017]"];

#[tokio::test]
async fn a_failed_precheck_tells_why_without_a_failed_node() {
    let mut one = failed().await;
    let polled = one.poll().await;
    assert_eq!(
        (polled.status(), polled.nodes()),
        ("failed", vec!["waiting", "waiting"])
    );
    assert_eq!(findings(&polled), ADDON);
    assert_eq!(precheck(&polled).unwrap().valid_until, None);
    // Another upgrade has begun on the nodes: the point still says that the check failed.
    one.phase("Upgrading");
    assert_eq!(findings(&one.poll().await), ADDON);
}

/// The list of prechecks with one in this phase, one of whose nodes has an item that failed.
fn node_failed(phase: &str, level: &str) -> Value {
    let item = json!({"name": "DiskCheck", "level": level, "phase": "Failed"});
    let node = json!({"nodeInfo": {"name": "n1"}, "itemsStatus": [item]});
    list(&[json!({"metadata": {"uid": "p"}, "status": {
        "phase": phase,
        "expireTimeStamp": UNTIL,
        "nodeCheckStatus": {"nodeStageStatus": [node]},
    }})])
}

#[tokio::test]
async fn a_precheck_that_passed_when_run_again_refuses_no_node() {
    let mut one = failed().await;
    one.set(PRECHECKS, &node_failed("Failed", "Fatal"));
    let polled = one.poll().await;
    assert_eq!(polled.nodes(), ["failed", "waiting"]);
    // Under the id of the run before, and its point does not tell until when it is good.
    one.set("upgradeworkflows", &list(&[checked("Running", "Success")]));
    one.set(PRECHECKS, &node_failed("Success", "Warning"));
    for _ in 0..2 {
        let polled = one.poll().await;
        assert_eq!(polled.nodes(), ["waiting", "waiting"]);
        let until = precheck(&polled).and_then(|check| check.valid_until);
        assert_eq!(until, Some("2026-11-30T10:00:00Z".parse().unwrap()));
        assert_eq!(findings(&polled), [""; 0]);
    }
}

#[tokio::test]
async fn findings_are_kept_for_a_while_when_their_call_fails() {
    let mut one = failed().await;
    one.poll().await;
    one.fail(PRECHECKS, 403);
    for (minutes, want) in [(1, &ADDON[..]), (14, &ADDON), (2, &[])] {
        let polled = one.poll_after(minutes).await;
        assert_eq!(findings(&polled), want, "{minutes} min");
        assert_eq!(polled.degraded(), [("ListPreCheckTasks", "permission")]);
        assert_eq!(polled.status(), "failed");
    }
}

#[tokio::test]
async fn nodes_in_work_are_told_without_the_reasons_of_a_check() {
    let mut one = failed().await;
    one.poll().await;
    one.fail(PRECHECKS, 403);
    assert!(one.poll().await.view().upgrade.untold.nodes);
    one.phase("Upgrading");
    one.set("nodes", &nodes(&["Active", "Upgrading"]));
    let before = one.poll_after(5).await.view().last_progress;
    one.set("nodes", &nodes(&["Upgrading", "Active"]));
    let polled = one.poll_after(5).await;
    assert_eq!(polled.degraded(), [("ListPreCheckTasks", "permission")]);
    assert!(polled.view().last_progress > before, "nodes move");
}

#[tokio::test]
async fn a_cancelled_workflow_keeps_the_reasons() {
    for is_failing in [false, true] {
        let mut one = failed().await;
        one.poll().await;
        one.set("upgradeworkflows", &list(&[checked("Cancel", "Failed")]));
        if is_failing {
            one.fail(PRECHECKS, 500);
            one.poll_after(20).await;
            one.set(PRECHECKS, &addon_failed());
        }
        for _ in 0..3 {
            let polled = one.poll_after(1).await;
            assert_eq!(polled.status(), "cancelled");
            assert_eq!(findings(&polled), ADDON, "{is_failing}");
        }
        one.asked();
        one.poll().await;
        let asked = one.asked();
        assert!(!asked.contains(&PRECHECKS.to_owned()), "{asked:?}");
    }
}

#[tokio::test]
async fn a_passed_precheck_is_good_until_its_points_time() {
    let mut one = Scripted::start("Available").await;
    for (phase, state, is_told) in [
        ("Running", "Success", true),
        ("Pending", "Success", true),
        ("Running", "Running", false),
        ("Pending", "Failed", false),
        ("Success", "Success", false),
        ("Cancel", "Success", false),
    ] {
        let mut told = checked(phase, state);
        told["status"]["pointStatuses"][0]["expireTimeStamp"] = json!(UNTIL);
        one.set("upgradeworkflows", &list(&[told]));
        one.asked();
        let polled = one.poll().await;
        let until = precheck(&polled).and_then(|check| check.valid_until);
        let want = is_told.then(|| "2026-11-30T10:00:00Z".parse().unwrap());
        assert_eq!(until, want, "{phase} {state}");
        let asks = one.asked().contains(&PRECHECKS.to_owned());
        assert_eq!(asks, state == "Failed", "{phase} {state}");
    }
}

#[tokio::test]
async fn the_list_tells_once_until_when_a_precheck_is_good() {
    let mut one = Scripted::start("Available").await;
    one.set("upgradeworkflows", &list(&[checked("Running", "Success")]));
    let status = json!({"phase": "Success", "expireTimeStamp": UNTIL});
    one.set(
        PRECHECKS,
        &list(&[json!({"metadata": {"uid": "p"}, "status": status})]),
    );
    for is_first in [true, false, false] {
        one.asked();
        let polled = one.poll().await;
        let until = precheck(&polled).and_then(|check| check.valid_until);
        assert_eq!(until, Some("2026-11-30T10:00:00Z".parse().unwrap()));
        let asked = one.asked();
        assert_eq!(asked.contains(&PRECHECKS.to_owned()), is_first, "{asked:?}");
    }
    let mut other = checked("Running", "Success");
    other["status"]["pointStatuses"][0]["taskID"] = json!("p-2");
    one.set("upgradeworkflows", &list(&[other]));
    assert_eq!(precheck(&one.poll().await), None, "another precheck's time");
    assert!(one.asked().contains(&PRECHECKS.to_owned()));
}

#[tokio::test]
async fn lines_tell_whether_a_workflow_can_be_cancelled() {
    let mut one = failed().await;
    for (critical, want) in [
        (json!("true"), Some(false)),
        (json!(false), Some(true)),
        (json!(null), None),
    ] {
        let mut told = checked("Pending", "Failed");
        told["status"]["lineStatuses"] = json!([{
            "startPoint": {"taskType": "PreCheck"}, "endPoint": {"taskType": "Cluster"}, "critical": critical,
        }]);
        one.set("upgradeworkflows", &list(&[told]));
        let polled = one.poll().await;
        assert_eq!(
            polled.view().upgrade.details.is_cancellable,
            want,
            "{critical}"
        );
    }
}

/// Builds an `upgradeinfo` that offers a patch and a version.
fn offering(phase: &str) -> Value {
    let mut offering = info(phase);
    offering["spec"]["versionInfo"] = json!({
        "release": "v1.28.3", "patch": "r0", "suggestPatch": "r4", "targetVersions": ["v1.29.1-r0"],
    });
    offering
}

fn available(polled: &Polled) -> Option<Vec<(&str, bool)>> {
    let available = polled.available.as_deref()?.iter();
    Some(available.map(|v| (&*v.version, v.is_recommended)).collect())
}

#[tokio::test]
async fn an_idle_cluster_tells_the_versions_that_are_offered() {
    let offers = [("v1.28.3-r4", true), ("v1.29.1-r0", false)];
    let mut one = Scripted::start("Available").await;
    one.set("upgradeinfo", &offering(""));
    let idle = one.poll().await;
    assert_eq!(available(&idle), Some(offers.to_vec()));
    assert_eq!(
        one.asked(),
        ["clusters", "upgradeinfo", "upgradeworkflows"],
        "no call is made for them alone"
    );
    one.phase("Upgrading");
    assert_eq!(available(&one.poll().await), None, "not asked");
    one.phase("Available");
    one.fail("upgradeinfo", 500);
    for (minutes, want) in [(1, None), (14, None), (1, Some(vec![]))] {
        assert_eq!(available(&one.poll_after(minutes).await), want, "{minutes}");
    }
    one.set("upgradeinfo", &info(""));
    assert_eq!(available(&one.poll().await), Some(vec![]), "none any more");
}

#[tokio::test]
async fn offers_in_any_form_fail_no_call() {
    let mut one = Scripted::start("Available").await;
    for odd in [
        json!([1]),
        json!("x"),
        json!(7),
        json!({"targetVersions": {"a": 1}, "suggestPatch": []}),
    ] {
        let mut answer = info("");
        answer["spec"]["versionInfo"] = odd.clone();
        one.set("upgradeinfo", &answer);
        let polled = one.poll().await;
        assert_eq!(available(&polled), Some(vec![]), "{odd}");
        assert_eq!(polled.degraded(), []);
    }
}
