//! Where the time comes from: the machine's clock in the program, a fixed or virtual one in tests; and
//! the clocks of the vendors, by which their upgrades are measured.

mod timers;
mod times;
mod vendor;

use std::sync::Arc;

use jiff::Timestamp;

pub(crate) use timers::Timers;
pub use times::{Clocks, Times};
pub(crate) use vendor::Reading;
pub use vendor::VendorClock;

/// A source of wall-clock time that can be shared.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    pub fn system() -> Self {
        Self(Arc::new(Timestamp::now))
    }

    /// Starts at `origin` and moves with tokio's clock, which tests can pause.
    pub fn tokio(origin: Timestamp) -> Self {
        let start = tokio::time::Instant::now();
        Self(Arc::new(move || {
            origin
                .checked_add(start.elapsed())
                .unwrap_or(Timestamp::MAX)
        }))
    }

    /// Stands still.
    pub fn fixed(at: Timestamp) -> Self {
        Self(Arc::new(move || at))
    }

    /// Builds a clock that shows what `read` returns.
    pub fn by(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// This clock, that much ahead.
    #[must_use]
    pub fn ahead(self, by: std::time::Duration) -> Self {
        Self(Arc::new(move || {
            self.now().checked_add(by).unwrap_or(Timestamp::MAX)
        }))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
