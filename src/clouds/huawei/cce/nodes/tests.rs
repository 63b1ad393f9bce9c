use std::collections::BTreeMap;

use super::super::precheck::Checked;
use super::super::wire::{List, Precheck};
use super::*;
use crate::model::{Seen, Span};

const NODES: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/huawei/cce-made-up-nodes.json"
));
const PRECHECKS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/huawei/cce-made-up-prechecks.json"
));

/// Nodes that were collected to the end.
struct Nodes {
    nodes: Vec<Node>,
    twice: Option<String>,
}

fn nodes(
    list: &[WireNode],
    prechecks: &[Precheck],
    current: &Current,
    memory: &Memory,
    words: &mut Vec<String>,
) -> Nodes {
    let list = NodeList::new(list.to_vec());
    let refused = current.failed_precheck.as_deref();
    let refused = refused.map_or_else(Vec::new, |id| Checked::of(prechecks, id).nodes);
    let found = super::nodes(&list, &refused, current, memory, words);
    Nodes {
        nodes: found.all.finish().0,
        twice: found.twice,
    }
}

fn nodes_in(
    list: &[WireNode],
    prechecks: &[Precheck],
    current: &Current,
    words: &mut Vec<String>,
) -> Nodes {
    nodes(list, prechecks, current, &Memory::default(), words)
}

fn list() -> Vec<WireNode> {
    serde_json::from_str::<List<WireNode>>(NODES).unwrap().items
}

fn prechecks() -> Vec<Precheck> {
    serde_json::from_str::<List<Precheck>>(PRECHECKS)
        .unwrap()
        .items
}

fn upgrade(id: &str, status: UpgradeStatus) -> Upgrade {
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.id = Some(id.to_owned());
    upgrade
}

fn current(stage: Stage) -> Current {
    Current {
        upgrade: upgrade("u", UpgradeStatus::Running),
        stage,
        is_in_work: true,
        failed_precheck: None,
        undated_precheck: None,
    }
}

/// A memory that saw these nodes in work during this upgrade.
fn memory(upgrade: Upgrade, worked: &[&str]) -> Memory {
    let at = jiff::Timestamp::UNIX_EPOCH;
    let span = Span {
        start: at,
        end: None,
    };
    let key = |name: &&str| NodeKey::new(name, ROLE);
    let worked: BTreeMap<_, _> = worked.iter().map(|name| (key(name), span)).collect();
    let seen = Seen {
        worked: worked.into(),
        ..Seen::new(upgrade, at)
    };
    Memory {
        upgrades: BTreeMap::from([(Kind::Version, seen.into())]),
        ..Memory::default()
    }
}

fn statuses(nodes: &Nodes) -> Vec<&'static str> {
    nodes.nodes.iter().map(|n| n.status.as_str()).collect()
}

fn run(current: &Current, memory: &Memory) -> Nodes {
    let mut words = Vec::new();
    let out = nodes(&list(), &[], current, memory, &mut words);
    assert!(words.is_empty(), "{words:?}");
    out
}

#[test]
fn phases_at_the_cluster_point() {
    let out = run(&current(Stage::At), &Memory::default());
    assert_eq!(
        statuses(&out),
        ["waiting", "upgrading", "waiting", "unknown", "unknown"]
    );
    assert_eq!(out.nodes[1].raw_status, "Upgrading");
    assert_eq!(out.nodes[1].key.role, "node");
}

#[test]
fn what_was_seen_in_work_is_done_or_failed() {
    let seen = memory(upgrade("u", UpgradeStatus::Running), &["node-1", "node-5"]);
    let out = run(&current(Stage::At), &seen);
    assert_eq!(
        statuses(&out),
        ["succeeded", "upgrading", "waiting", "unknown", "failed"]
    );
    let other = memory(
        upgrade("before", UpgradeStatus::Running),
        &["node-1", "node-5"],
    );
    let out = run(&current(Stage::At), &other);
    assert_eq!(
        statuses(&out),
        ["waiting", "upgrading", "waiting", "unknown", "unknown"],
        "it was another upgrade"
    );
}

#[test]
fn before_the_cluster_point_all_wait_and_after_it_all_active_are_done() {
    let out = run(&current(Stage::Before), &Memory::default());
    assert_eq!(statuses(&out), ["waiting"; 5]);
    let out = run(&current(Stage::After), &Memory::default());
    assert_eq!(
        statuses(&out),
        ["succeeded", "upgrading", "succeeded", "unknown", "unknown"]
    );
}

#[test]
fn phases_count_in_any_case() {
    let (mut list, mut prechecks) = (list(), prechecks());
    for node in &mut list {
        node.status.phase = node.status.phase.to_uppercase();
    }
    let nodes = prechecks.iter_mut().map(|precheck| &mut precheck.status);
    let nodes = nodes.flat_map(|status| &mut status.node_check_status.node_stage_status);
    for item in nodes.flat_map(|node| &mut node.items_status) {
        item.phase = item.phase.to_lowercase();
    }
    let mut current = current(Stage::At);
    current.failed_precheck = Some("p-2".to_owned());
    let mut words = Vec::new();
    let out = nodes_in(&list, &prechecks, &current, &mut words);
    assert_eq!(
        statuses(&out),
        [
            "waiting", "failed", "waiting", "unknown", "unknown", "failed"
        ]
    );
    assert!(words.is_empty(), "{words:?}");
}

#[test]
fn unknown_phases_are_told() {
    let mut list = list();
    list[0].status.phase = "Dreaming".to_owned();
    list[2].status.phase = String::new();
    let mut words = Vec::new();
    let memory = Memory::default();
    let out = nodes(&list, &[], &current(Stage::At), &memory, &mut words);
    assert_eq!(words, ["Dreaming", "(empty)"]);
    assert_eq!(out.nodes[0].status, NodeStatus::Unknown);
    assert_eq!(out.nodes[0].raw_status, "Dreaming");
}

#[test]
fn nodes_that_the_precheck_refused_failed() {
    let mut current = current(Stage::Before);
    current.failed_precheck = Some("p-2".to_owned());
    let run = |current: &Current| {
        let memory = Memory::default();
        let out = nodes(&list(), &prechecks(), current, &memory, &mut Vec::new());
        out.nodes
            .into_iter()
            .filter(|node| node.status == NodeStatus::Failed)
            .map(|node| (node.key.name, node.key.role, node.raw_status))
            .collect::<Vec<_>>()
    };
    let want = [
        ("node-2", "node", "Upgrading"),
        ("master-1", "master", "Active"),
    ]
    .map(|(name, role, raw)| (name.to_owned(), role.to_owned(), raw.to_owned()));
    assert_eq!(run(&current), want);
    current.failed_precheck = Some(String::new());
    assert_eq!(run(&current), want, "without an id, the last one");
    current.failed_precheck = Some("gone".to_owned());
    assert!(run(&current).is_empty(), "not another one's nodes");
    current.failed_precheck = None;
    assert!(run(&current).is_empty());
}

#[test]
fn of_two_reports_the_worse_counts() {
    let mut list = list();
    list[2].metadata.name = "node-2".to_owned();
    list[2].status.phase = "Repairing".to_owned();
    let mut words = Vec::new();
    let memory = Memory::default();
    let out = nodes(&list, &[], &current(Stage::At), &memory, &mut words);
    assert_eq!(out.twice.as_deref(), Some("node-2"));
    assert_eq!(
        statuses(&out),
        ["waiting", "unknown", "unknown", "unknown"],
        "unknown is worse than upgrading"
    );
    list.swap(1, 2);
    let swapped = nodes(&list, &[], &current(Stage::At), &memory, &mut words);
    assert_eq!(statuses(&swapped), statuses(&out));
}

#[test]
fn a_node_without_a_name_goes_by_its_uid() {
    let mut list = list();
    list.truncate(2);
    list[0].metadata.name = String::new();
    list[1].metadata.name = String::new();
    list[1].metadata.uid = String::new();
    let memory = Memory::default();
    let out = nodes(&list, &[], &current(Stage::At), &memory, &mut Vec::new());
    assert_eq!(out.nodes.len(), 1);
    assert_eq!(out.nodes[0].key.name, "n-1");
}

#[test]
fn nodes_of_a_settled_upgrade_are_remembered() {
    let done = |status, node| {
        let mut done = upgrade("u", status);
        done.nodes = vec![Node::new("node-1", ROLE, node, "Active")];
        done
    };
    let settled = memory(done(UpgradeStatus::Succeeded, NodeStatus::Succeeded), &[]);
    let now = upgrade("u", UpgradeStatus::Succeeded);
    assert_eq!(
        remembered(&now, &settled).unwrap().nodes[0].key.name,
        "node-1"
    );
    let other = upgrade("v", UpgradeStatus::Succeeded);
    assert!(remembered(&other, &settled).is_none());
    assert!(remembered(&now, &Memory::default()).is_none());

    let running = memory(done(UpgradeStatus::Running, NodeStatus::Succeeded), &[]);
    assert!(remembered(&now, &running).is_none(), "it has just ended");
    let working = memory(done(UpgradeStatus::Succeeded, NodeStatus::Upgrading), &[]);
    assert!(
        remembered(&now, &working).is_none(),
        "a node is in work still"
    );
    let failed = memory(done(UpgradeStatus::Failed, NodeStatus::Failed), &[]);
    let still = upgrade("u", UpgradeStatus::Failed);
    assert!(remembered(&still, &failed).is_none(), "it may recover");
}

#[test]
fn nodes_that_are_not_settled_are_asked_for_again_after_the_end() {
    let mut last = upgrade("u", UpgradeStatus::Succeeded);
    for (status, settled) in [
        (NodeStatus::Succeeded, true),
        (NodeStatus::Waiting, true),
        (NodeStatus::Unknown, false),
        (NodeStatus::Failed, false),
    ] {
        last.nodes = vec![Node::new("node-1", ROLE, status, "x")];
        let memory = memory(last.clone(), &[]);
        assert_eq!(remembered(&last, &memory).is_some(), settled, "{status:?}");
    }
}
