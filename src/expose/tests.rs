//! The whole way: states in, text out, and the same text in gzip.

#![expect(clippy::float_cmp, reason = "0 and 1 are exact")]

mod accounts;

use std::io::Read as _;

use proptest::prelude::*;

use super::check::{at, chance, cluster, parse, polled_again, sample, view};
use super::*;
use crate::model::{
    Degraded, Kind, Node, NodeStatus, Reason, Span, Task, TaskStatus, Upgrade, UpgradeStatus,
    UpgradeView,
};

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(bytes);
    decoder.read_to_string(&mut text).unwrap();
    assert!(decoder.into_inner().is_empty(), "one member, and no more");
    text
}

fn running() -> ClusterState {
    let mut upgrade = Upgrade::new(Kind::Version, UpgradeStatus::Running);
    upgrade.id = Some("u1".to_owned());
    upgrade.from_version = Some("7.6".to_owned());
    upgrade.requested = Some(at(-600));
    upgrade.executions = Some(2);
    let mut done = Node::new("n1", "data", NodeStatus::Succeeded, "complete");
    done.updated = Some(at(-200));
    let mut busy = Node::new("n\"2", "", NodeStatus::Upgrading, "");
    busy.task_order = Some(4);
    upgrade.nodes = vec![done, busy];
    upgrade.tasks = vec![Task {
        order: 4,
        name: "restart".to_owned(),
        status: TaskStatus::Running,
        start: Some(at(-100)),
        end: None,
        description: None,
    }];
    let mut view = view(upgrade);
    view.started = Some(at(-550));
    view.ratio = Some(0.5);
    view.estimated_end = Some(at(500));
    view.task_order = Some(4);
    view.node_work = [
        Some(Span {
            start: at(-500),
            end: Some(at(-200)),
        }),
        Some(Span {
            start: at(-200),
            end: None,
        }),
    ]
    .into();
    let mut state = cluster("c1");
    state.upgrades = vec![view];
    state
}

#[test]
fn a_running_upgrade_in_full() {
    let text = render(&[running()], at(0));
    let samples: String = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let line = line.replace(
                "account=\"kr\",product=\"ses\",cluster_id=\"c1\",cluster_name=\"name-c1\"",
                "ID",
            );
            line.replace("rolling_upgrade_", "") + "\n"
        })
        .collect();
    assert_eq!(
        samples,
        r#"status{ID,kind="version",status="none"} 0
status{ID,kind="version",status="pending"} 0
status{ID,kind="version",status="running"} 1
status{ID,kind="version",status="paused"} 0
status{ID,kind="version",status="succeeded"} 0
status{ID,kind="version",status="failed"} 0
status{ID,kind="version",status="partially_failed"} 0
status{ID,kind="version",status="cancelled"} 0
status{ID,kind="version",status="unknown"} 0
status_since_timestamp_seconds{ID,kind="version"} 1759999940
info{ID,kind="version",upgrade_id="u1",from_version="7.6"} 1
requested_timestamp_seconds{ID,kind="version"} 1759999400
started_timestamp_seconds{ID,kind="version"} 1759999450
last_progress_timestamp_seconds{ID,kind="version"} 1759999970
duration_seconds{ID,kind="version"} 600
progress_ratio{ID,kind="version"} 0.5
executions{ID,kind="version"} 2
retries{ID,kind="version"} 1
nodes{ID,kind="version",status="waiting"} 0
nodes{ID,kind="version",status="upgrading"} 1
nodes{ID,kind="version",status="succeeded"} 1
nodes{ID,kind="version",status="failed"} 0
nodes{ID,kind="version",status="unknown"} 0
node_status{ID,kind="version",node="n1",role="data",status="waiting"} 0
node_status{ID,kind="version",node="n1",role="data",status="upgrading"} 0
node_status{ID,kind="version",node="n1",role="data",status="succeeded"} 1
node_status{ID,kind="version",node="n1",role="data",status="failed"} 0
node_status{ID,kind="version",node="n1",role="data",status="unknown"} 0
node_status{ID,kind="version",node="n\"2",role="",status="waiting"} 0
node_status{ID,kind="version",node="n\"2",role="",status="upgrading"} 1
node_status{ID,kind="version",node="n\"2",role="",status="succeeded"} 0
node_status{ID,kind="version",node="n\"2",role="",status="failed"} 0
node_status{ID,kind="version",node="n\"2",role="",status="unknown"} 0
node_info{ID,kind="version",node="n1",role="data",raw_status="complete"} 1
node_info{ID,kind="version",node="n\"2",role="",raw_status=""} 1
node_updated_timestamp_seconds{ID,kind="version",node="n1",role="data"} 1759999800
node_duration_seconds{ID,kind="version",node="n1",role="data"} 300
node_duration_seconds{ID,kind="version",node="n\"2",role=""} 200
node_task_order{ID,kind="version",node="n\"2",role=""} 4
task_order{ID,kind="version"} 4
task_status{ID,kind="version",order="4",task="restart",status="waiting"} 0
task_status{ID,kind="version",order="4",task="restart",status="running"} 1
task_status{ID,kind="version",order="4",task="restart",status="succeeded"} 0
task_status{ID,kind="version",order="4",task="restart",status="failed"} 0
task_status{ID,kind="version",order="4",task="restart",status="unknown"} 0
task_start_timestamp_seconds{ID,kind="version",order="4",task="restart"} 1759999900
stalled{ID,kind="version"} 0
stalled_after_seconds{ID,kind="version"} 1800
overdue_after_seconds{ID,kind="version"} 21600
estimated_end_timestamp_seconds{ID,kind="version"} 1760000500
cluster_info{ID,cloud="ncloud",cloud_region="KR",version="2.11",raw_status="running"} 1
up{ID} 1
last_success_timestamp_seconds{ID} 1760000000
poll_interval_seconds{ID} 30
"#
    );
    assert!(
        !text.contains("rolling_upgrade_ended_"),
        "no lines, no header"
    );
    parse(&text);
}

/// Names of the families, with the number of samples and the words whose status is 1.
fn outline(state: &ClusterState, now: Timestamp) -> (Vec<String>, Vec<(String, String)>) {
    let families = parse(&render(std::slice::from_ref(state), now));
    let short = |name: &str| name.trim_start_matches("rolling_upgrade_").to_owned();
    let is = families
        .iter()
        .filter(|f| f.name == "rolling_upgrade_status")
        .flat_map(|f| &f.samples)
        .filter(|(_, value)| **value == 1.0)
        .map(|((_, labels), _)| (labels["kind"].clone(), labels["status"].clone()))
        .collect();
    (families.iter().map(|f| short(&f.name)).collect(), is)
}

const PER_CLUSTER: [&str; 4] = [
    "cluster_info",
    "up",
    "last_success_timestamp_seconds",
    "poll_interval_seconds",
];

#[test]
fn nothing_is_said_before_it_is_known() {
    let mut state = running();
    state.answered = false;
    state.up = false;
    assert_eq!(
        outline(&state, at(0)),
        (PER_CLUSTER.map(str::to_owned).to_vec(), vec![])
    );

    let (families, is) = outline(&cluster("c"), at(0));
    assert_eq!(families[0], "status");
    assert_eq!(families[1..], PER_CLUSTER);
    assert_eq!(is, [("version".to_owned(), "none".to_owned())]);
}

#[test]
fn ended_upgrades_are_forgotten_in_time() {
    let mut state = cluster("c");
    for (kind, ended) in [(Kind::Version, 100), (Kind::AzMigration, 200)] {
        let mut upgrade = Upgrade::new(kind, UpgradeStatus::Failed);
        upgrade.requested = Some(at(0));
        let mut view = view(upgrade);
        view.ended = Some(at(ended));
        state.upgrades.push(view);
    }
    let words = |seconds| -> Vec<String> {
        let (_, is) = outline(&state, at(seconds));
        is.into_iter()
            .map(|(kind, status)| format!("{kind} {status}"))
            .collect()
    };
    assert_eq!(words(3699), ["az_migration failed", "version failed"]);
    assert_eq!(words(3700), ["az_migration failed", "version none"]);
    assert_eq!(words(3800), ["version none"]);
    let families = parse(&render(std::slice::from_ref(&state), at(3700)));
    let duration = |kind| {
        sample(
            &families,
            "rolling_upgrade_duration_seconds",
            &[("kind", kind)],
        )
    };
    assert_eq!(
        (duration("version"), duration("az_migration")),
        (None, Some(200.0))
    );
}

#[test]
fn limits_are_those_in_force() {
    let limits = |change: fn(&mut UpgradeView)| {
        let mut state = running();
        change(&mut state.upgrades[0]);
        let families = parse(&render(&[state], at(0)));
        ["stalled", "overdue"].map(|n| {
            sample(
                &families,
                &format!("rolling_upgrade_{n}_after_seconds"),
                &[],
            )
        })
    };
    assert_eq!(limits(|_| ()), [Some(1800.0), Some(21600.0)]);
    let waits = |view: &mut UpgradeView| view.upgrade_mut().waits_for_person = true;
    assert_eq!(limits(waits), [None, Some(21600.0)]);
    let waits_from_the_start = |view: &mut UpgradeView| {
        view.upgrade_mut().waits_for_person = true;
        view.started = None;
    };
    assert_eq!(limits(waits_from_the_start), [None, None]);
    let suspended = |view: &mut UpgradeView| view.upgrade_mut().is_stall_suspended = true;
    assert_eq!(limits(suspended), [None, Some(21600.0)]);
}

#[test]
fn a_failing_secondary_call_is_one_series_of_the_account() {
    let name = "rolling_upgrade_exporter_degraded_since_timestamp_seconds";
    let degraded = |id: &str, seconds| {
        let mut state = cluster(id);
        state.key.account = "k\"r".into();
        state.degraded = vec![Degraded {
            endpoint: "ListNodes",
            reason: Reason::Permission,
            message: "403".to_owned(),
            missing: "states of nodes",
            permission: "cce:node:list",
            since: at(seconds),
            reason_since: at(seconds),
        }];
        state
    };
    let text = render(&[degraded("1", -60), degraded("2", -90)], at(0));
    let (_, family) = text.split_once(&format!("# TYPE {name} gauge\n")).unwrap();
    let labels = r#"account="k\"r",product="ses",endpoint="ListNodes",reason="permission""#;
    assert_eq!(family, format!("{name}{{{labels}}} 1759999910\n"));
    assert!(!render(&[running()], at(0)).contains(name));
}

#[test]
fn an_estimate_that_passed_is_not_told() {
    let families = |now| parse(&render(&[running()], at(now)));
    let name = "rolling_upgrade_estimated_end_timestamp_seconds";
    assert!(sample(&families(499), name, &[]).is_some());
    assert!(sample(&families(500), name, &[]).is_none());
}

#[test]
fn scrapes_before_the_first_turn_have_the_own_metrics() {
    let exposition = Exposition::new(Arc::default(), Clock::system());
    let text = exposition.scrape(None, None);
    assert_eq!(
        text.content_type,
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let families = parse(std::str::from_utf8(&text.body.concat()).unwrap());
    assert!(
        families
            .iter()
            .any(|f| f.name == "rolling_upgrade_exporter_build_info")
    );
    let open = exposition.scrape(Some("application/openmetrics-text"), Some("gzip"));
    assert!(open.gzip);
    assert!(gunzip(&open.body.concat()).ends_with("\n# EOF\n"));
}

#[tokio::test(start_paused = true)]
async fn the_page_follows_store_and_clock() {
    let clock = Clock::tokio(at(0));
    let store = Arc::new(Store::new());
    let exposition = Arc::new(Exposition::new(Arc::default(), clock.clone()));
    let task = tokio::spawn(exposition.clone().run(store.clone()));
    let read = |name: &str| {
        let scrape = exposition.scrape(None, Some("gzip"));
        let families = parse(&gunzip(&scrape.body.concat()));
        sample(&families, &format!("rolling_upgrade_{name}"), &[])
    };
    // Time stands still while anything is rendered, so that a moment is enough.
    let moment = || tokio::time::sleep(Duration::from_millis(2));
    moment().await;
    assert_eq!(read("up"), None);

    let mut state = running();
    store.put(state.clone());
    moment().await;
    assert_eq!(read("up"), Some(1.0));
    assert_eq!(read("duration_seconds"), Some(600.004));
    assert!(read("estimated_end_timestamp_seconds").is_some());
    tokio::time::sleep(Duration::from_secs(500)).await;
    assert_eq!(read("duration_seconds"), Some(1100.004));
    assert_eq!(read("estimated_end_timestamp_seconds"), None);

    let view = &mut state.upgrades[0];
    view.upgrade_mut().status = UpgradeStatus::Succeeded;
    view.ended = Some(at(500));
    store.put(state);
    moment().await;
    assert_eq!(read("duration_seconds"), Some(1100.0));
    tokio::time::sleep(Duration::from_secs(3598)).await;
    assert_eq!(read("duration_seconds"), Some(1100.0));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(read("duration_seconds"), None);

    store.remove(&running().key);
    moment().await;
    assert_eq!(read("up"), None);
    task.abort();
}

#[test]
fn a_poll_renders_its_cluster_alone_and_shares_all_other_shards() {
    let mut snapshot: Snapshot = (0..2000)
        .map(|n| Arc::new(cluster(&format!("{n:04}"))))
        .collect();
    let mut builder = PageBuilder::default();
    let before = builder.next(&snapshot, &Times::at(at(0)));
    assert_eq!(builder.renderer.rendered, 2000);
    let mut state = cluster("0777");
    state.last_success = at(30);
    snapshot.insert(Arc::new(state));
    let page = builder.next(&snapshot, &Times::at(at(0)));
    assert_eq!(builder.renderer.rendered, 2001);
    let shards = |page: &Page| -> Vec<_> {
        let tree = page.tree.as_ref().unwrap();
        tree.shards().into_iter().map(Arc::as_ptr).collect()
    };
    let (before, now) = (shards(&before), shards(&page));
    let other = before.iter().zip(&now).filter(|(a, b)| a != b).count();
    assert_eq!((before.len(), other), (now.len(), 1));
    builder.next(&snapshot, &Times::at(at(1)));
    assert_eq!(
        builder.renderer.rendered, 2001,
        "time alone changes nothing here"
    );
}

#[test]
fn a_poll_that_finds_nothing_new_shares_all_lines_but_its_own() {
    let mut snapshot: Snapshot = [Arc::new(running())].into_iter().collect();
    let mut builder = PageBuilder::default();
    let mut poll = |change: fn(&mut ClusterState), second| {
        let series = |page: &Page| {
            let tree = page.tree.as_ref().unwrap();
            tree.shards()[0].clusters.get(0).clone()
        };
        let before = builder.next(&snapshot, &Times::at(at(0)));
        let mut state = ClusterState::clone(snapshot.values().next().unwrap());
        state.last_success = at(second);
        change(&mut state);
        snapshot.insert(Arc::new(state.clone()));
        let now = builder.next(&snapshot, &Times::at(at(0)));
        let text = now.text(&Times::at(at(0)), 0);
        assert_eq!(text, render(&[state], at(0)));
        series(&before)
            .series
            .shares_lasting_lines(&series(&now).series)
    };
    assert!(poll(|_| (), 30));
    assert!(poll(|state| state.up = false, 60));
    assert!(!poll(|state| state.raw_status = "".into(), 90));
    assert!(poll(|_| (), 120));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever changes, the page made from the one before is the page made anew, in both codings.
    #[test]
    fn pieces_join_to_the_whole(seed: u64, sizes in prop::collection::vec(0usize..160, 1..6)) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut snapshot = Snapshot::default();
        let mut builder = PageBuilder::default();
        let mut now = at(0);
        for size in sizes {
            now += Duration::from_secs(rng.u64(0..2000));
            // Few changes, or many; clusters come and go.
            for _ in 0..size {
                let id = rng.u32(0..200).to_string();
                let state = chance(&mut rng, &id, now);
                let known = snapshot.get(&state.key).filter(|_| rng.bool());
                let again = known.map(|known| polled_again(&mut rng, known, now));
                let state = Arc::new(again.unwrap_or(state));
                if rng.u8(0..4) == 0 {
                    snapshot.remove(&state.key);
                } else {
                    snapshot.insert(state);
                }
            }
            let page = builder.next(&snapshot, &Times::at(now));
            let scraped = Times::at(now + Duration::from_millis(rng.u64(0..5000)));
            let text = page.text(&scraped, 0);
            let anew = PageBuilder::default().next(&snapshot, &Times::at(now));
            let anew = anew.text(&scraped, 0);
            prop_assert!(text == anew, "not the page made anew");
            let joined = gunzip(&page.gzip(&scraped, Deflater::new()).finish().0.concat());
            prop_assert!(text == joined, "gzip holds another text");
            check_status(&text, &snapshot);
        }
    }
}

/// Exactly one state is 1 in each set; each cluster that answered has the set of its version.
fn check_status(text: &str, snapshot: &Snapshot) {
    let mut sets = std::collections::BTreeMap::<_, f64>::new();
    for family in parse(text) {
        if !family.name.ends_with("_status") {
            continue;
        }
        for ((name, mut labels), value) in family.samples {
            labels.remove("status");
            *sets.entry((name, labels)).or_default() += value;
        }
    }
    assert!(sets.values().all(|sum| *sum == 1.0), "{sets:?}");
    let versions = sets
        .keys()
        .filter(|(name, labels)| name == "rolling_upgrade_status" && labels["kind"] == "version");
    let answered = snapshot.values().filter(|state| state.answered);
    assert_eq!(versions.count(), answered.count());
}
