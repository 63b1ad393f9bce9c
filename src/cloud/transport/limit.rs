//! An account's limits: calls a second, calls in flight, and the lockout of refused credentials.

mod gate;
mod lockout;

use std::time::Duration;

use parking_lot::Mutex;
use token_bucket::TokenBucket;
use tokio::time::Instant;

pub use gate::{Closed, Gate, Pass};
pub use lockout::Verdict;

/// Rate of calls. Idle time saves up one second's worth, at least one call.
#[derive(Debug)]
pub struct Rate(Mutex<TokenBucket>);

impl Rate {
    /// Builds the rate of so many calls a second; above 0.
    pub fn new(per_second: f64) -> Self {
        let per_second = per_second.max(1e-3);
        let interval = Duration::from_secs_f64(1.0 / per_second);
        let bucket = TokenBucket::new(interval, per_second, Instant::now().into_std());
        Self(Mutex::new(bucket))
    }

    /// Carries over the calls of the rate that this one replaces.
    #[must_use]
    pub fn following(self, old: &Self) -> Self {
        let bucket = self.0.into_inner().carry_over(&old.0.lock());
        Self(Mutex::new(bucket))
    }

    /// Waits for this call's turn; turns are given in the order of asking.
    pub async fn turn(&self) {
        let now = Instant::now();
        let wait = self.0.lock().reserve(now.into_std());
        tokio::time::sleep_until(now + wait).await;
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
