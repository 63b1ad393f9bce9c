//! Tests of the schedule with a provider that answers what the test says, on virtual time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use parking_lot::Mutex;

use super::*;
use crate::cloud::{PollFailure, Provider};
use crate::clouds::CLOUDS;
use crate::config::ProductConfig;

mod backoff;
mod bounds;
mod clock;
mod degraded;
mod discovery;
mod history;
mod log;
mod reload;
mod secrets;
mod sharing;
use crate::cloud::{Discovered, Discovery, OpenContext, Product, ProductInfo};
use crate::config::Selection;
use crate::fields::id::IdForm;
use crate::http::{ApiError, Cause};
use crate::model::{
    ClusterState, Kind, Memory, Observation, Reason, Remarks, SecondaryCall, Thresholds, Upgrade,
    UpgradeStatus,
};
use crate::ready::Ready;
use crate::sim::{self, Service, World};
use crate::telemetry;

/// A product that the test opens.
struct FakeProduct;

static FAKE: FakeProduct = FakeProduct;

impl Product for FakeProduct {
    fn info(&self) -> &'static ProductInfo {
        static INFO: ProductInfo = ProductInfo {
            name: "fake",
            title: "Fake",
            upgraded: "nothing",
            cloud: "ncloud",
            stalled_after: Duration::from_secs(1800),
            settings: &[],
            ids: IdForm::Word,
            permission: "nothing",
            omissions: &[],
            calls: &[],
        };
        &INFO
    }

    fn open(&self, _: OpenContext<'_>) -> Result<Arc<dyn Provider>, ApiError> {
        Err(ApiError::new(Reason::Protocol, "opened by the test"))
    }

    fn simulator(&self) -> &'static dyn Service {
        &FakeProduct
    }
}

impl Service for FakeProduct {
    fn answer(&self, _: &World, _: &sim::Request<'_>) -> Option<sim::Answer> {
        None
    }

    fn demo(&self) -> &'static str {
        "clusters: []"
    }

    fn state_keys(&self) -> &'static [&'static str] {
        &[]
    }
}

/// What the fake cloud holds: clusters with the answer to a poll.
#[derive(Default)]
struct Fake {
    clusters: Mutex<BTreeMap<String, Result<Option<UpgradeStatus>, Reason>>>,
    listing: Mutex<Option<Reason>>,
    /// Pause that each failed call asks for.
    retry_after: Mutex<Option<Duration>>,
    /// Whether reading an answer is a bug.
    panics: AtomicBool,
    /// Cluster whose answer alone is a bug.
    panics_for: Mutex<Option<String>>,
    /// Whether listing is a bug.
    no_list: AtomicBool,
    /// How long each answer takes.
    slow: Duration,
    polls: Mutex<BTreeMap<String, u32>>,
    /// Polls without an answer: under way, or dropped.
    unanswered: AtomicU32,
    discoveries: AtomicU32,
    /// Outcomes of secondary calls, told with each good poll.
    secondary: Mutex<Vec<SecondaryCall>>,
    /// Tasks of every upgrade.
    tasks: Mutex<Vec<crate::model::Task>>,
    /// Oddities of every answer about a cluster.
    unknown_words: Mutex<Vec<String>>,
    remarks: Mutex<Remarks>,
    /// End of every upgrade, as the vendor tells it.
    ended: Mutex<Option<Timestamp>>,
    /// Polls end with the vendor's word that it does not publish the primary call.
    not_published: AtomicBool,
}

impl Fake {
    fn set(&self, id: &str, answer: Result<Option<UpgradeStatus>, Reason>) {
        self.clusters.lock().insert(id.into(), answer);
    }

    fn polls(&self, id: &str) -> u32 {
        self.polls.lock().get(id).copied().unwrap_or(0)
    }
}

impl Provider for Fake {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>> {
        async {
            self.discoveries.fetch_add(1, Ordering::Relaxed);
            assert!(!self.no_list.load(Ordering::Relaxed), "on purpose");
            if let Some(reason) = *self.listing.lock() {
                return Err(ApiError {
                    retry_after: *self.retry_after.lock(),
                    ..ApiError::new(reason, "no list")
                });
            }
            let clusters = self.clusters.lock();
            Ok(Discovery {
                clusters: clusters
                    .keys()
                    .map(|id| Discovered {
                        id: id.clone(),
                        name: format!("name-{id}"),
                    })
                    .collect(),
                inaccessible: 2,
            })
        }
        .boxed()
    }

    fn observe<'a>(
        &'a self,
        cluster_id: &'a str,
        _: &'a Memory,
        _: Duration,
    ) -> BoxFuture<'a, Result<Observation, PollFailure>> {
        async move {
            *self.polls.lock().entry(cluster_id.into()).or_default() += 1;
            self.unanswered.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(self.slow).await;
            self.unanswered.fetch_sub(1, Ordering::Relaxed);
            assert!(!self.panics.load(Ordering::Relaxed), "on purpose");
            let panics = self.panics_for.lock().as_deref() == Some(cluster_id);
            assert!(!panics, "on purpose");
            if self.not_published.load(Ordering::Relaxed) {
                let error = ApiError::new(Reason::NotFound, "no such API");
                return Err(error.because(Cause::NotPublished).of("Progress").into());
            }
            let answer = self.clusters.lock().get(cluster_id).copied();
            let status = answer
                .unwrap_or(Err(Reason::NotFound))
                .map_err(|reason| ApiError {
                    retry_after: *self.retry_after.lock(),
                    ..ApiError::new(reason, "no answer")
                })?;
            let upgrades = status.map(|status| Upgrade {
                tasks: self.tasks.lock().clone(),
                ended: *self.ended.lock(),
                ..Upgrade::new(Kind::Version, status)
            });
            Ok(Observation {
                name: format!("name-{cluster_id}"),
                version: "1".into(),
                version_name: Some("one".into()),
                raw_status: "running".into(),
                changing: false,
                upgrades: upgrades.into_iter().collect(),
                unknown_words: self.unknown_words.lock().clone(),
                remarks: self.remarks.lock().clone(),
                refused: None,
                secondary: self.secondary.lock().clone(),
                ..Observation::default()
            })
        }
        .boxed()
    }
}

struct Bench {
    fake: Arc<Fake>,
    deps: Deps,
    /// Shows what is counted.
    registry: telemetry::Metrics,
    ready: Ready,
    /// `None` while a new config is taken over.
    running: Option<RunningProduct>,
}

impl Bench {
    fn start(fake: Arc<Fake>, change: impl FnOnce(&mut ProductConfig)) -> Self {
        // The defaults: 30 s active, 5 min idle, 10 min between discoveries.
        let file = "accounts: [{name: a, ncloud: {access_key: x, secret_key: x, ses: {}}}]";
        let mut file = crate::config::parse(CLOUDS, file, Path::new("."), &|_| None).unwrap();
        Self::of(file.accounts.remove(0), fake, change)
    }

    fn of(account: Account, fake: Arc<Fake>, change: impl FnOnce(&mut ProductConfig)) -> Self {
        Self::with(account, fake, change, false)
    }

    /// Polls as a command does that polls once.
    fn confirming(fake: Arc<Fake>) -> Self {
        let file = "accounts: [{name: a, ncloud: {access_key: x, secret_key: x, ses: {}}}]";
        let mut file = crate::config::parse(CLOUDS, file, Path::new("."), &|_| None).unwrap();
        Self::with(file.accounts.remove(0), fake, |_| {}, true)
    }

    fn with(
        account: Account,
        fake: Arc<Fake>,
        change: impl FnOnce(&mut ProductConfig),
        confirms_at_once: bool,
    ) -> Self {
        Self::with_deps(account, fake, change, |_, deps| {
            deps.confirms_at_once = confirms_at_once;
        })
    }

    fn with_deps(
        account: Account,
        fake: Arc<Fake>,
        change: impl FnOnce(&mut ProductConfig),
        change_deps: impl FnOnce(&Account, &mut Deps),
    ) -> Self {
        let mut config = ProductConfig {
            product: &FAKE,
            clusters: Selection::All,
            include: Vec::new(),
            exclude: Vec::new(),
            only: Vec::new(),
            endpoint: None,
            settings: Vec::new(),
            thresholds: Thresholds {
                stalled_after: Duration::from_secs(1800),
                overdue_after: Duration::from_secs(7200),
                retain_ended: Duration::from_secs(7200),
            },
        };
        change(&mut config);
        let clock = Clock::tokio(Timestamp::from_second(1_800_000_000).unwrap());
        let (mut deps, registry) = deps(clock);
        change_deps(&account, &mut deps);
        let (ready, latch) = Ready::new();
        let generation = Generation {
            account: Arc::new(account),
            config,
            provider: fake.clone(),
            clock: deps.clock.clone().into(),
            metrics: deps.metrics.product(&"a".into(), FAKE.info().name),
            oddities: Arc::default(),
            deps: deps.clone(),
        };
        let poller = ProductPoller::new(generation, latch);
        Self {
            running: Some(RunningProduct::start(poller)),
            fake,
            deps,
            registry,
            ready,
        }
    }

    fn generation(&self) -> &Generation {
        &self.running.as_ref().unwrap().generation
    }

    /// Starts the next generation.
    async fn reload(&mut self, change: impl FnOnce(&mut Account, &mut ProductConfig)) -> Tally {
        let old = self.generation();
        let mut account = Account::clone(&old.account);
        let mut config = old.config.clone();
        change(&mut account, &mut config);
        let next = Generation {
            account: Arc::new(account),
            config,
            provider: self.fake.clone(),
            clock: old.clock.clone(),
            metrics: old.metrics.clone(),
            oddities: old.oddities.clone(),
            deps: old.deps.clone(),
        };
        let running = self.running.take().unwrap();
        let (running, tally) = running.replace(next).await.unwrap();
        self.running = Some(running);
        tally
    }

    fn state(&self, id: &str) -> Option<Arc<ClusterState>> {
        let snapshot = self.deps.store.snapshot();
        snapshot.values().find(|s| &*s.key.id == id).cloned()
    }
}

/// Builds what polling needs, with the registry that shows what it counts.
fn deps(clock: Clock) -> (Deps, telemetry::Metrics) {
    let (store, mut registry) = (Arc::new(Store::new()), telemetry::Metrics::new());
    crate::store::register(&store, registry.own());
    let deps = Deps {
        store,
        metrics: Metrics::new(registry.own()),
        clock,
        storage: Storage::default(),
        confirms_at_once: false,
    };
    (deps, registry)
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn active_clusters_are_polled_at_the_active_interval() {
    let fake = Arc::new(Fake::default());
    fake.set("idle", Ok(None));
    fake.set("busy", Ok(Some(UpgradeStatus::Running)));
    let bench = Bench::start(fake, |_| {});
    pass(3000).await;
    let (idle, busy) = (bench.fake.polls("idle"), bench.fake.polls("busy"));
    assert!((9..=12).contains(&idle), "{idle}");
    assert!((90..=112).contains(&busy), "{busy}");
    let interval = |id| bench.state(id).unwrap().poll_interval.as_secs();
    assert_eq!((interval("idle"), interval("busy")), (300, 30));
}

#[tokio::test(start_paused = true)]
async fn a_failing_cluster_backs_off_and_keeps_its_last_good_state() {
    let fake = Arc::new(Fake::default());
    fake.set("good", Ok(Some(UpgradeStatus::Running)));
    fake.set("bad", Ok(Some(UpgradeStatus::Running)));
    let bench = Bench::start(fake, |_| {});
    pass(10).await;
    bench.fake.set("bad", Err(Reason::Server));
    let (good, bad) = (bench.fake.polls("good"), bench.fake.polls("bad"));
    pass(1800).await;
    let (good, bad) = (
        bench.fake.polls("good") - good,
        bench.fake.polls("bad") - bad,
    );
    assert!(good >= 54, "the good one is not slowed: {good}");
    assert!((27..=40).contains(&bad), "the bad one backs off: {bad}");
    let state = bench.state("bad").unwrap();
    assert!(!state.up && state.answered);
    assert_eq!(state.upgrades[0].upgrade.status, UpgradeStatus::Running);
    assert_eq!(state.last_error.as_ref().unwrap().reason, Reason::Server);
    assert_eq!(state.poll_interval.as_secs(), 30, "without the backoff");
    bench.fake.set("bad", Ok(None));
    pass(400).await;
    let state = bench.state("bad").unwrap();
    assert!(state.up && state.last_error.is_none() && state.upgrades.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_known_outlives_a_worker_that_panics() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    let bench = Bench::start(fake, |_| {});
    pass(10).await;
    let before = bench.state("1").unwrap();
    assert!(before.up);
    bench.fake.panics.store(true, Ordering::Relaxed);
    pass(600).await;
    let state = bench.state("1").unwrap();
    assert!(!state.up);
    assert_eq!(state.last_success, before.last_success, "its data get old");
    assert_eq!(state.upgrades, before.upgrades);
    bench.fake.panics.store(false, Ordering::Relaxed);
    pass(60).await;
    assert!(bench.state("1").unwrap().up);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_poll_panics_holds_up_no_other() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    fake.set("2", Ok(Some(UpgradeStatus::Running)));
    *fake.panics_for.lock() = Some("2".into());
    let bench = Bench::start(fake, |_| {});
    pass(3000).await;
    let polls = bench.fake.polls("1");
    assert!((90..=112).contains(&polls), "{polls}");
    assert!(bench.state("1").unwrap().up && !bench.state("2").unwrap().up);
    assert_eq!(bench.fake.polls("2"), 300, "every ten seconds");
}

#[tokio::test(start_paused = true)]
async fn a_discovery_that_panics_holds_up_no_poll() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    let bench = Bench::start(fake, |_| {});
    pass(10).await;
    bench.fake.no_list.store(true, Ordering::Relaxed);
    pass(3000).await;
    assert!(bench.fake.discoveries.load(Ordering::Relaxed) > 20);
    let polls = bench.fake.polls("1");
    assert!((90..=112).contains(&polls), "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_listed_cluster_never_vanishes_and_keeps_its_name() {
    let fake = Arc::new(Fake::default());
    let bench = Bench::start(fake, |config| {
        config.clusters = Selection::Listed(vec![crate::config::Listed {
            id: "7".into(),
            name: Some("mine".into()),
            thresholds: config.thresholds,
        }]);
    });
    pass(3000).await;
    let state = bench.state("7").unwrap();
    assert!(!state.up && !state.answered);
    assert_eq!(&*state.name, "mine");
    assert_eq!(state.last_error.as_ref().unwrap().reason, Reason::NotFound);
    bench.fake.set("7", Ok(None));
    pass(400).await;
    let state = bench.state("7").unwrap();
    assert!(state.up);
    assert_eq!(&*state.name, "mine");
}

#[tokio::test(start_paused = true)]
async fn readiness_waits_for_the_first_round_good_or_bad() {
    let fake = Arc::new(Fake {
        slow: Duration::from_secs(5),
        ..Fake::default()
    });
    fake.set("1", Ok(None));
    fake.set("2", Err(Reason::Timeout));
    let bench = Bench::start(fake, |_| {});
    pass(4).await;
    assert!(!bench.ready.is_ready());
    pass(2).await;
    assert!(bench.ready.is_ready());

    let fake = Arc::new(Fake::default());
    *fake.listing.lock() = Some(Reason::Auth);
    let bench = Bench::start(fake, |_| {});
    pass(1).await;
    assert!(
        bench.ready.is_ready(),
        "a failed discovery ends the round too"
    );
    assert_eq!(bench.fake.discoveries.load(Ordering::Relaxed), 1);
    pass(60).await;
    assert!(
        bench.fake.discoveries.load(Ordering::Relaxed) >= 2,
        "it is tried again soon"
    );
}

#[tokio::test(start_paused = true)]
async fn ends_are_counted_once() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    let bench = Bench::start(fake, |_| {});
    pass(60).await;
    bench.fake.set("1", Ok(Some(UpgradeStatus::Failed)));
    pass(3000).await;
    let metrics = bench.registry.encode();
    let line = metrics
        .lines()
        .find(|line| line.contains("upgrades_ended_total{") && line.contains(r#"outcome="failed""#))
        .unwrap();
    assert!(line.ends_with(" 1"), "{line}");
}
