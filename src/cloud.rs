//! The clouds: what a [`Cloud`], an account at one, and a [`Product`] of one have to do. The list of all
//! clouds stands in [`crate::clouds`] and is handed down.
//!
//! A product is its folder and one entry in its cloud's list; CONTRIBUTING.md has the steps.

mod account;
pub mod call;
pub mod kit;
mod product;
pub mod start;
pub mod transport;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use spanned_yaml::Section;

pub use account::CloudAccount;
pub use call::{Action, Call, Method, Secondary};
pub use product::{Omission, OpenContext, Product, ProductInfo};

use crate::fields;
use crate::http::{ApiError, Cause};
use crate::model::{Memory, Observation, Reason, bounds};
use crate::sim::{Gateway, SimulatedCloud, SimulatedProduct};
use crate::text::quote;

/// A cloud: how accounts at it are configured, and which products it has.
pub trait Cloud: Debug + Sync {
    /// Returns its name: the key in the config and the label `cloud`.
    fn name(&self) -> &'static str;

    /// Returns its name as its vendor writes it.
    fn title(&self) -> &'static str;

    /// Returns the language of the texts in its answers, as an HTML `lang`; `None` where they are English.
    fn language(&self) -> Option<&'static str>;

    /// Lists its products, in the order in which they are documented.
    fn products(&self) -> &'static [&'static dyn Product];

    /// Lists the calls that an account makes besides its products', such as one that signs in.
    fn calls(&self) -> &'static [&'static Call];

    /// Decodes the cloud's own keys of an account: one account for each region that they name.
    /// `None` when a key is wrong, which is then noted in the section.
    fn accounts(
        &self,
        section: &mut Section<'_>,
        context: &fields::Context<'_>,
    ) -> Option<Vec<Arc<dyn CloudAccount>>>;

    /// Returns the simulator's half of the cloud, which authenticates as the vendor does.
    fn gateway(&self) -> &'static dyn Gateway;
}

/// A list of clouds, as it is handed down.
pub type Clouds = &'static [&'static dyn Cloud];

/// Returns every product of these clouds, in the order in which they are documented.
pub fn products(clouds: Clouds) -> impl Iterator<Item = &'static dyn Product> {
    clouds.iter().flat_map(|cloud| cloud.products()).copied()
}

/// Returns the product of this name.
pub fn product(clouds: Clouds, name: &str) -> Option<&'static dyn Product> {
    products(clouds).find(|product| product.info().name == name)
}

/// Returns these clouds as the simulator plays them.
pub fn simulated(clouds: Clouds) -> Vec<SimulatedCloud> {
    let product = |product: &&'static dyn Product| SimulatedProduct {
        name: product.info().name,
        ids: product.info().ids,
        service: product.simulator(),
    };
    let cloud = |cloud: &&'static dyn Cloud| SimulatedCloud {
        name: cloud.name(),
        gateway: cloud.gateway(),
        products: cloud.products().iter().map(product).collect(),
    };
    clouds.iter().map(cloud).collect()
}

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
    ) -> BoxFuture<'a, Result<Observation, PollFailure>>;
}

/// Failure of a poll.
#[derive(Debug, Clone)]
pub struct PollFailure {
    /// Failure of the primary call.
    pub error: Box<ApiError>,
    /// [`Observation::notes`]; `None` keeps those before.
    pub notes: Option<Arc<str>>,
}

impl PollFailure {
    /// Notes the failure in the memory for the next poll. Returns the polls in a row that were told that
    /// the vendor does not publish the call.
    pub fn note_in(&self, memory: &mut Memory) -> u32 {
        let is_not_published = self.error.cause == Cause::NotPublished;
        memory.take_failure(self.error.call, is_not_published, self.notes.clone())
    }
}

impl From<ApiError> for PollFailure {
    fn from(error: ApiError) -> Self {
        Self {
            error: Box::new(error),
            notes: None,
        }
    }
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
