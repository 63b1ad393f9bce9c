mod next;
mod unnamed;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::model::{Thresholds, track};
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

/// Takes a look into the memory, as a worker does, and gives its upgrade.
fn look(memory: &mut Memory, progress: &Progress, listed: &Listed, second: i64) -> Option<Upgrade> {
    let observation = observation(progress, listed, memory, at(second));
    assert!(observation.remarks.is_empty() && observation.unknown_words.is_empty());
    assert_eq!(observation.changing, listed.is("changing"));
    let thresholds = Thresholds {
        stalled_after: Duration::from_secs(1000),
        overdue_after: Duration::from_secs(1000),
        retain_ended: Duration::from_secs(1000),
    };
    let interval = Duration::from_secs(1);
    track::advance(memory, &observation, &thresholds, interval, at(second));
    observation.upgrades.into_iter().next()
}

/// Memory of a cluster that was polled before and had no upgrade.
fn polled() -> Memory {
    let mut memory = Memory::default();
    let idle = look(&mut memory, &colours("ggg"), &listed("running", "2"), -1);
    assert_eq!(idle, None);
    memory
}

/// Plays looks `(serverStatus, kafkaVersion, colours)`, a second apart, and gives each upgrade.
fn play_in(memory: &mut Memory, looks: &[(&str, &str, &str)]) -> Vec<Option<Upgrade>> {
    let looks = (0..).zip(looks);
    looks
        .map(|(second, (status, version, brokers))| {
            look(memory, &colours(brokers), &listed(status, version), second)
        })
        .collect()
}

/// Plays looks at a cluster that was polled before.
fn play(looks: &[(&str, &str, &str)]) -> Vec<Option<Upgrade>> {
    play_in(&mut polled(), looks)
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
    let shouted = observation(&colours("G"), &listed("CHANGING ", "2"), &polled(), at(0));
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

/// Colours do not tell a node that is done from one that waits: only a look from before does.
#[test]
fn green_at_first_sight_may_be_done() {
    let looks = [
        ("changing", "2", "gog"),
        ("changing", "2", "ggo"),
        ("changing", "2", "gyg"),
        ("changing", "2", "ggg"),
    ];
    let seen = play(&looks);
    assert_eq!(nodes(seen[0].as_ref()), [Waiting, Upgrading, Waiting]);
    assert_eq!(nodes(seen[1].as_ref()), [Waiting, Succeeded, Upgrading]);
    let mut memory = Memory::default();
    let first = play_in(&mut memory, &looks);
    assert_eq!(nodes(first[0].as_ref()), [Unknown, Upgrading, Unknown]);
    assert_eq!(nodes(first[1].as_ref()), [Unknown, Succeeded, Upgrading]);
    assert_eq!(nodes(first[2].as_ref()), [Unknown, Unknown, Succeeded]);
    assert_eq!(nodes(first[3].as_ref()), [Unknown, Succeeded, Succeeded]);
    let pending = play_in(&mut Memory::default(), &looks[3..]);
    assert_eq!(pending[0].as_ref().unwrap().status, S::Pending);
    assert_eq!(nodes(pending[0].as_ref()), [Unknown; 3]);
    let running = listed("running", "3");
    let ended = look(&mut memory, &colours("ggg"), &running, 9);
    assert_eq!(nodes(ended.as_ref()), [Succeeded; 3]);
    let next = look(&mut memory, &colours("ogg"), &running, 10);
    assert_eq!(
        nodes(next.as_ref()),
        [Upgrading, Waiting, Waiting],
        "the next one begins in sight"
    );
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
fn the_example_and_what_is_optional_in_it() {
    let body: Value = serde_json::from_str(include_str!(
        "../../../../../tests/data/ncloud/cdss-progress.json"
    ))
    .unwrap();
    let progress: Progress = serde_json::from_value(body["result"].clone()).unwrap();
    let observation = observation(&progress, &listed("", "2.8.2"), &polled(), at(1));
    assert!(observation.remarks.is_empty() && observation.unknown_words.is_empty());
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
    let observation = observation(&progress, &listed("running", "2"), &polled(), at(1));
    assert_eq!(observation.unknown_words, ["purple"]);
    assert_eq!(observation.remarks.len(), 2, "{:?}", observation.remarks);
    assert_eq!(
        nodes(observation.upgrades.first()),
        [Waiting, Unknown, Unknown, Unknown, Upgrading, Failed],
        "the worse of two states counts"
    );
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
