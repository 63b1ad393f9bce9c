//! Tests of the exporter's health, and of the families that show it.

use jiff::SignedDuration;

use super::*;
use crate::clock::{Clock, Reading, VendorClock};
use crate::expose::check;
use crate::model::{ClusterState, DiscoveryState};
use crate::store::register;
use crate::telemetry::Metrics;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// A store, and what a scrape shows of it.
struct Bench {
    store: Arc<Store>,
    metrics: Metrics,
}

impl Bench {
    fn new() -> Self {
        let (store, mut metrics) = (Arc::new(Store::new()), Metrics::new());
        register(&store, metrics.own());
        Self { store, metrics }
    }

    /// Returns the series whose names begin so, without the prefix of the exporter.
    fn shown(&self, name: &str) -> Vec<String> {
        let text = self.metrics.encode();
        let own = text
            .lines()
            .filter_map(|line| line.strip_prefix("rolling_upgrade_exporter_"));
        own.filter(|line| line.starts_with(name))
            .map(str::to_owned)
            .collect()
    }

    /// Puts a cluster that fails for this reason since so many seconds, or does not fail.
    fn put(&self, id: &str, failure: Option<(Reason, i64)>) {
        self.store.put(ClusterState {
            last_error: failure.map(|(reason, since)| error(reason, since)),
            ..check::cluster(id)
        });
    }

    fn put_discovery(&self, failure: Option<(Reason, i64)>) {
        self.store.put_discovery(discovery(failure));
    }

    /// Puts a clock of whose vendor two answers tell that it is 90 seconds behind.
    fn put_clock(&self, account: &Arc<str>) {
        let clock = VendorClock::new(Clock::fixed(at(1000)));
        self.store.put_clock(account, &clock);
        for _ in 0..2 {
            answer(&clock);
        }
    }
}

/// Lets an answer tell that the vendor's clock is 90 seconds behind.
fn answer(clock: &VendorClock) {
    clock.observe(Reading {
        time: at(910),
        at: tokio::time::Instant::now(),
        precision: SignedDuration::ZERO,
    });
}

fn discovery(failure: Option<(Reason, i64)>) -> DiscoveryState {
    DiscoveryState {
        account: "kr".into(),
        product: "ses",
        cloud: "ncloud",
        cloud_region: "KR".into(),
        last_success: None,
        last_error: failure.map(|(reason, since)| error(reason, since)),
        watched: 2,
        inaccessible: 1,
        left_out: 0,
    }
}

fn error(reason: Reason, since: i64) -> LastError {
    LastError {
        reason,
        message: String::new(),
        at: at(90),
        since: at(since),
    }
}

#[test]
fn regions_of_an_account_add_up() {
    let bench = Bench::new();
    let region = |name: &str, failure| DiscoveryState {
        cloud_region: name.into(),
        watched: 2,
        ..discovery(failure)
    };
    bench
        .store
        .put_discovery(region("one", Some((Reason::Auth, 20))));
    bench
        .store
        .put_discovery(region("two", Some((Reason::Auth, 10))));
    let watched = "clusters{account=\"kr\",product=\"ses\",state=\"watched\"} 4";
    assert!(
        bench.shown("clusters{")[0].ends_with(watched),
        "{:?}",
        bench.shown("clusters{")
    );
    assert_eq!(bench.store.health().failing[0].since, at(10));
    bench.store.remove_discovery(&region("two", None).key());
    assert_eq!(bench.store.health().failing[0].since, at(20));
}

#[test]
fn failing_since_is_of_the_source_that_fails_longest() {
    let bench = Bench::new();
    let name = "failing_since_timestamp_seconds{account=\"kr\",product=\"ses\",reason=";
    let shown = || {
        bench
            .shown(name)
            .iter()
            .map(|line| line.replace(name, ""))
            .collect::<Vec<_>>()
    };
    bench.put("1", Some((Reason::Auth, 10)));
    bench.put("2", Some((Reason::Auth, 20)));
    bench.put("3", Some((Reason::Network, 30)));
    assert_eq!(shown(), ["\"auth\"} 10.0", "\"network\"} 30.0"]);
    bench.put("1", None);
    assert_eq!(shown(), ["\"auth\"} 20.0", "\"network\"} 30.0"]);
    bench.put_discovery(Some((Reason::Network, 5)));
    bench.put("2", Some((Reason::Network, 50)));
    assert_eq!(shown(), ["\"network\"} 5.0"]);
}

#[test]
fn failures_leave_with_their_clusters_and_discoveries() {
    let bench = Bench::new();
    bench.put("1", Some((Reason::Auth, 10)));
    bench.put_discovery(Some((Reason::Auth, 20)));
    assert_eq!(bench.shown("clusters{").len(), 2);
    bench.store.remove(&check::cluster("1").key);
    assert_eq!(bench.store.health().failing[0].since, at(20));
    bench.store.remove_discovery(&discovery(None).key());
    assert!(bench.store.health().failing.is_empty());
    assert!(bench.shown("failing_since").is_empty());
    assert!(bench.shown("clusters{").is_empty());
}

#[test]
fn skew_is_that_of_the_vendors_clock_and_leaves_with_it() {
    let bench = Bench::new();
    let clock = VendorClock::new(Clock::fixed(at(1000)));
    let account = Arc::from("kr");
    bench.store.put_clock(&account, &clock);
    answer(&clock);
    let skew = || bench.store.health().clock_skew;
    assert!(skew().is_empty(), "one answer proves nothing");
    answer(&clock);
    assert!((90.0 - skew()[0].1).abs() < 1.0, "{:?}", skew());
    assert_eq!(bench.shown("clock_skew_seconds{account=\"kr\"} ").len(), 1);
    bench.store.remove_clock("kr");
    assert!(bench.store.health().clock_skew.is_empty());
    assert!(bench.shown("clock_skew_seconds").is_empty());
}

#[test]
fn failed_load_of_the_config_keeps_the_time_of_the_last_good_one() {
    let bench = Bench::new();
    let name = "config_last_reload_";
    assert_eq!(bench.shown(name), ["config_last_reload_successful 1"]);
    for (loaded, is_good) in [(Some(at(7)), 1), (None, 0)] {
        bench.store.put_config_load(loaded);
        let shown = [
            format!("config_last_reload_successful {is_good}"),
            "config_last_reload_success_timestamp_seconds 7.0".to_owned(),
        ];
        assert_eq!(bench.shown(name), shown);
        assert_eq!(bench.store.health().reload_failed, is_good == 0);
    }
}

#[test]
fn storage_is_shown_where_there_is_one() {
    let bench = Bench::new();
    let up = || bench.store.health().storage_up;
    assert_eq!(up(), None);
    assert!(bench.shown("storage_up").is_empty());
    for (is_up, shown) in [(true, "storage_up 1"), (false, "storage_up 0")] {
        bench.store.put_storage(is_up);
        let changes = bench.store.changes();
        bench.store.put_storage(is_up);
        assert_eq!(bench.store.changes(), changes, "no news");
        assert_eq!(up(), Some(is_up));
        assert_eq!(bench.shown("storage_up"), [shown]);
    }
}

#[test]
fn outage_of_an_alertmanager_keeps_its_begin_and_leaves_with_it() {
    let bench = Bench::new();
    let url = "http://am";
    let failing = || bench.store.health().unreachable;
    bench.store.put_alertmanager(url, Some(at(1)));
    assert!(failing().is_empty(), "it is not in the config");
    bench.store.add_alertmanager(url);
    assert!(failing().is_empty());
    for now in [7, 9] {
        bench.store.put_alertmanager(url, Some(at(now)));
        assert_eq!(failing(), [(url.to_owned(), at(7))]);
    }
    let shown = "notifications_failing_since_timestamp_seconds{alertmanager=\"http://am\"} 7.0";
    assert_eq!(bench.shown("notifications"), [shown]);
    bench.store.put_alertmanager(url, None);
    assert!(failing().is_empty() && bench.shown("notifications").is_empty());
    bench.store.put_alertmanager(url, Some(at(11)));
    bench.store.remove_alertmanager(url);
    bench.store.put_alertmanager(url, Some(at(12)));
    assert!(failing().is_empty());
}

#[test]
fn account_labels_are_escaped() {
    let bench = Bench::new();
    let account: Arc<str> = "a\u{202E}\\u{1b}".into();
    bench.store.put_discovery(DiscoveryState {
        account: account.clone(),
        ..discovery(Some((Reason::Auth, 1)))
    });
    bench.put_clock(&account);
    let escaped = r#"{account="a\\u{202e}\\u{5c}u{1b}""#;
    for family in ["clock_skew_seconds{", "clusters{", "failing_since"] {
        let shown = bench.shown(family);
        let is_escaped = |line: &String| line.contains(escaped);
        assert!(
            !shown.is_empty() && shown.iter().all(is_escaped),
            "{shown:?}"
        );
    }
}

#[test]
fn help_texts_end_as_those_of_registered_families() {
    let bench = Bench::new();
    bench.put("1", Some((Reason::Auth, 1)));
    bench.store.put_config_load(Some(at(7)));
    let text = bench.metrics.encode();
    let own = "# HELP rolling_upgrade_exporter_";
    let help: Vec<_> = text.lines().filter(|line| line.starts_with(own)).collect();
    let one_dot = |line: &&str| line.ends_with('.') && !line.ends_with("..");
    assert!(help.iter().all(one_dot), "{help:?}");
}
