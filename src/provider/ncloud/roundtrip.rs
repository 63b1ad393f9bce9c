//! Tests of the clients against the simulated services over a real connection.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use jiff::tz::Offset;
use tokio::net::TcpListener;

use super::sim::tests::{cluster, scenario, world};
use crate::clock::Clock;
use crate::config::{Account, Cloud, Ncloud, Polling, ProductConfig, Secret, Selection, Zone};
use crate::model::{Kind, Memory, NodeStatus, Observation, Seen, Thresholds, UpgradeStatus};
use crate::provider::{Product, Provider, Reason};
use crate::sim::scenario::{Cluster, Fault, FaultAnswer, ListedAs, Scenario};
use crate::sim::{self, World};
use crate::telemetry::Metrics;

/// A server of one world, and what it refused.
struct Server {
    endpoint: url::Url,
    world: Arc<World>,
    calls: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Server {
    async fn start(world: World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(world);
        let calls = Arc::new(std::sync::Mutex::new(Vec::new()));
        let server = Self {
            endpoint: endpoint.parse().unwrap(),
            world: world.clone(),
            calls: calls.clone(),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (world, calls) = (world.clone(), calls.clone());
                let service = hyper::service::service_fn(move |request| {
                    let (world, calls) = (world.clone(), calls.clone());
                    async move { serve(&world, &calls, request).await }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        server
    }

    /// The provider of a product whose account has these zone, region and secret.
    fn open(
        &self,
        product: &'static Product,
        (zone, region, secret): (Zone, &str, &str),
    ) -> Arc<dyn Provider> {
        let account = Account {
            name: "a".into(),
            cloud: Cloud::Ncloud(Ncloud {
                zone,
                region: region.into(),
                access_key: Secret::Value("ak".into()),
                secret_key: Secret::Value(secret.into()),
                time_zone: Offset::constant(9),
            }),
            polling: Polling {
                active_interval: Duration::from_secs(1),
                idle_interval: Duration::from_secs(1),
                discovery_interval: Duration::from_secs(1),
                timeout: Duration::from_secs(5),
                rate_limit: 1000.0,
                max_concurrency: 4,
            },
            ca_file: None,
            proxy_url: None,
            products: vec![ProductConfig {
                product,
                clusters: Selection::All,
                include: Vec::new(),
                exclude: Vec::new(),
                only: Vec::new(),
                endpoint: Some(self.endpoint.clone()),
                settings: Vec::new(),
                thresholds: Thresholds {
                    stalled_after: Duration::from_secs(1),
                    overdue_after: Duration::from_secs(1),
                    retain_ended: Duration::from_secs(1),
                },
            }],
        };
        let metrics = Arc::new(Metrics::new());
        let mut opened = crate::provider::open(&account, &metrics, &Clock::system()).unwrap();
        opened.remove(0).1
    }

    /// The calls that came so far: name and, when it was refused, why.
    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

async fn serve(
    world: &World,
    calls: &std::sync::Mutex<Vec<String>>,
    request: hyper::Request<hyper::body::Incoming>,
) -> Result<hyper::Response<Full<bytes::Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let answer = super::sim::gateway(
        world,
        &sim::Request {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body: &body,
        },
    )
    .expect("the client only asks for this cloud's paths");
    let name = parts.uri.path().rsplit_once("/cluster/").unwrap().1;
    let body_text = String::from_utf8(body.to_vec()).unwrap();
    let mut call = format!("{name}{body_text}");
    if let Some(why) = &answer.refused {
        call = format!("{call} REFUSED {why}");
    }
    calls.lock().unwrap().push(call);
    Ok(hyper::Response::builder()
        .status(answer.status)
        .body(Full::from(answer.body))
        .unwrap())
}

const NODES: &[(&str, &str)] = &[("m1", "M"), ("d1", "D")];

fn ses(id: &str) -> Cluster {
    cluster("ses", id, ["270", "290"], NODES)
}

async fn observe(provider: &dyn Provider, id: &str) -> Observation {
    let memory = Memory::default();
    provider.observe(id, &memory, Duration::ZERO).await.unwrap()
}

async fn fails(provider: &dyn Provider, id: &str) -> crate::provider::ApiError {
    let memory = Memory::default();
    provider
        .observe(id, &memory, Duration::ZERO)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn ses_finds_all_clusters_over_all_pages() {
    let mut clusters: Vec<Cluster> = (0..150).map(|n| ses(&(1000 + n).to_string())).collect();
    clusters[3].listed = ListedAs::Disallowed;
    clusters[4].listed = ListedAs::Returned;
    let server = Server::start(world(scenario("KR", clusters), 0)).await;
    let ses = server.open(&super::ses::PRODUCT, (Zone::Public, "KR", "sk"));
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
async fn ses_follows_an_upgrade() {
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
        let server = Server::start(world(scenario("KR", vec![ses("1")]), elapsed)).await;
        let ses = server.open(&super::ses::PRODUCT, (Zone::Public, "KR", "sk"));
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
async fn ses_sends_the_region_number_where_it_is_due() {
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
        let server = Server::start(world(scenario(region, vec![ses("1")]), 0)).await;
        let ses = server.open(&super::ses::PRODUCT, (zone, region, "sk"));
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

fn with_fault(mut scenario: Scenario, path: &str, answer: FaultAnswer) -> Scenario {
    scenario.faults.push(Fault {
        path: path.into(),
        query: None,
        cluster: None,
        from: Duration::ZERO,
        lasts: None,
        answer,
    });
    scenario
}

#[tokio::test]
async fn ses_does_without_versions_and_region_number() {
    let all = with_fault(
        scenario("JPN", vec![ses("1")]),
        "getSearchEngineVersionList",
        FaultAnswer::Refused,
    );
    let all = with_fault(all, "getClusterNodeList", FaultAnswer::Forbidden);
    let server = Server::start(world(all, 300)).await;
    let ses = server.open(&super::ses::PRODUCT, (Zone::Public, "JPN", "sk"));
    let seen = observe(&*ses, "1").await;
    assert_eq!(seen.upgrades[0].status, UpgradeStatus::Succeeded);
    assert_eq!(seen.upgrades[0].to_version.as_deref(), Some("290"));
}

#[tokio::test]
async fn ses_does_not_ask_for_engines_that_cannot_be_upgraded() {
    let mut old = cluster("ses", "2", ["7102", "7103"], NODES);
    old.listed = ListedAs::NotUpgradable;
    let server = Server::start(world(scenario("KR", vec![ses("1"), old]), 0)).await;
    let ses = server.open(&super::ses::PRODUCT, (Zone::Public, "KR", "sk"));
    let seen = observe(&*ses, "2").await;
    assert_eq!((seen.upgrades.len(), seen.refused), (0, None));
    assert_eq!(seen.version, "Elasticsearch 7.10.2");
    assert_eq!(
        server.calls(),
        ["getClusterInfoList", "getSearchEngineVersionList"]
    );
}

#[tokio::test]
async fn ses_takes_a_refusal_of_an_idle_cluster_for_no_upgrade() {
    let refusing = || {
        with_fault(
            scenario("KR", vec![ses("1")]),
            "getRollingUpgradeProgress",
            FaultAnswer::Refused,
        )
    };
    let server = Server::start(world(refusing(), 0)).await;
    let idle = server.open(&super::ses::PRODUCT, (Zone::Public, "KR", "sk"));
    let seen = observe(&*idle, "1").await;
    assert!(seen.upgrades.is_empty());
    assert!(seen.refused.unwrap().contains("10999"));

    let mut memory = Memory::default();
    let now = server.world.now();
    memory.upgrades.insert(
        Kind::Version,
        Seen {
            last: crate::model::Upgrade::new(Kind::Version, UpgradeStatus::Running),
            first_seen: now,
            status_since: now,
            fully_told: None,
            started: None,
            outcomes: std::collections::BTreeSet::new(),
            changed: None,
            ended_seen: None,
            forgotten: false,
            worked: std::collections::BTreeMap::new(),
        },
    );
    let known = idle.observe("1", &memory, Duration::ZERO).await;
    assert_eq!(known.unwrap_err().reason, Reason::Refused, "one is known");

    let server = Server::start(world(refusing(), 130)).await;
    let busy = server.open(&super::ses::PRODUCT, (Zone::Public, "KR", "sk"));
    assert_eq!(
        fails(&*busy, "1").await.reason,
        Reason::Refused,
        "it changes"
    );
}

#[tokio::test]
async fn a_wrong_secret_is_an_auth_error_and_rests() {
    let server = Server::start(world(scenario("KR", vec![ses("1")]), 0)).await;
    let ses = server.open(&super::ses::PRODUCT, (Zone::Public, "KR", "wrong"));
    let error = ses.discover().await.unwrap_err();
    assert_eq!(error.reason, Reason::Auth);
    assert_eq!(
        (error.status, error.code.as_deref()),
        (Some(401), Some("200"))
    );
    assert!(error.message.contains("secret_key"), "{error}");
    assert!(!error.to_string().contains("wrong"));
    assert_eq!(ses.discover().await.unwrap_err().reason, Reason::Auth);
    assert_eq!(server.calls().len(), 1, "the second was not sent");
}

#[tokio::test]
async fn a_wrong_region_is_not_found() {
    let server = Server::start(world(scenario("KR", vec![ses("1")]), 0)).await;
    let ses = server.open(&super::ses::PRODUCT, (Zone::Public, "SGN", "sk"));
    let error = ses.discover().await.unwrap_err();
    assert_eq!(error.reason, Reason::NotFound);
    assert!(error.message.contains("zone public, region SGN"), "{error}");
}

#[tokio::test]
async fn cdss_follows_an_upgrade() {
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
        let cdss = server.open(&super::cdss::PRODUCT, (Zone::Public, "KR", "sk"));
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
