//! The body of the request from flags and files, and what is refused before it is sent.

use serde_json::json;

use super::*;

/// The body of the vendor's example, as it stands in its page.
const EXAMPLE: &str = r#"{
"metadata" : {
"apiVersion" : "v3",
"kind" : "UpgradeTask"
},
"spec" : {
"clusterUpgradeAction" : {
"strategy" : {
"type" : "inPlaceRollingUpdate",
"inPlaceRollingUpdate" : {
"userDefinedStep" : 20
}
},
"targetVersion" : "v1.23"
}
}
}"#;

const CLUSTER: &str = "b4b9e60f-8aa2-11ee-af09-0255ac10004f";

/// Every field of the vendor's tables.
const FULL: &str = "
addons:
  - addonTemplateName: coredns
    operation: patch
    version: 1.28.4
    values:
      basic: {cluster_ip: 10.0.0.10, replicas: 2, ratio: 0.5, debug: false, none: null, text: '2'}
      list: [a, 1]
  - {addonTemplateName: everest, operation: patch, version: 2.3.14+r1}
nodeOrder:
  DefaultPool:
    - {nodeSelector: {key: topology.kubernetes.io/zone, operator: in, value: [a, b]}, priority: 2}
    - {nodeSelector: {key: spare, operator: exists}, priority: 0}
    - {nodeSelector: {key: spare, operator: '!', value: []}, priority: 1}
nodePoolOrder: {DefaultPool: 1, 5b5e1d3c-0000-4000-8000-0255ac100012: 10}
strategy:
  type: inPlaceRollingUpdate
  inPlaceRollingUpdate: {userDefinedStep: 5, scope: NodePool}
targetVersion: v1.27
isOnlyUpgrade: true
agencyName: ''
";

fn body(upgrade: &Upgrade) -> Value {
    serde_json::to_value(&upgrade.body).unwrap()
}

fn upgrade(step: Option<u64>, spec: &str) -> Upgrade {
    let spec = Spec::parse(spec).unwrap();
    Upgrade::new(CLUSTER, "v1.28.3-r0", step, spec).unwrap()
}

fn wrong(text: &str) -> Vec<String> {
    let problems = Spec::parse(text).expect_err(text);
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_vendors_example_comes_from_the_flags() {
    let example: Value = serde_json::from_str(EXAMPLE).unwrap();
    let upgrade = Upgrade::new(CLUSTER, "v1.23", None, Spec::default()).unwrap();
    assert_eq!(body(&upgrade), example);
    let text = crate::text::json::to_string_pretty(&upgrade.body).unwrap();
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(plain(&text), plain(EXAMPLE), "in the order of the page");
}

#[test]
fn the_vendors_example_is_a_spec() {
    let example: Value = serde_json::from_str(EXAMPLE).unwrap();
    let action = example["spec"]["clusterUpgradeAction"].to_string();
    for text in [
        EXAMPLE,
        &action,
        &format!("{{\"clusterUpgradeAction\": {action}}}"),
    ] {
        let spec = Spec::parse(text).unwrap();
        let upgrade = Upgrade::new(CLUSTER, "v1.23", None, spec).unwrap();
        assert_eq!(body(&upgrade), example);
    }
}

#[test]
fn every_documented_field_is_sent() {
    assert_eq!(
        body(&upgrade(None, FULL))["spec"]["clusterUpgradeAction"],
        json!({
            "addons": [
                {
                    "addonTemplateName": "coredns", "operation": "patch", "version": "1.28.4",
                    "values": {
                        "basic": {
                            "cluster_ip": "10.0.0.10", "replicas": 2, "ratio": 0.5, "debug": false,
                            "none": null, "text": "2",
                        },
                        "list": ["a", 1],
                    },
                },
                {"addonTemplateName": "everest", "operation": "patch", "version": "2.3.14+r1"},
            ],
            "nodeOrder": {"DefaultPool": [
                {
                    "nodeSelector": {
                        "key": "topology.kubernetes.io/zone", "value": ["a", "b"], "operator": "in",
                    },
                    "priority": 2,
                },
                {"nodeSelector": {"key": "spare", "operator": "exists"}, "priority": 0},
                {"nodeSelector": {"key": "spare", "operator": "!"}, "priority": 1},
            ]},
            "nodePoolOrder": {"DefaultPool": 1, "5b5e1d3c-0000-4000-8000-0255ac100012": 10},
            "strategy": {
                "type": "inPlaceRollingUpdate",
                "inPlaceRollingUpdate": {"userDefinedStep": 5, "scope": "NodePool"},
            },
            "targetVersion": "v1.28.3-r0",
            "isOnlyUpgrade": true,
            "agencyName": "",
        })
    );
}

#[test]
fn flags_stand_over_the_spec_and_what_is_unusual_is_told() {
    let full = upgrade(Some(7), FULL);
    let action = &body(&full)["spec"]["clusterUpgradeAction"];
    let step = &action["strategy"]["inPlaceRollingUpdate"]["userDefinedStep"];
    assert_eq!(
        (step, &action["targetVersion"]),
        (&json!(7), &json!("v1.28.3-r0"))
    );
    let remarks = full.remarks().join(" ");
    for part in [
        "7 at most",
        "coredns goes to 1.28.4",
        "order",
        "are left out",
    ] {
        assert!(remarks.contains(part), "{remarks}");
    }
    let plain = upgrade(None, "addons: []");
    assert_eq!(plain.remarks(), ["Nodes at the same time: 20 at most."]);
}

#[test]
fn flags_are_checked_all_at_once() {
    let wrong = Upgrade::new("a/b", "1.28", Some(0), Spec::default()).unwrap_err();
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(wrong[1].starts_with("--to-version must be a version as CCE writes it"));
    for bad in [
        "v1",
        "v1.",
        "v1.2.3.4",
        "v1.28-r0",
        "v1.28.3-r",
        "latest",
        "",
        "v1.２",
    ] {
        assert!(
            Upgrade::new(CLUSTER, bad, None, Spec::default()).is_err(),
            "{bad}"
        );
    }
    for good in ["v1.23", "v1.28.3", "v1.33.12-r2"] {
        assert!(
            Upgrade::new(CLUSTER, good, None, Spec::default()).is_ok(),
            "{good}"
        );
    }
    for (step, is_good) in [(1, true), (120, true), (121, false)] {
        let upgrade = Upgrade::new(CLUSTER, "v1.23", Some(step), Spec::default());
        assert_eq!(upgrade.is_ok(), is_good, "{step}");
    }
}

#[test]
fn everything_that_is_wrong_with_a_spec_is_told_with_its_place() {
    assert_eq!(
        wrong(
            "addon: []
addons:
  - {addonTemplateName: coredns, operation: upgrade, version: 1.2}
  - {addonTemplateName: a, operation: patch, version: 1, values: [x], zebra: 1}
  - {addonTemplateName: a, operation: patch, version: 1}
  - {}
nodeOrder:
  'my pool': []
  DefaultPool: [{nodeSelector: {key: k, operator: In}, priority: -1}]
  p-1: [{nodeSelector: {key: k, operator: in}, priority: 1}]
  p-2: [{nodeSelector: {key: k, operator: gt, value: [1, 2]}, priority: 1}]
  p-3: []
nodePoolOrder: {DefaultPool: first}
strategy: {type: replace, inPlaceRollingUpdate: {userDefinedStep: 121, scope: Node}}
targetVersion: '1.23'
isOnlyUpgrade: yes
"
        ),
        [
            "1:1: unknown key \"addon\": did you mean addons?",
            "3:45: operation must be patch, not \"upgrade\"",
            "4:66: values must be a mapping (key: value), not a list",
            "4:71: unknown key \"zebra\": an add-on takes addonTemplateName, operation, version, values",
            "5:5: add-on \"a\" stands here a second time: keep one",
            "6:5: an add-on needs addonTemplateName: add it",
            "6:5: an add-on needs operation: add it",
            "6:5: an add-on needs version: add it",
            "8:3: \"my…\" is no id of a node pool: copy it from the console, or write DefaultPool for the default one",
            "9:51: operator must be in, notin, exists, !, gt or lt, not \"In\"",
            "9:66: priority must be a whole number from 0 to 2147483647, not \"-1\"",
            "10:10: the operator in takes one value or more",
            "11:47: the operator gt takes one value",
            "12:8: the order of p-3 is empty: list its nodes, or remove it",
            "13:30: the order of DefaultPool must be a whole number from 0 to 2147483647, not \"first\"",
            "14:18: type must be inPlaceRollingUpdate, not \"replace\"",
            "14:67: userDefinedStep must be a whole number from 1 to 120, not \"121\"",
            "14:79: scope must be Cluster or NodePool, not \"Node\"",
            "15:16: targetVersion must be a version as CCE writes it: v1.28, or in full v1.28.3-r0",
            "16:16: isOnlyUpgrade must be true or false, not \"yes\"",
        ]
    );
    assert_eq!(
        wrong("metadata: {kind: Cluster}\nspec: {zebra: 1}\n"),
        [
            "1:18: kind must be UpgradeTask, not \"Cluster\"",
            "2:1: spec needs clusterUpgradeAction: add it",
            "2:8: unknown key \"zebra\": spec takes clusterUpgradeAction",
        ]
    );
    let huge = "addons: [{addonTemplateName: a, operation: patch, version: 1, values: {n: 99999999999999999999}}]";
    assert!(wrong(huge)[0].contains("too large a number: put it in quotes"));
}

#[test]
fn refuses_what_the_vendor_would_refuse_before_it_is_sent() {
    let node = |entry: &str| format!("nodeOrder: {{DefaultPool: [{entry}]}}");
    for (spec, want) in [
        (
            node("{nodeSelector: {key: k, operator: exists}}"),
            "1:27: an entry of nodeOrder needs priority: add it",
        ),
        (
            node("{priority: 1}"),
            "1:27: an entry of nodeOrder needs nodeSelector: add it",
        ),
        (
            node("{nodeSelector: {operator: exists}, priority: 1}"),
            "1:28: nodeSelector needs key: add it",
        ),
        (
            node("{nodeSelector: {key: k}, priority: 1}"),
            "1:28: nodeSelector needs operator: add it",
        ),
        (
            node("{nodeSelector: {key: k, operator: like}, priority: 1}"),
            "1:61: operator must be in, notin, exists, !, gt or lt, not \"like\"",
        ),
        (
            node("{nodeSelector: {key: k, operator: in, value: a}, priority: 1}"),
            "1:72: value must be a list, not text",
        ),
        (
            node("{nodeSelector: {key: k, operator: exists}, priority: '1'}"),
            "1:80: priority must be a whole number without quotes, not the text \"1\"",
        ),
        (
            "nodePoolOrder: {DefaultPool: 1.5}".to_owned(),
            "1:30: the order of DefaultPool must be a whole number from 0 to 2147483647, not \"1.5\"",
        ),
        (
            "nodePoolOrder: {DefaultPool: \"1\"}".to_owned(),
            "1:30: the order of DefaultPool must be a whole number without quotes, not the text \"1\"",
        ),
        (
            "nodePoolOrder: {DefaultPool: -1}".to_owned(),
            "1:30: the order of DefaultPool must be a whole number from 0 to 2147483647, not \"-1\"",
        ),
        (
            "strategy: {type: inPlaceRollingUpdate, inPlaceRollingUpdate: {scope: Rack}}"
                .to_owned(),
            "1:70: scope must be Cluster or NodePool, not \"Rack\"",
        ),
        (
            "isOnlyUpgrade: \"yes\"".to_owned(),
            "1:16: isOnlyUpgrade must be true or false without quotes, not the text \"yes\"",
        ),
        (
            "addons: {addonTemplateName: a, operation: patch, version: '1'}".to_owned(),
            "1:9: addons must be a list, not a mapping",
        ),
    ] {
        assert_eq!(wrong(&spec), [want], "{spec}");
    }
}

#[test]
fn the_vendors_answer_is_read() {
    let answer = |body: &str| Answer {
        status: 200,
        headers: reqwest::header::HeaderMap::new(),
        body: body.to_owned().into(),
        skew: None,
    };
    let taken = answer(
        r#"{"metadata":{"uid":"976a33e2-f545-11ed-87af-0255ac1002c2"},"spec":{"clusterUpgradeAction":{"version":"v1.19.16-r20","targetVersion":"v1.23.8-r0","targetPlatformVersion":"cce.10","strategy":{"type":"inPlaceRollingUpdate","inPlaceRollingUpdate":{"userDefinedStep":20}},"config":{}}}}"#,
    );
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        accepted(&taken).unwrap(),
        Accepted {
            task_id: some("976a33e2-f545-11ed-87af-0255ac1002c2"),
            from: some("v1.19.16-r20"),
            to: some("v1.23.8-r0"),
            platform: some("cce.10"),
            request_id: None,
        }
    );
    assert!(accepted(&answer("{}")).is_err());
    assert!(accepted(&answer("<html>")).is_err());
    let refusal = answer(r#"{"errorCode":"CCE.01400001","errorMessage":"Invalid request"}"#);
    let told = accepted(&refusal).unwrap_err();
    assert_eq!(told.code.as_deref(), Some("CCE.01400001"));
}

#[test]
fn a_refusal_tells_what_is_really_wrong() {
    let body = r#"{"kind":"Status","code":400,"errorCode":"CCE.01400001","errorMessage":"Invalid request.","error_code":"CCE_CM.0004","error_msg":"Request is invalid","message":"Eni subnetId and subnetCidr not matched","reason":"BadRequest"}"#;
    let answer = Answer {
        status: 400,
        headers: reqwest::header::HeaderMap::new(),
        body: body.to_owned().into(),
        skew: None,
    };
    let error = super::super::super::error::judge(&answer).unwrap_err();
    let error = explain(&answer, error);
    assert_eq!(error.code.as_deref(), Some("CCE_CM.0004, CCE.01400001"));
    assert!(
        error
            .message
            .ends_with("Request is invalid: Eni subnetId and subnetCidr not matched"),
        "{error}"
    );
}
