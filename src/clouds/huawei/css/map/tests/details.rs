//! Details for people: descriptions, agency, zones of a move, meanings of codes.

use super::*;
use crate::model::{ZoneMove, ZonePlan};

const MIGRATION: &str =
    "Data is migrated from a node to other nodes in the cluster by running the exclude command.";
const UPDATE: &str = "The cluster task status is refreshed. If there are no nodes to be replaced, the \
                      task is marked as completed. Otherwise, another node starts to be replaced.";

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// Reads a change of the zone with these two fields.
fn read_move(param: &str, result: &str) -> Option<ZoneMove> {
    let json = format!(
        r#"{{"detailList":[{{"id":"z","status":"RUNNING","migrateParam":{param},"finalAzInfoMap":{result}}}]}}"#
    );
    let (upgrade, _) = read_with(Kind::AzMigration, &json, &Memory::default());
    upgrade.details.zone_move
}

#[test]
fn the_documents_examples_tell_agency_and_descriptions() {
    for (kind, json) in [(Kind::Version, RUNNING), (Kind::AzMigration, AZ)] {
        let (upgrade, _) = read_with(kind, json, &Memory::default());
        assert_eq!(upgrade.details.agency.as_deref(), Some("css_test_agency"));
        let tasks = upgrade.tasks.iter();
        let descriptions: Vec<_> = tasks.map(|task| task.description.as_deref()).collect();
        assert_eq!(descriptions, [Some(MIGRATION), Some(UPDATE)]);
    }
}

#[test]
fn the_documents_zone_change_tells_zones_and_plan() {
    let (upgrade, _) = read_with(Kind::AzMigration, AZ, &Memory::default());
    let want = ZoneMove {
        instance_type: Some("ess".into()),
        from: texts(&["cn-north-4a"]),
        to: texts(&["cn-north-4c"]),
        plan: vec![ZonePlan {
            zone: "cn-north-4c".into(),
            nodes: texts(&[
                "css-test-ess-esn-2-1",
                "css-test-ess-esn-1-1",
                "css-test-ess-esn-3-1",
            ]),
        }],
    };
    assert_eq!(upgrade.details.zone_move, Some(want));
    assert_eq!(read(RUNNING).details.zone_move, None);
}

#[test]
fn a_zone_change_is_read_in_any_form() {
    let plan = |zone: &str, nodes: &[&str]| ZonePlan {
        zone: zone.into(),
        nodes: texts(nodes),
    };
    let param = r#"{"instType":"all","sourceAz":["a","b"],"targetAz":" c , d"}"#;
    let result = r#"{"d":["n3"],"c":"n1, n2","e":{}}"#;
    let want = ZoneMove {
        instance_type: Some("all".into()),
        from: texts(&["a", "b"]),
        to: texts(&["c", "d"]),
        plan: vec![plan("c", &["n1", "n2"]), plan("d", &["n3"]), plan("e", &[])],
    };
    assert_eq!(read_move(param, result), Some(want.clone()));
    let text = |json: &str| serde_json::Value::from(json).to_string();
    assert_eq!(read_move(&text(param), &text(result)), Some(want));
    // A field in a form of its own hides none of the others.
    let odd = read_move(r#"{"instType":7,"sourceAz":true,"targetAz":"c"}"#, "{}").unwrap();
    assert_eq!((odd.instance_type, odd.from), (None, Vec::new()));
    assert_eq!(odd.to, ["c"]);
    let only_result = read_move("{}", r#"{"c":"n1"}"#).unwrap();
    assert_eq!(only_result.to, ["c"], "what is planned tells where it goes");
    for nothing in ["null", "7", r#""""#, r#""{""#, "[]", "{}", r#""{}""#] {
        assert_eq!(read_move(nothing, nothing), None, "{nothing}");
    }
}

#[test]
fn a_plan_of_any_length_takes_a_bounded_room() {
    let nodes = "n,".repeat(3_000);
    let zones: Vec<String> = (0..200).map(|n| format!(r#""z{n}":"{nodes}""#)).collect();
    let param = format!(r#"{{"sourceAz":"{nodes}","targetAz":"{nodes}"}}"#);
    let zones = read_move(&param, &format!("{{{}}}", zones.join(","))).unwrap();
    let planned: Vec<usize> = zones.plan.iter().map(|plan| plan.nodes.len()).collect();
    assert_eq!((planned.len(), planned.iter().sum()), (100, 20_000));
    assert_eq!((zones.from.len(), zones.to.len()), (100, 100));
    assert!(zones.plan[0].nodes.capacity() < 6_000);
}

#[test]
fn blank_texts_are_no_details() {
    let json = r#"{"detailList":[{"id":"u","status":"RUNNING","agencyName":" ","currentNodeDetail":[
        {"name":"x","status":"RUNNING","desc":""},{"name":"y","status":"WAITING","desc":["z"]}]}]}"#;
    let upgrade = read(json);
    assert_eq!(upgrade.details.agency, None);
    assert!(upgrade.tasks.iter().all(|task| task.description.is_none()));
}

#[test]
fn a_new_description_is_no_progress() {
    let first = read(RUNNING);
    let memory = memory_of(&first);
    let (again, _) = read_with(
        Kind::Version,
        &RUNNING.replace("The cluster task status is refreshed.", "Refreshing."),
        &memory,
    );
    assert_ne!(first.tasks, again.tasks);
    let mut memory = memory;
    let mut observation = observation(&cluster());
    observation.upgrades.push(again);
    let hour = std::time::Duration::from_secs(3600);
    let thresholds = Thresholds {
        stalled_after: hour,
        overdue_after: hour,
        retain_ended: hour,
    };
    let later = at("2023-01-05T04:30:00Z");
    track::advance(&mut memory, &observation, &thresholds, hour, later);
    assert_eq!(memory.last(Kind::Version).unwrap().changed, None);
}

#[test]
fn codes_of_clusters_have_words() {
    for (code, want) in [
        (r#""100""#, Some("in progress")),
        (r#"" 200 ""#, Some("available")),
        ("300", Some("unavailable")),
        ("303.0", Some("failed")),
        (r#""400""#, None),
        (r#""available""#, None),
        ("null", None),
    ] {
        let json = format!(r#"{{"clusters":[{{"id":"c","status":{code}}}]}}"#);
        let page: ClusterList = serde_json::from_str(&json).unwrap();
        let observation = observation(&page.parts().1.unwrap().list[0]);
        assert_eq!(observation.status_meaning, want, "{code}");
    }
}
