mod details;
mod start;

use std::time::Duration;

use hyper::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use super::points::{go, go_beijing};
use super::*;
use crate::clock::Clock;
use crate::cloud::simulated;
use crate::clouds::CLOUDS;
use crate::sim::demo::testing::{FirstCycle, first_cycle};
use crate::sim::scenario::{Cluster, ListedAs, Place, Repetition, Scenario, SimNode, Step};

/// A cluster that is first upgraded after 100 s: `PreCheck` and `Snapshot` of 60 s each, two nodes
/// of 120 s each, one after the other, `PostCheck` of 60 s; again 1000 s later.
pub(in crate::clouds::huawei::cce) fn cluster(id: &str) -> Cluster {
    let step = |name: &str, seconds| Step {
        name: name.to_owned(),
        takes: Duration::from_secs(seconds),
    };
    let node = |name: &str| SimNode {
        name: name.to_owned(),
        role: "node".to_owned(),
    };
    Cluster {
        product: "cce".to_owned(),
        id: id.to_owned(),
        name: format!("name-of-{id}"),
        versions: vec!["v1.28.3-r0".to_owned(), "v1.29.1-r0".to_owned()],
        nodes: vec![node("node-1"), node("node-2")],
        listed: ListedAs::Allowed,
        starts_after: Some(Duration::from_secs(100)),
        queued: Duration::ZERO,
        repeats_after: Some(Duration::from_secs(1000)),
        repetition: Repetition::default(),
        batch: 1,
        before: vec![step("PreCheck", 60), step("Snapshot", 60)],
        steps: vec![step("Drain", 60), step("Upgrade", 60)],
        after: vec![step("PostCheck", 60)],
        hangs: None,
        fails: None,
        extensions: Extensions::default(),
    }
}

/// Has a cluster's upgrades started over the API, so that only tasks stand for them.
pub(in crate::clouds::huawei::cce) fn start_over_the_api(cluster: &mut Cluster) {
    cluster.extensions.insert(Keys {
        task_only: true,
        ..Keys::default()
    });
}

/// A world of these clusters.
pub(in crate::clouds::huawei::cce) fn world(clusters: Vec<Cluster>) -> World {
    let scenario = Scenario {
        clouds: simulated(CLOUDS),
        accounts: Extensions::default(),
        clock_ahead: Duration::ZERO,
        clusters,
        faults: Vec::new(),
    };
    World::new(scenario, 1.0, Clock::system())
}

/// Moves the world to this many seconds after its beginning, which stays where it was.
pub(in crate::clouds::huawei::cce) fn set(world: &mut World, seconds: i64) {
    let origin = world.origin;
    let now = origin + SignedDuration::from_secs(seconds);
    *world = World::new(world.scenario.clone(), 1.0, Clock::tokio(now));
    world.origin = origin;
}

fn get(world: &World, path: &str, query: &str) -> (u16, Value) {
    let answer = ask(world, path, query);
    let body = serde_json::from_str(&answer.body).unwrap();
    (answer.status, body)
}

fn ask(world: &World, path: &str, query: &str) -> Answer {
    let request = Request {
        method: "GET",
        path,
        query,
        headers: &HeaderMap::new(),
        body: b"",
    };
    Simulator
        .answer(world, &request)
        .expect("it is a path of CCE")
}

const WORKFLOWS: &str = "/api/v3/projects/p/clusters/a/operation/upgradeworkflows";
const TASKS: &str = "/api/v3/projects/p/clusters/a/operation/upgrade/tasks";
const INFO: &str = "/api/v3/projects/p/clusters/a/upgradeinfo";
const PRECHECKS: &str = "/api/v3/projects/p/clusters/a/operation/precheck/tasks";
const NODES: &str = "/api/v3/projects/p/clusters/a/nodes";

fn words(points: &Value) -> Vec<String> {
    let points = points.as_array().unwrap();
    points
        .iter()
        .map(|p| format!("{} {}", p["taskType"], p["status"]).replace('"', ""))
        .collect()
}

#[test]
fn items_are_null_then_an_object_then_a_list() {
    let mut world = world(vec![cluster("a")]);
    set(&mut world, 50);
    assert!(get(&world, WORKFLOWS, "").1["items"].is_null());
    set(&mut world, 130);
    assert!(get(&world, WORKFLOWS, "").1["items"].is_object());
    // A run lasts 420 s, the pause 1000 s.
    set(&mut world, 100 + 1420 + 10);
    let items = &get(&world, WORKFLOWS, "").1["items"];
    assert_eq!(items.as_array().unwrap().len(), 2);
    assert_eq!(items[0]["status"]["phase"], "Success");
    assert_eq!(items[1]["status"]["phase"], "Running");
    assert_eq!(items[1]["spec"]["clusterVersion"], "v1.29.1-r0");
    assert_ne!(items[0]["metadata"]["uid"], items[1]["metadata"]["uid"]);
}

#[test]
fn another_cluster_than_the_first_gives_a_list_of_one() {
    let mut world = world(vec![cluster("z"), cluster("a")]);
    set(&mut world, 130);
    assert!(get(&world, WORKFLOWS, "").1["items"].is_array());
}

#[test]
fn points_go_one_by_one() {
    let mut world = world(vec![cluster("a")]);
    let mut points = |seconds| {
        set(&mut world, seconds);
        words(&get(&world, WORKFLOWS, "").1["items"]["status"]["pointStatuses"])
    };
    assert_eq!(
        points(130),
        [
            "PreCheck Running",
            "Snapshot null",
            "Cluster null",
            "PostCheck null"
        ]
    );
    assert_eq!(
        points(270),
        [
            "PreCheck Success",
            "Snapshot Success",
            "Cluster Running",
            "PostCheck null"
        ]
    );
    assert_eq!(
        points(490),
        [
            "PreCheck Success",
            "Snapshot Success",
            "Cluster Success",
            "PostCheck Running"
        ]
    );
}

#[test]
fn a_failure_makes_the_workflow_pending() {
    let mut failing = cluster("a");
    failing.fails = Some(Place { node: 1, step: 2 });
    let mut world = world(vec![failing]);
    set(&mut world, 350);
    let status = &get(&world, WORKFLOWS, "").1["items"]["status"];
    assert_eq!(status["phase"], "Pending");
    assert_eq!(words(&status["pointStatuses"])[2], "Cluster Failed");
    let nodes = get(&world, NODES, "").1;
    assert_eq!(nodes["items"][0]["status"]["phase"], "Error");
    assert_eq!(nodes["items"][1]["status"]["phase"], "Active");
    let task = &get(&world, TASKS, "").1["items"][0]["status"];
    assert_eq!(
        (&task["phase"], &task["progress"]),
        (&json!("Failed"), &json!("0.25"))
    );
    let clusters = get(&world, "/api/v3/projects/p/clusters", "").1;
    assert_eq!(clusters["items"][0]["status"]["phase"], "Available");
}

#[test]
fn a_failed_precheck_refuses_the_nodes_and_starts_no_task() {
    let mut failing = cluster("a");
    failing.fails = Some(Place { node: 0, step: 1 });
    let mut world = world(vec![failing]);
    set(&mut world, 350);
    let status = &get(&world, WORKFLOWS, "").1["items"]["status"];
    assert_eq!(status["phase"], "Pending");
    let points = words(&status["pointStatuses"]);
    assert_eq!(
        points[..3],
        ["PreCheck Failed", "Snapshot null", "Cluster null"]
    );
    assert_eq!(get(&world, TASKS, "").1["items"], json!([]));
    let precheck = &get(&world, PRECHECKS, "").1["items"][0]["status"]["nodeCheckStatus"];
    assert_eq!(
        precheck["nodeStageStatus"][1]["itemsStatus"][0]["phase"],
        "Failed"
    );
}

#[test]
fn a_task_stands_while_the_nodes_are_in_work() {
    let mut world = world(vec![cluster("a")]);
    set(&mut world, 130);
    assert_eq!(get(&world, TASKS, "").1["items"], json!([]));
    assert_eq!(get(&world, INFO, "").1["status"], json!({}));
    set(&mut world, 380);
    let task = get(&world, TASKS, "").1["items"][0].clone();
    assert_eq!(task["status"]["phase"], "Running");
    assert_eq!(task["status"]["progress"], "0.50");
    let updated = task["metadata"]["updateTimestamp"].as_str().unwrap();
    assert!(updated.ends_with(" +0800 CST"), "{updated}");
    assert_eq!(task["status"]["completionTime"], updated, "before it ended");
    assert_eq!(get(&world, INFO, "").1["status"], task["status"]);
    let point = get(&world, WORKFLOWS, "").1["items"]["status"]["pointStatuses"][2].clone();
    assert_eq!(point["taskID"], task["metadata"]["uid"]);
    assert_eq!(point["endTimeStamp"], "0001-01-01 00:00:00 +0000 UTC");
}

#[test]
fn an_upgrade_through_the_api_has_no_workflow() {
    let mut api = cluster("a");
    start_over_the_api(&mut api);
    let mut world = world(vec![api]);
    set(&mut world, 270);
    assert!(get(&world, WORKFLOWS, "").1["items"].is_null());
    assert_eq!(
        get(&world, TASKS, "").1["items"][0]["status"]["phase"],
        "Running"
    );
}

#[test]
fn nodes_have_pages() {
    let mut world = world(vec![cluster("a")]);
    set(&mut world, 270);
    let (_, all) = get(&world, NODES, "");
    assert_eq!(all["pageInfo"], json!({"currentCount": 2}));
    let (_, first) = get(&world, NODES, "limit=1");
    assert_eq!(first["items"][0]["metadata"]["name"], "node-1");
    assert_eq!(first["items"][0]["status"]["phase"], "Upgrading");
    let marker = first["pageInfo"]["nextMarker"].as_str().unwrap();
    let (_, second) = get(&world, NODES, &format!("limit=1&marker={marker}"));
    assert_eq!(second["items"][0]["metadata"]["name"], "node-2");
    assert!(second["pageInfo"]["nextMarker"].is_null());
    for bad in ["limit=0", "limit=2001", "limit=x", "marker=x"] {
        let answer = ask(&world, NODES, bad);
        assert_eq!(answer.status, 400, "{bad}");
        assert!(answer.refused.is_some(), "{bad}");
    }
}

#[test]
fn unknown_clusters_and_unpublished_calls() {
    let mut world = world(vec![cluster("a")]);
    let (status, body) = get(&world, "/api/v3/projects/p/clusters/b/nodes", "");
    assert_eq!(status, 404);
    assert_eq!(body["errorCode"], "CCE.01404001");
    assert!(body["error_code"].is_string() && body["reason"].is_string());
    SimulatedAccount::change(&mut world.scenario, |account| {
        account.cce_upgrades_published = false;
    });
    for path in [WORKFLOWS, TASKS, INFO] {
        let answer = ask(&world, path, "");
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("APIGW.0101"), "{path}");
        assert_eq!(answer.refused, None, "{path}");
    }
    assert_eq!(get(&world, NODES, "").0, 200);
}

#[test]
fn what_is_not_ccess_is_left_to_others() {
    let world = world(vec![cluster("a")]);
    let headers = HeaderMap::new();
    for (method, path) in [
        ("GET", "/v1.0/p/clusters"),
        ("GET", "/api/v3/projects/p/clusters/a/reboot"),
        ("GET", "/api/v3/projects/p/clusters/a"),
        ("POST", TASKS),
    ] {
        let request = Request {
            method,
            path,
            query: "",
            headers: &headers,
            body: b"",
        };
        assert_eq!(Simulator.answer(&world, &request), None, "{method} {path}");
    }
}

#[test]
fn times_have_gos_form() {
    let at: Timestamp = "2023-11-24T08:39:15.894417Z".parse().unwrap();
    assert_eq!(go(at), "2023-11-24 08:39:15.894417 +0000 UTC");
    assert_eq!(go_beijing(at), "2023-11-24 16:39:15.894417 +0800 CST");
    let whole: Timestamp = "2023-11-24T08:39:15Z".parse().unwrap();
    assert_eq!(go(whole), "2023-11-24 08:39:15 +0000 UTC");
}

#[test]
fn every_cluster_of_the_demo_has_its_part() {
    let want = FirstCycle {
        succeeded: ["shop-frontend", "batch-jobs"].map(str::to_owned).to_vec(),
        ..FirstCycle::default()
    };
    assert_eq!(first_cycle("cce"), want);
}
