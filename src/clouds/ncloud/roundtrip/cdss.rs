//! The Cloud Data Streaming Service's client against its simulator.

use super::*;
use crate::clouds::ncloud::cdss;

#[tokio::test]
async fn follows_an_upgrade() {
    let nodes: &[(&str, &str)] = &[("b1", "broker"), ("b2", "broker"), ("b1", "zookeeper")];
    let kafka = || cluster("cdss", "3432149", ["2.8.2", "3.7.1"], nodes);
    let mut failing = kafka();
    failing.fails = Some(crate::sim::scenario::Place { node: 2, step: 1 });
    let expect = [
        (kafka(), 50, None),
        (
            kafka(),
            200,
            Some((
                UpgradeStatus::Running,
                [NodeStatus::Unknown, NodeStatus::Upgrading],
            )),
        ),
        (kafka(), 500, None),
        (failing, 500, None),
    ];
    for (kafka, elapsed, want) in expect {
        let server = Server::start(world(scenario("KR", vec![kafka]), elapsed)).await;
        let cdss = server.open(&cdss::PRODUCT, (Zone::Public, "KR", "sk"));
        let found = cdss.discover().await.unwrap();
        assert_eq!(found.clusters[0].id, "3432149");
        let seen = observe(&*cdss, "3432149").await;
        let told = seen.upgrades.first().map(|upgrade| {
            assert_eq!(upgrade.nodes[2].key.role, "zookeeper");
            let nodes = [upgrade.nodes[0].status, upgrade.nodes[1].status];
            (upgrade.status, nodes)
        });
        assert_eq!(told, want, "after {elapsed} s");
        assert_eq!(seen.changing, elapsed == 200);
        let calls = server.calls();
        assert_eq!(
            calls.last().unwrap(),
            r#"rollingUpgradeProgressCheck{"serviceGroupInstanceNo":3432149}"#
        );
        assert!(!calls.iter().any(|call| call.contains("REFUSED")));
    }
}
