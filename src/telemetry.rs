//! The exporter about itself: its metrics, its process, its logs.

pub mod alerts;
mod forget;
mod labels;
pub mod log;
pub mod process;

use parking_lot::Mutex;
use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use labels::{
    BuildLabels, OnlyProduct, OutcomeLabels, ProductLabels, ReasonLabels, RequestLabels,
    TruncatedLabels, outcome_labels, product_labels, reason_labels, truncated_labels,
};

use crate::config::Account;
use crate::http::Reason;
use crate::model::UpgradeStatus;
use crate::model::bounds::Truncated;
use crate::provider::{self, Product};

const PREFIX: &str = "rolling_upgrade_exporter";

/// Seconds; a poll is a few calls of up to 10 s each.
const POLL_BUCKETS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

type PollDuration = Family<OnlyProduct, Histogram, fn() -> Histogram>;

/// Everything that the exporter counts about itself.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    polls: Family<ProductLabels, Counter>,
    poll_failures: Family<ReasonLabels, Counter>,
    poll_duration: PollDuration,
    api_requests: Family<RequestLabels, Counter>,
    upgrades_ended: Family<OutcomeLabels, Counter>,
    unknown_statuses: Family<OnlyProduct, Counter>,
    truncated: Family<TruncatedLabels, Counter>,
    alerts: alerts::Alerts,
    web: exporter_web::Metrics,
    /// The label sets of `api_requests`.
    requests: Mutex<HashSet<RequestLabels>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All families, registered under their prefix.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::Process));
        let own = registry.sub_registry_with_prefix(PREFIX);
        let build = Family::<BuildLabels, Gauge>::default();
        build
            .get_or_create_owned(&BuildLabels {
                version: env!("CARGO_PKG_VERSION"),
                revision: crate::BUILD_REVISION,
                rustversion: crate::BUILD_RUSTC,
            })
            .set(1);
        own.register(
            "build_info",
            "Version, commit and compiler of the program; 1",
            build,
        );
        macro_rules! family {
            ($name:literal, $help:literal, $new:expr) => {{
                let family = $new;
                own.register($name, $help, family.clone());
                family
            }};
        }
        let polls = family!(
            "polls",
            "Polls begun; a discovery counts as a poll of its product",
            Family::default()
        );
        let poll_failures = family!(
            "poll_failures",
            "Polls that ended without data, by the reason of the failure",
            Family::default()
        );
        let poll_duration: PollDuration = family!(
            "poll_duration_seconds",
            "Time that a poll took, with all its calls, retries and waits for the rate limit",
            Family::new_with_constructor((|| Histogram::new(POLL_BUCKETS)) as fn() -> Histogram)
        );
        let api_requests = family!(
            "api_requests",
            "Calls sent to the vendor, by its name of the call and the HTTP status (none: no answer)",
            Family::default()
        );
        let upgrades_ended = family!(
            "upgrades_ended",
            "Upgrades that this process saw end, by outcome",
            Family::default()
        );
        let unknown_statuses = family!(
            "unknown_statuses",
            "Status words in answers that the mapping does not know",
            Family::default()
        );
        let truncated = family!(
            "truncated",
            "Answers that exceed a bound: more than 20,000 nodes or 1,000 tasks of an upgrade, more than 20,000 clusters of a product, or a text of more than 256 characters (label). The first are kept, and counts of nodes stay right",
            Family::default()
        );
        let alerts = alerts::Alerts::new(own);
        let web = exporter_web::Metrics::register(&mut registry, PREFIX);
        Self {
            registry,
            polls,
            poll_failures,
            poll_duration,
            api_requests,
            upgrades_ended,
            unknown_statuses,
            truncated,
            alerts,
            web,
            requests: Mutex::default(),
        }
    }

    /// Starts at 0 every counter whose labels are known in advance.
    pub fn announce(&self, account: &Account, product: &'static Product) {
        let sign_in = provider::cloud(product.cloud).and_then(|cloud| (cloud.sign_in)(account));
        let account = &*account.name;
        let labels = product_labels(account, product.name);
        self.polls.get_or_create_owned(&labels);
        for reason in Reason::ALL {
            self.poll_failures
                .get_or_create_owned(&reason_labels(account, product.name, *reason));
        }
        for status in UpgradeStatus::ALL.iter().filter(|s| s.is_final()) {
            self.upgrades_ended.get_or_create_owned(&outcome_labels(
                account,
                product.name,
                *status,
            ));
        }
        let calls = product.calls.iter().map(|call| (*call, "200"));
        for (call, code) in calls.chain(sign_in) {
            self.requests((account, product.name, call.name, code));
        }
        self.unknown_statuses.get_or_create_owned(&OnlyProduct {
            product: product.name,
        });
        self.poll_duration.get_or_create_owned(&OnlyProduct {
            product: product.name,
        });
        for what in Truncated::ALL {
            self.truncated
                .get_or_create_owned(&truncated_labels(account, product.name, *what));
        }
    }

    /// Counts a poll of a cluster, or a discovery, that ended after `took`.
    pub fn poll(
        &self,
        (account, product): (&str, &'static str),
        took: Duration,
        outcome: Result<(), Reason>,
    ) {
        let labels = product_labels(account, product);
        self.polls.get_or_create_owned(&labels).inc();
        self.poll_duration
            .get_or_create_owned(&OnlyProduct { product })
            .observe(took.as_secs_f64());
        if let Err(reason) = outcome {
            self.poll_failures
                .get_or_create_owned(&reason_labels(account, product, reason))
                .inc();
        }
    }

    /// A poll brought data, and yet the vendor refused a part of it.
    pub fn refused(&self, account: &str, product: &'static str) {
        self.poll_failures
            .get_or_create_owned(&reason_labels(account, product, Reason::Refused))
            .inc();
    }

    /// A call was sent; `code` is the HTTP status or `none`.
    pub fn api_request(
        &self,
        account: &str,
        product: &'static str,
        endpoint: &'static str,
        code: &str,
    ) {
        self.requests((account, product, endpoint, code)).inc();
    }

    fn requests(&self, labels: (&str, &'static str, &'static str, &str)) -> Counter {
        let (account, product, endpoint, code) = labels;
        let labels = RequestLabels {
            account: account.into(),
            product,
            endpoint,
            code: code.to_owned(),
        };
        let counter = self.api_requests.get_or_create_owned(&labels);
        let mut known = self.requests.lock();
        known.insert(labels);
        counter
    }

    /// This process saw an upgrade end.
    pub fn upgrade_ended(&self, account: &str, product: &'static str, outcome: UpgradeStatus) {
        self.upgrades_ended
            .get_or_create_owned(&outcome_labels(account, product, outcome))
            .inc();
    }

    /// A word in an answer that the mapping does not know.
    pub fn unknown_status(&self, product: &'static str) {
        self.unknown_statuses
            .get_or_create_owned(&OnlyProduct { product })
            .inc();
    }

    /// Counts an answer that exceeds a bound.
    pub fn truncated(&self, account: &str, product: &'static str, what: Truncated) {
        self.truncated
            .get_or_create_owned(&truncated_labels(account, product, what))
            .inc();
    }

    /// Registry of the exporter's own families, whose names get its prefix.
    pub fn own(&mut self) -> &mut Registry {
        self.registry.sub_registry_with_prefix(PREFIX)
    }

    /// The counters of alerts.
    pub fn alerts(&self) -> &alerts::Alerts {
        &self.alerts
    }

    /// The families of the web server.
    pub fn web(&self) -> &exporter_web::Metrics {
        &self.web
    }

    /// All families as `OpenMetrics` text, with its `# EOF`.
    pub fn encode(&self) -> String {
        let mut out = String::with_capacity(16 << 10);
        // Writing to a String cannot fail.
        if encode(&mut out, &self.registry).is_err() {
            tracing::error!("The exporter's own metrics could not be written.");
        }
        out
    }
}

/// A time as Prometheus writes it.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 fit 53 bits for 280,000 years"
)]
pub fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

#[cfg(test)]
mod tests;
