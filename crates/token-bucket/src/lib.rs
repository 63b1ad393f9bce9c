//! A token bucket that refuses or reserves, on any clock.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use token_bucket::TokenBucket;
//!
//! let now = Instant::now();
//! let mut bucket = TokenBucket::new(Duration::from_secs(2), 1.0, now);
//! assert_eq!(bucket.take(now), Ok(()));
//! assert_eq!(bucket.take(now), Err(Duration::from_secs(2)));
//! assert_eq!(bucket.reserve(now), Duration::from_secs(2));
//! ```

use std::time::{Duration, Instant};

/// Longest interval between two tokens, which keeps times in the range of the clock.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Token bucket. Its state is one time (the generic cell rate algorithm), so nothing is lost by rounding,
/// and no task fills it.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    interval: Duration,
    /// Time that the tokens beyond the first take to come.
    slack: Duration,
    /// Time at which the bucket is full again.
    full_at: Instant,
}

impl TokenBucket {
    /// Builds a full bucket. It gains a token every `interval`, of at most a year, and holds `burst`
    /// tokens, at least one. An interval of zero is no limit.
    pub fn new(interval: Duration, burst: f64, now: Instant) -> Self {
        let interval = interval.min(LONGEST);
        let slack = interval.as_secs_f64() * (burst.max(1.0) - 1.0);
        Self {
            interval,
            slack: Duration::try_from_secs_f64(slack).unwrap_or(Duration::MAX),
            full_at: now,
        }
    }

    /// Carries over the time at which `old` is full again.
    #[must_use]
    pub fn carry_over(self, old: &Self) -> Self {
        Self {
            full_at: old.full_at,
            ..self
        }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// Fails with the time until the next token when none is left.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let wait = self.wait(now);
        if wait.is_zero() {
            self.reserve(now);
            Ok(())
        } else {
            Err(wait)
        }
    }

    /// Takes the next token, which may have yet to come, and returns the time until it does.
    pub fn reserve(&mut self, now: Instant) -> Duration {
        let wait = self.wait(now);
        self.full_at = self.full_at.max(now) + self.interval;
        wait
    }

    fn wait(&self, now: Instant) -> Duration {
        if self.interval.is_zero() {
            return Duration::ZERO;
        }
        let missing = self.full_at.saturating_duration_since(now);
        missing.saturating_sub(self.slack)
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests need some instant, and pass every later one themselves"
)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn gives_its_burst_and_then_one_every_interval() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(2 * SECOND, 3.0, start);
        let mut take = |seconds| bucket.take(start + seconds * SECOND);
        let refused = |seconds| Err(seconds * SECOND);
        assert_eq!([0; 4].map(&mut take), [Ok(()), Ok(()), Ok(()), refused(2)]);
        assert_eq!([1, 2, 3].map(&mut take), [refused(1), Ok(()), refused(1)]);
        // However long no token is taken, there are never more than the burst.
        assert_eq!([99; 4].map(take), [Ok(()), Ok(()), Ok(()), refused(2)]);
    }

    #[test]
    fn reserves_tokens_in_order() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(SECOND, 2.0, start);
        let waits = [0; 4].map(|_| bucket.reserve(start));
        assert_eq!(waits, [0, 0, 1, 2].map(|seconds| seconds * SECOND));
        assert_eq!(bucket.take(start + SECOND), Err(2 * SECOND));
    }

    #[test]
    fn holds_a_fraction_of_a_token() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(SECOND, 1.5, start);
        assert_eq!(bucket.take(start), Ok(()));
        assert_eq!(bucket.take(start), Err(SECOND / 2));
    }

    #[test]
    fn goes_on_from_another_bucket() {
        let start = Instant::now();
        let mut old = TokenBucket::new(SECOND, 2.0, start);
        let waits = [0; 3].map(|_| old.reserve(start));
        assert_eq!(waits[2], SECOND);
        let mut new = TokenBucket::new(SECOND / 2, 2.0, start).carry_over(&old);
        assert_eq!(new.reserve(start), 5 * SECOND / 2);
        let mut free = TokenBucket::new(Duration::ZERO, 1.0, start).carry_over(&old);
        assert_eq!(free.take(start), Ok(()));
    }

    #[test]
    fn takes_any_interval_and_any_burst() {
        let start = Instant::now();
        let mut free = TokenBucket::new(Duration::ZERO, 0.0, start);
        assert!((0..1000).all(|_| free.take(start) == Ok(())));
        for burst in [0.0, -1.0, f64::NAN] {
            let mut bucket = TokenBucket::new(Duration::MAX, burst, start);
            assert_eq!(bucket.take(start), Ok(()));
            assert_eq!(bucket.take(start), Err(LONGEST));
        }
        for burst in [f64::from(u32::MAX), f64::INFINITY] {
            let mut bucket = TokenBucket::new(Duration::MAX, burst, start);
            assert!((0..1000).all(|_| bucket.take(start) == Ok(())));
        }
    }

    #[test]
    fn a_clock_that_steps_back_takes_no_tokens() {
        let earlier = Instant::now();
        let later = earlier + SECOND;
        let mut bucket = TokenBucket::new(SECOND, 1.0, later);
        assert_eq!(bucket.take(later), Ok(()));
        assert_eq!(bucket.take(earlier), Err(2 * SECOND));
        assert_eq!(bucket.take(later + SECOND), Ok(()));
    }
}
