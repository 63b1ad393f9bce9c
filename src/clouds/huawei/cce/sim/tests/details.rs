//! Prechecks, offered versions, and one entry of the history by its id.

use super::super::findings::SimFinding;
use super::*;
use crate::model::FindingScope;
use crate::sim::VersionForm;

#[test]
fn findings_of_the_scenario_fail_nothing_else() {
    let finding = |scope, target: &str, item: &str| SimFinding {
        scope,
        target: target.to_owned(),
        item: item.to_owned(),
        level: "Warning",
        message: "no".to_owned(),
        codes: vec!["CCE.01400017".to_owned()],
    };
    let mut failing = cluster("a");
    failing.fails = Some(Place { node: 0, step: 1 });
    failing.extensions.insert(Keys {
        task_only: false,
        findings: vec![
            finding(FindingScope::Cluster, "", "Quota"),
            finding(FindingScope::Addon, "coredns", "AddonVersion"),
            finding(FindingScope::Node, "node-2", "Disk"),
        ],
    });
    let mut world = world(vec![failing]);
    set(&mut world, 350);
    let status = get(&world, PRECHECKS, "").1["items"][0]["status"].clone();
    assert_eq!(status["phase"], "Failed");
    let addon = &status["addonCheckStatus"]["itemsStatus"][1];
    assert_eq!(
        addon["riskSource"]["addonRisks"][0]["addonTemplateName"],
        "coredns"
    );
    assert_eq!(addon["errorCodes"], json!(["CCE.01400017"]));
    assert_eq!(
        status["clusterCheckStatus"]["itemsStatus"][1]["name"],
        "Quota"
    );
    let node = |at: usize| {
        let items = &status["nodeCheckStatus"]["nodeStageStatus"][at]["itemsStatus"];
        let items = items.as_array().unwrap().iter();
        items.map(|item| item["phase"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (node(0), node(1)),
        (
            vec![json!("Success")],
            vec![json!("Success"), json!("Failed")]
        )
    );
    assert!(status["expireTimeStamp"].is_null());
}

#[test]
fn a_passed_precheck_tells_until_when_it_is_good() {
    let mut world = world(vec![cluster("a")]);
    set(&mut world, 130);
    let point =
        |world: &World| get(world, WORKFLOWS, "").1["items"]["status"]["pointStatuses"][0].clone();
    assert!(point(&world)["expireTimeStamp"].is_null(), "it runs");
    set(&mut world, 170);
    let until = point(&world)["expireTimeStamp"].clone();
    let ended = world.origin + SignedDuration::from_secs(160);
    assert_eq!(until, go(ended + SignedDuration::from_hours(24)));
    let task = get(&world, PRECHECKS, "").1["items"][0]["status"].clone();
    assert_eq!(
        (&task["phase"], &task["expireTimeStamp"]),
        (&json!("Success"), &until)
    );
}

#[test]
fn later_versions_of_the_scenario_are_offered() {
    let mut idle = cluster("a");
    idle.starts_after = None;
    let versions = ["v1.28.3-r0", "v1.28.3-r4", "v1.29.1-r0", "v1.27.8-r0"];
    idle.versions = versions.map(str::to_owned).to_vec();
    let info = get(&world(vec![idle]), INFO, "").1;
    assert_eq!(
        info["spec"]["versionInfo"],
        json!({
            "release": "v1.28.3", "patch": "r0", "suggestPatch": "r4", "targetVersions": ["v1.29.1-r0"],
        })
    );
}

#[test]
fn later_endless_versions_are_offered() {
    let mut endless = cluster("a");
    endless.repetition.endless_versions = Some(VersionForm::DOTTED);
    let mut world = world(vec![endless]);
    // The second run has led beyond the list.
    set(&mut world, 100 + 1420 + 500);
    let info = get(&world, INFO, "").1;
    assert_eq!(
        info["spec"]["versionInfo"],
        json!({
            "release": "v1.30.0", "patch": "r0", "suggestPatch": "",
            "targetVersions": ["v1.31.0-r0", "v1.32.0-r0"],
        })
    );
}

#[test]
fn one_entry_of_the_history_has_its_own_path() {
    let mut world = world(vec![cluster("a")]);
    // The second run: the list holds two of each.
    set(&mut world, 100 + 1420 + 200);
    for list in [WORKFLOWS, TASKS] {
        let items = get(&world, list, "").1["items"].clone();
        let items = items.as_array().unwrap();
        assert_eq!(items.len(), 2, "{list}");
        for item in items {
            let uid = item["metadata"]["uid"].as_str().unwrap();
            assert_eq!(
                get(&world, &format!("{list}/{uid}"), ""),
                (200, item.clone())
            );
        }
        let (status, body) = get(&world, &format!("{list}/gone"), "");
        assert_eq!(
            (status, &body["errorCode"]),
            (404, &json!("CCE.01404001")),
            "{list}"
        );
        assert!(body["message"].as_str().unwrap().contains("gone"));
        let elsewhere = format!("{}/x", list.replace("/a/", "/b/"));
        assert_eq!(get(&world, &elsewhere, "").0, 404, "no such cluster");
    }
    SimulatedAccount::change(&mut world.scenario, |account| {
        account.cce_upgrades_published = false;
    });
    for list in [WORKFLOWS, TASKS] {
        let answer = ask(&world, &format!("{list}/x"), "");
        assert!(answer.body.contains("APIGW.0101"), "{list}");
    }
}
