mod words;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::clouds::ncloud::time::Date;
use crate::model::{Node, Span};
use NodeStatus::{Failed, Succeeded, Unknown, Upgrading, Waiting};

const KST: Offset = Offset::constant(9);
const REQUESTED: &str = "2024-03-06 15:01:14";
const BEFORE: &str = "2024-03-05 21:14:49";
const AFTER: &str = "2024-03-06 15:02:31";

fn listed(status: &str, version: &str) -> Listed {
    Listed {
        id: "3427188".into(),
        name: "search".into(),
        status: status.into(),
        version: version.into(),
    }
}

fn versions() -> Vec<Version> {
    serde_json::from_value(json!([
        {"searchEngineVersionCode": "270", "searchEngineVersionName": "OpenSearch 2.7.0", "type": "OpenSearch"},
        {"searchEngineVersionCode": 290, "searchEngineVersionName": "OpenSearch 2.9.0", "type": "OpenSearch"},
        {"searchEngineVersionCode": "7102", "searchEngineVersionName": "Elasticsearch 7.10.2", "type": "Elasticsearch"},
    ]))
    .unwrap()
}

fn date(text: &str) -> Date {
    serde_json::from_value(json!(text)).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Maps the nodes `(word, updatedDate)` of an upgrade to 290 in a cluster of this version.
fn map_with(nodes: &[(&str, &str)], version: &str, seen: Option<&Seen>) -> Observation {
    let nodes: Vec<Value> = nodes
        .iter()
        .enumerate()
        .map(|(i, (status, date))| {
            json!({"hostname": format!("n{i}"), "status": status, "nodeRoleCode": "D", "updatedDate": date})
        })
        .collect();
    let progress = json!({
        "nodeCount": nodes.len(),
        "versionVo": {"currentVersionCode": "270", "targetVersionCode": "290", "actionDate": REQUESTED},
        "nodeStatusVoList": nodes,
    });
    let observation = map(&progress, &listed("changing", version), seen);
    assert_eq!(*observation.remarks, []);
    observation
}

fn map(progress: &Value, listed: &Listed, seen: Option<&Seen>) -> Observation {
    let progress: Option<Progress> = serde_json::from_value(progress.clone()).unwrap();
    let input = MappingInput {
        listed,
        versions: &versions(),
        seen,
        zone: KST,
    };
    observation(&progress.unwrap_or_default(), &input)
}

fn upgrade(nodes: &[(&str, &str)]) -> Upgrade {
    map_with(nodes, "OpenSearch 2.7.0", None).upgrades.remove(0)
}

fn states(upgrade: &Upgrade) -> Vec<NodeStatus> {
    upgrade.nodes.iter().map(|n| n.status).collect()
}

fn seen(requested: &str, status: UpgradeStatus, worked: &[&str]) -> Seen {
    let mut last = Upgrade::new(Kind::Version, status);
    last.requested = date(requested).at(KST);
    last.ended = Some(at("2024-03-06T06:02:00Z"));
    let span = Span {
        start: at("2024-03-06T06:02:00Z"),
        end: None,
    };
    let worked: BTreeMap<_, _> = worked
        .iter()
        .map(|name| (Node::new(name, "data", Upgrading, "").key, span))
        .collect();
    Seen {
        worked: worked.into(),
        ..Seen::new(last, at("2024-03-06T06:02:00Z"))
    }
}

#[test]
fn the_documents_example() {
    let body: Value = serde_json::from_str(include_str!(
        "../../../../../tests/data/ncloud/ses-progress.json"
    ))
    .unwrap();
    let observation = map(
        &body["result"],
        &listed("changing", "OpenSearch 2.7.0"),
        None,
    );
    let remarks = &observation.remarks;
    assert!(remarks.is_empty() && observation.unknown_words.is_empty() && observation.changing);
    assert_eq!(observation.name, "search", "the list's name wins");
    let [upgrade] = &observation.upgrades[..] else {
        panic!("one upgrade");
    };
    assert_eq!(upgrade.status, UpgradeStatus::Running);
    assert_eq!(upgrade.from_version.as_deref(), Some("270"));
    assert_eq!(upgrade.to_version.as_deref(), Some("290"));
    assert_eq!(upgrade.requested, Some(at("2024-03-06T06:01:14Z")));
    assert_eq!(upgrade.ended, None);
    assert_eq!(
        states(upgrade),
        [Waiting, Waiting, Succeeded, Upgrading, Waiting]
    );
    let roles: Vec<&str> = upgrade.nodes.iter().map(|n| n.key.role.as_str()).collect();
    assert_eq!(roles, ["manager", "manager", "data", "data", "data"]);
    let working = &upgrade.nodes[3];
    assert_eq!(working.raw_status, "Upgrade_OpenSearch");
    assert_eq!(working.started, Some(at("2024-03-06T06:02:31Z")));
    assert_eq!(upgrade.nodes[0].updated, Some(at("2024-03-05T12:14:49Z")));
    assert_eq!(upgrade.nodes[0].started, None);
}

#[test]
fn a_list_that_lacks_nodes_proves_no_success() {
    let node =
        |word| json!({"hostname": word, "status": word, "nodeRoleCode": "D", "updatedDate": AFTER});
    let cases = [
        (json!(2), vec!["complete"], UpgradeStatus::Unknown),
        (json!("2"), vec!["complete"], UpgradeStatus::Unknown),
        (json!(1), vec!["complete"], UpgradeStatus::Succeeded),
        (json!(0), vec!["complete"], UpgradeStatus::Succeeded),
        (json!(null), vec!["complete"], UpgradeStatus::Succeeded),
        (json!(-1), vec!["complete"], UpgradeStatus::Succeeded),
        (json!(9), vec!["complete", "Fail"], UpgradeStatus::Failed),
        (
            json!(9),
            vec!["complete", "Upgrade"],
            UpgradeStatus::Running,
        ),
        (json!(9), vec![], UpgradeStatus::Unknown),
        (json!(0), vec![], UpgradeStatus::Succeeded),
    ];
    for (count, words, want) in cases {
        let nodes: Vec<Value> = words.iter().copied().map(node).collect();
        let progress = json!({
            "nodeCount": count,
            "versionVo": {"targetVersionCode": "290", "actionDate": REQUESTED},
            "nodeStatusVoList": nodes,
        });
        let observation = map(&progress, &listed("running", "290"), None);
        assert_eq!(observation.upgrades[0].status, want, "{count} {words:?}");
    }
}

#[test]
fn the_state_of_the_upgrade() {
    let (wait, done, work, fail, odd) = (
        ("running", BEFORE),
        ("complete", AFTER),
        ("Upgrade_X", AFTER),
        ("Fail", AFTER),
        ("", AFTER),
    );
    let cases = [
        (vec![wait, wait], UpgradeStatus::Pending),
        (vec![wait, work], UpgradeStatus::Running),
        (vec![wait, done], UpgradeStatus::Running),
        (vec![wait, done, odd], UpgradeStatus::Running),
        (vec![done, done], UpgradeStatus::Succeeded),
        (vec![done, fail], UpgradeStatus::Failed),
        (vec![wait, fail], UpgradeStatus::Failed),
        (vec![work, fail], UpgradeStatus::Running),
        (vec![done, odd], UpgradeStatus::Unknown),
        (vec![wait, odd], UpgradeStatus::Unknown),
        (vec![odd], UpgradeStatus::Unknown),
    ];
    for (nodes, want) in cases {
        assert_eq!(upgrade(&nodes).status, want, "{nodes:?}");
    }
}

#[test]
fn no_action_date_is_no_upgrade() {
    let idle = listed("running", "270");
    for progress in [
        Value::Null,
        json!({}),
        json!({"name": "a", "versionVo": null, "nodeStatusVoList": null}),
        json!({"versionVo": {"actionDate": null}, "nodeStatusVoList": [{"hostname": "a", "status": "running"}]}),
        json!({"versionVo": {"actionDate": ""}, "nodeStatusVoList": []}),
    ] {
        let observation = map(&progress, &idle, None);
        assert_eq!(observation, super::idle(&idle, &versions()), "{progress}");
    }
}

#[test]
fn an_upgrade_without_nodes() {
    let progress = json!({"versionVo": {"targetVersionCode": "290", "actionDate": REQUESTED}});
    for (status, version, want) in [
        ("running", "290", UpgradeStatus::Succeeded),
        ("changing", "270", UpgradeStatus::Pending),
        ("running", "270", UpgradeStatus::Unknown),
    ] {
        let observation = map(&progress, &listed(status, version), None);
        assert_eq!(observation.upgrades[0].status, want);
    }
}

#[test]
fn oddities_are_noted_and_change_nothing() {
    let progress = json!({
        "nodeCount": 7,
        "versionVo": {"targetVersionCode": "290", "actionDate": REQUESTED},
        "nodeStatusVoList": [
            {"hostname": "a", "status": "complete", "nodeRoleCode": "D", "updatedDate": AFTER},
            {"hostname": "a", "status": "Upgrade_X", "nodeRoleCode": "D", "updatedDate": AFTER},
            {"hostname": "a", "status": "complete", "nodeRoleCode": "D", "updatedDate": AFTER},
            {"hostName": "a", "status": "running", "nodeRoleCode": "M", "updatedDate": ""},
            {"hostname": "b", "status": "complete", "nodeRoleCode": "Master_X", "updatedDate": AFTER},
        ],
    });
    let observation = map(&progress, &listed("changing", "270"), None);
    let upgrade = &observation.upgrades[0];
    assert_eq!(states(upgrade), [Upgrading, Unknown, Succeeded]);
    assert_eq!(upgrade.nodes[2].key.role, "master_x");
    let remarks = &observation.remarks;
    assert_eq!(remarks.len(), 3, "{remarks:?}");
    let has = |place: usize, part| format!("{:?}", remarks[place]).contains(part);
    assert!(has(0, "listed twice") && has(2, "nodeCount"), "{remarks:?}");
}

#[test]
fn the_end_is_the_latest_time_and_stands_still() {
    let later = "2024-03-06 15:40:00";
    let nodes = [("complete", AFTER), ("complete", later), ("running", later)];
    let ended = upgrade(&nodes);
    assert_eq!(ended.ended, Some(at("2024-03-06T06:40:00Z")));
    let known = seen(REQUESTED, UpgradeStatus::Succeeded, &[]);
    let observation = map_with(&nodes, "290", Some(&known));
    assert_eq!(observation.upgrades[0].ended, known.last.ended);
    let running = seen(REQUESTED, UpgradeStatus::Running, &[]);
    let observation = map_with(&nodes, "290", Some(&running));
    assert_eq!(observation.upgrades[0].ended, ended.ended);
}

#[test]
fn counts_nodes_beyond_the_bound() {
    let mut nodes = vec![("running", BEFORE); 25_000];
    nodes[24_999] = ("Upgrade_failed", AFTER);
    let upgrade = upgrade(&nodes);
    assert_eq!(upgrade.status, UpgradeStatus::Failed);
    assert_eq!(upgrade.nodes.len(), 20_000);
    assert_eq!(upgrade.nodes.last().unwrap().key.name, "n24999");
    let counts = upgrade.node_counts();
    assert_eq!((counts.of(Waiting), counts.of(Failed)), (24_999, 1));
}

#[test]
fn versions_have_the_names_of_the_version_list() {
    let progress = json!({
        "versionVo": {"currentVersionCode": "270", "targetVersionCode": 290, "actionDate": REQUESTED},
    });
    for (version, want) in [
        ("OpenSearch 2.7.0", Some("OpenSearch 2.7.0")),
        ("2.7.0", Some("OpenSearch 2.7.0")),
        ("270", Some("OpenSearch 2.7.0")),
        ("9.9.9", None),
        ("", None),
    ] {
        let observation = map(&progress, &listed("changing", version), None);
        assert_eq!(observation.version_name.as_deref(), want, "{version}");
        assert_eq!(observation.version, version, "the list's word stays");
        let upgrade = &observation.upgrades[0];
        let codes = (&upgrade.from_version, &upgrade.to_version);
        assert_eq!(codes, (&Some("270".into()), &Some("290".into())));
        let details = &upgrade.details;
        let names = (&details.from_version_name, &details.to_version_name);
        let want = (
            &Some("OpenSearch 2.7.0".into()),
            &Some("OpenSearch 2.9.0".into()),
        );
        assert_eq!(names, want);
    }
}

#[test]
fn without_a_version_list_versions_have_no_names() {
    let progress: Progress = serde_json::from_value(json!({
        "versionVo": {"currentVersionCode": "270", "targetVersionCode": "290", "actionDate": REQUESTED},
    }))
    .unwrap();
    let input = MappingInput {
        listed: &listed("changing", "270"),
        versions: &[],
        seen: None,
        zone: KST,
    };
    let observation = observation(&progress, &input);
    assert_eq!(observation.version_name, None);
    let details = &observation.upgrades[0].details;
    assert_eq!(
        (&details.from_version_name, &details.to_version_name),
        (&None, &None)
    );
}
