//! Runs of a cluster one after another: the times of their requests, their versions, and which fail.

use std::time::Duration;

use jiff::Timestamp;

use super::{length, plus};
use crate::sim::scenario::{Cluster, Place};

/// Returns the run that is current at `now`, from 0, and the time of its request; `None` before the first
/// request.
pub(super) fn current(
    cluster: &Cluster,
    origin: Timestamp,
    speed: f64,
    now: Timestamp,
) -> Option<(u32, Timestamp)> {
    let scaled = |length: Duration| length.div_f64(speed.max(1e-6));
    let first = plus(origin, scaled(cluster.starts_after?));
    if now < first {
        return None;
    }
    let Some(pause) = cluster.repeats_after else {
        return Some((0, first));
    };
    // From a request to the next one.
    let cycle = |run| {
        let failed = fails(cluster, run).is_some();
        let retries_after = cluster.repetition.retries_after.filter(|_| failed);
        scaled(length(cluster, run)) + scaled(retries_after.unwrap_or(pause))
    };
    let period = period(cluster);
    // The run that fails, and those up to the next one that does.
    let head = cycle(0);
    let other = if period > 1 { cycle(1) } else { Duration::ZERO };
    let round = head.saturating_add(other.saturating_mul(period - 1));
    let since = now.duration_since(first).unsigned_abs();
    let rounds = quotient(since, round);
    let begun = round.saturating_mul(rounds);
    let rest = since.saturating_sub(begun);
    let (place, within) = match rest.checked_sub(head) {
        Some(rest) if period > 1 => {
            let others = quotient(rest, other).min(period - 2);
            (others + 1, head + other.saturating_mul(others))
        }
        _ => (0, Duration::ZERO),
    };
    let run = rounds.saturating_mul(period).saturating_add(place);
    Some((run, plus(first, begun.saturating_add(within))))
}

fn quotient(length: Duration, part: Duration) -> u32 {
    u32::try_from(length.as_nanos() / part.as_nanos().max(1)).unwrap_or(u32::MAX)
}

/// Returns the number of runs of which the first fails; 1 where all runs are alike.
fn period(cluster: &Cluster) -> u32 {
    match cluster.fails {
        Some(_) => cluster.repetition.failure_period.max(1),
        None => 1,
    }
}

/// Returns the step at which this run fails, if it does.
pub(super) fn fails(cluster: &Cluster, run: u32) -> Option<Place> {
    cluster
        .fails
        .filter(|_| run.is_multiple_of(period(cluster)))
}

/// Returns the versions before and after this run. A run that failed left the cluster where it was, and
/// the next one goes to the version after; where every run fails and versions are not endless, each
/// tries the first upgrade again.
pub(super) fn versions(cluster: &Cluster, run: u32) -> (String, String) {
    let run = u64::from(run);
    let period = u64::from(period(cluster));
    let (from, to) = match (cluster.fails, period) {
        (Some(_), 1) if cluster.repetition.endless_versions.is_some() => (0, run + 1),
        (Some(_), 1) => (0, 1),
        (Some(_), period) if run % period == 1 => (run - 1, run + 1),
        (_, _) => (run, run + 1),
    };
    (cluster.version_at(from), cluster.version_at(to))
}
