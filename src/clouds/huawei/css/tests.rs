//! Tests of the provider over loopback sockets: against the simulator here, against answers of its
//! own in the modules below.

mod bench;
mod moves;
mod paging;
mod scripted;
mod strict;
mod unpublished;

use std::net::SocketAddr;

use jiff::SignedDuration;

use super::*;
use crate::clock::Clock;
use crate::cloud::transport::Transport;
use crate::clouds::huawei::sim::tests as stage;
use crate::config::Account;
use crate::model::{NodeStatus, Thresholds, UpgradeStatus, track};
use crate::sim::World;
use crate::sim::scenario::{Fault, FaultAnswer, Scenario};

/// The real time, moved.
fn ahead(by: SignedDuration) -> Clock {
    let system = Clock::system();
    let start = system.now() + by;
    Clock::tokio(start)
}

/// A world in which this many seconds have passed.
fn world(scenario: Scenario, passed: i64) -> World {
    let mut world = World::new(scenario, 1.0, ahead(SignedDuration::ZERO));
    world.origin -= SignedDuration::from_secs(passed);
    world
}

fn provider(address: SocketAddr) -> CssProvider {
    open(address, stage::transport(&account(address)))
}

fn account(address: SocketAddr) -> Account {
    stage::account(address, stage::good_keys())
}

fn open(address: SocketAddr, transport: std::sync::Arc<Transport>) -> CssProvider {
    let account = account(address);
    CssProvider::new(&account.context(&account.products[0], transport)).unwrap()
}

fn remember(memory: &mut Memory, observation: &Observation) -> track::Advanced {
    let day = Duration::from_secs(86_400);
    let thresholds = Thresholds {
        stalled_after: day,
        overdue_after: day,
        retain_ended: day,
    };
    track::advance(
        memory,
        observation,
        &thresholds,
        Duration::from_secs(300),
        Clock::system().now(),
    )
}

fn fault(path: &str, answer: FaultAnswer) -> Fault {
    Fault {
        path: path.into(),
        query: None,
        cluster: None,
        from: Duration::ZERO,
        lasts: None,
        answer,
    }
}

#[tokio::test]
async fn both_kinds_are_seen_from_end_to_end() {
    let clusters = vec![
        stage::cluster("v", Kind::Version),
        stage::cluster("z", Kind::AzMigration),
        stage::cluster("idle", Kind::Version),
    ];
    let mut scenario = stage::scenario(clusters);
    scenario.clusters[2].starts_after = None;
    // 5 s of waiting, two of six steps of 10 s, and half of the third.
    let (address, world) = stage::serve(world(scenario, 30)).await;
    let provider = provider(address);
    let found = provider.discover().await.unwrap();
    let ids: Vec<&str> = found.clusters.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids, ["idle", "z", "v"]);
    for (id, kind) in [("v", Kind::Version), ("z", Kind::AzMigration)] {
        let seen = provider
            .observe(id, &Memory::default(), Duration::from_secs(60))
            .await
            .unwrap();
        assert_eq!(seen.name, format!("name-of-{id}"));
        let [upgrade] = seen.upgrades.as_slice() else {
            panic!("{:?}", seen.upgrades);
        };
        assert_eq!(
            (upgrade.kind, upgrade.status),
            (kind, UpgradeStatus::Running)
        );
        let states: Vec<_> = upgrade.nodes.iter().map(|n| n.status).collect();
        assert_eq!(
            states,
            [
                NodeStatus::Succeeded,
                NodeStatus::Upgrading,
                NodeStatus::Waiting
            ]
        );
        assert_eq!(upgrade.nodes[1].key.role, "ess");
    }
    let idle = provider
        .observe("idle", &Memory::default(), Duration::from_secs(60))
        .await
        .unwrap();
    assert!(idle.upgrades.is_empty());
    let (requests, refused) = world.seen();
    assert_eq!(refused, [""; 0]);
    assert_eq!(requests, 1 + 3 * 2, "one list serves all");
    let gone = provider
        .observe("gone", &Memory::default(), Duration::from_secs(60))
        .await
        .unwrap_err();
    assert_eq!(gone.error.reason, Reason::NotFound);
}

#[tokio::test]
async fn while_the_version_changes_the_zone_is_not_asked_for() {
    let (address, world) = stage::serve(world(
        stage::scenario(vec![stage::cluster("v", Kind::Version)]),
        30,
    ))
    .await;
    let provider = provider(address);
    let mut memory = Memory::default();
    let mut calls = Vec::new();
    for _ in 0..3 {
        let before = world.seen().0;
        let seen = provider
            .observe("v", &memory, Duration::from_secs(60))
            .await
            .unwrap();
        remember(&mut memory, &seen);
        calls.push(world.seen().0 - before);
    }
    assert_eq!(calls, [3, 1, 1]);
}

#[tokio::test]
async fn faults_are_errors_of_their_kind() {
    for (answer, want) in [
        (FaultAnswer::Throttled, Reason::Throttled),
        (FaultAnswer::Forbidden, Reason::Permission),
        (FaultAnswer::ServerError, Reason::Server),
        (FaultAnswer::Unauthorized, Reason::Auth),
        (FaultAnswer::Refused, Reason::Refused),
        (FaultAnswer::Html, Reason::Server),
        (FaultAnswer::Garbage, Reason::Protocol),
        (FaultAnswer::Empty, Reason::Protocol),
        (FaultAnswer::Redirect, Reason::Protocol),
    ] {
        let mut scenario = stage::scenario(vec![stage::cluster("v", Kind::Version)]);
        scenario.faults.push(fault("/upgrade/detail", answer));
        let (address, _) = stage::serve(world(scenario, 30)).await;
        let error = provider(address)
            .observe("v", &Memory::default(), Duration::from_secs(60))
            .await
            .unwrap_err()
            .error;
        assert_eq!(error.reason, want, "{answer:?}");
        assert_eq!(error.call, "UpgradeDetail");
        let shown = error.to_string();
        assert!(
            !shown.contains("canonical") && !shown.contains("QTWA"),
            "{shown}"
        );
    }
}
