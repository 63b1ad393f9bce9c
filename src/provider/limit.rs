//! An account's limits: calls a second, calls in flight, and silence after refused credentials.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// A token bucket on tokio's clock. It holds one second's worth of calls, at least one.
#[derive(Debug)]
pub struct Rate {
    per_call: Duration,
    slack: Duration,
    /// When the bucket will be full again: callers reserve their turn by moving it.
    full_at: Mutex<Instant>,
}

impl Rate {
    /// `per_second` calls a second; above 0.
    pub fn new(per_second: f64) -> Self {
        let per_call = Duration::from_secs_f64(1.0 / per_second.max(1e-3));
        Self {
            per_call,
            slack: per_call.mul_f64(per_second.max(1.0) - 1.0),
            full_at: Mutex::new(Instant::now()),
        }
    }

    /// The same pace, after the calls of another bucket.
    #[must_use]
    pub fn following(self, old: &Self) -> Self {
        let full_at = *old.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            full_at: Mutex::new(full_at),
            ..self
        }
    }

    /// Waits for this call's turn; turns are given in the order of asking.
    pub async fn turn(&self) {
        let at = self.reserve(Instant::now());
        tokio::time::sleep_until(at).await;
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*full_at).max(now);
        *full_at = turn + self.per_call;
        turn.checked_sub(self.slack).unwrap_or(now).max(now)
    }
}

/// Lets calls in: at most so many at once, one at a time until the credentials have proved good,
/// none while they are held after a refusal.
///
/// Huawei Cloud locks an access key for 5 minutes after more than 5 bad signatures, so credentials
/// that were never accepted are tried with one call at a time.
#[derive(Debug)]
pub struct Gate {
    permits: Semaphore,
    size: u32,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Fingerprint of the credentials that were last accepted.
    proven: Option<u64>,
    /// Fingerprint of credentials that were refused, and until when they rest.
    held: Option<(u64, Instant)>,
}

/// A place inside a [`Gate`], left on drop.
#[derive(Debug)]
pub struct Pass<'a> {
    _permit: SemaphorePermit<'a>,
}

impl Gate {
    /// A gate for `size` calls at once.
    pub fn new(size: usize) -> Self {
        let size = size.clamp(1, 1024);
        Self {
            permits: Semaphore::new(size),
            size: u32::try_from(size).unwrap_or(1),
            state: Mutex::default(),
        }
    }

    /// The same size, with what another gate knows of the credentials.
    #[must_use]
    pub fn following(self, old: &Self) -> Self {
        let known = *old.lock();
        Self {
            state: Mutex::new(known),
            ..self
        }
    }

    /// Waits for a place for a call with these credentials. The error is how long they still rest.
    pub async fn enter(&self, credentials: u64) -> Result<Pass<'_>, Duration> {
        loop {
            self.held(credentials)?;
            let proven = self.is_proven(credentials);
            let count = if proven { 1 } else { self.size };
            let Ok(permit) = self.permits.acquire_many(count).await else {
                // The semaphore is never closed.
                return Err(Duration::ZERO);
            };
            self.held(credentials)?;
            if proven || !self.is_proven(credentials) {
                return Ok(Pass { _permit: permit });
            }
            // Proved good while waiting: enter again, as one of many.
        }
    }

    /// The credentials were accepted.
    pub fn accepted(&self, credentials: u64) {
        let mut state = self.lock();
        state.proven = Some(credentials);
        // What was refused of others stays refused: IAM takes the password of a token that is dead.
        state.held = state.held.filter(|(held, _)| *held != credentials);
    }

    /// The credentials were refused: no call with them for `rest`.
    pub fn refused(&self, credentials: u64, rest: Duration) {
        let mut state = self.lock();
        state.proven = None;
        state.held = Some((credentials, Instant::now() + rest));
    }

    fn held(&self, credentials: u64) -> Result<(), Duration> {
        match self.lock().held {
            Some((held, until)) if held == credentials => {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() { Ok(()) } else { Err(left) }
            }
            _ => Ok(()),
        }
    }

    fn is_proven(&self, credentials: u64) -> bool {
        self.lock().proven == Some(credentials)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn rate_allows_a_second_at_once_and_then_keeps_the_pace() {
        let rate = Rate::new(5.0);
        let start = Instant::now();
        let mut at = Vec::new();
        for _ in 0..8 {
            rate.turn().await;
            at.push(start.elapsed().as_millis());
        }
        assert_eq!(at, [0, 0, 0, 0, 0, 200, 400, 600]);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let start = Instant::now();
        for _ in 0..6 {
            rate.turn().await;
        }
        assert_eq!(
            start.elapsed().as_millis(),
            200,
            "idle time saves up one second, not more"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_goes_on() {
        let rate = Rate::new(5.0);
        for _ in 0..6 {
            rate.turn().await;
        }
        let start = Instant::now();
        Rate::new(5.0).following(&rate).turn().await;
        assert_eq!(start.elapsed().as_millis(), 200, "no second burst");
        let gate = Gate::new(4);
        gate.refused(1, Duration::from_secs(300));
        assert!(
            Gate::new(8).following(&gate).enter(1).await.is_err(),
            "it still rests"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn slow_rates_work() {
        let rate = Rate::new(0.5);
        let start = Instant::now();
        rate.turn().await;
        rate.turn().await;
        assert_eq!(start.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn unproven_credentials_enter_alone() {
        let gate = Gate::new(4);
        let first = gate.enter(1).await.unwrap();
        let second = tokio::time::timeout(Duration::from_secs(1), gate.enter(1)).await;
        assert!(
            second.is_err(),
            "a second call waits for the verdict on the first"
        );
        gate.accepted(1);
        drop(first);
        let passes = [
            gate.enter(1).await,
            gate.enter(1).await,
            gate.enter(1).await,
            gate.enter(1).await,
        ];
        assert!(passes.iter().all(Result::is_ok));
        let fifth = tokio::time::timeout(Duration::from_secs(1), gate.enter(1)).await;
        assert!(fifth.is_err(), "at most max_concurrency in flight");
    }

    #[tokio::test(start_paused = true)]
    async fn refused_credentials_rest_and_new_ones_do_not() {
        let gate = Gate::new(4);
        gate.refused(1, Duration::from_secs(300));
        assert_eq!(gate.enter(1).await.unwrap_err(), Duration::from_secs(300));
        assert!(
            gate.enter(2).await.is_ok(),
            "rotated credentials may try at once"
        );
        gate.accepted(2);
        assert!(
            gate.enter(1).await.is_err(),
            "that others are good is no news of these"
        );
        tokio::time::sleep(Duration::from_secs(300)).await;
        assert!(gate.enter(1).await.is_ok());
    }
}
