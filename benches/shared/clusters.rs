//! Clusters for benchmarks.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use rolling_upgrade_exporter::model::{
    ClusterState, Key, Kind, Node, NodeStatus, Span, Thresholds, Upgrade, UpgradeStatus,
    UpgradeView,
};

const ACCOUNTS: usize = 10;

/// Number of nodes of each cluster.
pub(crate) const NODES: usize = 20;

/// Builds a cluster whose upgrade has nodes that are done, one in work and others that wait.
pub(crate) fn upgrading(number: usize, now: Timestamp) -> ClusterState {
    let now = now - Duration::from_millis(number as u64);
    let ago = |minutes: u64| now - Duration::from_secs(minutes * 60);
    let mut upgrade = Upgrade::new(Kind::Version, UpgradeStatus::Running);
    upgrade.requested = Some(ago(60));
    upgrade.from_version = Some("7.6.2".to_owned());
    upgrade.to_version = Some("7.10.2".to_owned());
    let mut node_work = Vec::new();
    for place in 0..NODES {
        let (status, work) = match place {
            0 => (NodeStatus::Succeeded, Some((60, Some(ago(30))))),
            1 => (NodeStatus::Upgrading, Some((30, None))),
            _ => (NodeStatus::Waiting, None),
        };
        let name = format!("search-{number}-{place}");
        let mut node = Node::new(&name, "data", status, "running");
        node.updated = Some(ago(30));
        upgrade.nodes.push(node);
        node_work.push(work.map(|(start, end)| Span {
            start: ago(start),
            end,
        }));
    }
    let view = UpgradeView {
        upgrade: upgrade.into(),
        status_since: ago(60),
        started: Some(ago(60)),
        ended: None,
        last_progress: ago(30),
        stalled: false,
        ratio: Some(0.1),
        estimated_end: Some(now + Duration::from_secs(5 * 3600)),
        task_order: None,
        node_work: node_work.into(),
    };
    ClusterState {
        upgrades: vec![view],
        last_success: now,
        ..idle(number, now)
    }
}

/// Returns an account's name, which its clusters share as those of the exporter do.
fn account(number: usize) -> Arc<str> {
    static NAMES: [OnceLock<Arc<str>>; ACCOUNTS] = [const { OnceLock::new() }; ACCOUNTS];
    let name = NAMES[number].get_or_init(|| format!("account-{number}").into());
    name.clone()
}

/// Builds a cluster without an upgrade. Each was polled at a time of its own.
pub(crate) fn idle(number: usize, now: Timestamp) -> ClusterState {
    let now = now - Duration::from_millis(number as u64);
    ClusterState {
        key: Key {
            account: account(number % ACCOUNTS),
            product: "ses",
            id: format!("{}", 1_000_000 + number * 7919).into(),
        },
        cloud: "ncloud",
        cloud_region: "KR".into(),
        name: format!("search-{number}").into(),
        version: "7.6.2".into(),
        version_name: None,
        raw_status: "running".into(),
        status_meaning: None,
        available: Vec::new(),
        up: true,
        answered: true,
        last_success: now,
        last_error: None,
        poll_interval: Duration::from_secs(30),
        thresholds: Thresholds {
            stalled_after: Duration::from_secs(2 * 3600),
            overdue_after: Duration::from_secs(6 * 3600),
            retain_ended: Duration::from_secs(7 * 86400),
        },
        degraded: Vec::new(),
        upgrades: Vec::new(),
    }
}
