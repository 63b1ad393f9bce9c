//! What only a sequence of answers can tell: when things changed, how long nodes were in work.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::bounds::MAX_NODES;
use super::progress;
use super::{
    Memory, Node, NodeKey, NodeStatus, Observation, Seen, Span, TaskStatus, Thresholds, Upgrade,
    UpgradeStatus, UpgradeView,
};

/// Takes a good poll into the memory, and gives every upgrade with all that is derived from it.
pub fn advance(
    memory: &mut Memory,
    observation: &Observation,
    thresholds: &Thresholds,
    now: Timestamp,
) -> Vec<UpgradeView> {
    let mut before = std::mem::take(&mut memory.upgrades);
    let mut views = Vec::with_capacity(observation.upgrades.len());
    for upgrade in &observation.upgrades {
        let earlier = before
            .remove(&upgrade.kind)
            .filter(|seen| seen.last.is_same(upgrade));
        let mut seen = see(earlier, upgrade, now);
        let view = view(&seen, thresholds, now);
        seen.forgotten = view.ended.is_some_and(|ended| {
            let until = ended.checked_add(thresholds.retain_ended);
            until.is_ok_and(|until| until <= now)
        });
        views.push(view);
        memory.upgrades.insert(upgrade.kind, seen);
    }
    views.sort_by_key(|view| view.upgrade.kind);
    views
}

/// The upgrades that ended since `last_poll`, the last good poll before `now` (none: this was the
/// first one, and what it found ended is history).
pub fn ended_since<'a>(
    before: &Memory,
    views: &'a [UpgradeView],
    last_poll: Option<Timestamp>,
) -> Vec<&'a UpgradeView> {
    let is_news = |view: &&UpgradeView| {
        let Some(ended) = view.ended else {
            return false;
        };
        match before.last(view.upgrade.kind) {
            Some(seen) if seen.last.is_same(&view.upgrade) => {
                !seen.last.is_ended() || seen.last.status != view.upgrade.status
            }
            // It began and ended between two polls.
            _ => last_poll.is_some_and(|at| ended >= at),
        }
    };
    views.iter().filter(is_news).collect()
}

fn see(earlier: Option<Seen>, upgrade: &Upgrade, now: Timestamp) -> Seen {
    let ended = upgrade.is_ended();
    let Some(earlier) = earlier else {
        return Seen {
            first_seen: now,
            status_since: first_since(upgrade, now),
            changed: None,
            ended_seen: ended.then_some(now),
            forgotten: false,
            worked: worked(BTreeMap::new(), &upgrade.nodes, now),
            last: upgrade.clone(),
        };
    };
    let status_since = if earlier.last.status == upgrade.status {
        earlier.status_since
    } else if ended {
        upgrade.ended.filter(|at| *at <= now).unwrap_or(now)
    } else {
        now
    };
    Seen {
        first_seen: earlier.first_seen,
        status_since,
        changed: if moved(&earlier.last, upgrade) {
            Some(now)
        } else {
            earlier.changed
        },
        ended_seen: match earlier.ended_seen {
            // A failure that turns out well between two looks is another end.
            Some(at) if ended && earlier.last.status == upgrade.status => Some(at),
            _ => ended.then_some(now),
        },
        forgotten: false,
        worked: worked(earlier.worked, &upgrade.nodes, now),
        last: upgrade.clone(),
    }
}

fn view(seen: &Seen, thresholds: &Thresholds, now: Timestamp) -> UpgradeView {
    let upgrade = seen.last.clone();
    let last_progress = progress::last_progress(&upgrade, seen.first_seen, seen.changed, now);
    let node_work: Vec<Option<Span>> = upgrade
        .nodes
        .iter()
        .map(|node| match node.status {
            NodeStatus::Upgrading | NodeStatus::Succeeded | NodeStatus::Failed => {
                seen.worked.get(&node.key).copied()
            }
            NodeStatus::Waiting | NodeStatus::Unknown => None,
        })
        .collect();
    UpgradeView {
        status_since: seen.status_since,
        ended: seen
            .ended_seen
            .map(|seen| upgrade.ended.filter(|at| *at <= now).unwrap_or(seen)),
        last_progress,
        stalled: progress::stalled(&upgrade, now, last_progress, thresholds.stalled_after),
        ratio: progress::ratio(&upgrade),
        estimated_end: progress::estimated_end(&upgrade, &node_work, now),
        task_order: progress::current_task(&upgrade),
        node_work,
        upgrade,
    }
}

/// Since when an upgrade that was not seen before is in its state, as far as its times tell.
fn first_since(upgrade: &Upgrade, now: Timestamp) -> Timestamp {
    let requested = upgrade.requested;
    let since = match upgrade.status {
        status if status.is_final() => upgrade.ended,
        UpgradeStatus::Pending => requested,
        UpgradeStatus::Running => upgrade
            .tasks
            .iter()
            .filter_map(|task| task.start)
            .chain(upgrade.nodes.iter().filter_map(|node| node.started))
            .filter(|at| requested.is_none_or(|requested| *at >= requested))
            .min()
            .or(requested),
        _ => None,
    };
    since.filter(|at| *at <= now).unwrap_or(now)
}

/// Whether anything of the upgrade is not as it was: a node, a task, the count of executions, the
/// ratio, or the state (so that the silence of a pause does not count once it is over).
fn moved(before: &Upgrade, after: &Upgrade) -> bool {
    let nodes: BTreeMap<&NodeKey, &Node> = before.nodes.iter().map(|n| (&n.key, n)).collect();
    let node_moved = after.nodes.iter().any(|node| match nodes.get(&node.key) {
        Some(old) => *old != node,
        None => !nodes.is_empty() && node.status != NodeStatus::Waiting,
    });
    let tasks: BTreeMap<_, _> = before
        .tasks
        .iter()
        .map(|t| ((t.order, &t.name), t))
        .collect();
    let task_moved = after
        .tasks
        .iter()
        .any(|task| match tasks.get(&(task.order, &task.name)) {
            Some(old) => *old != task,
            None => !tasks.is_empty() && task.status != TaskStatus::Waiting,
        });
    node_moved
        || task_moved
        || before.left_out != after.left_out
        || before.executions != after.executions
        || before.ratio != after.ratio
        || before.status != after.status
}

/// Takes the nodes' states into the record of work on them.
fn worked(
    mut worked: BTreeMap<NodeKey, Span>,
    nodes: &[Node],
    now: Timestamp,
) -> BTreeMap<NodeKey, Span> {
    for node in nodes {
        let told = node.started.filter(|at| *at <= now);
        let span = worked.get(&node.key).copied();
        let span = match (node.status, span) {
            (NodeStatus::Upgrading, Some(span)) => Some(Span {
                start: told.map_or(span.start, |told| told.min(span.start)),
                end: None,
            }),
            (NodeStatus::Upgrading, None) => Some(Span {
                start: told.unwrap_or(now),
                end: None,
            }),
            (NodeStatus::Succeeded | NodeStatus::Failed, Some(Span { start, end: None })) => {
                Some(Span {
                    start,
                    end: Some(end_of(node, start, now)),
                })
            }
            (NodeStatus::Succeeded | NodeStatus::Failed, None) => told.map(|start| Span {
                start,
                end: Some(end_of(node, start, now)),
            }),
            (_, span) => span,
        };
        // Host names that change with each answer must not fill the memory.
        if let Some(span) = span
            && (worked.len() < MAX_NODES || worked.contains_key(&node.key))
        {
            worked.insert(node.key.clone(), span);
        }
    }
    worked
}

fn end_of(node: &Node, start: Timestamp, now: Timestamp) -> Timestamp {
    node.ended
        .or(node.updated)
        .filter(|at| (start..=now).contains(at))
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Kind;

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
        }
    }

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

    /// Plays upgrades at their times and gives the last view.
    fn play(steps: &[(i64, &Upgrade)]) -> UpgradeView {
        let mut memory = Memory::default();
        let mut last = None;
        for (seconds, upgrade) in steps {
            let observation = observation((*upgrade).clone());
            last = advance(&mut memory, &observation, &THRESHOLDS, at(*seconds)).pop();
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
            view.node_work,
            [Some(Span {
                start: at(110),
                end: None
            })]
        );
        let done = upgrade(Running, &[Succeeded]);
        let view = play(&[(110, &working), (150, &done), (190, &done)]);
        assert_eq!(
            view.node_work,
            [Some(Span {
                start: at(110),
                end: Some(at(150))
            })]
        );
        let view = play(&[(110, &done)]);
        assert_eq!(view.node_work, [None], "nobody knows when work on it began");
    }

    #[test]
    fn the_vendors_times_of_work_win() {
        let mut working = upgrade(Running, &[Upgrading]);
        working.nodes[0].started = Some(at(105));
        let mut failed = upgrade(UpgradeStatus::Failed, &[Failed]);
        failed.nodes[0].updated = Some(at(140));
        let view = play(&[(110, &working), (150, &failed)]);
        assert_eq!(
            view.node_work,
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
        assert_eq!(view.node_work, [None]);
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
        assert_eq!(memory.once_more(Kind::Version), None);
        let failed = upgrade(UpgradeStatus::Failed, &[Failed]);
        let mut take = |upgrade: Upgrade, seconds| {
            let views = advance(&mut memory, &observation(upgrade), &THRESHOLDS, at(seconds));
            (memory.once_more(Kind::Version), views[0].last_progress)
        };
        let (first, _) = take(failed.clone(), 500);
        let (second, progress) = take(first.unwrap(), 600);
        assert_eq!(second, None, "the second silence in a row is believed");
        assert_eq!(progress, at(100), "silence is not progress");
        let (again, _) = take(failed, 700);
        assert!(again.is_some(), "an answer in between begins anew");
    }

    #[test]
    fn an_upgrade_is_forgotten_once_its_time_is_over() {
        let mut memory = Memory::default();
        let mut forgotten = |seconds| {
            let failed = observation(upgrade(UpgradeStatus::Failed, &[Failed]));
            advance(&mut memory, &failed, &THRESHOLDS, at(seconds));
            memory.last(Kind::Version).unwrap().forgotten
        };
        assert!(!forgotten(500));
        assert!(!forgotten(500 + 7199));
        assert!(forgotten(500 + 7200));
    }

    #[test]
    fn ends_are_counted_once_and_history_is_not() {
        let done = upgrade(UpgradeStatus::Succeeded, &[Succeeded]);
        let running = upgrade(Running, &[Upgrading]);
        let mut memory = Memory::default();
        let mut count = |upgrade: &Upgrade, seconds, last_poll: Option<i64>| {
            let before = memory.clone();
            let observation = observation(upgrade.clone());
            let views = advance(&mut memory, &observation, &THRESHOLDS, at(seconds));
            ended_since(&before, &views, last_poll.map(at)).len()
        };
        assert_eq!(count(&running, 110, None), 0);
        assert_eq!(count(&done, 120, Some(110)), 1);
        assert_eq!(count(&done, 130, Some(120)), 0);
        let mut short = done.clone();
        short.requested = Some(at(200));
        short.ended = Some(at(210));
        assert_eq!(
            count(&short, 300, Some(130)),
            1,
            "it came and went between two polls"
        );
        memory = Memory::default();
        let views = advance(&mut memory, &observation(short), &THRESHOLDS, at(400));
        assert!(ended_since(&Memory::default(), &views, None).is_empty());
    }

    #[test]
    fn a_failure_that_turns_out_well_ends_anew() {
        let failed = upgrade(UpgradeStatus::Failed, &[Failed]);
        let done = upgrade(UpgradeStatus::Succeeded, &[Succeeded]);
        let view = play(&[(500, &failed), (900, &done), (950, &done)]);
        assert_eq!((view.ended, view.status_since), (Some(at(900)), at(900)));
        let mut memory = Memory::default();
        advance(&mut memory, &observation(failed), &THRESHOLDS, at(500));
        let before = memory.clone();
        let views = advance(&mut memory, &observation(done), &THRESHOLDS, at(900));
        assert_eq!(ended_since(&before, &views, Some(at(500))).len(), 1);
    }
}
