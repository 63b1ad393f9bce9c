//! Fields that decide, in forms that cannot be read.

use serde_json::{Value, json};

use super::scripted::{Scripted, clusters, info, list, nodes, task, workflow};
use crate::model::Reason;

/// Values that are no word, id or time.
fn misfits() -> [Value; 4] {
    [json!(["Running"]), json!({"a": 1}), json!(true), json!(1.5)]
}

/// Puts a value at a pointer of an answer with one item.
fn with(mut answer: Value, pointer: &str, value: &Value) -> Value {
    let parent = pointer.rsplit_once('/').unwrap();
    answer.pointer_mut(parent.0).unwrap()[parent.1] = value.clone();
    answer
}

/// Name of the field at a pointer, as an error tells it.
fn field(pointer: &str) -> String {
    let words = pointer.split('/').skip(1);
    words.fold(String::new(), |name, word| match word.parse::<u32>() {
        Ok(place) => format!("{name}[{place}]"),
        Err(_) if name.is_empty() => word.to_owned(),
        Err(_) => format!("{name}.{word}"),
    })
}

#[tokio::test]
async fn unreadable_fields_of_primary_calls_fail_the_poll() {
    let workflows = || list(&[workflow("Running", "Running")]);
    let fields = [
        ("clusters", clusters("Upgrading"), "/items/0/metadata/uid"),
        ("clusters", clusters("Upgrading"), "/items/0/status/phase"),
        ("upgradeworkflows", workflows(), "/items/0/metadata/uid"),
        (
            "upgradeworkflows",
            workflows(),
            "/items/0/metadata/creationTimestamp",
        ),
        ("upgradeworkflows", workflows(), "/items/0/status/phase"),
        (
            "upgradeworkflows",
            workflows(),
            "/items/0/status/pointStatuses/1/status",
        ),
        (
            "upgradeworkflows",
            workflows(),
            "/items/0/status/pointStatuses/1/taskType",
        ),
        (
            "upgradeworkflows",
            workflows(),
            "/items/0/status/pointStatuses/1/taskID",
        ),
    ];
    let mut one = Scripted::upgrading("Running", "Running").await;
    for (call, good, pointer) in fields {
        for value in misfits() {
            one.set(call, &with(good.clone(), pointer, &value));
            let error = one.try_poll().await.unwrap_err();
            assert_eq!(error.reason, Reason::Protocol, "{pointer} is {value}");
            assert!(error.message.contains(&field(pointer)), "{error}");
        }
        one.set(call, &good);
        assert_eq!(one.poll().await.status(), "running", "{pointer}");
    }
    for (pointer, value) in [
        ("/items", json!("none")),
        ("/items/0/metadata", json!(["w"])),
        ("/items/0/status", json!("Running")),
        ("/items/0/status/pointStatuses", json!("Cluster")),
        ("/items/0/metadata/creationTimestamp", json!("yesterday")),
        ("/items/0/metadata/creationTimestamp", json!(1_700_841_555)),
        (
            "/items/0/metadata/creationTimestamp",
            json!("2026-11-29 09:50:00"),
        ),
    ] {
        one.set("upgradeworkflows", &with(workflows(), pointer, &value));
        let error = one.try_poll().await.unwrap_err();
        assert_eq!(error.reason, Reason::Protocol, "{pointer} is {value}");
        assert!(error.message.contains("items"), "{error}");
    }
}

#[tokio::test]
async fn unreadable_fields_of_secondary_calls_degrade() {
    let fields = [
        (
            "upgrade/tasks",
            list(&[task("Running", "0.4")]),
            "/items/0/metadata/uid",
        ),
        (
            "upgrade/tasks",
            list(&[task("Running", "0.4")]),
            "/items/0/metadata/creationTimestamp",
        ),
        (
            "upgrade/tasks",
            list(&[task("Running", "0.4")]),
            "/items/0/status/phase",
        ),
        ("nodes", nodes(&["Active"]), "/items/0/metadata/uid"),
        ("nodes", nodes(&["Active"]), "/items/0/status/phase"),
        ("upgradeinfo", info("Running"), "/status/phase"),
        (
            "upgradeinfo",
            info("Running"),
            "/spec/lastUpgradeInfo/phase",
        ),
    ];
    for (call, good, pointer) in fields {
        for value in misfits() {
            let mut one = Scripted::upgrading("Running", "Running").await;
            if call == "upgradeinfo" {
                one.phase("Available");
            }
            one.set(call, &with(good.clone(), pointer, &value));
            let polled = one.poll().await;
            assert_eq!(polled.status(), "running", "{pointer} is {value}");
            let degraded = &polled.advanced.degraded[0];
            assert_eq!(degraded.reason, Reason::Protocol, "{pointer} is {value}");
            assert!(degraded.message.contains(&field(pointer)), "{degraded:?}");
        }
    }
}

#[tokio::test]
async fn a_text_that_is_no_id_fails_its_call() {
    let mut one = Scripted::upgrading("Running", "Running").await;
    let mut odd = task("Running", "0.4");
    odd["metadata"]["uid"] = json!("a b");
    one.set("upgrade/tasks", &list(&[odd]));
    let polled = one.poll().await;
    assert_eq!(polled.status(), "running");
    assert_eq!(polled.degraded(), [("ListUpgradeClusterTasks", "protocol")]);
    let mut odd = workflow("Running", "Running");
    odd["metadata"]["uid"] = json!("a b");
    one.set("upgradeworkflows", &list(&[odd]));
    let error = one.try_poll().await.unwrap_err();
    assert_eq!(
        (error.call, error.reason),
        ("ListUpgradeWorkFlows", Reason::Protocol)
    );
}

#[tokio::test]
async fn unreadable_prechecks_degrade() {
    let item = json!([{"phase": "Failed"}]);
    let checked = json!({"nodeInfo": {"uid": "u1", "name": "n1"}, "itemsStatus": item});
    let prechecks = list(&[json!({
        "metadata": {"uid": "p"},
        "status": {"nodeCheckStatus": {"nodeStageStatus": [checked]}},
    })]);
    let status = "/items/0/status/nodeCheckStatus/nodeStageStatus/0";
    for end in ["nodeInfo/uid", "nodeInfo/name", "itemsStatus/0/phase"] {
        for value in misfits() {
            let mut one = Scripted::start("Available").await;
            let mut failed = workflow("Pending", "Init");
            failed["status"]["pointStatuses"][0]["status"] = json!("Failed");
            one.set("upgradeworkflows", &list(&[failed]));
            let pointer = format!("{status}/{end}");
            one.set("precheck/tasks", &with(prechecks.clone(), &pointer, &value));
            let polled = one.poll().await;
            assert_eq!(polled.status(), "failed", "{pointer} is {value}");
            assert_eq!(polled.degraded(), [("ListPreCheckTasks", "protocol")]);
            let message = &polled.advanced.degraded[0].message;
            assert!(message.contains(&field(&pointer)), "{message}");
        }
    }
}

#[tokio::test]
async fn fields_that_decide_nothing_may_have_any_form() {
    let mut one = Scripted::upgrading("Running", "Running").await;
    for value in misfits() {
        let mut odd = workflow("Running", "Running");
        for part in ["targetVersion", "clusterVersion", "extra"] {
            odd["spec"][part] = value.clone();
        }
        odd["metadata"]["updateTimestamp"] = value.clone();
        odd["metadata"]["labels"] = value.clone();
        odd["status"]["lineStatuses"] = value.clone();
        odd["status"]["pointStatuses"][1]["startTimeStamp"] = value.clone();
        one.set("upgradeworkflows", &list(&[odd]));
        let polled = one.poll().await;
        assert_eq!((polled.status(), polled.degraded()), ("running", vec![]));
    }
}

#[tokio::test]
async fn a_zero_time_is_not_yet() {
    let mut one = Scripted::upgrading("Running", "Running").await;
    for time in [
        "0001-01-01 00:00:00 +0000 UTC",
        "1970-01-01T00:00:00Z",
        "",
        "1999-12-31 00:00:00 +0000 UTC",
    ] {
        let mut fresh = workflow("Running", "Running");
        fresh["metadata"]["creationTimestamp"] = json!(time);
        fresh["status"]["pointStatuses"][1]["startTimeStamp"] = json!(time);
        one.set("upgradeworkflows", &list(&[fresh]));
        let polled = one.poll().await;
        assert_eq!(polled.status(), "running", "{time}");
        let upgrade = &polled.view().upgrade;
        assert_eq!(
            (upgrade.requested, upgrade.tasks[1].start),
            (None, None),
            "{time}"
        );
    }
}

#[tokio::test]
async fn empty_lists_are_none_and_no_phantom_cluster() {
    let mut one = Scripted::start("Available").await;
    for empty in [
        json!({"items": {}}),
        json!({"items": [{}]}),
        json!({"items": [{"metadata": {"uid": ""}}]}),
        json!({"kind": "List"}),
    ] {
        one.set("upgradeworkflows", &empty);
        let polled = one.poll().await;
        assert_eq!(
            (polled.status(), polled.degraded()),
            ("none", vec![]),
            "{empty}"
        );
    }
    for empty in [
        json!({"kind": "Cluster", "items": null}),
        json!({"items": {}}),
        json!({"items": [{"metadata": {"uid": "", "name": ""}}]}),
    ] {
        one.set("clusters", &empty);
        let found = crate::cloud::Provider::discover(&one.cce).await.unwrap();
        assert!(found.clusters.is_empty(), "{empty}");
    }
    one.set("clusters", &json!({}));
    let error = crate::cloud::Provider::discover(&one.cce)
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::Protocol, "it is no list at all");
}
