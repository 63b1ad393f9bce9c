//! Calls sent to the vendors, counted by account, product, call and status.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus_client::registry::Registry;

use crate::cloud::{CloudAccount, Product};
use crate::telemetry::series::{Counters, Labels, Series, counters};
use crate::text;

/// Account and product.
type Owner = (Arc<str>, &'static str);

/// Counters of the calls; clones share them.
#[derive(Debug, Clone, Default)]
pub struct RequestMetrics {
    calls: Counters,
    products: Arc<Mutex<BTreeMap<Owner, Arc<Series>>>>,
}

impl RequestMetrics {
    /// Registers the counters.
    pub fn new(registry: &mut Registry) -> Self {
        Self {
            calls: counters(
                registry,
                "api_requests",
                "Calls sent to the vendor, by its name of the call and the HTTP status (none: no answer)",
            ),
            products: Arc::default(),
        }
    }

    /// Counts a call that was sent; `code` is the HTTP status or `none`. Ignores a product without an owner.
    pub(crate) fn count(
        &self,
        account: &Arc<str>,
        product: &'static str,
        call: &'static str,
        code: &str,
    ) {
        if let Some(series) = self.products.lock().get(&(account.clone(), product)) {
            series.counter(&[("endpoint", call), ("code", code)]).inc();
        }
    }

    /// Adds a product whose calls are counted from now on.
    fn add(&self, owner: &Owner) -> Arc<Series> {
        let labels = product_labels(&owner.0, owner.1);
        let series = Arc::new(Series::new(&self.calls, &labels));
        self.products.lock().insert(owner.clone(), series.clone());
        series
    }
}

/// Owner of the counters of a product in an account, which end when it is dropped.
#[derive(Debug)]
pub(crate) struct ProductRequests {
    metrics: RequestMetrics,
    owner: Owner,
    series: Arc<Series>,
}

impl ProductRequests {
    pub(crate) fn new(metrics: RequestMetrics, account: Arc<str>, product: &'static str) -> Self {
        let owner = (account, product);
        let series = metrics.add(&owner);
        Self {
            metrics,
            owner,
            series,
        }
    }

    /// Starts the counters of the product's calls, and of the account's to sign in, at 0.
    pub(crate) fn announce(&self, account: &dyn CloudAccount, product: &'static dyn Product) {
        let calls = product.info().calls.iter().map(|call| (*call, "200"));
        for (call, code) in calls.chain(account.sign_in()) {
            let labels = [("endpoint", call.name), ("code", code)];
            self.series.counter(&labels);
        }
    }
}

impl Drop for ProductRequests {
    fn drop(&mut self) {
        self.metrics.products.lock().remove(&self.owner);
    }
}

/// Returns the labels of a product in an account; the account is escaped as in the series of its
/// clusters.
pub(crate) fn product_labels(account: &str, product: &'static str) -> Labels {
    let account = text::escaped(account).into_owned();
    vec![("account", account.into()), ("product", product.into())]
}

#[cfg(test)]
impl RequestMetrics {
    /// Counts the calls of a product without an owner.
    pub(crate) fn of(account: &str, product: &'static str) -> Self {
        let metrics = Self::default();
        metrics.add(&(account.into(), product));
        metrics
    }

    /// Returns whether a call was answered with this code.
    pub(crate) fn has(&self, code: &str) -> bool {
        let products = self.products.lock();
        products.values().any(|series| series.has(("code", code)))
    }
}
