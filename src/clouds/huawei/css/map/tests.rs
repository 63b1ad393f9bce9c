mod details;
mod untold;
mod versions;

use super::super::pages::Page as _;
use super::super::wire::{ClusterList, Details};
use super::*;
use crate::model::track;
use crate::model::{NodeKey, NodeStatus, Thresholds};

const RUNNING: &str = include_str!("../../../../../tests/data/huawei/css-upgrade-running.json");
const AZ: &str = include_str!("../../../../../tests/data/huawei/css-az-migration-running.json");
const HISTORY: &str = include_str!("../../../../../tests/data/huawei/css-made-up-history.json");
const FAILED: &str = include_str!("../../../../../tests/data/huawei/css-made-up-failed.json");
const BATCH: &str = include_str!("../../../../../tests/data/huawei/css-made-up-batch.json");
const LIST: &str = include_str!("../../../../../tests/data/huawei/css-cluster-list.json");
const LIST_2020: &str = include_str!("../../../../../tests/data/huawei/css-cluster-list-2020.json");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cluster() -> Cluster {
    serde_json::from_str(
        r#"{"id":"c","name":"css-test","status":"200","datastore":{"version":"7.6.2"},
            "instances":[{"name":"css-test-ess-esn-1-1","type":"ess"},
                         {"name":"css-test-ess-esn-2-1","type":"ESS-MASTER"}]}"#,
    )
    .unwrap()
}

fn details(json: &str) -> Vec<Detail> {
    let page: Details = serde_json::from_str(json).unwrap();
    page.parts().1.unwrap().list
}

fn upgrade(
    kind: Kind,
    details: Vec<Detail>,
    input: &MappingInput<'_>,
    words: &mut Vec<String>,
) -> Option<Upgrade> {
    super::upgrade(kind, details, input, words).unwrap()
}

fn read_with(kind: Kind, json: &str, memory: &Memory) -> (Upgrade, Vec<String>) {
    let cluster = cluster();
    let input = MappingInput {
        cluster: &cluster,
        memory,
        zone: Offset::UTC,
    };
    let mut words = Vec::new();
    let upgrade = upgrade(kind, details(json), &input, &mut words).unwrap();
    (upgrade, words)
}

fn read(json: &str) -> Upgrade {
    let (upgrade, words) = read_with(Kind::Version, json, &Memory::default());
    assert!(words.is_empty(), "{words:?}");
    upgrade
}

fn states(upgrade: &Upgrade) -> Vec<&'static str> {
    upgrade.nodes.iter().map(|n| n.status.as_str()).collect()
}

/// A memory in which this upgrade was seen.
fn memory_of(upgrade: &Upgrade) -> Memory {
    let mut observation = observation(&cluster());
    observation.upgrades.push(upgrade.clone());
    let mut memory = Memory::default();
    let hour = std::time::Duration::from_secs(3600);
    let thresholds = Thresholds {
        stalled_after: hour,
        overdue_after: hour,
        retain_ended: hour,
    };
    track::advance(
        &mut memory,
        &observation,
        &thresholds,
        std::time::Duration::from_secs(300),
        at("2023-01-05T02:30:00Z"),
    );
    memory
}

#[test]
fn the_documents_running_upgrade() {
    let upgrade = read(RUNNING);
    assert_eq!(upgrade.status, UpgradeStatus::Running);
    assert_eq!(
        upgrade.id.as_deref(),
        Some("b7ac4c5b-3bda-4feb-a303-eb80f4bce986")
    );
    assert_eq!(upgrade.requested, Some(at("2023-01-05T02:23:39Z")));
    assert_eq!(upgrade.ended, None);
    assert_eq!((upgrade.executions, upgrade.retries()), (Some(1), Some(0)));
    assert_eq!(upgrade.from_version.as_deref(), Some("7.6.2"));
    assert_eq!(upgrade.to_version.as_deref(), Some("7.10.2"));
    assert_eq!(states(&upgrade), ["upgrading", "waiting", "waiting"]);
    let node = &upgrade.nodes[0];
    let key = |name: &str, role: &str| NodeKey {
        name: name.into(),
        role: role.into(),
    };
    assert_eq!(node.key, key("css-test-ess-esn-1-1", "ess"));
    assert_eq!(
        upgrade.nodes[1].key,
        key("css-test-ess-esn-2-1", "ess-master")
    );
    assert_eq!(upgrade.nodes[2].key, key("css-test-ess-esn-3-1", ""));
    assert_eq!(node.started, Some(at("2023-01-05T02:23:42Z")));
    assert_eq!(node.updated, Some(at("2023-01-05T02:29:51Z")));
    assert_eq!((node.task_order, node.share_done), (Some(0), 0.5));
    assert_eq!(
        (upgrade.nodes[1].started, upgrade.nodes[1].share_done),
        (None, 0.0)
    );
    let tasks: Vec<_> = upgrade
        .tasks
        .iter()
        .map(|t| (t.order, t.name.as_str(), t.status, t.end))
        .collect();
    let migrated = Some(at("2023-01-05T02:29:51Z"));
    assert_eq!(
        tasks,
        [
            (0, "Data migration", TaskStatus::Succeeded, migrated),
            (12, "Task status update", TaskStatus::Waiting, None),
        ]
    );
}

#[test]
fn the_documents_zone_change() {
    let (upgrade, _) = read_with(Kind::AzMigration, AZ, &Memory::default());
    assert_eq!(upgrade.kind, Kind::AzMigration);
    assert_eq!(upgrade.status, UpgradeStatus::Running);
    let zones = (
        upgrade.from_version.as_deref(),
        upgrade.to_version.as_deref(),
    );
    assert_eq!(zones, (Some("cn-north-4a"), Some("cn-north-4c")));
    let nodes: Vec<_> = upgrade
        .nodes
        .iter()
        .map(|n| (n.key.name.as_str(), n.status))
        .collect();
    assert_eq!(
        nodes,
        [
            ("css-test-ess-esn-2-1", NodeStatus::Succeeded),
            ("css-test-ess-esn-1-1", NodeStatus::Upgrading),
            ("css-test-ess-esn-3-1", NodeStatus::Waiting),
        ]
    );
    // A step that began days after the node's first one is the sign of life.
    assert_eq!(upgrade.nodes[1].updated, Some(at("2023-01-04T06:53:42Z")));
    assert_eq!(upgrade.nodes[1].task_order, Some(12));
}

#[test]
fn dates_are_in_the_accounts_zone() {
    let cluster = cluster();
    let input = MappingInput {
        cluster: &cluster,
        memory: &Memory::default(),
        zone: Offset::constant(8),
    };
    let upgrade = upgrade(Kind::Version, details(RUNNING), &input, &mut Vec::new()).unwrap();
    assert_eq!(upgrade.requested, Some(at("2023-01-04T18:23:39Z")));
}

#[test]
fn the_last_started_is_chosen_unless_one_runs() {
    let upgrade = read(HISTORY);
    assert_eq!(upgrade.requested, Some(at("2023-03-01T01:00:00Z")));
    assert_eq!(upgrade.status, UpgradeStatus::Succeeded);
    assert_eq!(upgrade.ended, Some(at("2023-03-01T02:00:00Z")));
    assert_eq!(states(&upgrade), ["succeeded"; 3]);
    // The step of a node that is done is nobody's work.
    assert!(
        upgrade
            .nodes
            .iter()
            .all(|n| n.started.is_none() && n.share_done == 0.0)
    );
    // The version before is not in an ended upgrade.
    assert_eq!(upgrade.from_version, None);
    let mut all = details(HISTORY);
    all.splice(1..1, details(RUNNING));
    let cluster = cluster();
    let input = MappingInput {
        cluster: &cluster,
        memory: &Memory::default(),
        zone: Offset::UTC,
    };
    let chosen = super::upgrade(Kind::Version, all, &input, &mut Vec::new());
    let chosen = chosen.unwrap().unwrap();
    assert_eq!(chosen.status, UpgradeStatus::Running);
    assert_eq!(
        super::upgrade(Kind::Version, Vec::new(), &input, &mut Vec::new()),
        Ok(None)
    );
}

#[test]
fn a_failed_upgrade_failed_at_its_current_node() {
    let upgrade = read(FAILED);
    assert_eq!(upgrade.status, UpgradeStatus::Failed);
    assert_eq!(states(&upgrade), ["succeeded", "failed", "waiting"]);
    assert!(upgrade.is_ended());
    assert_eq!(upgrade.ended, Some(at("2023-01-05T02:45:00Z")));
    assert_eq!((upgrade.executions, upgrade.retries()), (Some(3), Some(2)));
    assert_eq!(upgrade.nodes[1].task_order, Some(6));
    let partly = read(&FAILED.replace(
        "\"FAILED\",\n      \"agency",
        "\"PARTIAL_FAILED\",\n      \"agency",
    ));
    assert_eq!(partly.status, UpgradeStatus::PartiallyFailed);
    assert_eq!(states(&partly), ["succeeded", "failed", "failed"]);
}

#[test]
fn of_a_batch_all_are_in_work_and_one_is_described() {
    let upgrade = read(BATCH);
    assert_eq!(
        states(&upgrade),
        [
            "succeeded",
            "succeeded",
            "upgrading",
            "upgrading",
            "waiting",
            "waiting"
        ]
    );
    assert_eq!(upgrade.nodes[2].task_order, Some(6));
    assert!((upgrade.nodes[2].share_done - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(
        (upgrade.nodes[3].task_order, upgrade.nodes[3].started),
        (None, None)
    );
    let failed = read(&BATCH.replacen("RUNNING", "FAILED", 1));
    assert_eq!(failed.status, UpgradeStatus::Failed);
    assert!(failed.is_ended(), "no node is in work after a failure");
}

#[test]
fn a_node_whose_steps_are_all_done_is_not_done() {
    let upgrade = read(&RUNNING.replace("WAITING", "SUCCESS"));
    assert_eq!(upgrade.nodes[0].status, NodeStatus::Upgrading);
    assert!(upgrade.nodes[0].share_done < 1.0);
}

#[test]
fn no_names_are_no_nodes() {
    let upgrade = read(
        r#"{"detailList":[{"status":"RUNNING","totalNodes":"","completedNodes":"","currentNodeName":""}]}"#,
    );
    assert!(upgrade.nodes.is_empty());
    assert_eq!(
        (upgrade.id, upgrade.requested, upgrade.executions),
        (None, None, None)
    );
}

#[test]
fn words_count_in_any_case() {
    let upgrade = read(
        &FAILED
            .replace("FAILED", " Failed ")
            .replace("SUCCESS", "success"),
    );
    assert_eq!(upgrade.status, UpgradeStatus::Failed);
    assert_eq!(upgrade, Upgrade { ..read(FAILED) });
    let mut all = details(HISTORY);
    all.extend(details(&RUNNING.replace("RUNNING", "running")));
    let cluster = cluster();
    let input = MappingInput {
        cluster: &cluster,
        memory: &Memory::default(),
        zone: Offset::UTC,
    };
    let chosen = super::upgrade(Kind::Version, all, &input, &mut Vec::new());
    assert_eq!(chosen.unwrap().unwrap().status, UpgradeStatus::Running);
}

#[test]
fn a_start_before_the_year_2000_is_not_yet() {
    let upgrade = read(&RUNNING.replace("2023-01-05T02:23:39", "1970-01-01T00:00:00"));
    assert_eq!(upgrade.requested, None);
}

#[test]
fn an_end_while_it_runs_is_that_of_an_execution_before() {
    let upgrade = read(
        r#"{"detailList":[{"status":"RUNNING","endTime":"2023-01-05T02:23:39","executeTimes":2}]}"#,
    );
    assert_eq!((upgrade.ended, upgrade.retries()), (None, Some(1)));
}

#[test]
fn unknown_words_are_unknown_and_told() {
    let json = r#"{"detailList":[{"status":"HALTED","totalNodes":"a","currentNodeDetail":[{"name":"x","status":"SKIPPED"},{"name":"y"}]}]}"#;
    let (upgrade, words) = read_with(Kind::Version, json, &Memory::default());
    assert_eq!(upgrade.status, UpgradeStatus::Unknown);
    assert_eq!(words, ["HALTED", "SKIPPED"]);
    let tasks: Vec<_> = upgrade.tasks.iter().map(|t| (t.order, t.status)).collect();
    assert_eq!(tasks, [(0, TaskStatus::Unknown), (1, TaskStatus::Unknown)]);
    assert_eq!(states(&upgrade), ["waiting"]);
}

#[test]
fn clusters_of_both_ages() {
    let one = |json: &str| {
        let page: ClusterList = serde_json::from_str(json).unwrap();
        observation(&page.parts().1.unwrap().list[0])
    };
    let new = one(LIST);
    assert_eq!(
        (new.name.as_str(), new.version.as_str()),
        ("css-8bc5", "7.10.2")
    );
    assert_eq!((new.raw_status.as_str(), new.changing), ("200", false));
    let old = one(LIST_2020);
    assert_eq!((old.raw_status.as_str(), old.changing), ("303", false));
    let busy = one(&LIST.replace("\"actions\": []", "\"actions\": [\"SOMETHING_NEW\"]"));
    assert!(busy.changing);
    let working = one(&LIST_2020.replace("303", "100"));
    assert!(working.changing);
}
