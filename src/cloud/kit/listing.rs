//! A list that all clusters of an account share: fetched by the first who needs it, read by all.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::http::ApiError;

/// The last outcome of a list call, good or bad, with its age.
///
/// One caller fetches while the others wait for the same outcome. A failure is shared too, so that
/// a hundred clusters do not repeat one failing call a hundred times.
#[derive(Debug)]
pub struct Shared<T> {
    last: Mutex<Option<Fetched<T>>>,
}

/// When a fetch began, and how it ended.
type Fetched<T> = (Instant, Result<Arc<T>, ApiError>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self {
            last: Mutex::new(None),
        }
    }
}

impl<T> Shared<T> {
    /// The list, at most `fresh` old counted from the start of its fetch.
    pub async fn get<F>(
        &self,
        fresh: Duration,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<T>, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let asked = Instant::now();
        // An async mutex, held across the fetch on purpose: this is the queue of those who wait.
        let mut last = self.last.lock().await;
        if let Some((at, outcome)) = &*last
            // What was fetched while this caller waited is fresh to it by any measure.
            && (*at >= asked || at.elapsed() <= fresh)
        {
            return outcome.clone();
        }
        let at = Instant::now();
        let outcome = fetch().await.map(Arc::new);
        *last = Some((at, outcome.clone()));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::model::Reason;

    #[tokio::test(start_paused = true)]
    async fn one_fetch_serves_all_until_it_is_old() {
        let shared = Shared::<u32>::default();
        let fetches = AtomicU32::new(0);
        let get = || {
            shared.get(Duration::from_secs(10), || async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(fetches.fetch_add(1, Ordering::Relaxed))
            })
        };
        let (a, b) = tokio::join!(get(), get());
        assert_eq!((*a.unwrap(), *b.unwrap()), (0, 0));
        assert_eq!(*get().await.unwrap(), 0);
        tokio::time::sleep(Duration::from_secs(11)).await;
        assert_eq!(*get().await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_too() {
        let shared = Shared::<u32>::default();
        let fetches = AtomicU32::new(0);
        for _ in 0..5 {
            let outcome = shared
                .get(Duration::from_secs(10), || async {
                    fetches.fetch_add(1, Ordering::Relaxed);
                    Err(ApiError::new(Reason::Server, "down"))
                })
                .await;
            assert!(outcome.is_err());
        }
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
    }
}
