//! The Search Engine Service's client against its simulator.

use super::*;
use crate::clouds::ncloud::ses;

#[tokio::test]
async fn finds_all_clusters_over_all_pages() {
    let mut clusters: Vec<Cluster> = (0..150).map(|n| search(&(1000 + n).to_string())).collect();
    clusters[3].listed = ListedAs::Disallowed;
    clusters[4].listed = ListedAs::Returned;
    let server = Server::start(world(scenario("KR", clusters), 0)).await;
    let ses = server.open(&ses::PRODUCT, (Zone::Public, "KR", "sk"));
    let found = ses.discover().await.unwrap();
    assert_eq!((found.clusters.len(), found.inaccessible), (148, 1));
    assert_eq!(found.clusters[0].name, "name-1000");
    assert_eq!(server.calls(), ["getClusterInfoList"; 2]);
    assert_eq!(fails(&*ses, "1003").await.reason, Reason::Permission);
    assert_eq!(fails(&*ses, "1004").await.reason, Reason::NotFound);
    let missing = fails(&*ses, "7").await;
    assert_eq!(missing.reason, Reason::NotFound);
    assert_eq!(missing.call, "getClusterInfoList");
    assert!(!server.calls().iter().any(|call| call.contains("REFUSED")));
}

#[tokio::test]
async fn follows_an_upgrade() {
    let expect = [
        (50, None),
        (
            130,
            Some((
                UpgradeStatus::Running,
                [NodeStatus::Upgrading, NodeStatus::Waiting],
            )),
        ),
        (
            200,
            Some((
                UpgradeStatus::Running,
                [NodeStatus::Succeeded, NodeStatus::Upgrading],
            )),
        ),
        (
            300,
            Some((
                UpgradeStatus::Succeeded,
                [NodeStatus::Succeeded, NodeStatus::Succeeded],
            )),
        ),
    ];
    for (elapsed, want) in expect {
        let server = Server::start(world(scenario("KR", vec![search("1")]), elapsed)).await;
        let ses = server.open(&ses::PRODUCT, (Zone::Public, "KR", "sk"));
        let seen = observe(&*ses, "1").await;
        let told = seen.upgrades.first().map(|upgrade| {
            let nodes = [upgrade.nodes[0].status, upgrade.nodes[1].status];
            (upgrade.status, nodes)
        });
        assert_eq!(told, want, "after {elapsed} s");
        assert_eq!(seen.unknown_words, [""; 0]);
        assert_eq!(seen.changing, elapsed == 130 || elapsed == 200);
        if let Some(upgrade) = seen.upgrades.first() {
            let lag = server
                .world
                .now()
                .duration_since(upgrade.requested.unwrap());
            let want = i64::try_from(elapsed).unwrap() - 100;
            assert!((want..want + 5).contains(&lag.as_secs()), "{lag:?}");
            assert_eq!(upgrade.ended.is_some(), elapsed == 300);
            assert_eq!(upgrade.from_version.as_deref(), Some("270"));
        }
        assert_eq!(
            server.calls(),
            [
                "getClusterInfoList",
                "getSearchEngineVersionList",
                r#"getRollingUpgradeProgress{"regionNo":"1","serviceGroupInstanceNo":"1"}"#,
            ]
        );
    }
}

#[tokio::test]
async fn sends_the_region_number_where_it_is_due() {
    let progress = |calls: Vec<String>| calls.last().unwrap().clone();
    for (zone, region, want) in [
        (
            Zone::Public,
            "SGN",
            r#"{"regionNo":"7","serviceGroupInstanceNo":"1"}"#,
        ),
        (
            Zone::Public,
            "JPN",
            r#"{"regionNo":"8","serviceGroupInstanceNo":"1"}"#,
        ),
        (Zone::Fin, "FKR", r#"{"serviceGroupInstanceNo":"1"}"#),
        (Zone::Gov, "KRS", r#"{"serviceGroupInstanceNo":"1"}"#),
    ] {
        let server = Server::start(world(scenario(region, vec![search("1")]), 0)).await;
        let ses = server.open(&ses::PRODUCT, (zone, region, "sk"));
        observe(&*ses, "1").await;
        let calls = server.calls();
        assert_eq!(calls.len(), if region == "JPN" { 4 } else { 3 });
        assert!(progress(calls).ends_with(want), "{region}");
        observe(&*ses, "1").await;
        let again = server.calls();
        assert_eq!(again.len(), 2, "what was learnt is kept");
        assert!(progress(again).ends_with(want), "{region}");
    }
}

/// A server of an ended upgrade whose lookups fail.
async fn without_lookups() -> Server {
    let all = with_fault(
        scenario("JPN", vec![search("1"), elasticsearch()]),
        VERSIONS,
        FaultAnswer::Refused,
    );
    let all = with_fault(all, "getClusterNodeList", FaultAnswer::Forbidden);
    Server::start(world(all, 300)).await
}

const VERSIONS: &str = "getSearchEngineVersionList";

fn elasticsearch() -> Cluster {
    let mut old = cluster("ses", "2", ["7102", "7103"], NODES);
    old.listed = ListedAs::NotUpgradable;
    old
}

#[tokio::test]
async fn lookups_that_fail_are_told_beside_the_upgrade() {
    let server = without_lookups().await;
    let ses = server.open(&ses::PRODUCT, (Zone::Public, "JPN", "sk"));
    let seen = observe(&*ses, "1").await;
    assert_eq!(seen.upgrades[0].status, UpgradeStatus::Succeeded);
    assert_eq!(seen.upgrades[0].to_version.as_deref(), Some("290"));
    let told: Vec<_> = seen
        .secondary
        .iter()
        .map(|call| {
            let failure = call.failure.as_ref().unwrap();
            assert_eq!(failure.permission, "NCP_VPC_SEARCH_ENGINE_SERVICE_VIEWER");
            let about = (failure.missing, failure.is_not_offered);
            (call.endpoint, failure.reason, about)
        })
        .collect();
    let want = [
        (
            VERSIONS,
            Reason::Refused,
            ("names and engines of versions", true),
        ),
        (
            "getClusterNodeList",
            Reason::Permission,
            ("the number of the region", false),
        ),
    ];
    assert_eq!(told, want);
    assert!(seen.ask_again_soon, "to make sure that it is not offered");
}

#[tokio::test]
async fn lookups_that_fail_are_made_up_for_by_the_last_answer() {
    let good = scenario("JPN", vec![search("1"), elasticsearch()]);
    let server = Server::start(world(good, 300)).await;
    let region = (Zone::Public, "JPN", "sk");
    let before = observe(&*server.open(&ses::PRODUCT, region), "1").await;
    let mut memory = Memory::default();
    for call in before.secondary {
        assert_eq!(call.failure, None);
        let known = CallMemory {
            answer: call.answer,
            has_answered: true,
            ..CallMemory::default()
        };
        Arc::make_mut(&mut memory.calls).insert(call.endpoint, known);
    }
    let server = without_lookups().await;
    let ses = server.open(&ses::PRODUCT, region);
    let idle = ses.observe("2", &memory, Duration::ZERO).await.unwrap();
    assert_eq!(idle.upgrades, []);
    assert!(!idle.ask_again_soon, "it was answered before");
    let calls = server.calls();
    assert!(calls.last().unwrap().starts_with(VERSIONS), "{calls:?}");
    let seen = ses.observe("1", &memory, Duration::ZERO).await.unwrap();
    assert_eq!(seen.upgrades.len(), 1);
    assert_eq!(seen.secondary.len(), 2);
    let progress = server.calls().pop().unwrap();
    assert!(progress.contains(r#""regionNo":"8""#), "{progress}");
}

#[tokio::test]
async fn does_not_ask_for_engines_that_cannot_be_upgraded() {
    let clusters = vec![search("1"), elasticsearch()];
    let server = Server::start(world(scenario("KR", clusters), 0)).await;
    let ses = server.open(&ses::PRODUCT, (Zone::Public, "KR", "sk"));
    let seen = observe(&*ses, "2").await;
    assert_eq!((seen.upgrades.len(), seen.refused), (0, None));
    assert_eq!(seen.version, "Elasticsearch 7.10.2");
    assert_eq!(
        server.calls(),
        ["getClusterInfoList", "getSearchEngineVersionList"]
    );
}

#[tokio::test]
async fn takes_a_refusal_of_an_idle_cluster_for_no_upgrade() {
    let refusing = || {
        with_fault(
            scenario("KR", vec![search("1")]),
            "getRollingUpgradeProgress",
            FaultAnswer::Refused,
        )
    };
    let server = Server::start(world(refusing(), 0)).await;
    let idle = server.open(&ses::PRODUCT, (Zone::Public, "KR", "sk"));
    let seen = observe(&*idle, "1").await;
    assert!(seen.upgrades.is_empty());
    assert!(seen.refused.unwrap().contains("10999"));

    let mut memory = Memory::default();
    let now = server.world.now();
    let running = crate::model::Upgrade::new(Kind::Version, UpgradeStatus::Running);
    let seen = Seen::new(running, now);
    memory.upgrades.insert(Kind::Version, seen.into());
    let known = idle.observe("1", &memory, Duration::ZERO).await;
    assert_eq!(
        known.unwrap_err().error.reason,
        Reason::Refused,
        "one is known"
    );

    let server = Server::start(world(refusing(), 130)).await;
    let busy = server.open(&ses::PRODUCT, (Zone::Public, "KR", "sk"));
    assert_eq!(
        fails(&*busy, "1").await.reason,
        Reason::Refused,
        "it changes"
    );
}
