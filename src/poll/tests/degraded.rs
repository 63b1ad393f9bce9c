//! Tests of polls at which a secondary call fails, and of calls that are not offered.

use super::*;
use crate::model::SecondaryFailure;

fn failing() -> SecondaryCall {
    SecondaryCall {
        endpoint: "ListNodes",
        answer: None,
        failure: Some(SecondaryFailure {
            reason: Reason::Permission,
            message: "ListNodes: the key may not do this".into(),
            missing: "states of nodes",
            permission: "cce:node:list",
            is_not_offered: false,
            is_earlier: false,
        }),
    }
}

fn failures(bench: &Bench) -> Vec<String> {
    let metrics = bench.registry.encode();
    let counted = |line: &&str| line.contains("poll_failures_total{") && !line.ends_with(" 0");
    metrics.lines().filter(counted).map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failed_secondary_call_leaves_the_poll_good() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    fake.secondary.lock().push(failing());
    let bench = Bench::start(fake, |_| {});
    pass(100).await;
    let state = bench.state("1").unwrap();
    assert!(state.up && state.last_error.is_none());
    assert_eq!(state.upgrades[0].upgrade.status, UpgradeStatus::Running);
    let degraded = &state.degraded[0];
    assert_eq!(
        (degraded.endpoint, degraded.reason),
        ("ListNodes", Reason::Permission)
    );
    assert_eq!(degraded.since.as_second(), 1_800_000_000);
    assert_eq!(failures(&bench), [""; 0]);
    bench.fake.set("1", Err(Reason::Server));
    pass(100).await;
    let state = bench.state("1").unwrap();
    assert!(!state.up);
    assert_eq!(state.degraded.len(), 1, "its last try failed");
    bench.fake.set("1", Ok(Some(UpgradeStatus::Running)));
    bench.fake.secondary.lock().clear();
    pass(400).await;
    assert_eq!(bench.state("1").unwrap().degraded, []);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_seems_not_offered_is_asked_again_soon() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(None));
    fake.not_published.store(true, Ordering::Relaxed);
    let bench = Bench::start(fake, |_| {});
    pass(20).await;
    assert_eq!(bench.fake.polls("1"), 1);
    assert!(!bench.state("1").unwrap().up);
    pass(20).await;
    assert_eq!(bench.fake.polls("1"), 2, "after the active interval");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stays_not_offered_backs_off() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(None));
    fake.not_published.store(true, Ordering::Relaxed);
    let bench = Bench::start(fake, |_| {});
    pass(3600).await;
    let polls = bench.fake.polls("1");
    assert!((10..=20).contains(&polls), "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_polls_once_confirms_at_once() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(None));
    fake.not_published.store(true, Ordering::Relaxed);
    let bench = Bench::confirming(fake);
    pass(1).await;
    assert_eq!(bench.fake.polls("1"), 2);
    assert!(bench.ready.is_ready(), "also when the second one fails");
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(None));
    let bench = Bench::confirming(fake);
    pass(1).await;
    assert_eq!(bench.fake.polls("1"), 1, "nothing is in doubt");
    assert!(bench.ready.is_ready());
}
