mod sharing;

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::model::{Kind, Reason, SecondaryCall, SecondaryFailure, Task, Untold};

const THRESHOLDS: Thresholds = Thresholds {
    stalled_after: Duration::from_secs(60),
    overdue_after: Duration::from_secs(3600),
    retain_ended: Duration::from_secs(7200),
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn observation(upgrade: Upgrade) -> Observation {
    Observation {
        name: "a".into(),
        version: String::new(),
        raw_status: String::new(),
        changing: false,
        upgrades: vec![upgrade],
        unknown_words: Vec::new(),
        refused: None,
        ..Observation::default()
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn upgrade(status: UpgradeStatus, nodes: &[NodeStatus]) -> Upgrade {
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.requested = Some(at(100));
    upgrade.nodes = nodes
        .iter()
        .enumerate()
        .map(|(i, status)| Node::new(&format!("n{i}"), "data", *status, ""))
        .collect();
    upgrade
}

fn once_more(memory: &Memory) -> Option<Upgrade> {
    let seen = memory.once_more(Kind::Version, &mut BTreeSet::new());
    seen.map(|seen| (*seen.last).clone())
}

fn advance(memory: &mut Memory, observation: &Observation, now: Timestamp) -> Vec<UpgradeView> {
    super::advance(memory, observation, &THRESHOLDS, MINUTE, now).upgrades
}

/// Plays upgrades at their times and gives the last view.
fn play(steps: &[(i64, &Upgrade)]) -> UpgradeView {
    let mut memory = Memory::default();
    let mut last = None;
    for (seconds, upgrade) in steps {
        let observation = observation((*upgrade).clone());
        last = advance(&mut memory, &observation, at(*seconds)).pop();
    }
    last.unwrap()
}

use NodeStatus::{Failed, Succeeded, Upgrading, Waiting};
use UpgradeStatus::Running;

#[test]
fn first_sight_is_not_progress() {
    let view = play(&[(500, &upgrade(Running, &[Upgrading]))]);
    assert_eq!(view.last_progress, at(100));
    assert!(view.stalled, "silent since its request");
    assert_eq!(view.status_since, at(100));
}

#[test]
fn silence_of_untimed_work_begins_at_first_sight() {
    let mut working = upgrade(Running, &[Upgrading]);
    working.first_sight = FirstSight::Progress;
    let view = play(&[(500, &working), (560, &working)]);
    assert_eq!((view.last_progress, view.stalled), (at(500), false));
    assert!(play(&[(500, &working), (561, &working)]).stalled);
    let idle = upgrade(Running, &[Upgrading]);
    let view = play(&[(500, &idle), (560, &working)]);
    assert_eq!(view.last_progress, at(100), "it was seen before");
}

#[test]
fn a_change_that_is_seen_is_progress() {
    let waiting = upgrade(Running, &[Succeeded, Waiting]);
    let working = upgrade(Running, &[Succeeded, Upgrading]);
    let view = play(&[(500, &waiting), (530, &working), (580, &working)]);
    assert_eq!(view.last_progress, at(530));
    assert!(!view.stalled);
    let view = play(&[(500, &waiting), (530, &working), (591, &working)]);
    assert!(view.stalled);
}

#[test]
fn the_order_of_nodes_is_not_progress() {
    let one = upgrade(Running, &[Succeeded, Upgrading]);
    let mut other = one.clone();
    other.nodes.reverse();
    assert_eq!(play(&[(500, &one), (530, &other)]).last_progress, at(100));
}

#[test]
fn node_work_runs_from_first_sight_to_the_end() {
    let working = upgrade(Running, &[Upgrading]);
    let view = play(&[(110, &working), (150, &working)]);
    assert_eq!(
        *view.node_work,
        [Some(Span {
            start: at(110),
            end: None
        })]
    );
    let done = upgrade(Running, &[Succeeded]);
    let view = play(&[(110, &working), (150, &done), (190, &done)]);
    assert_eq!(
        *view.node_work,
        [Some(Span {
            start: at(110),
            end: Some(at(150))
        })]
    );
    let view = play(&[(110, &done)]);
    assert_eq!(
        *view.node_work,
        [None],
        "nobody knows when work on it began"
    );
}

#[test]
fn the_vendors_times_of_work_win() {
    let mut working = upgrade(Running, &[Upgrading]);
    working.nodes[0].started = Some(at(105));
    let mut failed = upgrade(UpgradeStatus::Failed, &[Failed]);
    failed.nodes[0].updated = Some(at(140));
    let view = play(&[(110, &working), (150, &failed)]);
    assert_eq!(
        *view.node_work,
        [Some(Span {
            start: at(105),
            end: Some(at(140))
        })]
    );
}

#[test]
fn the_end_is_the_vendors_else_first_sight_and_stands_still() {
    let done = upgrade(UpgradeStatus::Succeeded, &[Succeeded]);
    assert_eq!(play(&[(500, &done), (900, &done)]).ended, Some(at(500)));
    let mut told = done.clone();
    told.ended = Some(at(400));
    let view = play(&[(500, &told)]);
    assert_eq!((view.ended, view.status_since), (Some(at(400)), at(400)));
    told.ended = Some(at(9999));
    assert_eq!(play(&[(500, &told)]).ended, Some(at(500)), "a wrong clock");
}

#[test]
fn a_new_upgrade_starts_afresh() {
    let first = upgrade(Running, &[Upgrading]);
    let mut second = upgrade(Running, &[Waiting]);
    second.requested = Some(at(600));
    let view = play(&[(110, &first), (610, &second)]);
    assert_eq!(view.last_progress, at(600));
    assert_eq!(*view.node_work, [None]);
}

#[test]
fn a_pause_that_ends_is_progress() {
    let running = upgrade(Running, &[Upgrading]);
    let paused = upgrade(UpgradeStatus::Paused, &[Upgrading]);
    let view = play(&[(110, &running), (120, &paused), (9000, &running)]);
    assert!(!view.stalled);
    assert_eq!(view.status_since, at(9000));
}

#[test]
fn one_answer_that_knows_nothing_takes_nothing_back() {
    let mut memory = Memory::default();
    assert_eq!(once_more(&memory), None);
    let failed = upgrade(UpgradeStatus::Failed, &[Failed]);
    let mut take = |upgrade: Upgrade, is_confirmed: bool, seconds| {
        let mut told = observation(upgrade);
        if !is_confirmed {
            told.unconfirmed.insert(Kind::Version);
        }
        let views = advance(&mut memory, &told, at(seconds));
        (once_more(&memory), views[0].last_progress)
    };
    let (first, _) = take(failed.clone(), true, 500);
    let (second, progress) = take(first.unwrap(), false, 600);
    assert_eq!(second, None, "the second silence in a row is believed");
    assert_eq!(progress, at(100), "silence is not progress");
    let (again, _) = take(failed, true, 700);
    assert!(again.is_some(), "an answer in between begins anew");
}

#[test]
fn an_upgrade_is_forgotten_once_its_time_is_over() {
    let mut memory = Memory::default();
    let mut forgotten = |seconds| {
        let failed = observation(upgrade(UpgradeStatus::Failed, &[Failed]));
        advance(&mut memory, &failed, at(seconds));
        memory.last(Kind::Version).unwrap().forgotten
    };
    assert!(!forgotten(500));
    assert!(!forgotten(500 + 7199));
    assert!(forgotten(500 + 7200));
}

#[test]
fn a_good_poll_is_remembered_with_its_time() {
    let mut memory = Memory::default();
    assert_eq!(memory.last_success, None);
    advance(&mut memory, &Observation::default(), at(110));
    assert_eq!(memory.last_success, Some(at(110)));
    let running = upgrade(Running, &[Upgrading]);
    advance(&mut memory, &observation(running), at(120));
    assert_eq!(memory.last_success, Some(at(120)));
}

#[test]
fn ends_are_counted_once_and_history_is_not() {
    let done = upgrade(UpgradeStatus::Succeeded, &[Succeeded]);
    let running = upgrade(Running, &[Upgrading]);
    let mut memory = Memory::default();
    let mut count = |upgrade: &Upgrade, seconds| {
        let before = memory.clone();
        let observation = observation(upgrade.clone());
        let views = advance(&mut memory, &observation, at(seconds));
        ended_since(&before, &views).len()
    };
    assert_eq!(count(&running, 110), 0);
    assert_eq!(count(&done, 120), 1);
    assert_eq!(count(&done, 130), 0);
    let mut short = done.clone();
    short.requested = Some(at(200));
    short.ended = Some(at(210));
    assert_eq!(count(&short, 300), 1, "it came and went between two polls");
    memory = Memory::default();
    let views = advance(&mut memory, &observation(short), at(400));
    assert!(ended_since(&Memory::default(), &views).is_empty());
}

#[test]
fn a_failure_that_turns_out_well_ends_anew() {
    let failed = upgrade(UpgradeStatus::Failed, &[Failed]);
    let done = upgrade(UpgradeStatus::Succeeded, &[Succeeded]);
    let view = play(&[(500, &failed), (900, &done), (950, &done)]);
    assert_eq!((view.ended, view.status_since), (Some(at(900)), at(900)));
    let mut memory = Memory::default();
    advance(&mut memory, &observation(failed), at(500));
    let before = memory.clone();
    let views = advance(&mut memory, &observation(done), at(900));
    assert_eq!(ended_since(&before, &views).len(), 1);
}

#[test]
fn an_outcome_counts_once_although_the_vendor_flips_it() {
    let done = upgrade(UpgradeStatus::Succeeded, &[Succeeded]);
    let running = upgrade(Running, &[Upgrading]);
    let failed = upgrade(UpgradeStatus::Failed, &[Failed]);
    let mut memory = Memory::default();
    let mut count = |upgrade: &Upgrade, seconds| {
        let before = memory.clone();
        let views = advance(&mut memory, &observation(upgrade.clone()), at(seconds));
        ended_since(&before, &views).len()
    };
    let flips = [
        &running, &done, &running, &done, &failed, &running, &failed, &done,
    ];
    let counts: Vec<usize> = (12..).zip(flips).map(|(n, u)| count(u, n * 10)).collect();
    assert_eq!(counts, [0, 1, 0, 0, 1, 0, 0, 0]);
}

#[test]
fn start_is_the_request_once_it_is_not_pending() {
    let pending = upgrade(UpgradeStatus::Pending, &[Waiting]);
    let running = upgrade(Running, &[Upgrading]);
    assert_eq!(play(&[(110, &pending)]).started, None);
    assert_eq!(
        play(&[(110, &pending), (120, &running)]).started,
        Some(at(100))
    );
    let mut silent = running.clone();
    silent.requested = None;
    assert_eq!(
        play(&[(110, &silent), (150, &silent)]).started,
        Some(at(110))
    );
}

#[test]
fn start_is_that_of_the_first_task_and_never_moves_later() {
    let task = |status, start: Option<i64>| Task {
        order: 1,
        name: "PreCheck".into(),
        status,
        start: start.map(at),
        end: None,
        description: None,
    };
    let of = |tasks: Vec<Task>| Upgrade {
        starts_with_a_task: true,
        tasks,
        ..upgrade(Running, &[Waiting])
    };
    let waiting = of(vec![task(TaskStatus::Waiting, None)]);
    let untimed = of(vec![task(TaskStatus::Running, None)]);
    let begun = of(vec![task(TaskStatus::Running, Some(200))]);
    let later = of(vec![task(TaskStatus::Running, Some(300))]);
    assert_eq!(play(&[(150, &waiting)]).started, None);
    assert_eq!(play(&[(150, &untimed)]).started, Some(at(100)));
    assert_eq!(
        play(&[(150, &waiting), (210, &begun)]).started,
        Some(at(200))
    );
    assert_eq!(play(&[(210, &begun), (310, &later)]).started, Some(at(200)));
    assert_eq!(
        play(&[(210, &begun), (310, &waiting)]).started,
        Some(at(200))
    );
}

fn untold(upgrade: &Upgrade, untold: Untold) -> Upgrade {
    Upgrade {
        untold,
        ..upgrade.clone()
    }
}

#[test]
fn a_failing_call_that_answers_again_is_no_progress() {
    let mut whole = upgrade(Running, &[Upgrading, Waiting]);
    whole.own_progress = Some(0.4);
    let mut partial = untold(
        &whole,
        Untold {
            nodes: true,
            progress: true,
            ..Untold::default()
        },
    );
    (partial.nodes, partial.own_progress) = (Vec::new(), None);
    let lapsed = [(110, &whole), (120, &partial), (130, &whole)];
    assert_eq!(play(&lapsed).last_progress, at(100));
    let mut moved = whole.clone();
    moved.nodes[0].status = Succeeded;
    let view = play(&[(110, &whole), (120, &partial), (130, &moved)]);
    assert_eq!(view.last_progress, at(130));
    let first = play(&[(110, &partial), (120, &whole)]);
    assert_eq!(first.last_progress, at(100), "first sight of its nodes");
}

#[test]
fn a_pause_that_a_failing_call_hides_is_not_over() {
    let paused = upgrade(UpgradeStatus::Paused, &[Upgrading]);
    let progress = Untold {
        progress: true,
        ..Untold::default()
    };
    let hidden = untold(&upgrade(Running, &[Upgrading]), progress);
    let running = upgrade(Running, &[Upgrading]);
    let view = play(&[(110, &paused), (120, &hidden), (130, &paused)]);
    assert_eq!(view.last_progress, at(100));
    let view = play(&[(110, &paused), (120, &hidden), (130, &running)]);
    assert_eq!(view.last_progress, at(130));
}

#[test]
fn times_of_nodes_that_are_left_out_still_count_as_progress() {
    let mut whole = upgrade(Running, &[Succeeded, Upgrading]);
    whole.nodes[0].updated = Some(at(500));
    let nodes = Untold {
        nodes: true,
        ..Untold::default()
    };
    let mut without = untold(&whole, nodes);
    without.nodes.clear();
    assert_eq!(
        play(&[(510, &whole), (520, &without)]).last_progress,
        at(500)
    );
}

#[test]
fn nothing_stalls_whose_progress_cannot_be_seen() {
    let mut running = upgrade(Running, &[Upgrading]);
    running.is_stall_suspended = true;
    let view = play(&[(110, &running), (9000, &running)]);
    assert!(!view.stalled);
    assert_eq!(view.stalled_after(&THRESHOLDS), None);
    running.is_stall_suspended = false;
    assert!(play(&[(110, &running), (9000, &running)]).stalled);
}

#[test]
fn failed_secondary_calls_are_told_beside_the_upgrade() {
    let mut observation = observation(upgrade(Running, &[Upgrading]));
    observation.secondary.push(SecondaryCall {
        endpoint: "ListNodes",
        answer: None,
        failure: Some(SecondaryFailure {
            reason: Reason::Permission,
            message: "no".into(),
            missing: "states of nodes",
            permission: "cce:node:list",
            is_not_offered: false,
            is_earlier: false,
        }),
    });
    let mut memory = Memory::default();
    let advanced = super::advance(&mut memory, &observation, &THRESHOLDS, MINUTE, at(110));
    assert_eq!(advanced.upgrades.len(), 1);
    assert_eq!(advanced.degraded[0].endpoint, "ListNodes");
    assert_eq!(advanced.degraded[0].since, at(110));
}
