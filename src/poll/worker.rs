//! One worker a cluster: observe, publish, sleep.

mod log;
mod step;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::asked::AskedPauses;
use super::schedule;
use super::select::Wanted;
use super::{Deps, Watch};
use crate::http::{ApiError, Cause, Reason};
use crate::model::bounds;
use crate::model::track;
use crate::model::{ClusterState, Key, LastError, Memory, Observation};
use crate::ready::Latch;

/// A cluster's worker: it alone knows what earlier polls saw.
pub(super) struct Worker {
    deps: Deps,
    course: Mutex<Course>,
    /// A new config came.
    changed: Notify,
}

/// What is known of the cluster, and how it is asked. Whoever holds it puts the state.
struct Course {
    watch: Arc<Watch>,
    wanted: Wanted,
    state: ClusterState,
    memory: Arc<Memory>,
    /// Sum of the steps of the vendor's clock, up to which the noted times are right.
    stepped: SignedDuration,
    /// Failed polls in a row.
    failures: u32,
    /// Reason of the last one, if it failed.
    reason: Option<Reason>,
    asked: AskedPauses,
    /// The cluster itself said at the last good poll that it is changing.
    changing: bool,
    /// The last poll asks for another one after the active interval.
    ask_again_soon: bool,
    /// When the last poll ended.
    polled: Instant,
    /// When the next one is due.
    next: Instant,
    /// It is not watched any more: nothing is put for it.
    is_gone: bool,
}

impl Worker {
    /// Builds a worker for a cluster that is not watched yet; its first state has yet to be put.
    pub(super) fn new(watch: Arc<Watch>, deps: Deps, wanted: Wanted) -> Self {
        let (added, stepped) = watch.clock.read();
        let state = ClusterState {
            key: Key {
                account: watch.account.name.clone(),
                product: watch.product.info().name,
                id: wanted.id.clone(),
            },
            cloud: watch.product.info().cloud,
            cloud_region: watch.account.cloud.region().clone(),
            name: wanted.name.clone(),
            version: String::new(),
            version_name: None,
            raw_status: String::new(),
            status_meaning: None,
            available: Vec::new(),
            up: false,
            answered: false,
            last_success: added,
            last_error: None,
            poll_interval: watch.account.polling.idle_interval,
            thresholds: wanted.thresholds,
            upgrades: Vec::new(),
            degraded: Vec::new(),
        };
        let now = Instant::now();
        let course = Course {
            watch,
            wanted,
            state,
            memory: Arc::default(),
            stepped,
            failures: 0,
            reason: None,
            asked: AskedPauses::default(),
            changing: false,
            ask_again_soon: false,
            polled: now,
            next: now,
            is_gone: false,
        };
        Self {
            deps,
            course: Mutex::new(course),
            changed: Notify::new(),
        }
    }

    /// Polls until aborted. Drops `first` after the first poll, successful or not, or after the second
    /// where [`Deps::confirms_at_once`] holds.
    pub(super) async fn run(self: Arc<Self>, first: Latch) {
        let mut first = Some(first);
        let mut confirms = self.deps.confirms_at_once;
        loop {
            self.until_due().await;
            if !self.poll().await {
                continue;
            }
            let mut course = self.course.lock();
            if std::mem::take(&mut confirms) && course.ask_again_soon {
                course.next = Instant::now();
                continue;
            }
            drop(course);
            drop(first.take());
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

    /// Polls once, and tells whether it came to an end: a poll whose way is replaced is begun anew.
    async fn poll(&self) -> bool {
        let begun = Instant::now();
        let (watch, id, memory, fresh) = {
            let course = self.course.lock();
            let (watch, memory) = (course.watch.clone(), course.memory.clone());
            // Half an interval: each poll sees a list that is younger than the last poll.
            let fresh = course.state.poll_interval / 2;
            (watch, course.wanted.id.clone(), memory, fresh)
        };
        let mut observing = watch.provider.observe(&id, &memory, fresh);
        let outcome = loop {
            tokio::select! {
                outcome = &mut observing => break outcome,
                () = self.changed.notified() => {
                    if self.course.lock().is_replaced(&watch) {
                        return false;
                    }
                }
            }
        };
        let mut course = self.course.lock();
        if course.is_gone || course.is_replaced(&watch) {
            return false;
        }
        course.ended(&self.deps, outcome, begun.elapsed());
        true
    }

    /// Goes on under a new config, and tells whether that changed anything of what is shown.
    pub(super) fn replace(&self, watch: Arc<Watch>, wanted: Wanted) -> bool {
        let mut course = self.course.lock();
        let before = course.state.clone();
        course.replace(watch, wanted);
        let is_changed = course.state != before;
        if is_changed {
            course.log_stalled(&before.upgrades, &course.state.upgrades);
            self.deps.store.put(course.state.clone());
        }
        drop(course);
        self.changed.notify_one();
        is_changed
    }

    /// The secrets are others: a cluster that was refused is asked again now, not after its pause.
    pub(super) fn retry_refused(&self) {
        let mut course = self.course.lock();
        let last = course.state.last_error.as_ref();
        if last.is_some_and(|error| error.reason == Reason::Auth.as_str()) {
            course.next = Instant::now();
            self.changed.notify_one();
        }
    }

    /// Its task panicked: what was known stays, and gets old.
    pub(super) fn panicked(&self) {
        let mut course = self.course.lock();
        if !course.is_gone {
            course.state.up = false;
            self.deps.store.put(course.state.clone());
        }
    }

    /// Forgets the cluster. Nothing is put for it any more, even if a poll is under way.
    pub(super) fn end(&self) {
        let mut course = self.course.lock();
        course.is_gone = true;
        self.deps.store.remove(&course.state.key);
    }

    /// Returns the state as it is now.
    pub(super) fn state(&self) -> ClusterState {
        self.course.lock().state.clone()
    }

    /// What it was made from, or last told to be.
    pub(super) fn wanted(&self) -> Wanted {
        self.course.lock().wanted.clone()
    }
}

impl Course {
    /// Whether its cluster is asked in another way by now.
    fn is_replaced(&self, watch: &Watch) -> bool {
        !Arc::ptr_eq(&self.watch.provider, &watch.provider)
    }

    /// A poll ended.
    fn ended(&mut self, deps: &Deps, outcome: Result<Observation, ApiError>, took: Duration) {
        let (now, stepped) = self.watch.clock.read();
        self.apply_step(stepped);
        let failure = outcome.as_ref().err().map(|error| error.reason);
        self.watch.metrics.polled(took, failure);
        let error = match outcome {
            Ok(observation) => {
                self.succeeded(observation, now);
                None
            }
            Err(error) => {
                self.failed(&error, now);
                Some(error)
            }
        };
        self.reason = error.as_ref().map(|error| error.reason);
        deps.store.put(self.state.clone());
        self.polled = Instant::now();
        let pause = self.pause(error.as_ref().and_then(|error| error.retry_after));
        self.next = self.polled + pause;
        self.asked
            .note(&self.state.key, error.as_ref(), pause, deps.clock.now());
    }

    fn pause(&self, asked: Option<Duration>) -> Duration {
        let dice = fastrand::f64();
        if self.ask_again_soon {
            let active = self.watch.account.polling.active_interval;
            return schedule::pause(active, 0, active, asked, dice);
        }
        let interval = self.state.poll_interval;
        let longest = schedule::longest_backoff(interval, self.is_active(), self.reason);
        schedule::pause(interval, self.failures, longest, asked, dice)
    }

    fn succeeded(&mut self, mut observation: Observation, now: Timestamp) {
        let (account, product) = (&*self.watch.account.name, self.watch.product.info().name);
        let exceeded = bounds::apply(&mut observation);
        let watch = &self.watch;
        watch.tell_of_answer(&self.wanted.id, &observation, &exceeded);
        let mut memory = Memory::clone(&self.memory);
        let track::Advanced {
            upgrades: views,
            degraded,
        } = track::advance(
            &mut memory,
            &observation,
            &self.wanted.thresholds,
            self.state.poll_interval,
            now,
        );
        for view in track::ended_since(&self.memory, &views) {
            watch.metrics.upgrade_ended(view.upgrade.status);
        }
        self.memory = Arc::new(memory);
        if let Some(why) = &observation.refused {
            watch.metrics.refused();
            tracing::debug!(account, product, cluster = %self.wanted.id, why, "The vendor refused to tell progress.");
        }
        // A name that is not told this time is the one that was told before.
        if !self.wanted.named && !observation.name.is_empty() {
            self.state.name.clone_from(&observation.name);
        }
        self.state.version.clone_from(&observation.version);
        self.state
            .version_name
            .clone_from(&observation.version_name);
        self.state.raw_status.clone_from(&observation.raw_status);
        self.state.status_meaning = observation.status_meaning;
        if let Some(available) = observation.available {
            self.state.available = available;
        }
        self.log_status(&views, now);
        self.log_stalled(&self.state.upgrades, &views);
        self.state.upgrades = views;
        self.log_degraded(&degraded);
        self.state.degraded = degraded;
        self.ask_again_soon = observation.ask_again_soon;
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

    fn failed(&mut self, error: &ApiError, now: Timestamp) {
        let news = self
            .state
            .last_error
            .as_ref()
            .is_none_or(|last| last.reason != error.reason.as_str());
        if news {
            tracing::warn!(
                account = %self.watch.account.name,
                product = self.watch.product.info().name,
                cluster = %self.wanted.id,
                name = self.state.name,
                reason = error.reason.as_str(),
                error = %error,
                "A poll failed."
            );
        }
        self.failures = self.failures.saturating_add(1);
        self.state.up = false;
        let before = self.state.last_error.as_ref();
        self.state.last_error = Some(LastError::new(error, now).after(before));
        let is_not_offered = error.cause == Cause::NotPublished;
        let memory = Arc::make_mut(&mut self.memory);
        self.ask_again_soon = memory.primary_failed(error.call, is_not_offered) == 1;
        // A cluster that is not there will not be back in a minute.
        if error.reason == Reason::NotFound && !is_not_offered {
            self.failures = self.failures.max(3);
        }
        self.set_interval();
    }

    /// Takes a new config over without forgetting anything. What depends on the limits alone is true
    /// at once; everything else with the next poll.
    fn replace(&mut self, watch: Arc<Watch>, wanted: Wanted) {
        let is_replaced = self.is_replaced(&watch);
        // The vendor's name comes back where the config has none any more.
        if wanted.named || (self.wanted.named && !wanted.name.is_empty()) {
            self.state.name.clone_from(&wanted.name);
        }
        self.state.set_thresholds(wanted.thresholds);
        (self.watch, self.wanted) = (watch, wanted);
        let interval = self.state.poll_interval;
        self.set_interval();
        let now = Instant::now();
        if is_replaced && self.failures > 0 {
            // Somebody may have mended it.
            self.next = now;
        } else if self.state.poll_interval < interval {
            self.next = self.next.min(self.polled + self.pause(None)).max(now);
        }
    }

    fn set_interval(&mut self) {
        let polling = &self.watch.account.polling;
        self.state.poll_interval = schedule::interval(polling, self.is_active());
    }

    fn is_active(&self) -> bool {
        let mut upgrades = self.state.upgrades.iter();
        self.changing || upgrades.any(|view| view.upgrade.status.is_active())
    }
}
