//! Flags of `start`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ConfigFile;

pub(super) const AFTER_HELP: &str = "Example:\n  \
    rolling-upgrade-exporter start cdss --account=kr-prod --cluster=3432149 \\\n    \
    --to-version=3713006 --config-group=170 --dry-run\n\n\
    This is the only command that changes anything in a cloud. Exit codes: 0 the vendor took the\n\
    request (or, with --watch, the upgrade ended well); 1 it was refused, was not sent, or nobody\n\
    knows; 2 wrong usage or config; 3 with --watch, the upgrade failed or is stalled.";

const CDSS_HELP: &str = "Example:\n  \
    rolling-upgrade-exporter start cdss --account=kr-prod --cluster=3432149 \\\n    \
    --to-version=3713006 --config-group=170 --watch";

const CCE_HELP: &str = "Examples:\n  \
    rolling-upgrade-exporter start cce --account=cn-prod --to-version=v1.28 \\\n    \
    --cluster=b4b9e60f-8aa2-11ee-af09-0255ac10004f --dry-run\n  \
    rolling-upgrade-exporter start cce --account=cn-prod --to-version=v1.28 \\\n    \
    --cluster=b4b9e60f-8aa2-11ee-af09-0255ac10004f --step=5 --spec=upgrade.yml --watch";

/// What to start.
#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(subcommand)]
    pub(crate) product: StartProduct,
}

/// The products whose upgrades can be started.
#[derive(Debug, Subcommand)]
pub(crate) enum StartProduct {
    /// Start the rolling upgrade of a NAVER Cloud CDSS (Kafka) cluster: rollingUpgrade
    #[command(after_help = CDSS_HELP)]
    Cdss(StartCdss),
    /// Start the upgrade of a Huawei Cloud CCE cluster: operation/upgrade
    #[command(after_help = CCE_HELP)]
    Cce(StartCce),
}

/// Flags of `start cdss`.
#[derive(Debug, Args)]
pub(crate) struct StartCdss {
    #[command(flatten)]
    pub(crate) how: How,
    /// The cluster's number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) cluster: String,
    /// The code of the Kafka version to go to, as getCDSSVersionList gives it
    #[arg(long, value_name = "CODE")]
    pub(crate) to_version: String,
    /// The number of a config group that was made for that version
    #[arg(long, value_name = "NUMBER")]
    pub(crate) config_group: String,
}

/// Flags of `start cce`.
#[derive(Debug, Args)]
pub(crate) struct StartCce {
    #[command(flatten)]
    pub(crate) how: How,
    /// The cluster's id
    #[arg(long, value_name = "ID")]
    pub(crate) cluster: String,
    /// The version to go to: v1.28, or in full v1.28.3-r0
    #[arg(long, value_name = "VERSION")]
    pub(crate) to_version: String,
    /// Nodes that are upgraded at the same time, at most: 1 to 120 [default: the spec's, else 20]
    #[arg(long, value_name = "NODES")]
    pub(crate) step: Option<u64>,
    /// clusterUpgradeAction in YAML or JSON, for addons, nodeOrder, nodePoolOrder and the rest; flags
    /// stand over it
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: Option<PathBuf>,
}

/// What both have.
#[derive(Debug, Args)]
pub(crate) struct How {
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// The account of the config, whose keys must be allowed to start upgrades
    #[arg(long, value_name = "NAME")]
    pub(crate) account: String,
    /// Print the request, without keys and signature, and send nothing, not even a question
    #[arg(long, conflicts_with_all = ["yes", "watch"])]
    pub(crate) dry_run: bool,
    /// Send it without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Follow the upgrade until it ends
    #[arg(long)]
    pub(crate) watch: bool,
}
