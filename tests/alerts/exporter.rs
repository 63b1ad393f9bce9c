//! An exporter by chance: its clusters, its own state, and what it serves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rolling_upgrade_exporter::alert::AlertInput;
use rolling_upgrade_exporter::clock::Times;
use rolling_upgrade_exporter::cloud;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::expose;
use rolling_upgrade_exporter::model::{
    ClusterState, DiscoveryKey, DiscoveryState, Key, LastError, Reason,
};
use rolling_upgrade_exporter::store::{ExporterHealth, Store};
use rolling_upgrade_exporter::telemetry::Metrics;

use crate::chance::{one_in, one_of};
use crate::cluster::Cluster;

const ACCOUNTS: [&str; 2] = ["kr-prod", "cn \"prod\" \\ 2"];
const ALERTMANAGERS: [&str; 2] = ["http://127.0.0.1:9093", "https://am.example/a"];
/// Seconds: around the limit of a minute.
const SKEWS: [f64; 9] = [
    0.0, -0.5, 59.75, 60.0, -60.0, 60.25, -60.25, 900.0, -86_400.0,
];

/// What is known and what is scraped at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) now: Timestamp,
    pub(crate) clusters: BTreeMap<Key, Arc<ClusterState>>,
    pub(crate) health: ExporterHealth,
    pub(crate) text: String,
}

impl Moment {
    /// What the exporter's own alerting decides on.
    pub(crate) fn input(&self) -> AlertInput<'_> {
        let times = Times::at(self.now);
        AlertInput::new(times, self.clusters.values(), self.health.clone())
    }
}

/// An exporter that is scraped at a pace.
#[derive(Debug)]
pub(crate) struct Exporter {
    store: Store,
    /// By account: local clock minus the vendor's, in seconds.
    skews: BTreeMap<&'static str, f64>,
    clusters: Vec<Cluster>,
    /// By account and product: why the discovery fails.
    discovery: Vec<(&'static str, &'static str, Option<Reason>)>,
    /// Whether each Alertmanager is there.
    reachable: [bool; 2],
}

impl Exporter {
    pub(crate) fn new(rng: &mut fastrand::Rng, pace: Duration) -> Self {
        let products: Vec<_> = cloud::products(CLOUDS).collect();
        let clusters: Vec<Cluster> = (0..rng.usize(2..=5))
            .map(|number| {
                let account = one_of(rng, &ACCOUNTS);
                // CCE has most rules of its own.
                let product = if rng.bool() {
                    "cce"
                } else {
                    one_of(rng, &products).info().name
                };
                Cluster::new(rng, account, product, number, pace)
            })
            .collect();
        let discovery = ACCOUNTS.map(|account| (account, one_of(rng, &products).info().name, None));
        let exporter = Self {
            store: Store::new(),
            skews: BTreeMap::new(),
            clusters,
            discovery: discovery.to_vec(),
            reachable: [true; 2],
        };
        exporter.begin(Timestamp::UNIX_EPOCH);
        exporter
    }

    fn begin(&self, now: Timestamp) {
        self.store.put_config_load(Some(now));
        self.store.put_storage(true);
        for url in ALERTMANAGERS {
            self.store.add_alertmanager(url);
        }
    }

    /// Lets happen what happens until `now`, and scrapes it.
    pub(crate) fn step(&mut self, rng: &mut fastrand::Rng, now: Timestamp) -> Moment {
        if one_in(rng, 40) {
            self.restart(now);
        }
        if one_in(rng, 25) && self.clusters.len() > 1 {
            let gone = self.clusters.swap_remove(rng.usize(..self.clusters.len()));
            self.store.remove(&gone.state.key);
        }
        for cluster in &mut self.clusters {
            let (at, outcome) = cluster.step(rng, now);
            let before = cluster.state.last_error.take();
            cluster.state.last_error = outcome
                .err()
                .map(|reason| error(reason, at, before.as_ref()));
            self.store.put(cluster.state.clone());
        }
        self.run_discovery(rng, now);
        self.notify(rng, now);
        if one_in(rng, 6) {
            let skew = one_of(rng, &SKEWS);
            self.skews.insert(one_of(rng, &ACCOUNTS), skew);
        }
        if one_in(rng, 6) {
            self.store.put_config_load(rng.bool().then_some(now));
        }
        if one_in(rng, 8) {
            self.store.put_storage(rng.bool());
        }
        let states: Vec<_> = self.clusters.iter().map(|c| c.state.clone()).collect();
        let skews = self.skews.iter();
        let health = ExporterHealth {
            clock_skew: skews.map(|(name, skew)| ((*name).into(), *skew)).collect(),
            ..self.store.health()
        };
        let mut metrics = Metrics::new();
        let shown = health.clone();
        metrics.own().register_collector(Box::new(shown));
        Moment {
            now,
            text: expose::render(&states, now) + &metrics.encode(),
            clusters: states
                .into_iter()
                .map(|state| (state.key.clone(), Arc::new(state)))
                .collect(),
            health,
        }
    }

    /// Another process takes over: it knows what the vendors tell, and nothing from before.
    fn restart(&mut self, now: Timestamp) {
        self.store = Store::new();
        self.skews.clear();
        self.begin(now);
        for cluster in &mut self.clusters {
            cluster.forget(now);
        }
    }

    fn run_discovery(&mut self, rng: &mut fastrand::Rng, now: Timestamp) {
        for (account, product, failing) in &mut self.discovery {
            if one_in(rng, 8) {
                *failing = rng.bool().then(|| one_of(rng, Reason::ALL));
            }
            let key = DiscoveryKey {
                account: (*account).into(),
                product,
                region: "KR".into(),
            };
            let before = self.store.discoveries().get(&key).cloned();
            let before = before.and_then(|state| state.last_error.clone());
            self.store.put_discovery(DiscoveryState {
                account: key.account,
                product,
                cloud: "cloud",
                cloud_region: key.region,
                last_success: None,
                last_error: failing.map(|reason| error(reason, now, before.as_ref())),
                watched: 0,
                inaccessible: 0,
                left_out: 0,
            });
        }
    }

    fn notify(&mut self, rng: &mut fastrand::Rng, now: Timestamp) {
        for (url, reachable) in ALERTMANAGERS.iter().zip(&mut self.reachable) {
            if one_in(rng, 8) {
                *reachable = !*reachable;
            }
            if *reachable {
                self.store.put_alertmanager(url, None);
            } else {
                let ago = Duration::from_millis(one_of(rng, &[0, 0, 250, 1000]));
                self.store.put_alertmanager(url, Some(now - ago));
            }
        }
    }
}

/// Returns the error of a poll that fails after another one.
fn error(reason: Reason, at: Timestamp, before: Option<&LastError>) -> LastError {
    LastError::new(reason, String::new(), at).after(before)
}
