//! Flags of `check`.

use clap::Args;

use super::{ConfigFile, WebConfig};

pub(super) const AFTER_HELP: &str = "Examples:\n  \
    rolling-upgrade-exporter check --live --config.file=rolling-upgrade-exporter.yml\n  \
    rolling-upgrade-exporter check --syntax-only --config.file=rolling-upgrade-exporter.yml\n\n\
    Exit codes: 0 all is well, warnings included; 1 a product did not answer as it should; \
    2 wrong usage or config.";

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    #[command(flatten)]
    pub(crate) web_config: WebConfig,
    /// List the clusters of each account and product once, and tell which of credentials, clock,
    /// permission, region or network fails
    #[arg(long)]
    pub(crate) live: bool,
    /// Read the config file alone: no variables, no files with secrets or CAs, so that it can be checked
    /// where these are not, as in CI
    #[arg(long = "syntax-only", conflicts_with_all = ["live", "web_config_file"])]
    pub(crate) syntax_only: bool,
}
