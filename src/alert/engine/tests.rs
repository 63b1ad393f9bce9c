//! Tests with a clock that the test sets.

use std::future::pending;

use tempfile::tempdir;
use tokio::time::{Instant, sleep};

use super::*;
use crate::alert::rules;
use crate::model::Reason;
use crate::store::disk::Disk;
use crate::store::{Failing, Store};

const START: i64 = 1_700_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

fn engine(explicit_resolve: bool) -> Engine {
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let config = Alerting {
        external_labels: Labels::from([label("site", "kr"), label("severity", "mine")]),
        resend_interval: Duration::from_secs(60),
        explicit_resolve,
        alertmanagers: Vec::new(),
    };
    Engine::new(&config, None, BTreeMap::new())
}

/// What is posted at a second when the config could, or could not, be reloaded.
fn step(engine: &mut Engine, seconds: i64, failed: bool) -> Vec<Posting> {
    let health = ExporterHealth {
        reload_failed: failed,
        ..ExporterHealth::default()
    };
    step_with(engine, seconds, health)
}

fn step_with(engine: &mut Engine, seconds: i64, health: ExporterHealth) -> Vec<Posting> {
    step_at_most(engine, seconds, health, usize::MAX)
}

fn step_at_most(
    engine: &mut Engine,
    seconds: i64,
    health: ExporterHealth,
    most: usize,
) -> Vec<Posting> {
    looked(engine, seconds, health, most).postings
}

fn looked(engine: &mut Engine, seconds: i64, health: ExporterHealth, most: usize) -> Step {
    let times = crate::clock::Times::at(at(seconds));
    engine.step(times, &Snapshot::default(), health, most)
}

fn only(postings: Vec<Posting>) -> Posting {
    assert_eq!(postings.len(), 1, "{postings:?}");
    postings.into_iter().next().unwrap()
}

#[test]
fn an_alert_leads_to_the_page_of_what_it_is_about() {
    let page: ExternalUrl = "https://x.example/up".parse().unwrap();
    let of = |labels: &[(&str, &str)]| {
        let owned = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        link(&page, &owned.collect())
    };
    assert_eq!(of(&[("alertname", "x")]), "https://x.example/up/");
    assert_eq!(
        of(&[
            ("account", "a&b"),
            ("product", "ses"),
            ("cluster_id", "7"),
            ("kind", "version")
        ]),
        "https://x.example/up/?account=a%26b&product=ses&q=7"
    );
    assert_eq!(
        of(&[
            ("account", "a"),
            ("product", "cce"),
            ("endpoint", "ListNodes")
        ]),
        "https://x.example/up/?account=a&product=cce&q=ListNodes"
    );

    let mut engine = engine(false);
    let posted = only(step(&mut engine, 1, true));
    assert_eq!(posted.alert.generator_url, None);
    engine.page = Some(page);
    let posted = only(step(&mut engine, 61, true));
    assert_eq!(
        posted.alert.generator_url.as_deref(),
        Some("https://x.example/up/")
    );
}

#[test]
fn an_alert_is_posted_at_once_and_then_at_every_interval() {
    let mut engine = engine(false);
    assert!(step(&mut engine, 0, false).is_empty());
    let first = only(step(&mut engine, 1, true));
    assert_eq!(first.alert.starts_at, at(1));
    assert_eq!(first.alert.ends_at, at(1 + 4 * 60));
    assert!(!first.resolved);
    assert!(step(&mut engine, 2, true).is_empty());
    assert!(step(&mut engine, 60, true).is_empty());
    let second = only(step(&mut engine, 61, true));
    assert_eq!(second.alert.starts_at, at(1), "it began then");
    assert_eq!(second.alert.ends_at, at(61 + 4 * 60));
}

#[test]
fn labels_are_those_of_the_rule_with_the_external_ones_where_they_are_free() {
    let posting = only(step(&mut engine(false), 0, true));
    let labels: Vec<_> = posting
        .alert
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        labels,
        [
            "alertname=RollingUpgradeConfigReloadFailed",
            "severity=warning",
            "site=kr"
        ]
    );
    let texts: Vec<_> = posting.alert.annotations.keys().collect();
    assert_eq!(texts, ["description", "runbook_url", "summary"]);
}

#[test]
fn an_end_is_left_to_lapse() {
    let mut engine = engine(false);
    let posted = only(step(&mut engine, 0, true));
    let over = looked(&mut engine, 5, ExporterHealth::default(), 9);
    assert!(over.postings.is_empty());
    assert_eq!(over.over, [posted.alert.labels], "what waits is withdrawn");
    assert!(
        looked(&mut engine, 6, ExporterHealth::default(), 9)
            .over
            .is_empty()
    );
    assert!(step(&mut engine, 100, false).is_empty());
    let again = only(step(&mut engine, 110, true));
    assert_eq!(again.alert.starts_at, at(110), "it is a new alert");
}

#[test]
fn an_end_is_told_for_a_quarter_of_an_hour_if_wanted() {
    let mut engine = engine(true);
    only(step(&mut engine, 0, true));
    let ended = looked(&mut engine, 5, ExporterHealth::default(), 9);
    assert!(ended.over.is_empty(), "the end itself is told");
    let over = only(ended.postings);
    assert!(over.resolved);
    assert_eq!((over.alert.starts_at, over.alert.ends_at), (at(0), at(5)));
    assert!(step(&mut engine, 6, false).is_empty());
    let again = only(step(&mut engine, 65, false));
    assert_eq!(again.alert.ends_at, at(5), "it ended then");
    only(step(&mut engine, 904, false));
    assert!(step(&mut engine, 905, false).is_empty());
    assert!(engine.alerts.is_empty(), "nothing is kept for ever");
}

#[test]
fn an_alert_that_comes_back_within_that_time_is_a_new_one() {
    let mut engine = engine(true);
    only(step(&mut engine, 0, true));
    only(step(&mut engine, 5, false));
    let again = only(step(&mut engine, 6, true));
    assert!(!again.resolved);
    assert_eq!(again.alert.starts_at, at(6));
    assert_eq!(again.alert.ends_at, at(6 + 4 * 60));
}

#[test]
fn a_clock_that_is_set_back_silences_nothing_and_starts_nothing_in_the_future() {
    let mut engine = engine(true);
    only(step(&mut engine, 1000, true));
    let back = only(step(&mut engine, 0, true));
    assert!(back.alert.starts_at <= at(0), "{back:?}");
    assert_eq!(back.alert.ends_at, at(4 * 60));
    assert!(step(&mut engine, 1, true).is_empty());
    let over = only(step(&mut engine, -500, false));
    assert!(over.alert.starts_at <= over.alert.ends_at, "{over:?}");
    only(step(&mut engine, -5000, false));
    assert!(step(&mut engine, -4100, false).is_empty());
    assert!(
        engine.alerts.is_empty(),
        "it is told for a quarter of an hour"
    );
}

#[test]
fn of_too_many_each_gets_its_turn_and_what_is_new_and_worse_goes_first() {
    let mut engine = engine(false);
    // With the least resend interval all are due again before each step.
    engine.resend = Duration::from_secs(1);
    let health = |accounts: usize, refused: usize| ExporterHealth {
        clock_skew: (0..accounts)
            .map(|n| (format!("{n:02}").into(), 90.0))
            .collect(),
        failing: (0..refused)
            .map(|n| Failing {
                account: format!("{n:02}").into(),
                product: "ses",
                reason: Reason::Auth,
                since: at(-600),
            })
            .collect(),
        ..ExporterHealth::default()
    };
    let mut turn = |second, refused| {
        let postings = step_at_most(&mut engine, second, health(10, refused), 4);
        let names = postings.iter().map(|posting| {
            let labels = &posting.alert.labels;
            let kind = if labels["severity"] == "critical" {
                "!"
            } else {
                ""
            };
            format!("{kind}{}", labels["account"])
        });
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(turn(0, 2), "!00 !01 00 01");
    assert_eq!(turn(5, 2), "02 03 04 05");
    assert_eq!(turn(10, 3), "!02 06 07 08");
    assert_eq!(turn(15, 3), "09 !00 !01 00");
    assert_eq!(turn(20, 3), "01 02 03 04");
}

#[test]
fn an_alert_about_an_alertmanager_is_not_for_that_one() {
    let health = ExporterHealth {
        unreachable: vec![("http://am:9093".to_owned(), at(-600))],
        ..ExporterHealth::default()
    };
    let posting = only(step_with(&mut engine(false), 0, health));
    assert_eq!(posting.except.as_deref(), Some("http://am:9093"));
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_is_posted_until_it_is_back() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("state");
    // No folder can be made where a file stands.
    std::fs::write(&path, "").unwrap();
    let (disk, _) = Disk::open(path.clone(), crate::store::history::History::default()).await;
    let store = Arc::new(Store::new());
    let (known, is_up) = (store.clone(), disk.is_up());
    tokio::spawn(async move { known.follow_storage(is_up).await });
    tokio::spawn(disk.run(pending()));
    let (mut engine, begin) = (engine(true), Instant::now());
    let mut after = async |seconds| {
        sleep(Duration::from_secs(seconds)).await;
        let elapsed = i64::try_from(begin.elapsed().as_secs()).unwrap();
        step_with(&mut engine, elapsed, store.health())
    };
    assert!(after(1).await.is_empty());
    assert!(after(299).await.is_empty(), "not for 5 minutes yet");
    let posted = only(after(1).await);
    let labels = posted.alert.labels.get("alertname").map(String::as_str);
    assert_eq!(labels, Some("RollingUpgradeStorageFailing"));
    assert!(!posted.resolved);
    assert!(!only(after(60).await).resolved, "it is renewed");
    std::fs::remove_file(&path).unwrap();
    assert!(only(after(10).await).resolved);
}

#[test]
fn a_rule_with_for_waits_and_starts_anew_after_a_break() {
    let mut alert = Active::new(
        rules::all().find(|rule| !rule.hold.is_zero()).unwrap(),
        at(0),
    );
    let hold = i64::try_from(alert.rule.hold.as_secs()).unwrap();
    alert.fires_if_due(at(hold - 1));
    assert!(alert.fired.is_none());
    assert!(!alert.ends(at(hold - 1), true), "it never fired");
    alert.fires_if_due(at(hold));
    assert_eq!(alert.fired, Some(at(hold)));
}

/// Returns the last sight of the only alert among these steps.
fn sight(steps: &[Step]) -> Option<Sight> {
    let sights = steps.iter().flat_map(|step| &step.sights);
    sights.last().and_then(|(_, sight)| *sight)
}

#[test]
fn an_engine_goes_on_with_the_sights_of_an_earlier_one() {
    let failed = || ExporterHealth {
        reload_failed: true,
        ..ExporterHealth::default()
    };
    let mut first = engine(false);
    let before = looked(&mut first, 0, failed(), usize::MAX);
    let (labels, known) = before.sights[0].clone();
    assert_eq!(known.map(|sight| sight.since), Some(at(0)));
    let restored = |labels: &Labels, sight: Sight| {
        let mut engine = engine(false);
        engine.earlier = BTreeMap::from([(labels.clone(), sight)]);
        engine
    };
    // It comes up some looks after the start, and has the begin of before.
    let mut second = restored(&labels, known.unwrap());
    assert!(step(&mut second, 100, false).is_empty());
    let step = looked(&mut second, 130, failed(), usize::MAX);
    let posted = only(step.postings).alert;
    assert_eq!(posted.starts_at, at(0));
    // One that does not come up is forgotten when it has lapsed, and begins anew.
    let mut third = restored(&labels, known.unwrap());
    let quiet =
        |seconds, third: &mut Engine| looked(third, seconds, ExporterHealth::default(), usize::MAX);
    assert!(quiet(100, &mut third).sights.is_empty());
    let lapsed = quiet(100 + 240, &mut third);
    assert_eq!((lapsed.sights.len(), sight(&[lapsed])), (1, None));
    let posted = only(looked(&mut third, 400, failed(), usize::MAX).postings);
    assert_eq!(posted.alert.starts_at, at(400));
}
