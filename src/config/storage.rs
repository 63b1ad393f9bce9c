//! The section `storage`: for how long is kept what `--storage.path` keeps.

use std::time::Duration;

use spanned_yaml::{Bounds, Section};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Bounds of the retention of ended upgrades: a day and a hundred years.
const BOUNDS: Bounds = Bounds {
    min: DAY,
    max: DAY.saturating_mul(36_525),
};

/// Default of the retention: an upgrade can be compared with that of a year before.
const RETENTION: Duration = DAY.saturating_mul(400);

/// Reads the retention of the section, or takes its default.
pub(super) fn retention(file: &mut Section<'_>) -> Option<Duration> {
    let Some(field) = file.take("storage") else {
        return Some(RETENTION);
    };
    let mut section = field.section();
    let retention = match section.take("retention") {
        Some(field) => field.duration(BOUNDS),
        None => Some(RETENTION),
    };
    section.finish();
    retention
}
