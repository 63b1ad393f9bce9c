//! Bodies of `operation/upgrade` that the simulator takes, and those that it refuses.

use hyper::header::HeaderValue;

use super::*;

/// Builds a body with every documented field.
fn full() -> Value {
    json!({
        "metadata": {"apiVersion": "v3", "kind": "UpgradeTask"},
        "spec": {"clusterUpgradeAction": {
            "addons": [{
                "addonTemplateName": "coredns", "operation": "patch", "version": "1.28.4", "values": {},
            }],
            "nodeOrder": {"DefaultPool": [
                {"nodeSelector": {"key": "zone", "operator": "in", "value": ["a"]}, "priority": 2},
                {"nodeSelector": {"key": "spare", "operator": "exists"}, "priority": 0},
            ]},
            "nodePoolOrder": {"DefaultPool": 1},
            "strategy": {
                "type": "inPlaceRollingUpdate",
                "inPlaceRollingUpdate": {"userDefinedStep": 20, "scope": "NodePool"},
            },
            "targetVersion": "v1.29",
            "isOnlyUpgrade": true,
            "agencyName": "",
        }},
    })
}

/// Sends the body to a cluster that is idle.
fn post(body: &Value) -> Answer {
    let mut idle = cluster("a");
    idle.starts_after = None;
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let body = body.to_string();
    let request = Request {
        method: "POST",
        path: "/api/v3/projects/p/clusters/a/operation/upgrade",
        query: "",
        headers: &headers,
        body: body.as_bytes(),
    };
    Simulator.answer(&world(vec![idle]), &request).unwrap()
}

#[test]
fn takes_every_documented_field() {
    let taken = post(&full());
    assert_eq!((taken.status, &taken.refused), (200, &None));
    let body: Value = serde_json::from_str(&taken.body).unwrap();
    let action = &body["spec"]["clusterUpgradeAction"];
    assert_eq!(action["targetVersion"], "v1.29.1-r0");
    assert_eq!(action["targetPlatformVersion"], "cce.10");
    let mut least = full();
    let action = &mut least["spec"]["clusterUpgradeAction"];
    for key in [
        "addons",
        "nodeOrder",
        "nodePoolOrder",
        "isOnlyUpgrade",
        "agencyName",
    ] {
        action.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(post(&least).status, 200);
}

#[test]
fn refuses_what_the_page_forbids_and_names_the_field() {
    let node = "nodeOrder/DefaultPool/0";
    let cases = [
        (
            format!("{node}/priority"),
            None,
            "nodeOrder.DefaultPool[0].priority",
        ),
        (
            format!("{node}/nodeSelector"),
            None,
            "nodeOrder.DefaultPool[0].nodeSelector",
        ),
        (
            format!("{node}/nodeSelector/key"),
            None,
            "nodeOrder.DefaultPool[0].nodeSelector.key",
        ),
        (
            format!("{node}/nodeSelector/operator"),
            None,
            "nodeOrder.DefaultPool[0].nodeSelector.operator",
        ),
        (
            format!("{node}/nodeSelector/operator"),
            Some(json!("like")),
            "nodeOrder.DefaultPool[0].nodeSelector.operator",
        ),
        (
            format!("{node}/nodeSelector/value"),
            Some(json!("a")),
            "nodeOrder.DefaultPool[0].nodeSelector.value",
        ),
        (
            format!("{node}/nodeSelector/value/0"),
            Some(json!(1)),
            "nodeOrder.DefaultPool[0].nodeSelector.value[0]",
        ),
        (
            format!("{node}/priority"),
            Some(json!("2")),
            "nodeOrder.DefaultPool[0].priority",
        ),
        (
            "nodeOrder/DefaultPool".to_owned(),
            Some(json!({})),
            "nodeOrder.DefaultPool",
        ),
        ("nodeOrder".to_owned(), Some(json!([])), "nodeOrder"),
        (
            "nodePoolOrder/DefaultPool".to_owned(),
            Some(json!(1.5)),
            "nodePoolOrder.DefaultPool",
        ),
        (
            "nodePoolOrder/DefaultPool".to_owned(),
            Some(json!("1")),
            "nodePoolOrder.DefaultPool",
        ),
        (
            "nodePoolOrder/DefaultPool".to_owned(),
            Some(json!(-1)),
            "nodePoolOrder.DefaultPool",
        ),
        (
            "strategy/inPlaceRollingUpdate/scope".to_owned(),
            Some(json!("Rack")),
            "strategy.inPlaceRollingUpdate.scope",
        ),
        (
            "strategy/inPlaceRollingUpdate/userDefinedStep".to_owned(),
            Some(json!(121)),
            "strategy.inPlaceRollingUpdate.userDefinedStep",
        ),
        ("strategy/type".to_owned(), None, "strategy.type"),
        (
            "isOnlyUpgrade".to_owned(),
            Some(json!("yes")),
            "isOnlyUpgrade",
        ),
        (
            "addons".to_owned(),
            Some(json!({"addonTemplateName": "coredns"})),
            "addons",
        ),
        ("addons/0/version".to_owned(), None, "addons[0].version"),
        (
            "addons/0/operation".to_owned(),
            Some(json!("upgrade")),
            "addons[0].operation",
        ),
        ("targetVersion".to_owned(), None, "targetVersion"),
        ("agencyName".to_owned(), Some(json!(1)), "agencyName"),
        ("zebra".to_owned(), Some(json!(1)), "zebra"),
    ];
    for (pointer, value, field) in cases {
        let mut body = full();
        let pointer = format!("/spec/clusterUpgradeAction/{pointer}");
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap();
        match (parent, &value) {
            (Value::Array(list), Some(value)) => {
                list[key.parse::<usize>().unwrap()] = value.clone();
            }
            (parent, Some(value)) => parent[key] = value.clone(),
            (parent, None) => drop(parent.as_object_mut().unwrap().remove(key)),
        }
        let answer = post(&body);
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            (answer.status, &told["errorCode"]),
            (400, &json!("CCE.01400001")),
            "{pointer} {value:?}"
        );
        let message = told["message"].as_str().unwrap();
        assert!(
            message.split(' ').any(|word| word == field),
            "{pointer} {value:?}: {message}"
        );
        assert_eq!(answer.refused.as_deref(), Some(message));
    }
}
