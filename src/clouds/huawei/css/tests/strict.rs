//! Fields that decide: what cannot be read fails the poll and is named.

use serde_json::{Value, json};

use super::scripted::scripted;
use super::*;

/// Polls a cluster that these answers tell of: the list, its upgrades, its changes of the zone.
async fn poll(list: Value, upgrades: Value, moves: Value) -> Result<Observation, ApiError> {
    let answers = [list, upgrades, moves].map(|body| (200, body.to_string()));
    let (css, _) = scripted(answers.into()).await;
    css.observe("c", &Memory::default(), Duration::from_secs(60))
        .await
        .map_err(|failure| *failure.error)
}

fn list(cluster: &Value) -> Value {
    json!({"totalSize": 1, "clusters": [cluster]})
}

fn upgrades(upgrade: &Value) -> Value {
    json!({"totalSize": 1, "detailList": [upgrade]})
}

fn running() -> Value {
    json!({
        "id": "u", "status": "RUNNING", "startTime": "2023-01-05T02:23:39",
        "totalNodes": "n1,n2", "completedNodes": "n1", "currentNodeName": "n2",
        "currentNodeDetail": [{"order": 1, "name": "Data migration", "status": "RUNNING"}],
    })
}

/// Fields of a cluster that decide, with values that cannot be read.
fn odd_clusters() -> Vec<(&'static str, Value)> {
    let fields = ["id", "status"];
    let odd = fields.map(|field| odd_texts().map(|wrong| (field, wrong)));
    odd.into_iter().flatten().collect()
}

/// Fields of an upgrade that decide, with values that cannot be read.
fn odd_upgrades() -> Vec<(&'static str, Value)> {
    let texts = ["id", "status", "startTime"];
    let texts = texts.map(|field| odd_texts().map(|wrong| (field, wrong)));
    let names = [
        "totalNodes",
        "completedNodes",
        "currentNodeName",
        "currentBatchNodes",
    ];
    let odd_names = || [json!(true), json!(1), json!([1]), json!({"x": "y"})];
    let names = names.map(|field| odd_names().map(|wrong| (field, wrong)));
    let mut odd: Vec<_> = texts.into_iter().flatten().collect();
    odd.extend(names.into_iter().flatten());
    odd.extend([
        ("startTime", json!("soon")),
        ("startTime", json!(20_230_105)),
        ("startTime", json!("2023-01-05")),
        ("id", json!("a b")),
        ("currentNodeDetail", json!("x")),
        ("currentNodeDetail", json!([{"status": ["x"]}])),
    ]);
    odd
}

fn odd_texts() -> [Value; 3] {
    [json!(["x"]), json!({"x": "y"}), json!(true)]
}

/// Asserts that a poll failed at this call, and names the field.
fn assert_names(poll: Result<Observation, ApiError>, call: &Call, field: &str, wrong: &Value) {
    let Err(error) = poll else {
        panic!("{field} {wrong}: {poll:?}");
    };
    let kind = (error.reason, error.call);
    assert_eq!(kind, (Reason::Protocol, call.name), "{field} {wrong}");
    assert!(error.message.contains(field), "{wrong}: {error}");
}

#[tokio::test]
async fn a_field_that_cannot_be_read_fails_the_poll_and_is_named() {
    let cluster = json!({"id": "c", "name": "n", "status": "200"});
    let none = json!({"totalSize": 0});
    let good = poll(list(&cluster), upgrades(&running()), none).await;
    assert_eq!(good.unwrap().upgrades[0].status, UpgradeStatus::Running);
    for (field, wrong) in odd_clusters() {
        let mut cluster = cluster.clone();
        cluster[field] = wrong.clone();
        let poll = poll(list(&cluster), json!({}), json!({})).await;
        assert_names(poll, &LIST, &format!("clusters[0].{field}: "), &wrong);
    }
    for (field, wrong) in odd_upgrades() {
        let mut upgrade = running();
        upgrade[field] = wrong.clone();
        let poll = poll(list(&cluster), upgrades(&upgrade), json!({})).await;
        assert_names(poll, &DETAIL, field, &wrong);
    }
    for (field, wrong) in [("totalSize", json!("many")), ("detailList", json!("x"))] {
        let mut answer = upgrades(&running());
        answer[field] = wrong.clone();
        let poll = poll(list(&cluster), answer, json!({})).await;
        assert_names(poll, &DETAIL, field, &wrong);
    }
}

#[tokio::test]
async fn answers_that_tell_nothing_are_no_upgrade() {
    let cluster = json!({"id": "c", "actions": {}, "instances": {}, "datastore": []});
    for nothing in [
        json!({"totalSize": 0, "detailList": {}}),
        json!({"totalSize": "0.0", "detailList": null}),
        json!({"detailList": [{}]}),
        json!({"detailList": [{"id": "", "status": "", "imageInfo": {"priority": 0}}]}),
    ] {
        let seen = poll(list(&cluster), nothing.clone(), nothing.clone()).await;
        assert_eq!(seen.unwrap().upgrades, [], "{nothing}");
    }
    let (css, _) = scripted(vec![(200, r#"{"clusters":{}}"#.to_owned())]).await;
    assert_eq!(css.discover().await.unwrap().clusters, []);
}
