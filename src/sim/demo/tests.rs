//! Promises of the demo's scenario, by the simulator's own model and without waiting.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;
use crate::cloud::simulated;
use crate::clouds::CLOUDS;
use crate::model::Kind;
use crate::sim::scenario::{self, Cluster};
use crate::sim::timeline::{self, Moment, State};

const DAY: u64 = 86_400;

/// Longest time until the exporter shows what happened: two polls of a cluster at rest, or the notice of
/// a change and the poll that calls it stalled.
const LATENCY: Duration = Duration::from_secs(5);

fn clusters() -> Vec<Cluster> {
    scenario::parse(&simulated(CLOUDS), SCENARIO)
        .unwrap()
        .clusters
}

fn origin() -> Timestamp {
    "2026-11-21T00:00:00Z".parse().unwrap()
}

fn moment(cluster: &Cluster, second: u64) -> Option<Moment> {
    timeline::at(
        cluster,
        origin(),
        1.0,
        origin() + Duration::from_secs(second),
    )
}

/// Returns true while the exporter shows the upgrade as failed.
fn is_failed(moment: &Moment, now: Timestamp) -> bool {
    moment.ended.is_some_and(|ended| ended + LATENCY <= now) && moment.state == State::Failed
}

/// Returns true while the exporter shows the upgrade as stalled.
fn is_stalled(moment: &Moment, now: Timestamp) -> bool {
    moment.state == State::Running && moment.updated + STALLED_AFTER + LATENCY <= now
}

/// Seconds of this range in which no cluster is in this trouble.
fn gaps(
    seconds: std::ops::Range<u64>,
    clusters: &[Cluster],
    is_in_trouble: fn(&Moment, Timestamp) -> bool,
) -> Vec<u64> {
    let is_free = |second: &u64| {
        let now = origin() + Duration::from_secs(*second);
        !clusters
            .iter()
            .filter_map(|cluster| moment(cluster, *second))
            .any(|moment| is_in_trouble(&moment, now))
    };
    seconds.filter(is_free).take(5).collect()
}

#[test]
fn the_first_cycle_ends_within_two_minutes() {
    let mut products = BTreeSet::new();
    let (mut failed, mut stalled, mut succeeded) = (Vec::new(), Vec::new(), Vec::new());
    for cluster in clusters() {
        let now = |second| origin() + Duration::from_secs(second);
        let seen: Vec<_> = (0..=120)
            .filter_map(|second| Some((moment(&cluster, second)?, now(second))))
            .collect();
        let any = |is: fn(&Moment, Timestamp) -> bool| seen.iter().any(|(m, now)| is(m, *now));
        if any(|moment, _| moment.state == State::Succeeded) {
            products.insert(cluster.product.clone());
            succeeded.push(cluster.name.clone());
        }
        if any(is_failed) {
            failed.push(cluster.name.clone());
        }
        if any(is_stalled) {
            stalled.push(cluster.name.clone());
        }
    }
    assert_eq!(products.len(), 4, "{products:?}");
    assert_eq!(failed, ["css-billing"]);
    assert_eq!(stalled, ["search-shop", "clicks"]);
    let others = [
        "search-logs",
        "search-shop",
        "events",
        "css-orders",
        "css-audit",
        "shop-frontend",
        "batch-jobs",
    ];
    assert_eq!(succeeded, others);
}

#[test]
fn a_failure_and_a_stall_are_in_sight_at_any_time() {
    let all = clusters();
    let failing: Vec<_> = all.iter().filter(|c| c.fails.is_some()).cloned().collect();
    let hanging: Vec<_> = all.iter().filter(|c| c.hangs.is_some()).cloned().collect();
    // A day from the second minute on, and an hour after a year.
    for begin in [120, 365 * DAY] {
        let seconds = begin..begin + if begin == 120 { DAY } else { 3600 };
        let none: &[u64] = &[];
        assert_eq!(gaps(seconds.clone(), &failing, is_failed), none, "failed");
        assert_eq!(gaps(seconds, &hanging, is_stalled), none, "stalled");
    }
}

#[test]
fn only_what_hangs_is_ever_stalled() {
    let all = clusters();
    for cluster in all.iter().filter(|cluster| cluster.hangs.is_none()) {
        for second in 0..3600 {
            let Some(moment) = moment(cluster, second) else {
                continue;
            };
            let silence = origin() + Duration::from_secs(second) - moment.updated;
            let is_silent = silence.total(jiff::Unit::Second).unwrap() > 16.0;
            let is_running = moment.state == State::Running;
            assert!(!(is_running && is_silent), "{} at {second}", cluster.name);
        }
    }
}

/// Numbers of a version, so that versions of one cluster can be compared: an image counts for more than
/// the version of the engine that it has.
fn rank(version: &str) -> Vec<u64> {
    let digits = |text: &str| text.parse::<u64>().unwrap();
    if version.chars().all(|c| c.is_ascii_digit()) {
        let (major, rest) = version.split_at(1);
        let (minor, _patch) = rest.split_at(rest.len() - 1);
        return vec![digits(major), digits(minor)];
    }
    let parts = version.split(|c: char| !c.is_ascii_digit());
    parts.filter(|part| !part.is_empty()).map(digits).collect()
}

/// Versions as the exporter shows them: CSS names an image only within one version of the engine.
fn shown<'a>(from: &'a str, to: &'a str) -> (&'a str, &'a str) {
    let engine = |version: &'a str| version.split('_').next().unwrap_or_default();
    if engine(from) == engine(to) {
        (engine(from), to)
    } else {
        (engine(from), engine(to))
    }
}

#[test]
fn every_upgrade_leads_to_a_version_that_is_new() {
    for cluster in clusters().iter().filter(|c| c.repeats_after.is_some()) {
        let mut upgrades: Vec<(String, String)> = Vec::new();
        let mut version = cluster.versions[0].clone();
        let mut last_run = None;
        // Every run of a day is met: the shortest cycle takes 75 s.
        for second in (0..DAY).step_by(5) {
            let Some(moment) = moment(cluster, second) else {
                continue;
            };
            if last_run != Some(moment.run) {
                last_run = Some(moment.run);
                assert_eq!(moment.from, version, "{}: as it was left", cluster.name);
                let before = upgrades.last().map_or(&version, |(_, to)| to);
                assert!(
                    rank(&moment.to) > rank(before),
                    "{}: {before}, then {}",
                    cluster.name,
                    moment.to
                );
                upgrades.push((moment.from.clone(), moment.to.clone()));
            }
            version = moment.version().to_owned();
        }
        assert!(upgrades.len() > 600, "{}: {upgrades:?}", cluster.name);
        let shown: BTreeSet<_> = upgrades.iter().map(|(from, to)| shown(from, to)).collect();
        assert_eq!(shown.len(), upgrades.len(), "{}", cluster.name);
    }
}

#[test]
fn only_the_move_to_another_zone_is_made_once() {
    let all = clusters();
    let once: Vec<_> = all
        .iter()
        .filter(|cluster| cluster.starts_after.is_some() && cluster.repeats_after.is_none())
        .map(|cluster| (cluster.name.as_str(), cluster.kind))
        .collect();
    assert_eq!(once, [("css-audit", Kind::AzMigration)]);
}

#[test]
fn nothing_is_under_way_when_the_exporter_first_asks() {
    for cluster in clusters() {
        assert_eq!(moment(&cluster, 2), None, "{}", cluster.name);
    }
}

#[test]
fn a_faster_demo_calls_stalled_sooner() {
    let scenario = scenario::parse(&simulated(CLOUDS), SCENARIO).unwrap();
    let simulator = "127.0.0.1:1".parse().unwrap();
    for (speed, want) in [(1.0, "20000ms"), (2.0, "10000ms"), (100.0, "4000ms")] {
        let text = config(&scenario, simulator, speed);
        assert!(text.contains(&format!("stalled_after: {want}\n")), "{text}");
        let read = crate::config::parse(CLOUDS, &text, std::path::Path::new("."), &|_| None);
        assert!(read.is_ok(), "{read:?}");
    }
}
