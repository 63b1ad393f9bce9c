//! The simulator's halves of clouds and products, which stand in the clouds' folders.

use spanned_yaml::Section;

use super::scenario::SimNode;
use super::{Answer, Extensions, Request, VersionForm, World};
use crate::fields::id::IdForm;

/// A cloud that can be simulated.
#[derive(Clone)]
pub struct SimulatedCloud {
    /// Name: the key of its account in a scenario.
    pub name: &'static str,
    /// Gateway.
    pub gateway: &'static dyn Gateway,
    /// Products.
    pub products: Vec<SimulatedProduct>,
}

/// A product that can be simulated.
#[derive(Clone, Copy)]
pub struct SimulatedProduct {
    /// Name.
    pub name: &'static str,
    /// Form of its clusters' ids.
    pub ids: IdForm,
    /// Service.
    pub service: &'static dyn Service,
}

/// A cloud's gateway: authenticates as the vendor does, then hands on to the services.
pub trait Gateway: Sync {
    /// Answers a request; `None` when the path is not of this cloud.
    fn answer(&self, world: &World, request: &Request<'_>) -> Option<Answer>;

    /// Reads the account that the gateway lets in from the cloud's section of a scenario into `accounts`,
    /// with defaults for what the section lacks, or for everything where there is none. A wrong value is
    /// noted in the section.
    fn read_account(&self, section: Option<&mut Section<'_>>, accounts: &mut Extensions);

    /// Returns the keys of that account in a config of the exporter, each with its value, without those of
    /// the products.
    fn config(&self, accounts: &Extensions) -> Vec<(&'static str, String)>;
}

/// A service behind a gateway.
pub trait Service: Sync {
    /// Answers a request that the gateway let in; `None` when the path is not of this service.
    fn answer(&self, world: &World, request: &Request<'_>) -> Option<Answer>;

    /// Returns the scenario that the demo plays for this product: clusters of it, and faults.
    fn demo(&self) -> &'static str;

    /// Reads the keys of a cluster that only this product has into `extensions`; `nodes` are the cluster's.
    /// Returns `None` when a value is wrong, which is then noted in the section.
    fn read_cluster(
        &self,
        _section: &mut Section<'_>,
        _nodes: &[SimNode],
        _extensions: &mut Extensions,
    ) -> Option<()> {
        Some(())
    }

    /// Returns the forms of this product's versions, besides dotted numbers.
    fn version_forms(&self) -> &'static [VersionForm] {
        &[]
    }

    /// Lists the JSON keys of its answers whose texts tell a state of an upgrade, a node or a task.
    fn state_keys(&self) -> &'static [&'static str];
}
