//! Findings of a precheck, in order and within bounds.

use serde_json::{Value, json};

use super::*;

fn checked(status: &Value) -> Checked {
    let precheck = json!({"metadata": {"uid": "p"}, "status": status});
    let precheck: WirePrecheck = serde_json::from_value(precheck).unwrap();
    Checked::of(&[precheck], "p")
}

fn lines(checked: &Checked) -> Vec<String> {
    let failure = checked.failure();
    let findings = failure.iter().flat_map(|failure| &failure.findings);
    findings.map(Finding::line).collect()
}

fn item(name: &str, level: &str, phase: &str) -> Value {
    json!({"name": name, "kind": "Risk", "group": "X", "level": level, "phase": phase})
}

fn node(name: &str, items: &[Value]) -> Value {
    json!({"nodeInfo": {"uid": format!("u-{name}"), "name": name, "nodeType": "node"}, "itemsStatus": items})
}

#[test]
fn every_failed_item_is_found_the_most_severe_first() {
    let mut addon = item("AddonVersion", "Warning", "Failed");
    addon["message"] = json!("coredns is too old\n");
    addon["errorCodes"] = json!(["CCE.01400017", "CCE.01400018"]);
    addon["riskSource"] =
        json!({"addonRisks": [{"addonTemplateName": "coredns"}, {"addonTemplateName": "everest"}]});
    let status = json!({
        "phase": "Failed",
        "message": "not told beside items",
        "clusterCheckStatus": {"phase": "Failed", "itemsStatus": [
            item("DeprecatedApi", "Info", "Failed"),
            item("Quota", "Warning", "Failed"),
            item("Version", "Fatal", "Success"),
        ]},
        "addonCheckStatus": {"phase": "Failed", "itemsStatus": [addon]},
        "nodeCheckStatus": {"phase": "Failed", "nodeStageStatus": [
            node("n1", &[item("Disk", "Fatal", "Failed"), item("Kubelet", "Catastrophe", "failed")]),
            node("n2", &[item("Disk", "Fatal", "Success"), item("Disk", "Fatal", "Running")]),
        ]},
    });
    let checked = checked(&status);
    assert_eq!(
        lines(&checked),
        [
            "Disk (node n1)",
            "Quota",
            "AddonVersion (addon coredns, everest): coredns is too old [CCE.01400017, CCE.01400018]",
            "Kubelet (node n1)",
            "DeprecatedApi",
        ]
    );
    let nodes: Vec<_> = checked.nodes.iter().map(|node| &*node.name).collect();
    assert_eq!(nodes, ["n1"]);
    assert_eq!(checked.failure().unwrap().findings_left_out, 0);
}

#[test]
fn the_whole_checks_message_counts_where_no_item_tells() {
    let status = json!({"phase": "Error", "message": "the cluster is locked", "nodeCheckStatus": {
        "nodeStageStatus": [node("n1", &[item("Disk", "Fatal", "Success")])],
    }});
    assert_eq!(
        lines(&checked(&status)),
        ["PreCheck: the cluster is locked"]
    );
    let silent = checked(&json!({"phase": "Failed"}));
    assert_eq!(silent.failure(), None);
}

#[test]
fn findings_beyond_the_bound_are_counted() {
    let nodes: Vec<Value> = (0..MAX_FINDINGS + 5)
        .map(|n| node(&format!("n{n}"), &[item("Disk", "Info", "Failed")]))
        .collect();
    let status = json!({
        "addonCheckStatus": {"itemsStatus": item("Addon", "Fatal", "Failed")},
        "nodeCheckStatus": {"nodeStageStatus": nodes},
    });
    let checked = checked(&status);
    let failure = checked.failure().unwrap();
    assert_eq!(failure.findings.len(), MAX_FINDINGS);
    assert_eq!(failure.findings_left_out, 6);
    assert_eq!(failure.findings[0].item, "Addon");
    assert_eq!(checked.nodes.len(), MAX_FINDINGS + 5, "all of them failed");
}

#[test]
fn only_a_check_that_passed_is_good_until_a_time() {
    let until = "2026-11-30 10:00:00 +0000 UTC";
    for (phase, is_good) in [
        ("Success", true),
        ("", true),
        ("Failed", false),
        ("Error", false),
    ] {
        let told = checked(&json!({"phase": phase, "expireTimeStamp": until}));
        assert_eq!(told.valid_until.is_some(), is_good, "{phase}");
    }
}

#[test]
fn another_precheck_tells_nothing() {
    let precheck = |uid: &str, created: &str, item: Value| -> WirePrecheck {
        serde_json::from_value(json!({
            "metadata": {"uid": uid, "creationTimestamp": created},
            "status": {"clusterCheckStatus": {"itemsStatus": item}},
        }))
        .unwrap()
    };
    let all = [
        precheck(
            "new",
            "2026-11-29 10:00:00 +0000 UTC",
            item("New", "", "Failed"),
        ),
        precheck(
            "old",
            "2026-11-28 10:00:00 +0000 UTC",
            item("Old", "", "Failed"),
        ),
    ];
    for (id, want) in [("old", vec!["Old"]), ("", vec!["New"]), ("gone", vec![])] {
        let checked = Checked::of(&all, id);
        assert_eq!(lines(&checked), want, "{id}");
        let left = checked.write();
        assert_eq!(Checked::remembered(left.as_deref(), id), Some(checked));
        assert_eq!(Checked::remembered(left.as_deref(), "other"), None);
    }
    assert_eq!(Checked::remembered(None, "old"), None);
}
