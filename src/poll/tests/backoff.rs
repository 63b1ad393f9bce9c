//! Pauses after failures during an upgrade, and those that a vendor asks for.

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

/// Text log of this thread, as long as the guard lives.
fn log() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let made = log.clone();
    let text = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || made.clone());
    (log, tracing::subscriber::set_default(text.finish()))
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn lines_with(&self, part: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().filter(|line| line.contains(part));
        lines.map(str::to_owned).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_vendor_asks_for_is_kept_and_told() {
    let (log, _guard) = log();
    let bench = upgrading(UpgradeStatus::Running).await;
    *bench.fake.retry_after.lock().unwrap() = Some(Duration::from_secs(600));
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
