//! An account's limits: calls a second, calls in flight, and the lockout of refused credentials.

mod gate;
mod lockout;

use parking_lot::Mutex;
use std::time::Duration;

use tokio::time::Instant;

pub use gate::{Closed, Gate, Pass};
pub use lockout::Verdict;

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
        let full_at = *old.full_at.lock();
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
        let mut full_at = self.full_at.lock();
        let turn = (*full_at).max(now);
        *full_at = turn + self.per_call;
        turn.checked_sub(self.slack).unwrap_or(now).max(now)
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
    async fn a_rate_goes_on_from_another() {
        let rate = Rate::new(5.0);
        for _ in 0..6 {
            rate.turn().await;
        }
        let start = Instant::now();
        Rate::new(5.0).following(&rate).turn().await;
        assert_eq!(start.elapsed().as_millis(), 200, "no second burst");
    }

    #[tokio::test(start_paused = true)]
    async fn slow_rates_work() {
        let rate = Rate::new(0.5);
        let start = Instant::now();
        rate.turn().await;
        rate.turn().await;
        assert_eq!(start.elapsed(), Duration::from_secs(2));
    }
}
