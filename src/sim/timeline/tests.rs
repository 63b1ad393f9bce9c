//! Where upgrades stand, second by second.

use super::*;
use crate::sim::scenario::{Hang, ListedAs, Repetition, SimNode};
use crate::sim::{Extensions, VersionForm};

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
        starts_after: Some(secs(2)),
        queued: Duration::ZERO,
        repeats_after: None,
        repetition: Repetition::default(),
        batch: 1,
        before: vec![step("PreCheck", 4)],
        steps: vec![step("one", 10), step("two", 5)],
        after: vec![step("PostCheck", 1)],
        hangs: None,
        fails: None,
        extensions: Extensions::default(),
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

#[test]
fn a_failed_run_is_tried_again_from_the_first_version() {
    let mut cluster = cluster();
    cluster.fails = Some(Place { node: 1, step: 1 });
    cluster.repeats_after = Some(secs(6));
    // 4 s, and 10 s up to the failure.
    for run in 0..3 {
        let moment = play_at(&cluster, 1.0, 2 + 20 * run + 15).unwrap();
        assert_eq!((u64::from(moment.run), moment.state), (run, Failed));
        let versions = (moment.from.as_str(), moment.to.as_str());
        assert_eq!(versions, ("1", "2"));
    }
}

/// Runs until this second, each once: versions, state at its end, and the second of its request.
fn runs_until(cluster: &Cluster, end: u64) -> Vec<(String, String, State, u64)> {
    let mut runs: Vec<(u32, (String, String, State, u64))> = Vec::new();
    for moment in (0..end).filter_map(|second| play_at(cluster, 1.0, second)) {
        if runs.last().is_some_and(|(run, _)| *run == moment.run) {
            runs.pop();
        }
        let since = moment.requested.duration_since(origin()).as_secs();
        let since = u64::try_from(since).unwrap();
        runs.push((moment.run, (moment.from, moment.to, moment.state, since)));
    }
    runs.into_iter().map(|(_, run)| run).collect()
}

#[test]
fn the_first_of_so_many_runs_fails() {
    let mut cluster = cluster();
    cluster.versions = vec!["3.1.0".into(), "3.2.0".into(), "3.9.0".into()];
    cluster.fails = Some(Place { node: 1, step: 1 });
    cluster.repeats_after = Some(secs(10));
    cluster.repetition = Repetition {
        failure_period: 3,
        retries_after: Some(secs(36)),
        endless_versions: Some(VersionForm::DOTTED),
    };
    let run = |from: &str, to: &str, state, since| (from.to_owned(), to.to_owned(), state, since);
    // A run that fails takes 14 s and 36 s, one that succeeds 50 s and 10 s.
    assert_eq!(
        runs_until(&cluster, 395),
        [
            run("3.1.0", "3.2.0", Failed, 2),
            run("3.1.0", "3.9.0", Succeeded, 52),
            run("3.9.0", "3.10.0", Succeeded, 112),
            run("3.10.0", "3.11.0", Failed, 172),
            run("3.10.0", "3.12.0", Succeeded, 222),
            run("3.12.0", "3.13.0", Succeeded, 282),
            run("3.13.0", "3.14.0", Failed, 342),
            run("3.13.0", "3.15.0", Running, 392),
        ]
    );
}

#[test]
fn endless_versions_never_lead_back() {
    let mut cluster = cluster();
    cluster.versions = vec!["290".into(), "2140".into()];
    cluster.repeats_after = Some(secs(0));
    let clouds = crate::cloud::simulated(crate::clouds::CLOUDS);
    cluster.repetition.endless_versions = VersionForm::of(&clouds, "2140");
    // A run takes 50 s.
    let to = |seconds| play_at(&cluster, 1.0, seconds).unwrap().to;
    assert_eq!([to(2), to(52), to(102)], ["2140", "2150", "2160"]);
    assert_eq!(to(2 + 50 * 1_000_000), "210000140");
    cluster.repetition.endless_versions = None;
    let to = |seconds| play_at(&cluster, 1.0, seconds).unwrap().to;
    assert_eq!([to(2), to(52), to(102)], ["2140", "290", "2140"]);
}

#[test]
fn every_run_fails_on_the_way_to_another_endless_version() {
    let mut cluster = cluster();
    cluster.versions = vec!["2.1.0".into(), "2.2.0".into()];
    cluster.fails = Some(Place { node: 0, step: 1 });
    cluster.repeats_after = Some(secs(6));
    cluster.repetition.endless_versions = Some(VersionForm::DOTTED);
    let versions = |seconds| {
        let moment = play_at(&cluster, 1.0, seconds).unwrap();
        format!("{} {}", moment.from, moment.to)
    };
    assert_eq!(
        [versions(2), versions(12), versions(22)],
        ["2.1.0 2.2.0", "2.1.0 2.3.0", "2.1.0 2.4.0"]
    );
}
