//! Readiness of the exporter: the first poll round ended, and a scrape shows it.

use crate::expose::Exposition;
use crate::ready::{Latch, Ready};
use crate::store::Store;

/// Drops `latch` once the first poll round ended and `/metrics` shows all that it found.
pub(super) async fn release(
    latch: Latch,
    mut polled: Ready,
    exposition: &Exposition,
    store: &Store,
) {
    polled.reached().await;
    exposition.caught_up(store).await;
    drop(latch);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt as _;

    use super::*;
    use crate::clock::{Clock, VendorClock};
    use crate::telemetry::Metrics;

    #[tokio::test]
    async fn is_ready_when_a_scrape_shows_the_first_round() {
        let store = Arc::new(Store::new());
        let exposition = Exposition::new(Arc::new(Metrics::new()), Clock::system());
        let exposition = Arc::new(exposition);
        let (polled, first_round) = Ready::new();
        let (mut ready, latch) = Ready::new();
        store.put_clock(&"a".into(), &VendorClock::new(Clock::system()));
        drop(first_round);
        let mut releasing = std::pin::pin!(release(latch, polled, &exposition, &store));
        assert_eq!(releasing.as_mut().now_or_never(), None);
        assert!(!ready.is_ready(), "nothing is rendered yet");
        tokio::select! {
            () = exposition.clone().run(store.clone()) => {}
            () = releasing => {}
        }
        ready.reached().await;
    }
}
