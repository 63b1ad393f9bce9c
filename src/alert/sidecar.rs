//! The task that decides: looks at what is known whenever it changes, and hands alerts to the peers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::engine::Engine;
use super::facts::Facts;
use super::peer::{CAPACITY, Peers};
use crate::clock::Clock;
use crate::config::Alerting;
use crate::store::Store;
use crate::telemetry::Metrics;

/// Many clusters change at once; they are looked at together. It bounds the delay of an alert, too.
const GAP: Duration = Duration::from_millis(250);
/// Conditions also come true by the clock alone.
const TICK: Duration = Duration::from_secs(5);
/// So many alerts are queued at once; more, a gap later. Else very many of the same age would not fit
/// into a queue, and each time the same ones would be dropped.
const MOST: usize = 512;
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
    // An alert that is posted more seldom than it asks for would lapse.
    let tick = TICK.min(config.resend_interval);
    let mut look = |most| {
        let snapshot = store.snapshot();
        let facts = Facts {
            now: clock.now(),
            clusters: &snapshot,
            own: metrics.own(),
        };
        let seen = engine.step(&facts, most);
        peers.withdraw(&seen.over);
        peers.push(&seen.postings);
        seen.postings.len()
    };
    let (end, ended) = oneshot::channel::<()>();
    let deciding = async {
        let mut changes = store.subscribe();
        tokio::pin!(stop);
        loop {
            changes.mark_unchanged();
            let wait = match look(MOST) {
                MOST => Duration::ZERO,
                _ => tick,
            };
            let seen = Instant::now();
            tokio::select! {
                () = &mut stop => break,
                // The store, held here, holds the sender: this never fails.
                _ = changes.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep_until(seen + GAP) => {}
            }
        }
        look(CAPACITY);
        drop(end);
    };
    let posting = peers.run(async { drop(ended.await) }, GRACE);
    tokio::join!(deciding, posting);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::alert::alertmanager::fake::{Fake, ok};

    /// Runs it for an Alertmanager that takes everything.
    async fn start(metrics: &Arc<Metrics>, resend_interval: Duration) -> Fake {
        let fake = Fake::start([ok()]).await;
        let config = Alerting {
            external_labels: BTreeMap::new(),
            resend_interval,
            explicit_resolve: false,
            alertmanagers: vec![fake.config()],
        };
        let store = Arc::new(Store::new());
        let never = std::future::pending();
        tokio::spawn(run(config, store, metrics.clone(), Clock::system(), never));
        fake
    }

    async fn eventually(within: Duration, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + within;
        while !holds() {
            assert!(Instant::now() < deadline, "{what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn an_alert_is_renewed_before_it_lapses_however_short_the_interval() {
        let metrics = Arc::new(Metrics::new());
        metrics.config_loaded(None);
        let resend = Duration::from_secs(1);
        let fake = start(&metrics, resend).await;
        let posts = || {
            let requests = fake.requests();
            let told = |body: &str| body.contains("RollingUpgradeConfigReloadFailed");
            requests.iter().filter(|r| told(&r.body)).count()
        };
        eventually(resend * 10, "the first post", || posts() == 1).await;
        eventually(resend * 4, "the second before the end of the first", || {
            posts() == 2
        })
        .await;
    }

    #[tokio::test]
    async fn more_alerts_at_once_than_a_queue_holds_all_arrive() {
        let metrics = Arc::new(Metrics::new());
        metrics.config_loaded(Some(Clock::system().now()));
        let alerts = CAPACITY + 1000;
        for number in 0..alerts {
            metrics.clock_skew(&format!("account-{number}"), 90.0);
        }
        let fake = start(&metrics, Duration::from_secs(900)).await;
        let label = fake.config().label().to_owned();
        let value = |what: &str| {
            let name = format!("alerts_{what}_total{{alertmanager=\"{label}\"}} ");
            let text = metrics.encode();
            let (_, rest) = text.split_once(&name)?;
            rest.lines().next()?.parse::<usize>().ok()
        };
        eventually(Duration::from_secs(60), "all are posted or dropped", || {
            let counted = value("sent").zip(value("dropped"));
            counted.is_some_and(|(sent, dropped)| sent + dropped >= alerts)
        })
        .await;
        assert_eq!((value("sent"), value("dropped")), (Some(alerts), Some(0)));
    }
}
