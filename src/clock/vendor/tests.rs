//! The clock against answers in every order, with tokio's clock as the monotonic one.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// A host whose clock can be set; the vendor's clock is right.
struct Host {
    clock: VendorClock,
    /// Seconds by which the host's clock is ahead.
    ahead: Arc<AtomicI64>,
    begun: Instant,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

impl Host {
    fn new(ahead: i64) -> Self {
        let ahead = Arc::new(AtomicI64::new(ahead));
        let (by, right) = (ahead.clone(), Clock::tokio(at(0)));
        let local =
            Clock::by(move || right.now() + SignedDuration::from_secs(by.load(Ordering::Relaxed)));
        Self {
            clock: VendorClock::new(local),
            ahead,
            begun: Instant::now(),
        }
    }

    /// Lets an answer come whose `Date` is that many milliseconds off the right time.
    fn observe(&self, off: i64) -> Outcome {
        self.observe_slowly(off, 0)
    }

    /// Lets an answer come that took twice that many milliseconds.
    fn observe_slowly(&self, off: i64, half: i64) -> Outcome {
        let passed = SignedDuration::try_from(self.begun.elapsed()).unwrap();
        self.clock.observe(Reading {
            time: at(0) + passed + SignedDuration::from_millis(off),
            at: Instant::now(),
            precision: SignedDuration::from_millis(half),
        })
    }

    /// Milliseconds by which the vendor's clock is off the right time.
    fn off(&self) -> i128 {
        let passed = SignedDuration::try_from(self.begun.elapsed()).unwrap();
        let off = self.clock.now().duration_since(at(0) + passed);
        off.as_millis()
    }
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

const MINUTE: i64 = 60_000;

#[tokio::test(start_paused = true)]
async fn local_clock_counts_before_any_answer() {
    let host = Host::new(1200);
    assert_eq!((host.off(), host.clock.known_now()), (20 * 60_000, None));
    pass(7).await;
    host.ahead.store(-300, Ordering::Relaxed);
    assert_eq!(host.off(), -5 * 60_000, "it steps with the host");
}

#[tokio::test(start_paused = true)]
async fn steps_of_the_host_do_not_move_a_known_vendor_time() {
    let host = Host::new(0);
    assert_eq!(host.observe(0), Outcome::Believed);
    for ahead in [240, -240, 1200, -1200, 86_400] {
        host.ahead.store(ahead, Ordering::Relaxed);
        pass(30).await;
        assert_eq!(host.off(), 0, "{ahead}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_off_follows_the_vendor_with_the_second_answer() {
    for (ahead, by) in [(1200, -1200), (-1200, 1200), (61, -61), (-61, 61)] {
        let host = Host::new(ahead);
        assert_eq!(host.observe(0), Outcome::Doubted);
        assert_eq!(host.off(), i128::from(ahead) * 1000);
        pass(30).await;
        let by = SignedDuration::from_secs(by);
        assert_eq!(host.observe(0), Outcome::Stepped(by));
        assert_eq!((host.off(), host.clock.read().1), (0, by));
    }
}

#[tokio::test(start_paused = true)]
async fn differences_below_two_seconds_are_ignored() {
    let host = Host::new(0);
    for off in [0, 1999, -1999, 500, -500] {
        assert_eq!(host.observe(off), Outcome::Believed);
        assert_eq!(host.off(), 0, "{off}");
        pass(1).await;
    }
    host.observe(2000);
    assert_eq!(host.off(), 2000);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_off_by_no_more_than_it_took() {
    let host = Host::new(0);
    host.observe(0);
    host.observe_slowly(6000, 5000);
    host.observe_slowly(-6000, 5000);
    assert_eq!(host.off(), 0);
    host.observe_slowly(8000, 5000);
    assert_eq!(host.off(), 8000);
}

#[tokio::test(start_paused = true)]
async fn the_clock_waits_for_a_vendor_that_is_a_little_behind() {
    let host = Host::new(0);
    host.observe(30_000);
    assert_eq!(host.off(), 30_000);
    assert_eq!(host.observe(0), Outcome::Believed);
    let before = host.clock.now();
    for _ in 0..30 {
        assert_eq!(host.clock.now(), before, "it does not go back");
        pass(1).await;
    }
    assert_eq!(host.off(), 0);
    pass(1).await;
    assert_eq!(host.off(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_answer_that_is_off_changes_nothing() {
    for off in [10 * MINUTE, -10 * MINUTE, 61_000, -61_000] {
        let host = Host::new(0);
        host.observe(0);
        assert_eq!(host.observe(off), Outcome::Doubted);
        pass(30).await;
        assert_eq!(host.observe(0), Outcome::Believed);
        assert_eq!(
            host.observe(off),
            Outcome::Doubted,
            "the first one is forgotten"
        );
        assert_eq!(host.off(), 0, "{off}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_with_a_wrong_date_is_followed_and_left() {
    let host = Host::new(0);
    host.observe(0);
    for (off, step) in [(-10 * MINUTE, -600), (0, 600)] {
        assert_eq!(host.observe(off), Outcome::Doubted);
        pass(1).await;
        let step = SignedDuration::from_secs(step);
        assert_eq!(host.observe(off), Outcome::Stepped(step));
        assert_eq!(host.off(), i128::from(off));
    }
    assert_eq!(host.clock.read().1, SignedDuration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_date_that_stands_still_is_no_clock() {
    let host = Host::new(0);
    host.observe(0);
    for second in 1..10 {
        // A cache without Age answers with one Date for ever.
        assert_eq!(
            host.observe(-10 * MINUTE - second * 30_000),
            Outcome::Doubted
        );
        assert_eq!(host.off(), 0);
        pass(30).await;
    }
}

#[tokio::test(start_paused = true)]
async fn servers_that_alternate_do_not_move_the_clock() {
    let host = Host::new(0);
    host.observe(0);
    for _ in 0..20 {
        assert_eq!(host.observe(90_000), Outcome::Doubted);
        assert_eq!(host.observe(0), Outcome::Believed);
        assert_eq!(host.off(), 0);
        pass(10).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_of_the_vendor_is_told_to_those_who_noted_times() {
    let host = Host::new(0);
    let mut steps = host.clock.steps();
    host.observe(0);
    for _ in 0..2 {
        host.observe(2 * MINUTE);
    }
    let by = SignedDuration::from_mins(2);
    assert!(steps.has_changed().unwrap());
    assert_eq!((*steps.borrow_and_update(), host.off()), (by, 120_000));
    host.observe(2 * MINUTE + 30_000);
    assert!(!steps.has_changed().unwrap(), "30 s are no step");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Shows that vendor time goes back by a confirmed step only, and is never off by more than an
    /// answer is, whatever the host's clock does.
    #[test]
    fn vendor_time_goes_back_by_a_confirmed_step_only(
        events in prop::collection::vec((0u64..90, -200_000i64..200_000, -3000i64..3000, 0u8..4), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let host = Host::new(0);
            host.observe(0);
            let (mut before, mut worst, mut last) = (host.clock.now(), 0, 0);
            for (wait, off, ahead, kind) in events {
                host.ahead.store(ahead, Ordering::Relaxed);
                // Near the last one, small, or anything.
                let off = match kind {
                    0 => last,
                    1 => off / 100,
                    2 => off / 4,
                    _ => off,
                };
                let outcome = host.observe(off);
                last = off;
                worst = worst.max(off.abs());
                let now = host.clock.now();
                if let Outcome::Stepped(by) = outcome {
                    prop_assert!(by.abs() > STEP, "{by:?}");
                } else {
                    prop_assert!(now >= before, "{before} {now}");
                }
                prop_assert!(host.off().abs() <= i128::from(worst), "{} {worst}", host.off());
                pass(wait).await;
                prop_assert!(host.clock.now() >= now);
                before = host.clock.now();
            }
            Ok(())
        })?;
    }
}
