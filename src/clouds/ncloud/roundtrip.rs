//! Tests of the clients against the simulated services over a real connection.

mod cdss;
mod fields;
mod region;
mod ses;

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use jiff::tz::Offset;
use tokio::net::TcpListener;

use super::sim::tests::{cluster, scenario, world};
use crate::clock::Clock;
use crate::cloud::transport::RequestMetrics;
use crate::cloud::transport::Transport;
use crate::cloud::{Product, Provider};
use crate::clouds::ncloud::account::{self, Zone};
use crate::config::{Account, Polling, ProductConfig, Selection};
use crate::model::{
    CallMemory, Kind, Memory, NodeStatus, Observation, Reason, Seen, Thresholds, UpgradeStatus,
};
use crate::secret::Secret;
use crate::sim::Gateway as _;
use crate::sim::scenario::{Cluster, Fault, FaultAnswer, ListedAs, Scenario};
use crate::sim::{self, World};

/// A server of one world, and what it refused.
struct Server {
    endpoint: url::Url,
    world: Arc<World>,
    calls: Arc<parking_lot::Mutex<Vec<String>>>,
    /// Changes of the answers, in turn.
    changes: Arc<parking_lot::Mutex<Vec<Change>>>,
}

/// A value that is put into the answers of a call.
struct Change {
    /// Name of the call.
    call: &'static str,
    /// JSON pointer to the place.
    place: String,
    value: serde_json::Value,
    /// Text of a request's body that spares its answer.
    spares: Option<&'static str>,
}

impl Server {
    async fn start(world: World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(world);
        let calls = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let server = Self {
            endpoint: endpoint.parse().unwrap(),
            world: world.clone(),
            calls: calls.clone(),
            changes: Arc::default(),
        };
        let changes = server.changes.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (world, calls) = (world.clone(), calls.clone());
                let changes = changes.clone();
                let service = hyper::service::service_fn(move |request| {
                    let (world, calls) = (world.clone(), calls.clone());
                    let changes = changes.clone();
                    async move { serve(&world, &calls, &changes, request).await }
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
        product: &'static dyn Product,
        (zone, region, secret): (Zone, &str, &str),
    ) -> Arc<dyn Provider> {
        let account = Account {
            name: "a".into(),
            cloud: Arc::new(account::Account {
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
        let requests = RequestMetrics::default();
        let transport = Transport::new(&account.connection(), requests, Clock::system()).unwrap();
        account
            .open(&account.products[0], &Arc::new(transport))
            .unwrap()
    }

    /// Puts these values, and no others, into the answers from now on.
    fn change(&self, changes: Vec<Change>) {
        *self.changes.lock() = changes;
    }

    /// The calls that came so far: name and, when it was refused, why.
    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock())
    }
}

async fn serve(
    world: &World,
    calls: &parking_lot::Mutex<Vec<String>>,
    changes: &parking_lot::Mutex<Vec<Change>>,
    request: hyper::Request<hyper::body::Incoming>,
) -> Result<hyper::Response<Full<bytes::Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let answer = super::sim::Apigw
        .answer(
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
    let is_spared = |change: &Change| change.spares.is_some_and(|text| body_text.contains(text));
    if let Some(why) = &answer.refused {
        call = format!("{call} REFUSED {why}");
    }
    calls.lock().push(call);
    let mut body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let name = name.split('/').next().unwrap();
    for change in changes.lock().iter() {
        if change.call != name || is_spared(change) {
            continue;
        }
        let place = body.pointer_mut(&change.place);
        *place.unwrap_or_else(|| panic!("{name} has no {}", change.place)) = change.value.clone();
    }
    Ok(hyper::Response::builder()
        .status(answer.status)
        .body(Full::from(body.to_string()))
        .unwrap())
}

const NODES: &[(&str, &str)] = &[("m1", "M"), ("d1", "D")];

fn search(id: &str) -> Cluster {
    cluster("ses", id, ["270", "290"], NODES)
}

async fn observe(provider: &dyn Provider, id: &str) -> Observation {
    let memory = Memory::default();
    provider.observe(id, &memory, Duration::ZERO).await.unwrap()
}

async fn fails(provider: &dyn Provider, id: &str) -> crate::http::ApiError {
    let memory = Memory::default();
    let outcome = provider.observe(id, &memory, Duration::ZERO).await;
    *outcome.unwrap_err().error
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
async fn a_wrong_secret_is_an_auth_error_and_rests() {
    let server = Server::start(world(scenario("KR", vec![search("1")]), 0)).await;
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
    let server = Server::start(world(scenario("KR", vec![search("1")]), 0)).await;
    let ses = server.open(&super::ses::PRODUCT, (Zone::Public, "SGN", "sk"));
    let error = ses.discover().await.unwrap_err();
    assert_eq!(error.reason, Reason::NotFound);
    assert!(error.message.contains("zone public, region SGN"), "{error}");
}
