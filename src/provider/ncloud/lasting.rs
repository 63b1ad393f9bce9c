//! A fact that rarely changes and that polls can do without: asked for rarely, kept when asking
//! fails.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::provider::ApiError;
use crate::provider::listing::Shared;

/// How long a fact stands before it is asked for again.
const LASTS: Duration = Duration::from_secs(3600);
/// How long to wait after a failure, while there is no fact at all.
const PAUSE: Duration = Duration::from_secs(300);

/// The fact, once it was learnt.
#[derive(Debug)]
pub(super) struct Lasting<T> {
    asked: Shared<T>,
    good: ArcSwapOption<T>,
}

impl<T> Default for Lasting<T> {
    fn default() -> Self {
        Self {
            asked: Shared::default(),
            good: ArcSwapOption::empty(),
        }
    }
}

impl<T> Lasting<T> {
    /// The fact, or the last one known when it cannot be had now; none before the first.
    pub(super) async fn get<F>(&self, fetch: impl FnOnce() -> F) -> Option<Arc<T>>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let fresh = if self.good.load().is_some() {
            LASTS
        } else {
            PAUSE
        };
        match self.asked.get(fresh, fetch).await {
            Ok(fact) => {
                self.good.store(Some(fact.clone()));
                Some(fact)
            }
            Err(error) => {
                tracing::debug!(%error, "Going on without a fact that could not be had.");
                self.good.load_full()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::provider::Reason;

    #[tokio::test(start_paused = true)]
    async fn a_failure_keeps_what_is_known() {
        let fact = Lasting::<u32>::default();
        let asked = AtomicU32::new(0);
        let ask = |answer: Result<u32, ApiError>| {
            fact.get(|| async {
                asked.fetch_add(1, Ordering::Relaxed);
                answer
            })
        };
        let down = || Err(ApiError::new(Reason::Server, "down"));
        assert_eq!(ask(down()).await, None);
        assert_eq!(ask(Ok(1)).await, None, "not asked again at once");
        tokio::time::sleep(PAUSE + Duration::from_secs(1)).await;
        assert_eq!(ask(Ok(2)).await.as_deref(), Some(&2));
        tokio::time::sleep(PAUSE + Duration::from_secs(1)).await;
        assert_eq!(ask(Ok(3)).await.as_deref(), Some(&2), "it still stands");
        tokio::time::sleep(LASTS).await;
        assert_eq!(ask(down()).await.as_deref(), Some(&2), "kept");
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }
}
