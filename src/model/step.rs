//! Steps of a vendor's clock: times that this process noted by it are shifted along. Times that the
//! vendor told stay.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{CallMemory, ClusterState, Memory, Seen};

/// Returns a time that was noted before the clock took a step of this length.
pub fn shifted(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

fn shift_all<'a>(times: impl IntoIterator<Item = Option<&'a mut Timestamp>>, by: SignedDuration) {
    for at in times.into_iter().flatten() {
        *at = shifted(*at, by);
    }
}

impl ClusterState {
    /// Shifts what was noted by the clock: the last good poll, and since when calls fail.
    pub fn shift_noted(&mut self, by: SignedDuration) {
        shift_all([Some(&mut self.last_success)], by);
        if let Some(error) = &mut self.last_error {
            error.shift_noted(by);
        }
        for call in &mut self.degraded {
            shift_all([Some(&mut call.since), Some(&mut call.reason_since)], by);
        }
    }
}

impl Memory {
    /// Shifts what was noted by the clock.
    pub fn shift_noted(&mut self, by: SignedDuration) {
        shift_all([self.last_success.as_mut()], by);
        for seen in self.upgrades.values_mut() {
            Arc::make_mut(seen).shift_noted(by);
        }
        for call in Arc::make_mut(&mut self.calls).values_mut() {
            call.shift_noted(by);
        }
    }
}

impl Seen {
    fn shift_noted(&mut self, by: SignedDuration) {
        let noted = [
            Some(&mut self.first_seen),
            self.changed.as_mut(),
            self.ended_seen.as_mut(),
        ];
        shift_all(noted, by);
    }
}

impl CallMemory {
    fn shift_noted(&mut self, by: SignedDuration) {
        let noted = [
            self.failing_since.as_mut(),
            self.failure.as_mut().map(|(_, since)| since),
            self.expires.as_mut(),
        ];
        shift_all(noted, by);
    }
}
