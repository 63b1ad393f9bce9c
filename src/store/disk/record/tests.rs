use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::expose::check::cluster;
use crate::model::{
    Node, NodeStatus, Observation, SecondaryCall, Task, TaskStatus, Thresholds, Upgrade,
    UpgradeStatus,
};

pub(in crate::store::disk) const LIMITS: Thresholds = Thresholds {
    stalled_after: Duration::from_secs(300),
    overdue_after: Duration::from_secs(3600),
    retain_ended: Duration::from_secs(3600),
};

pub(in crate::store::disk) const CALLS: [CallNames; 2] = [
    CallNames {
        endpoint: "Primary",
        missing: "",
        permission: "",
    },
    CallNames {
        endpoint: "Secondary",
        missing: "tasks",
        permission: "list",
    },
];

pub(in crate::store::disk) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn one<T: Copy>(rng: &mut fastrand::Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

fn maybe<T>(rng: &mut fastrand::Rng, make: impl FnOnce(&mut fastrand::Rng) -> T) -> Option<T> {
    rng.bool().then(|| make(rng))
}

/// Makes up an answer about one upgrade, or none.
pub(in crate::store::disk) fn observation(rng: &mut fastrand::Rng, now: i64) -> Observation {
    let mut observation = Observation {
        name: "orders".to_owned(),
        notes: maybe(rng, |_| format!("{now}").into()),
        ..Observation::default()
    };
    for kind in Kind::ALL {
        if rng.u8(0..4) == 0 {
            continue;
        }
        let mut upgrade = Upgrade::new(*kind, one(rng, &UpgradeStatus::ALL[1..]));
        upgrade.id = maybe(rng, |rng| rng.u8(0..2).to_string());
        upgrade.requested = maybe(rng, |rng| at(one(rng, &[-500, -100])));
        upgrade.own_progress = maybe(rng, fastrand::Rng::f64);
        upgrade.ratio = maybe(rng, fastrand::Rng::f64);
        for number in 0..rng.usize(0..4) {
            let status = one(rng, NodeStatus::ALL);
            let mut node = Node::new(&format!("n\"{number}"), "data", status, "raw");
            node.share_done = rng.f64();
            node.updated = maybe(rng, |rng| at(now - rng.i64(0..900)));
            upgrade.nodes.push(node);
        }
        upgrade.tasks = vec![Task {
            order: 1,
            name: "restart".to_owned(),
            status: one(rng, TaskStatus::ALL),
            start: maybe(rng, |_| at(now - 20)),
            end: None,
            description: None,
        }];
        upgrade.untold.nodes = rng.u8(0..4) == 0;
        observation.upgrades.push(upgrade);
    }
    if rng.bool() {
        observation.secondary.push(SecondaryCall {
            endpoint: "Secondary",
            answer: Some("answer".into()),
            failure: maybe(rng, |rng| SecondaryFailure {
                reason: one(rng, Reason::ALL),
                message: "no".to_owned(),
                missing: "tasks",
                permission: "list",
                is_not_offered: rng.u8(0..8) == 0,
                is_earlier: false,
            }),
        });
    }
    observation
}

/// Takes an answer in, as a worker does.
pub(in crate::store::disk) fn poll(
    state: &mut ClusterState,
    memory: &mut Memory,
    seen: &Observation,
    now: i64,
) {
    let advanced = track::advance(memory, seen, &LIMITS, Duration::from_secs(30), at(now));
    state.upgrades = advanced.upgrades;
    state.degraded = advanced.degraded;
    state.last_success = at(now);
    state.answered = true;
}

fn stored_and_read(state: &ClusterState, memory: &Memory) -> ClusterRecord {
    let record = ClusterRecord::new(state, memory, SignedDuration::ZERO, false);
    let json = crate::text::json::to_string(&record).unwrap();
    let read = serde_json::from_str(&json).unwrap();
    assert_eq!(record, read, "{json}");
    read
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Restarts at any point of any sequence of answers, beside a worker that never stopped.
    #[test]
    fn a_restored_worker_shows_what_one_shows_that_never_stopped(seed: u64) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let start = || {
            let mut state = cluster("1");
            (state.thresholds, state.answered) = (LIMITS, false);
            state.upgrades.clear();
            (state, Memory::default())
        };
        let ((mut state, mut memory), (mut other, mut other_memory)) = (start(), start());
        let mut now = 0;
        for _ in 0..8 {
            now += rng.i64(1..400);
            let seen = observation(&mut rng, now);
            poll(&mut state, &mut memory, &seen, now);
            poll(&mut other, &mut other_memory, &seen, now);
            if rng.bool() {
                let record = stored_and_read(&other, &other_memory);
                (other, _) = start();
                other_memory = record.restore(&mut other, &CALLS);
            }
            prop_assert_eq!(&other, &state);
            prop_assert_eq!(&other_memory, &memory);
        }
    }
}

#[test]
fn noted_times_begin_by_the_local_clock_again() {
    let (mut state, mut memory) = (cluster("1"), Memory::default());
    let hour = SignedDuration::from_hours(1);
    poll(&mut state, &mut memory, &Observation::default(), 3600);
    let record = ClusterRecord::new(&state, &memory, hour, false);
    let memory = record.restore(&mut state, &CALLS);
    assert_eq!(memory.last_success, Some(at(0)));
    assert_eq!(
        state.last_success,
        at(0),
        "the step comes again with the first answers"
    );
}

#[test]
fn memory_of_a_call_that_the_product_does_not_make_is_left_out() {
    let (mut state, mut memory) = (cluster("1"), Memory::default());
    Arc::make_mut(&mut memory.calls).insert("Old", CallMemory::default());
    memory.unpublished.insert("Primary", 1);
    let record = stored_and_read(&state, &memory);
    let restored = record.restore(&mut state, &CALLS);
    assert!(restored.calls.is_empty());
    assert_eq!(restored.unpublished["Primary"], 1);
}
