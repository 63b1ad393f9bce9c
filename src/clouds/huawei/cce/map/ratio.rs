//! Share of an upgrade that is done, by its points and by the progress of its task.

use super::super::wire::Point;
use super::super::words::{PointState, is, point_state};
use crate::model::UpgradeStatus;

/// Largest ratio of an upgrade that has not succeeded.
pub(super) const MAX_UNFINISHED_RATIO: f64 = 0.99;

/// Returns (finished points + the `Cluster` point's own progress) / points; 1 only when succeeded.
pub(super) fn of_points(
    status: UpgradeStatus,
    points: &[Point],
    cluster_progress: Option<f64>,
) -> Option<f64> {
    if status == UpgradeStatus::Succeeded {
        return Some(1.0);
    }
    let count = f64::from(u32::try_from(points.len()).ok()?);
    if points.is_empty() {
        return None;
    }
    let is_finished = |point: &&Point| point_state(&point.status) == PointState::Success;
    let finished = points.iter().filter(is_finished).count();
    let finished = f64::from(u32::try_from(finished).ok()?);
    let last_cluster = points.iter().rev().find(|p| is(&p.task_type, "Cluster"));
    let own = match last_cluster {
        Some(point) if !is_finished(&point) => {
            cluster_progress.unwrap_or(0.0).min(MAX_UNFINISHED_RATIO)
        }
        _ => 0.0,
    };
    Some(((finished + own) / count).min(MAX_UNFINISHED_RATIO))
}

/// Returns the share of an upgrade that is a task with this progress; 1 only when succeeded.
pub(super) fn of_task(status: UpgradeStatus, progress: Option<f64>) -> Option<f64> {
    match status {
        UpgradeStatus::Succeeded => Some(1.0),
        _ => progress.map(|progress| progress.min(MAX_UNFINISHED_RATIO)),
    }
}

/// Parses a progress text to a share from 0 to 1. Its scale is not documented: above 1, or with a
/// percent sign, it is a percentage, else a fraction.
pub(super) fn progress(text: &str) -> Option<f64> {
    let text = text.trim();
    let (number, percent) = match text.strip_suffix('%') {
        Some(number) => (number.trim_end(), true),
        None => (text, false),
    };
    let value: f64 = number.parse().ok()?;
    if !value.is_finite() || value < 0.0 {
        return None;
    }
    let fraction = if percent || value > 1.0 {
        value / 100.0
    } else {
        value
    };
    Some(fraction.min(1.0))
}
