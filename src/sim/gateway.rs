//! The simulator's halves of clouds and products, which stand in the clouds' folders.

use super::{Answer, Request, World};
use crate::fields::id::IdForm;

/// A cloud that can be simulated.
#[derive(Clone)]
pub struct SimulatedCloud {
    /// Its name: the key of its account in a scenario.
    pub name: &'static str,
    /// Its gateway.
    pub gateway: &'static dyn Gateway,
    /// Its products.
    pub products: Vec<SimulatedProduct>,
}

/// A product that can be simulated.
#[derive(Clone, Copy)]
pub struct SimulatedProduct {
    /// Its name.
    pub name: &'static str,
    /// Form of its clusters' ids.
    pub ids: IdForm,
    /// Its service.
    pub service: &'static dyn Service,
}

/// A cloud's gateway: authenticates as the vendor does, then hands on to the services.
pub trait Gateway: Sync {
    /// Answers a request; `None` when the path is not of this cloud.
    fn answer(&self, world: &World, request: &Request<'_>) -> Option<Answer>;
}

/// A service behind a gateway.
pub trait Service: Sync {
    /// Answers a request that the gateway let in; `None` when the path is not of this service.
    fn answer(&self, world: &World, request: &Request<'_>) -> Option<Answer>;
}
