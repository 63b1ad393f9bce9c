//! Log of the pauses that a vendor asks for with `Retry-After`.

use std::time::Duration;

use jiff::Timestamp;
use tracing::field::{DisplayValue, display};

use crate::http::{ApiError, Cause};
use crate::model::Key;
use crate::telemetry::log::LogOnce;

/// Run of pauses that the vendor asked for: the log tells its beginning at info, the rest at debug.
#[derive(Debug, Default)]
pub(super) struct AskedPauses(LogOnce<()>);

impl AskedPauses {
    /// Tells the log until when the vendor's pause lasts, when it is what the next call waits for.
    pub(super) fn note(
        &self,
        key: &Key,
        error: Option<&ApiError>,
        pause: Duration,
        now: Timestamp,
    ) {
        let asked = error.and_then(asked).filter(|asked| *asked >= pause);
        let Some(asked) = asked else {
            self.0.clear();
            return;
        };
        let (seconds, until) = (asked.as_secs(), after(asked, now));
        let (account, product, cluster) = (&*key.account, key.product, &*key.id);
        if self.0.is_new(()) {
            tracing::info!(
                account, product, cluster, seconds, %until,
                "The vendor asks for a pause (Retry-After): nothing is asked before it ends."
            );
        } else {
            tracing::debug!(account, product, cluster, seconds, %until, "The vendor asks for a pause again.");
        }
    }
}

/// Returns the end of the pause that the vendor asks for with this error, for the log.
pub(super) fn until(error: &ApiError, now: Timestamp) -> Option<DisplayValue<Timestamp>> {
    asked(error).map(|asked| display(after(asked, now)))
}

/// Returns the pause that the vendor asks for; a lockout's error tells its own time.
fn asked(error: &ApiError) -> Option<Duration> {
    error.retry_after.filter(|_| error.cause != Cause::Held)
}

fn after(pause: Duration, now: Timestamp) -> Timestamp {
    now.checked_add(pause).unwrap_or(now)
}
