//! One task a product of an account: discovers, and keeps a worker for each watched cluster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::Instant;

use super::select::{self, Missing, Wanted};
use super::worker::Worker;
use super::{Deps, Watch, schedule};
use crate::model::{DiscoveryState, Key};
use crate::provider::{Discovery, Reason};
use crate::telemetry::DISCOVERY;
use crate::web::ready::Latch;

/// A worker that panicked is a bug; its cluster is watched again after a while.
const AFTER_PANIC: Duration = Duration::from_secs(10);

/// A cluster that a discovery missed is looked for again this soon: one that was deleted should be
/// gone before its data count as stale.
const CONFIRM: Duration = Duration::from_secs(60);

struct Fleet {
    watch: Arc<Watch>,
    deps: Deps,
    tasks: JoinSet<()>,
    /// By cluster: its task and what it was made from.
    workers: BTreeMap<Arc<str>, (AbortHandle, Wanted)>,
    missing: Missing,
    /// How discovery goes, as it is shown.
    shown: DiscoveryState,
    /// Failed discoveries in a row.
    failures: u32,
}

/// Watches a product for as long as it is let. `first` is dropped once the first discovery and the
/// first poll of each cluster that it found have ended.
pub(super) async fn run(watch: Arc<Watch>, deps: Deps, first: Latch) {
    let mut fleet = Fleet {
        shown: super::not_looked(&watch.account, watch.product),
        watch,
        deps,
        tasks: JoinSet::new(),
        workers: BTreeMap::new(),
        missing: Missing::default(),
        failures: 0,
    };
    let mut first = Some(first);
    let mut next = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(next) => {
                next = Instant::now() + fleet.discover(first.take()).await;
            }
            Some(ended) = fleet.tasks.join_next_with_id() => fleet.ended(ended),
        }
    }
}

impl Fleet {
    /// Discovers once, and tells after how long to do so again.
    async fn discover(&mut self, first: Option<Latch>) -> Duration {
        let begun = Instant::now();
        let outcome = self.watch.provider.discover().await;
        let now = self.deps.clock.now();
        let (account, product) = (self.watch.account.name.clone(), self.watch.product.name);
        self.deps.metrics.poll(
            (&account, product, DISCOVERY),
            begun.elapsed(),
            outcome.as_ref().map(|_| ()).map_err(|e| e.reason),
            now,
        );
        let unpublished = matches!(&outcome, Err(error) if error.reason == Reason::NotFound);
        let asked = match outcome {
            Ok(discovery) => {
                if self.failures > 0 {
                    tracing::info!(%account, product, "Discovery works again.");
                }
                self.failures = 0;
                if let Some(listed) = select::listed(&self.watch.config, &discovery) {
                    self.add_new(&listed, first.as_ref());
                } else {
                    let found = select::discovered(&self.watch.config, &discovery);
                    self.drop_gone(&found);
                    self.add_new(&found, first.as_ref());
                }
                self.shown.inaccessible = discovery.inaccessible;
                self.shown.last_success = Some(now);
                self.shown.last_error = None;
                None
            }
            Err(error) => {
                if self.failures == 0 {
                    tracing::warn!(
                        %account, product, reason = error.reason.as_str(), %error,
                        "Clusters could not be listed."
                    );
                }
                self.failures = self.failures.saturating_add(1);
                // Those that the config names are watched all the same.
                let listed = select::listed(&self.watch.config, &Discovery::default());
                self.add_new(&listed.unwrap_or_default(), first.as_ref());
                self.shown.last_error = Some(error.told(now));
                error.retry_after
            }
        };
        let watched = u64::try_from(self.workers.len()).unwrap_or(u64::MAX);
        self.shown.watched = watched;
        self.deps
            .metrics
            .clusters(&account, product, watched, self.shown.inaccessible);
        self.deps.store.put_discovery(self.shown.clone());
        let interval = self.watch.account.polling.discovery_interval;
        // A product that the cloud does not publish will not be there in a minute.
        let in_a_hurry = if unpublished { 0 } else { self.failures };
        let pause = schedule::discovery_pause(interval, in_a_hurry, asked, fastrand::f64());
        if self.failures == 0 && self.missing.is_waiting() {
            return pause.min(CONFIRM);
        }
        pause
    }

    /// Ends the workers of clusters that are gone.
    fn drop_gone(&mut self, found: &[Wanted]) {
        for id in self.missing.gone(self.workers.keys(), found) {
            if let Some((task, wanted)) = self.workers.remove(&id) {
                tracing::info!(
                    account = %self.watch.account.name, product = self.watch.product.name,
                    cluster = %id, name = wanted.name,
                    "The cluster is gone: two discoveries in a row did not list it."
                );
                task.abort();
            }
        }
    }

    /// Adds workers for clusters that have none.
    fn add_new(&mut self, wanted: &[Wanted], first: Option<&Latch>) {
        for wanted in wanted {
            if !self.workers.contains_key(&wanted.id) {
                self.add(wanted.clone(), first.cloned());
            }
        }
    }

    fn add(&mut self, wanted: Wanted, first: Option<Latch>) {
        let latch = first.unwrap_or_else(Latch::spent);
        let worker = Worker::new(self.watch.clone(), self.deps.clone(), wanted.clone());
        let task = self.tasks.spawn(worker.run(latch));
        self.workers.insert(wanted.id.clone(), (task, wanted));
    }

    /// A worker's task ended: it was told to, or it panicked.
    fn ended(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let Err(error) = ended else {
            // Workers never return.
            return;
        };
        let id = error.id();
        let own = self
            .workers
            .iter()
            .find(|(_, (task, _))| task.id() == id)
            .map(|(cluster, (_, wanted))| (cluster.clone(), wanted.clone()));
        match own {
            Some((cluster, wanted)) => {
                tracing::error!(
                    account = %self.watch.account.name, product = self.watch.product.name, %cluster,
                    "A worker panicked: this is a bug, please report it. It starts again in {} s.",
                    AFTER_PANIC.as_secs()
                );
                let worker = Worker::new(self.watch.clone(), self.deps.clone(), wanted.clone());
                let task = self.tasks.spawn(async move {
                    tokio::time::sleep(AFTER_PANIC).await;
                    worker.run(Latch::spent()).await;
                });
                self.workers.insert(cluster, (task, wanted));
            }
            None => self.sweep(),
        }
    }

    /// Forgets the clusters that have no worker: only now, that the last one's task has ended, can
    /// it not put a state any more.
    fn sweep(&self) {
        let (account, product) = (&self.watch.account.name, self.watch.product.name);
        let snapshot = self.deps.store.snapshot();
        let is_gone = |key: &&Key| {
            key.account == *account && key.product == product && !self.workers.contains_key(&key.id)
        };
        for key in snapshot.keys().filter(is_gone) {
            self.deps.store.remove(key);
            self.deps.metrics.forget(account, product, &key.id);
        }
    }
}
