//! Pauses after failures during an upgrade, and those that a vendor asks for.

use super::log::log;
use super::*;

/// Starts polling a cluster whose upgrade is in this state.
async fn upgrading(status: UpgradeStatus) -> Bench {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(status)));
    let bench = Bench::start(fake, |_| {});
    pass(10).await;
    bench
}

/// Lets the cluster fail for an hour; returns the seconds from the outage's end until it is seen.
async fn blindness(status: UpgradeStatus, reason: Reason) -> u64 {
    let bench = upgrading(status).await;
    bench.fake.set("1", Err(reason));
    pass(3600).await;
    assert!(!bench.state("1").unwrap().up);
    bench.fake.set("1", Ok(Some(status)));
    for seconds in 0..600 {
        if bench.state("1").unwrap().up {
            return seconds;
        }
        pass(1).await;
    }
    600
}

#[tokio::test(start_paused = true)]
async fn an_outage_during_an_upgrade_ends_within_two_intervals() {
    use UpgradeStatus::{Paused, Pending, Running, Unknown};
    for status in [Pending, Running, Paused, Unknown] {
        for reason in [
            Reason::Timeout,
            Reason::Network,
            Reason::Server,
            Reason::Protocol,
            Reason::Throttled,
        ] {
            let late = blindness(status, reason).await;
            assert!(late <= 61, "{status:?} {reason:?}: {late} s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_do_not_pass_back_off_further() {
    let bench = upgrading(UpgradeStatus::Running).await;
    bench.fake.set("1", Err(Reason::Permission));
    let before = bench.fake.polls("1");
    pass(3600).await;
    let polls = bench.fake.polls("1") - before;
    assert!((12..=18).contains(&polls), "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_vendor_asks_for_is_kept_and_told() {
    let (log, _guard) = log();
    let bench = upgrading(UpgradeStatus::Running).await;
    *bench.fake.retry_after.lock() = Some(Duration::from_secs(600));
    bench.fake.set("1", Err(Reason::Throttled));
    pass(40).await;
    let before = bench.fake.polls("1");
    let told = log.lines_with("The vendor asks for a pause");
    assert_eq!(told.len(), 1, "{told:?}");
    // The clock began at 2027-01-15T08:00:00Z.
    assert!(told[0].contains("until=2027-01-15T08:10:"), "{told:?}");
    pass(500).await;
    assert_eq!(bench.fake.polls("1"), before, "nothing is asked");
    pass(700).await;
    assert_eq!(bench.fake.polls("1"), before + 2);
    let told = log.lines_with("The vendor asks for a pause");
    assert_eq!(told.len(), 1, "its repetitions are for debugging: {told:?}");
}
