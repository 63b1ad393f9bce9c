//! What the polls of a cluster share.

use jiff::SignedDuration;

use super::*;

/// Returns the upgrade as a memory has it.
fn seen(memory: &Memory) -> Seen {
    memory.last(Kind::Version).unwrap().clone()
}

/// Polls twice, and returns what each poll left in the memory and showed.
fn twice(first: &Upgrade, second: &Upgrade) -> [(Seen, UpgradeView); 2] {
    let mut memory = Memory::default();
    [(first, 110), (second, 120)].map(|(upgrade, seconds)| {
        // As the poller does, which keeps the memory of the poll before for the storage.
        memory = memory.clone();
        let observation = observation(upgrade.clone());
        let view = advance(&mut memory, &observation, at(seconds)).remove(0);
        (seen(&memory), view)
    })
}

#[test]
fn a_poll_that_changes_nothing_keeps_the_allocations() {
    let working = upgrade(Running, &[Upgrading, Waiting]);
    let [(first, before), (second, after)] = twice(&working, &working);
    assert!(after.is_shared_with(&before));
    assert!(
        Arc::ptr_eq(&after.upgrade, &second.last),
        "by the memory, too"
    );
    assert!(Arc::ptr_eq(&second.last, &first.last));
    assert!(Arc::ptr_eq(&second.worked, &first.worked));
    assert_eq!((second, after), (first, before));
}

#[test]
fn a_node_that_moves_leaves_the_earlier_view_as_it_was() {
    let working = upgrade(Running, &[Upgrading, Waiting]);
    let moved = upgrade(Running, &[Succeeded, Upgrading]);
    let [(first, before), (second, after)] = twice(&working, &moved);
    assert!(!after.is_shared_with(&before));
    assert_eq!((&*before.upgrade, &*after.upgrade), (&working, &moved));
    let span = |start, end: Option<i64>| {
        Some(Span {
            start: at(start),
            end: end.map(at),
        })
    };
    assert_eq!(*before.node_work, [span(110, None), None]);
    assert_eq!(*after.node_work, [span(110, Some(120)), span(120, None)]);
    assert_eq!((first.worked.len(), second.worked.len()), (1, 2));
}

#[test]
fn zeros_of_both_signs_are_no_progress() {
    let steps = [0.0, -0.0, -0.0].map(|progress| {
        let mut upgrade = upgrade(Running, &[]);
        upgrade.own_progress = Some(progress);
        upgrade
    });
    let [first, second, third] = &steps;
    let view = play(&[(110, first), (120, second), (200, third)]);
    assert_eq!((view.last_progress, view.stalled), (at(100), true));
}

#[test]
fn work_on_nodes_is_shared_while_other_parts_change() {
    let working = upgrade(Running, &[Upgrading, Waiting]);
    let mut again = working.clone();
    again.executions = Some(2);
    let [(first, before), (second, after)] = twice(&working, &again);
    assert!(!after.is_shared_with(&before));
    assert!(Arc::ptr_eq(&second.worked, &first.worked));
}

#[test]
fn a_time_of_work_that_comes_due_is_taken() {
    let mut working = upgrade(Running, &[Upgrading]);
    working.nodes[0].status = Succeeded;
    working.nodes[0].started = Some(at(115));
    let [(_, before), (_, after)] = twice(&working, &working);
    assert_eq!(*before.node_work, [None], "it lies in the future");
    assert_eq!(after.node_work[0].map(|work| work.start), Some(at(115)));
    assert!(Arc::ptr_eq(&after.upgrade, &before.upgrade));
    assert!(!after.is_shared_with(&before));
}

#[test]
fn parts_that_stay_untold_are_shared() {
    let whole = upgrade(Running, &[Upgrading]);
    let nodes = Untold {
        nodes: true,
        ..Untold::default()
    };
    let mut partial = untold(&whole, nodes);
    partial.nodes.clear();
    let mut memory = Memory::default();
    let told = [&whole, &partial, &partial].map(|upgrade| {
        advance(&mut memory, &observation(upgrade.clone()), at(110));
        seen(&memory).fully_told
    });
    let [None, Some(first), Some(second)] = told else {
        panic!("{told:?}");
    };
    assert_eq!(first.nodes, whole.nodes);
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn views_that_are_equal_by_chance_are_not_shared() {
    let view = play(&[(110, &upgrade(Running, &[Upgrading]))]);
    let other = play(&[(110, &upgrade(Running, &[Upgrading]))]);
    assert_eq!(view, other);
    assert!(!view.is_shared_with(&other));
}

#[test]
fn views_are_shared_only_with_all_that_is_derived() {
    let view = play(&[(110, &upgrade(Running, &[Upgrading]))]);
    assert!(view.is_shared_with(&view.clone()));
    let changes: [fn(&mut UpgradeView); 10] = [
        |view| view.upgrade = (*view.upgrade).clone().into(),
        |view| view.status_since = at(1),
        |view| view.started = None,
        |view| view.ended = Some(at(1)),
        |view| view.last_progress = at(1),
        |view| view.stalled = !view.stalled,
        |view| view.ratio = Some(0.25),
        |view| view.estimated_end = Some(at(1)),
        |view| view.task_order = Some(1),
        |view| view.node_work = [None].into(),
    ];
    for (place, change) in changes.iter().enumerate() {
        let mut other = view.clone();
        change(&mut other);
        assert!(!view.is_shared_with(&other), "{place}");
    }
}

/// Takes a good poll into a copy of a memory, as the poller does.
fn next(memory: &Memory, observation: &Observation, seconds: i64) -> Memory {
    let mut memory = memory.clone();
    advance(&mut memory, observation, at(seconds));
    memory
}

/// Builds a poll whose secondary call was answered, and that has notes.
fn noted(upgrade: &Upgrade) -> Observation {
    Observation {
        secondary: vec![SecondaryCall {
            endpoint: "ListNodes",
            answer: Some("nodes".into()),
            failure: None,
        }],
        notes: Some("notes".into()),
        ..observation(upgrade.clone())
    }
}

#[test]
fn memories_share_all_that_a_poll_finds_unchanged() {
    let working = upgrade(Running, &[Upgrading, Waiting]);
    let first = next(&Memory::default(), &noted(&working), 110);
    let second = next(&first, &noted(&working), 120);
    let [a, b] = [&first, &second].map(|memory| &memory.upgrades[&Kind::Version]);
    assert!(Arc::ptr_eq(a, b));
    assert!(Arc::ptr_eq(&first.calls, &second.calls));
    let [a, b] = [&first, &second].map(|memory| memory.notes.as_ref().unwrap());
    assert!(Arc::ptr_eq(a, b));
    assert_eq!(second.last_success, Some(at(120)));
}

#[test]
fn a_failing_call_leaves_the_earlier_memory_as_it_was() {
    let working = upgrade(Running, &[Upgrading]);
    let first = next(&Memory::default(), &noted(&working), 110);
    let mut failed = noted(&working);
    failed.secondary[0].answer = None;
    failed.secondary[0].failure = Some(SecondaryFailure {
        reason: Reason::Server,
        message: "no".to_owned(),
        missing: "states of nodes",
        permission: "",
        is_not_offered: false,
        is_earlier: false,
    });
    let second = next(&first, &failed, 120);
    let third = next(&second, &failed, 130);
    let failing = [&first, &second, &third].map(|memory| memory.is_failing("ListNodes"));
    assert_eq!(failing, [false, true, true]);
    assert!(Arc::ptr_eq(&second.calls, &third.calls), "no news");
    let unneeded = observation(working);
    let fourth = next(&third, &unneeded, 140);
    assert!(!fourth.is_failing("ListNodes") && third.is_failing("ListNodes"));
    let fifth = next(&fourth, &unneeded, 150);
    assert!(Arc::ptr_eq(&fourth.calls, &fifth.calls));
    let answer = fifth.call("ListNodes").and_then(|call| call.answer.clone());
    assert_eq!(answer.as_deref(), Some("nodes"));
}

#[test]
fn a_step_of_the_clock_leaves_the_earlier_memory_as_it_was() {
    let working = upgrade(Running, &[Upgrading]);
    let first = next(&Memory::default(), &noted(&working), 110);
    let mut shifted = first.clone();
    shifted.shift_noted(SignedDuration::from_secs(5));
    assert_eq!(seen(&first).first_seen, at(110));
    assert_eq!(seen(&shifted).first_seen, at(115));
}

#[test]
fn work_on_nodes_of_a_restored_memory_is_kept() {
    let working = upgrade(Running, &[Upgrading]);
    let mut memory = next(&Memory::default(), &observation(working.clone()), 110);
    let restored = Arc::make_mut(memory.upgrades.get_mut(&Kind::Version).unwrap());
    // The disk does not have it.
    restored.node_work = None;
    let first = next(&memory, &observation(working.clone()), 120);
    assert!(seen(&first).node_work.is_some());
    let second = next(&first, &observation(working), 130);
    let [a, b] = [&first, &second].map(|memory| &memory.upgrades[&Kind::Version]);
    assert!(Arc::ptr_eq(a, b));
}
