//! Task of one product of an account: discovers its clusters, and polls each when it is due.
//!
//! The task alone owns what is known, and hands it to the task of the next generation.

mod adopt;
mod calls;
mod discovery;
mod restored;
mod secrets;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::cluster::WatchedCluster;
use super::generation::Generation;
use super::running::AFTER_PANIC;
use super::select::{Missing, Wanted};
use crate::cloud::{Discovery, PollFailure};
use crate::http::ApiError;
use crate::model::{DiscoveryState, Observation, shifted};
use crate::ready::Latch;
use calls::{Calls, Ended, Target};

/// Knowledge of a product's clusters, and the time at which it is asked again.
pub(super) struct ProductPoller {
    generation: Arc<Generation>,
    clusters: BTreeMap<Arc<str>, WatchedCluster>,
    missing: Missing,
    /// Sum of the steps of the vendor's clock, up to which the noted times are right.
    stepped: SignedDuration,
    /// The vendor's time is known.
    has_time: bool,
    /// Steps of the vendor's clock that the restored times of the discovery had, until its time is known again.
    shown_step: Option<SignedDuration>,
    /// How discovery goes, as it is shown.
    shown: DiscoveryState,
    /// Clusters that the last complete discovery found.
    found: Option<Discovery>,
    /// Failed discoveries in a row.
    failures: u32,
    /// End of the last discovery.
    discovered: Instant,
    /// Pause that the vendor asked for at the last discovery.
    asked_pause: Option<Duration>,
    /// Time at which the next discovery is due.
    next: Instant,
    /// Fingerprint of the account's secrets; `None` until they were read, or when they cannot change.
    secrets: Option<u64>,
    /// Dropped once the first discovery and the first poll of each cluster that it found have ended.
    first: Option<Latch>,
    calls: Calls,
}

impl ProductPoller {
    /// Builds the state of a product that is not watched yet. `first` is dropped once the first
    /// discovery and the first poll of each cluster that it found have ended.
    pub(super) fn new(generation: Generation, first: Latch) -> Self {
        let (account, product) = (&generation.account, generation.product());
        let mut shown = DiscoveryState {
            account: account.name.clone(),
            product: product.name,
            cloud: product.cloud,
            cloud_region: account.cloud.region().clone(),
            last_success: None,
            last_error: None,
            watched: 0,
            inaccessible: 0,
            left_out: 0,
        };
        generation
            .metrics
            .announce(account, generation.config.product);
        let record = generation.deps.storage.take_discovery(&generation);
        let shown_step = record.map(|record| record.restore(&mut shown));
        generation.deps.store.put_discovery(shown.clone());
        let clusters = restored::clusters(&generation, &first);
        let now = Instant::now();
        Self {
            clusters,
            missing: Missing::default(),
            // The times of restored clusters have none.
            stepped: SignedDuration::ZERO,
            has_time: false,
            shown_step,
            shown,
            found: None,
            failures: 0,
            discovered: now,
            asked_pause: None,
            next: now,
            secrets: None,
            first: Some(first),
            calls: Calls::default(),
            generation: Arc::new(generation),
        }
    }

    pub(super) fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// Polls until dropped. Calls under way are dropped, too; what is known stays whole.
    pub(super) async fn run(&mut self) {
        let mut steps = self.generation.clock.steps();
        self.now();
        self.calls = Calls::default();
        self.calls.wait(Target::Discovery, self.next);
        for (id, cluster) in &self.clusters {
            self.calls.wait(Target::Cluster(id.clone()), cluster.next());
        }
        if secrets::may_change(&self.generation.account) {
            self.calls.wait(Target::Secrets, Instant::now());
        }
        loop {
            tokio::select! {
                (target, ended) = self.calls.next() => self.take(target, ended),
                // The clock, held by the generation, holds the sender: this never fails.
                Ok(()) = steps.changed() => drop(self.now()),
            }
        }
    }

    /// Takes the end of a wait or a call; `None` stands for a panic.
    fn take(&mut self, target: Target, ended: Option<Ended>) {
        match (&target, ended) {
            (_, Some(Ended::Wait)) => return self.begin(target),
            (Target::Cluster(id), Some(Ended::Poll(outcome, took))) => {
                self.polled(id, Some((outcome, took)));
            }
            (Target::Cluster(id), _) => self.polled(id, None),
            (Target::Secrets, Some(Ended::Secrets(fingerprint))) => self.compare(fingerprint),
            (Target::Secrets, _) => {}
            (Target::Discovery, Some(Ended::Discovery(outcome, took))) => {
                self.listed(Some((outcome, took)));
            }
            (Target::Discovery, _) => self.listed(None),
        }
        let next = match &target {
            Target::Discovery => self.next,
            Target::Secrets => Instant::now() + secrets::LOOK,
            Target::Cluster(id) => match self.clusters.get(id) {
                Some(cluster) => cluster.next(),
                None => return,
            },
        };
        self.calls.wait(target, next);
    }

    /// Begins a call that is due.
    fn begin(&mut self, target: Target) {
        let begun = Instant::now();
        let provider = self.generation.provider.clone();
        match &target {
            Target::Discovery => self.calls.start(target, async move {
                let outcome = provider.discover().await;
                Ended::Discovery(outcome, begun.elapsed())
            }),
            Target::Cluster(id) => {
                let Some(cluster) = self.clusters.get(id) else {
                    return;
                };
                let (id, memory) = (id.clone(), cluster.memory().clone());
                let fresh = cluster.freshness();
                self.calls.start(target, async move {
                    let outcome = provider.observe(&id, &memory, fresh).await;
                    Ended::Poll(outcome, begun.elapsed())
                });
            }
            Target::Secrets => {
                let account = self.generation.account.clone();
                self.calls.start(target, async move {
                    Ended::Secrets(secrets::fingerprint(&account).await)
                });
            }
        }
    }

    /// Takes the end of a discovery; `None` stands for a panic.
    fn listed(&mut self, ended: Option<(Result<Discovery, ApiError>, Duration)>) {
        let whole = ended.and_then(|(outcome, took)| guard(|| self.discovered(outcome, took)));
        if whole.is_none() {
            self.log_panic();
            self.next = Instant::now() + AFTER_PANIC;
        }
    }

    /// Takes the end of a poll; `None` stands for a panic.
    fn polled(&mut self, id: &str, ended: Option<(Result<Observation, PollFailure>, Duration)>) {
        let now = self.now();
        let Some(cluster) = self.clusters.get_mut(id) else {
            return;
        };
        let generation = &self.generation;
        let storage = &generation.deps.storage;
        // The count of an upgrade's end and the memory that it was counted: one without the other would be
        // counted twice, or never.
        let held = storage.hold();
        let whole = ended
            .and_then(|(outcome, took)| guard(|| cluster.polled(generation, outcome, took, now)));
        if whole.is_none() {
            cluster.panicked();
        }
        let state = Arc::new(cluster.state().clone());
        storage.put(generation, cluster, &state, self.stepped);
        drop(held);
        generation.deps.store.put(state);
    }

    /// Returns the vendor's time, with the noted times shifted by the steps up to it.
    fn now(&mut self) -> Timestamp {
        let (now, stepped) = self.generation.clock.read();
        self.apply_step(stepped);
        now
    }

    /// Shifts the noted times by the steps of the vendor's clock that they do not have yet.
    fn apply_step(&mut self, stepped: SignedDuration) {
        let by = stepped - self.stepped;
        self.stepped = stepped;
        let is_first = !self.has_time && self.generation.clock.known_now().is_some();
        self.has_time |= is_first;
        if by.is_zero() && !is_first {
            return;
        }
        let shown = &mut self.shown;
        let by_shown = if is_first {
            self.shown_step.take().unwrap_or(by)
        } else {
            by
        };
        shown.last_success = shown.last_success.map(|at| shifted(at, by_shown));
        if let Some(error) = &mut shown.last_error {
            error.shift_noted(by_shown);
        }
        let store = &self.generation.deps.store;
        store.put_discovery(shown.clone());
        let storage = &self.generation.deps.storage;
        storage.put_discovery(&self.generation, shown, stepped);
        let clusters = self.clusters.values_mut();
        let (generation, stepped) = (&self.generation, self.stepped);
        let states: Vec<_> = clusters
            .map(|cluster| {
                let restored = if is_first {
                    cluster.take_restored_step()
                } else {
                    None
                };
                cluster.shift_noted(restored.unwrap_or(by));
                let state = Arc::new(cluster.state().clone());
                let storage = &generation.deps.storage;
                storage.put(generation, cluster, &state, stepped);
                state
            })
            .collect();
        store.put_all(states);
    }

    /// Adds clusters, which are due at once. Their states are one change of the store.
    fn add(&mut self, wanted: Vec<Wanted>, first: &Latch) {
        if wanted.is_empty() {
            return;
        }
        let now = self.now();
        let mut added = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let id = wanted.id.clone();
            let cluster = WatchedCluster::new(&self.generation, wanted, first.clone(), now);
            added.push(cluster.state().clone());
            self.calls.wait(Target::Cluster(id.clone()), cluster.next());
            self.clusters.insert(id, cluster);
        }
        self.generation.deps.store.put_all(added);
    }

    fn show(&mut self) {
        self.shown.watched = u64::try_from(self.clusters.len()).unwrap_or(u64::MAX);
        let store = &self.generation.deps.store;
        store.put_discovery(self.shown.clone());
    }

    /// Drops the calls under way, which would hold their places until the next start, and logs the bug.
    pub(super) fn end_by_panic(&mut self) {
        self.calls = Calls::default();
        self.log_panic();
    }

    fn log_panic(&self) {
        tracing::error!(
            account = %self.generation.account.name, product = self.generation.product().name,
            "Watching a product ended: this is a bug, please report it. It starts again in {}.",
            crate::text::exact_length(AFTER_PANIC)
        );
    }
}

/// Runs a step; `None` when it panics.
fn guard<T>(step: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(step)).ok()
}
