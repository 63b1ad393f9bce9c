//! One cluster by chance: what the vendor tells of it, taken in by the real tracker.

use std::time::Duration;

use jiff::Timestamp;
use rolling_upgrade_exporter::model::track;
use rolling_upgrade_exporter::model::{
    ClusterState, Key, Kind, Memory, Node, NodeStatus, Observation, Reason, SecondaryCall,
    SecondaryFailure, Task, TaskStatus, Thresholds, Upgrade, UpgradeStatus,
};

use crate::chance::{around, one_in, one_of, some_text, time};

/// Reasons for which a cluster is dark; those with an alert more often.
const REASONS: [Reason; 6] = [
    Reason::Auth,
    Reason::Permission,
    Reason::Throttled,
    Reason::Throttled,
    Reason::Network,
    Reason::NotFound,
];

/// A cluster, its vendor's side and the exporter's.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) state: ClusterState,
    memory: Memory,
    told: Observation,
    dark: Option<Reason>,
    pace: Duration,
    /// Something happens once in so many moments.
    calm: u32,
    /// How long work on a node mostly takes.
    usual: Duration,
}

impl Cluster {
    pub(crate) fn new(
        rng: &mut fastrand::Rng,
        account: &str,
        product: &'static str,
        number: usize,
        pace: Duration,
    ) -> Self {
        let name = some_text(rng);
        let state = ClusterState {
            key: Key {
                account: account.into(),
                product,
                id: format!("id-{number}").into(),
            },
            cloud: "cloud",
            cloud_region: "KR".into(),
            name: name.as_str().into(),
            version: "".into(),
            version_name: None,
            raw_status: "".into(),
            status_meaning: None,
            available: Vec::new(),
            up: false,
            answered: false,
            last_success: Timestamp::UNIX_EPOCH,
            last_error: None,
            // Three of them around the 15 minutes, and longer.
            poll_interval: Duration::from_secs(one_of(rng, &[30, 299, 300, 301, 400, 600])),
            thresholds: Thresholds {
                stalled_after: around(rng, pace, 1..6),
                overdue_after: around(rng, pace, 1..20),
                retain_ended: around(rng, pace, 5..90),
            },
            upgrades: Vec::new(),
            degraded: Vec::new(),
        };
        let mut cluster = Self {
            state,
            memory: Memory::default(),
            told: Observation {
                name,
                version: String::new(),
                raw_status: String::new(),
                changing: false,
                upgrades: Vec::new(),
                unknown_words: Vec::new(),
                refused: None,
                ..Observation::default()
            },
            dark: one_in(rng, 6).then(|| one_of(rng, &REASONS)),
            pace,
            calm: one_of(rng, &[2, 4, 10, 10]),
            // Three times it may be a whole number of moments.
            usual: around(rng, pace / 3, 5..15),
        };
        for kind in Kind::ALL {
            if rng.u8(..4) > 0 {
                let upgrade = cluster.upgrade(rng, *kind, Timestamp::UNIX_EPOCH);
                cluster.told.upgrades.push(upgrade);
            }
        }
        cluster
    }

    /// What a process that has just begun knows.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        self.memory = Memory::default();
        self.state.upgrades.clear();
        self.state.answered = false;
        self.state.degraded.clear();
        self.state.last_error = None;
        self.state.up = false;
        self.state.last_success = now;
    }

    /// Lets happen what happens until `now`, and polls; gives when that was and how it ended.
    pub(crate) fn step(
        &mut self,
        rng: &mut fastrand::Rng,
        now: Timestamp,
    ) -> (Timestamp, Result<(), Reason>) {
        if one_in(rng, self.calm) {
            self.change(rng, now);
        }
        if one_in(rng, 30) {
            self.told.secondary = secondary(rng);
        }
        if one_in(rng, 15) {
            let news = self.dark.is_none();
            self.dark = news.then(|| one_of(rng, &REASONS));
        }
        let at = now - Duration::from_millis(one_of(rng, &[0, 0, 0, 0, 250, 1000]));
        self.state.up = self.dark.is_none();
        if let Some(reason) = self.dark {
            return (at, Err(reason));
        }
        let (limits, interval) = (&self.state.thresholds, self.state.poll_interval);
        let advanced = track::advance(&mut self.memory, &self.told, limits, interval, at);
        (self.state.upgrades, self.state.degraded) = (advanced.upgrades, advanced.degraded);
        self.state.name = self.told.name.as_str().into();
        self.state.last_success = at;
        self.state.answered = true;
        (at, Ok(()))
    }

    /// Something happens at the vendor.
    fn change(&mut self, rng: &mut fastrand::Rng, now: Timestamp) {
        if one_in(rng, 60) {
            self.told.name = some_text(rng);
        }
        let count = self.told.upgrades.len();
        if count == 0 {
            return;
        }
        let place = rng.usize(..count);
        let mut upgrade = self.told.upgrades[place].clone();
        match rng.u8(..40) {
            0..3 => upgrade = self.upgrade(rng, upgrade.kind, now),
            3..8 => {
                upgrade.status = status(rng);
                upgrade.ended =
                    (upgrade.status.is_final() && rng.bool()).then(|| self.end(rng, now));
            }
            8..10 => upgrade.executions = upgrade.executions.map(|n| n + 1),
            10..12 => upgrade.waits_for_person = self.can_wait() && !upgrade.waits_for_person,
            12..20 if !upgrade.tasks.is_empty() => {
                let task = rng.usize(..upgrade.tasks.len());
                let order = upgrade.tasks[task].order;
                upgrade.tasks[task] = self.task(rng, order, now);
            }
            _ if !upgrade.nodes.is_empty() => {
                let node = rng.usize(..upgrade.nodes.len());
                self.move_on(rng, &mut upgrade.nodes[node], now);
            }
            _ => {}
        }
        self.told.upgrades[place] = upgrade;
    }

    /// When an upgrade ended: lately, or so that it will soon be an hour ago.
    fn end(&self, rng: &mut fastrand::Rng, now: Timestamp) -> Timestamp {
        let hour = Duration::from_secs(3600);
        let ago = if rng.bool() { hour } else { 8 * self.pace };
        time(rng, now - ago + 8 * self.pace, self.pace, 8)
    }

    /// Only CCE's workflows wait for a person.
    fn can_wait(&self) -> bool {
        self.state.key.product == "cce"
    }

    /// An upgrade of which some is done.
    fn upgrade(&self, rng: &mut fastrand::Rng, kind: Kind, now: Timestamp) -> Upgrade {
        let mut upgrade = Upgrade::new(kind, status(rng));
        upgrade.requested = (rng.u8(..5) > 0).then(|| time(rng, now, self.pace, 12));
        upgrade.ended = (upgrade.status.is_final() && rng.bool()).then(|| self.end(rng, now));
        upgrade.executions = rng.bool().then(|| rng.u64(0..3));
        upgrade.waits_for_person = self.can_wait() && one_in(rng, 3);
        upgrade.starts_with_a_task = rng.bool();
        let roles = ["data", "data", "data", "", "ess \"x\""];
        let in_order = rng.bool();
        let done = rng.usize(0..5);
        let count = if in_order {
            done + rng.usize(1..3)
        } else {
            done
        };
        for place in 0..count {
            let name = format!("n-{place}{}", some_text(rng));
            let mut node = Node::new(&name, one_of(rng, &roles), NodeStatus::Waiting, "");
            if in_order {
                roles[0].clone_into(&mut node.key.role);
                if place < done {
                    self.set(rng, &mut node, NodeStatus::Succeeded, now);
                } else if place == done {
                    self.set(rng, &mut node, NodeStatus::Upgrading, now);
                }
            } else {
                let status = one_of(rng, NodeStatus::ALL);
                self.set(rng, &mut node, status, now);
            }
            upgrade.nodes.push(node);
        }
        for order in 0..rng.u32(0..4) {
            upgrade.tasks.push(self.task(rng, order, now));
        }
        upgrade
    }

    /// The next state of a node, mostly in order.
    fn move_on(&self, rng: &mut fastrand::Rng, node: &mut Node, now: Timestamp) {
        let status = match node.status {
            _ if one_in(rng, 4) => one_of(rng, NodeStatus::ALL),
            NodeStatus::Upgrading => NodeStatus::Succeeded,
            _ => NodeStatus::Upgrading,
        };
        self.set(rng, node, status, now);
    }

    /// Puts a node into a state, with the times that the vendor may tell.
    fn set(&self, rng: &mut fastrand::Rng, node: &mut Node, status: NodeStatus, now: Timestamp) {
        node.status = status;
        let told = rng.u8(..3) > 0;
        match status {
            NodeStatus::Upgrading => {
                node.started = told.then(|| time(rng, now, self.pace, 5));
                node.ended = None;
            }
            NodeStatus::Succeeded | NodeStatus::Failed => {
                let length = if one_in(rng, 4) {
                    around(rng, self.pace / 3, 2..14)
                } else {
                    self.usual
                };
                let start = time(rng, now, self.pace, 4) - length;
                node.started = told.then_some(start);
                node.ended = told.then(|| start + length);
            }
            NodeStatus::Waiting | NodeStatus::Unknown => {}
        }
        node.updated = one_in(rng, 3).then(|| time(rng, now, self.pace, 3));
    }

    fn task(&self, rng: &mut fastrand::Rng, order: u32, now: Timestamp) -> Task {
        let status = one_of(rng, TaskStatus::ALL);
        let begun = status != TaskStatus::Waiting && rng.u8(..4) > 0;
        Task {
            order,
            name: some_text(rng),
            status,
            start: begun.then(|| time(rng, now, self.pace, 10)),
            end: None,
            description: None,
        }
    }
}

/// Returns the secondary calls of a poll, some of which fail.
fn secondary(rng: &mut fastrand::Rng) -> Vec<SecondaryCall> {
    let call = |endpoint| SecondaryCall {
        endpoint,
        answer: None,
        failure: rng.bool().then(|| SecondaryFailure {
            reason: one_of(rng, &REASONS),
            message: String::new(),
            missing: "states of nodes",
            permission: "cce:node:list",
            is_not_offered: false,
            is_earlier: false,
        }),
    };
    ["ListNodes", "ListTasks"].map(call).to_vec()
}

/// A state of an upgrade: more often one that has to last.
fn status(rng: &mut fastrand::Rng) -> UpgradeStatus {
    match rng.u8(..9) {
        0..3 => UpgradeStatus::Running,
        3..5 => UpgradeStatus::Paused,
        5 => UpgradeStatus::Succeeded,
        // `none` is no upgrade.
        _ => one_of(rng, &UpgradeStatus::ALL[1..]),
    }
}
