//! Report of clusters, upgrades and calls.

use std::time::Duration;

use super::*;
use crate::model::{
    AvailableVersion, Details, Finding, FindingScope, Key, Kind, Node, Precheck, Reason, Span,
    TaskStatus, Thresholds, Upgrade, UpgradeStatus, ZoneMove, ZonePlan,
};
use crate::report::Attention;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn state(id: &str, views: Vec<UpgradeView>) -> ClusterState {
    ClusterState {
        key: Key {
            account: "cn-prod".into(),
            product: "css",
            id: id.into(),
        },
        cloud: "huawei",
        cloud_region: "cn-north-4".into(),
        name: format!("name-{id}").into(),
        version: "7.6.2".into(),
        version_name: Some("Elasticsearch 7.6.2".into()),
        raw_status: "200".into(),
        status_meaning: Some("available"),
        available: vec![AvailableVersion {
            version: "7.10.2".into(),
            is_recommended: true,
        }],
        up: true,
        answered: true,
        last_success: at(90),
        last_error: None,
        poll_interval: Duration::from_secs(30),
        thresholds: Thresholds {
            stalled_after: Duration::from_secs(60),
            overdue_after: Duration::from_secs(80),
            retain_ended: Duration::from_secs(600),
        },
        upgrades: views,
        degraded: vec![Degraded {
            endpoint: "ListNodes",
            reason: Reason::Permission,
            message: "ListNodes: not allowed (HTTP 403)".into(),
            missing: "states of nodes",
            permission: "cce:node:list",
            since: at(30),
            reason_since: at(30),
        }],
    }
}

fn details() -> Details {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Details {
        from_version_name: Some("Elasticsearch 7.6.2".into()),
        to_version_name: Some("Elasticsearch 7.10.2".into()),
        zone_move: Some(ZoneMove {
            instance_type: Some("ess".into()),
            from: texts(&["cn-north-4a"]),
            to: texts(&["cn-north-4c"]),
            plan: vec![ZonePlan {
                zone: "cn-north-4c".into(),
                nodes: texts(&["n-1", "n-2"]),
            }],
        }),
        agency: Some("css_agency".into()),
        precheck: Some(Precheck {
            valid_until: Some(at(3_600)),
            findings: vec![Finding {
                scope: FindingScope::Addon,
                target: "coredns".into(),
                item: "addon-limit-check".into(),
                message: "the add-on is too old".into(),
                codes: texts(&["CCE.01400001"]),
            }],
            findings_left_out: 0,
        }),
        is_cancellable: Some(false),
    }
}

fn view(status: UpgradeStatus) -> UpgradeView {
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.id = Some("u-1".into());
    upgrade.from_version = Some("7.6.2".into());
    upgrade.to_version = Some("7.10.2".into());
    upgrade.requested = Some(at(0));
    upgrade.executions = Some(2);
    upgrade.nodes = vec![
        Node::new("n-1", "ess", NodeStatus::Succeeded, "completed"),
        Node::new("n-2", "ess", NodeStatus::Upgrading, ""),
    ];
    upgrade.tasks = vec![Task {
        order: 4,
        name: "restart".into(),
        status: TaskStatus::Running,
        start: Some(at(70)),
        end: None,
        description: Some("The node is restarted.".into()),
    }];
    upgrade.details = details();
    UpgradeView {
        upgrade: upgrade.into(),
        status_since: at(5),
        started: Some(at(0)),
        ended: status.is_final().then(|| at(95)),
        last_progress: at(70),
        stalled: false,
        ratio: Some(0.5),
        estimated_end: Some(at(200)),
        task_order: Some(4),
        node_work: [
            Some(Span {
                start: at(10),
                end: Some(at(60)),
            }),
            Some(Span {
                start: at(60),
                end: None,
            }),
        ]
        .into(),
    }
}

fn report(states: Vec<ClusterState>, now: Timestamp) -> Report {
    let store = Store::new();
    for state in states {
        store.put(state);
    }
    store.put_discovery(DiscoveryState {
        account: "cn-prod".into(),
        product: "css",
        cloud: "huawei",
        cloud_region: "cn-north-4".into(),
        last_success: Some(at(1)),
        last_error: Some(LastError {
            reason: Reason::Throttled,
            message: "too many calls".into(),
            at: at(80),
            since: at(80),
        }),
        watched: 1,
        inaccessible: 2,
        left_out: 0,
    });
    Report::new(&store, true, now)
}

/// The document of docs/api.md: a name that changes here breaks scripts.
#[test]
fn the_document_is_stable() {
    let mut report = report(
        vec![state("1", vec![view(UpgradeStatus::Running)])],
        at(100),
    );
    report.exporter_version = "VERSION".into();
    let got = serde_json::to_value(&report).unwrap();
    let want = include_str!("../../../tests/data/api/upgrades.json");
    let want: serde_json::Value = serde_json::from_str(want).unwrap();
    assert_eq!(got, want);
    let again: Report = serde_json::from_value(got).unwrap();
    assert_eq!(again, report);
}

#[test]
fn what_ended_stands_still_and_is_forgotten() {
    let states = vec![state("1", vec![view(UpgradeStatus::Succeeded)])];
    let shown = report(states.clone(), at(500));
    let upgrade = &shown.clusters[0].upgrades[0];
    assert_eq!(upgrade.duration_seconds, Some(95.0));
    assert_eq!(upgrade.nodes[1].duration_seconds, Some(35.0));
    assert_eq!(upgrade.estimated_end, None, "it has passed");
    assert!(!upgrade.overdue);
    let later = report(states, at(95 + 600));
    assert!(later.clusters[0].upgrades.is_empty());
}

#[test]
fn tells_the_vendors_reason_when_something_is_wrong() {
    let reason = |change: &dyn Fn(&mut UpgradeView)| {
        let mut view = view(UpgradeStatus::Running);
        change(&mut view);
        let report = report(vec![state("1", vec![view])], at(100));
        report.clusters[0].upgrades[0].reason.clone()
    };
    let task = Some("restart: The node is restarted.".to_owned());
    let finding = "addon-limit-check (addon coredns): the add-on is too old [CCE.01400001]";
    assert_eq!(reason(&|_| {}), None);
    assert_eq!(reason(&|view| view.stalled = true), task);
    assert_eq!(
        reason(&|view| view.upgrade_mut().nodes[1].status = NodeStatus::Failed),
        task
    );
    let failed = |view: &mut UpgradeView| view.upgrade_mut().status = UpgradeStatus::Failed;
    assert_eq!(reason(&failed), task);
    assert_eq!(
        reason(&|view| {
            failed(view);
            view.upgrade_mut().tasks[0].description = None;
        })
        .as_deref(),
        Some(finding)
    );
}

#[test]
fn a_task_that_went_well_is_no_reason() {
    use TaskStatus::{Failed, Running, Succeeded, Waiting};
    let reason = |tasks: &[TaskStatus], change: &dyn Fn(&mut UpgradeView)| {
        let mut view = view(UpgradeStatus::Running);
        view.upgrade_mut().details = Details::default();
        let task = view.upgrade_mut().tasks.remove(0);
        let told = (0..).zip(tasks).map(|(order, status)| Task {
            order,
            name: status.as_str().to_owned(),
            status: *status,
            ..task.clone()
        });
        view.upgrade_mut().tasks = told.collect();
        view.task_order = crate::model::progress::current_task(&view.upgrade);
        change(&mut view);
        let report = report(vec![state("1", vec![view])], at(100));
        let reason = report.clusters[0].upgrades[0].reason.clone();
        reason.map(|reason| reason.split(':').next().unwrap_or_default().to_owned())
    };
    let failed = |view: &mut UpgradeView| view.upgrade_mut().status = UpgradeStatus::Failed;
    let stalled = |view: &mut UpgradeView| view.stalled = true;
    let some = |word: &str| Some(word.to_owned());
    assert_eq!(reason(&[Succeeded, Waiting], &failed), None);
    assert_eq!(reason(&[Succeeded, Waiting], &stalled), None);
    assert_eq!(reason(&[Succeeded, Failed], &failed), some("failed"));
    assert_eq!(reason(&[Running, Failed], &failed), some("failed"));
    assert_eq!(reason(&[Failed, Running], &stalled), some("running"));
}

#[test]
fn an_upgrade_is_overdue_from_its_start() {
    let overdue = |started: Option<Timestamp>| {
        let mut view = view(UpgradeStatus::Running);
        view.started = started;
        let report = report(vec![state("1", vec![view])], at(100));
        let upgrade = &report.clusters[0].upgrades[0];
        (upgrade.overdue, upgrade.started_later())
    };
    assert_eq!(overdue(Some(at(0))), (true, None));
    assert_eq!(overdue(Some(at(10))), (false, Some(at(10))));
    assert_eq!(overdue(None), (false, None));
}

#[test]
fn a_cluster_that_never_answered_has_no_age() {
    let mut dark = state("1", vec![view(UpgradeStatus::Running)]);
    (dark.up, dark.answered) = (false, false);
    let report = report(vec![dark], at(100));
    assert_eq!(report.clusters[0].last_success, None);
    assert!(report.clusters[0].upgrades.is_empty());
    assert_eq!(report.by_attention()[0].0, Attention::Silent);
}

#[test]
fn trouble_comes_first() {
    let of = |id: &str, status: UpgradeStatus| state(id, vec![view(status)]);
    let mut stalled = of("b", UpgradeStatus::Running);
    stalled.upgrades[0].stalled = true;
    let mut dark = of("c", UpgradeStatus::Running);
    dark.up = false;
    let mut node = of("i", UpgradeStatus::Running);
    node.upgrades[0].upgrade_mut().nodes[0].status = NodeStatus::Failed;
    let report = report(
        vec![
            state("a", Vec::new()),
            stalled,
            dark,
            of("d", UpgradeStatus::Succeeded),
            of("e", UpgradeStatus::Running),
            of("f", UpgradeStatus::PartiallyFailed),
            of("g", UpgradeStatus::Paused),
            node,
        ],
        at(100),
    );
    let order: Vec<_> = report
        .by_attention()
        .iter()
        .map(|(attention, cluster, _)| (attention.as_str(), cluster.cluster_id.clone()))
        .collect();
    let want = [
        ("failed", "f"),
        ("failed", "i"),
        ("stalled", "b"),
        ("silent", "c"),
        ("running", "e"),
        ("running", "g"),
        ("ended", "d"),
        ("idle", "a"),
    ];
    assert_eq!(order, want.map(|(word, id)| (word, id.to_owned())));
}
