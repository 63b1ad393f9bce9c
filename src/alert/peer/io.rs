//! Tests of all Alertmanagers together, over real loopback sockets and at a fast pace.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio::time::Instant;

use super::*;
use crate::alert::alertmanager::fake::{Answer, Fake, ok};
use crate::alert::rule::Labels;
use crate::http::Login;
use crate::secret::Secret;
use crate::telemetry;

fn peers(alertmanagers: &[&Fake]) -> (Peers, World, telemetry::Metrics) {
    let alerting = Alerting {
        external_labels: BTreeMap::new(),
        resend_interval: Duration::from_secs(60),
        explicit_resolve: false,
        alertmanagers: alertmanagers.iter().map(|fake| fake.config()).collect(),
    };
    let mut registry = telemetry::Metrics::new();
    let world = World {
        store: Arc::new(Store::new()),
        metrics: Metrics::new(registry.own()),
        clock: Clock::system(),
        page: None,
        storage: crate::alert::Storage::default(),
    };
    let pace = Pace {
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(40),
        ..Pace::new(alerting.resend_interval)
    };
    (Peers::at_pace(&alerting, &world, pace), world, registry)
}

fn alert(name: &str, except: Option<String>) -> Posting {
    let now = Clock::system().now();
    Posting {
        alert: Notification {
            labels: Labels::from([("alertname".to_owned(), name.to_owned())]),
            annotations: Labels::new(),
            starts_at: now,
            ends_at: now
                .checked_add(Duration::from_secs(900))
                .unwrap_or(Timestamp::MAX),
            generator_url: None,
        },
        resolved: false,
        except,
    }
}

/// How often the alert was posted to it.
fn times(fake: &Fake, name: &str) -> usize {
    let text = format!("\"alertname\":\"{name}\"");
    fake.requests()
        .iter()
        .filter(|r| r.body.contains(&text))
        .count()
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn each_gets_every_alert_and_none_waits_for_another() {
    let silent = Fake::start([Answer::Stall(String::new())]).await;
    let broken = Fake::start([Answer::Full("500 Oops\r\n", String::new()), ok()]).await;
    let good = Fake::start([ok()]).await;
    let (peers, world, _) = peers(&[&silent, &broken, &good]);
    eventually("the silent one is asked", || silent.requests().len() == 1).await;
    let begun = Instant::now();
    peers.push(&[alert("a", None)]);
    eventually("the good one has it", || times(&good, "a") == 1).await;
    eventually("the broken one has it in the end", || {
        times(&broken, "a") >= 1
    })
    .await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "the silent one takes 10 s"
    );
    eventually("both are well", || {
        world.store.health().unreachable.is_empty()
    })
    .await;
    assert_eq!(times(&silent, "a"), 0);
}

#[tokio::test]
async fn who_must_not_get_an_alert_does_not() {
    let (one, other) = (Fake::start([ok()]).await, Fake::start([ok()]).await);
    let (peers, _, _) = peers(&[&one, &other]);
    let label = one.config().label().to_owned();
    peers.push(&[alert("a", Some(label)), alert("b", None)]);
    eventually("both", || times(&one, "b") == 1 && times(&other, "b") == 1).await;
    assert_eq!((times(&one, "a"), times(&other, "a")), (0, 1));
}

#[tokio::test]
async fn the_end_drains_what_it_can_and_does_not_wait_for_the_dead() {
    let silent = Fake::start([Answer::Stall(String::new())]).await;
    let good = Fake::start([ok()]).await;
    let (mut peers, _, registry) = peers(&[&silent, &good]);
    peers.push(&[alert("a", None)]);
    eventually("both have one", || {
        times(&silent, "a") + times(&good, "a") == 2
    })
    .await;
    // One is under way and two wait.
    peers.push(&[alert("b", None), alert("c", None)]);
    let begun = Instant::now();
    let end = peers.finish(Duration::from_millis(300));
    let end = tokio::time::timeout(Duration::from_secs(5), end).await;
    end.unwrap();
    assert!(
        begun.elapsed() >= Duration::from_millis(300),
        "the grace is given"
    );
    assert_eq!((times(&good, "b"), times(&good, "c")), (1, 1));
    let text = registry.encode();
    for (fake, dropped) in [(&silent, 3), (&good, 0)] {
        let label = fake.config().label().to_owned();
        let line = format!("alerts_dropped_total{{alertmanager=\"{label}\"}} {dropped}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
}

#[tokio::test]
async fn the_end_does_not_use_up_the_grace_when_nothing_is_left() {
    let good = Fake::start([ok()]).await;
    let (mut peers, _, _) = peers(&[&good]);
    eventually("it runs", || good.requests().len() == 1).await;
    let end = peers.finish(Duration::from_secs(60));
    let end = tokio::time::timeout(Duration::from_secs(10), end).await;
    end.unwrap();
}

#[tokio::test]
async fn what_waits_for_an_alertmanager_survives_another_way_to_it() {
    let stays = Fake::start([ok()]).await;
    let refuses = Fake::start([
        Answer::Full("401 Unauthorized\r\n", String::new()),
        Answer::Full("401 Unauthorized\r\n", String::new()),
        ok(),
    ])
    .await;
    let goes = Fake::start([ok()]).await;
    let (mut peers, world, registry) = peers(&[&stays, &refuses, &goes]);
    peers.push(&[alert("a", None)]);
    eventually("it is refused", || {
        !world.store.health().unreachable.is_empty()
    })
    .await;
    eventually("the others have it", || {
        times(&stays, "a") + times(&goes, "a") == 2
    })
    .await;
    // Its next attempt would be in a minute.
    peers.push(&[alert("b", None)]);
    let mut mended = refuses.config();
    mended.auth = Login::Bearer(Secret::Value("right".into()));
    let new = Fake::start([ok()]).await;
    let alerting = Alerting {
        external_labels: BTreeMap::new(),
        resend_interval: Duration::from_secs(60),
        explicit_resolve: false,
        alertmanagers: vec![new.config(), mended, stays.config()],
    };
    peers.replace(&alerting);
    eventually("what waited is posted", || times(&refuses, "b") >= 1).await;
    let last = refuses.requests().pop().unwrap();
    assert!(last.head.contains("Bearer right"), "{}", last.head);
    eventually("the new one is tried", || !new.requests().is_empty()).await;
    peers.push(&[alert("c", None)]);
    eventually("all that are named have it", || {
        [&new, &refuses, &stays]
            .iter()
            .all(|fake| times(fake, "c") == 1)
    })
    .await;
    assert_eq!(times(&goes, "c"), 0);
    assert_eq!(times(&stays, "a"), 1);
    let label = goes.config().label().to_owned();
    assert!(!registry.encode().contains(&label));
}
