//! What follows from an upgrade's nodes, tasks and times: ratio, current task, estimate, stall. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{NodeStatus, Span, TaskStatus, Upgrade, UpgradeStatus};

/// The most that an upgrade which has not succeeded can show.
const ALMOST: f64 = 0.99;

/// Progress from 0 to 1, and 1 only when succeeded: the vendor's own where it gives one, else
/// finished nodes and the done share of those in work, over all nodes.
pub fn ratio(upgrade: &Upgrade) -> Option<f64> {
    if upgrade.status == UpgradeStatus::Succeeded {
        return Some(1.0);
    }
    let ratio = match upgrade.ratio {
        Some(ratio) => ratio,
        None if upgrade.nodes.is_empty() => return None,
        None => {
            let in_work: f64 = upgrade
                .nodes
                .iter()
                .filter(|node| node.status == NodeStatus::Upgrading)
                .map(|node| node.share_done.clamp(0.0, ALMOST))
                .sum();
            let counts = upgrade.node_counts();
            (count(counts.of(NodeStatus::Succeeded)) + in_work) / count(counts.total())
        }
    };
    ratio.is_finite().then(|| ratio.clamp(0.0, ALMOST))
}

/// Order of the current task: the one running, else the failed one, else the last that ended.
pub fn current_task(upgrade: &Upgrade) -> Option<u32> {
    let first = |status| upgrade.tasks.iter().find(|task| task.status == status);
    first(TaskStatus::Running)
        .or_else(|| first(TaskStatus::Failed))
        .or_else(|| {
            let ended = |task: &&super::Task| task.status == TaskStatus::Succeeded;
            upgrade
                .tasks
                .iter()
                .filter(ended)
                .max_by_key(|task| (task.end, task.order))
        })
        .map(|task| task.order)
}

/// When the upgrade will end at the pace of its finished nodes. None while it does not run, before
/// the first node is done, and when the pace says that it should have ended.
pub fn estimated_end(
    upgrade: &Upgrade,
    work: &[Option<Span>],
    now: Timestamp,
) -> Option<Timestamp> {
    if upgrade.status != UpgradeStatus::Running || upgrade.waits_for_person {
        return None;
    }
    // Nodes that were done before the first look took their time, too, and only the request bounds it.
    let mut done = upgrade.nodes.iter().zip(work);
    let done_left_out = upgrade.left_out.nodes.of(NodeStatus::Succeeded);
    let begun = if done_left_out > 0
        || done.any(|(node, span)| node.status == NodeStatus::Succeeded && span.is_none())
    {
        upgrade.requested?
    } else {
        let begun = work.iter().flatten().map(|span| span.start).min();
        begun.or(upgrade.requested)?
    };
    let finished = |(node, span): (&super::Node, &Option<Span>)| {
        (node.status == NodeStatus::Succeeded)
            .then(|| node.ended.or(span.and_then(|s| s.end)).or(node.updated))
    };
    let ends = upgrade.nodes.iter().zip(work).filter_map(finished);
    let left_out = upgrade.left_out.latest.filter(|_| done_left_out > 0);
    let last = ends.flatten().chain(left_out).max();
    let last = last.unwrap_or(now).min(now);
    let counts = upgrade.node_counts();
    let done = counts.of(NodeStatus::Succeeded);
    let left = counts.total() - done;
    let spent = last.duration_since(begun);
    if done == 0 || left == 0 || !spent.is_positive() {
        return None;
    }
    let to_go = spent.as_secs_f64() / count(done) * count(left);
    let end = last.checked_add(SignedDuration::try_from_secs_f64(to_go).ok()?);
    end.ok().filter(|end| *end > now)
}

/// The last sign of progress: the request, every time that the vendor gives for a node or a task
/// that moved since, and `changed`, when this process last saw something change.
///
/// A time that lies in the future is no evidence: a wrong clock or time zone must not hide a stall.
pub fn last_progress(
    upgrade: &Upgrade,
    first_seen: Timestamp,
    changed: Option<Timestamp>,
    now: Timestamp,
) -> Timestamp {
    // A request that this clock has yet to reach is no evidence, but still tells what was before it.
    let floor = upgrade.requested.unwrap_or(Timestamp::MIN);
    let nodes = upgrade
        .nodes
        .iter()
        .flat_map(|node| [node.updated, node.started, node.ended]);
    let tasks = upgrade.tasks.iter().flat_map(|task| [task.start, task.end]);
    nodes
        .chain(tasks)
        .chain([upgrade.ended, upgrade.requested, upgrade.left_out.latest])
        .flatten()
        .filter(|at| *at >= floor && *at <= now)
        .chain(changed)
        .max()
        .unwrap_or(first_seen)
}

/// Returns the time at which the upgrade started, as far as one answer tells: the request, or
/// `first_seen` where the vendor gives none. Where its tasks are steps of the whole upgrade it is the
/// first start of one, or the request when one has begun without a time. `None` while it is pending,
/// while its state is not told, and while no such task has begun.
pub fn started(upgrade: &Upgrade, first_seen: Timestamp) -> Option<Timestamp> {
    let requested = upgrade.requested.unwrap_or(first_seen);
    if upgrade.status == UpgradeStatus::Pending || upgrade.untold.status {
        return None;
    }
    if !upgrade.starts_with_a_task {
        return Some(requested);
    }
    let begun = |task: &&super::Task| {
        task.start.is_some()
            || matches!(
                task.status,
                TaskStatus::Running | TaskStatus::Succeeded | TaskStatus::Failed
            )
    };
    let mut begun = upgrade.tasks.iter().filter(begun).peekable();
    begun.peek()?;
    Some(
        begun
            .filter_map(|task| task.start)
            .min()
            .unwrap_or(requested),
    )
}

/// Whether it is stalled at the time of a good poll: pending or running, not waiting for a person,
/// and silent for longer than `after`.
pub fn stalled(
    upgrade: &Upgrade,
    last_success: Timestamp,
    last_progress: Timestamp,
    after: Duration,
) -> bool {
    matches!(
        upgrade.status,
        UpgradeStatus::Pending | UpgradeStatus::Running
    ) && !upgrade.waits_for_person
        && !upgrade.is_stall_suspended
        && SignedDuration::try_from(after)
            .is_ok_and(|after| last_success.duration_since(last_progress) > after)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of nodes are small")]
pub(super) fn count(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Node, Task};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn upgrade(status: UpgradeStatus, nodes: &[NodeStatus]) -> Upgrade {
        let mut upgrade = Upgrade::new(Kind::Version, status);
        upgrade.nodes = nodes
            .iter()
            .enumerate()
            .map(|(i, status)| Node::new(&format!("n{i}"), "", *status, ""))
            .collect();
        upgrade
    }

    use NodeStatus::{Failed, Succeeded, Upgrading, Waiting};
    use UpgradeStatus::Running;

    fn close(a: Option<f64>, b: f64) -> bool {
        a.is_some_and(|a| (a - b).abs() < 1e-9)
    }

    #[test]
    fn ratio_counts_done_nodes_and_the_share_of_those_in_work() {
        let mut running = upgrade(Running, &[Succeeded, Upgrading, Waiting, Failed]);
        running.nodes[1].share_done = 0.5;
        assert!(close(ratio(&running), 0.375));
        assert_eq!(ratio(&upgrade(Running, &[])), None);
    }

    #[test]
    fn nodes_that_are_left_out_count() {
        let many = |status, count| {
            let nodes =
                (0..count).map(move |n| Node::new(&format!("{status:?}{n}"), "", status, ""));
            nodes.collect::<Vec<_>>()
        };
        let mut nodes = crate::model::NodeCollector::default();
        nodes.extend(many(Waiting, 15_000));
        nodes.extend(many(Succeeded, 15_000));
        let mut upgrade = upgrade(Running, &[]);
        upgrade.set_nodes(nodes);
        assert_eq!(upgrade.nodes.len(), 20_000);
        assert!(close(ratio(&upgrade), 0.5));
        upgrade.requested = Some(at(100));
        let work = vec![None; 20_000];
        let mut end = |last| {
            upgrade.left_out.latest = Some(at(last));
            upgrade
                .nodes
                .iter_mut()
                .for_each(|node| node.updated = Some(at(150)));
            estimated_end(&upgrade, &work, at(220))
        };
        assert_eq!(end(200), Some(at(300)), "half of it took 100 s");
        upgrade.status = UpgradeStatus::Failed;
        assert!(upgrade.is_ended());
        let mut nodes = crate::model::NodeCollector::default();
        nodes.extend(many(Upgrading, 20_001));
        upgrade.set_nodes(nodes);
        upgrade.nodes.clear();
        assert!(!upgrade.is_ended(), "one is in work");
    }

    #[test]
    fn ratio_is_one_only_when_succeeded() {
        assert!(close(
            ratio(&upgrade(Running, &[Succeeded, Succeeded])),
            ALMOST
        ));
        assert!(close(ratio(&upgrade(UpgradeStatus::Succeeded, &[])), 1.0));
        let mut told = upgrade(Running, &[]);
        told.ratio = Some(1.0);
        assert!(close(ratio(&told), ALMOST));
        told.ratio = Some(f64::NAN);
        assert_eq!(ratio(&told), None);
    }

    #[test]
    fn current_task_prefers_running_then_failed_then_last_ended() {
        let mut one = upgrade(Running, &[]);
        assert_eq!(current_task(&one), None);
        let task = |order, status, end| Task {
            order,
            name: String::new(),
            status,
            start: None,
            end,
            description: None,
        };
        one.tasks = vec![
            task(0, TaskStatus::Succeeded, Some(at(5))),
            task(3, TaskStatus::Succeeded, Some(at(9))),
            task(4, TaskStatus::Waiting, None),
        ];
        assert_eq!(current_task(&one), Some(3));
        one.tasks[2].status = TaskStatus::Failed;
        assert_eq!(current_task(&one), Some(4));
        one.tasks[0].status = TaskStatus::Running;
        assert_eq!(current_task(&one), Some(0));
    }

    #[test]
    fn estimate_follows_the_pace_of_finished_nodes() {
        let mut one = upgrade(Running, &[Succeeded, Upgrading, Waiting]);
        one.requested = Some(at(0));
        let work = [
            Some(Span {
                start: at(10),
                end: Some(at(70)),
            }),
            Some(Span {
                start: at(70),
                end: None,
            }),
            None,
        ];
        assert_eq!(estimated_end(&one, &work, at(80)), Some(at(190)));
        assert_eq!(
            estimated_end(&one, &work, at(191)),
            None,
            "it would lie in the past"
        );
        one.nodes[0].status = Upgrading;
        assert_eq!(estimated_end(&one, &work, at(80)), None, "no node is done");
    }

    #[test]
    fn progress_is_the_latest_time_since_the_request_and_never_the_future() {
        let mut one = upgrade(Running, &[Waiting, Upgrading]);
        one.requested = Some(at(100));
        one.nodes[0].updated = Some(at(50));
        assert_eq!(last_progress(&one, at(200), None, at(300)), at(100));
        one.nodes[1].updated = Some(at(150));
        assert_eq!(last_progress(&one, at(200), None, at(300)), at(150));
        assert_eq!(
            last_progress(&one, at(200), Some(at(250)), at(300)),
            at(250)
        );
        one.nodes[1].updated = Some(at(9000));
        assert_eq!(last_progress(&one, at(200), None, at(300)), at(100));
        one.requested = Some(at(9000));
        one.nodes.clear();
        assert_eq!(last_progress(&one, at(200), None, at(300)), at(200));
    }

    #[test]
    fn only_pending_and_running_can_stall() {
        let after = Duration::from_secs(60);
        let stalls = |status, silent| stalled(&upgrade(status, &[]), at(silent), at(0), after);
        for &status in UpgradeStatus::ALL {
            let can = matches!(status, UpgradeStatus::Pending | Running);
            assert_eq!(stalls(status, 61), can, "{status:?}");
            assert!(!stalls(status, 60));
        }
        let mut waits = upgrade(Running, &[]);
        waits.waits_for_person = true;
        assert!(!stalled(&waits, at(999), at(0), after));
    }

    #[test]
    fn a_request_ahead_of_this_clock_is_no_stall() {
        let mut one = upgrade(Running, &[Waiting, Upgrading]);
        one.requested = Some(at(1000));
        one.nodes[0].updated = Some(at(5));
        assert_eq!(last_progress(&one, at(990), None, at(990)), at(990));
        assert_eq!(
            last_progress(&one, at(990), Some(at(995)), at(999)),
            at(995)
        );
    }

    #[test]
    fn estimate_counts_nodes_that_were_done_before_the_first_look() {
        let mut one = upgrade(
            Running,
            &[Succeeded, Succeeded, Succeeded, Upgrading, Waiting],
        );
        one.requested = Some(at(0));
        for (node, end) in one.nodes.iter_mut().zip([100, 200, 300]) {
            node.ended = Some(at(end));
        }
        let span = |start, end: Option<i64>| {
            Some(Span {
                start: at(start),
                end: end.map(at),
            })
        };
        // Only the third was seen in work.
        let work = [None, None, span(200, Some(300)), span(300, None), None];
        assert_eq!(estimated_end(&one, &work, at(310)), Some(at(500)));
    }
}
