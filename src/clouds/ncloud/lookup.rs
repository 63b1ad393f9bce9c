//! Best-effort cache of a fact that rarely changes, for all clusters of an account: refreshed rarely,
//! and served stale where asking fails.
//!
//! Where the call names a cluster, the answer of any cluster serves all, and a failure counts for the
//! cluster that it names: the others try with their own.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout};

use crate::cloud::transport::Effort;
use crate::http::{ApiError, Cause};
use crate::model::{CallMemory, Reason};

/// Time between two tries after a failure.
const PAUSE: Duration = Duration::from_secs(300);

/// Longest wait for the tries of others, before the first of them has ended.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Time after which the failure of a cluster that asks no more is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

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
    /// Last good answer, and the start of its try.
    good: Option<(Arc<T>, Instant)>,
    /// Failures since then, by the cluster that the call names.
    failures: BTreeMap<String, Failure>,
}

/// Failure of the last try of a cluster.
#[derive(Debug)]
struct Failure {
    error: ApiError,
    /// Start of the last try.
    asked: Instant,
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
                failures: BTreeMap::new(),
            }),
        }
    }

    /// Lets a call that seems not to be offered be tried once more.
    pub(super) fn discovered(&self) {
        self.update(|state| {
            state.failures.retain(|_, failure| {
                let is_kept = !failure.is_discovered || failure.asked.elapsed() < FORGOTTEN;
                failure.is_discovered = true;
                is_kept
            });
        });
    }

    /// Returns the fact, fetched where it is not fresh. `named` is the cluster that the call names; empty
    /// for a call of the account. `memory` is the asking cluster's own of the call: it was told once that
    /// the call is not offered, and asks again to be sure, or its last try failed.
    ///
    /// While one caller fetches again, the others get the last outcome, so that a call that hangs does
    /// not slow their polls.
    ///
    /// # Errors
    /// Returns a failure for the credentials, which every call meets. It is not kept.
    pub(super) async fn get<F>(
        &self,
        named: &str,
        memory: Option<&CallMemory>,
        fetch: impl FnOnce(Effort) -> F,
    ) -> Result<Found<T>, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let confirms = memory.is_some_and(|memory| memory.not_offered == 1);
        if !self.is_due(named, confirms) {
            return Ok(self.found(named));
        }
        let Some(_turn) = self.turn().await else {
            let mut found = self.found(named);
            if found.good.is_none() {
                found.failure.get_or_insert_with(LookupFailure::busy);
            }
            return Ok(found);
        };
        // The caller before may have fetched.
        if !self.is_due(named, confirms) {
            return Ok(self.found(named));
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
            let mut found = self.found(named);
            found.failure.get_or_insert(LookupFailure {
                error: error.clone(),
                is_not_offered: false,
            });
            return Ok(found);
        }
        self.update(|state| state.take(named, asked, outcome));
        Ok(self.found(named))
    }

    /// Waits for the tries of others where none has ended yet; `None` while one of them is under way.
    async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match self.fetching.try_lock() {
            Ok(turn) => Some(turn),
            Err(_) if self.was_asked() => None,
            Err(_) => timeout(LONGEST_WAIT, self.fetching.lock()).await.ok(),
        }
    }

    fn is_due(&self, named: &str, confirms: bool) -> bool {
        self.read(|state| {
            let Some(failure) = state.failures.get(named) else {
                let good = state.good.as_ref();
                return good.is_none_or(|(_, asked)| asked.elapsed() >= self.fresh);
            };
            let age = failure.asked.elapsed();
            match failure.refusals {
                0 => age >= PAUSE,
                1 => age >= PAUSE || confirms,
                CONFIRMATIONS.. => failure.is_discovered,
            }
        })
    }

    fn was_asked(&self) -> bool {
        self.read(|state| state.good.is_some() || !state.failures.is_empty())
    }

    fn is_failing(&self) -> bool {
        self.read(|state| !state.failures.is_empty())
    }

    fn found(&self, named: &str) -> Found<T> {
        self.read(|state| Found {
            good: state.good.as_ref().map(|(good, _)| Arc::clone(good)),
            failure: state.failures.get(named).map(|failure| LookupFailure {
                error: failure.error.clone(),
                is_not_offered: failure.refusals > 0,
            }),
        })
    }

    fn read<R>(&self, read: impl FnOnce(&State<T>) -> R) -> R {
        read(&self.state.read())
    }

    fn update(&self, update: impl FnOnce(&mut State<T>)) {
        update(&mut self.state.write());
    }
}

impl LookupFailure {
    /// Failure of a cluster that made no try yet.
    fn busy() -> Self {
        let text = "not asked: the call for another cluster is not answered yet";
        Self {
            error: ApiError::new(Reason::Timeout, text).because(Cause::NotAsked),
            is_not_offered: false,
        }
    }
}

impl<T> State<T> {
    fn take(&mut self, named: &str, asked: Instant, outcome: Result<T, ApiError>) {
        let error = match outcome {
            Ok(good) => {
                self.good = Some((Arc::new(good), asked));
                self.failures.clear();
                return;
            }
            Err(error) => error,
        };
        let is_refusal = matches!(error.reason, Reason::NotFound | Reason::Refused);
        let refusals = if is_refusal && self.good.is_none() {
            let before = self.failures.get(named);
            before
                .map_or(0, |failure| failure.refusals)
                .saturating_add(1)
        } else {
            0
        };
        let failure = Failure {
            error,
            asked,
            refusals,
            is_discovered: false,
        };
        self.failures.insert(named.to_owned(), failure);
    }
}

#[cfg(test)]
mod tests;
