//! A cloud that does not publish the primary call.

use super::bench::Bench;
use super::scripted::{gateway, none, one};
use super::*;

#[tokio::test]
async fn two_polls_in_a_row_prove_that_upgrades_are_not_published() {
    let mut bench = Bench::start().await;
    bench.version(gateway(404, "0101"));
    let first = bench.poll().await.unwrap_err();
    assert_eq!(first.cause, Cause::NotPublished);
    let second = bench.good().await;
    assert_eq!((second.states, second.degraded), (vec![], vec![]));
    assert_eq!(
        bench.asked(),
        (2, 0),
        "what shares its path is not asked for"
    );
    bench.good().await;
    assert_eq!(bench.asked(), (0, 0), "it is left alone");
    bench.discover().await;
    assert_eq!(bench.good().await.states, []);
    assert_eq!(bench.asked(), (1, 0), "and tried again at each discovery");
    bench.discover().await;
    bench.version(one("RUNNING"));
    let states = bench.good().await.states;
    assert_eq!(states, [(Kind::Version, UpgradeStatus::Running)]);
}

#[tokio::test]
async fn another_failure_between_begins_the_count_anew() {
    let mut bench = Bench::start().await;
    for answer in [
        gateway(404, "0101"),
        gateway(403, "0302"),
        gateway(404, "0101"),
    ] {
        bench.version(answer);
        bench.poll().await.unwrap_err();
    }
    bench.good().await;
}

#[tokio::test]
async fn a_call_that_was_answered_for_any_cluster_is_published() {
    let mut bench = Bench::start().await;
    let other = Memory::default();
    let fresh = Duration::from_secs(60);
    bench.css.observe("1", &other, fresh).await.unwrap();
    bench.version(gateway(404, "0101"));
    for _ in 0..3 {
        let error = bench.poll().await.unwrap_err();
        assert_eq!(error.reason, Reason::NotFound);
    }
    bench.version(none());
    bench.good().await;
}

#[tokio::test]
async fn an_upgrade_that_is_known_is_not_taken_back() {
    let mut before = Bench::start().await;
    before.version(one("RUNNING"));
    before.good().await;
    let mut bench = Bench::start().await;
    bench.memory = before.memory;
    bench.version(gateway(404, "0101"));
    for _ in 0..3 {
        bench.poll().await.unwrap_err();
    }
}

#[tokio::test]
async fn an_answer_of_another_address_proves_nothing() {
    let mut before = Bench::start().await;
    before.good().await;
    let mut bench = Bench::start().await;
    bench.follow(&before);
    bench.version(gateway(404, "0101"));
    bench.poll().await.unwrap_err();
    assert_eq!(bench.good().await.states, []);
}

#[tokio::test]
async fn two_failures_of_one_cluster_leave_the_others_alone() {
    let mut bench = Bench::start().await;
    bench.version(gateway(404, "0101"));
    bench.poll().await.unwrap_err();
    bench.good().await;
    bench.version(one("RUNNING"));
    let (other, fresh) = (Memory::default(), Duration::from_secs(60));
    let seen = bench.css.observe("1", &other, fresh).await.unwrap();
    assert_eq!(seen.upgrades[0].status, UpgradeStatus::Running);
}
