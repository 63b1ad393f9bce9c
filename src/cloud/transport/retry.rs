//! Which failed calls are repeated, and after how long. Pure.

use std::time::Duration;

use super::ApiError;
use crate::model::Reason;

/// Calls of one request, the first included.
pub const ATTEMPTS: u32 = 3;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);

/// Longest `Retry-After` that is kept to: no answer keeps a cluster dark for longer.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// How long to wait before the next attempt, or none to give up.
///
/// `attempt` counts from 1 and is the one that failed; `dice` is from 0 to 1. A `Retry-After` within
/// 10 seconds is kept to; a longer one ends the request, and the schedule keeps to it.
pub fn delay(attempt: u32, error: &ApiError, dice: f64) -> Option<Duration> {
    if attempt >= ATTEMPTS || !may_repeat(error) {
        return None;
    }
    let ceiling = FIRST.saturating_mul(1 << attempt.min(16)).min(LONGEST);
    // Full jitter: clients that failed together do not come back together.
    let jittered = ceiling.mul_f64(dice.clamp(0.0, 1.0));
    match error.retry_after {
        Some(asked) if asked > LONGEST => None,
        Some(asked) => Some(asked + jittered.mul_f64(0.1)),
        None => Some(jittered),
    }
}

/// Every call here only reads, so it does no harm when it is carried out twice.
fn may_repeat(error: &ApiError) -> bool {
    match error.reason {
        Reason::Throttled | Reason::Timeout | Reason::Network | Reason::Server => true,
        Reason::Auth
        | Reason::Permission
        | Reason::NotFound
        | Reason::Protocol
        | Reason::Refused => false,
    }
}

/// Reads a `Retry-After` in seconds, whole or with a fraction (`56.818`). An HTTP date, which no
/// vendor here sends, and nonsense are none; the longest is 10 minutes.
pub fn retry_after(value: &str) -> Option<Duration> {
    let seconds: f64 = value.trim().parse().ok()?;
    let longest = LONGEST_ASKED.as_secs_f64();
    (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(longest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(reason: Reason) -> ApiError {
        ApiError::new(reason, "x")
    }

    #[test]
    fn only_what_may_be_repeated_is() {
        for &reason in Reason::ALL {
            let repeated = delay(1, &error(reason), 1.0).is_some();
            let wanted = matches!(
                reason,
                Reason::Throttled | Reason::Timeout | Reason::Network | Reason::Server
            );
            assert_eq!(repeated, wanted, "{reason:?}");
        }
    }

    #[test]
    fn attempts_are_bounded_and_jitter_is_full() {
        let server = error(Reason::Server);
        assert_eq!(delay(1, &server, 0.0), Some(Duration::ZERO));
        assert_eq!(delay(1, &server, 1.0), Some(Duration::from_secs(1)));
        assert_eq!(delay(2, &server, 1.0), Some(Duration::from_secs(2)));
        assert_eq!(delay(3, &server, 1.0), None);
    }

    #[test]
    fn retry_after_is_kept_to_within_bounds() {
        let mut throttled = error(Reason::Throttled);
        throttled.retry_after = retry_after("1.5");
        assert_eq!(delay(1, &throttled, 0.0), Some(Duration::from_millis(1500)));
        throttled.retry_after = retry_after("56.818");
        assert_eq!(delay(1, &throttled, 0.0), None);
    }

    #[test]
    fn retry_after_forms() {
        assert_eq!(retry_after("56.818"), Some(Duration::from_secs_f64(56.818)));
        assert_eq!(retry_after(" 3 "), Some(Duration::from_secs(3)));
        for long in ["601", "3600", "1e99"] {
            assert_eq!(retry_after(long), Some(LONGEST_ASKED), "{long}");
        }
        for bad in ["", "-1", "NaN", "inf", "Fri, 21 Nov 2026 00:00:00 GMT"] {
            assert_eq!(retry_after(bad), None, "{bad}");
        }
    }
}
