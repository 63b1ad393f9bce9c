//! Admission of an account's calls: how many are in flight, and with which credentials.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::lockout::{Admission, Standings, Verdict};
use crate::http::ApiError;

/// Lets calls in: at most so many at once, one at a time until the credentials have proved good, none
/// while they are paused or locked out after a refusal.
///
/// Some vendors lock an access key for minutes after a few bad signatures in a row, so credentials
///  whose standing is open are tried with one call at a time.
#[derive(Debug)]
pub struct Gate {
    permits: Semaphore,
    size: u32,
    standings: Mutex<Standings>,
}

/// A place inside a [`Gate`], left on drop.
#[derive(Debug)]
pub struct Pass<'a> {
    _permit: SemaphorePermit<'a>,
}

/// Reason why a call is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The vendor refused the credentials once; one call tries them again after this time.
    Paused(Duration),
    /// The vendor refused the credentials.
    LockedOut {
        /// Time until the lockout ends.
        left: Duration,
        /// The vendor's refusal.
        why: Box<ApiError>,
    },
}

impl Gate {
    /// Builds a gate for `size` calls at once.
    pub fn new(size: usize) -> Self {
        let size = size.clamp(1, 1024);
        Self {
            permits: Semaphore::new(size),
            size: u32::try_from(size).unwrap_or(1),
            standings: Mutex::default(),
        }
    }

    /// Carries over what another gate knows of the credentials.
    #[must_use]
    pub fn following(self, old: &Self) -> Self {
        let known = old.standings.lock().clone();
        Self {
            standings: Mutex::new(known),
            ..self
        }
    }

    /// Waits for a place for a call with these credentials.
    ///
    /// # Errors
    /// Returns at once while the credentials are paused or locked out.
    pub async fn enter(&self, credentials: u64) -> Result<Pass<'_>, Closed> {
        loop {
            let is_alone = self.is_alone(credentials)?;
            let count = if is_alone { self.size } else { 1 };
            let Ok(permit) = self.permits.acquire_many(count).await else {
                // The semaphore is never closed.
                return Err(Closed::Paused(Duration::ZERO));
            };
            // The vendor may have judged the credentials meanwhile: enter again as is right now.
            if self.is_alone(credentials)? == is_alone {
                if is_alone {
                    self.standings.lock().entered_alone(credentials);
                }
                return Ok(Pass { _permit: permit });
            }
        }
    }

    /// Notes that the vendor accepted the credentials; returns the lone refusal that is refuted by it.
    pub fn accepted(&self, credentials: u64) -> Option<ApiError> {
        self.standings.lock().accepted(credentials, Instant::now())
    }

    /// Notes that the vendor refused the credentials. They are paused where `may_pause`, when they were
    /// accepted before and no other call in flight was refused; else they are locked out.
    pub fn refused(
        &self,
        credentials: u64,
        why: ApiError,
        lockout: Duration,
        may_pause: bool,
    ) -> Verdict {
        let now = Instant::now();
        self.standings
            .lock()
            .refused(credentials, why, lockout, may_pause, now)
    }

    fn is_alone(&self, credentials: u64) -> Result<bool, Closed> {
        match self.standings.lock().admission(credentials, Instant::now()) {
            Admission::Shared => Ok(false),
            Admission::Alone => Ok(true),
            Admission::Paused(left) => Err(Closed::Paused(left)),
            Admission::LockedOut(left, why) => Err(Closed::LockedOut { left, why }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lockout::PAUSE;
    use super::*;
    use crate::model::Reason;

    const LOCKOUT: Duration = Duration::from_secs(300);

    fn refusal() -> ApiError {
        ApiError::new(Reason::Auth, "no such key")
    }

    fn refuse(gate: &Gate, credentials: u64) -> Verdict {
        gate.refused(credentials, refusal(), LOCKOUT, true)
    }

    fn locked_out(left: Duration) -> Closed {
        let why = refusal().into();
        Closed::LockedOut { left, why }
    }

    /// Returns true where a call does not enter within a second.
    async fn waits(gate: &Gate, credentials: u64) -> bool {
        let entering = gate.enter(credentials);
        let entered = tokio::time::timeout(Duration::from_secs(1), entering).await;
        entered.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn unproven_credentials_enter_alone() {
        let gate = Gate::new(4);
        let first = gate.enter(1).await.unwrap();
        assert!(waits(&gate, 1).await, "for the verdict on the first");
        assert_eq!(gate.accepted(1), None);
        drop(first);
        let passes = [
            gate.enter(1).await,
            gate.enter(1).await,
            gate.enter(1).await,
            gate.enter(1).await,
        ];
        assert!(passes.iter().all(Result::is_ok));
        assert!(waits(&gate, 1).await, "at most max_concurrency in flight");
    }

    #[tokio::test(start_paused = true)]
    async fn unproven_credentials_are_locked_out_at_once() {
        let gate = Gate::new(4);
        assert_eq!(refuse(&gate, 1), Verdict::LockedOut);
        assert_eq!(gate.enter(1).await.unwrap_err(), locked_out(LOCKOUT));
        assert!(gate.enter(2).await.is_ok(), "rotated credentials may try");
        gate.accepted(2);
        assert!(
            gate.enter(1).await.is_err(),
            "that others are good is no news of these"
        );
        let next = Gate::new(8).following(&gate);
        assert!(next.enter(1).await.is_err(), "a new generation keeps to it");
        tokio::time::sleep(LOCKOUT).await;
        assert!(gate.enter(1).await.is_ok());
        assert_eq!(refuse(&gate, 1), Verdict::LockedOut, "as the first time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_refusal_pauses_until_one_call_tries_again() {
        let gate = Gate::new(4);
        gate.accepted(1);
        // Another one's call is accepted that was under way.
        let (refused, other) = (gate.enter(1).await.unwrap(), gate.enter(1).await.unwrap());
        assert_eq!(refuse(&gate, 1), Verdict::Paused(PAUSE));
        drop(refused);
        assert_eq!(gate.accepted(1), None);
        drop(other);
        assert_eq!(gate.enter(1).await.unwrap_err(), Closed::Paused(PAUSE));
        tokio::time::sleep(PAUSE).await;
        let again = gate.enter(1).await.unwrap();
        assert!(waits(&gate, 1).await, "one call tries");
        assert_eq!(gate.accepted(1), Some(refusal()));
        let third = tokio::join!(gate.enter(1), async { drop(again) }).0;
        assert!(third.is_ok() && !waits(&gate, 1).await);
        assert_eq!(
            refuse(&gate, 1),
            Verdict::Paused(PAUSE),
            "as the first time"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_refusal_locks_out_those_that_wait() {
        let gate = Gate::new(4);
        gate.accepted(1);
        refuse(&gate, 1);
        tokio::time::sleep(PAUSE).await;
        let again = gate.enter(1).await.unwrap();
        let (waiting, ()) = tokio::join!(gate.enter(1), async {
            tokio::task::yield_now().await;
            assert_eq!(refuse(&gate, 1), Verdict::LockedOut);
            drop(again);
        });
        assert_eq!(waiting.unwrap_err(), locked_out(LOCKOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn several_refusals_in_flight_lock_out() {
        let gate = Gate::new(4);
        gate.accepted(1);
        let passes = [
            gate.enter(1).await.unwrap(),
            gate.enter(1).await.unwrap(),
            gate.enter(1).await.unwrap(),
        ];
        assert_eq!(refuse(&gate, 1), Verdict::Paused(PAUSE));
        tokio::time::sleep(PAUSE / 2).await;
        assert_eq!(refuse(&gate, 1), Verdict::LockedOut);
        gate.accepted(1);
        drop(passes);
        assert_eq!(gate.enter(1).await.unwrap_err(), locked_out(LOCKOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_without_a_verdict_is_followed_by_another() {
        let gate = Gate::new(4);
        gate.accepted(1);
        refuse(&gate, 1);
        tokio::time::sleep(PAUSE).await;
        // It timed out.
        drop(gate.enter(1).await.unwrap());
        let _again = gate.enter(1).await.unwrap();
        assert!(waits(&gate, 1).await, "still one at a time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_may_not_pause_locks_out() {
        let gate = Gate::new(4);
        gate.accepted(1);
        let verdict = gate.refused(1, refusal(), LOCKOUT, false);
        assert_eq!(verdict, Verdict::LockedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_password_stays_accepted_beside_its_token() {
        let gate = Gate::new(4);
        gate.accepted(1);
        gate.accepted(2);
        assert_eq!(refuse(&gate, 1), Verdict::Paused(PAUSE));
        assert!(gate.enter(2).await.is_ok());
        for other in 3..100 {
            gate.accepted(other);
        }
        assert!(gate.enter(1).await.is_ok(), "few are remembered");
    }
}
