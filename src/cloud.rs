//! The clouds: the trait that each product implements, its error, and [`PRODUCTS`], the table.
//!
//! A new product is a folder with one line in the table; CONTRIBUTING.md lists the steps.

pub mod call;
pub mod huawei;
pub mod kit;
pub mod ncloud;
pub mod start;
pub mod transport;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use spanned_yaml::Field;

pub use call::{Call, Method, Secondary};

use crate::config::{Account, ProductConfig};
use crate::http::{ApiError, Reason};
use crate::model::{Memory, Observation, bounds};
use crate::sim;
use crate::text::quote;

/// What is asked of a product of an account.
pub trait Provider: Send + Sync {
    /// Lists the clusters of the account, completely or not at all.
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>>;

    /// Asks for the progress of one cluster. `memory` is what earlier polls saw of it. A list that
    /// is shared by all clusters of the account may be up to `fresh` old.
    fn observe<'a>(
        &'a self,
        cluster_id: &'a str,
        memory: &'a Memory,
        fresh: Duration,
    ) -> BoxFuture<'a, Result<Observation, ApiError>>;
}

/// The clusters of a product in an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Those that can be asked for.
    pub clusters: Vec<Discovered>,
    /// Number of clusters that this account may not ask for, or cannot, since they have no id.
    pub inaccessible: u64,
}

impl Discovery {
    /// Builds a discovery from the clusters of a list, whose `field` names each. Clusters without an
    /// id are counted as inaccessible.
    ///
    /// # Errors
    /// Rejects the whole list when an id in it does not have the form of one: what else such a list
    /// tells is not to be trusted.
    pub fn read(
        field: &str,
        clusters: impl Iterator<Item = Discovered>,
        inaccessible: u64,
    ) -> Result<Self, ApiError> {
        let mut discovery = Self {
            clusters: Vec::new(),
            inaccessible,
        };
        for cluster in clusters {
            check_id(field, &cluster.id)?;
            if cluster.id.is_empty() {
                discovery.inaccessible += 1;
            } else {
                discovery.clusters.push(cluster);
            }
        }
        Ok(discovery)
    }
}

impl Discovered {
    /// Builds a cluster from an entry of a list; a long name is cut.
    pub fn new(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: bounds::label(name),
        }
    }
}

/// A cluster as a list tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// The vendor's id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What opening a product needs.
pub struct Context<'a> {
    /// The account.
    pub account: &'a Account,
    /// The product's part of it.
    pub product: &'a ProductConfig,
    /// The account's transport: its limits are shared by all its products.
    pub transport: Arc<transport::Transport>,
}

/// One line of [`CLOUDS`].
pub struct CloudSpec {
    /// Its name: the key in the config and the label `cloud`.
    pub name: &'static str,
    /// The call by which an account signs in, with the status that means success; none when it
    /// signs each call instead.
    pub sign_in: fn(&Account) -> Option<(&'static Call, &'static str)>,
    /// What is called besides the products' calls.
    pub calls: &'static [&'static Call],
    /// The simulator's gateway of this cloud: checks authentication as the vendor does, then hands
    /// on to the products. None when the path is not of this cloud.
    pub sim: fn(&sim::World, &sim::Request<'_>) -> Option<sim::Answer>,
}

/// Every cloud.
pub const CLOUDS: &[&CloudSpec] = &[&ncloud::CLOUD, &huawei::CLOUD];

/// One line of [`PRODUCTS`].
pub struct Product {
    /// Its name: the key in the config and the label `product`.
    pub name: &'static str,
    /// The cloud's name: the key in the config and the label `cloud`.
    pub cloud: &'static str,
    /// The default of `stalled_after`.
    pub stalled_after: Duration,
    /// Config keys that only this product takes.
    pub settings: &'static [&'static str],
    /// Whether cluster ids are whole numbers.
    pub numeric_ids: bool,
    /// What its calls take: the vendor's names of permissions and policies, as the end of "it needs".
    pub permission: &'static str,
    /// The calls that it makes.
    pub calls: &'static [&'static Call],
    /// The simulator's half: answers the product's calls once the gateway let them in. None when
    /// the path is not of this product.
    pub sim: fn(&sim::World, &sim::Request<'_>) -> Option<sim::Answer>,
    /// Makes its provider.
    pub open: fn(Context<'_>) -> Result<Arc<dyn Provider>, ApiError>,
}

impl Product {
    /// Reads a cluster's id in the form that the product has. Whole numbers are kept as they are written:
    /// they are names, not amounts.
    pub(crate) fn id(&self, field: &Field<'_>) -> Option<Arc<str>> {
        let text = field.text()?;
        if self.numeric_ids {
            let is_number = text.bytes().all(|b| b.is_ascii_digit())
                && !text.starts_with('0')
                && text.parse::<u64>().is_ok();
            if !is_number {
                field.wrong(format!(
                    "a cluster id of {} is a whole number, not {}: copy it from the console",
                    self.name,
                    quote(text)
                ));
                return None;
            }
        } else if text.contains('*') {
            field.wrong(format!(
                "{} is a pattern, not a cluster id: write clusters: all and put it under include",
                quote(text)
            ));
            return None;
        } else if let Err(fault) = bounds::check_id(text) {
            field.wrong(format!(
                "{} is not a cluster id: {fault}; copy it from the console",
                quote(text)
            ));
            return None;
        }
        Some(text.into())
    }
}

/// Every product, in the order in which they are documented.
pub const PRODUCTS: &[&Product] = &[
    &ncloud::ses::PRODUCT,
    &ncloud::cdss::PRODUCT,
    &huawei::css::PRODUCT,
    &huawei::cce::PRODUCT,
];

/// Answers a simulated request as the cloud does that has its path.
pub fn simulate(world: &sim::World, request: &sim::Request<'_>) -> Option<sim::Answer> {
    CLOUDS.iter().find_map(|cloud| (cloud.sim)(world, request))
}

/// The cloud of this name.
pub fn cloud(name: &str) -> Option<&'static CloudSpec> {
    CLOUDS.iter().copied().find(|c| c.name == name)
}

/// The product of this name.
pub fn product(name: &str) -> Option<&'static Product> {
    PRODUCTS.iter().copied().find(|p| p.name == name)
}

/// A product with its provider, ready to be asked.
pub type Opened = (&'static Product, Arc<dyn Provider>);

/// Opens every product of an account over one transport.
pub fn open(
    account: &Account,
    requests: &transport::RequestMetrics,
    clock: &crate::clock::Clock,
) -> Result<Vec<Opened>, ApiError> {
    let transport = transport::Transport::new(account, requests.clone(), clock.clone())?;
    let transport = Arc::new(transport);
    account
        .products
        .iter()
        .map(|config| Ok((config.product, open_one(account, config, &transport)?)))
        .collect()
}

/// Opens one product of an account over the account's transport.
pub fn open_one(
    account: &Account,
    config: &ProductConfig,
    transport: &Arc<transport::Transport>,
) -> Result<Arc<dyn Provider>, ApiError> {
    (config.product.open)(Context {
        account,
        product: config,
        transport: transport.clone(),
    })
}

/// Checks the id that this field of an answer holds.
///
/// # Errors
/// Rejects a text that does not have the form of an id ([`bounds::check_id`]) as `protocol`.
pub(crate) fn check_id(field: &str, id: &str) -> Result<(), ApiError> {
    bounds::check_id(id).map_err(|fault| {
        ApiError::new(
            Reason::Protocol,
            format!(
                "{field} {} is not an id: {fault}; the answer is not used, ask the vendor",
                quote(id)
            ),
        )
    })
}

/// Separator between the program's words and those of a vendor.
pub(crate) const VENDOR_SAYS: &str = "; the vendor says: ";

impl std::fmt::Debug for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Product {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_without_an_id_are_counted_not_watched() {
        let list = [("1", "a"), ("", "b"), ("2", "")];
        let list = list.map(|(id, name)| Discovered::new(id, name));
        let discovery = Discovery::read("id", list.into_iter(), 1).unwrap();
        let ids: Vec<&str> = discovery.clusters.iter().map(|c| &*c.id).collect();
        assert_eq!((ids, discovery.inaccessible), (vec!["1", "2"], 2));
        let bad = [Discovered::new("a b", "")].into_iter();
        let error = Discovery::read("id", bad, 0).unwrap_err();
        assert_eq!(error.reason, Reason::Protocol);
    }
}
