//! One task a product of an account: discovers, and keeps a worker for each watched cluster.

mod secrets;
mod step;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::compare::{Tally, is_same_choice};
use super::select::{self, Missing, Wanted};
use super::worker::Worker;
use super::{Deps, Watch, asked, restarting, schedule};
use crate::cloud::Discovery;
use crate::http::{ApiError, Reason};
use crate::model::{DiscoveryState, LastError};
use crate::ready::Latch;

/// A worker that panicked is a bug; its cluster is watched again after a while.
const AFTER_PANIC: Duration = Duration::from_secs(10);

/// A cluster that a discovery missed is looked for again this soon: one that was deleted should be
/// gone before its data count as stale.
const CONFIRM: Duration = Duration::from_secs(60);

/// A product's clusters. It outlives a panic of its task, and so do their workers.
pub(super) struct Fleet {
    deps: Deps,
    course: Mutex<Course>,
    /// A new config came.
    changed: Notify,
}

/// What is known of the clusters, and how they are looked for.
struct Course {
    watch: Arc<Watch>,
    /// By cluster: its worker with its task.
    workers: BTreeMap<Arc<str>, (Arc<Worker>, JoinSet<()>)>,
    missing: Missing,
    /// Sum of the steps of the vendor's clock, up to which the noted times are right.
    stepped: SignedDuration,
    /// How discovery goes, as it is shown.
    shown: DiscoveryState,
    /// What the last complete discovery found.
    found: Option<Discovery>,
    /// Failed discoveries in a row.
    failures: u32,
    /// When the last discovery ended.
    looked: Instant,
    /// When the next one is due.
    next: Instant,
    /// Changes with the account's secrets; none until they were looked at, or when they cannot change.
    secrets: Option<u64>,
    /// Dropped once the first discovery and the first poll of each cluster that it found have ended.
    first: Option<Latch>,
    /// It is not watched any more: nothing is put for it.
    is_gone: bool,
}

impl Fleet {
    /// Of a product that is not watched yet. `first` is dropped once the first discovery and the first
    /// poll of each cluster that it found have ended.
    pub(super) fn new(watch: &Arc<Watch>, deps: Deps, first: Latch) -> Self {
        let shown = super::not_looked(&watch.account, watch.product);
        watch.metrics.announce(&watch.account, watch.product);
        deps.store.put_discovery(shown.clone());
        let now = Instant::now();
        let course = Course {
            watch: watch.clone(),
            workers: BTreeMap::new(),
            missing: Missing::default(),
            stepped: watch.clock.read().1,
            shown,
            found: None,
            failures: 0,
            looked: now,
            next: now,
            secrets: None,
            first: Some(first),
            is_gone: false,
        };
        Self {
            deps,
            course: Mutex::new(course),
            changed: Notify::new(),
        }
    }

    /// Watches the product for as long as it is let.
    pub(super) async fn run(self: Arc<Self>) {
        tokio::join!(
            self.keep_discovering(),
            self.keep_looking(),
            self.follow_steps()
        );
    }

    async fn keep_discovering(&self) {
        loop {
            self.until_due().await;
            self.discover().await;
        }
    }

    async fn until_due(&self) {
        loop {
            let next = self.course.lock().next;
            tokio::select! {
                () = tokio::time::sleep_until(next) => return,
                () = self.changed.notified() => {}
            }
        }
    }

    /// Discovers once. A discovery whose way is replaced is given up, and due again.
    async fn discover(&self) {
        let begun = Instant::now();
        let (watch, secrets) = {
            let course = self.course.lock();
            (course.watch.clone(), course.secrets)
        };
        let mut discovering = watch.provider.discover();
        let outcome = loop {
            tokio::select! {
                outcome = &mut discovering => break outcome,
                () = self.changed.notified() => {
                    if self.course.lock().is_replaced(&watch) {
                        return;
                    }
                }
            }
        };
        let mut course = self.course.lock();
        if !course.is_gone && !course.is_replaced(&watch) {
            course.discovered(&self.deps, outcome, begun.elapsed());
            // Others came meanwhile.
            if secrets.is_some() && secrets != course.secrets {
                course.retry_refused();
            }
        }
    }

    /// Goes on under a new config, and tells what came of the clusters.
    pub(super) fn replace(&self, watch: Arc<Watch>) -> Tally {
        let tally = self.course.lock().replace(&self.deps, watch);
        self.changed.notify_one();
        tally
    }

    /// Forgets the product with its clusters, and tells how many there were. Whoever wants to be sure
    /// that nothing is counted for them any more waits for the end of the tasks.
    pub(super) fn end(&self) -> Vec<JoinSet<()>> {
        let mut course = self.course.lock();
        course.is_gone = true;
        course.first = None;
        let workers = std::mem::take(&mut course.workers);
        let end = |(worker, mut task): (Arc<Worker>, JoinSet<()>)| {
            worker.end();
            task.abort_all();
            task
        };
        let tasks = workers.into_values().map(end).collect();
        let (account, product) = (&course.watch.account.name, course.watch.product.info().name);
        self.deps.store.remove_discovery(account, product);
        tasks
    }
}

impl Course {
    /// Whether its clusters are looked for in another way by now.
    fn is_replaced(&self, watch: &Watch) -> bool {
        !Arc::ptr_eq(&self.watch.provider, &watch.provider)
    }

    fn discovered(&mut self, deps: &Deps, outcome: Result<Discovery, ApiError>, took: Duration) {
        let (now, stepped) = self.watch.clock.read();
        self.apply_step(deps, stepped);
        let first = self.first.take();
        let (account, product) = (
            self.watch.account.name.clone(),
            self.watch.product.info().name,
        );
        let failure = outcome.as_ref().err().map(|error| error.reason);
        self.watch.metrics.polled(took, failure);
        let unpublished = matches!(&outcome, Err(error) if error.reason == Reason::NotFound);
        let asked = match outcome {
            Ok(discovery) => {
                if self.failures > 0 {
                    tracing::info!(%account, product, "Discovery works again.");
                }
                self.failures = 0;
                if let Some(listed) = select::listed(&self.watch.config, &discovery) {
                    self.add_new(deps, &listed, first.as_ref());
                } else {
                    let selected = select::selected(&self.watch.config, &discovery);
                    self.drop_gone(&discovery, &selected);
                    let watched = self.workers.keys().cloned().collect();
                    let chosen = select::bounded(selected, &watched);
                    self.add_new(deps, &chosen.clusters, first.as_ref());
                    self.shown.left_out = chosen.left_out;
                }
                let left_out = self.shown.left_out;
                self.watch.tell_of_list(&discovery, left_out);
                self.shown.inaccessible = discovery.inaccessible;
                self.shown.last_success = Some(now);
                self.shown.last_error = None;
                self.found = Some(discovery);
                None
            }
            Err(error) => {
                if self.failures == 0 {
                    tracing::warn!(
                        %account, product, reason = error.reason.as_str(),
                        until = asked::until(&error, deps.clock.now()), %error, "Clusters could not be listed."
                    );
                }
                self.failures = self.failures.saturating_add(1);
                // Those that the config names are watched all the same.
                let listed = select::listed(&self.watch.config, &Discovery::default());
                self.add_new(deps, &listed.unwrap_or_default(), first.as_ref());
                let before = self.shown.last_error.as_ref();
                self.shown.last_error = Some(LastError::new(&error, now).after(before));
                error.retry_after
            }
        };
        self.show(deps);
        let interval = self.watch.account.polling.discovery_interval;
        // A product that the cloud does not publish will not be there in a minute.
        let in_a_hurry = if unpublished { 0 } else { self.failures };
        let mut pause = schedule::discovery_pause(interval, in_a_hurry, asked, fastrand::f64());
        if self.failures == 0 && self.missing.is_waiting() {
            pause = pause.min(CONFIRM);
        }
        self.looked = Instant::now();
        self.next = self.looked + pause;
    }

    fn show(&mut self, deps: &Deps) {
        let watched = u64::try_from(self.workers.len()).unwrap_or(u64::MAX);
        self.shown.watched = watched;
        deps.store.put_discovery(self.shown.clone());
    }

    fn replace(&mut self, deps: &Deps, watch: Arc<Watch>) -> Tally {
        let before = std::mem::replace(&mut self.watch, watch);
        let watch = self.watch.clone();
        // Another way to sign in has other calls.
        watch.metrics.announce(&watch.account, watch.product);
        let mut tally = Tally::default();
        let known: Vec<_> = self.workers.values().map(|(w, _)| w.wanted()).collect();
        let chosen = select::again(&watch.config, self.found.as_ref(), &known);
        self.shown.left_out = chosen.left_out;
        let wanted = chosen.clusters;
        let ids: HashSet<&str> = wanted.iter().map(|wanted| &*wanted.id).collect();
        self.workers.retain(|id, (worker, _)| {
            let stays = ids.contains(&**id);
            if !stays {
                worker.end();
                tally.removed += 1;
            }
            stays
        });
        let mut added = Vec::new();
        for wanted in wanted {
            if let Some((worker, _)) = self.workers.get(&wanted.id) {
                tally.changed += usize::from(worker.replace(watch.clone(), wanted));
            } else {
                added.push(wanted);
            }
        }
        tally.added = added.len();
        self.add(deps, added, &Latch::spent());
        self.shown.cloud_region = watch.account.cloud.region().clone();
        self.show(deps);
        let now = Instant::now();
        if self.is_replaced(&before) || !is_same_choice(&before.config, &watch.config) {
            self.next = now;
        } else {
            // An interval that got shorter holds from now on; a longer one after the next discovery.
            let interval = watch.account.polling.discovery_interval;
            if interval < before.account.polling.discovery_interval {
                self.next = self.next.min(self.looked + interval).max(now);
            }
        }
        tally
    }

    /// Ends the workers of clusters that are gone, or that the config does not select any more.
    fn drop_gone(&mut self, discovery: &Discovery, selected: &[Wanted]) {
        for id in self.missing.gone(self.workers.keys(), selected) {
            if let Some((worker, _task)) = self.workers.remove(&id) {
                let listed = discovery.clusters.iter().find(|one| *one.id == *id);
                let reason = listed.map_or(
                    "The cluster is gone: two discoveries in a row did not list it.",
                    |_| "The cluster was renamed, and the config does not select its name.",
                );
                let name = listed.map_or_else(|| worker.wanted().name, |one| one.name.clone());
                tracing::info!(
                    account = %self.watch.account.name, product = self.watch.product.info().name,
                    cluster = %id, name, "{reason}"
                );
                worker.end();
            }
        }
    }

    fn add_new(&mut self, deps: &Deps, wanted: &[Wanted], first: Option<&Latch>) {
        let mut seen = HashSet::new();
        let new = wanted.iter().filter(|wanted| {
            !self.workers.contains_key(&wanted.id) && seen.insert(wanted.id.clone())
        });
        let new = new.cloned().collect();
        self.add(deps, new, &first.cloned().unwrap_or_else(Latch::spent));
    }

    /// Adds a worker for each of these clusters. All their states are one change of the store.
    fn add(&mut self, deps: &Deps, wanted: Vec<Wanted>, first: &Latch) {
        let workers = wanted.into_iter().map(|wanted| {
            let id = wanted.id.clone();
            let worker = Worker::new(self.watch.clone(), deps.clone(), wanted);
            (id, Arc::new(worker))
        });
        let workers: Vec<_> = workers.collect();
        if workers.is_empty() {
            return;
        }
        let states = workers.iter().map(|(_, worker)| worker.state());
        deps.store.put_all(states);
        for (id, worker) in workers {
            let mut task = JoinSet::new();
            let name = (
                self.watch.account.name.clone(),
                self.watch.product.info().name,
            );
            task.spawn(keep(name, worker.clone(), id.clone(), first.clone()));
            self.workers.insert(id, (worker, task));
        }
    }
}

/// Runs a worker, and starts it anew if that panics. It knows the names alone: it outlives configs.
async fn keep(
    (account, product): (Arc<str>, &'static str),
    worker: Arc<Worker>,
    id: Arc<str>,
    first: Latch,
) {
    let mut first = Some(first);
    let run = || {
        let first = first.take().unwrap_or_else(Latch::spent);
        worker.clone().run(first)
    };
    restarting(AFTER_PANIC, run, || {
        worker.panicked();
        tracing::error!(
            %account, product, cluster = %id,
            "A worker panicked: this is a bug, please report it. It starts again in {}.",
            crate::text::exact_length(AFTER_PANIC)
        );
    })
    .await;
}
