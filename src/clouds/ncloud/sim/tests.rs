//! What the gateway lets in and what it refuses, and the parts that other tests build with.

use std::time::Duration;

use hyper::HeaderMap;

use super::account::ConfigGroup;
use super::*;
use crate::clock::Clock;
use crate::cloud::simulated;
use crate::clouds::CLOUDS;
use crate::sim::VersionForm;
use crate::sim::scenario::{Fault, Repetition, Scenario, SimNode, Step};

/// A scenario in this region, without faults.
pub(in super::super) fn scenario(region: &str, clusters: Vec<Cluster>) -> Scenario {
    let mut accounts = Extensions::default();
    accounts.insert(Arc::new(SimulatedAccount {
        access_key: "ak".into(),
        secret_key: "sk".into(),
        region: region.into(),
        config_groups: Vec::new(),
    }));
    Scenario {
        clouds: simulated(CLOUDS),
        accounts,
        clock_ahead: Duration::ZERO,
        clusters,
        faults: Vec::new(),
    }
}

/// A cluster of nodes `(name, role)`, each at work for a minute, from the start on.
pub(in super::super) fn cluster(
    product: &str,
    id: &str,
    versions: [&str; 2],
    nodes: &[(&str, &str)],
) -> Cluster {
    Cluster {
        product: product.into(),
        id: id.into(),
        name: format!("name-{id}"),
        versions: versions.map(str::to_owned).to_vec(),
        nodes: nodes
            .iter()
            .map(|(name, role)| SimNode {
                name: (*name).into(),
                role: (*role).into(),
            })
            .collect(),
        listed: ListedAs::Allowed,
        starts_after: Some(Duration::from_secs(100)),
        queued: Duration::ZERO,
        repeats_after: None,
        repetition: Repetition::default(),
        batch: 1,
        before: Vec::new(),
        steps: vec![Step {
            name: "Upgrade_OpenSearch".into(),
            takes: Duration::from_secs(60),
        }],
        after: Vec::new(),
        hangs: None,
        fails: None,
        extensions: Extensions::default(),
    }
}

/// This scenario, so many seconds after it began.
pub(in super::super) fn world(scenario: Scenario, elapsed: u64) -> World {
    let mut world = World::new(scenario, 1.0, Clock::system());
    world.origin -= Duration::from_secs(elapsed);
    world
}

/// A signed request, as `spoil` changes its headers.
fn ask(
    world: &World,
    (method, path, query): (&str, &str, &str),
    body: &str,
    spoil: impl Fn(&mut HeaderMap),
) -> Option<Answer> {
    let timestamp = world.now().as_millisecond().to_string();
    let target = if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    };
    let text = sign::string_to_sign(method, &target, &timestamp, "ak");
    let mut headers = HeaderMap::new();
    headers.insert(sign::TIMESTAMP, timestamp.parse().unwrap());
    headers.insert(sign::ACCESS_KEY, "ak".parse().unwrap());
    headers.insert(
        sign::SIGNATURE,
        sign::signature("sk", &text).parse().unwrap(),
    );
    headers.insert("content-type", "application/json".parse().unwrap());
    spoil(&mut headers);
    Apigw.answer(
        world,
        &Request {
            method,
            path,
            query,
            headers: &headers,
            body: body.as_bytes(),
        },
    )
}

const LIST: (&str, &str, &str) = ("GET", "/api/v2/cluster/getClusterInfoList", "pageSize=5");

fn small() -> World {
    world(
        scenario(
            "KR",
            vec![cluster("ses", "1", ["270", "290"], &[("d1", "D")])],
        ),
        0,
    )
}

#[test]
fn good_signatures_are_let_in() {
    let answer = ask(&small(), LIST, "", |_| ()).unwrap();
    assert_eq!((answer.status, answer.refused), (200, None));
    assert!(answer.body.contains("\"serviceGroupInstanceNo\":\"1\""));
}

#[test]
fn bad_signatures_are_refused_as_the_vendor_does() {
    let world = small();
    let old = (world.now() - Duration::from_secs(300)).as_millisecond();
    let set = |name: &'static str, value: String| {
        move |headers: &mut HeaderMap| {
            headers.insert(name, value.parse().unwrap());
        }
    };
    let refused = |spoil: &dyn Fn(&mut HeaderMap), why: &str| {
        let answer = ask(&world, LIST, "", spoil).unwrap();
        assert_eq!(answer.status, 401, "{why}");
        assert_eq!(
            answer.body,
            r#"{"error":{"errorCode":"200","message":"Authentication Failed"}}"#
        );
        let told = answer.refused.unwrap();
        assert!(told.contains(why), "{told}");
    };
    refused(&set(sign::ACCESS_KEY, "other".into()), "access key");
    refused(&set(sign::SIGNATURE, "AAAA".into()), "signature is wrong");
    refused(&set(sign::TIMESTAMP, old.to_string()), "off by 5m");
    refused(&set(sign::TIMESTAMP, "soon".into()), "milliseconds");
    refused(
        &|headers| {
            headers.remove(sign::SIGNATURE);
        },
        "missing",
    );
    // Signed a millisecond ago for another time.
    let shifted = (world.now() - Duration::from_secs(1)).as_millisecond();
    refused(
        &set(sign::TIMESTAMP, shifted.to_string()),
        "signature is wrong",
    );
}

#[test]
fn the_query_is_part_of_the_signature() {
    let world = small();
    let path = LIST.1;
    let timestamp = world.now().as_millisecond().to_string();
    let unsigned = sign::string_to_sign("GET", path, &timestamp, "ak");
    let answer = ask(&world, LIST, "", |headers| {
        headers.insert(sign::TIMESTAMP, timestamp.parse().unwrap());
        let signature = sign::signature("sk", &unsigned);
        headers.insert(sign::SIGNATURE, signature.parse().unwrap());
    });
    assert_eq!(answer.unwrap().status, 401);
}

#[test]
fn wrong_methods_paths_and_regions_do_not_exist() {
    let world = small();
    for (method, path) in [
        ("GET", "/api/v2/cluster/getRollingUpgradeProgress/1"),
        ("GET", "/api/v2/cluster/getRollingUpgradeProgress"),
        ("POST", "/api/v2/cluster/getClusterInfoList"),
        ("GET", "/api/v1/cluster/getClusterInfoList"),
        ("GET", "/api/sgn-v2/cluster/getClusterInfoList"),
        ("GET", "/api/v2/cluster/restartSearchEngineCluster/1"),
    ] {
        let answer = ask(&world, (method, path, ""), "{}", |_| ()).unwrap();
        assert_eq!(answer.status, 404, "{method} {path}");
        assert!(answer.body.contains("\"300\"") && answer.refused.is_some());
    }
    for other in ["/api/v3/projects/p/clusters", "/v1.0/p/clusters", "/api/v2"] {
        assert_eq!(ask(&world, ("GET", other, ""), "", |_| ()), None, "{other}");
    }
    let singapore = super::tests::world(scenario("SGN", Vec::new()), 0);
    let path = "/api/sgn-v2/cluster/getClusterInfoList";
    assert_eq!(
        ask(&singapore, ("GET", path, ""), "", |_| ())
            .unwrap()
            .status,
        200
    );
}

#[test]
fn posts_are_json() {
    let post = ("POST", "/api/v2/cluster/getRollingUpgradeProgress", "");
    let body = r#"{"serviceGroupInstanceNo":"1"}"#;
    let world = small();
    assert_eq!(ask(&world, post, body, |_| ()).unwrap().status, 200);
    let answer = ask(&world, post, body, |headers| {
        headers.remove("content-type");
    });
    let answer = answer.unwrap();
    assert_eq!(answer.status, 400);
    assert!(answer.refused.is_some());
}

#[test]
fn faults_come_after_authentication_and_are_nobodys_fault() {
    let mut world = small();
    world.scenario.faults.push(Fault {
        path: "getClusterInfoList".into(),
        query: None,
        cluster: None,
        from: Duration::ZERO,
        lasts: None,
        answer: FaultAnswer::Throttled,
    });
    let answer = ask(&world, LIST, "", |_| ()).unwrap();
    assert_eq!((answer.status, answer.refused), (429, None));
    let answer = ask(&world, LIST, "", HeaderMap::clear).unwrap();
    assert_eq!(answer.status, 401);
    world.scenario.faults[0].answer = FaultAnswer::Refused;
    let answer = ask(&world, LIST, "", |_| ()).unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("\"code\":10999"));
    world.scenario.faults[0].answer = FaultAnswer::OldDate;
    let answer = ask(&world, LIST, "", |_| ()).unwrap();
    assert!(
        answer.body.contains("allowedClusters"),
        "left to the server"
    );
}

#[test]
fn types_are_those_of_the_documents() {
    let clusters = vec![
        cluster("ses", "1", ["270", "290"], &[("d1", "D")]),
        cluster("cdss", "2", ["2.8.2", "3.7.1"], &[("b1", "broker")]),
    ];
    let world = super::tests::world(scenario("KR", clusters), 0);
    let ses = ("POST", "/api/v2/cluster/getRollingUpgradeProgress", "");
    let cdss = ("POST", "/api/v1/cluster/rollingUpgradeProgressCheck", "");
    let list = ("POST", "/api/v1/cluster/getClusterInfoList", "");
    let cases = [
        (ses, r#"{"regionNo":"1","serviceGroupInstanceNo":"1"}"#, 200),
        (ses, r#"{"regionNo":1,"serviceGroupInstanceNo":"1"}"#, 400),
        (ses, r#"{"serviceGroupInstanceNo":1}"#, 400),
        (ses, "", 400),
        (ses, r#"{"serviceGroupInstanceNo":"9"}"#, 400),
        (cdss, r#"{"serviceGroupInstanceNo":2}"#, 200),
        (cdss, r#"{"serviceGroupInstanceNo":"2"}"#, 400),
        (cdss, "", 500),
        (list, "{}", 200),
        (list, "", 500),
        (list, r#"{"pageNo":0}"#, 400),
    ];
    for (call, body, want) in cases {
        let answer = ask(&world, call, body, |_| ()).unwrap();
        assert_eq!(answer.status, want, "{} {body}", call.1);
        assert_eq!(answer.refused.is_some(), want != 200, "{} {body}", call.1);
    }
}

/// Clusters whose upgrades began every 100 s, a thousand times, and rest after the last.
fn after_a_thousand_upgrades() -> World {
    let mut clusters = vec![
        cluster("ses", "1", ["270", "290"], &[("d1", "D")]),
        cluster("cdss", "2", ["2.8.2", "3.7.1"], &[("b1", "broker")]),
    ];
    for cluster in &mut clusters {
        cluster.repeats_after = Some(Duration::from_secs(40));
        cluster.repetition.endless_versions =
            VersionForm::of(&simulated(CLOUDS), &cluster.versions[1]);
    }
    let mut scenario = scenario("KR", clusters);
    SimulatedAccount::change(&mut scenario, |account| {
        account.config_groups = vec![ConfigGroup {
            number: 170,
            version: "3.1007.0".into(),
        }];
    });
    super::tests::world(scenario, 100 + 999 * 100 + 80)
}

fn json(world: &World, call: (&str, &str, &str), body: &str) -> Value {
    let answer = ask(world, call, body, |_| ()).unwrap();
    serde_json::from_str(&answer.body).unwrap()
}

#[test]
fn endless_versions_are_listed_and_named() {
    let world = after_a_thousand_upgrades();
    let progress = ("POST", "/api/v2/cluster/getRollingUpgradeProgress", "");
    let progress = json(&world, progress, r#"{"serviceGroupInstanceNo":"1"}"#);
    let versions = &progress["result"]["versionVo"];
    assert_eq!(versions["currentVersionCode"], "210070");
    assert_eq!(versions["targetVersionCode"], "210080");
    let list = ("GET", "/api/v2/cluster/getSearchEngineVersionList", "");
    let list = json(&world, list, "");
    let list = list["result"]["searchEngineVersionList"]
        .as_array()
        .unwrap();
    let name_of = |code: &str| {
        let found = list.iter().find(|v| v["searchEngineVersionCode"] == code);
        found.map(|v| v["searchEngineVersionName"].as_str().unwrap())
    };
    assert_eq!(name_of("270"), Some("OpenSearch 2.7.0"));
    assert_eq!(name_of("210070"), Some("OpenSearch 2.1007.0"));
    assert_eq!(name_of("210080"), Some("OpenSearch 2.1008.0"));
    assert_eq!(name_of("211080"), Some("OpenSearch 2.1108.0"));
    assert_eq!(list.len(), 104, "it does not grow with the upgrades");
}

#[test]
fn an_endless_version_can_be_started() {
    let world = after_a_thousand_upgrades();
    let start = ("POST", "/api/v1/cluster/rollingUpgrade", "");
    let code_of = |version: &str| {
        let body = format!(
            r#"{{"serviceGroupInstanceNo":2,"upgradeKafkaVersionCode":{version}3006,"upgradeConfigGroupNo":170}}"#
        );
        json(&world, start, &body)["code"].as_u64().unwrap()
    };
    assert_eq!(code_of("310080"), 10151, "not yet");
    assert_eq!(code_of("310060"), 10153, "the cluster runs it");
    assert_eq!(code_of("310070"), 0);
}

#[test]
fn pages_have_ten_clusters_unless_asked() {
    assert_eq!(page(None, None), Some((1, 10)));
    assert_eq!(page(Some("3"), Some("100")), Some((3, 100)));
    assert_eq!(page(Some("0"), None), None);
    assert_eq!(page(None, Some("many")), None);
}
