//! Best-effort cache of a fact that rarely changes, for all clusters of an account: refreshed rarely,
//! and served stale where asking fails.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::model::CallMemory;
use crate::provider::http::Effort;
use crate::provider::{ApiError, Cause, Reason};

/// Time between two tries after a failure.
const PAUSE: Duration = Duration::from_secs(300);

/// Refusals in a row after which a call that was never answered well is asked at discoveries only.
const CONFIRMATIONS: u32 = 2;

/// Cache of one call's answer.
#[derive(Debug)]
pub(super) struct CachedLookup<T> {
    /// Time for which an answer is fresh.
    fresh: Duration,
    /// Held by the caller that fetches.
    fetching: Mutex<()>,
    state: RwLock<State<T>>,
}

/// Outcomes of the tries so far.
#[derive(Debug)]
struct State<T> {
    /// Last good answer.
    good: Option<Arc<T>>,
    /// Start of the last try.
    asked: Option<Instant>,
    /// Failure of the last try.
    error: Option<ApiError>,
    /// Refusals in a row of a call that was never answered well.
    refusals: u32,
    /// A discovery came since the last try.
    is_discovered: bool,
}

/// Result of a lookup.
#[derive(Debug)]
pub(super) struct Found<T> {
    /// Last good answer, however old.
    pub(super) good: Option<Arc<T>>,
    /// Failure of the last try.
    pub(super) failure: Option<LookupFailure>,
}

/// Failure of the last try of a lookup.
#[derive(Debug)]
pub(super) struct LookupFailure {
    pub(super) error: ApiError,
    /// The vendor refused a call that it never answered well: it may not offer it.
    pub(super) is_not_offered: bool,
}

impl<T> CachedLookup<T> {
    /// Builds an empty cache whose answers are fresh for this long.
    pub(super) fn new(fresh: Duration) -> Self {
        Self {
            fresh,
            fetching: Mutex::default(),
            state: RwLock::new(State {
                good: None,
                asked: None,
                error: None,
                refusals: 0,
                is_discovered: false,
            }),
        }
    }

    /// Lets a call that seems not to be offered be tried once more.
    pub(super) fn discovered(&self) {
        self.update(|state| state.is_discovered = true);
    }

    /// Returns the fact, fetched where it is not fresh. `memory` is the asking cluster's own of the call:
    /// it was told once that the call is not offered, and asks again to be sure, or its last try failed.
    ///
    /// While one caller fetches again, the others get the last outcome, so that a call that hangs does
    /// not slow their polls.
    ///
    /// # Errors
    /// Returns a failure for the credentials, which every call meets. It is not kept.
    pub(super) async fn get<F>(
        &self,
        memory: Option<&CallMemory>,
        fetch: impl FnOnce(Effort) -> F,
    ) -> Result<Found<T>, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let confirms = memory.is_some_and(|memory| memory.not_offered == 1);
        if !self.is_due(confirms) {
            return Ok(self.found());
        }
        let _turn = match self.fetching.try_lock() {
            Ok(turn) => turn,
            Err(_) if self.was_asked() => return Ok(self.found()),
            Err(_) => self.fetching.lock().await,
        };
        // The caller before may have fetched.
        if !self.is_due(confirms) {
            return Ok(self.found());
        }
        let has_failed = memory.is_some_and(|memory| memory.failing_since.is_some());
        let effort = if has_failed || self.is_failing() {
            Effort::Once
        } else {
            Effort::Normal
        };
        let asked = Instant::now();
        let outcome = fetch(effort).await;
        if let Err(error) = &outcome
            && error.reason == Reason::Auth
        {
            return Err(error.clone());
        }
        if let Err(error) = &outcome
            && error.cause == Cause::NotAsked
        {
            // Nothing was asked, so nothing is known anew.
            let mut found = self.found();
            found.failure.get_or_insert(LookupFailure {
                error: error.clone(),
                is_not_offered: false,
            });
            return Ok(found);
        }
        self.update(|state| state.take(asked, outcome));
        Ok(self.found())
    }

    fn is_due(&self, confirms: bool) -> bool {
        self.read(|state| {
            let Some(asked) = state.asked else {
                return true;
            };
            let age = asked.elapsed();
            match state.refusals {
                _ if state.error.is_none() => age >= self.fresh,
                0 => age >= PAUSE,
                1 => age >= PAUSE || confirms,
                CONFIRMATIONS.. => state.is_discovered,
            }
        })
    }

    fn was_asked(&self) -> bool {
        self.read(|state| state.asked.is_some())
    }

    fn is_failing(&self) -> bool {
        self.read(|state| state.error.is_some())
    }

    fn found(&self) -> Found<T> {
        self.read(|state| Found {
            good: state.good.clone(),
            failure: state.error.clone().map(|error| LookupFailure {
                error,
                is_not_offered: state.refusals > 0,
            }),
        })
    }

    fn read<R>(&self, read: impl FnOnce(&State<T>) -> R) -> R {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn update(&self, update: impl FnOnce(&mut State<T>)) {
        update(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<T> State<T> {
    fn take(&mut self, asked: Instant, outcome: Result<T, ApiError>) {
        self.asked = Some(asked);
        self.is_discovered = false;
        match outcome {
            Ok(good) => {
                (self.good, self.error, self.refusals) = (Some(Arc::new(good)), None, 0);
            }
            Err(error) => {
                let is_refusal = matches!(error.reason, Reason::NotFound | Reason::Refused);
                self.refusals = if is_refusal && self.good.is_none() {
                    self.refusals.saturating_add(1)
                } else {
                    0
                };
                self.error = Some(error);
            }
        }
    }
}

#[cfg(test)]
mod tests;
