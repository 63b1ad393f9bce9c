//! Fields that decide, in forms that cannot be read: the poll fails and names the field, and never
//! tells of no upgrade.

use serde_json::{Value, json};

use super::*;
use crate::clouds::ncloud::{cdss, ses};

/// What a field holds.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Number,
    Flag,
    Date,
    List,
    Object,
}

impl Form {
    /// Values that tell something, and nothing of this kind.
    fn wrong(self) -> Vec<Value> {
        let always = [json!({"a": 1}), json!([{"a": 1}]), json!(1e300)];
        let more = match self {
            Self::Text => vec![json!(true), json!(1.5)],
            Self::Number => vec![json!(true), json!(1.5), json!("many")],
            Self::Flag => vec![json!("maybe"), json!(7)],
            Self::Date => vec![
                json!(true),
                json!(1.5),
                json!("soon"),
                json!("2026-11-29"),
                json!([2026, 11]),
            ],
            Self::List => {
                return vec![json!(true), json!(1), json!("x"), json!([1]), json!(["x"])];
            }
            Self::Object => {
                return vec![
                    json!(true),
                    json!(1),
                    json!("x"),
                    json!([1]),
                    json!([{}, 1]),
                ];
            }
        };
        always.into_iter().chain(more).collect()
    }
}

use self::Form::{Date, Flag, List, Number, Object, Text};

const SES_LIST: &[(&str, Form)] = &[
    ("/result", Object),
    ("/result/isLast", Flag),
    ("/result/totalPage", Number),
    ("/result/totalCount", Number),
    ("/result/allowedClusters", List),
    ("/result/allowedClusters/0/serviceGroupInstanceNo", Text),
    ("/result/allowedClusters/0/clusterStatus", Text),
    ("/result/allowedClusters/0/searchEngineVersion", Text),
    ("/result/disallowedClusters", List),
    ("/result/disallowedClusters/0/serviceGroupInstanceNo", Text),
    ("/result/disallowedClusters/0/clusterStatus", Text),
];

const SES_PROGRESS: &[(&str, Form)] = &[
    ("/result", Object),
    ("/result/nodeCount", Number),
    ("/result/versionVo", Object),
    ("/result/versionVo/targetVersionCode", Text),
    ("/result/versionVo/actionDate", Date),
    ("/result/nodeStatusVoList", List),
    ("/result/nodeStatusVoList/1/hostname", Text),
    ("/result/nodeStatusVoList/1/status", Text),
    ("/result/nodeStatusVoList/1/updatedDate", Date),
];

const CDSS_LIST: &[(&str, Form)] = &[
    ("/result", Object),
    ("/result/isLast", Flag),
    ("/result/totalPage", Number),
    ("/result/totalCount", Number),
    ("/result/allowedClusters", List),
    ("/result/allowedClusters/0/serviceGroupInstanceNo", Text),
    ("/result/allowedClusters/0/serverStatus", Text),
    ("/result/allowedClusters/0/kafkaVersion", Text),
    ("/result/disallowedClusters", List),
    ("/result/disallowedClusters/0/serviceGroupInstanceNo", Text),
];

const CDSS_PROGRESS: &[(&str, Form)] = &[
    ("/result", Object),
    ("/result/brokerStatus", Text),
    ("/result/brokerStatusPerNode", List),
    ("/result/brokerStatusPerNode/1/hostname", Text),
    ("/result/brokerStatusPerNode/1/status", Text),
    ("/result/zookeeperStatus", Text),
    ("/result/zookeeperStatusPerNode", List),
    ("/result/zookeeperStatusPerNode/0/hostname", Text),
    ("/result/zookeeperStatusPerNode/0/status", Text),
];

/// A server with an upgrade in work of cluster 1, and cluster 2, which may not be read.
async fn upgrading(product: &str) -> Server {
    let nodes = match product {
        "ses" => NODES,
        _ => &[("b1", "broker"), ("b2", "broker"), ("z1", "zookeeper")],
    };
    let one = cluster(product, "1", ["270", "290"], nodes);
    let mut two = one.clone();
    (two.id, two.listed) = ("2".into(), ListedAs::Disallowed);
    Server::start(world(scenario("KR", vec![one, two]), 130)).await
}

fn put(call: &'static str, place: &str, value: &Value) -> Vec<Change> {
    vec![Change {
        call,
        place: place.to_owned(),
        value: value.clone(),
        spares: None,
    }]
}

async fn check(
    (server, provider): (&Server, &dyn Provider),
    call: &'static str,
    fields: &[(&str, Form)],
    is_list: bool,
) {
    for (place, kind) in fields {
        let field = place.rsplit('/').next().unwrap();
        for wrong in kind.wrong() {
            server.change(put(call, place, &wrong));
            let error = fails(provider, "1").await;
            let what = format!("{call} {place} {wrong}: {error}");
            assert_eq!(error.reason, Reason::Protocol, "{what}");
            assert_eq!(error.call, call, "{what}");
            assert!(error.message.contains(field), "{what}");
            if is_list {
                let error = provider.discover().await.unwrap_err();
                assert_eq!(error.reason, Reason::Protocol, "{what}");
            }
        }
    }
    server.change(Vec::new());
    assert_eq!(observe(provider, "1").await.upgrades.len(), 1);
}

#[tokio::test]
async fn ses_fields_that_decide_are_never_taken_for_nothing() {
    let server = upgrading("ses").await;
    let ses = server.open(&ses::PRODUCT, (Zone::Public, "KR", "sk"));
    let side = (&server, &*ses);
    check(side, "getClusterInfoList", SES_LIST, true).await;
    check(side, "getRollingUpgradeProgress", SES_PROGRESS, false).await;
}

#[tokio::test]
async fn cdss_fields_that_decide_are_never_taken_for_nothing() {
    let server = upgrading("cdss").await;
    let cdss = server.open(&cdss::PRODUCT, (Zone::Public, "KR", "sk"));
    let side = (&server, &*cdss);
    check(side, "getClusterInfoList", CDSS_LIST, true).await;
    check(side, "rollingUpgradeProgressCheck", CDSS_PROGRESS, false).await;
}

#[tokio::test]
async fn lookups_in_odd_forms_are_told_and_hide_no_upgrade() {
    let calls = [
        ("getSearchEngineVersionList", "/result", Object),
        (
            "getSearchEngineVersionList",
            "/result/searchEngineVersionList",
            List,
        ),
        (
            "getSearchEngineVersionList",
            "/result/searchEngineVersionList/0/searchEngineVersionCode",
            Text,
        ),
        (
            "getSearchEngineVersionList",
            "/result/searchEngineVersionList/0/type",
            Text,
        ),
        ("getClusterNodeList", "/result/regionNo", Number),
    ];
    let one = cluster("ses", "1", ["270", "290"], NODES);
    let server = Server::start(world(scenario("JPN", vec![one]), 130)).await;
    for (call, place, form) in calls {
        let field = place.rsplit('/').next().unwrap();
        // A list of versions stands for an object around it.
        let wrong = form.wrong().into_iter();
        for wrong in wrong.filter(|wrong| field != "result" || !wrong.is_object()) {
            server.change(put(call, place, &wrong));
            let ses = server.open(&ses::PRODUCT, (Zone::Public, "JPN", "sk"));
            let seen = observe(&*ses, "1").await;
            assert_eq!(seen.upgrades[0].status, UpgradeStatus::Running);
            let failed = seen.secondary.iter().find(|c| c.failure.is_some());
            let failure = failed.and_then(|call| call.failure.as_ref());
            let failure = failure.unwrap_or_else(|| panic!("{place} {wrong}"));
            assert_eq!(failure.reason, Reason::Protocol, "{place} {wrong}");
            assert!(failure.message.contains(field), "{}", failure.message);
        }
    }
}

#[tokio::test]
async fn version_lists_without_an_object_around_them_are_read() {
    let mut old = cluster("ses", "1", ["7102", "7103"], NODES);
    old.listed = ListedAs::NotUpgradable;
    let server = Server::start(world(scenario("KR", vec![old]), 0)).await;
    let list =
        json!([{"searchEngineVersionName": "Elasticsearch 7.10.2", "type": "Elasticsearch"}]);
    for (list, calls) in [(list, 2), (json!(null), 3)] {
        server.change(put("getSearchEngineVersionList", "/result", &list));
        let ses = server.open(&ses::PRODUCT, (Zone::Public, "KR", "sk"));
        let seen = observe(&*ses, "1").await;
        assert_eq!(seen.secondary[0].failure, None, "{list}");
        assert_eq!(server.calls().len(), calls, "{list} decides over progress");
    }
}

#[tokio::test]
async fn other_forms_stand_for_the_same_ses_upgrade() {
    let server = upgrading("ses").await;
    let ses = server.open(&ses::PRODUCT, (Zone::Public, "KR", "sk"));
    let usual = observe(&*ses, "1").await;
    let requested = usual.upgrades[0].requested.unwrap();
    let local = Offset::constant(9).to_datetime(requested);
    let parts = json!([
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    ]);
    let text = local.strftime("%Y-%m-%d %H:%M:%S 000000").to_string();
    let list = "getClusterInfoList";
    let progress = "getRollingUpgradeProgress";
    let no = "/result/allowedClusters/0/serviceGroupInstanceNo";
    let date = "/result/versionVo/actionDate";
    let milliseconds = requested.as_second() * 1000;
    for (call, place, value) in [
        (list, no, json!(1)),
        (list, no, json!(1.0)),
        (list, "/result/isLast", json!("TRUE")),
        (list, "/result/isLast", json!(null)),
        (list, "/result/totalPage", json!("1.0")),
        (list, "/result/currentPage", json!({"a": [1]})),
        (progress, "/result/nodeCount", json!("2.0")),
        (progress, "/result/nodeCount", json!([])),
        (progress, "/requestId", json!([1])),
        (progress, date, parts),
        (progress, date, json!({"formattedDateTime": text})),
        (
            progress,
            date,
            json!({"formattedDateTime": text, "utc": milliseconds}),
        ),
        (progress, date, json!(milliseconds)),
        (progress, date, json!(requested.as_second())),
    ] {
        server.change(put(call, place, &value));
        assert_eq!(observe(&*ses, "1").await, usual, "{place} {value}");
    }
    for (value, status) in [("CHANGING", true), (" running ", false)] {
        let place = "/result/allowedClusters/0/clusterStatus";
        server.change(put(list, place, &json!(value)));
        assert_eq!(observe(&*ses, "1").await.changing, status, "{value}");
    }
    let before_2000 = json!([1999, 12, 31, 23, 59]);
    server.change(put(progress, date, &before_2000));
    assert_eq!(observe(&*ses, "1").await.upgrades, [], "not yet");
}

#[tokio::test]
async fn a_cluster_in_creation_that_is_refused_has_no_upgrade() {
    let refusing = with_fault(
        scenario("KR", vec![search("1")]),
        "getRollingUpgradeProgress",
        FaultAnswer::Refused,
    );
    let server = Server::start(world(refusing, 0)).await;
    let ses = server.open(&ses::PRODUCT, (Zone::Public, "KR", "sk"));
    let place = "/result/allowedClusters/0/clusterStatus";
    for (status, is_idle) in [("creating", true), ("Creating", true), ("deleting", false)] {
        server.change(put("getClusterInfoList", place, &json!(status)));
        let outcome = ses.observe("1", &Memory::default(), Duration::ZERO).await;
        let told = outcome.map(|seen| (seen.upgrades.len(), seen.refused.is_some()));
        let want = is_idle.then_some((0, true)).ok_or(Reason::Refused);
        assert_eq!(
            told.map_err(|failure| failure.error.reason),
            want,
            "{status}"
        );
    }
}
