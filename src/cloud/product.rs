//! Products of clouds.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::start::StartCommand;
use super::transport::Transport;
use super::{Call, CloudAccount, Provider};
use crate::fields::id::IdForm;
use crate::http::ApiError;
use crate::sim;

/// A product of a cloud, whose clusters have rolling upgrades.
pub trait Product: Sync {
    /// Returns what the rest of the program has to know of it.
    fn info(&self) -> &'static ProductInfo;

    /// Opens it in an account.
    ///
    /// # Errors
    /// Fails when its address cannot be made of the config, or the account is of another cloud.
    fn open(&self, context: OpenContext<'_>) -> Result<Arc<dyn Provider>, ApiError>;

    /// Returns the product's subcommand of `start`; `None` where this program cannot start upgrades.
    fn start(&self) -> Option<&'static dyn StartCommand> {
        None
    }

    /// Returns the simulator's half of it.
    fn simulator(&self) -> &'static dyn sim::Service;
}

/// Facts of a product for the config, the docs and the limits.
#[derive(Debug)]
pub struct ProductInfo {
    /// Name: the key in the config and the label `product`.
    pub name: &'static str,
    /// Name as its vendor writes it.
    pub title: &'static str,
    /// Things that are upgraded, for the table of products.
    pub upgraded: &'static str,
    /// The cloud's name: the label `cloud`.
    pub cloud: &'static str,
    /// The default of `stalled_after`.
    pub stalled_after: Duration,
    /// Config keys that only this product takes.
    pub settings: &'static [&'static str],
    /// Form of its clusters' ids.
    pub ids: IdForm,
    /// Permissions and policies that its calls take, by the vendor's names, as the end of "it needs".
    pub permission: &'static str,
    /// Facts of an upgrade that its vendor does not tell.
    pub omissions: &'static [Omission],
    /// The calls that it makes; the transport sends no others.
    pub calls: &'static [&'static Call],
}

/// A fact of upgrades that a vendor does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omission {
    /// Set where an upgrade is queued: it runs from its request.
    Queued,
    /// The last upgrade, once it has ended: an exporter that starts later knows of none.
    Ended,
}

/// Everything that opening a product needs.
pub struct OpenContext<'a> {
    /// The account.
    pub account: &'a dyn CloudAccount,
    /// Name of the account: the label `account`.
    pub account_name: &'a Arc<str>,
    /// Facts that the product states of itself.
    pub info: &'static ProductInfo,
    /// Scheme, host and port instead of the vendor's own; `None` for the vendor's own.
    pub endpoint: Option<&'a Url>,
    /// The product's own settings, those given.
    pub settings: &'a [(&'static str, String)],
    /// The account's transport: its limits are shared by all its products.
    pub transport: Arc<Transport>,
}

impl OpenContext<'_> {
    /// Returns the product's own setting of this name.
    pub fn setting(&self, name: &str) -> Option<&str> {
        let (_, value) = self.settings.iter().find(|(key, _)| *key == name)?;
        Some(value)
    }
}

impl fmt::Debug for dyn Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.info().name)
    }
}

impl PartialEq for dyn Product {
    fn eq(&self, other: &Self) -> bool {
        self.info().name == other.info().name
    }
}
