//! What only a sequence of answers can tell: when things changed, how long nodes were in work.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::bounds::MAX_NODES;
use super::progress;
use super::{
    Degraded, FirstSight, Memory, Node, NodeKey, NodeStatus, Observation, Seen, Span, TaskStatus,
    Thresholds, Upgrade, UpgradeStatus, UpgradeView,
};

/// Result of a good poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Advanced {
    /// Every upgrade with all that is derived from it.
    pub upgrades: Vec<UpgradeView>,
    /// Secondary calls that failed.
    pub degraded: Vec<Degraded>,
}

/// Takes a good poll into the memory. `interval` is the poll interval in force.
pub fn advance(
    memory: &mut Memory,
    observation: &Observation,
    thresholds: &Thresholds,
    interval: Duration,
    now: Timestamp,
) -> Advanced {
    let mut before = std::mem::take(&mut memory.upgrades);
    let mut views = Vec::with_capacity(observation.upgrades.len());
    for upgrade in &observation.upgrades {
        let earlier = before
            .remove(&upgrade.kind)
            .filter(|seen| seen.last.is_same(upgrade));
        let mut seen = see(earlier.as_deref(), upgrade, now);
        let view = view(&seen, thresholds, now);
        seen.forgotten = view.ended.is_some_and(|ended| {
            let until = ended.checked_add(thresholds.retain_ended);
            until.is_ok_and(|until| until <= now)
        });
        seen.node_work = Some(view.node_work.clone());
        views.push(view);
        let seen = keep(earlier, seen);
        memory.upgrades.insert(upgrade.kind, seen);
    }
    views.sort_by_key(|view| view.upgrade.kind);
    memory.unconfirmed.clone_from(&observation.unconfirmed);
    if memory.notes != observation.notes {
        memory.notes.clone_from(&observation.notes);
    }
    memory.last_success = Some(now);
    Advanced {
        upgrades: views,
        degraded: memory.take_calls(observation, interval, now),
    }
}

/// Returns what a memory shows at the time of its last good poll.
pub fn views(memory: &Memory, thresholds: &Thresholds, polled: Timestamp) -> Vec<UpgradeView> {
    let seen = memory.upgrades.values();
    seen.map(|seen| view(seen, thresholds, polled)).collect()
}

/// Returns the upgrades that ended since the last good poll in `before`. What the first good poll of a
/// cluster finds ended is history.
pub fn ended_since<'a>(before: &Memory, views: &'a [UpgradeView]) -> Vec<&'a UpgradeView> {
    let is_news = |view: &&UpgradeView| {
        let Some(ended) = view.ended else {
            return false;
        };
        match before.last(view.upgrade.kind) {
            Some(seen) if seen.last.is_same(&view.upgrade) => {
                !seen.outcomes.contains(&view.upgrade.status)
            }
            // It began and ended between two polls.
            _ => before.last_success.is_some_and(|at| ended >= at),
        }
    };
    views.iter().filter(is_news).collect()
}

/// Returns the sight of an upgrade at a poll, in the allocation of the poll before where nothing of it is new.
fn keep(earlier: Option<Arc<Seen>>, seen: Seen) -> Arc<Seen> {
    let is_unchanged = |earlier: &Arc<Seen>| {
        let works = earlier.node_work.as_ref().zip(seen.node_work.as_ref());
        // It follows from other fields, which are compared, and has to be kept for the poll after.
        works.is_some_and(|(before, now)| Arc::ptr_eq(before, now)) && **earlier == seen
    };
    earlier
        .filter(is_unchanged)
        .unwrap_or_else(|| Arc::new(seen))
}

/// Returns an upgrade as a good poll saw it. Parts that are unchanged stay in the allocations of the poll before.
fn see(earlier: Option<&Seen>, upgrade: &Upgrade, now: Timestamp) -> Seen {
    let ended = upgrade.is_ended();
    let outcome = ended.then_some(upgrade.status);
    let Some(earlier) = earlier else {
        return Seen {
            started: progress::started(upgrade, now),
            outcomes: outcome.into_iter().collect(),
            status_since: first_since(upgrade, now),
            changed: (upgrade.first_sight == FirstSight::Progress).then_some(now),
            ended_seen: ended.then_some(now),
            worked: worked(Arc::default(), &upgrade.nodes, now),
            ..Seen::new(upgrade.clone(), now)
        };
    };
    let status_since = if earlier.last.status == upgrade.status {
        earlier.status_since
    } else if ended {
        upgrade.ended.filter(|at| *at <= now).unwrap_or(now)
    } else {
        now
    };
    let fully_told = earlier.fully_told.as_ref().unwrap_or(&earlier.last);
    let worked = worked(earlier.worked.clone(), &upgrade.nodes, now);
    let is_unchanged = *earlier.last == *upgrade;
    let started = progress::started(upgrade, earlier.first_seen);
    Seen {
        first_seen: earlier.first_seen,
        status_since,
        started: earlier.started.into_iter().chain(started).min(),
        changed: if moved(fully_told, upgrade) {
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
        fully_told: filled(fully_told, upgrade),
        outcomes: earlier.outcomes.iter().copied().chain(outcome).collect(),
        node_work: earlier
            .node_work
            .clone()
            .filter(|_| is_unchanged && Arc::ptr_eq(&worked, &earlier.worked)),
        worked,
        last: if is_unchanged {
            earlier.last.clone()
        } else {
            Arc::new(upgrade.clone())
        },
    }
}

fn view(seen: &Seen, thresholds: &Thresholds, now: Timestamp) -> UpgradeView {
    let upgrade = seen.last.clone();
    let last_progress = [Some(&*upgrade), seen.fully_told.as_deref()]
        .into_iter()
        .flatten()
        .map(|told| progress::last_progress(told, seen.first_seen, seen.changed, now))
        .max()
        .unwrap_or(seen.first_seen);
    let node_work = seen.node_work.clone().unwrap_or_else(|| node_work(seen));
    UpgradeView {
        status_since: seen.status_since,
        started: seen.started,
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

/// Returns the work on each node that is in work or done.
fn node_work(seen: &Seen) -> Arc<[Option<Span>]> {
    let nodes = seen.last.nodes.iter();
    let work = nodes.map(|node| match node.status {
        NodeStatus::Upgrading | NodeStatus::Succeeded | NodeStatus::Failed => {
            seen.worked.get(&node.key).copied()
        }
        NodeStatus::Waiting | NodeStatus::Unknown => None,
    });
    work.collect()
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

/// Returns whether anything that the answer tells of the upgrade is not as it was: a node, a task, the
/// count of executions, the progress, or the state (so that the silence of a pause does not count once
/// it is over).
fn moved(before: &Upgrade, after: &Upgrade) -> bool {
    let untold = after.untold;
    if untold.all {
        return false;
    }
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
            Some(old) => !old.is_at_same_point(task),
            None => !tasks.is_empty() && task.status != TaskStatus::Waiting,
        });
    // The first sight of it is not a change.
    let own_progress = before.own_progress.zip(after.own_progress);
    // Zeros of both signs are equal here as in the upgrade that is kept while it is equal.
    let own_progress_moved = own_progress
        .is_some_and(|(before, after)| before.partial_cmp(&after).is_some_and(Ordering::is_ne));
    let is_paused = |upgrade: &Upgrade| upgrade.status == UpgradeStatus::Paused;
    let status_told = !(before.untold.status
        || untold.status
        || (untold.progress && (is_paused(before) || is_paused(after))));
    (!untold.nodes && (node_moved || before.left_out.nodes != after.left_out.nodes))
        || task_moved
        || before.left_out.tasks != after.left_out.tasks
        || before.executions != after.executions
        || (!untold.progress && own_progress_moved)
        || (status_told && before.status != after.status)
}

/// Returns the upgrade with the parts that the answer does not tell as `before` has them; `None` when
/// it tells them all.
fn filled(before: &Arc<Upgrade>, after: &Upgrade) -> Option<Arc<Upgrade>> {
    let untold = after.untold;
    if !untold.any() {
        return None;
    }
    if untold.all {
        return Some(before.clone());
    }
    let mut filled = after.clone();
    if untold.status {
        filled.status = before.status;
        filled.untold.status = before.untold.status;
    }
    if untold.nodes {
        filled.nodes.clone_from(&before.nodes);
        filled.left_out.nodes = before.left_out.nodes;
        filled.left_out.latest = before.left_out.latest;
    }
    if untold.progress {
        filled.own_progress = before.own_progress;
        if before.status == UpgradeStatus::Paused && after.status.is_active() {
            filled.status = UpgradeStatus::Paused;
        }
    }
    Some(if filled == **before {
        before.clone()
    } else {
        Arc::new(filled)
    })
}

/// Takes the nodes' states into the record of work on them.
fn worked(
    mut worked: Arc<BTreeMap<NodeKey, Span>>,
    nodes: &[Node],
    now: Timestamp,
) -> Arc<BTreeMap<NodeKey, Span>> {
    for node in nodes {
        let told = node.started.filter(|at| *at <= now);
        let known = worked.get(&node.key).copied();
        let span = match (node.status, known) {
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
            && known != Some(span)
            && (known.is_some() || worked.len() < MAX_NODES)
        {
            Arc::make_mut(&mut worked).insert(node.key.clone(), span);
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
mod tests;
