//! Where upgrades stand, second by second.

use super::*;
use crate::model::Kind;
use crate::sim::scenario::{Hang, ListedAs, SimNode};

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn origin() -> Timestamp {
    "2026-11-21T00:00:00Z".parse().unwrap()
}

fn after(n: u64) -> Timestamp {
    origin() + secs(n)
}

/// Three nodes of 10 + 5 s, after a check of 4 s; requested after 2 s.
fn cluster() -> Cluster {
    let step = |name: &str, n| Step {
        name: name.into(),
        takes: secs(n),
    };
    Cluster {
        product: "cce".into(),
        id: "a".into(),
        name: "a".into(),
        versions: vec!["1".into(), "2".into()],
        nodes: ["x", "y", "z"]
            .map(|name| SimNode {
                name: name.into(),
                role: "node".into(),
            })
            .into(),
        listed: ListedAs::Allowed,
        kind: Kind::Version,
        starts_after: Some(secs(2)),
        repeats_after: None,
        batch: 1,
        before: vec![step("PreCheck", 4)],
        steps: vec![step("one", 10), step("two", 5)],
        after: vec![step("PostCheck", 1)],
        hangs: None,
        fails: None,
        executions: 1,
        task_only: false,
        findings: Vec::new(),
    }
}

fn play_at(cluster: &Cluster, speed: f64, seconds: u64) -> Option<Moment> {
    at(cluster, origin(), speed, after(seconds))
}

fn states(moment: &Moment) -> Vec<State> {
    moment.nodes.iter().map(|n| n.state).collect()
}

use State::{Failed, Running, Succeeded, Waiting};

#[test]
fn nodes_go_one_after_another() {
    let cluster = cluster();
    assert_eq!(play_at(&cluster, 1.0, 1), None);
    let begin = play_at(&cluster, 1.0, 2).unwrap();
    assert_eq!((begin.requested, begin.state), (after(2), Running));
    assert_eq!(states(&begin), [Waiting, Waiting, Waiting]);
    let middle = play_at(&cluster, 1.0, 2 + 4 + 15 + 11).unwrap();
    assert_eq!(states(&middle), [Succeeded, Running, Waiting]);
    let node = &middle.nodes[1];
    assert_eq!((node.begun, node.ended), (Some(after(21)), None));
    assert_eq!(node.updated, Some(after(31)));
    assert_eq!(node.steps[0].ended, Some(after(31)));
    assert_eq!(middle.version(), "1");
    let end = play_at(&cluster, 1.0, 500).unwrap();
    assert_eq!(
        (end.state, end.ended),
        (Succeeded, Some(after(2 + 4 + 45 + 1)))
    );
    assert_eq!(end.version(), "2");
}

#[test]
fn speed_divides_lengths() {
    let end = play_at(&cluster(), 2.0, 500).unwrap();
    assert_eq!(end.ended, Some(after(26)));
}

#[test]
fn a_batch_goes_together() {
    let mut cluster = cluster();
    cluster.batch = 2;
    let moment = play_at(&cluster, 1.0, 10).unwrap();
    assert_eq!(states(&moment), [Running, Running, Waiting]);
    let moment = play_at(&cluster, 1.0, 25).unwrap();
    assert_eq!(states(&moment), [Succeeded, Succeeded, Running]);
}

#[test]
fn a_hang_makes_a_step_longer_and_then_goes_on() {
    let mut cluster = cluster();
    cluster.hangs = Some(Hang {
        place: Place { node: 2, step: 1 },
        lasts: secs(100),
    });
    let moment = play_at(&cluster, 1.0, 21 + 105).unwrap();
    assert_eq!(states(&moment), [Succeeded, Running, Waiting]);
    assert_eq!(moment.updated, after(21));
    let end = play_at(&cluster, 1.0, 500).unwrap();
    assert_eq!(end.ended, Some(after(152)));
}

#[test]
fn a_failure_ends_the_run_where_it_stands() {
    let mut cluster = cluster();
    cluster.fails = Some(Place { node: 2, step: 1 });
    let moment = play_at(&cluster, 1.0, 500).unwrap();
    assert_eq!((moment.state, moment.ended), (Failed, Some(after(31))));
    assert_eq!(states(&moment), [Succeeded, Failed, Waiting]);
    assert_eq!(moment.after[0].state, Waiting);
    assert_eq!(moment.version(), "1");
}

#[test]
fn runs_repeat_with_the_next_version_and_another_id() {
    let mut cluster = cluster();
    cluster.repeats_after = Some(secs(8));
    let first = play_at(&cluster, 1.0, 55).unwrap();
    let second = play_at(&cluster, 1.0, 60).unwrap();
    assert_eq!((first.run, first.state), (0, Succeeded));
    assert_eq!((second.run, second.requested), (1, after(60)));
    assert_eq!((second.from.as_str(), second.to.as_str()), ("2", "1"));
    assert_ne!(first.id(&cluster), second.id(&cluster));
    assert_eq!(first.id(&cluster).len(), 36);
}
