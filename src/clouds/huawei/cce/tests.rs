mod degraded;
mod details;
mod empty;
mod kept;
mod scripted;
mod strict;
mod unlisted;
mod unpublished;

use std::convert::Infallible;
use std::path::Path;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;

use super::sim::tests::{cluster, set, start_over_the_api, world};
use super::*;
use crate::clock::Clock;
use crate::cloud::transport::{RequestMetrics, Transport};
use crate::clouds::CLOUDS;
use crate::clouds::huawei::sim::account::SimulatedAccount;
use crate::config::Account;
use crate::http::Cause;
use crate::model::track::advance;
use crate::model::{Thresholds, UpgradeStatus};
use crate::sim::Service as _;
use crate::sim::{Request, World};

const PROJECT: &str = "6204a5bd270343b5885144cf9c8c158d";
const FRESH: Duration = Duration::ZERO;

const THRESHOLDS: Thresholds = Thresholds {
    stalled_after: Duration::from_secs(1800),
    overdue_after: Duration::from_secs(21_600),
    retain_ended: Duration::from_secs(604_800),
};

/// The product against its simulator over loopback, with the calls that were made.
struct Bench {
    cce: CceProvider,
    world: Arc<Mutex<World>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    async fn new(world: World) -> Self {
        let world = Arc::new(Mutex::new(world));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let account = account(&serve(world.clone(), calls.clone()).await);
        Self {
            cce: open(&account, transport(&account, Clock::system())),
            world,
            calls,
        }
    }

    /// What is observed of `a` this many seconds after the scenario began, with the calls made.
    async fn at(&self, seconds: i64, memory: &mut Memory) -> (Observation, Vec<String>) {
        set(&mut self.world.lock(), seconds);
        let seen = self.cce.observe("a", memory, FRESH).await.unwrap();
        advance(
            memory,
            &seen,
            &THRESHOLDS,
            Duration::from_secs(300),
            Clock::system().now(),
        );
        (seen, std::mem::take(&mut self.calls.lock()))
    }

    /// The failure of a poll this many seconds after the scenario began.
    async fn failed(&self, seconds: i64, memory: &mut Memory) -> ApiError {
        set(&mut self.world.lock(), seconds);
        let failure = self.cce.observe("a", memory, FRESH).await.unwrap_err();
        failure.note_in(memory);
        *failure.error
    }
}

/// Returns an account with the product at this address.
fn account(address: &str) -> Account {
    let config = format!(
        "polling: {{rate_limit: 1000}}\naccounts: [{{name: cn, huawei: {{region: cn-north-4, \
         project_id: {PROJECT}, access_key: AK, secret_key: SK, cce: {{endpoint: '{address}'}}}}}}]"
    );
    let config = crate::config::parse(CLOUDS, &config, Path::new("."), &|_| None).unwrap();
    config.accounts.into_iter().next().unwrap()
}

/// Returns a transport that makes each call once.
fn transport(account: &Account, clock: Clock) -> Arc<Transport> {
    let transport = Transport::new(&account.connection(), RequestMetrics::default(), clock);
    Arc::new(transport.unwrap().once())
}

fn open(account: &Account, transport: Arc<Transport>) -> CceProvider {
    CceProvider::new(&account.context(&account.products[0], transport)).unwrap()
}

/// Serves the simulator's half alone: signatures are the gateway's matter.
async fn serve(world: Arc<Mutex<World>>, calls: Arc<Mutex<Vec<String>>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (world, calls) = (world.clone(), calls.clone());
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let response = respond(&world, &calls, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    format!("http://{address}")
}

fn respond(
    world: &Mutex<World>,
    calls: &Mutex<Vec<String>>,
    request: &hyper::Request<hyper::body::Incoming>,
) -> hyper::Response<Full<Bytes>> {
    let path = request.uri().path();
    let last = path.rsplit('/').next().unwrap_or_default();
    calls.lock().push(match last {
        "tasks" if path.contains("precheck") => "prechecks".to_owned(),
        other => other.to_owned(),
    });
    let asked = Request {
        method: request.method().as_str(),
        path,
        query: request.uri().query().unwrap_or_default(),
        headers: request.headers(),
        body: b"",
    };
    let answer = sim::Simulator.answer(&world.lock(), &asked).unwrap();
    assert_eq!(answer.refused, None, "{path}");
    hyper::Response::builder()
        .status(answer.status)
        .body(Full::new(answer.body.into()))
        .unwrap()
}

fn nodes(seen: &Observation) -> Vec<&'static str> {
    let nodes = &seen.upgrades[0].nodes;
    nodes.iter().map(|node| node.status.as_str()).collect()
}

#[tokio::test]
async fn an_upgrade_from_before_its_request_to_after_its_end() {
    let bench = Bench::new(world(vec![cluster("a"), cluster("b")])).await;
    let found = bench.cce.discover().await.unwrap();
    let ids: Vec<_> = found.clusters.iter().map(|c| (&*c.id, &*c.name)).collect();
    assert_eq!(ids, [("a", "name-of-a"), ("b", "name-of-b")]);
    bench.calls.lock().clear();
    let memory = &mut Memory::default();

    let (seen, calls) = bench.at(50, memory).await;
    assert!(seen.upgrades.is_empty());
    assert_eq!((&*seen.name, &*seen.version), ("name-of-a", "v1.28.3-r0"));
    assert_eq!((&*seen.raw_status, seen.changing), ("Available", false));
    assert_eq!(
        calls,
        ["clusters", "upgradeinfo", "upgradeworkflows"],
        "a cluster that was never upgraded costs little"
    );

    let (seen, calls) = bench.at(130, memory).await;
    let upgrade = &seen.upgrades[0];
    assert_eq!(upgrade.status, UpgradeStatus::Running);
    assert_eq!(upgrade.ratio, Some(0.0));
    assert!(!upgrade.waits_for_person);
    assert_eq!(nodes(&seen), ["waiting", "waiting"]);
    assert_eq!(
        calls,
        ["clusters", "upgradeinfo", "upgradeworkflows", "nodes"]
    );
    let id = upgrade.id.clone();

    let (seen, calls) = bench.at(270, memory).await;
    assert!(seen.changing);
    assert_eq!(nodes(&seen), ["upgrading", "waiting"]);
    assert_eq!(seen.upgrades[0].ratio, Some(2.0 / 4.0));
    assert_eq!(calls, ["clusters", "tasks", "upgradeworkflows", "nodes"]);

    let (seen, _) = bench.at(380, memory).await;
    assert_eq!(nodes(&seen), ["succeeded", "upgrading"]);
    assert_eq!(seen.upgrades[0].ratio, Some(2.5 / 4.0));

    let (seen, _) = bench.at(490, memory).await;
    assert_eq!(seen.upgrades[0].status, UpgradeStatus::Running);
    assert_eq!(nodes(&seen), ["succeeded", "succeeded"]);

    let (seen, calls) = bench.at(600, memory).await;
    let upgrade = &seen.upgrades[0];
    assert_eq!(
        (upgrade.status, &upgrade.id),
        (UpgradeStatus::Succeeded, &id)
    );
    assert_eq!(upgrade.ratio, Some(1.0));
    assert_eq!(upgrade.from_version.as_deref(), Some("v1.28.3-r0"));
    assert_eq!(upgrade.to_version.as_deref(), Some("v1.29.1-r0"));
    assert_eq!(seen.version, "v1.29.1-r0");
    let lasted = upgrade
        .ended
        .unwrap()
        .duration_since(upgrade.requested.unwrap());
    assert_eq!(lasted.as_secs(), 420);
    assert!(calls.contains(&"nodes".to_owned()), "it has just ended");

    let (seen, calls) = bench.at(610, memory).await;
    assert_eq!(nodes(&seen), ["succeeded", "succeeded"]);
    assert_eq!(
        calls,
        ["clusters", "upgradeinfo", "upgradeworkflows"],
        "an ended upgrade costs no more than none"
    );
}

#[tokio::test]
async fn a_failed_node_and_its_workflow() {
    let mut failing = cluster("a");
    failing.fails = Some(crate::sim::scenario::Place { node: 2, step: 1 });
    let bench = Bench::new(world(vec![failing])).await;
    let memory = &mut Memory::default();
    let (seen, _) = bench.at(350, memory).await;
    assert_eq!(
        nodes(&seen),
        ["waiting", "upgrading"],
        "the first was not seen"
    );
    let (seen, _) = bench.at(450, memory).await;
    let upgrade = &seen.upgrades[0];
    assert_eq!(upgrade.status, UpgradeStatus::Failed);
    assert!(upgrade.is_ended());
    assert_eq!(nodes(&seen), ["waiting", "failed"]);
    assert_eq!(upgrade.ratio, Some(2.5 / 4.0));
}

#[tokio::test]
async fn an_upgrade_that_only_a_task_tells_of() {
    let mut api = cluster("a");
    start_over_the_api(&mut api);
    let bench = Bench::new(world(vec![api])).await;
    let memory = &mut Memory::default();
    let (seen, _) = bench.at(270, memory).await;
    let upgrade = &seen.upgrades[0];
    assert_eq!(upgrade.status, UpgradeStatus::Running);
    assert_eq!(upgrade.ratio, Some(0.0));
    assert!(upgrade.tasks.is_empty());
    assert_eq!(nodes(&seen), ["upgrading", "waiting"]);
    let (seen, _) = bench.at(1000, memory).await;
    assert_eq!(seen.upgrades[0].status, UpgradeStatus::Succeeded);
    let (seen, calls) = bench.at(1010, memory).await;
    assert_eq!(seen.upgrades[0].status, UpgradeStatus::Succeeded);
    assert_eq!(calls.len(), 4, "one last list of tasks: {calls:?}");
    let (seen, calls) = bench.at(1020, memory).await;
    assert_eq!(seen.upgrades[0].status, UpgradeStatus::Succeeded);
    assert_eq!(calls, ["clusters", "upgradeinfo", "upgradeworkflows"]);
}

#[tokio::test]
async fn unpublished_calls_are_left_alone_until_the_next_discovery() {
    let mut world = world(vec![cluster("a")]);
    SimulatedAccount::change(&mut world.scenario, |account| {
        account.cce_upgrades_published = false;
    });
    let bench = Bench::new(world).await;
    let memory = &mut Memory::default();
    let error = bench.failed(50, memory).await;
    assert_eq!(
        (error.call, error.cause),
        ("ListUpgradeWorkFlows", Cause::NotPublished)
    );
    bench.calls.lock().clear();

    let (seen, calls) = bench.at(55, memory).await;
    assert!(
        seen.upgrades.is_empty() && seen.secondary.is_empty(),
        "{seen:?}"
    );
    assert!(!seen.ask_again_soon);
    assert_eq!(
        calls,
        ["clusters", "upgradeinfo", "tasks", "upgradeworkflows"]
    );
    let (_, calls) = bench.at(60, memory).await;
    assert_eq!(calls, ["clusters"]);

    let (seen, calls) = bench.at(270, memory).await;
    let upgrade = &seen.upgrades[0];
    assert_eq!(upgrade.status, UpgradeStatus::Running);
    assert_eq!((&upgrade.id, upgrade.tasks.len()), (&None, 0));
    assert_eq!(nodes(&seen), ["upgrading", "waiting"]);
    assert_eq!(calls, ["clusters", "nodes"]);
    let requested = upgrade.requested;
    let (seen, _) = bench.at(300, memory).await;
    assert_eq!(seen.upgrades[0].requested, requested);

    let (seen, _) = bench.at(600, memory).await;
    assert!(seen.upgrades.is_empty());
    bench.cce.discover().await.unwrap();
    memory.discoveries += 1;
    let (seen, calls) = bench.at(610, memory).await;
    assert!(calls.contains(&"upgradeworkflows".to_owned()), "{calls:?}");
    assert!(seen.secondary.is_empty(), "the same answer changes nothing");
    let (_, calls) = bench.at(620, memory).await;
    assert_eq!(calls, ["clusters"]);
}

#[tokio::test]
async fn an_id_that_the_project_lacks_is_not_found() {
    let bench = Bench::new(world(vec![cluster("a")])).await;
    let memory = Memory::default();
    let failure = bench.cce.observe("b", &memory, FRESH).await.unwrap_err();
    let error = failure.error;
    assert_eq!(error.reason, Reason::NotFound);
    assert_eq!(error.call, "ListClusters");
}

#[tokio::test]
async fn clusters_share_one_list() {
    let bench = Bench::new(world(vec![cluster("a"), cluster("b")])).await;
    let (memory, fresh) = (Memory::default(), Duration::from_secs(60));
    bench.cce.observe("a", &memory, fresh).await.unwrap();
    bench.cce.observe("b", &memory, fresh).await.unwrap();
    let calls = bench.calls.lock();
    assert_eq!(calls.iter().filter(|call| *call == "clusters").count(), 1);
}

#[test]
fn the_documents_clusters() {
    let list: List<Cluster> = serde_json::from_str(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/huawei/cce-list-clusters-otc.json"
    )))
    .unwrap();
    let clusters = by_id(list.items);
    let one = &clusters["4d1ecb2c-229a-11e8-9c75-0255ac100ceb"];
    assert_eq!(one.metadata.name, "mycluster");
    assert_eq!(one.spec.version, "v1.17.9-r0");
    assert_eq!(one.status.phase, "Available");
}
