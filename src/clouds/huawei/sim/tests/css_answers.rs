//! Answers of the simulated Cloud Search Service.

use super::*;

fn ask(world: &World, path: &str, query: &str) -> Value {
    let answer = Sent::signed(world, path, query).ask(world);
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    let clusters = page["clusters"].as_array().unwrap().iter();
    clusters.map(|c| c["id"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_list_is_filtered_by_engine() {
    let of = |id: &str, version: &str, listed| Cluster {
        versions: vec![version.into()],
        starts_after: None,
        listed,
        ..cluster(id, Kind::Version)
    };
    let clusters = vec![
        of("e1", "7.10.2", ListedAs::Allowed),
        of("l1", "7.10.0", ListedAs::NotUpgradable),
        of("o1", "2.19.0_25.6.0_0615", ListedAs::Allowed),
        of("e2", "5.5.1", ListedAs::Allowed),
        of("gone", "7.10.2", ListedAs::Returned),
    ];
    let clock = Clock::tokio("2026-11-21T10:00:00Z".parse().unwrap());
    let world = World::new(scenario(clusters), 1.0, clock);
    for (engine, want) in [
        ("elasticsearch", &["e2", "e1"][..]),
        ("logstash", &["l1"]),
        ("opensearch", &["o1"]),
        ("", &["e2", "o1", "l1", "e1"]),
    ] {
        let page = ask(&world, LIST, &format!("datastoreType={engine}&limit=10"));
        assert_eq!(ids(&page), want, "{engine}");
        assert_eq!(page["totalSize"], want.len(), "the total is of the engine");
        for cluster in page["clusters"].as_array().unwrap() {
            let told = cluster["datastore"]["type"].as_str().unwrap();
            assert!(engine.is_empty() || told == engine, "{cluster}");
        }
    }
    let second = ask(&world, LIST, "datastoreType=elasticsearch&limit=1&offset=2");
    assert_eq!(ids(&second), ["e1"], "positions count within the engine");
    for wrong in ["Elasticsearch", "kafka", "elasticsearch,logstash"] {
        let query = format!("datastoreType={}", wrong.replace(',', "%2C"));
        let answer = Sent::signed(&world, LIST, &query).ask(&world);
        assert_eq!(code(&answer), (400, "CSS.0001".into()), "{wrong}");
        assert!(answer.refused.unwrap().contains("datastoreType"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_zone_change_tells_where_nodes_go_and_comes_back() {
    let mut moved = cluster("z", Kind::AzMigration);
    moved.starts_after = Some(Duration::ZERO);
    moved.repeats_after = Some(secs(40));
    moved.nodes[2].role = "ess-master".into();
    let clock = Clock::tokio("2026-11-21T10:00:00Z".parse().unwrap());
    let world = World::new(scenario(vec![moved]), 1.0, clock);
    let path = format!("{LIST}/z/upgrade/detail");
    for (passed, started, zones, done) in [
        (25, "2026-11-21T10:00:00", ["cn-north-4a", "cn-north-4c"], 1),
        (
            100,
            "2026-11-21T10:01:40",
            ["cn-north-4c", "cn-north-4a"],
            1,
        ),
    ] {
        tokio::time::advance(secs(passed)).await;
        let details = ask(&world, &path, "action_mode=AZ_MIGRATION&limit=100");
        let details = details["detailList"].as_array().unwrap().iter();
        let run = details.clone().find(|run| run["startTime"] == started);
        let run = run.unwrap_or_else(|| panic!("no run of {started}"));
        assert_eq!(run["agencyName"], "css_test_agency");
        let param = run["migrateParam"].as_str().unwrap();
        let param: Value = serde_json::from_str(param).unwrap();
        assert_eq!(param["instType"], "all");
        assert_eq!([&param["sourceAz"], &param["targetAz"]], zones);
        let plan = run["finalAzInfoMap"].as_str().unwrap();
        let plan: Value = serde_json::from_str(plan).unwrap();
        assert_eq!(plan[zones[1]], "z-n1,z-n2,z-n3");
        let list = ask(&world, LIST, "limit=10");
        let instances = list["clusters"][0]["instances"].as_array().unwrap();
        let at_target = instances.iter().filter(|i| i["azCode"] == zones[1]).count();
        assert_eq!(at_target, done, "nodes that are done are in the new zone");
    }
}

#[tokio::test(start_paused = true)]
async fn every_task_is_described_in_the_vendors_words() {
    let mut upgraded = cluster("v", Kind::Version);
    upgraded.starts_after = Some(Duration::ZERO);
    upgraded.steps[0].name = "Data migration".into();
    upgraded.steps[1].name = "A step of this scenario".into();
    let clock = Clock::tokio("2026-11-21T10:00:00Z".parse().unwrap());
    let world = World::new(scenario(vec![upgraded]), 1.0, clock);
    let details = ask(&world, &format!("{LIST}/v/upgrade/detail"), "");
    let tasks = details["detailList"][0]["currentNodeDetail"].as_array();
    let tasks: Vec<&str> = tasks
        .unwrap()
        .iter()
        .map(|t| t["desc"].as_str().unwrap())
        .collect();
    let want = [
        "Data is migrated from a node to other nodes in the cluster by running the exclude command.",
        "The task \"A step of this scenario\" is performed on the node.",
    ];
    assert_eq!(tasks, want);
}
