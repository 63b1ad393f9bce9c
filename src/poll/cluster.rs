//! One watched cluster: what its polls saw, and when the next one is due.

mod history;
mod log;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::asked::AskedPauses;
use super::generation::Generation;
use super::schedule;
use super::select::Wanted;
use crate::cloud::PollFailure;
use crate::http::Cause;
use crate::model::bounds;
use crate::model::track;
use crate::model::{CallNames, ClusterState, Key, LastError, Memory, Observation, Reason};
use crate::ready::Latch;
use crate::store::disk::record::ClusterRecord;

/// Pause before a cluster is polled again whose poll panicked, which is a bug.
const AFTER_PANIC: Duration = Duration::from_secs(10);

/// Knowledge of a cluster, and the way in which it is asked.
pub(super) struct WatchedCluster {
    wanted: Wanted,
    state: ClusterState,
    memory: Arc<Memory>,
    /// Failed polls in a row.
    failures: u32,
    /// Reason of the last poll's failure; `None` when it was good.
    reason: Option<Reason>,
    asked: AskedPauses,
    /// The cluster itself said at the last good poll that it is changing.
    changing: bool,
    /// The last poll asks for another one after the active interval.
    ask_again_soon: bool,
    /// End of the last poll.
    polled: Instant,
    /// Pause that the vendor asked for at the last poll.
    asked_pause: Option<Duration>,
    /// Time at which the next poll is due; in the past while one is under way.
    next: Instant,
    /// The first poll that asks to be repeated soon is repeated at once.
    confirms: bool,
    /// Steps of the vendor's clock that the restored times had, until its time is known again: the local clock may
    /// have been set right since.
    restored_step: Option<SignedDuration>,
    /// Held until the first poll, with its repetition, has ended.
    first: Option<Latch>,
}

impl WatchedCluster {
    /// Builds a cluster that is watched from `now` on and due at once; its state has yet to be put.
    pub(super) fn new(
        generation: &Generation,
        wanted: Wanted,
        first: Latch,
        now: Timestamp,
    ) -> Self {
        let (account, product) = (&generation.account, generation.product());
        let state = ClusterState {
            key: Key {
                account: account.name.clone(),
                product: product.name,
                id: wanted.id.clone(),
            },
            cloud: product.cloud,
            cloud_region: account.cloud.region().clone(),
            name: wanted.name.as_str().into(),
            version: "".into(),
            version_name: None,
            raw_status: "".into(),
            status_meaning: None,
            available: Vec::new(),
            up: false,
            answered: false,
            last_success: now,
            last_error: None,
            poll_interval: account.polling.idle_interval,
            thresholds: wanted.thresholds,
            upgrades: Vec::new(),
            degraded: Vec::new(),
        };
        let now = Instant::now();
        Self {
            wanted,
            state,
            memory: Arc::default(),
            failures: 0,
            reason: None,
            asked: AskedPauses::default(),
            changing: false,
            ask_again_soon: false,
            polled: now,
            asked_pause: None,
            next: now,
            confirms: generation.deps.confirms_at_once,
            restored_step: None,
            first: Some(first),
        }
    }

    /// Continues with what was stored. Nothing is up until the first poll.
    pub(super) fn restore(
        &mut self,
        generation: &Generation,
        record: ClusterRecord,
        calls: &[CallNames],
    ) {
        // A name of an earlier config is not the vendor's.
        if !self.wanted.named && !record.is_named {
            self.state.name.clone_from(&record.name);
        }
        self.restored_step = Some(record.clock_step());
        self.memory = Arc::new(record.restore(&mut self.state, calls));
        let polled = self.state.last_success;
        history::estimate(generation, &mut self.state, polled);
        self.set_interval(generation);
    }

    pub(super) fn state(&self) -> &ClusterState {
        &self.state
    }

    pub(super) fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// Returns the choice by which the cluster is watched.
    pub(super) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Returns the largest age of a list that serves a poll: half an interval, so that each poll sees a
    /// list that is younger than the last poll.
    pub(super) fn freshness(&self) -> Duration {
        self.state.poll_interval / 2
    }

    pub(super) fn set_due(&mut self, at: Instant) {
        self.next = at;
    }

    /// Takes a complete discovery.
    pub(super) fn discovered(&mut self) {
        Arc::make_mut(&mut self.memory).discoveries += 1;
    }

    /// Takes the end of a poll that panicked: what was known stays, and gets old.
    pub(super) fn panicked(&mut self) {
        self.state.up = false;
        self.first = None;
        self.next = Instant::now() + AFTER_PANIC;
        let key = &self.state.key;
        tracing::error!(
            account = %key.account, product = key.product, cluster = %key.id,
            "A worker panicked: this is a bug, please report it. It starts again in {}.",
            crate::text::exact_length(AFTER_PANIC)
        );
    }

    /// Takes the steps that the restored times had before they were stored; `None` where there are none, or they
    /// have them again.
    pub(super) fn take_restored_step(&mut self) -> Option<SignedDuration> {
        self.restored_step.take()
    }

    /// Returns whether its times can be stored: not while it is unknown by how much restored ones are off.
    pub(super) fn has_times(&self) -> bool {
        self.restored_step.is_none_or(|step| step.is_zero())
    }

    /// Shifts the noted times by a step of the vendor's clock.
    pub(super) fn shift_noted(&mut self, by: SignedDuration) {
        self.state.shift_noted(by);
        Arc::make_mut(&mut self.memory).shift_noted(by);
    }

    /// Takes the end of a poll at `now`, and decides when the next one is due.
    pub(super) fn polled(
        &mut self,
        generation: &Generation,
        outcome: Result<Observation, PollFailure>,
        took: Duration,
        now: Timestamp,
    ) {
        let failure = outcome.as_ref().err().map(|failure| failure.error.reason);
        generation.metrics.polled(took, failure);
        let error = match outcome {
            Ok(observation) => {
                self.succeeded(generation, observation, now);
                None
            }
            Err(failure) => {
                self.failed(&failure, now);
                Some(*failure.error)
            }
        };
        self.set_interval(generation);
        self.reason = failure;
        self.polled = Instant::now();
        self.asked_pause = error.as_ref().and_then(|error| error.retry_after);
        let pause = self.pause(generation);
        self.next = self.polled + pause;
        let local = generation.deps.clock.now();
        self.asked
            .note(&self.state.key, error.as_ref(), pause, local);
        if std::mem::take(&mut self.confirms) && self.ask_again_soon {
            self.next = self.polled;
        } else {
            self.first = None;
        }
    }

    fn pause(&self, generation: &Generation) -> Duration {
        let asked = self.asked_pause;
        let dice = fastrand::f64();
        if self.ask_again_soon {
            let active = generation.account.polling.active_interval;
            return schedule::pause(active, 0, active, asked, dice);
        }
        let interval = self.state.poll_interval;
        let longest = schedule::longest_backoff(interval, self.is_active(), self.reason);
        schedule::pause(interval, self.failures, longest, asked, dice)
    }

    fn succeeded(&mut self, generation: &Generation, mut observation: Observation, now: Timestamp) {
        let (account, product) = (&*generation.account.name, generation.product().name);
        let exceeded = bounds::apply(&mut observation);
        generation.tell_of_answer(&self.wanted.id, &observation, &exceeded);
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
        let earlier = std::mem::replace(&mut self.memory, Arc::new(memory));
        if let Some(why) = &observation.refused {
            generation.metrics.refused();
            tracing::debug!(account, product, cluster = %self.wanted.id, why, "The vendor refused to tell progress.");
        }
        // A name that is not told this time is the one that was told before.
        if !self.wanted.named && !observation.name.is_empty() {
            set(&mut self.state.name, &observation.name);
        }
        set(&mut self.state.version, &observation.version);
        let version_name = observation.version_name.as_deref();
        if self.state.version_name.as_deref() != version_name {
            self.state.version_name = version_name.map(Arc::from);
        }
        set(&mut self.state.raw_status, &observation.raw_status);
        self.state.status_meaning = observation.status_meaning;
        if let Some(available) = observation.available {
            self.state.available = available;
        }
        self.log_status(&views, now);
        self.log_stalled(&self.state.upgrades, &views);
        self.state.upgrades = views;
        history::estimate(generation, &mut self.state, now);
        history::note(generation, &self.state, &earlier, &self.memory);
        self.log_degraded(&degraded);
        self.state.degraded = degraded;
        self.ask_again_soon = observation.ask_again_soon;
        self.changing = observation.changing;
        self.state.last_success = now;
        self.state.answered = true;
        if self.failures > 0 {
            tracing::info!(account, product, cluster = %self.wanted.id, name = &*self.state.name, "The cluster answers again.");
        }
        self.state.up = true;
        self.state.last_error = None;
        self.failures = 0;
    }

    fn failed(&mut self, failure: &PollFailure, now: Timestamp) {
        let error = &failure.error;
        let news = self
            .state
            .last_error
            .as_ref()
            .is_none_or(|last| last.reason != error.reason);
        if news {
            tracing::warn!(
                account = %self.state.key.account,
                product = self.state.key.product,
                cluster = %self.wanted.id,
                name = &*self.state.name,
                reason = error.reason.as_str(),
                error = %error,
                "A poll failed."
            );
        }
        self.failures = self.failures.saturating_add(1);
        self.state.up = false;
        let before = self.state.last_error.as_ref();
        self.state.last_error =
            Some(LastError::new(error.reason, error.to_string(), now).after(before));
        let is_not_offered = error.cause == Cause::NotPublished;
        let memory = Arc::make_mut(&mut self.memory);
        self.ask_again_soon = failure.note_in(memory) == 1;
        // A cluster that is not there will not be back in a minute.
        if error.reason == Reason::NotFound && !is_not_offered {
            self.failures = self.failures.max(3);
        }
    }

    /// Continues under another generation without forgetting anything. What depends on the thresholds
    /// alone is true at once; everything else with the next poll. `is_replaced` tells that the vendor is
    /// asked in another way. Returns whether that changes anything of the state.
    pub(super) fn adopt(
        &mut self,
        generation: &Generation,
        wanted: Wanted,
        is_replaced: bool,
    ) -> bool {
        let before = self.state.clone();
        // The vendor's name comes back where the config has none any more.
        if wanted.named || (self.wanted.named && !wanted.name.is_empty()) {
            set(&mut self.state.name, &wanted.name);
        }
        self.state.set_thresholds(wanted.thresholds);
        self.wanted = wanted;
        self.set_interval(generation);
        let now = Instant::now();
        if is_replaced && self.failures > 0 {
            // The operator may have mended it.
            self.next = now;
        } else if self.state.poll_interval < before.poll_interval {
            let pause = self.pause(generation);
            self.next = self.next.min(self.polled + pause).max(now);
        }
        self.log_stalled(&before.upgrades, &self.state.upgrades);
        self.state != before
    }

    fn set_interval(&mut self, generation: &Generation) {
        let polling = &generation.account.polling;
        self.state.poll_interval = schedule::interval(polling, self.is_active());
    }

    fn is_active(&self) -> bool {
        let mut upgrades = self.state.upgrades.iter();
        self.changing || upgrades.any(|view| view.upgrade.status.is_active())
    }
}

/// Sets a text, which stays shared with earlier states where it is unchanged.
fn set(text: &mut Arc<str>, value: &str) {
    if **text != *value {
        *text = value.into();
    }
}
