//! Outcomes of the demo, for the tests of what each product brings.

use jiff::Timestamp;

use super::*;
use crate::cloud::simulated;
use crate::clouds::CLOUDS;
use crate::sim::scenario::Cluster;
use crate::sim::timeline::{self, Moment, State};

/// Longest time until the exporter shows what happened: two polls of a cluster at rest, or the notice of
/// a change and the poll that calls it stalled.
pub(super) const LATENCY: Duration = Duration::from_secs(5);

pub(super) fn clusters() -> Vec<Cluster> {
    scenario(&simulated(CLOUDS)).unwrap().clusters
}

pub(super) fn origin() -> Timestamp {
    "2026-11-21T00:00:00Z".parse().unwrap()
}

pub(super) fn moment(cluster: &Cluster, second: u64) -> Option<Moment> {
    timeline::at(
        cluster,
        origin(),
        1.0,
        origin() + Duration::from_secs(second),
    )
}

/// Returns true while the exporter shows the upgrade as failed.
pub(super) fn is_failed(moment: &Moment, now: Timestamp) -> bool {
    moment.ended.is_some_and(|ended| ended + LATENCY <= now) && moment.state == State::Failed
}

/// Returns true while the exporter shows the upgrade as stalled.
pub(super) fn is_stalled(moment: &Moment, now: Timestamp) -> bool {
    moment.state == State::Running && moment.updated + STALLED_AFTER + LATENCY <= now
}

/// Names of a product's clusters by what becomes of their upgrades within two minutes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FirstCycle {
    pub(crate) succeeded: Vec<String>,
    pub(crate) failed: Vec<String>,
    pub(crate) stalled: Vec<String>,
    /// Clusters that are upgraded once, and not for ever.
    pub(crate) once: Vec<String>,
    /// Clusters that are never upgraded.
    pub(crate) never: Vec<String>,
}

/// Plays the first two minutes of a product's clusters in the demo.
pub(crate) fn first_cycle(product: &str) -> FirstCycle {
    let mut cycle = FirstCycle::default();
    for cluster in clusters() {
        if cluster.product != product {
            continue;
        }
        let now = |second| origin() + Duration::from_secs(second);
        let seen: Vec<_> = (0..=120)
            .filter_map(|second| Some((moment(&cluster, second)?, now(second))))
            .collect();
        let any = |is: fn(&Moment, Timestamp) -> bool| seen.iter().any(|(m, now)| is(m, *now));
        let name = &cluster.name;
        if any(|moment, _| moment.state == State::Succeeded) {
            cycle.succeeded.push(name.clone());
        }
        if any(is_failed) {
            cycle.failed.push(name.clone());
        }
        if any(is_stalled) {
            cycle.stalled.push(name.clone());
        }
        match (cluster.starts_after, cluster.repeats_after) {
            (None, _) => cycle.never.push(name.clone()),
            (Some(_), None) => cycle.once.push(name.clone()),
            (Some(_), Some(_)) => {}
        }
    }
    cycle
}
