//! The checked configuration: what the rest of the program sees.
//!
//! [`load`] reads a file, [`parse`] a text; both give either a whole [`Config`] or every problem
//! found, each with its line and column.

mod account;
mod address;
mod alerting;
mod ca_file;
mod credential;
mod file;
mod huawei;
mod limits;
mod ncloud;
mod product;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::Offset;
use spanned_yaml::Problem;
use url::Url;

pub use file::{load, load_alone, parse, parse_alone};

use crate::cloud::Product;
use crate::http::{CaFile, Login};
use crate::model::Thresholds;
use crate::secret::Secret;

pub use spanned_yaml::ConfigError;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The accounts, in the order of the file; names are unique.
    pub accounts: Vec<Account>,
    /// Whether and where the exporter posts alerts itself.
    pub alerting: Option<Alerting>,
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

/// One account at one cloud.
#[derive(Clone, PartialEq)]
pub struct Account {
    /// The label `account`.
    pub name: Arc<str>,
    /// Its cloud with everything that calls need.
    pub cloud: Cloud,
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

/// The clouds.
#[derive(Debug, Clone, PartialEq)]
pub enum Cloud {
    /// NAVER Cloud Platform.
    Ncloud(Ncloud),
    /// Huawei Cloud, or another cloud with the same API.
    Huawei(Huawei),
}

/// An account at NAVER Cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct Ncloud {
    /// The zone: a separate installation with hosts of its own.
    pub zone: Zone,
    /// `KR`, `SGN`, `JPN`; `FKR` in fin; `KR`, `KRS` in gov.
    pub region: Arc<str>,
    /// The access key id.
    pub access_key: Secret,
    /// The secret key.
    pub secret_key: Secret,
    /// The zone of its dates, which carry none.
    pub time_zone: Offset,
}

/// The zones of NAVER Cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Everybody's.
    Public,
    /// Financial institutions'.
    Fin,
    /// Public authorities'.
    Gov,
}

/// An account (a project of it) at Huawei Cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct Huawei {
    /// For instance `cn-north-4`.
    pub region: Arc<str>,
    /// The project's id.
    pub project_id: Arc<str>,
    /// The domain of the cloud's hosts, for instance `myhuaweicloud.com`; none: the cloud's own rule.
    pub domain: Option<String>,
    /// How calls are authenticated.
    pub auth: HuaweiAuth,
    /// The zone of CSS's dates, which carry none.
    pub time_zone: Offset,
}

/// How calls to Huawei Cloud are authenticated.
#[derive(Debug, Clone, PartialEq)]
pub enum HuaweiAuth {
    /// Signed with an access key.
    Keys {
        /// AK.
        access_key: Secret,
        /// SK.
        secret_key: Secret,
        /// Of temporary keys.
        security_token: Option<Secret>,
    },
    /// With a token that IAM gives for a password.
    Token {
        /// Scheme, host and port of IAM; none: `iam.{region}.{domain}`.
        iam_endpoint: Option<Url>,
        /// The account's name (IAM calls it domain).
        domain: String,
        /// The IAM user's name.
        user: String,
        /// Its password.
        password: Secret,
    },
}

/// What is watched of one product.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductConfig {
    /// Its line of the product table.
    pub product: &'static Product,
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

impl Account {
    /// The region that its calls go to.
    pub fn region(&self) -> &Arc<str> {
        match &self.cloud {
            Cloud::Ncloud(ncloud) => &ncloud.region,
            Cloud::Huawei(huawei) => &huawei.region,
        }
    }

    /// Zone and region, for people.
    pub fn place(&self) -> String {
        match &self.cloud {
            Cloud::Ncloud(ncloud) => format!("{}/{}", ncloud.zone.as_str(), ncloud.region),
            Cloud::Huawei(huawei) => huawei.region.to_string(),
        }
    }

    /// Whether every address that the config names for this account is plain http (the simulator).
    pub fn is_plain_http(&self) -> bool {
        let iam = match &self.cloud {
            Cloud::Huawei(Huawei {
                auth: HuaweiAuth::Token { iam_endpoint, .. },
                ..
            }) => Some(iam_endpoint.as_ref()),
            _ => None,
        };
        self.products
            .iter()
            .map(|p| p.endpoint.as_ref())
            .chain(iam)
            .all(|url| url.is_some_and(|url| url.scheme() == "http"))
    }
}

impl ProductConfig {
    /// The product's own setting of this name.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_str())
    }
}
