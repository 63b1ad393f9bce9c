//! Tests of the provider against the simulator, over loopback sockets.

use jiff::SignedDuration;

use super::*;
use crate::clock::Clock;
use crate::model::{NodeStatus, Thresholds, UpgradeStatus, track};
use crate::provider::huawei::sim::tests as stage;
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

fn provider(address: std::net::SocketAddr) -> Css {
    let account = stage::account(address, stage::good_keys());
    Css::new(&Context {
        account: &account,
        product: &account.products[0],
        transport: stage::transport(&account),
    })
    .unwrap()
}

fn remember(memory: &mut Memory, observation: &Observation) {
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
    );
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
    assert_eq!(gone.reason, Reason::NotFound);
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
async fn a_cloud_without_upgrades_is_left_alone_until_the_next_discovery() {
    let mut scenario = stage::scenario(vec![stage::cluster("v", Kind::Version)]);
    scenario
        .faults
        .push(fault("/upgrade/detail", FaultAnswer::NotPublished));
    let (address, world) = stage::serve(world(scenario, 30)).await;
    let provider = provider(address);
    let observe = async || {
        let before = world.seen().0;
        let seen = provider
            .observe("v", &Memory::default(), Duration::from_secs(60))
            .await
            .unwrap();
        assert!(seen.upgrades.is_empty());
        world.seen().0 - before
    };
    assert_eq!(observe().await, 2, "the list and one attempt");
    assert_eq!(observe().await, 0);
    provider.discover().await.unwrap();
    assert_eq!(observe().await, 1);
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
            .unwrap_err();
        assert_eq!(error.reason, want, "{answer:?}");
        assert_eq!(error.call, "UpgradeDetail");
        let shown = error.to_string();
        assert!(
            !shown.contains("canonical") && !shown.contains("QTWA"),
            "{shown}"
        );
    }
}

/// A CSS that answers each request with the next of these.
async fn scripted(answers: Vec<(u16, String)>) -> (Css, Arc<Mutex<Vec<String>>>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = asked.clone();
    tokio::spawn(async move {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let line = String::from_utf8(head).unwrap();
            kept.lock()
                .unwrap()
                .push(line.lines().next().unwrap_or_default().to_owned());
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (provider(address), asked)
}

fn page(total: usize, ids: std::ops::Range<usize>) -> (u16, String) {
    let clusters: Vec<_> = ids
        .map(|n| serde_json::json!({"id": n.to_string(), "name": "x"}))
        .collect();
    let body = serde_json::json!({"totalSize": total, "clusters": clusters});
    (200, body.to_string())
}

#[tokio::test]
async fn pages_go_on_with_both_names_of_the_position() {
    let (css, asked) = scripted(vec![page(12, 0..10), page(12, 10..12)]).await;
    assert_eq!(css.discover().await.unwrap().clusters.len(), 12);
    let asked = asked.lock().unwrap().clone();
    assert!(asked[0].contains("clusters?limit=1000 "), "{asked:?}");
    assert!(
        asked[1].contains("clusters?limit=1000&offset=11&start=11 "),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_cloud_that_repeats_its_first_page_is_no_discovery() {
    let (css, asked) = scripted(vec![page(12, 0..10), page(12, 0..10)]).await;
    let error = css.discover().await.unwrap_err();
    assert_eq!((error.reason, error.call), (Reason::Protocol, LIST.name));
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_answer_without_a_list_is_no_discovery() {
    let (css, _) = scripted(vec![(200, "{}".into())]).await;
    assert_eq!(css.discover().await.unwrap_err().reason, Reason::Protocol);
}

#[tokio::test]
async fn a_cloud_that_refuses_zone_changes_still_tells_upgrades() {
    let none = || (200, r#"{"totalSize":0}"#.to_owned());
    let refused = (
        400,
        r#"{"errCode":"CSS.0001","externalMessage":"bad action_mode"}"#.to_owned(),
    );
    let (css, asked) = scripted(vec![
        page(1, 0..1),
        none(),
        refused.clone(),
        none(),
        page(1, 0..1),
        none(),
        refused,
    ])
    .await;
    let observe = async || {
        css.observe("0", &Memory::default(), Duration::from_secs(60))
            .await
            .unwrap()
    };
    observe().await;
    observe().await;
    css.discover().await.unwrap();
    observe().await;
    let az = |line: &&String| line.contains("action_mode=AZ_MIGRATION");
    let asked = asked.lock().unwrap().clone();
    assert_eq!((asked.len(), asked.iter().filter(az).count()), (7, 2));
}

fn details(status: &str) -> (u16, String) {
    let one =
        serde_json::json!({"id": status, "startTime": "2023-01-05T02:23:39", "status": status});
    let body = serde_json::json!({"totalSize": 1, "detailList": [one]});
    (200, body.to_string())
}

#[tokio::test]
async fn a_zone_change_that_is_not_over_is_asked_for_while_the_version_changes_too() {
    let (css, _) = scripted(vec![
        page(1, 0..1),
        details("RUNNING"),
        details("RUNNING"),
        details("RUNNING"),
        details("SUCCESS"),
    ])
    .await;
    let mut memory = Memory::default();
    let mut last = Vec::new();
    for _ in 0..2 {
        let seen = css
            .observe("0", &memory, Duration::from_secs(60))
            .await
            .unwrap();
        remember(&mut memory, &seen);
        last = seen.upgrades.iter().map(|u| (u.kind, u.status)).collect();
    }
    assert_eq!(
        last,
        [
            (Kind::Version, UpgradeStatus::Running),
            (Kind::AzMigration, UpgradeStatus::Succeeded)
        ]
    );
}

#[tokio::test]
async fn one_empty_answer_does_not_take_a_failure_back() {
    let none = || (200, r#"{"totalSize":0}"#.to_owned());
    let mut answers = vec![page(1, 0..1), details("FAILED"), none()];
    answers.extend([none(), none(), none(), none()]);
    let (css, _) = scripted(answers).await;
    let fresh = Duration::from_secs(60);
    let mut memory = Memory::default();
    let mut told = Vec::new();
    for _ in 0..3 {
        let seen = css.observe("0", &memory, fresh).await.unwrap();
        remember(&mut memory, &seen);
        told.push(seen.upgrades.first().map(|upgrade| upgrade.status));
    }
    let failed = Some(UpgradeStatus::Failed);
    assert_eq!(told, [failed, failed, None]);
}

#[tokio::test]
async fn a_refusal_does_not_take_away_a_zone_change_that_is_known() {
    for (word, want) in [
        ("FAILED", Ok(Some(UpgradeStatus::Failed))),
        ("RUNNING", Err(Reason::Refused)),
    ] {
        let refused = (
            400,
            r#"{"errCode":"CSS.0077","externalMessage":"scaling"}"#.to_owned(),
        );
        let none = || (200, r#"{"totalSize":0}"#.to_owned());
        let answers = vec![page(1, 0..1), none(), details(word), none(), refused];
        let (css, _) = scripted(answers).await;
        let fresh = Duration::from_secs(60);
        let mut memory = Memory::default();
        let seen = css.observe("0", &memory, fresh).await.unwrap();
        remember(&mut memory, &seen);
        let then = css.observe("0", &memory, fresh).await;
        let told = then.map(|seen| seen.upgrades.first().map(|upgrade| upgrade.status));
        assert_eq!(told.map_err(|error| error.reason), want, "{word}");
    }
}
