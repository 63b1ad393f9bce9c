//! Tests of the gateway, with the client's own signatures where they are to be good; and what other
//! tests need to stand a world up.

mod css_answers;

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::net::TcpListener;

use super::*;
use crate::clock::Clock;
use crate::cloud::simulated;
use crate::cloud::transport::{RequestMetrics, Transport};
use crate::clouds::CLOUDS;
use crate::clouds::huawei::account::{self, Auth};
use crate::clouds::huawei::css;
use crate::config::{Account, Polling, ProductConfig, Selection};
use crate::model::{Kind, Thresholds};
use crate::secret::Secret;
use crate::sim::scenario::{Cluster, ListedAs, Repetition, Scenario, SimNode, Step};
use crate::sim::server;

pub(in crate::clouds::huawei) const PROJECT: &str = "6204a5bd270343b5885144cf9c8c158d";
const AK: &str = "QTWAOYTTINDUT2QVKYUC";
const SK: &str = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";
const LIST: &str = "/v1.0/6204a5bd270343b5885144cf9c8c158d/clusters";

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(in crate::clouds::huawei) fn secret(text: &str) -> Secret {
    Secret::Value(text.to_owned().into())
}

/// A cluster of three nodes with two steps of 10 s each, upgraded after 5 s.
pub(in crate::clouds::huawei) fn cluster(id: &str, kind: Kind) -> Cluster {
    let step = |name: &str| Step {
        name: name.into(),
        takes: secs(10),
    };
    let mut extensions = Extensions::default();
    extensions.insert(css::sim::keys::Keys {
        kind,
        ..Default::default()
    });
    Cluster {
        product: "css".into(),
        id: id.into(),
        name: format!("name-of-{id}"),
        versions: vec!["7.6.2".into(), "7.10.2".into()],
        nodes: ["n1", "n2", "n3"]
            .map(|name| SimNode {
                name: format!("{id}-{name}"),
                role: "ess".into(),
            })
            .into(),
        listed: ListedAs::Allowed,
        starts_after: Some(secs(5)),
        queued: Duration::ZERO,
        repeats_after: None,
        repetition: Repetition::default(),
        batch: 1,
        before: Vec::new(),
        steps: vec![step("Data migration"), step("Task status update")],
        after: Vec::new(),
        hangs: None,
        fails: None,
        extensions,
    }
}

pub(in crate::clouds::huawei) fn scenario(clusters: Vec<Cluster>) -> Scenario {
    let mut accounts = Extensions::default();
    accounts.insert(Arc::new(SimulatedAccount {
        access_key: AK.into(),
        secret_key: SK.to_owned().into(),
        security_token: None,
        project_id: PROJECT.into(),
        domain: "domain A".into(),
        user: "user A".into(),
        password: "pass\"phrase".to_owned().into(),
        token_lasts: secs(86_400),
        cce_upgrades_published: true,
    }));
    Scenario {
        clouds: simulated(CLOUDS),
        accounts,
        clock_ahead: Duration::ZERO,
        clusters,
        faults: Vec::new(),
    }
}

/// Serves a world on a loopback port.
pub(in crate::clouds::huawei) async fn serve(world: World) -> (SocketAddr, Arc<World>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let world = Arc::new(world);
    tokio::spawn(server::run(listener, world.clone()));
    (address, world)
}

pub(in crate::clouds::huawei) fn keys(secret_key: &str) -> Auth {
    Auth::Keys {
        access_key: secret(AK),
        secret_key: secret(secret_key),
        security_token: None,
    }
}

pub(in crate::clouds::huawei) fn good_keys() -> Auth {
    keys(SK)
}

/// An account that watches CSS at this address.
pub(in crate::clouds::huawei) fn account(address: SocketAddr, auth: Auth) -> Account {
    let day = secs(86_400);
    Account {
        name: "cn".into(),
        cloud: Arc::new(account::Account {
            region: "cn-north-4".into(),
            project_id: PROJECT.into(),
            domain: None,
            auth,
            time_zone: Offset::UTC,
        }),
        polling: Polling {
            active_interval: secs(30),
            idle_interval: secs(300),
            discovery_interval: secs(600),
            timeout: secs(10),
            rate_limit: 1000.0,
            max_concurrency: 4,
        },
        ca_file: None,
        proxy_url: None,
        products: vec![ProductConfig {
            product: &css::PRODUCT,
            clusters: Selection::All,
            include: Vec::new(),
            exclude: Vec::new(),
            only: Vec::new(),
            endpoint: Some(format!("http://{address}").parse().unwrap()),
            settings: Vec::new(),
            thresholds: Thresholds {
                stalled_after: day,
                overdue_after: day,
                retain_ended: day,
            },
        }],
    }
}

pub(in crate::clouds::huawei) fn transport(account: &Account) -> Arc<Transport> {
    let metrics = RequestMetrics::default();
    Arc::new(Transport::new(&account.connection(), metrics, Clock::system()).unwrap())
}

/// A request in the making.
struct Sent {
    method: &'static str,
    path: String,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Sent {
    /// A signed one, as any client of the vendor would send it.
    fn signed(world: &World, path: &str, query: &str) -> Self {
        Self::signed_with(world.now(), SK, path, query, &[("x-project-id", PROJECT)])
    }

    fn signed_with(
        at: Timestamp,
        secret_key: &str,
        path: &str,
        query: &str,
        more: &[(&'static str, &str)],
    ) -> Self {
        let date = sign::date(at);
        let mut headers = vec![
            ("host", "css.example".to_owned()),
            ("x-sdk-date", date.clone()),
        ];
        headers.extend(
            more.iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let signable = sign::Signable {
            method: "GET",
            path,
            query,
            headers: headers.iter().map(|(n, v)| (*n, v.as_str())).collect(),
            body: b"",
        };
        let authorization = signable.authorization(AK, secret_key, &date);
        headers.push(("authorization", authorization));
        Self {
            method: "GET",
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Vec::new(),
        }
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| *n != name);
        self
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn ask(&self, world: &World) -> Answer {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let request = Request {
            method: self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: &self.body,
        };
        answer(world, &request).unwrap()
    }
}

fn code(answer: &Answer) -> (u16, String) {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let code = body["error_code"].as_str().or(body["errCode"].as_str());
    (answer.status, code.unwrap_or_default().to_owned())
}

fn text(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    body["error_msg"].as_str().unwrap_or_default().to_owned()
}

fn world() -> World {
    World::new(
        scenario(vec![cluster("a", Kind::Version)]),
        1.0,
        Clock::tokio("2026-11-21T10:00:00Z".parse().unwrap()),
    )
}

fn denied_with(answer: &Answer, part: &str) {
    assert_eq!(code(answer), (401, "APIGW.0301".into()), "{}", answer.body);
    assert!(answer.refused.is_some());
    assert!(text(answer).contains(part), "{}", answer.body);
}

#[tokio::test(start_paused = true)]
async fn a_good_signature_is_let_in() {
    let world = world();
    let answer = Sent::signed(&world, LIST, "limit=10&offset=1").ask(&world);
    assert_eq!((answer.status, answer.refused.as_deref()), (200, None));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_signed_well_is_refused() {
    let world = world();
    let good = || Sent::signed(&world, LIST, "limit=10");
    denied_with(&good().without("authorization").ask(&world), "not found");
    denied_with(
        &good().with("authorization", "Basic eA==").ask(&world),
        "malformed",
    );
    let mut tampered = good();
    tampered.query = "limit=11".into();
    denied_with(&tampered.ask(&world), "verify aksk signature fail");
    let mut tampered = good();
    tampered.body = b"x".to_vec();
    denied_with(&tampered.ask(&world), "verify aksk signature fail");
    denied_with(&good().without("host").ask(&world), "signature fail");
    let wrong = Sent::signed_with(world.now(), "other", LIST, "", &[]);
    denied_with(&wrong.ask(&world), "canonicalRequest:GET|/v1.0/");
    let unknown = good().with(
        "authorization",
        "SDK-HMAC-SHA256 Access=X, SignedHeaders=x-sdk-date, Signature=00",
    );
    denied_with(&unknown.ask(&world), "ak not exist");
}

#[tokio::test(start_paused = true)]
async fn headers_that_count_must_be_signed() {
    let world = world();
    let bare = || Sent::signed_with(world.now(), SK, LIST, "", &[]);
    assert_eq!(bare().ask(&world).status, 200);
    denied_with(
        &bare().with("x-project-id", PROJECT).ask(&world),
        "signature fail",
    );
    let other = Sent::signed_with(world.now(), SK, LIST, "", &[("x-project-id", "other")]);
    denied_with(&other.ask(&world), "signature fail");
    let token = Sent::signed_with(world.now(), SK, LIST, "", &[("x-security-token", "t")]);
    denied_with(&token.ask(&world), "signature fail");
    let mut temporary = scenario(Vec::new());
    SimulatedAccount::change(&mut temporary, |account| {
        account.security_token = Some("t".to_owned().into());
    });
    let temporary = World::new(temporary, 1.0, Clock::tokio(world.now()));
    assert_eq!(token.ask(&temporary).status, 200);
    denied_with(&bare().ask(&temporary), "signature fail");
    denied_with(
        &bare().with("x-security-token", "t").ask(&temporary),
        "signature fail",
    );
}

#[tokio::test(start_paused = true)]
async fn fifteen_minutes_are_the_limit() {
    let world = world();
    let at = |seconds| {
        let at = world.now() + SignedDuration::from_secs(seconds);
        Sent::signed_with(at, SK, LIST, "", &[]).ask(&world)
    };
    assert_eq!(at(-900).status, 200);
    assert_eq!(at(900).status, 200);
    denied_with(&at(-901), "signature expired");
    denied_with(&at(901), "signature expired");
}

#[tokio::test(start_paused = true)]
async fn six_bad_signatures_lock_the_key_for_five_minutes() {
    let world = world();
    let good = || Sent::signed(&world, LIST, "").ask(&world);
    let bad = || Sent::signed_with(world.now(), "other", LIST, "", &[]).ask(&world);
    for _ in 0..5 {
        denied_with(&bad(), "canonicalRequest");
    }
    assert_eq!(good().status, 200, "five are forgiven");
    for _ in 0..6 {
        denied_with(&bad(), "canonicalRequest");
    }
    denied_with(&good(), "failed to reach the limit");
    tokio::time::advance(secs(299)).await;
    denied_with(&good(), "failed to reach the limit");
    tokio::time::advance(secs(1)).await;
    denied_with(&bad(), "canonicalRequest");
    assert_eq!(good().status, 200);
}

#[tokio::test(start_paused = true)]
async fn paths_are_those_of_the_vendor() {
    let world = world();
    for path in [
        format!("{LIST}/"),
        format!("/v1.0/{PROJECT}/nothing"),
        format!("/api/v3/projects/{PROJECT}/nothing"),
        "/api/v3/nothing".to_owned(),
        "/v3/projects".to_owned(),
    ] {
        let answer = Sent::signed(&world, &path, "").ask(&world);
        assert_eq!(code(&answer), (404, "APIGW.0101".into()), "{path}");
        assert!(answer.refused.is_some());
    }
    let foreign = Sent::signed_with(world.now(), SK, "/v1.0/other/clusters", "", &[]).ask(&world);
    assert_eq!(code(&foreign), (403, "APIGW.0302".into()));
    let request = Request {
        method: "GET",
        path: "/api/v2/clusters",
        query: "",
        headers: &HeaderMap::new(),
        body: b"",
    };
    assert_eq!(answer(&world, &request), None);
}

fn login(password: &str) -> Sent {
    let body = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": "user A", "password": password, "domain": {"name": "domain A"}}}},
        "scope": {"project": {"id": PROJECT}},
    }});
    Sent {
        method: "POST",
        path: iam::TOKENS.into(),
        query: String::new(),
        headers: vec![("content-type", "application/json;charset=utf8".into())],
        body: body.to_string().into_bytes(),
    }
}

fn with_token(token: &str) -> Sent {
    Sent {
        method: "GET",
        path: LIST.into(),
        query: String::new(),
        headers: vec![("x-auth-token", token.to_owned())],
        body: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_are_given_for_the_password_and_end() {
    let world = world();
    let given = login("pass\"phrase").ask(&world);
    assert_eq!(given.status, 201);
    let token = &given.headers[0].1;
    assert!(token.len() > 2000);
    assert_eq!(with_token(token).ask(&world).status, 200);
    denied_with(&with_token("MIIF").ask(&world), "decrypt token fail");
    let forged = token.replacen("MIISIM.1", "MIISIM.9", 1);
    denied_with(&with_token(&forged).ask(&world), "decrypt token fail");
    tokio::time::advance(secs(86_401)).await;
    denied_with(&with_token(token).ask(&world), "token expires");
    let wrong = login("x").ask(&world);
    assert_eq!((wrong.status, wrong.refused.is_some()), (401, true));
    let plain = login("pass\"phrase").without("content-type").ask(&world);
    assert_eq!((plain.status, plain.refused.is_some()), (400, true));
}

#[tokio::test(start_paused = true)]
async fn lists_begin_at_one_and_hold_ten() {
    let clusters = (0..25).map(|n| cluster(&format!("c{n:02}"), Kind::Version));
    let world = World::new(
        scenario(clusters.collect()),
        1.0,
        Clock::tokio("2026-11-21T10:00:00Z".parse().unwrap()),
    );
    let ids = |query: &str| {
        let answer = Sent::signed(&world, LIST, query).ask(&world);
        assert_eq!(answer.status, 200, "{query}");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["totalSize"], 25);
        let clusters = body["clusters"].as_array().unwrap();
        let first = clusters
            .first()
            .map(|c| c["id"].as_str().unwrap().to_owned());
        (clusters.len(), first.unwrap_or_default())
    };
    assert_eq!(ids(""), (10, "c24".into()));
    assert_eq!(ids("start=11"), (10, "c14".into()));
    assert_eq!(ids("offset=21&limit=1000"), (5, "c04".into()));
    for query in ["offset=0", "limit=0", "limit=1001", "start=x"] {
        let answer = Sent::signed(&world, LIST, query).ask(&world);
        assert_eq!(code(&answer), (400, "CSS.0001".into()), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn upgrades_have_a_history_in_no_helpful_order() {
    let mut repeated = cluster("a", Kind::Version);
    repeated.repeats_after = Some(secs(5));
    let world = World::new(
        scenario(vec![repeated, cluster("z", Kind::AzMigration)]),
        1.0,
        Clock::tokio("2026-11-21T10:00:00Z".parse().unwrap()),
    );
    let details = |id: &str, query: &str| -> Value {
        let path = format!("{LIST}/{id}/upgrade/detail");
        let answer = Sent::signed(&world, &path, query).ask(&world);
        serde_json::from_str(&answer.body).unwrap()
    };
    assert_eq!(details("a", "")["totalSize"], 0);
    tokio::time::advance(secs(16)).await;
    let first = &details("a", "")["detailList"][0];
    assert_eq!(first["status"], "RUNNING");
    assert_eq!(first["startTime"], "2026-11-21T10:00:05");
    assert_eq!(first["endTime"], "");
    assert_eq!(first["currentNodeName"], "a-n1");
    assert_eq!(
        first["currentNodeDetail"][0]["endTime"],
        "2026-11-21T10:00:15"
    );
    assert_eq!(first["executeTimes"], "1");
    // Runs of 65 s: the thirteenth is on.
    tokio::time::advance(secs(65 * 12)).await;
    let thirteen = details("a", "limit=1000");
    assert_eq!(thirteen["totalSize"], 13);
    let starts: Vec<&str> = thirteen["detailList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["startTime"].as_str().unwrap())
        .collect();
    assert_eq!(starts.len(), 13);
    assert!(!starts.is_sorted() && !starts.iter().rev().is_sorted());
    assert_eq!(details("a", "")["detailList"].as_array().unwrap().len(), 10);
    // The zone's changes are a list of their own.
    assert_eq!(details("z", "")["totalSize"], 0);
    let az = details("z", "action_mode=AZ_MIGRATION");
    assert_eq!(az["totalSize"], 1);
    assert!(az["detailList"][0]["migrateParam"].is_string());
    assert_eq!(details("z", "action_mode=X")["errCode"], "CSS.0001");
    assert_eq!(details("gone", "")["errCode"], "CSS.0015");
}
