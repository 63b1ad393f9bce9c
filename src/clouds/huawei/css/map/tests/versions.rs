//! Source and target.

use super::*;

fn versions(upgrade: &Upgrade) -> (Option<&str>, Option<&str>) {
    (
        upgrade.from_version.as_deref(),
        upgrade.to_version.as_deref(),
    )
}

/// Reads an upgrade of a cluster that runs `version`.
fn read_at(version: &str, json: &str, memory: &Memory) -> Upgrade {
    let mut cluster = cluster();
    cluster.datastore.version = version.to_owned();
    let input = MappingInput {
        cluster: &cluster,
        memory,
        zone: Offset::UTC,
    };
    upgrade(Kind::Version, details(json), &input, &mut Vec::new()).unwrap()
}

#[test]
fn what_was_known_while_it_ran_stays() {
    let memory = memory_of(&read(RUNNING));
    let ended = RUNNING.replacen("RUNNING", "SUCCESS", 1);
    let cluster = serde_json::from_str(r#"{"datastore":{"version":"7.10.2"}}"#).unwrap();
    let input = MappingInput {
        cluster: &cluster,
        memory: &memory,
        zone: Offset::UTC,
    };
    let after = upgrade(Kind::Version, details(&ended), &input, &mut Vec::new()).unwrap();
    assert_eq!(after.from_version.as_deref(), Some("7.6.2"));
    // The list lost its instances; the roles are remembered.
    assert_eq!(after.nodes[1].key.role, "ess-master");
    // Another upgrade has another version before.
    let other = ended.replace("b7ac4c5b", "00000000");
    let other = upgrade(Kind::Version, details(&other), &input, &mut Vec::new()).unwrap();
    assert_eq!(other.from_version, None);
}

#[test]
fn an_upgrade_within_one_version_leads_to_the_image() {
    let first = read_at("7.10.2", RUNNING, &Memory::default());
    let image = (Some("7.10.2"), Some("7.10.2_22.5.1_1230"));
    assert_eq!(versions(&first), image);
    // The list may change at any time; what the upgrade began from stays.
    let memory = memory_of(&first);
    assert_eq!(versions(&read_at("7.10.3", RUNNING, &memory)), image);
    let ended = RUNNING.replacen("RUNNING", "SUCCESS", 1);
    assert_eq!(versions(&read_at("7.10.2", &ended, &memory)), image);
    let nameless = RUNNING.replace("7.10.2_22.5.1_1230", "");
    let upgrade = read_at("7.10.2", &nameless, &Memory::default());
    assert_eq!(versions(&upgrade), (Some("7.10.2"), Some("7.10.2")));
}

#[test]
fn at_first_sight_of_its_end_the_version_before_is_unknown() {
    for state in ["SUCCESS", "FAILED", "PARTIAL_FAILED", "HALTED"] {
        let ended = RUNNING.replacen("RUNNING", state, 1);
        for listed in ["7.10.2", "7.6.2"] {
            let upgrade = read_at(listed, &ended, &Memory::default());
            assert_eq!(versions(&upgrade), (None, Some("7.10.2")), "{state}");
        }
    }
}

#[test]
fn the_version_before_is_that_at_first_sight_while_running() {
    let to_version = (Some("7.6.2"), Some("7.10.2"));
    let to_image = (Some("7.10.2"), Some("7.10.2_22.5.1_1230"));
    let ended = RUNNING.replacen("RUNNING", "SUCCESS", 1);
    let failed = RUNNING.replacen("RUNNING", "FAILED", 1);
    for (before, want) in [("7.6.2", to_version), ("7.10.2", to_image)] {
        // A failure that was seen first tells no version; its retry does, and so does a first sight in
        // the middle, as after a restart of this program.
        let mut memory = memory_of(&read_at(before, &failed, &Memory::default()));
        for (listed, json) in [
            (before, RUNNING),
            ("7.10.2", RUNNING),
            ("7.10.2", &failed),
            ("7.10.2", RUNNING),
            ("7.10.2", &ended),
        ] {
            let upgrade = read_at(listed, json, &memory);
            assert_eq!(versions(&upgrade), want, "{listed} {before}");
            memory = memory_of(&upgrade);
        }
    }
    // A list without a version tells none until it has one.
    let untold = read_at("", RUNNING, &Memory::default());
    assert_eq!(versions(&untold), (None, Some("7.10.2")));
    let told = read_at("7.10.2", RUNNING, &memory_of(&untold));
    assert_eq!(versions(&told), to_image);
}

#[test]
fn a_move_of_zones_may_tell_only_its_result() {
    for (replaced, by, want) in [
        (
            r#"\"targetAz\":\"cn-north-4c\""#,
            r#"\"targetAz\":null"#,
            (Some("cn-north-4a"), Some("cn-north-4c")),
        ),
        (
            r#"\"sourceAz\":\"cn-north-4a\",\"targetAz\":\"cn-north-4c\""#,
            r#"\"instType\":\"all\""#,
            (None, Some("cn-north-4c")),
        ),
        (
            r#"\"cn-north-4a\""#,
            r#"[\"a\",\"b\"]"#,
            (Some("a,b"), Some("cn-north-4c")),
        ),
        (r#"\"sourceAz\""#, "not JSON", (None, Some("cn-north-4c"))),
    ] {
        let json = AZ.replace(replaced, by);
        assert_ne!(json, AZ, "{by}");
        let (upgrade, _) = read_with(Kind::AzMigration, &json, &Memory::default());
        assert_eq!(versions(&upgrade), want, "{by}");
    }
}

#[test]
fn records_in_texts_may_be_objects_or_nonsense() {
    let read = |param: &str, result: &str| {
        let json = format!(
            r#"{{"detailList":[{{"id":"z","status":"RUNNING","migrateParam":{param},"finalAzInfoMap":{result}}}]}}"#
        );
        let (upgrade, _) = read_with(Kind::AzMigration, &json, &Memory::default());
        (upgrade.from_version, upgrade.to_version)
    };
    let zones = read(r#"{"sourceAz":"a","targetAz":"b"}"#, "null");
    assert_eq!(zones, (Some("a".to_owned()), Some("b".to_owned())));
    let result = read("null", r#"{"b":"n1","a":["n2"]}"#);
    assert_eq!(result, (None, Some("a,b".to_owned())));
    for nonsense in ["null", "7", r#""""#, r#""{""#, "[]", r#"["x"]"#] {
        assert_eq!(read(nonsense, nonsense), (None, None), "{nonsense}");
    }
}

#[test]
fn a_lone_surrogate_in_a_nested_text_hides_no_zone() {
    let text = |json: &str| serde_json::Value::from(json).to_string();
    let read = |param: &str, result: &str| {
        let (param, result) = (text(param), text(result));
        let json = format!(
            r#"{{"detailList":[{{"id":"z","status":"RUNNING","migrateParam":{param},"finalAzInfoMap":{result}}}]}}"#
        );
        let (upgrade, _) = read_with(Kind::AzMigration, &json, &Memory::default());
        (upgrade.from_version, upgrade.to_version)
    };
    let zones = read(
        r#"{"sourceAz":"a","targetAz":"b","note":"team \ud83d"}"#,
        "",
    );
    assert_eq!(zones, (Some("a".to_owned()), Some("b".to_owned())));
    let result = read("", r#"{"b":"n1","a":"team \ud83d"}"#);
    assert_eq!(result, (None, Some("a,b".to_owned())));
}
