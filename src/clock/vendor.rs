//! The clock of an account's vendor, as its answers tell it.
//!
//! Vendor time is the last believed `Date` plus the monotonic time since: neither a step of the host's
//! clock nor one odd answer changes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Clock;

/// Difference below which an answer tells nothing new: a `Date` is cut to the second.
const IGNORED: SignedDuration = SignedDuration::from_secs(2);

/// Difference above which an answer is doubted until the next one agrees.
const STEP: SignedDuration = SignedDuration::from_secs(60);

/// Vendor's time, as one answer tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Vendor's time.
    pub(crate) time: Timestamp,
    /// Instant at which it was that time.
    pub(crate) at: Instant,
    /// Largest error of the time: the answer was made at an unknown moment of the exchange.
    pub(crate) precision: SignedDuration,
}

impl Reading {
    /// Returns the vendor's time at another instant.
    pub(crate) fn at(&self, instant: Instant) -> Timestamp {
        let since = match instant.checked_duration_since(self.at) {
            Some(after) => SignedDuration::try_from(after),
            None => SignedDuration::try_from(self.at - instant).map(|before| -before),
        };
        let time = since.map(|since| self.time.saturating_add(since));
        time.map_or(self.time, |time| time.unwrap_or(self.time))
    }
}

/// Clock of an account's vendor; the local clock until an answer told the time.
///
/// A handle: clones share one clock, which outlives transports and configs.
#[derive(Debug, Clone)]
pub struct VendorClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    local: Clock,
    state: Mutex<State>,
    /// Sum of all steps so far.
    steps: watch::Sender<SignedDuration>,
    /// Requests are signed in vendor time.
    signs: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Last believed answer; `None` before the first one.
    believed: Option<Reading>,
    /// Time below which the clock does not go back.
    floor: Timestamp,
    /// Answer that differs by a step, until the next one agrees or does not.
    doubted: Option<Reading>,
    /// Sum of all steps so far.
    stepped: SignedDuration,
    /// Local clock minus the vendor's by the last answer; `None` before the first one.
    last_skew: Option<SignedDuration>,
    /// Local clock minus the vendor's by the last answer that is not doubted.
    skew: Option<SignedDuration>,
}

/// Verdict on the time that an answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The clock follows it, or agrees with it already.
    Believed,
    /// The clock took a step of this length: times that were noted before are off by it.
    Stepped(SignedDuration),
    /// The next answer decides.
    Doubted,
}

impl State {
    /// Returns vendor time; `None` while no answer is believed.
    fn now(&self, instant: Instant) -> Option<Timestamp> {
        let believed = self.believed?;
        Some(believed.at(instant).max(self.floor))
    }

    /// Takes an answer in. `local` is the local time at `instant`.
    fn observe(&mut self, reading: Reading, instant: Instant, local: Timestamp) -> Outcome {
        let shown = self.now(instant).unwrap_or(local);
        let difference = reading.at(instant).duration_since(shown);
        let off = difference.abs() - reading.precision;
        let doubted = self.doubted.take();
        if off < IGNORED {
            self.believed.get_or_insert(Reading {
                time: shown,
                at: instant,
                ..reading
            });
            return Outcome::Believed;
        }
        if off <= STEP {
            (self.believed, self.floor) = (Some(reading), shown);
            return Outcome::Believed;
        }
        if doubted.is_some_and(|doubted| agrees(&doubted, &reading, instant)) {
            (self.believed, self.floor) = (Some(reading), Timestamp::MIN);
            self.stepped = self.stepped.saturating_add(difference);
            return Outcome::Stepped(difference);
        }
        self.doubted = Some(reading);
        Outcome::Doubted
    }
}

/// Returns whether two answers tell one time.
fn agrees(one: &Reading, other: &Reading, instant: Instant) -> bool {
    let difference = one.at(instant).duration_since(other.at(instant)).abs();
    difference - one.precision - other.precision < IGNORED
}

impl VendorClock {
    /// Builds the clock of an account that was not asked yet.
    pub fn new(local: Clock) -> Self {
        Self(Arc::new(Inner {
            local,
            state: Mutex::default(),
            steps: watch::Sender::new(SignedDuration::ZERO),
            signs: AtomicBool::new(false),
        }))
    }

    /// Returns the vendor's time now; the local time until an answer told the vendor's.
    pub fn now(&self) -> Timestamp {
        self.read().0
    }

    /// Returns the vendor's time now, and the sum of all steps so far: times that were noted before a
    /// step are off by it.
    pub(crate) fn read(&self) -> (Timestamp, SignedDuration) {
        let state = self.0.state.lock();
        let now = state.now(Instant::now());
        let stepped = state.stepped;
        drop(state);
        (now.unwrap_or_else(|| self.0.local.now()), stepped)
    }

    /// Returns the vendor's time now; `None` until an answer told it.
    pub fn known_now(&self) -> Option<Timestamp> {
        self.0.state.lock().now(Instant::now())
    }

    /// Returns the local clock minus the vendor's by the last answer; `None` before the first one.
    pub fn last_skew(&self) -> Option<SignedDuration> {
        self.0.state.lock().last_skew
    }

    /// Returns the local clock minus the vendor's by the last answer that is not doubted: a step counts
    /// when two answers agree. `None` before the first one.
    pub fn skew(&self) -> Option<SignedDuration> {
        self.0.state.lock().skew
    }

    /// Returns the local clock.
    pub(crate) fn local(&self) -> &Clock {
        &self.0.local
    }

    /// Takes in the time that an answer tells.
    pub(crate) fn observe(&self, reading: Reading) -> Outcome {
        let local = self.0.local.now();
        let instant = Instant::now();
        let mut state = self.0.state.lock();
        let outcome = state.observe(reading, instant, local);
        state.last_skew = Some(local.duration_since(reading.at(instant)));
        if outcome != Outcome::Doubted {
            state.skew = state.last_skew;
        }
        if matches!(outcome, Outcome::Stepped(_)) {
            // Under the lock, so that a later sum is not overwritten by an earlier one.
            self.0.steps.send_replace(state.stepped);
        }
        outcome
    }

    /// Returns a receiver of the sum of all steps.
    pub(crate) fn steps(&self) -> watch::Receiver<SignedDuration> {
        self.0.steps.subscribe()
    }

    /// Returns whether requests are signed in vendor time.
    pub(crate) fn is_signing(&self) -> bool {
        self.0.signs.load(Ordering::Relaxed)
    }

    /// Lets vendor time sign from now on. Returns whether it did not before.
    pub(crate) fn start_signing(&self) -> bool {
        !self.0.signs.swap(true, Ordering::Relaxed)
    }
}

impl From<Clock> for VendorClock {
    fn from(local: Clock) -> Self {
        Self::new(local)
    }
}

#[cfg(test)]
mod tests;
