//! The checked configuration: what the rest of the program sees.
//!
//! [`load`] reads a file, [`parse`] a text; both give either a whole [`Config`] or every problem
//! found, each with its line and column.

mod account;
mod alerting;
mod file;
mod limits;
mod product;
mod storage;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use spanned_yaml::Problem;
use url::Url;

pub use file::{load, load_alone, parse, parse_alone};

use crate::cloud::{CloudAccount, Product};
use crate::http::{CaFile, Login};
use crate::model::Thresholds;

pub use spanned_yaml::ConfigError;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The accounts, in the order of the file. Those of one name are in different regions of one cloud.
    pub accounts: Vec<Account>,
    /// Whether and where the exporter posts alerts itself.
    pub alerting: Option<Alerting>,
    /// For how long the history keeps ended upgrades.
    pub retention: Duration,
    /// Values of the file that are legal and likely wrong, by place.
    pub warnings: Vec<Problem>,
}

/// The sidecar: alerts that the exporter posts itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerting {
    /// Labels for every alert that does not have them already, as Prometheus's own.
    pub external_labels: BTreeMap<String, String>,
    /// Between two posts of an alert that fires.
    pub resend_interval: Duration,
    /// Whether an alert that ended is posted as resolved, instead of being left to lapse.
    pub explicit_resolve: bool,
    /// Where alerts go: each gets all of them. At least one, each address once.
    pub alertmanagers: Vec<Alertmanager>,
}

/// One Alertmanager.
#[derive(Debug, Clone, PartialEq)]
pub struct Alertmanager {
    /// Scheme, host, port, and the prefix of its routes; no user, no query. Its text is the label
    /// `alertmanager`, without the slash at its end.
    pub url: Url,
    /// Login that it asks for.
    pub auth: Login,
    /// PEM file of the CAs and server certificates to trust instead of the system's CAs.
    pub ca_file: Option<PathBuf>,
}

impl Alertmanager {
    /// The label `alertmanager`: the address without a slash at its end.
    pub fn label(&self) -> &str {
        Self::label_of(&self.url)
    }

    /// The label of the Alertmanager at this address.
    fn label_of(url: &Url) -> &str {
        url.as_str().trim_end_matches('/')
    }
}

/// One account at one cloud, in one region.
#[derive(Clone)]
pub struct Account {
    /// The label `account`.
    pub name: Arc<str>,
    /// The account at its cloud, with everything that calls are signed with.
    pub cloud: Arc<dyn CloudAccount>,
    /// How often and how hard to ask.
    pub polling: Polling,
    /// The certificates to trust instead of the system's CAs, as they were when the config was read.
    pub ca_file: Option<CaFile>,
    /// HTTP proxy for the vendor's calls.
    pub proxy_url: Option<Url>,
    /// What is watched, in the order of the product table.
    pub products: Vec<ProductConfig>,
}

/// How often and how hard a vendor is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Polling {
    /// Between polls of a cluster while its upgrade runs.
    pub active_interval: Duration,
    /// Between polls of a cluster otherwise.
    pub idle_interval: Duration,
    /// Between discoveries.
    pub discovery_interval: Duration,
    /// For one call, from the first byte sent to the last received.
    pub timeout: Duration,
    /// Calls a second.
    pub rate_limit: f64,
    /// Calls in flight.
    pub max_concurrency: usize,
}

/// What is watched of one product.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductConfig {
    /// The product.
    pub product: &'static dyn Product,
    /// Which clusters.
    pub clusters: Selection,
    /// Ids or name patterns (`*` stands for any text) of which a discovered cluster must match one.
    pub include: Vec<String>,
    /// Ids or name patterns that are left out.
    pub exclude: Vec<String>,
    /// Ids or name patterns to which a command narrows it for once; empty: not at all. No key of the
    /// file.
    pub only: Vec<String>,
    /// Scheme, host and port instead of the vendor's rule.
    pub endpoint: Option<Url>,
    /// The product's own settings (`region_no`), those given.
    pub settings: Vec<(&'static str, String)>,
    /// The limits for its clusters.
    pub thresholds: Thresholds,
}

/// Which clusters of a product are watched.
#[derive(Debug, Clone, PartialEq)]
pub enum Selection {
    /// All that discovery finds.
    All,
    /// These.
    Listed(Vec<Listed>),
}

/// A cluster that the config names.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The vendor's id.
    pub id: Arc<str>,
    /// Replaces the vendor's name.
    pub name: Option<String>,
    /// Its limits.
    pub thresholds: Thresholds,
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            name,
            cloud,
            polling,
            ca_file,
            proxy_url,
            products,
        } = self;
        *name == other.name
            && **cloud == *other.cloud
            && *polling == other.polling
            && *ca_file == other.ca_file
            && *proxy_url == other.proxy_url
            && *products == other.products
    }
}

impl fmt::Debug for Account {
    /// Without the user and the password that the proxy's address may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = self.proxy_url.as_ref().and_then(Url::host_str);
        f.debug_struct("Account")
            .field("name", &self.name)
            .field("cloud", &self.cloud)
            .field("polling", &self.polling)
            .field("ca_file", &self.ca_file)
            .field("proxy_url", &proxy)
            .field("products", &self.products)
            .finish()
    }
}
