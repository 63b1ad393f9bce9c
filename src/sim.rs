//! The cloud simulator: serves the vendors' APIs from a scenario, as strictly as the vendors do.
//!
//! This module holds what all clouds share: requests and answers, the [`World`] with its clock and
//! its upgrades ([`timeline`]), faults, and the server. Each cloud's gateway and each product's half
//! stands beside its client, under [`crate::cloud`].

pub mod demo;
mod gateway;
pub mod scenario;
pub mod server;
pub mod timeline;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use hyper::HeaderMap;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::Value;

pub use gateway::{Gateway, Service, SimulatedCloud, SimulatedProduct};
/// Values by their types: those that a gateway or a service reads from a scenario, and takes back to answer.
pub use hyper::http::Extensions;
pub use versions::VersionForm;
pub(crate) use versions::number;

use crate::clock::Clock;
use scenario::{Cluster, Fault, FaultAnswer, Scenario};
use timeline::{Moment, Ordered};

/// A request as it came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Upper case.
    pub method: &'a str,
    /// Still percent-encoded.
    pub path: &'a str,
    /// Still percent-encoded, without the question mark; empty for none.
    pub query: &'a str,
    /// Headers, `host` among them.
    pub headers: &'a HeaderMap,
    /// The body, whole.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// A header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A query parameter, decoded.
    pub fn param(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The body as JSON; none when it is not.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body).ok()
    }
}

/// An answer to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Other headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// Why the simulator refused the request, when it did: counted and logged, not sent.
    pub refused: Option<String>,
}

impl Answer {
    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json;charset=UTF-8",
            headers: Vec::new(),
            body: body.to_string(),
            refused: None,
        }
    }

    /// The same, marked as a refusal of what the client sent: a client without faults gets none.
    #[must_use]
    pub fn refusing(mut self, why: impl Into<String>) -> Self {
        self.refused = Some(why.into());
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The simulated clouds: the scenario, when it began, and the time now.
#[derive(Debug)]
pub struct World {
    /// What is simulated.
    pub scenario: Scenario,
    /// When the scenario began.
    pub origin: Timestamp,
    /// Divides every length in the scenario, not the clock.
    pub speed: f64,
    clock: Clock,
    /// How many requests came, and why the last ones of them were refused.
    seen: Mutex<(u64, Vec<String>)>,
    /// How often each method and path came.
    calls: Mutex<BTreeMap<String, u64>>,
    /// The upgrades that were started over the API, in turn.
    orders: Mutex<Vec<Ordered>>,
    /// Faults beyond the scenario's, last first.
    injected: Mutex<Vec<Fault>>,
    /// Bad signatures in a row by access key, with the time of the last.
    strikes: Mutex<BTreeMap<String, (u32, Timestamp)>>,
    /// Clusters that were deleted: product and id.
    deleted: Mutex<BTreeSet<(String, String)>>,
}

impl World {
    /// A world that begins now.
    pub fn new(scenario: Scenario, speed: f64, clock: Clock) -> Self {
        let clock = clock.ahead(scenario.clock_ahead);
        Self {
            scenario,
            origin: clock.now(),
            speed,
            clock,
            seen: Mutex::default(),
            calls: Mutex::default(),
            orders: Mutex::default(),
            injected: Mutex::default(),
            strikes: Mutex::default(),
            deleted: Mutex::default(),
        }
    }

    /// Answers a request as the cloud does that has its path; `None` when no cloud has it.
    pub fn answer(&self, request: &Request<'_>) -> Option<Answer> {
        let mut clouds = self.scenario.clouds.iter();
        clouds.find_map(|cloud| cloud.gateway.answer(self, request))
    }

    /// The time now by the clouds' clock: always real, whatever the speed.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clusters of a product.
    pub fn clusters(&self, product: &str) -> impl Iterator<Item = &Cluster> {
        self.scenario
            .clusters
            .iter()
            .filter(move |c| c.product == product && !self.is_deleted(c))
    }

    fn is_deleted(&self, cluster: &Cluster) -> bool {
        let key = (cluster.product.clone(), cluster.id.clone());
        self.deleted.lock().contains(&key)
    }

    /// Deletes a cluster, which no call knows from then on.
    pub fn delete(&self, product: &str, id: &str) {
        let key = (product.to_owned(), id.to_owned());
        self.deleted.lock().insert(key);
    }

    /// The cluster of a product with this id.
    pub fn cluster(&self, product: &str, id: &str) -> Option<&Cluster> {
        self.clusters(product).find(|c| c.id == id)
    }

    /// Where the cluster's upgrade stands; none before the first one was requested.
    pub fn moment(&self, cluster: &Cluster) -> Option<Moment> {
        self.moment_at(cluster, self.now())
    }

    /// The same at another time.
    pub fn moment_at(&self, cluster: &Cluster, at: Timestamp) -> Option<Moment> {
        let orders = self.orders.lock();
        self.moment_with(&orders, cluster, at)
    }

    /// An order stands over the scenario, which knew nothing of it.
    fn moment_with(&self, orders: &[Ordered], cluster: &Cluster, at: Timestamp) -> Option<Moment> {
        let is_its = |order: &&Ordered| {
            order.requested <= at
                && (&order.cluster.0, &order.cluster.1) == (&cluster.product, &cluster.id)
        };
        match orders.iter().rev().find(is_its) {
            Some(order) => Some(timeline::ordered(cluster, order, self.speed, at)),
            None => timeline::at(cluster, self.origin, self.speed, at),
        }
    }

    /// Starts an upgrade to this version now; none while one runs.
    pub fn order(&self, cluster: &Cluster, to: &str) -> Option<Moment> {
        let now = self.now();
        let mut orders = self.orders.lock();
        let before = self.moment_with(&orders, cluster, now);
        if before.as_ref().is_some_and(Moment::is_active) {
            return None;
        }
        let order = Ordered {
            cluster: (cluster.product.clone(), cluster.id.clone()),
            run: before.as_ref().map_or(0, |moment| moment.run + 1),
            requested: now,
            from: cluster.version(before.as_ref()).to_owned(),
            to: to.to_owned(),
        };
        let moment = timeline::ordered(cluster, &order, self.speed, now);
        orders.push(order);
        Some(moment)
    }

    /// Counts a bad signature of this key and tells how many there were in a row.
    pub fn strike(&self, key: &str) -> u32 {
        let now = self.now();
        let mut strikes = self.strikes.lock();
        let entry = strikes.entry(key.to_owned()).or_insert((0, now));
        *entry = (entry.0 + 1, now);
        entry.0
    }

    /// Bad signatures of this key in a row, and when the last one came.
    pub fn strikes(&self, key: &str) -> Option<(u32, Timestamp)> {
        let strikes = self.strikes.lock();
        strikes.get(key).copied()
    }

    /// A good signature: the count begins anew.
    pub fn forgive(&self, key: &str) {
        let mut strikes = self.strikes.lock();
        strikes.remove(key);
    }

    /// Takes an answered request into the count.
    fn count(&self, request: &Request<'_>, answer: Option<&Answer>) {
        const MOST: usize = 1000;
        let mut seen = self.seen.lock();
        seen.0 += 1;
        let mut calls = self.calls.lock();
        if calls.len() < MOST {
            let call = format!("{} {}", request.method, request.path);
            *calls.entry(call).or_default() += 1;
        }
        if let Some(why) = answer.and_then(|a| a.refused.as_ref())
            && seen.1.len() < MOST
        {
            seen.1
                .push(format!("{} {}: {why}", request.method, request.path));
        }
    }

    /// How many requests came, and why the first 1,000 refused ones were refused.
    pub fn seen(&self) -> (u64, Vec<String>) {
        self.seen.lock().clone()
    }

    /// How often each method and path came.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.lock().clone()
    }

    /// Adds a fault, which goes before the others.
    pub fn inject(&self, fault: Fault) {
        let mut injected = self.injected.lock();
        injected.insert(0, fault);
    }

    /// The fault that meets this request, if one does now.
    pub fn fault(&self, request: &Request<'_>) -> Option<FaultAnswer> {
        let since = self.now().duration_since(self.origin).as_secs_f64() * self.speed;
        let injected = self.injected.lock();
        let mut faults = injected.iter().chain(&self.scenario.faults);
        let fault = faults.find(|fault| fault.meets(request, since))?;
        Some(fault.answer)
    }
}
