//! Subcommands of `start`, which products give the command line so that upgrades of them can be started.

use clap::{ArgMatches, Command};

use super::Order;
use crate::cloud::OpenContext;
use crate::http::ApiError;

/// Subcommand of `start` for one product. The command line names it after the product, adds the flags that
/// all of them have, and asks before it sends.
pub trait StartCommand: Sync {
    /// Returns the subcommand's line in the help.
    fn about(&self) -> &'static str;

    /// Lists examples for the help, at least one.
    fn examples(&self) -> &'static [StartExample];

    /// Adds the product's own flags to the subcommand.
    fn with_flags(&self, command: Command) -> Command;

    /// Reads the product's own flags, and blocks while it reads the files that they name.
    ///
    /// # Errors
    /// Returns everything that is wrong with them, a text each.
    fn read(&self, flags: &ArgMatches) -> Result<Box<dyn StartRequest>, Vec<String>>;
}

/// Example of a start in the help.
#[derive(Debug)]
pub struct StartExample {
    /// Flags that name the account, the cluster and the target.
    pub flags: &'static str,
    /// Flag that says how far to go.
    pub mode: &'static str,
}

/// Start of an upgrade, with flags that are in order.
pub trait StartRequest: Send + Sync {
    /// Returns the cluster's id, as the rest of the program knows it.
    fn cluster(&self) -> String;

    /// Describes the version that the cluster goes to.
    fn target(&self) -> String;

    /// Lists what a person should know before it is sent, in whole sentences.
    fn cautions(&self) -> Vec<String>;

    /// Builds the request. Sends nothing.
    ///
    /// # Errors
    /// Fails when its address cannot be made of the config, or the account is of another cloud.
    fn order(&self, context: OpenContext<'_>) -> Result<Order, ApiError>;
}
