//! Record of a discovery: since when it fails, and when it last went well.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{DiscoveryState, LastError, shifted};

/// Stored knowledge of a discovery. Times are in the vendor's time; JSON is its form on the disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiscoveryRecord {
    last_success: Option<Timestamp>,
    last_error: Option<LastError>,
    /// Steps of the vendor's clock up to which the times are right.
    clock_step: SignedDuration,
}

impl DiscoveryRecord {
    /// Builds the record of a discovery. `clock_step` is the sum of the steps of the vendor's clock.
    pub fn new(state: &DiscoveryState, clock_step: SignedDuration) -> Self {
        Self {
            last_success: state.last_success,
            last_error: state.last_error.clone(),
            clock_step,
        }
    }

    /// Puts what is shown into `state`. The times are those of the local clock again, as far off as it was. Returns
    /// the steps by which they become the vendor's.
    pub fn restore(self, state: &mut DiscoveryState) -> SignedDuration {
        let back = -self.clock_step;
        state.last_success = self.last_success.map(|at| shifted(at, back));
        state.last_error = self.last_error;
        if let Some(error) = &mut state.last_error {
            error.shift_noted(back);
        }
        self.clock_step
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Reason;

    use super::*;

    #[test]
    fn times_begin_by_the_local_clock_again() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let new = || DiscoveryState {
            account: "kr".into(),
            product: "ses",
            cloud: "ncloud",
            cloud_region: "KR".into(),
            last_success: None,
            last_error: None,
            watched: 0,
            inaccessible: 0,
            left_out: 0,
        };
        let error = |since| LastError::new(Reason::Auth, "no".to_owned(), at(since));
        let known = DiscoveryState {
            last_success: Some(at(7000)),
            last_error: Some(error(7200)),
            ..new()
        };
        let record = DiscoveryRecord::new(&known, SignedDuration::from_hours(1));
        let json = crate::text::json::to_string(&record).unwrap();
        let read: DiscoveryRecord = serde_json::from_str(&json).unwrap();
        let mut restored = new();
        let step = read.restore(&mut restored);
        assert_eq!(step, SignedDuration::from_hours(1));
        let expected = DiscoveryState {
            last_success: Some(at(3400)),
            last_error: Some(error(3600)),
            ..new()
        };
        assert_eq!(restored, expected);
    }
}
