//! Pauses that a vendor asks for with `Retry-After`, of calls that a poll can do without.
//!
//! A primary call's pause is kept to by the schedule of its cluster, since it fails the poll.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Request;

/// Ends of the pauses, by call and path.
#[derive(Debug, Default)]
pub(super) struct Pauses(Mutex<HashMap<(&'static str, String), Instant>>);

impl Pauses {
    /// Builds the pauses that continue those of `old`.
    pub(super) fn following(old: &Self) -> Self {
        let known = old.0.lock().clone();
        Self(Mutex::new(known))
    }

    /// Returns the time until which the call must not be made; `None` when it may be made now.
    pub(super) fn until(&self, request: &Request<'_>) -> Option<Instant> {
        let key = (request.call.name, request.path.clone());
        self.0
            .lock()
            .get(&key)
            .copied()
            .filter(|until| *until > Instant::now())
    }

    /// Notes that the vendor asks for a pause. Returns whether that is news.
    pub(super) fn note(&self, request: &Request<'_>, pause: Duration) -> bool {
        let now = Instant::now();
        let mut pauses = self.0.lock();
        // The clusters that are watched bound what stays.
        pauses.retain(|_, until| *until > now);
        let key = (request.call.name, request.path.clone());
        pauses.insert(key, now + pause).is_none()
    }
}
