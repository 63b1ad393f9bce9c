use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::model::Span;
use NodeStatus::{Failed, Succeeded, Unknown, Upgrading, Waiting};
use UpgradeStatus as S;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn listed(status: &str, version: &str) -> Listed {
    Listed {
        id: "3432149".into(),
        name: "events".into(),
        status: status.into(),
        version: version.into(),
    }
}

/// A progress answer with these colours of brokers: `g`, `o`, `r`, `y`.
fn colours(brokers: &str) -> Progress {
    let nodes: Vec<Value> = brokers
        .chars()
        .enumerate()
        .map(|(i, c)| {
            let colour = match c {
                'g' => "green",
                'o' => "orange",
                'r' => "red",
                _ => "yellow",
            };
            json!({"hostname": format!("b{i}"), "status": colour})
        })
        .collect();
    serde_json::from_value(json!({"brokerStatusPerNode": nodes})).unwrap()
}

/// What a worker keeps between polls.
fn remember(seen: Option<Seen>, upgrade: Option<&Upgrade>, now: Timestamp) -> Option<Seen> {
    let upgrade = upgrade?;
    let mut seen = seen
        .filter(|seen| seen.last.is_same(upgrade))
        .unwrap_or_else(|| Seen {
            last: upgrade.clone(),
            first_seen: now,
            status_since: now,
            fully_told: None,
            started: None,
            outcomes: std::collections::BTreeSet::new(),
            changed: None,
            ended_seen: None,
            forgotten: false,
            worked: BTreeMap::new(),
        });
    for node in upgrade.nodes.iter().filter(|n| n.status == Upgrading) {
        let span = Span {
            start: now,
            end: None,
        };
        seen.worked.entry(node.key.clone()).or_insert(span);
    }
    seen.last = upgrade.clone();
    Some(seen)
}

/// Plays looks `(serverStatus, kafkaVersion, colours)`, a second apart, and gives each upgrade.
fn play(looks: &[(&str, &str, &str)]) -> Vec<Option<Upgrade>> {
    let mut seen = None;
    let mut out = Vec::new();
    for (second, (status, version, brokers)) in (0..).zip(looks) {
        let (mut observation, remarks) = observation(
            &colours(brokers),
            &listed(status, version),
            seen.as_ref(),
            at(second),
        );
        assert!(remarks.is_empty() && observation.unknown_words.is_empty());
        assert_eq!(observation.changing, *status == "changing");
        let upgrade = observation.upgrades.pop();
        seen = remember(seen, upgrade.as_ref(), at(second));
        out.push(upgrade);
    }
    out
}

fn states(looks: &[(&str, &str, &str)]) -> Vec<UpgradeStatus> {
    play(looks)
        .iter()
        .map(|upgrade| upgrade.as_ref().map_or(S::None, |u| u.status))
        .collect()
}

fn nodes(upgrade: Option<&Upgrade>) -> Vec<NodeStatus> {
    upgrade.unwrap().nodes.iter().map(|n| n.status).collect()
}

#[test]
fn before_an_upgrade_no_colour_means_anything() {
    for brokers in ["ggg", "rgg", "ygg", "rrr", ""] {
        assert_eq!(states(&[("running", "2", brokers)]), [S::None], "{brokers}");
        assert_eq!(states(&[("error", "2", brokers)]), [S::None], "{brokers}");
    }
}

#[test]
fn it_begins_with_orange_or_changing() {
    assert_eq!(states(&[("running", "2", "ogg")]), [S::Running]);
    assert_eq!(states(&[("changing", "2", "ggg")]), [S::Pending]);
    let (shouted, _) = observation(&colours("g"), &listed("CHANGING ", "2"), None, at(0));
    assert_eq!(shouted.upgrades[0].status, S::Pending);
    let played = play(&[("running", "2", "ggg"), ("changing", "2", "ggg")]);
    let begun = played[1].as_ref().unwrap();
    assert_eq!(begun.requested, Some(at(1)));
    assert_eq!(begun.from_version.as_deref(), Some("2"));
    assert_eq!((&begun.to_version, &begun.id), (&None, &None));
    assert_eq!(nodes(played[1].as_ref()), [Waiting, Waiting, Waiting]);
}

#[test]
fn a_whole_upgrade() {
    let played = play(&[
        ("changing", "2", "ggg"),
        ("changing", "2", "ogg"),
        ("changing", "2", "gog"),
        ("changing", "2", "ggg"),
        ("changing", "2", "ggo"),
        ("changing", "3", "ggg"),
        ("running", "3", "ggg"),
    ]);
    let status: Vec<_> = played.iter().flatten().map(|u| u.status).collect();
    assert_eq!(
        status,
        [
            S::Pending,
            S::Running,
            S::Running,
            S::Running,
            S::Running,
            S::Running,
            S::Succeeded
        ],
        "running between two nodes, and while the cluster itself says that it changes"
    );
    assert_eq!(nodes(played[1].as_ref()), [Upgrading, Waiting, Waiting]);
    assert_eq!(nodes(played[3].as_ref()), [Succeeded, Succeeded, Waiting]);
    let last = played[6].as_ref().unwrap();
    assert_eq!(last.requested, Some(at(0)), "the time it was first seen");
    assert_eq!(last.from_version.as_deref(), Some("2"));
    assert_eq!(last.to_version.as_deref(), Some("3"));
    assert!(played[..6].iter().flatten().all(|u| u.to_version.is_none()));
    assert_eq!(nodes(Some(last)), [Succeeded, Succeeded, Succeeded]);
}

#[test]
fn an_answer_that_names_nothing_is_no_rest() {
    let mut looks = vec![("running", "2", "ogg"), ("running", "2", "")];
    looks.extend([("running", "2", ""); 3]);
    assert!(states(&looks).iter().all(|state| *state == S::Running));
    let unnamed = [
        ("changing", "2", ""),
        ("running", "2", ""),
        ("running", "2", ""),
    ];
    assert_eq!(states(&unnamed), [S::Pending, S::Pending, S::None]);
}

#[test]
fn after_a_forgotten_failure_orange_is_a_new_upgrade() {
    let look = |seen: Option<&Seen>, brokers: &str, second| {
        let (mut observation, _) =
            observation(&colours(brokers), &listed("running", "2"), seen, at(second));
        observation.upgrades.pop()
    };
    let begun = look(None, "ogg", 0);
    let mut seen = remember(None, begun.as_ref(), at(0));
    let failed = look(seen.as_ref(), "rgg", 1);
    assert_eq!(failed.as_ref().unwrap().status, S::Failed);
    seen = remember(seen, failed.as_ref(), at(1));
    let again = look(seen.as_ref(), "org", 2).unwrap();
    assert_eq!(again.requested, Some(at(0)), "the same upgrade goes on");
    seen.as_mut().unwrap().forgotten = true;
    let still = look(seen.as_ref(), "rgg", 3).unwrap();
    assert_eq!(
        still.status,
        S::Failed,
        "a broken broker alone begins nothing"
    );
    let new = look(seen.as_ref(), "org", 4).unwrap();
    assert_eq!((new.status, new.requested), (S::Running, Some(at(4))));
}

#[test]
fn a_restart_is_forgotten_after_two_idle_polls() {
    assert_eq!(
        states(&[
            ("changing", "2", "ogg"),
            ("running", "2", "ggg"),
            ("running", "2", "ggg"),
            ("running", "2", "ggg"),
        ]),
        [S::Running, S::Running, S::None, S::None]
    );
    assert_eq!(
        states(&[
            ("changing", "2", "ggg"),
            ("running", "2", "ggg"),
            ("running", "2", "ggg"),
        ]),
        [S::Pending, S::Pending, S::None]
    );
    assert_eq!(
        states(&[
            ("running", "2", "ogg"),
            ("running", "2", "ggg"),
            ("running", "2", "gog"),
            ("running", "2", "ggg"),
            ("running", "2", "ygg"),
            ("running", "2", "ggg"),
            ("running", "2", "ggg"),
        ]),
        [
            S::Running,
            S::Running,
            S::Running,
            S::Running,
            S::Running,
            S::Running,
            S::None
        ],
        "what is not idle begins the count anew"
    );
    assert_eq!(
        states(&[
            ("running", "2", "o"),
            ("running", "", "g"),
            ("running", "3", "g")
        ]),
        [S::Running, S::Running, S::Succeeded],
        "a version that is not told is not a change"
    );
}

#[test]
fn red_without_orange_is_a_failure_until_it_recovers() {
    assert_eq!(
        states(&[
            ("changing", "2", "ogg"),
            ("changing", "2", "rog"),
            ("changing", "2", "rgg"),
            ("running", "2", "rgg"),
            ("running", "2", "ygg"),
        ]),
        [S::Running, S::Running, S::Failed, S::Failed, S::Failed]
    );
    let failed = [("changing", "2", "ogg"), ("running", "2", "rgg")];
    let then = |looks: &[(&'static str, &'static str, &'static str)]| {
        let mut all = failed.to_vec();
        all.extend(looks);
        states(&all).split_off(2)
    };
    assert_eq!(
        then(&[("changing", "2", "ogg")]),
        [S::Running],
        "tried again"
    );
    assert_eq!(then(&[("changing", "2", "ggg")]), [S::Running]);
    assert_eq!(then(&[("running", "3", "ggg")]), [S::Succeeded]);
    assert_eq!(
        then(&[("running", "2", "ggg"), ("running", "2", "ggg")]),
        [S::Failed, S::None]
    );
    let played = play(&failed);
    assert_eq!(nodes(played[1].as_ref()), [Failed, Waiting, Waiting]);
    let mut retried = failed.to_vec();
    retried.push(("changing", "2", "ogg"));
    assert_eq!(
        play(&retried)[2].as_ref().unwrap().requested,
        Some(at(0)),
        "it is the same upgrade"
    );
}

#[test]
fn after_the_end_it_is_told_again_until_the_next() {
    let played = play(&[
        ("changing", "2", "og"),
        ("running", "3", "gg"),
        ("running", "3", "rg"),
        ("running", "3", "yg"),
        ("running", "3", "og"),
        ("running", "3", "gg"),
    ]);
    let ended = played[1].as_ref().unwrap();
    assert_eq!(ended.status, S::Succeeded);
    assert_eq!(
        played[2].as_ref(),
        Some(ended),
        "a broker that breaks later"
    );
    assert_eq!(played[3].as_ref(), Some(ended));
    let next = played[4].as_ref().unwrap();
    assert_eq!(next.status, S::Running);
    assert_eq!(next.requested, Some(at(4)));
    assert_eq!(next.from_version.as_deref(), Some("3"));
    assert_eq!(next.to_version, None);
    assert_eq!(
        nodes(played[4].as_ref()),
        [Upgrading, Waiting],
        "what was seen of the last upgrade does not count"
    );
    let again = states(&[
        ("changing", "2", "og"),
        ("running", "3", "gg"),
        ("changing", "3", "gg"),
    ]);
    assert_eq!(again, [S::Running, S::Succeeded, S::Pending]);
}

#[test]
fn without_nodes_the_services_colours_and_the_cluster_decide() {
    let overall = |colour: &str| -> Progress {
        serde_json::from_value(json!({"brokerStatus": colour, "zookeeperStatus": null})).unwrap()
    };
    let cluster = listed("running", "2");
    let look = |progress: &Progress, seen: Option<&Seen>, listed: &Listed| {
        let (mut observation, _) = observation(progress, listed, seen, at(9));
        observation.upgrades.pop()
    };
    let begun = look(&overall("orange"), None, &cluster).unwrap();
    assert_eq!((begun.status, begun.nodes.len()), (S::Running, 0));
    let seen = remember(None, Some(&begun), at(9)).unwrap();
    let ended = look(&overall("green"), Some(&seen), &listed("running", "3")).unwrap();
    assert_eq!(ended.status, S::Succeeded);

    let begun = look(&colours("og"), None, &cluster).unwrap();
    let seen = remember(None, Some(&begun), at(9)).unwrap();
    let after = look(&Progress::default(), Some(&seen), &listed("changing", "2")).unwrap();
    assert_eq!(after.status, S::Running);
    assert_eq!(after.nodes, begun.nodes, "nodes are not taken away");
}

#[test]
fn the_example_and_what_is_optional_in_it() {
    let body: Value = serde_json::from_str(include_str!(
        "../../../../../tests/data/ncloud/cdss-progress.json"
    ))
    .unwrap();
    let progress: Progress = serde_json::from_value(body["result"].clone()).unwrap();
    let (observation, remarks) = observation(&progress, &listed("", "2.8.2"), None, at(1));
    assert!(remarks.is_empty() && observation.unknown_words.is_empty());
    assert_eq!(
        (observation.name.as_str(), observation.changing),
        ("events", false)
    );
    let upgrade = &observation.upgrades[0];
    assert_eq!(upgrade.status, S::Running);
    let told: Vec<_> = upgrade
        .nodes
        .iter()
        .map(|n| {
            (
                n.key.name.as_str(),
                n.key.role.as_str(),
                n.status,
                n.raw_status.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("kafka-a-b-1", "broker", Waiting, "green"),
            ("kafka-a-b-2", "broker", Upgrading, "orange"),
            ("kafka-a-b-3", "broker", Waiting, "green"),
            ("kafka-a-b-1", "zookeeper", Waiting, "green"),
        ],
        "one host can stand for two roles"
    );
}

#[test]
fn words_that_nobody_documents_are_told() {
    let progress: Progress = serde_json::from_value(json!({
        "brokerStatusPerNode": [
            {"hostname": "a", "status": "GREEN"},
            {"hostname": "b", "status": "purple"},
            {"hostname": "c", "status": "Gray"},
            {"hostname": "d", "status": ""},
            {"hostname": "e", "status": "orange"},
            {"hostname": "e", "status": "green"},
            {"hostname": "f", "status": "green"},
            {"hostname": "f", "status": "red"},
        ],
    }))
    .unwrap();
    let (observation, remarks) = observation(&progress, &listed("running", "2"), None, at(1));
    assert_eq!(observation.unknown_words, ["purple"]);
    assert_eq!(remarks.len(), 2, "{remarks:?}");
    assert_eq!(
        nodes(observation.upgrades.first()),
        [Waiting, Unknown, Unknown, Unknown, Upgrading, Failed],
        "the worse of two states counts"
    );
}

#[test]
fn a_service_that_names_no_node_is_read_by_its_own_colour() {
    let progress: Progress = serde_json::from_value(json!({
        "brokerStatus": "orange",
        "brokerStatusPerNode": null,
        "zookeeperStatus": "green",
        "zookeeperStatusPerNode": [{"hostname": "z", "status": "green"}],
    }))
    .unwrap();
    let (observation, _) = observation(&progress, &listed("running", "2"), None, at(1));
    assert_eq!(observation.upgrades[0].status, S::Running);
}

#[test]
fn an_end_that_names_no_node_keeps_the_nodes() {
    let played = play(&[("changing", "2", "og"), ("running", "3", "")]);
    assert_eq!(played[1].as_ref().unwrap().status, S::Succeeded);
    assert_eq!(nodes(played[1].as_ref()), [Succeeded, Succeeded]);
}

#[test]
fn counts_nodes_beyond_the_bound() {
    let many = |last: &str| format!("{}{last}", "g".repeat(24_999));
    let (orange, green) = (many("o"), many("g"));
    let upgrades = play(&[
        ("changing", "2.8.2", &orange),
        ("running", "2.8.2", ""),
        ("running", "3.7.1", &green),
    ]);
    let upgrades: Vec<Upgrade> = upgrades.into_iter().map(Option::unwrap).collect();
    let told: Vec<_> = upgrades
        .iter()
        .map(|upgrade| {
            let counts = upgrade.node_counts();
            assert_eq!(upgrade.nodes.len(), 20_000);
            assert_eq!(counts.total(), 25_000);
            (upgrade.status, counts.of(Upgrading), counts.of(Succeeded))
        })
        .collect();
    let want = [
        (S::Running, 1, 0),
        (S::Running, 1, 0),
        (S::Succeeded, 0, 25_000),
    ];
    assert_eq!(told, want);
}
