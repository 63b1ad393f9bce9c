//! Where an upgrade stands at a given time: a pure function of the scenario and the clock.

mod schedule;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::scenario::{Cluster, Place, Step};

/// The state of a run, a node or a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not begun.
    Waiting,
    /// In work.
    Running,
    /// Done.
    Succeeded,
    /// Failed.
    Failed,
}

/// One run of a cluster's upgrade at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Which run, from 0.
    pub run: u32,
    /// Whether a request over the API started it, and not the scenario.
    pub ordered: bool,
    /// When it was requested.
    pub requested: Timestamp,
    /// State of the whole; `Waiting` while it is queued.
    pub state: State,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When anything of it last changed.
    pub updated: Timestamp,
    /// The version that it goes from.
    pub from: String,
    /// The version that it goes to.
    pub to: String,
    /// The cluster's steps before its nodes.
    pub before: Vec<StepMoment>,
    /// The nodes, in order.
    pub nodes: Vec<NodeMoment>,
    /// The cluster's steps after its nodes.
    pub after: Vec<StepMoment>,
}

/// A node at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeMoment {
    /// Host name.
    pub name: String,
    /// The vendor's role code.
    pub role: String,
    /// Its state.
    pub state: State,
    /// When work on it began.
    pub begun: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When its state or its step last changed.
    pub updated: Option<Timestamp>,
    /// Its steps.
    pub steps: Vec<StepMoment>,
}

/// A step at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct StepMoment {
    /// The vendor's name of it.
    pub name: String,
    /// Its state.
    pub state: State,
    /// When it began.
    pub begun: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

impl Moment {
    /// Returns true from its request to its end.
    pub fn is_active(&self) -> bool {
        matches!(self.state, State::Waiting | State::Running)
    }

    /// The version that the cluster runs at this moment.
    pub fn version(&self) -> &str {
        if self.state == State::Succeeded {
            &self.to
        } else {
            &self.from
        }
    }

    /// An id in the vendors' form that is the same for the same run of the same cluster.
    pub fn id(&self, cluster: &Cluster) -> String {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in cluster.id.bytes().chain(self.run.to_be_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let (high, low) = (hash >> 32, hash & 0xffff_ffff);
        format!(
            "{high:08x}-0000-4000-8000-{:04x}{low:08x}",
            self.run & 0xffff
        )
    }
}

/// The run that is current at `now`; none before the first request.
pub fn at(cluster: &Cluster, origin: Timestamp, speed: f64, now: Timestamp) -> Option<Moment> {
    let (run, requested) = schedule::current(cluster, origin, speed, now)?;
    Some(play(cluster, run, requested, speed, now))
}

/// An upgrade that was started by a request over the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// Product and id of the cluster.
    pub cluster: (String, String),
    /// Which run of the cluster it is, from 0.
    pub run: u32,
    /// When it was requested.
    pub requested: Timestamp,
    /// The version that it goes from.
    pub from: String,
    /// The version that it goes to.
    pub to: String,
}

/// The run that a request over the API started, as it stands at `now`.
pub fn ordered(cluster: &Cluster, order: &Ordered, speed: f64, now: Timestamp) -> Moment {
    Moment {
        ordered: true,
        from: order.from.clone(),
        to: order.to.clone(),
        ..play(cluster, order.run, order.requested, speed, now)
    }
}

fn plus(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Returns the length of a whole run, up to its end or its failure, at speed 1.
fn length(cluster: &Cluster, run: u32) -> Duration {
    let origin = Timestamp::UNIX_EPOCH;
    let far = plus(origin, Duration::from_secs(366 * 86_400));
    let end = play(cluster, run, origin, 1.0, far).ended.unwrap_or(far);
    end.duration_since(origin).unsigned_abs()
}

/// Plays a run from its request to `now`.
fn play(cluster: &Cluster, run: u32, requested: Timestamp, speed: f64, now: Timestamp) -> Moment {
    let mut player = Player {
        now,
        speed,
        updated: requested,
        fails: schedule::fails(cluster, run),
        failed: None,
    };
    let begun = plus(requested, cluster.queued.div_f64(speed.max(1e-6)));
    let mut at = begun;
    let before = player.steps(&cluster.before, &mut at, Some(0), cluster);
    let mut nodes = Vec::new();
    for (batch, members) in cluster.nodes.chunks(cluster.batch.max(1)).enumerate() {
        let start = at;
        for (index, node) in members.iter().enumerate() {
            let mut own = start;
            let number = batch * cluster.batch.max(1) + index + 1;
            let halted = player.failed.is_some_and(|failed| failed <= start);
            let steps = if halted {
                waiting(&cluster.steps)
            } else {
                player.steps(&cluster.steps, &mut own, Some(number), cluster)
            };
            let begun = steps.first().and_then(|s| s.begun);
            let broke = steps.iter().any(|s| s.state == State::Failed);
            let done = steps.iter().all(|s| s.state == State::Succeeded);
            let last_end = steps.iter().filter_map(|s| s.ended).max();
            nodes.push(NodeMoment {
                name: node.name.clone(),
                role: node.role.clone(),
                state: match (broke, done, begun) {
                    (true, _, _) => State::Failed,
                    (_, true, Some(_)) => State::Succeeded,
                    (_, _, Some(_)) => State::Running,
                    _ => State::Waiting,
                },
                begun,
                ended: if broke || done { last_end } else { None },
                updated: steps.iter().filter_map(|s| s.ended.max(s.begun)).max(),
                steps,
            });
            at = at.max(own);
        }
    }
    let after = if player.failed.is_some() {
        waiting(&cluster.after)
    } else {
        player.steps(&cluster.after, &mut at, None, cluster)
    };
    let failed = player.failed.filter(|at| *at <= now);
    let (state, ended) = match failed {
        Some(at) => (State::Failed, Some(at)),
        None if at <= now => (State::Succeeded, Some(at)),
        None if now < begun => (State::Waiting, None),
        None => (State::Running, None),
    };
    let (from, to) = schedule::versions(cluster, run);
    Moment {
        run,
        ordered: false,
        requested,
        state,
        ended,
        updated: player.updated.max(ended.unwrap_or(requested)),
        from,
        to,
        before,
        nodes,
        after,
    }
}

struct Player {
    now: Timestamp,
    speed: f64,
    updated: Timestamp,
    /// Step at which the run fails.
    fails: Option<Place>,
    failed: Option<Timestamp>,
}

impl Player {
    /// Plays steps one after another from `at`, which is moved to their end. `node` counts from 1, and is
    /// 0 for the steps before the nodes.
    fn steps(
        &mut self,
        steps: &[Step],
        at: &mut Timestamp,
        node: Option<usize>,
        cluster: &Cluster,
    ) -> Vec<StepMoment> {
        let mut halted = false;
        let mut out = Vec::with_capacity(steps.len());
        for (index, one) in steps.iter().enumerate() {
            if halted {
                out.push(step(one, State::Waiting, None, None));
                continue;
            }
            let place = node.map(|node| Place {
                node,
                step: index + 1,
            });
            let mut takes = one.takes;
            if let Some(hang) = cluster.hangs.filter(|h| Some(h.place) == place) {
                takes += hang.lasts;
            }
            let begin = *at;
            let end = plus(begin, takes.div_f64(self.speed.max(1e-6)));
            let fails = place.is_some() && self.fails == place;
            *at = end;
            if fails {
                self.failed = Some(end);
                halted = true;
            }
            out.push(match (begin <= self.now, end <= self.now) {
                (false, _) => step(one, State::Waiting, None, None),
                (true, false) => {
                    self.updated = self.updated.max(begin);
                    step(one, State::Running, Some(begin), None)
                }
                (true, true) => {
                    self.updated = self.updated.max(end);
                    let state = if fails {
                        State::Failed
                    } else {
                        State::Succeeded
                    };
                    step(one, state, Some(begin), Some(end))
                }
            });
        }
        out
    }
}

fn step(
    step: &Step,
    state: State,
    begun: Option<Timestamp>,
    ended: Option<Timestamp>,
) -> StepMoment {
    StepMoment {
        name: step.name.clone(),
        state,
        begun,
        ended,
    }
}

fn waiting(steps: &[Step]) -> Vec<StepMoment> {
    steps
        .iter()
        .map(|one| step(one, State::Waiting, None, None))
        .collect()
}

#[cfg(test)]
mod tests;
