//! Tests of a peer in virtual time.

use super::bench::{BEAT, alert, fails, listen, names, posts, start, start_slow, told};
use super::delivery::{BATCH, CAPACITY};
use super::*;
use crate::alert::alertmanager::Remedy;

#[tokio::test(start_paused = true)]
async fn an_empty_post_is_made_at_the_start_and_after_a_quiet_interval() {
    let bench = start([]);
    assert_eq!(bench.after(70).await, posts([(0, ""), (60, "")]));
    bench.push([alert("a", 900)]);
    let made = posts([(0, ""), (60, ""), (70, "a"), (130, "")]);
    assert_eq!(bench.after(61).await, made);
    assert_eq!(bench.counted(), [1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_way_shows_before_an_alert_needs_it() {
    let bench = start([fails(Remedy::Wait, "away"), fails(Remedy::Change, "404")]);
    bench.after(0).await;
    assert_eq!(bench.failing_since(), Some(0));
    // The set-up is wrong: the next try is the next beat.
    assert_eq!(bench.after(59).await.len(), 2);
    assert_eq!(bench.failing_since(), Some(0));
    assert_eq!(bench.after(3).await.len(), 3);
    assert_eq!(bench.failing_since(), None);
    assert_eq!(bench.counted(), [0, 0, 0]);
}

#[test]
fn pauses_double_to_a_limit_and_differ() {
    let pace = Pace::new(BEAT);
    let seconds: Vec<_> = (1..=7).map(|n| pace.pause(n, 1.0).as_secs()).collect();
    assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
    assert_eq!(pace.pause(u32::MAX, 0.0), Duration::from_secs(15));
    assert_eq!(pace.pause(1, 0.5), Duration::from_millis(750));
}

#[tokio::test(start_paused = true)]
async fn a_post_that_failed_is_made_again_with_what_is_newest() {
    let bench = start([
        Ok(()),
        fails(Remedy::Wait, "away"),
        fails(Remedy::Wait, "away"),
    ]);
    bench.after(5).await;
    bench.push([alert("a", 900), alert("b", 900)]);
    tokio::time::sleep(Duration::from_millis(1)).await;
    // In the pause: it is not cut short.
    bench.push([alert("a", 901), alert("c", 900)]);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let first: Vec<_> = bench.posts.lock().iter().map(|p| names(&p.1)).collect();
    assert_eq!(first, ["", "a b"]);
    bench.after(10).await;
    let made = bench.posts.lock().clone();
    let again: Vec<_> = made[2..].iter().map(|p| names(&p.1)).collect();
    assert_eq!(again, ["a b c", "a b c"]);
    assert!(
        made[3].1.contains("00:31:41"),
        "a in its newer version: {}",
        made[3].1
    );
    let pause = |n: usize| made[n].0.abs_diff(made[n - 1].0).as_millis();
    assert!((500..=1000).contains(&pause(2)), "{}", pause(2));
    assert!((1000..=2000).contains(&pause(3)), "{}", pause(3));
    assert_eq!(bench.counted(), [2 + 3 + 3, 2 + 3, 0]);
    assert_eq!(bench.failing_since(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_over_is_not_told_when_the_alertmanager_is_back() {
    let bench = start_slow(
        [Ok(()), fails(Remedy::Wait, "away")],
        Duration::from_secs(3),
    );
    bench.after(5).await;
    bench.push([alert("a", 900), alert("b", 900), alert("ended", 0)]);
    bench.after(1).await;
    // The post is under way.
    bench.push([alert("c", 900)]);
    let labels = |name| alert(name, 900).alert.labels;
    let over = [labels("a"), labels("c"), labels("ended")];
    bench.peer.withdraw(&over);
    let made = posts([(0, ""), (5, "a b ended"), (8, "b ended")]);
    assert_eq!(bench.after(5).await, made);
    // What fires again is new.
    bench.push([alert("a", 900)]);
    assert_eq!(bench.after(4).await.last().unwrap().1, "a");
}

#[tokio::test(start_paused = true)]
async fn what_is_pushed_during_a_post_comes_after_it() {
    let bench = start_slow([], Duration::from_secs(3));
    bench.push([alert("a", 900)]);
    bench.after(1).await;
    bench.push([alert("a", 901), alert("b", 900)]);
    assert_eq!(bench.after(5).await, posts([(0, "a"), (3, "a b")]));
}

#[tokio::test(start_paused = true)]
async fn a_bad_alert_neither_repeats_nor_loses_the_rest() {
    // Alertmanager stored the good ones.
    let bench = start([Ok(()), fails(Remedy::Leave, "HTTP 400, b is bad")]);
    bench.after(0).await;
    bench.push(["a", "b", "c"].map(|name| alert(name, 900)));
    assert_eq!(bench.after(50).await, posts([(0, ""), (0, "a b c")]));
    assert_eq!(bench.counted(), [3, 3, 0]);

    // Somebody refuses the whole for b.
    let no = || fails(Remedy::Split, "HTTP 422");
    // [a b c d], [a b], a, [b c], b
    let bench = start([Ok(()), no(), no(), Ok(()), no(), no()]);
    bench.after(0).await;
    bench.push(["a", "b", "c", "d"].map(|name| alert(name, 900)));
    let made: Vec<_> = bench.after(50).await.into_iter().map(|p| p.1).collect();
    assert_eq!(made, ["", "a b c d", "a b", "a", "b c", "b", "c", "d"]);
    assert_eq!(bench.counted(), [4, 1, 0]);
    bench.peer.give_up();
    assert_eq!(bench.counted()[2], 0, "nothing is left");
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_breaks_every_post_holds_up_no_other_for_ever() {
    // It is a.
    let broken = || fails(Remedy::Doubt, "HTTP 500");
    let answers = [
        Ok(()),
        broken(),
        broken(),
        broken(),
        Ok(()),
        Ok(()),
        broken(),
    ];
    let bench = start(answers);
    bench.after(0).await;
    bench.push(["a", "b", "c", "d"].map(|name| alert(name, 900)));
    let made: Vec<_> = bench.after(30).await.into_iter().map(|p| p.1).collect();
    assert_eq!(made, ["", "a b c d", "a b", "a", "b", "c d", "a", "a"]);
    assert_eq!(
        bench.counted(),
        [4 + 2 + 1 + 1 + 2 + 1 + 1, 4 + 2 + 1 + 1, 0]
    );
}

#[tokio::test(start_paused = true)]
async fn a_bad_alert_that_is_renewed_is_one_trouble_not_many() {
    listen();
    let bad = || fails(Remedy::Leave, "HTTP 400, it left out alerts: bad");
    let bench = start([Ok(()), bad(), Ok(()), bad(), Ok(())]);
    bench.after(0).await;
    for name in ["bad", "good", "bad", "good"] {
        bench.push([alert(name, 900)]);
        bench.after(30).await;
        assert_eq!(bench.failing_since(), Some(0), "{name}");
    }
    assert_eq!(told().len(), 1, "{:?}", told());
    assert!(
        told()[0].contains("does not take every alert"),
        "{:?}",
        told()
    );
    // The last was posted at 60 s.
    bench.after(120).await;
    assert_eq!(bench.failing_since(), None);
    assert_eq!(told().len(), 2, "{:?}", told());
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_at_its_start_and_its_end() {
    listen();
    let away = |n: usize| (0..n).map(|n| fails(Remedy::Wait, &format!("cause {n}")));
    let then = [fails(Remedy::Change, "HTTP 401"), Ok(())];
    let again = [fails(Remedy::Wait, "again"), Ok(())];
    let bench = start(away(9).chain(then).chain(again));
    bench.after(0).await;
    // Nine pauses are at least 75 s.
    bench.push([alert("a", 60), alert("b", 900), alert("c", 0)]);
    bench.after(400).await;
    let told = told();
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!(
        told[0],
        "WARN The Alertmanager takes no alerts. alertmanager=\"http://am\" error=\"cause 0\""
    );
    assert!(told[1].contains("401"), "another trouble: {told:?}");
    assert!(
        told[2].starts_with("INFO The Alertmanager takes alerts again."),
        "{told:?}"
    );
    assert!(told[2].ends_with("ended_meanwhile=1"), "{told:?}");
    assert!(told[3].contains("again"), "another outage: {told:?}");
    assert!(told[4].ends_with("ended_meanwhile=0"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_fires_is_not_posted_after_its_end() {
    let away = (0..7).map(|_| fails(Remedy::Wait, "away"));
    let bench = start(away);
    bench.push([alert("short", 20), alert("resolved", 0), alert("long", 900)]);
    let made = bench.after(200).await;
    let at = |names: &str| {
        made.iter()
            .filter(|p| p.1 == names)
            .map(|p| p.0)
            .collect::<Vec<_>>()
    };
    assert!(
        at("short resolved long").iter().all(|second| *second < 20),
        "{made:?}"
    );
    assert!(!at("resolved long").is_empty(), "{made:?}");
    assert_eq!(
        made.iter().filter(|p| p.1.contains("short")).count(),
        at("short resolved long").len()
    );
    assert_eq!(bench.counted()[2], 0, "it is not dropped: it is over");
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_fills_the_queue_drops_the_oldest_and_is_told_once() {
    listen();
    let bench = start((0..99).map(|_| fails(Remedy::Wait, "away")));
    bench.after(0).await;
    for n in 0..CAPACITY + 10 {
        bench.push([alert(&n.to_string(), 90_000)]);
    }
    assert_eq!(bench.counted(), [0, 0, 10]);
    let full = || {
        let told = told();
        told.iter()
            .filter(|line| line.contains("oldest are dropped"))
            .count()
    };
    assert_eq!(full(), 1);
    let made = bench.after(2).await;
    assert!(made.last().unwrap().1.starts_with("10 11 12 "), "{made:?}");
    bench.push([alert("one more", 90_000)]);
    assert_eq!(bench.counted()[2], 11);
    assert_eq!(full(), 1);
    assert_eq!(
        names(&bench.posts.lock().last().unwrap().1)
            .split(' ')
            .count(),
        BATCH
    );
}

#[tokio::test(start_paused = true)]
async fn a_bug_does_not_end_the_alerts() {
    listen();
    let bench = start([Ok(()), fails(Remedy::Wait, "panic")]);
    bench.after(0).await;
    bench.push([alert("a", 900)]);
    bench.after(5).await;
    bench.push([alert("b", 900)]);
    let made = posts([(0, ""), (0, "a"), (10, "b")]);
    assert_eq!(bench.after(10).await, made);
    assert_eq!(bench.counted(), [1, 0, 1]);
    assert!(
        told().iter().any(|line| line.contains("this is a bug")),
        "{:?}",
        told()
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_over_in_a_lost_post_may_fire_again() {
    let answers = [
        Ok(()),
        fails(Remedy::Wait, "panic"),
        fails(Remedy::Wait, "away"),
    ];
    let bench = start_slow(answers, Duration::from_secs(3));
    bench.after(5).await;
    bench.push([alert("a", 900)]);
    bench.after(1).await;
    bench.peer.withdraw(&[alert("a", 900).alert.labels]);
    bench.after(4).await;
    bench.push([alert("a", 900)]);
    let made = bench.after(20).await;
    let made: Vec<_> = made.iter().map(|(_, names)| &**names).collect();
    assert_eq!(made, ["", "a", "a", "a"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_empties_the_queue_even_from_a_pause() {
    let away = |n: usize| (0..n).map(|_| fails(Remedy::Wait, "away"));
    let mut bench = start(away(5));
    bench.push((0..100).map(|n| alert(&n.to_string(), 9000)));
    // The fifth post is made after 15 s at the most, and the pause after it is 8 s at least.
    let before = bench.after(15).await.len();
    assert_eq!(before, 5);
    bench.stop.send_replace(true);
    bench.task.join_next().await;
    let made = bench.after(0).await;
    assert_eq!(made.len(), 7, "{made:?}");
    assert!(made[6].1.ends_with(" 99") && made[6].0 <= 15, "{made:?}");
    bench.peer.give_up();
    assert_eq!(bench.counted()[2], 0, "nothing is left");

    let mut bench = start(away(99));
    bench.push([alert("a", 9000)]);
    bench.after(3).await;
    let before = bench.after(0).await.len();
    bench.stop.send_replace(true);
    bench.task.join_next().await;
    assert_eq!(bench.after(0).await.len(), before + 1, "once more");
    bench.peer.give_up();
    assert_eq!(bench.counted()[2], 1);
}
