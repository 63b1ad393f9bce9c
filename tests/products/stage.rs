//! A product on its own simulator: a world, the pollers, and the exposition of what they know.
//!
//! Time is virtual: it moves on when every task waits for it, over as many hours as a chapter takes.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::cloud::{Product, products, simulated};
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config::{self, Config, Polling};
use rolling_upgrade_exporter::expose;
use rolling_upgrade_exporter::fields::id::IdForm;
use rolling_upgrade_exporter::model::Thresholds;
use rolling_upgrade_exporter::poll;
use rolling_upgrade_exporter::ready::Ready;
use rolling_upgrade_exporter::sim::scenario::{Cluster, Fault, Hang, ListedAs, Place, Scenario};
use rolling_upgrade_exporter::sim::{World, demo, server};
use rolling_upgrade_exporter::store::Store;
use rolling_upgrade_exporter::telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::exposition::Exposition;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// Silence after which upgrades are stalled.
pub(crate) const STALLED_AFTER: Duration = Duration::from_secs(30 * 60);

/// Age at which ended upgrades are forgotten.
pub(crate) const RETAIN_ENDED: Duration = HOUR;

/// Length of a step.
const STEP: Duration = Duration::from_secs(15 * 60);

/// Time between two looks at the exposition.
const LOOK: Duration = Duration::from_secs(20);

/// Time within which everything happens that a chapter waits for.
const PATIENCE: Duration = Duration::from_secs(8 * 3600);

/// Runs a chapter for every product, each in a runtime of its own, and fails with the names of all
/// products that fail it.
pub(crate) fn every_product<F: Future<Output = ()>>(
    chapter: impl Fn(&'static dyn Product) -> F + Sync,
) {
    let run = &|product: &'static dyn Product| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(chapter(product));
    };
    let failed: Vec<&str> = std::thread::scope(|scope| {
        let chapters: Vec<_> = products(CLOUDS)
            .map(|product| {
                let name = product.info().name;
                let thread = std::thread::Builder::new().name(name.to_owned());
                (
                    name,
                    thread.spawn_scoped(scope, move || run(product)).unwrap(),
                )
            })
            .collect();
        assert!(!chapters.is_empty());
        let failed = chapters
            .into_iter()
            .filter_map(|(name, chapter)| chapter.join().err().map(|_| name));
        failed.collect()
    });
    assert!(failed.is_empty(), "fails for {failed:?}, see above");
}

/// Returns the demo's scenario.
fn demo_scenario() -> Scenario {
    demo::scenario(&simulated(CLOUDS)).unwrap()
}

/// Builds a cluster of a product, with nodes, steps and versions as one of the demo has them: its upgrade
/// is requested after 10 minutes, and begins 10 minutes later.
pub(crate) fn cluster(product: &dyn Product, number: u32) -> Cluster {
    let info = product.info();
    let clusters = demo_scenario().clusters.into_iter();
    let mut of_product = clusters.filter(|cluster| cluster.product == info.name);
    let is_usual = |cluster: &Cluster| {
        cluster.nodes.len() > 2 && cluster.versions.len() > 1 && cluster.listed == ListedAs::Allowed
    };
    let mut cluster = of_product.find(is_usual).unwrap_or_else(|| {
        panic!(
            "the demo has no cluster of {} with three nodes and two versions",
            info.name
        )
    });
    cluster.id = match info.ids {
        IdForm::Number => (3_000_000 + number).to_string(),
        IdForm::Word => format!("{number:08x}-2a3f-4a5c-8c7d-3a0d9a1f7c11"),
    };
    cluster.name = name(number);
    cluster.starts_after = Some(10 * MINUTE);
    cluster.queued = 10 * MINUTE;
    cluster.repeats_after = None;
    cluster.batch = 1;
    (cluster.hangs, cluster.fails) = (None, None);
    for steps in [&mut cluster.before, &mut cluster.steps, &mut cluster.after] {
        for step in steps {
            step.takes = STEP;
        }
    }
    cluster
}

/// The name of the cluster of this number.
pub(crate) fn name(number: u32) -> String {
    format!("cluster-{number}")
}

/// The first step of the second node.
pub(crate) const SECOND_NODE: Place = Place { node: 2, step: 1 };

/// A hang of the second node for two hours.
pub(crate) const HANG: Hang = Hang {
    place: SECOND_NODE,
    lasts: Duration::from_secs(2 * 3600),
};

/// The simulated cloud of a product, and an exporter that polls it.
pub(crate) struct Stage {
    pub(crate) world: Arc<World>,
    pub(crate) store: Arc<Store>,
    clock: Clock,
    metrics: Metrics,
    config: Config,
    ready: Ready,
    polling: JoinHandle<()>,
    server: JoinHandle<()>,
}

impl Stage {
    /// Serves these clusters with these faults, and polls them.
    pub(crate) async fn open(
        product: &'static dyn Product,
        clusters: Vec<Cluster>,
        faults: Vec<Fault>,
    ) -> Self {
        Self::open_some(product, clusters, faults, Vec::new()).await
    }

    /// Serves these clusters, and polls those that one of the patterns includes; all without any.
    pub(crate) async fn open_some(
        product: &'static dyn Product,
        clusters: Vec<Cluster>,
        faults: Vec<Fault>,
        include: Vec<String>,
    ) -> Self {
        let clock = Clock::tokio("2026-01-01T00:00:00Z".parse().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut scenario = demo_scenario();
        let text = demo::config(&scenario, listener.local_addr().unwrap(), 1.0);
        (scenario.clusters, scenario.faults) = (clusters, faults);
        let config = config::parse(CLOUDS, &text, Path::new("."), &|_| None).unwrap();
        let config = config_of(product, config, &include);
        let world = Arc::new(World::new(scenario, 1.0, clock.clone()));
        let server = tokio::spawn(server::run(listener, world.clone()));
        let (store, metrics) = (Arc::new(Store::new()), Metrics::new());
        let (ready, latch) = Ready::new();
        drop(latch);
        let mut stage = Self {
            world,
            store,
            clock,
            metrics,
            config,
            ready,
            polling: tokio::spawn(async {}),
            server,
        };
        stage.start().await;
        stage
    }

    async fn start(&mut self) {
        (self.store, self.metrics) = (Arc::new(Store::new()), Metrics::new());
        let (ready, latch) = Ready::new();
        let deps = poll::Deps {
            store: self.store.clone(),
            metrics: poll::Metrics::new(self.metrics.own()),
            clock: self.clock.clone(),
            storage: poll::Storage::default(),
            confirms_at_once: false,
        };
        self.ready = ready;
        self.polling = tokio::spawn(poll::run(self.config.clone(), deps, latch));
        while !self.ready.is_ready() {
            self.pause(Duration::from_secs(1)).await;
        }
    }

    /// Ends the exporter with all that it knows, starts another one, and waits for its first polls.
    pub(crate) async fn restart(&mut self) {
        self.polling.abort();
        self.start().await;
    }

    /// Waits, and fails when a task panicked meanwhile.
    pub(crate) async fn pause(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
        for task in [&mut self.polling, &mut self.server] {
            if task.is_finished() {
                match task.await {
                    Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                    ended => panic!("a task ended: {ended:?}"),
                }
            }
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the exposition at this moment.
    pub(crate) fn exposition(&self) -> Exposition {
        let states = self.store.snapshot();
        let states: Vec<_> = states.values().map(|state| (**state).clone()).collect();
        let text = expose::render(&states, self.now()) + &self.metrics.encode();
        Exposition::new(text)
    }

    /// Waits until the exposition is so, and returns it. Every exposition up to then goes to `look`.
    pub(crate) async fn watch(
        &mut self,
        what: &str,
        mut look: impl FnMut(&Exposition),
        is_so: impl Fn(&Exposition) -> bool,
    ) -> Exposition {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let exposition = self.exposition();
            look(&exposition);
            if is_so(&exposition) {
                return exposition;
            }
            let is_early = tokio::time::Instant::now() < deadline;
            assert!(is_early, "never {what}:\n{exposition}");
            self.pause(LOOK).await;
        }
    }

    /// Waits until the exposition is so, and returns it.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        is_so: impl Fn(&Exposition) -> bool,
    ) -> Exposition {
        self.watch(what, |_| (), is_so).await
    }

    /// Waits until the upgrade of a cluster is in this state, and returns the exposition.
    pub(crate) async fn until_status(&mut self, cluster: &Cluster, status: &str) -> Exposition {
        self.until(status, |shown| shown.status(cluster) == Some(status))
            .await
    }

    /// Fails when the simulator refused a request: the client sent what the vendor does not take.
    pub(crate) fn close(self) {
        let (requests, refused) = self.world.seen();
        assert!(requests > 0);
        assert!(refused.is_empty(), "{refused:#?}");
        self.polling.abort();
        self.server.abort();
    }
}

/// Returns the config with this product alone, with the intervals and limits of the story.
fn config_of(product: &'static dyn Product, mut config: Config, include: &[String]) -> Config {
    for account in &mut config.accounts {
        account
            .products
            .retain(|config| *config.product == *product);
        account.polling = Polling {
            active_interval: Duration::from_secs(30),
            idle_interval: MINUTE,
            discovery_interval: 5 * MINUTE,
            timeout: Duration::from_secs(10),
            rate_limit: 1000.0,
            max_concurrency: 4,
        };
        for config in &mut account.products {
            config.include = include.to_vec();
            config.thresholds = Thresholds {
                stalled_after: STALLED_AFTER,
                overdue_after: 24 * HOUR,
                retain_ended: RETAIN_ENDED,
            };
        }
    }
    config
        .accounts
        .retain(|account| !account.products.is_empty());
    let name = product.info().name;
    assert_eq!(
        config.accounts.len(),
        1,
        "the demo has no account of {name}"
    );
    config
}
