//! Lists in pages.

use std::time::Duration;

use serde_json::{Value, json};

use super::scripted::{answering, details, none, page, refused, scripted};
use super::*;

#[tokio::test]
async fn pages_go_on_with_both_names_of_the_position() {
    let (css, asked) = scripted(vec![page(12, 0..10), page(12, 10..12)]).await;
    assert_eq!(css.discover().await.unwrap().clusters.len(), 12);
    let asked = asked.lock().clone();
    assert!(asked[0].contains("clusters?limit=100 "), "{asked:?}");
    assert!(
        asked[1].contains("clusters?limit=100&offset=11&start=11 "),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_cloud_that_repeats_its_first_page_is_no_discovery() {
    let (css, asked) = scripted(vec![page(12, 0..10), page(12, 0..10)]).await;
    let error = css.discover().await.unwrap_err();
    assert_eq!((error.reason, error.call), (Reason::Protocol, LIST.name));
    assert_eq!(asked.lock().len(), 2);
}

#[tokio::test]
async fn an_answer_without_a_list_is_no_discovery() {
    let (css, _) = scripted(vec![(200, "{}".into())]).await;
    assert_eq!(css.discover().await.unwrap_err().reason, Reason::Protocol);
}

/// A cluster with every field that the vendor documents.
fn documented_cluster(n: usize) -> Value {
    let uuid = format!("{n:08x}-b8c6-4939-b5a7-85aee9468888");
    let date = "2023-10-09T02:07:13";
    let instances: Vec<Value> = (0..24)
        .map(|i| {
            json!({
                "status": "200", "type": "ess-master", "id": uuid, "specCode": "ess.spec-i3.8xlarge.8",
                "name": format!("css-production-search-{n:05}-ess-esn-{i}-1"),
                "azCode": "cn-southwest-2a", "ip": "192.168.100.122", "resourceId": uuid,
                "subnetId": uuid, "privateIp": "192.168.100.122",
                "volume": {"type": "ULTRAHIGH", "size": 40, "resourceIds": [uuid, uuid]},
            })
        })
        .collect();
    json!({
        "datastore": {
            "type": "elasticsearch", "version": "7.10.2", "subVersion": "7.10.2_24.3.0_0827",
            "supportSecuritymode": false, "isEosCluster": false,
        },
        "instances": instances, "id": uuid, "name": format!("css-production-search-{n:05}"),
        "created": date, "updated": date, "status": "200", "endpoint": "192.168.100.122:9200",
        "vpcepIp": "192.168.100.122", "httpsEnable": true, "authorityEnable": true,
        "vpcId": uuid, "subnetId": uuid, "securityGroupId": uuid, "cmkId": uuid,
        "diskEncrypted": true, "backupAvailable": true, "bandwidthSize": 100, "period": true,
        "actionProgress": {"GROWING": "50%"}, "actions": ["GROWING"], "enterpriseProjectId": uuid,
        "tags": [{"key": "team", "value": "search"}], "bandwidthResourceId": uuid, "orderId": uuid,
        "failedReason": {"errorCode": "CSS.0005", "errorMsg": "the service broke"},
        "elbWhiteList": {"enableWhiteList": true, "whiteList": "192.168.0.0/16"},
        "publicIp": "203.0.113.7:9200",
        "publicKibanaResp": {"eipSize": 5, "publicKibanaIp": "203.0.113.7:5601"},
    })
}

#[tokio::test]
async fn a_full_page_with_all_fields_fits_into_the_body_cap() {
    const TOTAL: usize = 1200;
    let (css, asked) = answering(|line| {
        let query = line.split_once('?')?.1.split(' ').next()?;
        let param = |name: &str| {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name));
            value.and_then(|value| value.parse::<usize>().ok())
        };
        let (limit, start) = (param("limit=")?, param("start=").unwrap_or(1));
        let ids = start..(start + limit).min(TOTAL + 1);
        let clusters: Vec<Value> = ids.map(documented_cluster).collect();
        let body = json!({"totalSize": TOTAL, "clusters": clusters});
        Some((200, body.to_string()))
    })
    .await;
    assert_eq!(css.discover().await.unwrap().clusters.len(), TOTAL);
    assert_eq!(asked.lock().len(), 12);
}

/// The states that a poll tells when the upgrades come in these answers.
async fn observed(answers: Vec<(u16, String)>) -> Result<Vec<UpgradeStatus>, ApiError> {
    let mut all = vec![page(1, 0..1)];
    all.extend(answers);
    let (css, _) = scripted(all).await;
    let (memory, fresh) = (Memory::default(), Duration::from_secs(60));
    let seen = css.observe("0", &memory, fresh).await;
    let seen = seen.map_err(|failure| *failure.error)?;
    Ok(seen.upgrades.iter().map(|u| u.status).collect())
}

#[tokio::test]
async fn the_running_upgrade_is_found_on_a_later_page() {
    let first = details(3, &[("a", "SUCCESS"), ("b", "FAILED")]);
    let second = details(3, &[("c", "RUNNING")]);
    let seen = observed(vec![first, second, none()]).await;
    assert_eq!(seen, Ok(vec![UpgradeStatus::Running]));
}

#[tokio::test]
async fn upgrades_that_cannot_be_read_are_an_error() {
    let short = || details(3, &[("a", "SUCCESS"), ("b", "FAILED")]);
    for next in [
        refused("CSS.0001"),
        short(),
        details(3, &[]),
        (200, r#"{"totalSize":3}"#.to_owned()),
    ] {
        let error = observed(vec![short(), next.clone()]).await.unwrap_err();
        let want = (Reason::Protocol, DETAIL.name);
        assert_eq!((error.reason, error.call), want, "{next:?}");
    }
}

#[tokio::test]
async fn a_running_upgrade_needs_no_further_page() {
    let running = || details(3, &[("a", "SUCCESS"), ("b", "running")]);
    for next in [refused("CSS.0001"), running()] {
        let seen = observed(vec![running(), next.clone(), none()]).await;
        assert_eq!(seen, Ok(vec![UpgradeStatus::Running]), "{next:?}");
    }
}
