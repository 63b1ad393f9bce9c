//! Log lines that a client can cause at will.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Interval between two warnings of one kind.
const HOUR: Duration = Duration::from_secs(3600);

/// Limit of a log line.
#[derive(Debug, Default)]
pub(crate) struct LogLimit(Mutex<Option<Instant>>);

impl LogLimit {
    /// Reports that the line is due now, and remembers that: once, and then at most once an hour.
    pub(crate) fn is_due(&self) -> bool {
        self.is_due_after(HOUR)
    }

    /// Reports that the line is due now, and remembers that: once, and then at most once an interval.
    pub(crate) fn is_due_after(&self, interval: Duration) -> bool {
        let now = Instant::now();
        let mut last = self.0.lock();
        if last.is_some_and(|last| now.saturating_duration_since(last) < interval) {
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
        tokio::time::advance(HOUR / 2).await;
        assert!(!limit.is_due());
        tokio::time::advance(HOUR / 2).await;
        assert!(limit.is_due());
        assert!(!limit.is_due());
    }
}
