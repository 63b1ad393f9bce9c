//! The report of upgrades that ended.

use std::sync::Arc;

use super::*;
use crate::model::{PastUpgrade, Span, Task, TaskStatus};
use crate::store::history::PastUpgrades;
use crate::store::history::tests::past;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// Returns the report of these upgrades by a filter.
pub(crate) fn report(past: Vec<PastUpgrade>, filter: &HistoryFilter) -> HistoryReport {
    let upgrades = past.into_iter().map(Arc::new).collect();
    HistoryReport::new(&PastUpgrades::new(upgrades, 3), filter, at(100_000))
}

fn all(past: Vec<PastUpgrade>) -> HistoryReport {
    report(past, &HistoryFilter::default())
}

#[test]
fn tells_nodes_and_tasks_with_their_times() {
    let mut past = past("c1", 1_000, 1_500, 2);
    let span = |start, end: Option<i64>| Span {
        start: at(start),
        end: end.map(at),
    };
    past.upgrade.node_work = [Some(span(1_100, Some(1_300))), Some(span(1_400, None))].into();
    past.upgrade.upgrade_mut().requested = Some(at(900));
    past.upgrade.upgrade_mut().executions = Some(3);
    let report = all(vec![past]);
    assert_eq!((report.left_out, report.more), (3, 0));
    let upgrade = &report.upgrades[0];
    assert_eq!(
        (upgrade.account.as_str(), upgrade.product.as_str()),
        ("kr", "ses")
    );
    assert_eq!(upgrade.cluster_name, "name-c1");
    assert_eq!(upgrade.outcome, UpgradeStatus::Succeeded);
    assert_eq!((upgrade.first_seen, upgrade.ended), (at(1_000), at(1_500)));
    assert_eq!(
        Some(upgrade.duration_seconds),
        Some(600.0),
        "since the request"
    );
    assert_eq!(upgrade.retries, Some(2));
    let work: Vec<_> = upgrade
        .nodes
        .iter()
        .map(|node| node.duration_seconds)
        .collect();
    assert_eq!(
        work,
        [Some(200.0), Some(100.0)],
        "none is in work after the end"
    );
    assert_eq!(upgrade.nodes[1].ended, Some(at(1_500)));
}

/// The document of docs/api-history.md: a name that changes here breaks scripts.
#[test]
fn the_document_of_the_history_is_stable() {
    let mut past = past("c1", 1_000, 1_500, 2);
    let work = Span {
        start: at(1_100),
        end: Some(at(1_300)),
    };
    past.upgrade.node_work = [Some(work), None].into();
    let upgrade = past.upgrade.upgrade_mut();
    upgrade.id = Some("u-1".to_owned());
    upgrade.from_version = Some("290".to_owned());
    upgrade.to_version = Some("2140".to_owned());
    upgrade.details.from_version_name = Some("OpenSearch 2.9.0".to_owned());
    upgrade.details.to_version_name = Some("OpenSearch 2.14.0".to_owned());
    upgrade.requested = Some(at(990));
    upgrade.executions = Some(1);
    upgrade.tasks = vec![Task {
        order: 4,
        name: "restart".to_owned(),
        status: TaskStatus::Succeeded,
        start: Some(at(1_050)),
        end: Some(at(1_500)),
        description: Some("The node is restarted.".to_owned()),
    }];
    let mut report = all(vec![past]);
    report.exporter_version = "VERSION".to_owned();
    let got = serde_json::to_value(&report).unwrap();
    let want = include_str!("../../../tests/data/api/history.json");
    let want: serde_json::Value = serde_json::from_str(want).unwrap();
    assert_eq!(got, want, "{got:#}");
}

#[test]
fn the_slowest_nodes_come_first() {
    let mut upgrade = all(vec![past("c1", 0, 900, 8)]).upgrades.remove(0);
    assert_eq!(upgrade.slowest_nodes().len(), 0, "no time is known");
    for (place, node) in (0..).zip(&mut upgrade.nodes) {
        node.duration_seconds = (place != 3).then(|| f64::from(place % 4));
    }
    let slowest = upgrade.slowest_nodes();
    let names: Vec<&str> = slowest.iter().map(|node| node.node.as_str()).collect();
    assert_eq!(names, ["n7", "n2", "n6", "n1", "n5"]);
}

#[test]
fn earlier_upgrades_that_succeeded_tell_the_usual_length() {
    let failed = |mut past: PastUpgrade| {
        past.upgrade.upgrade_mut().status = UpgradeStatus::Failed;
        past
    };
    let lengths = [100, 500, 200, 300, 300, 900, 0];
    let mut upgrades: Vec<PastUpgrade> = (0..)
        .zip(lengths)
        .map(|(place, length)| past("c1", place * 1_000, place * 1_000 + length, 1))
        .collect();
    upgrades.push(failed(past("c1", 1_500, 9_000, 1)));
    upgrades.push(past("c1", 7_000, 7_010, 1));
    upgrades.push(past("other", 50, 60, 1));
    let report = all(upgrades);
    let medians = report.upgrades.iter().map(|upgrade| {
        (
            upgrade.first_seen.as_second(),
            upgrade.earlier_median_seconds,
        )
    });
    let mut medians: Vec<_> = medians.collect();
    medians.sort_by_key(|(first_seen, _)| *first_seen);
    assert_eq!(
        medians,
        [
            (0, None),
            (50, None),
            (1_000, Some(100.0)),
            (1_500, Some(500.0)),
            (2_000, Some(500.0)),
            (3_000, Some(200.0)),
            (4_000, Some(300.0)),
            (5_000, Some(300.0)),
            (6_000, Some(300.0)),
            (7_000, Some(300.0)),
        ],
        "the latest five count, without one of no length"
    );
}

#[test]
fn more_than_the_limit_are_counted() {
    let upgrades = || (1..=5).map(|n| past(&format!("c{n}"), 0, n, 1)).collect();
    let part = |skip, limit| {
        let filter = HistoryFilter {
            limit: Some(limit),
            skip,
            ..HistoryFilter::default()
        };
        let report = report(upgrades(), &filter);
        let ids = report
            .upgrades
            .into_iter()
            .map(|upgrade| upgrade.cluster_id);
        (ids.collect::<Vec<_>>().join(" "), report.more)
    };
    assert_eq!(part(0, 2), ("c5 c4".to_owned(), 3));
    assert_eq!(part(2, 2), ("c3 c2".to_owned(), 1));
    assert_eq!(part(4, 2), ("c1".to_owned(), 0));
    assert_eq!(part(9, 2), (String::new(), 0));
}

#[test]
fn words_of_a_newer_exporter_are_read() {
    let report = all(vec![past("c1", 0, 60, 1)]);
    let mut document = serde_json::to_value(&report).unwrap();
    assert_eq!(
        serde_json::from_value::<HistoryReport>(document.clone()).unwrap(),
        report
    );
    document["upgrades"][0]["outcome"] = "rolled_back".into();
    document["upgrades"][0]["new"] = 1.into();
    let read: HistoryReport = serde_json::from_value(document).unwrap();
    assert_eq!(read.upgrades[0].outcome.as_str(), "rolled_back");
}
