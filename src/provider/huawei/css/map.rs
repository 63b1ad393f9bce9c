//! From CSS's words to the model. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::super::time::naive;
use super::wire::{Cluster, Detail, Step};
use crate::model::{
    Kind, Memory, Node, NodeStatus, Observation, Task, TaskStatus, Upgrade, UpgradeStatus,
};
use crate::provider::error::clean;

/// What an upgrade is read against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'a> {
    /// Its cluster.
    pub(super) cluster: &'a Cluster,
    /// What earlier polls saw.
    pub(super) memory: &'a Memory,
    /// The zone of dates.
    pub(super) zone: Offset,
}

/// What the list tells of a cluster; its upgrades are told elsewhere.
pub(super) fn observation(cluster: &Cluster) -> Observation {
    Observation {
        name: cluster.name.clone(),
        version: cluster.datastore.version.clone(),
        raw_status: clean(&cluster.status),
        changing: cluster.status == "100" || !cluster.actions.is_empty(),
        upgrades: Vec::new(),
        unknown_words: Vec::new(),
        refused: None,
    }
}

/// The upgrade of this kind that matters now. `details` is the whole history in no order that the
/// vendor promises: the one that runs is chosen, else the one that started last.
pub(super) fn upgrade(
    kind: Kind,
    details: Vec<Detail>,
    ground: &Ground<'_>,
    unknown_words: &mut Vec<String>,
) -> Option<Upgrade> {
    let chosen = details.into_iter().max_by_key(|detail| {
        let runs = status(&detail.status) == Some(UpgradeStatus::Running);
        (
            runs,
            naive(&detail.start_time, ground.zone),
            detail.id.clone(),
        )
    })?;
    Some(read(kind, &chosen, ground, unknown_words))
}

fn read(
    kind: Kind,
    detail: &Detail,
    ground: &Ground<'_>,
    unknown_words: &mut Vec<String>,
) -> Upgrade {
    let time = |text: &str| naive(text, ground.zone);
    let status = status(&detail.status).unwrap_or_else(|| {
        note(unknown_words, &detail.status);
        UpgradeStatus::Unknown
    });
    let mut upgrade = Upgrade::new(kind, status);
    upgrade.id = told(&detail.id);
    upgrade.requested = time(&detail.start_time);
    // After a retry the end of the execution before may still stand there.
    upgrade.ended = time(&detail.end_time).filter(|_| status.is_final());
    upgrade.executions = detail.execute_times.and_then(|n| u64::try_from(n).ok());
    upgrade.tasks = tasks(&detail.steps, &time, unknown_words);
    upgrade.nodes = nodes(detail, status, &upgrade.tasks, ground);
    if kind == Kind::Version {
        let image = &detail.image_info;
        // The display name is the image's; the version is what its users ask for.
        upgrade.to_version = told(&image.datastore_version).or_else(|| told(&image.display_name));
        let before = ground.memory.last(kind).map(|seen| &seen.last);
        upgrade.from_version = before
            .filter(|before| before.is_same(&upgrade))
            .and_then(|before| before.from_version.clone())
            // While it runs the list still tells the version before.
            .or_else(|| match status {
                UpgradeStatus::Running => told(&ground.cluster.datastore.version),
                _ => None,
            });
    }
    upgrade
}

fn told(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn note(unknown_words: &mut Vec<String>, word: &str) {
    if !word.trim().is_empty() {
        unknown_words.push(clean(word));
    }
}

fn status(word: &str) -> Option<UpgradeStatus> {
    match word.trim().to_ascii_uppercase().as_str() {
        "RUNNING" => Some(UpgradeStatus::Running),
        "SUCCESS" => Some(UpgradeStatus::Succeeded),
        "FAILED" => Some(UpgradeStatus::Failed),
        "PARTIAL_FAILED" => Some(UpgradeStatus::PartiallyFailed),
        _ => None,
    }
}

fn task_status(step: &Step) -> Option<TaskStatus> {
    match step.status.trim().to_ascii_uppercase().as_str() {
        "WAITING" => Some(TaskStatus::Waiting),
        "RUNNING" => Some(TaskStatus::Running),
        "SUCCESS" => Some(TaskStatus::Succeeded),
        "FAILED" => Some(TaskStatus::Failed),
        _ => None,
    }
}

/// The steps of the node in work, in the vendor's order; its numbers have gaps. A step without a
/// number gets that of its place.
fn tasks(
    steps: &[Step],
    time: &dyn Fn(&str) -> Option<Timestamp>,
    unknown_words: &mut Vec<String>,
) -> Vec<Task> {
    let mut tasks: Vec<Task> = steps
        .iter()
        .enumerate()
        .map(|(place, step)| Task {
            order: step
                .order
                .and_then(|order| u32::try_from(order).ok())
                .or_else(|| u32::try_from(place).ok())
                .unwrap_or(u32::MAX),
            name: step.name.trim().to_owned(),
            status: task_status(step).unwrap_or_else(|| {
                note(unknown_words, &step.status);
                TaskStatus::Unknown
            }),
            start: time(&step.begin_time),
            end: time(&step.end_time),
        })
        .collect();
    tasks.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
    tasks.dedup_by(|a, b| (a.order, &a.name) == (b.order, &b.name));
    tasks
}

fn nodes(detail: &Detail, status: UpgradeStatus, tasks: &[Task], ground: &Ground<'_>) -> Vec<Node> {
    let completed: BTreeSet<&String> = detail.completed_nodes.iter().collect();
    let in_work: BTreeSet<&String> = detail
        .current_node_name
        .iter()
        .chain(&detail.current_batch_nodes)
        .collect();
    let broke = matches!(
        status,
        UpgradeStatus::Failed | UpgradeStatus::PartiallyFailed
    );
    let described = described(detail);
    let mut seen = BTreeSet::new();
    detail
        .total_nodes
        .iter()
        .chain(&detail.completed_nodes)
        .chain(&detail.current_node_name)
        .chain(&detail.current_batch_nodes)
        .filter(|name| seen.insert(*name))
        .map(|name| {
            let state = if status == UpgradeStatus::Succeeded || completed.contains(name) {
                NodeStatus::Succeeded
            } else if in_work.contains(name) {
                if broke {
                    NodeStatus::Failed
                } else {
                    NodeStatus::Upgrading
                }
            } else {
                NodeStatus::Waiting
            };
            // The vendor has no word of its own for a node.
            let mut node = Node::new(name, &role(name, ground), state, "");
            let works = matches!(state, NodeStatus::Upgrading | NodeStatus::Failed);
            if works && described == Some(name) {
                describe(&mut node, tasks);
            }
            node
        })
        .collect()
}

/// The node whose steps `currentNodeDetail` tells: one, also when a batch of them is in work.
fn described(detail: &Detail) -> Option<&String> {
    detail
        .current_node_name
        .first()
        .or(match detail.current_batch_nodes.as_slice() {
            [one] => Some(one),
            _ => None,
        })
}

/// What the tasks tell of their node.
fn describe(node: &mut Node, tasks: &[Task]) {
    node.started = tasks.iter().filter_map(|task| task.start).min();
    node.updated = tasks
        .iter()
        .filter_map(|task| task.start.max(task.end))
        .max();
    node.task_order = current(tasks).map(|task| task.order);
    if node.status == NodeStatus::Upgrading && !tasks.is_empty() {
        let count = |n: usize| u32::try_from(n).map_or(f64::MAX, f64::from);
        let done = tasks
            .iter()
            .filter(|task| task.status == TaskStatus::Succeeded)
            .count();
        // A node that waits to be called done is not done.
        node.share_done = (count(done) / count(tasks.len())).min(0.99);
    }
}

/// The task that runs, else the one that failed, else the last that ended.
fn current(tasks: &[Task]) -> Option<&Task> {
    let with = |status| tasks.iter().find(move |task| task.status == status);
    with(TaskStatus::Running)
        .or_else(|| with(TaskStatus::Failed))
        .or_else(|| {
            tasks
                .iter()
                .filter(|task| task.status == TaskStatus::Succeeded)
                .max_by_key(|task| (task.end, task.order))
        })
}

/// The instance's type. A node that is being replaced can be missing in the list for a while: then
/// it keeps the role that it had, and its series their labels.
fn role(name: &str, ground: &Ground<'_>) -> String {
    let listed = ground
        .cluster
        .instances
        .iter()
        .find(|instance| instance.name == name)
        .map(|instance| instance.role.trim().to_ascii_lowercase());
    listed.filter(|role| !role.is_empty()).unwrap_or_else(|| {
        ground
            .memory
            .upgrades
            .values()
            .flat_map(|seen| &seen.last.nodes)
            .filter(|node| node.key.name == name)
            .map(|node| node.key.role.clone())
            .find(|role| !role.is_empty())
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::pages::Page as _;
    use super::super::wire::{ClusterList, Details};
    use super::*;
    use crate::model::track;
    use crate::model::{NodeKey, Thresholds};

    const RUNNING: &str = include_str!("../../../../tests/data/huawei/css-upgrade-running.json");
    const AZ: &str = include_str!("../../../../tests/data/huawei/css-az-migration-running.json");
    const HISTORY: &str = include_str!("../../../../tests/data/huawei/css-made-up-history.json");
    const FAILED: &str = include_str!("../../../../tests/data/huawei/css-made-up-failed.json");
    const BATCH: &str = include_str!("../../../../tests/data/huawei/css-made-up-batch.json");
    const LIST: &str = include_str!("../../../../tests/data/huawei/css-cluster-list.json");
    const LIST_2020: &str =
        include_str!("../../../../tests/data/huawei/css-cluster-list-2020.json");

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
        page.items().unwrap()
    }

    fn read_with(kind: Kind, json: &str, memory: &Memory) -> (Upgrade, Vec<String>) {
        let cluster = cluster();
        let ground = Ground {
            cluster: &cluster,
            memory,
            zone: Offset::UTC,
        };
        let mut words = Vec::new();
        let upgrade = upgrade(kind, details(json), &ground, &mut words).unwrap();
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
        assert_eq!((upgrade.from_version, upgrade.to_version), (None, None));
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
        let ground = Ground {
            cluster: &cluster,
            memory: &Memory::default(),
            zone: Offset::constant(8),
        };
        let upgrade = upgrade(Kind::Version, details(RUNNING), &ground, &mut Vec::new()).unwrap();
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
        let ground = Ground {
            cluster: &cluster,
            memory: &Memory::default(),
            zone: Offset::UTC,
        };
        let chosen = super::upgrade(Kind::Version, all, &ground, &mut Vec::new()).unwrap();
        assert_eq!(chosen.status, UpgradeStatus::Running);
        assert_eq!(
            super::upgrade(Kind::Version, Vec::new(), &ground, &mut Vec::new()),
            None
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
        assert_eq!(states(&partly), ["succeeded", "failed", "waiting"]);
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
    fn what_was_known_while_it_ran_stays() {
        let memory = memory_of(&read(RUNNING));
        let ended = RUNNING.replacen("RUNNING", "SUCCESS", 1);
        let cluster = serde_json::from_str(r#"{"datastore":{"version":"7.10.2"}}"#).unwrap();
        let ground = Ground {
            cluster: &cluster,
            memory: &memory,
            zone: Offset::UTC,
        };
        let after = upgrade(Kind::Version, details(&ended), &ground, &mut Vec::new()).unwrap();
        assert_eq!(after.from_version.as_deref(), Some("7.6.2"));
        // The list lost its instances; the roles are remembered.
        assert_eq!(after.nodes[1].key.role, "ess-master");
        // Another upgrade has another version before.
        let other = ended.replace("b7ac4c5b", "00000000");
        let other = upgrade(Kind::Version, details(&other), &ground, &mut Vec::new()).unwrap();
        assert_eq!(other.from_version, None);
    }

    #[test]
    fn clusters_of_both_ages() {
        let one = |json: &str| {
            let page: ClusterList = serde_json::from_str(json).unwrap();
            observation(&page.items().unwrap()[0])
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
}
