//! When to ask again. Pure.

use std::time::Duration;

use crate::config::Polling;
use crate::model::Reason;

/// The longest pause after failures, unless the interval itself is longer: short enough that an
/// outage's end is seen before anybody is told that data are stale.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// Share of a pause by which it is spread either way.
const SPREAD: f64 = 0.1;

/// The configured interval in force.
pub fn interval(polling: &Polling, active: bool) -> Duration {
    if active {
        polling.active_interval
    } else {
        polling.idle_interval
    }
}

/// Returns the longest pause after failures for this reason, without the spread.
///
/// During an upgrade, which `is_active`, failures that pass by themselves cost at most twice the
/// interval, the spread included: the end of an outage must show soon.
pub fn longest_backoff(interval: Duration, is_active: bool, reason: Option<Reason>) -> Duration {
    match reason {
        Some(
            Reason::Timeout
            | Reason::Network
            | Reason::Server
            | Reason::Protocol
            | Reason::Throttled,
        ) if is_active => interval.saturating_mul(2).div_f64(1.0 + SPREAD),
        _ => LONGEST_BACKOFF.max(interval),
    }
}

/// Returns the pause after a poll: the interval, doubled for each failure in a row after the first up to
/// `longest`, spread by a tenth either way so that clusters do not march in step. `dice` is from 0 to 1.
/// A vendor that asks for a longer pause gets it.
pub fn pause(
    interval: Duration,
    failures: u32,
    longest: Duration,
    asked: Option<Duration>,
    dice: f64,
) -> Duration {
    let backed_off = match failures {
        0 => interval,
        n => interval
            .saturating_mul(1 << (n - 1).min(16))
            .min(longest.max(interval)),
    };
    let spread = 1.0 - SPREAD + 2.0 * SPREAD * dice.clamp(0.0, 1.0);
    backed_off.mul_f64(spread).max(asked.unwrap_or_default())
}

/// The pause after a failed discovery: sooner than its interval, because nothing is watched
/// before the first one succeeds.
pub fn discovery_pause(
    interval: Duration,
    failures: u32,
    asked: Option<Duration>,
    dice: f64,
) -> Duration {
    if failures == 0 {
        return pause(interval, 0, LONGEST_BACKOFF, asked, dice);
    }
    let first = Duration::from_secs(15).min(interval);
    pause(first, failures, LONGEST_BACKOFF, asked, dice)
        .min(interval.max(asked.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Returns the pause outside of upgrades.
    fn pause(interval: Duration, failures: u32, asked: Option<Duration>, dice: f64) -> Duration {
        let longest = longest_backoff(interval, false, Some(Reason::Server));
        super::pause(interval, failures, longest, asked, dice)
    }

    #[test]
    fn pauses_spread_around_the_interval() {
        assert_eq!(pause(MINUTE, 0, None, 0.5), MINUTE);
        assert_eq!(pause(MINUTE, 0, None, 0.0), Duration::from_secs(54));
        assert_eq!(pause(MINUTE, 0, None, 1.0), Duration::from_secs(66));
    }

    #[test]
    fn failures_double_the_pause_up_to_a_bound() {
        let pauses = (0..7).map(|n| pause(MINUTE, n, None, 0.5).as_secs());
        assert_eq!(
            pauses.collect::<Vec<_>>(),
            [60, 60, 120, 240, 300, 300, 300]
        );
        let hour = MINUTE * 60;
        assert_eq!(
            pause(hour, 9, None, 0.5),
            hour,
            "never below a long interval"
        );
        assert_eq!(pause(MINUTE, u32::MAX, None, 0.5), LONGEST_BACKOFF);
    }

    #[test]
    fn failures_that_pass_cost_two_intervals_during_an_upgrade() {
        for &reason in Reason::ALL {
            let passes = !matches!(
                reason,
                Reason::Auth | Reason::Permission | Reason::NotFound | Reason::Refused
            );
            for interval in [MINUTE / 60, MINUTE / 2, MINUTE * 10] {
                let longest = longest_backoff(interval, true, Some(reason));
                let pause = |failures, dice| super::pause(interval, failures, longest, None, dice);
                let worst = (1..20).map(|n| pause(n, 1.0)).max().unwrap();
                if passes {
                    assert!(worst <= interval * 2, "{reason:?} {worst:?}");
                    assert!(pause(9, 0.0) > interval * 3 / 2, "{reason:?}");
                } else {
                    assert!(worst >= LONGEST_BACKOFF, "{reason:?} {worst:?}");
                }
            }
        }
    }

    #[test]
    fn a_vendor_that_asks_for_more_gets_it() {
        let asked = Some(MINUTE * 10);
        assert_eq!(pause(MINUTE, 1, asked, 0.5), MINUTE * 10);
        assert_eq!(pause(MINUTE, 1, Some(Duration::from_secs(1)), 0.5), MINUTE);
        let longest = longest_backoff(MINUTE, true, Some(Reason::Throttled));
        let pause = super::pause(MINUTE, 1, longest, asked, 0.5);
        assert_eq!(pause, MINUTE * 10, "during an upgrade, too");
    }

    #[test]
    fn a_failed_discovery_is_tried_again_soon() {
        let interval = MINUTE * 10;
        let pauses = (0..8).map(|n| discovery_pause(interval, n, None, 0.5).as_secs());
        assert_eq!(
            pauses.collect::<Vec<_>>(),
            [600, 15, 30, 60, 120, 240, 300, 300]
        );
        assert_eq!(
            discovery_pause(Duration::from_secs(5), 3, None, 0.5).as_secs(),
            5
        );
    }
}
