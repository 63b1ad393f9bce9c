//! A run of the scenario in CCE's terms: points, progress, and times as Go prints them.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::sim::timeline::{Moment, NodeMoment, State, StepMoment};

/// A run as a workflow sees it: the steps before, `Cluster` with all the nodes, the steps after.
pub(super) struct Points<'a> {
    pub(super) all: Vec<Point<'a>>,
    pub(super) cluster: State,
}

pub(super) struct Point<'a> {
    pub(super) name: &'a str,
    pub(super) state: State,
    pub(super) begun: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
}

impl<'a> Points<'a> {
    pub(super) fn of(run: &'a Moment) -> Self {
        let step = |step: &'a StepMoment| Point {
            name: &step.name,
            state: step.state,
            begun: step.begun,
            ended: step.ended,
        };
        let begun = run.nodes.iter().filter_map(|node| node.begun).min();
        let done = |node: &NodeMoment| node.state == State::Succeeded;
        let state = match (run.state, begun) {
            (State::Succeeded, _) => run.state,
            (_, None) => State::Waiting,
            (State::Failed, _) => run.state,
            _ if run.nodes.iter().all(done) => State::Succeeded,
            _ => State::Running,
        };
        let ended = match state {
            State::Failed => run.ended,
            State::Succeeded => run.nodes.iter().filter_map(|node| node.ended).max(),
            _ => None,
        };
        let cluster = Point {
            name: "Cluster",
            state,
            begun,
            ended,
        };
        Self {
            all: run
                .before
                .iter()
                .map(step)
                .chain([cluster])
                .chain(run.after.iter().map(step))
                .collect(),
            cluster: state,
        }
    }
}

/// The share of the nodes' steps that are done.
pub(super) fn progress(run: &Moment) -> f64 {
    let steps = || run.nodes.iter().flat_map(|node| &node.steps);
    let done = steps().filter(|step| step.state == State::Succeeded);
    let count = |n: usize| u32::try_from(n).map_or(0.0, f64::from);
    count(done.count()) / count(steps().count()).max(1.0)
}

/// A time as Go prints it.
pub(super) fn go(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string()
}

/// The same in another zone, as the documents' example of a task has it.
pub(super) fn go_beijing(at: Timestamp) -> String {
    let zone = TimeZone::fixed(Offset::constant(8));
    at.to_zoned(zone)
        .strftime("%Y-%m-%d %H:%M:%S%.f +0800 CST")
        .to_string()
}

/// Go's time that is not set.
pub(super) fn zero() -> String {
    "0001-01-01 00:00:00 +0000 UTC".to_owned()
}
