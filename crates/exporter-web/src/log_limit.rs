//! Log lines that a client can cause at will.

use parking_lot::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Between two log lines of the same kind.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Lets a log line through once, and then at most once an hour.
#[derive(Debug, Default)]
pub(crate) struct LogLimit(Mutex<Option<Instant>>);

impl LogLimit {
    /// Reports that the line is due now, and remembers that.
    pub(crate) fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut last = self.0.lock();
        if last.is_some_and(|last| now.saturating_duration_since(last) < INTERVAL) {
            return false;
        }
        *last = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_line_is_due_once_an_hour() {
        let limit = LogLimit::default();
        assert!(limit.is_due());
        tokio::time::advance(INTERVAL / 2).await;
        assert!(!limit.is_due());
        tokio::time::advance(INTERVAL / 2).await;
        assert!(limit.is_due());
        assert!(!limit.is_due());
    }
}
