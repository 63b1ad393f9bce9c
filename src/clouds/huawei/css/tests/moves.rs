//! Changes of the zone beside upgrades: a secondary call.

use super::bench::Bench;
use super::scripted::{gateway, none, one, refused};
use super::*;

const RUNNING: (Kind, UpgradeStatus) = (Kind::Version, UpgradeStatus::Running);
const MOVING: (Kind, UpgradeStatus) = (Kind::AzMigration, UpgradeStatus::Running);

#[tokio::test]
async fn a_zone_change_that_is_not_over_is_asked_for_while_the_version_changes_too() {
    let mut bench = Bench::start().await;
    bench.version(one("RUNNING"));
    bench.moves(one("RUNNING"));
    assert_eq!(bench.good().await.states, [RUNNING, MOVING]);
    bench.moves(one("SUCCESS"));
    let moved = (Kind::AzMigration, UpgradeStatus::Succeeded);
    assert_eq!(bench.good().await.states, [RUNNING, moved]);
    assert_eq!(bench.asked(), (2, 2));
    assert_eq!(bench.good().await.states, [RUNNING, moved]);
    assert_eq!(bench.asked(), (1, 0), "what is over stays as it is");
}

#[tokio::test]
async fn one_empty_answer_does_not_take_a_failure_back() {
    for kind in [Kind::Version, Kind::AzMigration] {
        let mut bench = Bench::start().await;
        let set = |bench: &Bench, answer| match kind {
            Kind::Version => bench.version(answer),
            Kind::AzMigration => bench.moves(answer),
        };
        set(&bench, one("FAILED"));
        let failed = [(kind, UpgradeStatus::Failed)];
        assert_eq!(bench.good().await.states, failed);
        set(&bench, none());
        assert_eq!(bench.good().await.states, failed);
        assert_eq!(bench.good().await.states, []);
    }
}

#[tokio::test]
async fn a_failure_hides_no_upgrade_and_is_told() {
    for (answer, reason) in [
        (gateway(403, "0302"), "permission"),
        (gateway(404, "0101"), "not_found"),
        ((404, String::new()), "not_found"),
        ((200, "<html>".to_owned()), "protocol"),
        (odd(), "protocol"),
    ] {
        let mut bench = Bench::start().await;
        bench.version(one("RUNNING"));
        bench.moves(answer);
        let polled = bench.good().await;
        assert_eq!(
            (polled.states, polled.degraded),
            (vec![RUNNING], vec![reason])
        );
        let failure = polled.observation.secondary[0].failure.clone().unwrap();
        assert_eq!(failure.missing, "changes of the availability zone");
        assert_eq!(failure.permission, "css:cluster:get");
        bench.moves(none());
        assert_eq!(bench.good().await.degraded, [""; 0]);
        assert_eq!(bench.asked(), (2, 2), "a call that failed is made again");
        bench.good().await;
        assert_eq!(bench.asked(), (1, 0));
    }
}

#[tokio::test]
async fn refused_credentials_fail_the_poll() {
    let mut bench = Bench::start().await;
    bench.moves(gateway(401, "0301"));
    assert_eq!(bench.poll().await.unwrap_err().reason, Reason::Auth);
}

#[tokio::test]
async fn a_refusal_degrades_only_where_a_zone_change_is_known() {
    let mut bench = Bench::start().await;
    bench.moves(refused("CSS.0001"));
    for asked in [1, 1, 0] {
        let polled = bench.good().await;
        assert_eq!((polled.states, polled.degraded), (vec![], vec![]));
        assert_eq!(bench.asked(), (1, asked), "two polls prove it");
    }
    bench.discover().await;
    for asked in [1, 0] {
        assert_eq!(bench.good().await.degraded, [""; 0]);
        assert_eq!(bench.asked().1, asked, "it is asked for at each discovery");
    }
    for (word, status) in [
        ("RUNNING", UpgradeStatus::Running),
        ("FAILED", UpgradeStatus::Failed),
    ] {
        let mut bench = Bench::start().await;
        bench.moves(one(word));
        bench.good().await;
        bench.moves(refused("CSS.0077"));
        for _ in 0..3 {
            let polled = bench.good().await;
            assert_eq!(polled.states, [(Kind::AzMigration, status)]);
            assert_eq!(polled.degraded, ["refused"]);
        }
    }
}

#[tokio::test]
async fn a_call_that_was_answered_before_is_asked_for_after_refusals() {
    let mut bench = Bench::start().await;
    bench.good().await;
    bench.moves(refused("CSS.0078"));
    for _ in 0..4 {
        assert_eq!(bench.good().await.degraded, [""; 0]);
    }
    assert_eq!(bench.asked().1, 5);
}

#[tokio::test]
async fn two_polls_in_a_row_prove_that_zone_changes_are_not_published() {
    let mut bench = Bench::start().await;
    bench.moves(gateway(404, "0101"));
    let first = bench.good().await;
    assert_eq!(first.degraded, ["not_found"]);
    assert!(first.observation.ask_again_soon);
    let second = bench.good().await;
    assert_eq!(second.degraded, [""; 0]);
    assert!(!second.observation.ask_again_soon);
    bench.asked();
    assert_eq!(bench.good().await.degraded, [""; 0]);
    assert_eq!(bench.asked(), (1, 0), "it is left alone");
    bench.discover().await;
    let again = bench.good().await;
    assert_eq!((again.degraded, bench.asked()), (vec![], (1, 1)));
    assert!(!again.observation.ask_again_soon);
}

#[tokio::test]
async fn zone_changes_that_were_told_of_any_cluster_are_published() {
    let mut bench = Bench::start().await;
    let other = Memory::default();
    let fresh = Duration::from_secs(60);
    bench.css.observe("1", &other, fresh).await.unwrap();
    bench.moves(gateway(404, "0101"));
    for _ in 0..3 {
        let polled = bench.good().await;
        assert_eq!(polled.degraded, ["not_found"]);
        assert!(!polled.observation.ask_again_soon);
    }
}

#[tokio::test]
async fn a_known_zone_change_is_kept_without_stalling_while_its_call_fails() {
    for answer in [gateway(404, "0101"), gateway(403, "0302")] {
        let mut bench = Bench::start().await;
        bench.version(one("RUNNING"));
        bench.moves(one("RUNNING"));
        let told = bench.good().await.observation.upgrades;
        bench.moves(answer);
        for _ in 0..3 {
            let polled = bench.good().await;
            assert_eq!(
                (&*polled.states, polled.degraded.len()),
                (&[RUNNING, MOVING][..], 1)
            );
            let [version, upgrade] = polled.observation.upgrades.as_slice() else {
                panic!("{polled:?}");
            };
            assert!(!version.untold.any() && !version.is_stall_suspended);
            assert!(upgrade.untold.all && upgrade.is_stall_suspended);
            let seen = bench.memory.last(Kind::AzMigration).unwrap();
            assert_eq!(seen.changed, None, "a failure is no progress");
        }
        bench.moves(one("RUNNING"));
        assert_eq!(bench.good().await.observation.upgrades, told);
    }
}

/// An answer whose state cannot be read.
fn odd() -> scripted::Scripted {
    let body = r#"{"detailList":[{"id":"z","status":["RUNNING"]}]}"#;
    (200, body.to_owned())
}
