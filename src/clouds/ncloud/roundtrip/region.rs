//! The region's number where the node list of any cluster tells it, and the vendor insists on it.

use serde_json::json;

use super::*;
use crate::clouds::ncloud::ses;

const NODE_LIST: &str = "getClusterNodeList";
const PROGRESS: &str = "getRollingUpgradeProgress";

/// A server of upgrades in work that refuses progress without the region's number, and this call. Its
/// first cluster is listed in this state, the others as `running`.
async fn insisting(clusters: &[&str], first: &str, (call, fault): (&str, FaultAnswer)) -> Server {
    let all = clusters.iter().map(|id| search(id)).collect();
    let all = with_fault(scenario("JPN", all), call, fault);
    let server = Server::start(world(all, 130)).await;
    let mut changes = vec![Change {
        call: PROGRESS,
        place: "/code".to_owned(),
        value: json!(10001),
        spares: Some(r#""regionNo":"8""#),
    }];
    for place in 0..clusters.len() {
        changes.push(Change {
            call: "getClusterInfoList",
            place: format!("/result/allowedClusters/{place}/clusterStatus"),
            value: json!(if place == 0 { first } else { "running" }),
            spares: None,
        });
    }
    server.change(changes);
    server
}

#[tokio::test]
async fn one_clusters_failing_node_list_hides_no_upgrade() {
    for fault in [
        FaultAnswer::Refused,
        FaultAnswer::NotFound,
        FaultAnswer::InternalError,
    ] {
        let server = insisting(&["1", "2"], "creating", ("getClusterNodeList/1", fault)).await;
        let ses = server.open(&ses::PRODUCT, (Zone::Public, "JPN", "sk"));
        let creating = observe(&*ses, "1").await;
        assert_eq!(
            (creating.upgrades.len(), creating.refused.is_some()),
            (0, true)
        );
        assert!(creating.secondary.iter().any(|call| call.failure.is_some()));
        let upgrading = observe(&*ses, "2").await;
        assert_eq!(upgrading.upgrades[0].status, UpgradeStatus::Running);
        assert!(
            upgrading
                .secondary
                .iter()
                .all(|call| call.failure.is_none())
        );
        assert_eq!(observe(&*ses, "1").await.upgrades.len(), 1);
    }
}

#[tokio::test]
async fn a_refusal_without_the_region_number_fails_the_poll() {
    let server = insisting(&["1"], "running", (NODE_LIST, FaultAnswer::Refused)).await;
    let ses = server.open(&ses::PRODUCT, (Zone::Public, "JPN", "sk"));
    for _ in 0..2 {
        let error = fails(&*ses, "1").await;
        assert_eq!((error.reason, error.call), (Reason::Refused, PROGRESS));
        assert!(error.message.contains("set ses.region_no"), "{error}");
    }
    let calls = server.calls().into_iter();
    let asked = calls.filter(|call| call.starts_with(NODE_LIST)).count();
    assert_eq!(asked, 1, "its second try has to wait");
}
