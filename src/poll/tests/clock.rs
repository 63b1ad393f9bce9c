//! Tests of noted times against a host's clock that is off, and a vendor's that steps.

use jiff::SignedDuration;
use tokio::time::Instant;

use super::*;
use crate::clock::{Reading, VendorClock};
use crate::clouds::CLOUDS;
use crate::store::disk::Disk;
use crate::store::disk::database::{Contents, StoredKey};
use crate::store::disk::record::ClusterRecord;
use crate::store::history::History;

/// Lets two answers tell that the vendor's clock is off by so many minutes from the local one.
pub(super) fn told_twice(bench: &Bench, minutes: i64) {
    let clock = &bench.generation().clock;
    for _ in 0..2 {
        clock.observe(Reading {
            time: bench.deps.clock.now() + SignedDuration::from_mins(minutes),
            at: Instant::now(),
            precision: SignedDuration::ZERO,
        });
    }
}

/// Minutes by which a time lies before the vendor's time now.
fn age(bench: &Bench, at: Timestamp) -> i64 {
    let clock: &VendorClock = &bench.generation().clock;
    (clock.now().duration_since(at).as_secs() + 30) / 60
}

#[tokio::test(start_paused = true)]
async fn cluster_that_never_answered_is_as_old_as_it_is() {
    let fake = Arc::new(Fake {
        slow: Duration::from_secs(120),
        ..Fake::default()
    });
    fake.set("1", Err(Reason::Timeout));
    let bench = Bench::start(fake, |config| {
        config.clusters = Selection::Listed(vec![crate::config::Listed {
            id: "1".into(),
            name: None,
            thresholds: config.thresholds,
        }]);
    });
    pass(60).await;
    let age_now = || age(&bench, bench.state("1").unwrap().last_success);
    assert_eq!(age_now(), 1);
    for minutes in [20, -20] {
        told_twice(&bench, minutes);
        pass(1).await;
        assert_eq!(age_now(), 1, "{minutes}: it was added a minute ago");
    }
}

#[tokio::test(start_paused = true)]
async fn last_good_poll_and_discovery_move_with_a_step_of_the_vendor() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Paused)));
    fake.set("2", Ok(None));
    let bench = Bench::start(fake.clone(), |_| {});
    pass(10).await;
    fake.set("1", Err(Reason::Timeout));
    pass(50).await;
    for minutes in [120, -120] {
        told_twice(&bench, minutes);
        pass(1).await;
        for id in ["1", "2"] {
            let state = bench.state(id).unwrap();
            assert_eq!(age(&bench, state.last_success), 1, "{minutes} {id}");
        }
        let discoveries = bench.deps.store.discoveries();
        let listed = discoveries.values().next().unwrap().last_success;
        assert_eq!(age(&bench, listed.unwrap()), 1, "{minutes}");
        let failed = bench.state("1").unwrap().last_error.clone().unwrap();
        let failing = bench.deps.store.health().failing[0].since;
        for failed in [age(&bench, failed.at), age(&bench, failing)] {
            assert!((0..=1).contains(&failed), "{minutes}: {failed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn stall_is_measured_in_vendor_time() {
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    let bench = Bench::start(fake, |config| {
        config.thresholds.stalled_after = Duration::from_secs(240);
    });
    pass(61).await;
    let stalled = || bench.state("1").unwrap().upgrades[0].stalled;
    told_twice(&bench, 20);
    for _ in 0..5 {
        pass(30).await;
        assert!(!stalled(), "20 minutes did not pass");
    }
    pass(90).await;
    assert!(stalled(), "4 minutes did");
}

#[tokio::test(start_paused = true)]
async fn clock_of_an_account_outlives_a_new_config() {
    let parse = |limit: u32| {
        let file = format!(
            "accounts: [{{name: a, ncloud: {{access_key: x, secret_key: x, ses: {{}}}}, \
             polling: {{max_concurrency: {limit}}}}}]"
        );
        crate::config::parse(CLOUDS, &file, Path::new("."), &|_| None)
            .unwrap()
            .accounts
    };
    let (deps, _) = deps(Clock::system());
    let store = deps.store.clone();
    let (_ready, latch) = Ready::new();
    let mut polling = Polling::start(parse(1), deps.clone(), latch).await;
    let clock = store.clocks()["a"].clone();
    clock.start_signing();
    for limit in [1, 2, 3] {
        // Another limit opens the account's way anew.
        let prepared = polling.prepare(parse(limit));
        polling.apply(prepared).await;
        assert!(store.clocks()["a"].is_signing(), "{limit}");
    }
    let mut elsewhere = parse(3);
    let text =
        "accounts: [{name: a, ncloud: {region: SGN, access_key: x, secret_key: x, ses: {}}}]";
    elsewhere[0] = crate::config::parse(CLOUDS, text, Path::new("."), &|_| None)
        .unwrap()
        .accounts
        .remove(0);
    let prepared = polling.prepare(elsewhere);
    polling.apply(prepared).await;
    assert!(!store.clocks()["a"].is_signing(), "another vendor's clock");
    let prepared = polling.prepare(Vec::new());
    polling.apply(prepared).await;
    assert!(store.clocks().is_empty());
}

#[tokio::test]
async fn restored_times_are_the_vendors_whatever_the_host_says_now() {
    let stored_at = Timestamp::from_second(1_800_003_000).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (disk, _) = Disk::open(folder.path().to_owned(), History::default()).await;
    tokio::time::pause();
    // The host's clock was an hour behind; now it still is, or was set right, or is half an hour ahead.
    for minutes in [60, 0, -30] {
        let fake = Arc::new(Fake {
            slow: Duration::from_secs(10_000),
            ..Fake::default()
        });
        let file = "accounts: [{name: a, ncloud: {access_key: x, secret_key: x, ses: {}}}]";
        let mut file = crate::config::parse(CLOUDS, file, Path::new("."), &|_| None).unwrap();
        let disk = disk.clone();
        let bench = Bench::with_deps(
            file.accounts.remove(0),
            fake,
            |_| {},
            |account, deps| {
                let state = ClusterState {
                    last_success: stored_at,
                    ..crate::expose::check::cluster("1")
                };
                let memory = Memory {
                    last_success: Some(stored_at),
                    ..Memory::default()
                };
                let step = SignedDuration::from_mins(60);
                let record = ClusterRecord::new(&state, &memory, step, false);
                let key = StoredKey {
                    account: "a".to_owned(),
                    product: FAKE.info().name.to_owned(),
                    location: account.cloud.place(),
                    id: "1".to_owned(),
                };
                let record = crate::text::json::to_string(&record).unwrap();
                let contents = Contents {
                    clusters: [(key, record)].into(),
                    ..Contents::default()
                };
                deps.storage = Storage::new(disk, contents);
            },
        );
        let shown = || bench.state("1").unwrap().last_success;
        assert_eq!(shown(), stored_at - SignedDuration::from_mins(60));
        told_twice(&bench, minutes);
        pass(1).await;
        assert_eq!(shown(), stored_at, "{minutes}");
        // A later step moves them as any others.
        told_twice(&bench, minutes + 20);
        pass(1).await;
        assert_eq!(shown(), stored_at + SignedDuration::from_mins(20));
    }
}
