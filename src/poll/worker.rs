//! One worker a cluster: observe, publish, sleep.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::schedule;
use super::select::Wanted;
use super::{Deps, Watch};
use crate::model::track;
use crate::model::{ClusterState, Key, Memory, Observation};
use crate::provider::{ApiError, Reason};
use crate::web::ready::Latch;

/// A cluster's worker: it alone knows what earlier polls saw.
pub(super) struct Worker {
    watch: Arc<Watch>,
    deps: Deps,
    wanted: Wanted,
    state: ClusterState,
    memory: Memory,
    /// Failed polls in a row.
    failures: u32,
    /// The cluster itself said at the last good poll that it is changing.
    changing: bool,
}

impl Worker {
    pub(super) fn new(watch: Arc<Watch>, deps: Deps, wanted: Wanted) -> Self {
        let key = Key {
            account: watch.account.name.clone(),
            product: watch.product.name,
            id: wanted.id.clone(),
        };
        // After a panic: what was known stays, and gets old.
        let known = deps.store.snapshot().get(&key).cloned();
        let state = known.map(|state| ClusterState {
            up: false,
            ..ClusterState::clone(&state)
        });
        let state = state.unwrap_or_else(|| ClusterState {
            key,
            cloud: watch.product.cloud,
            cloud_region: watch.account.region().clone(),
            name: wanted.name.clone(),
            version: String::new(),
            raw_status: String::new(),
            up: false,
            answered: false,
            last_success: deps.clock.now(),
            last_error: None,
            poll_interval: watch.account.polling.idle_interval,
            thresholds: wanted.thresholds,
            upgrades: Vec::new(),
        });
        Self {
            watch,
            deps,
            wanted,
            state,
            memory: Memory::default(),
            failures: 0,
            changing: false,
        }
    }

    /// Polls for as long as it is let. `first` is dropped after the first poll, well or badly ended.
    pub(super) async fn run(mut self, first: Latch) {
        self.deps.store.put(self.state.clone());
        let mut first = Some(first);
        loop {
            let asked = self.poll().await;
            drop(first.take());
            let pause = schedule::pause(
                self.state.poll_interval,
                self.failures,
                asked,
                fastrand::f64(),
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// Polls once, and tells how long the vendor asked to wait.
    async fn poll(&mut self) -> Option<Duration> {
        let begun = Instant::now();
        // Half an interval: each poll sees a list that is younger than the last poll.
        let fresh = self.state.poll_interval / 2;
        let observe = self
            .watch
            .provider
            .observe(&self.wanted.id, &self.memory, fresh);
        let outcome = observe.await;
        let now = self.deps.clock.now();
        self.deps.metrics.poll(
            (
                &self.watch.account.name,
                self.watch.product.name,
                &self.wanted.id,
            ),
            begun.elapsed(),
            outcome.as_ref().map(|_| ()).map_err(|e| e.reason),
            now,
        );
        let asked = match outcome {
            Ok(observation) => {
                self.succeeded(&observation);
                None
            }
            Err(error) => self.failed(&error),
        };
        self.deps.store.put(self.state.clone());
        asked
    }

    fn succeeded(&mut self, observation: &Observation) {
        let now = self.deps.clock.now();
        let (account, product) = (&*self.watch.account.name, self.watch.product.name);
        let before = self.memory.clone();
        let last_poll = self.state.answered.then_some(self.state.last_success);
        let views = track::advance(&mut self.memory, observation, &self.wanted.thresholds, now);
        for view in track::ended_since(&before, &views, last_poll) {
            self.deps
                .metrics
                .upgrade_ended(account, product, view.upgrade.status);
        }
        for word in &observation.unknown_words {
            self.deps.metrics.unknown_status(product);
            if self.watch.words.is_new(word.clone()) {
                tracing::warn!(
                    account, product, cluster = %self.wanted.id, word,
                    "The vendor uses a status word that is not known; please report it."
                );
            }
        }
        if let Some(why) = &observation.refused {
            self.deps.metrics.refused(account, product);
            tracing::debug!(account, product, cluster = %self.wanted.id, why, "The vendor refused to tell progress.");
        }
        // A name that is not told this time is the one that was told before.
        if !self.wanted.named && !observation.name.is_empty() {
            self.state.name.clone_from(&observation.name);
        }
        self.state.version.clone_from(&observation.version);
        self.state.raw_status.clone_from(&observation.raw_status);
        self.announce(&views);
        self.state.upgrades = views;
        self.changing = observation.changing;
        self.state.last_success = now;
        self.state.answered = true;
        if self.failures > 0 {
            tracing::info!(account, product, cluster = %self.wanted.id, name = self.state.name, "The cluster answers again.");
        }
        self.state.up = true;
        self.state.last_error = None;
        self.failures = 0;
        self.set_interval();
    }

    fn failed(&mut self, error: &ApiError) -> Option<Duration> {
        let news = self
            .state
            .last_error
            .as_ref()
            .is_none_or(|last| last.reason != error.reason.as_str());
        if news {
            tracing::warn!(
                account = %self.watch.account.name,
                product = self.watch.product.name,
                cluster = %self.wanted.id,
                name = self.state.name,
                reason = error.reason.as_str(),
                error = %error,
                "A poll failed."
            );
        }
        self.failures = self.failures.saturating_add(1);
        self.state.up = false;
        self.state.last_error = Some(error.told(self.deps.clock.now()));
        // A cluster that is not there will not be back in a minute.
        if error.reason == Reason::NotFound {
            self.failures = self.failures.max(3);
        }
        self.set_interval();
        error.retry_after
    }

    fn set_interval(&mut self) {
        let active = self.changing
            || self
                .state
                .upgrades
                .iter()
                .any(|view| view.upgrade.status.is_active());
        self.state.poll_interval = schedule::interval(&self.watch.account.polling, active);
    }

    /// Tells the log when an upgrade enters a state.
    fn announce(&self, views: &[crate::model::UpgradeView]) {
        for view in views {
            let upgrade = &view.upgrade;
            let before = self
                .state
                .upgrades
                .iter()
                .find(|v| v.upgrade.kind == upgrade.kind && v.upgrade.is_same(upgrade));
            let is_news = before.is_none_or(|v| v.upgrade.status != upgrade.status);
            let was_stalled = before.is_some_and(|v| v.stalled);
            let (account, product) = (&*self.watch.account.name, self.watch.product.name);
            if is_news {
                tracing::info!(
                    account, product, cluster = %self.wanted.id, name = self.state.name,
                    kind = upgrade.kind.as_str(),
                    status = upgrade.status.as_str(),
                    from = upgrade.from_version.as_deref().unwrap_or_default(),
                    to = upgrade.to_version.as_deref().unwrap_or_default(),
                    "An upgrade is in a new state."
                );
            }
            if view.stalled && !was_stalled {
                tracing::warn!(
                    account, product, cluster = %self.wanted.id, name = self.state.name,
                    last_progress = %view.last_progress,
                    "An upgrade is stalled."
                );
            }
        }
    }
}
