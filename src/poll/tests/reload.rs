//! A new config while clusters are polled: what goes on, what changes, what ends.

use super::*;
use crate::clouds::CLOUDS;

/// A cluster whose upgrade runs, seen for the first time at the start.
fn running() -> Arc<Fake> {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    fake
}

const CHANGED: Tally = Tally {
    added: 0,
    removed: 0,
    changed: 1,
};

#[tokio::test(start_paused = true)]
async fn what_is_as_it_was_notices_nothing() {
    let mut bench = Bench::start(running(), |_| {});
    pass(100).await;
    let before = bench.state("1").unwrap();
    let polls = bench.fake.polls("1");
    for _ in 0..50 {
        assert_eq!(bench.reload(|_, _| {}).await, Tally::default());
    }
    assert!(Arc::ptr_eq(&before, &bench.state("1").unwrap()));
    pass(1).await;
    assert!(bench.fake.polls("1") <= polls + 1, "it keeps its schedule");
    assert_eq!(bench.fake.discoveries.load(Ordering::Relaxed), 1);
    pass(300).await;
    assert!(bench.fake.polls("1") >= polls + 9, "and goes on");
}

#[tokio::test(start_paused = true)]
async fn other_limits_are_true_at_once() {
    let mut bench = Bench::start(running(), |_| {});
    pass(100).await;
    let polls = bench.fake.polls("1");
    assert!(!bench.state("1").unwrap().upgrades[0].stalled);
    let limit = |seconds| {
        move |_: &mut Account, config: &mut ProductConfig| {
            config.thresholds.stalled_after = Duration::from_secs(seconds);
        }
    };
    assert_eq!(bench.reload(limit(60)).await, CHANGED);
    let state = bench.state("1").unwrap();
    assert!(state.upgrades[0].stalled);
    assert_eq!(state.thresholds.stalled_after.as_secs(), 60);
    assert_eq!(bench.reload(limit(3600)).await, CHANGED);
    assert!(!bench.state("1").unwrap().upgrades[0].stalled);
    pass(1).await;
    assert_eq!(bench.fake.polls("1"), polls, "without a poll");
    assert_eq!(bench.fake.discoveries.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_is_dropped_and_made_again() {
    let fake = Arc::new(Fake {
        slow: Duration::from_secs(50),
        ..Fake::default()
    });
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    let mut bench = Bench::start(fake, |_| {});
    pass(10).await;
    let unanswered = |bench: &Bench| bench.fake.unanswered.load(Ordering::Relaxed);
    assert_eq!((bench.fake.polls("1"), unanswered(&bench)), (1, 1));
    bench
        .reload(|_, config| config.thresholds.stalled_after *= 2)
        .await;
    pass(49).await;
    assert_eq!(bench.fake.polls("1"), 2, "by the new generation, at once");
    assert!(
        !bench.state("1").unwrap().up,
        "the answer of before is lost"
    );
    pass(2).await;
    assert!(bench.state("1").unwrap().up);
    assert_eq!(unanswered(&bench), 1, "the dropped one");
    let polls = "polls_total{account=\"a\",product=\"fake\"} 2\n";
    let counted = bench.registry.encode();
    assert!(counted.contains(polls), "a discovery, a poll: {counted}");
}

#[tokio::test(start_paused = true)]
async fn another_way_is_gone_at_once_with_what_was_seen() {
    let mut bench = Bench::start(running(), |_| {});
    pass(10).await;
    let seen = bench.state("1").unwrap().upgrades[0].last_progress;
    // From now on nobody answers any more.
    bench.fake.panics.store(true, Ordering::Relaxed);
    bench.fake = Arc::new(Fake {
        slow: Duration::from_secs(100_000),
        ..Fake::default()
    });
    bench.fake.set("1", Ok(Some(UpgradeStatus::Running)));
    bench.reload(|_, _| {}).await;
    pass(400).await;
    assert_eq!(bench.fake.polls("1"), 1, "the poll is under way");
    bench.fake = running();
    bench.reload(|_, _| {}).await;
    pass(1).await;
    assert_eq!(bench.fake.polls("1"), 1, "it is begun anew");
    assert_eq!(bench.fake.discoveries.load(Ordering::Relaxed), 1);
    let state = bench.state("1").unwrap();
    assert!(state.up);
    assert_eq!(state.upgrades[0].last_progress, seen, "first sight stays");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_failed_is_asked_at_once_in_the_new_way() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Err(Reason::Auth));
    let mut bench = Bench::start(fake, |_| {});
    pass(2000).await;
    bench.fake = running();
    bench.reload(|_, _| {}).await;
    pass(1).await;
    assert!(bench.state("1").unwrap().up);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_interval_holds_from_now_on() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(None));
    let mut bench = Bench::start(fake, |_| {});
    pass(10).await;
    bench
        .reload(|account, _| {
            account.polling.idle_interval = Duration::from_secs(5);
            account.polling.discovery_interval = Duration::from_secs(20);
        })
        .await;
    assert_eq!(bench.state("1").unwrap().poll_interval.as_secs(), 5);
    pass(60).await;
    assert!(bench.fake.polls("1") >= 10);
    assert!(bench.fake.discoveries.load(Ordering::Relaxed) >= 3);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_interval_ends_no_pause_that_the_vendor_asks_for() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Err(Reason::Throttled));
    *fake.retry_after.lock() = Some(Duration::from_secs(3600));
    let mut bench = Bench::start(fake, |_| {});
    pass(10).await;
    assert_eq!(bench.fake.polls("1"), 1);
    for seconds in [100, 50] {
        bench
            .reload(|account, _| account.polling.idle_interval = Duration::from_secs(seconds))
            .await;
        pass(600).await;
        assert_eq!(bench.fake.polls("1"), 1, "nothing is asked before it ends");
    }
    pass(3600).await;
    assert_eq!(bench.fake.polls("1"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_interval_lists_no_sooner_than_the_vendor_asks_for() {
    let fake = Arc::new(Fake::default());
    *fake.listing.lock() = Some(Reason::Throttled);
    *fake.retry_after.lock() = Some(Duration::from_secs(3600));
    let mut bench = Bench::start(fake, |_| {});
    pass(10).await;
    bench
        .reload(|account, _| account.polling.discovery_interval = Duration::from_secs(50))
        .await;
    pass(600).await;
    assert_eq!(bench.fake.discoveries.load(Ordering::Relaxed), 1);
    pass(3600).await;
    assert_eq!(bench.fake.discoveries.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_not_chosen_any_more_is_gone_for_good() {
    let fake = Arc::new(Fake {
        slow: Duration::from_secs(5),
        ..Fake::default()
    });
    fake.set("1", Ok(None));
    fake.set("2", Err(Reason::Auth));
    let mut bench = Bench::start(fake, |_| {});
    pass(6).await;
    let due = bench.fake.polls("2") + 1;
    while bench.fake.polls("2") < due {
        pass(1).await;
    }
    let removed = Tally {
        removed: 1,
        ..Tally::default()
    };
    assert_eq!(
        bench
            .reload(|_, config| config.exclude = vec!["name-2".into()])
            .await,
        removed
    );
    assert!(bench.state("2").is_none());
    assert!(bench.state("1").is_some());
    assert!(bench.deps.store.health().failing.is_empty());
    pass(3000).await;
    assert!(
        bench.state("2").is_none(),
        "the poll that was under way puts nothing"
    );
    assert!(bench.deps.store.health().failing.is_empty());
    assert_eq!(bench.fake.polls("2"), due);
    let added = Tally {
        added: 1,
        ..Tally::default()
    };
    assert_eq!(
        bench.reload(|_, config| config.exclude.clear()).await,
        added
    );
    assert!(
        bench.state("2").is_some(),
        "it is known from the last discovery"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_with_another_name_keeps_what_was_seen() {
    let mut bench = Bench::start(running(), |_| {});
    pass(10).await;
    let before = bench.state("1").unwrap();
    let name = |name: Option<&'static str>| {
        move |_: &mut Account, config: &mut ProductConfig| {
            config.clusters = Selection::Listed(vec![crate::config::Listed {
                id: "1".into(),
                name: name.map(str::to_owned),
                thresholds: config.thresholds,
            }]);
        }
    };
    assert_eq!(bench.reload(name(Some("mine"))).await, CHANGED);
    let state = bench.state("1").unwrap();
    assert_eq!(&*state.name, "mine");
    assert_eq!(state.upgrades, before.upgrades);
    pass(100).await;
    let state = bench.state("1").unwrap();
    assert_eq!(&*state.name, "mine");
    assert_eq!(
        state.upgrades[0].last_progress,
        before.upgrades[0].last_progress
    );
    assert_eq!(bench.reload(name(None)).await, CHANGED);
    assert_eq!(&*bench.state("1").unwrap().name, "name-1");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_outlives_a_panic_of_the_discovery_and_a_reload() {
    let mut bench = Bench::start(running(), |_| {});
    pass(10).await;
    bench.fake.no_list.store(true, Ordering::Relaxed);
    pass(1000).await;
    assert!(bench.fake.discoveries.load(Ordering::Relaxed) > 1);
    bench
        .reload(|_, config| config.exclude = vec!["other".into()])
        .await;
    let state = bench.state("1").expect("it is still watched");
    assert!(state.up);
    let polls = bench.fake.polls("1");
    pass(100).await;
    assert!(bench.fake.polls("1") > polls, "it is still polled");
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_outlives_a_panic_of_the_worker() {
    let mut bench = Bench::start(running(), |_| {});
    pass(10).await;
    let seen = bench.state("1").unwrap().upgrades[0].last_progress;
    bench.fake.panics.store(true, Ordering::Relaxed);
    pass(100).await;
    bench.reload(|_, _| {}).await;
    bench.fake.panics.store(false, Ordering::Relaxed);
    pass(100).await;
    let state = bench.state("1").unwrap();
    assert!(state.up);
    assert_eq!(state.upgrades[0].last_progress, seen);
}

#[tokio::test(start_paused = true)]
async fn readiness_still_waits_for_a_first_round_that_was_begun_anew() {
    let fake = Arc::new(Fake {
        slow: Duration::from_secs(50),
        ..Fake::default()
    });
    fake.set("1", Ok(None));
    let mut bench = Bench::start(fake, |_| {});
    pass(10).await;
    bench.fake = Arc::new(Fake {
        slow: Duration::from_secs(5),
        ..Fake::default()
    });
    bench.fake.set("1", Ok(None));
    bench.reload(|_, _| {}).await;
    pass(4).await;
    assert!(!bench.ready.is_ready());
    pass(2).await;
    assert!(bench.ready.is_ready());
}

/// Accounts whose clouds are away.
fn accounts(text: &str) -> Vec<Account> {
    let text = text.replace("AWAY", "endpoint: 'http://127.0.0.1:1'");
    let config = crate::config::parse(CLOUDS, &text, Path::new("."), &|_| None);
    config.unwrap().accounts
}

#[tokio::test]
async fn accounts_and_products_come_and_go_with_their_series() {
    let (deps, registry) = deps(Clock::system());
    let (ready, first) = Ready::new();
    let before = accounts(
        "accounts: [{name: a, ncloud: {access_key: x, secret_key: x, ses: {AWAY}, cdss: {AWAY}}}, \
         {name: b, ncloud: {access_key: x, secret_key: x, ses: {AWAY, clusters: [7]}}}]",
    );
    let mut polling = Polling::start(before.clone(), deps.clone(), first).await;
    while !ready.is_ready() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let looked = || -> Vec<String> {
        let discoveries = deps.store.discoveries();
        let names = discoveries
            .keys()
            .map(|key| format!("{}/{}", key.account, key.product));
        names.collect()
    };
    assert_eq!(looked(), ["a/cdss", "a/ses", "b/ses"]);
    let prepared = polling.prepare(before).open().unwrap();
    assert_eq!(polling.apply(prepared).await, Changes::default());

    let after = accounts(
        "accounts: [{name: c, ncloud: {access_key: x, secret_key: x, cdss: {AWAY}}}, \
         {name: a, ncloud: {access_key: y, secret_key: x, ses: {AWAY, exclude: [x]}}}]",
    );
    let prepared = polling.prepare(after).open().unwrap();
    let changes = polling.apply(prepared).await;
    let one = Tally {
        added: 1,
        removed: 1,
        changed: 1,
    };
    assert_eq!(changes.accounts, one);
    assert_eq!(changes.clusters.removed, 1);
    assert_eq!(looked(), ["a/ses", "c/cdss"]);
    assert!(deps.store.snapshot().is_empty());
    let text = registry.encode();
    assert!(!text.contains("account=\"b\""), "{text}");
    assert!(!text.contains("account=\"a\",product=\"cdss\""), "{text}");
    let polls = "polls_total{account=\"a\",product=\"ses\"} ";
    let (_, polls) = text.split_once(polls).unwrap();
    assert!(!polls.starts_with('0'), "a counter never goes back");
    assert!(
        text.contains("polls_total{account=\"c\",product=\"cdss\"} "),
        "{text}"
    );
}

/// An account that is in these regions.
fn in_regions(regions: &[&str]) -> Vec<Account> {
    let region = |region| {
        let keys = "access_key: x, secret_key: x, ses: {AWAY, clusters: [ID]}";
        let text = format!("accounts: [{{name: a, ncloud: {{region: {region}, {keys}}}}}]");
        let id = match region {
            "KR" => "1",
            "SGN" => "2",
            _ => "3",
        };
        accounts(&text.replace("ID", id)).remove(0)
    };
    regions.iter().copied().map(region).collect()
}

#[tokio::test]
async fn regions_of_an_account_are_polled_side_by_side() {
    let (deps, registry) = deps(Clock::system());
    let (ready, first) = Ready::new();
    let mut polling = Polling::start(in_regions(&["KR", "SGN"]), deps.clone(), first).await;
    while !ready.is_ready() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let found = || -> Vec<String> {
        let discoveries = deps.store.discoveries();
        let regions = discoveries.keys().map(|key| key.region.to_string());
        let snapshot = deps.store.snapshot();
        let ids = snapshot
            .values()
            .map(|state| format!("{} {}", state.cloud_region, state.key.id));
        regions.chain(ids).collect()
    };
    assert_eq!(found(), ["KR", "SGN", "KR 1", "SGN 2"]);
    assert_eq!(deps.store.clocks().len(), 1, "vendor time is per account");
    let text = registry.encode();
    let polls = "polls_total{account=\"a\",product=\"ses\"} ";
    assert_eq!(text.matches(polls).count(), 1, "{text}");

    let prepared = polling.prepare(in_regions(&["JPN", "SGN"])).open().unwrap();
    let changes = polling.apply(prepared).await;
    assert_eq!(changes.accounts.changed, 1, "{changes:?}");
    assert_eq!((changes.accounts.added, changes.accounts.removed), (0, 0));
    assert_eq!(found()[..2], ["JPN", "SGN"]);
    assert!(found().contains(&"SGN 2".to_owned()), "{:?}", found());
    assert_eq!(deps.store.clocks().len(), 1);

    let prepared = polling.prepare(in_regions(&["SGN"])).open().unwrap();
    assert_eq!(polling.apply(prepared).await.accounts.removed, 1);
    assert_eq!(found(), ["SGN", "SGN 2"]);
    assert_eq!(deps.store.clocks().len(), 1);
    let prepared = polling.prepare(Vec::new()).open().unwrap();
    polling.apply(prepared).await;
    assert!(found().is_empty() && deps.store.clocks().is_empty());
    assert!(!registry.encode().contains(polls));
}

/// Starts a server that takes connections and answers none; counts them.
async fn silent_server() -> (String, Arc<AtomicU32>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let taken = Arc::new(AtomicU32::new(0));
    let count = taken.clone();
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            open.push(listener.accept().await.unwrap());
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    (address, taken)
}

#[tokio::test]
async fn a_product_that_did_not_change_is_not_restarted() {
    let (deps, _) = deps(Clock::system());
    let (silent, taken) = silent_server().await;
    let config = |ses, of_b| {
        accounts(&format!(
            "accounts: [{{name: a, ncloud: {{access_key: x, secret_key: x, \
             ses: {{AWAY, stalled_after: {ses}}}, cdss: {{AWAY}}}}}}, \
             {{name: b, ncloud: {{access_key: x, secret_key: x, \
             ses: {{endpoint: 'http://{silent}', stalled_after: {of_b}}}}}}}]"
        ))
    };
    let calls = async |want| {
        let begun = tokio::time::Instant::now();
        while taken.load(Ordering::Relaxed) < want {
            assert!(begun.elapsed().as_secs() < 5, "no call {want}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(taken.load(Ordering::Relaxed), want);
    };
    let mut polling = Polling::start(config("1h", "1h"), deps, Latch::spent()).await;
    let generations = |polling: &Polling| -> Vec<_> {
        let products = polling.accounts.iter().flat_map(|one| &one.products);
        let generations = products.map(|product| Arc::as_ptr(&product.generation) as usize);
        generations.collect()
    };
    calls(1).await;
    let before = generations(&polling);
    let prepared = polling.prepare(config("2h", "1h")).open().unwrap();
    let changes = polling.apply(prepared).await;
    assert_eq!(changes.accounts.changed, 1);
    let after = generations(&polling);
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1..], after[1..]);
    calls(1).await;
    let prepared = polling.prepare(config("2h", "2h")).open().unwrap();
    polling.apply(prepared).await;
    calls(2).await;
}

#[tokio::test]
async fn an_account_in_another_place_begins_anew() {
    let (deps, registry) = deps(Clock::system());
    let account = |region| {
        accounts(&format!(
            "accounts: [{{name: a, ncloud: {{region: {region}, access_key: x, secret_key: x, ses: {{AWAY, clusters: [7]}}}}}}]"
        ))
    };
    let (ready, first) = Ready::new();
    let mut polling = Polling::start(account("KR"), deps.clone(), first).await;
    while !ready.is_ready() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(deps.store.snapshot().len(), 1);
    let polls = || {
        let text = registry.encode();
        let (_, polls) = text.split_once("polls_total{account=\"a\",product=\"ses\"} ")?;
        polls.lines().next()?.parse::<u64>().ok()
    };
    let before = polls();
    assert!(before > Some(0));
    let prepared = polling.prepare(account("SGN")).open().unwrap();
    let changes = polling.apply(prepared).await;
    assert_eq!((changes.accounts.changed, changes.clusters.removed), (1, 1));
    for state in deps.store.snapshot().values() {
        assert_eq!(&*state.cloud_region, "SGN");
    }
    assert!(polls() >= before, "a counter never goes back");
    let prepared = polling.prepare(Vec::new()).open().unwrap();
    polling.apply(prepared).await;
    assert_eq!(polls(), None);
    let prepared = polling.prepare(account("SGN")).open().unwrap();
    polling.apply(prepared).await;
    assert_eq!(polls(), Some(0), "it begins anew");
}

#[tokio::test]
async fn a_config_that_was_replaced_is_let_go_with_its_secrets() {
    let (deps, _) = deps(Clock::system());
    let account = |key: u32| {
        accounts(&format!(
            "accounts: [{{name: a, ncloud: {{access_key: x{key}, secret_key: x, ses: {{AWAY, clusters: [7]}}}}}}]"
        ))
    };
    let (ready, first) = Ready::new();
    let mut polling = Polling::start(account(0), deps, first).await;
    while !ready.is_ready() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut old = Vec::new();
    for key in 1..=3 {
        let running = &polling.accounts[0];
        old.push((
            Arc::downgrade(&running.account),
            Arc::downgrade(&running.access),
        ));
        let prepared = polling.prepare(account(key)).open().unwrap();
        polling.apply(prepared).await;
    }
    // A call that is under way may hold them until it hears of the new config.
    let kept = || {
        let mut old = old.iter();
        old.any(|(account, access)| account.strong_count() + access.strong_count() > 0)
    };
    let begun = tokio::time::Instant::now();
    while kept() {
        assert!(begun.elapsed().as_secs() < 20, "an old config is kept");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
