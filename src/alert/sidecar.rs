//! The task that decides: looks at what is known whenever it changes, and hands alerts to the peers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::engine::Engine;
use super::peer::{CAPACITY, Metrics, Peers};
use super::sights::Storage;
use crate::clock::{Clock, Times};
use crate::config::Alerting;
use crate::store::Store;
use exporter_web::ExternalUrl;

/// Many clusters change at once; they are looked at together. It bounds the delay of an alert, too.
const GAP: Duration = Duration::from_millis(250);
/// Conditions also come true by the clock alone.
const TICK: Duration = Duration::from_secs(5);
/// So many alerts are queued at once; more, a gap later. Else very many of the same age would not fit
/// into a queue, and each time the same ones would be dropped.
const MOST: usize = 512;
/// For posting what waits when the program ends.
const GRACE: Duration = Duration::from_secs(3);

/// Another config, or none when the exporter shall not post alerts any more. The sender is told when
/// it was taken over.
pub type Order = (Option<Alerting>, oneshot::Sender<()>);

/// What alerts are decided on.
#[derive(Debug)]
pub struct World {
    /// The clusters, and the health of the exporter.
    pub store: Arc<Store>,
    /// Counters of alerts.
    pub metrics: Metrics,
    /// The wall clock.
    pub clock: Clock,
    /// Where people reach the page; alerts link there.
    pub page: Option<ExternalUrl>,
    /// Storage of first sights.
    pub storage: Storage,
}

/// The sidecar while it is on.
struct Sidecar {
    config: Alerting,
    engine: Engine,
    peers: Peers,
}

/// Posts alerts until `stop` completes, as the config says, and then as the last order says; none: it
/// posts nothing. In the end it posts what is due and waits, for 3 s at most, until the Alertmanagers
/// have taken it.
pub async fn run(
    config: Option<Alerting>,
    orders: mpsc::Receiver<Order>,
    world: World,
    stop: impl Future<Output = ()>,
) {
    run_after(std::future::ready(()), config, orders, world, stop).await;
}

/// Decides nothing before `settled` completes; then does as [`run`] does. States that were stored are as old
/// as the program was stopped for: before they were polled again, that is no sign of trouble.
pub async fn run_after(
    settled: impl Future<Output = ()>,
    config: Option<Alerting>,
    mut orders: mpsc::Receiver<Order>,
    world: World,
    stop: impl Future<Output = ()>,
) {
    let mut changes = world.store.subscribe();
    let mut sidecar = config.map(|config| Sidecar::new(config, &world));
    if sidecar.is_none() {
        world.storage.forget();
    }
    tokio::pin!(stop, settled);
    let mut is_settled = false;
    loop {
        changes.mark_unchanged();
        let wait = match &mut sidecar {
            Some(sidecar) if is_settled => sidecar.look(&world, MOST),
            _ => Duration::MAX,
        };
        let seen = Instant::now();
        let ordered = tokio::select! {
            () = &mut stop => break,
            Some(order) = orders.recv() => Some(order),
            () = &mut settled, if !is_settled => {
                is_settled = true;
                continue;
            }
            // The store, held here, holds the sender: this never fails.
            _ = changes.changed(), if is_settled && sidecar.is_some() => None,
            () = tokio::time::sleep(wait) => None,
        };
        if let Some((config, done)) = ordered {
            sidecar = replace(sidecar, config, &world);
            // An error is somebody who does not wait for it.
            done.send(()).ok();
            continue;
        }
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep_until(seen + GAP) => {}
        }
    }
    if let Some(mut sidecar) = sidecar.filter(|_| is_settled) {
        sidecar.look(&world, CAPACITY);
        sidecar.peers.finish(GRACE).await;
    }
}

/// The sidecar under another config.
fn replace(sidecar: Option<Sidecar>, config: Option<Alerting>, world: &World) -> Option<Sidecar> {
    match (sidecar, config) {
        (Some(sidecar), Some(config)) if sidecar.config == config => Some(sidecar),
        (Some(mut sidecar), Some(config)) => {
            sidecar.peers.replace(&config);
            sidecar.engine.replace(&config);
            sidecar.config = config;
            Some(sidecar)
        }
        (Some(sidecar), None) => {
            world.storage.put(&sidecar.engine.forgotten());
            None
        }
        (None, config) => config.map(|config| Sidecar::new(config, world)),
    }
}

impl Sidecar {
    fn new(config: Alerting, world: &World) -> Self {
        Self {
            engine: Engine::new(&config, world.page.clone(), world.storage.take()),
            peers: Peers::new(&config, world),
            config,
        }
    }

    /// Looks once, and tells after how long to look again at the latest.
    fn look(&mut self, world: &World, most: usize) -> Duration {
        // Before the clusters, whose clock leaves the store after them.
        let times = Times::read(world.clock.now(), &world.store.clocks());
        let snapshot = world.store.snapshot();
        let health = world.store.health();
        let seen = self.engine.step(times, &snapshot, health, most);
        world.storage.put(&seen.sights);
        self.peers.withdraw(&seen.over);
        self.peers.push(&seen.postings);
        if seen.postings.len() == MOST {
            return Duration::ZERO;
        }
        // An alert that is posted more seldom than it asks for would lapse.
        TICK.min(self.config.resend_interval)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::alert::alertmanager::fake::{Fake, ok};
    use crate::expose::check;
    use crate::telemetry;

    /// Builds a world, with the registry that shows what is counted.
    fn world() -> (World, telemetry::Metrics) {
        let mut registry = telemetry::Metrics::new();
        let world = World {
            store: Arc::new(Store::new()),
            metrics: Metrics::new(registry.own()),
            clock: Clock::system(),
            page: None,
            storage: crate::alert::Storage::default(),
        };
        (world, registry)
    }

    /// Runs it for an Alertmanager that takes everything.
    async fn start(world: World, resend_interval: Duration) -> Fake {
        let fake = Fake::start([ok()]).await;
        let config = Alerting {
            external_labels: BTreeMap::new(),
            resend_interval,
            explicit_resolve: false,
            alertmanagers: vec![fake.config()],
        };
        let (orders, received) = mpsc::channel(1);
        tokio::spawn(async move {
            run(Some(config), received, world, std::future::pending()).await;
            drop(orders);
        });
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
        let (world, _) = world();
        world.store.put_config_load(None);
        let resend = Duration::from_secs(1);
        let fake = start(world, resend).await;
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

    #[tokio::test(start_paused = true)]
    async fn nothing_is_decided_on_states_that_were_only_stored() {
        let (world, _) = world();
        let store = world.store.clone();
        let mut state = check::cluster("1");
        state.last_success = world.clock.now() - Duration::from_secs(3600);
        store.put(state.clone());
        let fake = Fake::start([ok()]).await;
        let config = Alerting {
            external_labels: BTreeMap::new(),
            resend_interval: Duration::from_secs(60),
            explicit_resolve: false,
            alertmanagers: vec![fake.config()],
        };
        let (settled, is_settled) = oneshot::channel::<()>();
        let (_orders, received) = mpsc::channel(1);
        let settled_then = async move { drop(is_settled.await) };
        let stop = std::future::pending();
        tokio::spawn(run_after(settled_then, Some(config), received, world, stop));
        let is_posted = || {
            let requests = fake.requests();
            requests
                .iter()
                .any(|request| request.body.contains("DataStale"))
        };
        let moment = || tokio::time::sleep(Duration::from_secs(30));
        moment().await;
        assert!(!is_posted(), "before the first polls");
        let (old, now) = (state.last_success, Clock::system().now());
        state.last_success = now;
        store.put(state.clone());
        drop(settled);
        moment().await;
        assert!(!is_posted(), "after them");
        state.last_success = old;
        store.put(state);
        for _ in 0..20 {
            if is_posted() {
                return;
            }
            moment().await;
        }
        panic!("data that are old now are not posted");
    }

    #[tokio::test]
    async fn more_alerts_at_once_than_a_queue_holds_all_arrive() {
        let (world, registry) = world();
        let alerts = CAPACITY + 1000;
        // Their data are old.
        let clusters = (0..alerts).map(|number| check::cluster(&number.to_string()));
        world.store.put_all(clusters);
        let fake = start(world, Duration::from_secs(900)).await;
        let label = fake.config().label().to_owned();
        let value = |what: &str| {
            let name = format!("alerts_{what}_total{{alertmanager=\"{label}\"}} ");
            let text = registry.encode();
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

    #[tokio::test]
    async fn a_new_config_turns_it_on_and_off_and_is_heard_at_once() {
        let (world, registry) = world();
        world.store.put_config_load(None);
        let (orders, received) = mpsc::channel(1);
        tokio::spawn(run(None, received, world, std::future::pending()));
        let order = async |config: Option<Alerting>| {
            let (done, told) = oneshot::channel();
            orders.send((config, done)).await.unwrap();
            told.await.unwrap();
        };
        let (one, other) = (Fake::start([ok()]).await, Fake::start([ok()]).await);
        let alerting = |site: &str, alertmanagers: &[&Fake]| {
            Some(Alerting {
                external_labels: BTreeMap::from([("site".to_owned(), site.to_owned())]),
                resend_interval: Duration::from_secs(900),
                explicit_resolve: false,
                alertmanagers: alertmanagers.iter().map(|fake| fake.config()).collect(),
            })
        };
        let told = |fake: &Fake, site: &str| {
            let site = format!("\"site\":\"{site}\"");
            let requests = fake.requests();
            let bodies = requests.iter().filter(|r| r.body.contains(&site));
            bodies.map(|r| r.body.clone()).collect::<Vec<_>>()
        };
        let patience = Duration::from_secs(10);
        order(alerting("a", &[&one])).await;
        eventually(patience, "on", || told(&one, "a").len() == 1).await;
        order(alerting("a", &[&one])).await;
        order(alerting("b", &[&one, &other])).await;
        eventually(patience, "other labels, and somebody new", || {
            told(&one, "b").len() == 1 && told(&other, "b").len() == 1
        })
        .await;
        assert_eq!(told(&one, "a").len(), 1, "the same config is no news");
        let starts_at = |body: &str| {
            let (_, rest) = body.split_once("startsAt\":\"").unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        assert_eq!(
            starts_at(&told(&one, "a")[0]),
            starts_at(&told(&one, "b")[0]),
            "it is the same alert"
        );
        order(None).await;
        assert!(!registry.encode().contains("alertmanager=\""));
        let requests = one.requests().len();
        order(alerting("c", &[&one])).await;
        eventually(patience, "on again", || told(&one, "c").len() == 1).await;
        assert!(one.requests().len() <= requests + 2);
    }
}
