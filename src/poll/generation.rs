//! One product of an account under one config. A changed config makes the next generation.

use std::sync::Arc;

use super::Deps;
use super::access::{LazyProvider, LazyTransport};
use super::compare::{is_same_service, is_same_way};
use super::metrics::ProductMetrics;
use super::oddities::Oddities;
use crate::clock::VendorClock;
use crate::cloud::{ProductInfo, Provider};
use crate::config::{Account, ProductConfig};

/// Everything that the polls of a product depend on. It never changes: under another config its task
/// is stopped, and a new one starts with what is known.
pub(super) struct Generation {
    pub(super) account: Arc<Account>,
    pub(super) config: ProductConfig,
    pub(super) provider: Arc<dyn Provider>,
    /// Clock of the account's vendor.
    pub(super) clock: VendorClock,
    pub(super) metrics: Arc<ProductMetrics>,
    /// Oddities that were logged.
    pub(super) oddities: Arc<Oddities>,
    pub(super) deps: Deps,
}

impl Generation {
    /// Builds the first generation of a product.
    pub(super) fn new(
        account: &Arc<Account>,
        config: &ProductConfig,
        transport: &Arc<LazyTransport>,
        deps: &Deps,
    ) -> Self {
        Self {
            account: account.clone(),
            config: config.clone(),
            provider: Arc::new(LazyProvider::new(transport.clone(), config.clone())),
            clock: transport.clock.clone(),
            metrics: deps
                .metrics
                .product(&account.name, config.product.info().name),
            oddities: Arc::default(),
            deps: deps.clone(),
        }
    }

    /// Builds the generation that follows under another config in one location; `None` when the config
    /// changes nothing for the product.
    pub(super) fn next(
        &self,
        account: &Arc<Account>,
        config: &ProductConfig,
        transport: &Arc<LazyTransport>,
    ) -> Option<Self> {
        let is_same_way = is_same_way(&self.account, account);
        if is_same_way && self.account.polling == account.polling && self.config == *config {
            return None;
        }
        let mut next = Self::new(account, config, transport, &self.deps);
        next.oddities = self.oddities.clone();
        if is_same_way && is_same_service(&self.config, config) {
            next.provider = self.provider.clone();
        }
        Some(next)
    }

    pub(super) fn product(&self) -> &'static ProductInfo {
        self.config.product.info()
    }

    /// Returns whether the vendor is asked as under the other generation.
    pub(super) fn has_provider_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.provider, &other.provider)
    }
}
