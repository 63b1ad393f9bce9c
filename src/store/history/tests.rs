use super::*;
use crate::expose::check::cluster;
use crate::model::{ClusterState, Node, NodeStatus, Upgrade, UpgradeStatus, UpgradeView};

/// Returns an upgrade of a cluster that was first seen at a time and ended at another.
pub(crate) fn past(id: &str, first_seen: i64, ended: i64, nodes: usize) -> PastUpgrade {
    let at = |seconds| Timestamp::from_second(seconds).unwrap();
    let mut upgrade = Upgrade::new(Kind::Version, UpgradeStatus::Succeeded);
    let node = |n: usize| Node::new(&format!("n{n}"), "", NodeStatus::Succeeded, "");
    upgrade.nodes = (0..nodes).map(node).collect();
    let view = UpgradeView {
        status_since: at(ended),
        started: Some(at(first_seen)),
        ended: Some(at(ended)),
        last_progress: at(ended),
        stalled: false,
        ratio: Some(1.0),
        estimated_end: None,
        task_order: None,
        node_work: vec![None; nodes].into(),
        upgrade: upgrade.into(),
    };
    let state: ClusterState = cluster(id);
    PastUpgrade::new(&state, "kr", at(first_seen), &view).unwrap()
}

fn ids(history: &History) -> Vec<String> {
    let all = history.all().upgrades;
    all.iter()
        .map(|past| past.key.cluster.cluster_id.clone())
        .collect()
}

#[test]
fn what_ended_last_comes_first() {
    let history = History::default();
    history.load([past("a", 1, 50, 2), past("b", 1, 70, 2)], 3);
    history.put(Arc::new(past("c", 1, 60, 2)));
    assert_eq!(ids(&history), ["b", "c", "a"]);
    assert_eq!(history.all().left_out, 3);
}

#[test]
fn another_end_of_an_upgrade_takes_the_place_of_the_first() {
    let history = History::default();
    for ended in [50, 80] {
        history.put(Arc::new(past("a", 1, ended, 2)));
    }
    let later = past("a", 90, 99, 2);
    history.put(Arc::new(later.clone()));
    let of = history.of(&later.key.cluster, Kind::Version);
    let ends: Vec<_> = of.iter().map(|past| past.ended.as_second()).collect();
    assert_eq!(ends, [99, 80]);
    assert_eq!(history.of(&later.key.cluster, Kind::AzMigration), []);
}

#[test]
fn the_oldest_leave_the_memory_when_it_is_full() {
    let history = History::default();
    for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
        let ended = 100 - i64::try_from(n).unwrap();
        history.put(Arc::new(past(id, 1, ended, MOST_ITEMS / 2 - 1)));
    }
    assert_eq!(ids(&history), ["a", "b"]);
    assert_eq!(history.all().left_out, 1);
    history.forget_before(Timestamp::from_second(100).unwrap());
    assert_eq!(ids(&history), ["a"]);
    history.put(Arc::new(past("d", 1, 200, MOST_ITEMS / 2 - 1)));
    assert_eq!(ids(&history), ["d", "a"], "its room is free");
}
