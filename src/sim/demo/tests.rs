//! Promises of the demo's scenario, by the simulator's own model and without waiting.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::testing::*;
use super::*;
use crate::cloud::simulated;
use crate::clouds::CLOUDS;
use crate::sim::scenario::Cluster;
use crate::sim::timeline::{Moment, State};

const DAY: u64 = 86_400;

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
    let products = simulated(CLOUDS).into_iter().flat_map(|c| c.products);
    let cycles: Vec<_> = products.map(|p| (p.name, first_cycle(p.name))).collect();
    for (product, cycle) in &cycles {
        assert!(!cycle.succeeded.is_empty(), "{product}");
    }
    assert!(cycles.iter().any(|(_, cycle)| !cycle.failed.is_empty()));
    assert!(cycles.iter().any(|(_, cycle)| !cycle.stalled.is_empty()));
}

#[test]
fn every_product_brings_clusters_of_its_own_alone() {
    let clouds = simulated(CLOUDS);
    for product in clouds.iter().flat_map(|cloud| &cloud.products) {
        let part = scenario::parse(&clouds, product.service.demo()).unwrap();
        assert!(!part.clusters.is_empty(), "{}", product.name);
        let mut others = part.clusters.iter().filter(|c| c.product != product.name);
        assert_eq!(others.next().map(|c| &c.name), None, "{}", product.name);
    }
}

#[test]
fn the_config_watches_every_product_of_every_cloud() {
    let scenario = scenario(&simulated(CLOUDS)).unwrap();
    let text = config(&scenario, "127.0.0.1:1".parse().unwrap(), 1.0);
    let read = crate::config::parse(CLOUDS, &text, std::path::Path::new("."), &|_| None).unwrap();
    let accounts = read.accounts.iter().map(|account| account.name.to_string());
    let clouds = CLOUDS.iter().map(|cloud| format!("demo-{}", cloud.name()));
    assert!(accounts.eq(clouds), "{text}");
    let watched = read.accounts.iter().flat_map(|account| &account.products);
    let watched = watched.map(|watched| watched.product.info().name);
    let known = crate::cloud::products(CLOUDS).map(|product| product.info().name);
    assert!(watched.eq(known), "{text}");
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

/// Versions as the exporter shows them: an image is named only within one version of the engine.
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
fn nothing_is_under_way_when_the_exporter_first_asks() {
    for cluster in clusters() {
        assert_eq!(moment(&cluster, 2), None, "{}", cluster.name);
    }
}

#[test]
fn a_faster_demo_calls_stalled_sooner() {
    let scenario = scenario(&simulated(CLOUDS)).unwrap();
    let simulator = "127.0.0.1:1".parse().unwrap();
    for (speed, want) in [(1.0, "20000ms"), (2.0, "10000ms"), (100.0, "4000ms")] {
        let text = config(&scenario, simulator, speed);
        assert!(text.contains(&format!("stalled_after: {want}\n")), "{text}");
        let read = crate::config::parse(CLOUDS, &text, std::path::Path::new("."), &|_| None);
        assert!(read.is_ok(), "{read:?}");
    }
}
