//! The task that decides: looks at what is known whenever it changes, and hands alerts to the peers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::engine::Engine;
use super::facts::Facts;
use super::peer::Peers;
use crate::clock::Clock;
use crate::config::Alerting;
use crate::store::Store;
use crate::telemetry::Metrics;

/// Many clusters change at once; they are looked at together. It bounds the delay of an alert, too.
const GAP: Duration = Duration::from_millis(250);
/// For posting what waits when the program ends.
const GRACE: Duration = Duration::from_secs(3);

/// Posts alerts until `stop` completes; then posts what is due and waits, for 3 s at most, until
/// the Alertmanagers have taken it.
pub async fn run(
    config: Alerting,
    store: Arc<Store>,
    metrics: Arc<Metrics>,
    clock: Clock,
    stop: impl Future<Output = ()>,
) {
    let peers = Peers::new(&config, metrics.clone(), clock.clone());
    let mut engine = Engine::new(&config);
    let tick = engine.tick();
    let mut look = || {
        let snapshot = store.snapshot();
        let seen = engine.step(&Facts {
            now: clock.now(),
            clusters: &snapshot,
            own: metrics.own(),
        });
        peers.withdraw(&seen.over);
        peers.push(&seen.postings);
    };
    let (end, ended) = oneshot::channel::<()>();
    let deciding = async {
        let mut changes = store.subscribe();
        tokio::pin!(stop);
        loop {
            changes.mark_unchanged();
            look();
            let looked = Instant::now();
            tokio::select! {
                () = &mut stop => break,
                // The store, held here, holds the sender: this never fails.
                _ = changes.changed() => {}
                () = tokio::time::sleep(tick) => {}
            }
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep_until(looked + GAP) => {}
            }
        }
        look();
        drop(end);
    };
    let posting = peers.run(async { drop(ended.await) }, GRACE);
    tokio::join!(deciding, posting);
}
