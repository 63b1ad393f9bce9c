//! Flags of `status`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use rolling_upgrade_exporter::cloud;
use rolling_upgrade_exporter::clouds::CLOUDS;

use super::ConfigFile;

pub(super) const AFTER_HELP: &str = "Example:\n  \
    rolling-upgrade-exporter status --watch --cluster='search-*'\n\n\
    Exit codes: 0 nothing is wrong; 1 not everything could be asked, or nobody knows how an upgrade \
    ended that --watch saw; 2 wrong usage or config; 3 an upgrade or a node of one failed, or is \
    stalled; --watch was ended 130 by Ctrl-C, 143 by SIGTERM, 141 by the end of its reader.";

/// What to show, and how.
#[derive(Debug, Args)]
#[command(mut_arg("file", |file| file.conflicts_with("url")))]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    #[command(flatten)]
    pub(crate) narrow: Narrow,
    /// Go on until every upgrade has ended: live bars on a terminal, else a line for each change; what
    /// failed or is stalled comes first
    #[arg(long)]
    pub(crate) watch: bool,
    /// Between two polls of a cluster in an upgrade [default: as in the config], or two reads of --url
    #[arg(long, value_name = "LENGTH", value_parser = interval, requires = "watch")]
    pub(crate) interval: Option<Duration>,
    /// The form of the output; json is the document of /api/v1/upgrades, with --watch one a line
    #[arg(long, value_enum, value_name = "FORM", default_value = "table")]
    pub(crate) output: Output,
    /// Only the clusters, without their nodes and tasks
    #[arg(long)]
    pub(crate) summary: bool,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// A running exporter, and the way to it.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// Read the running exporter whose page is at this address instead of polling; no config is needed
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// PEM file of the CAs, or of its self-signed certificate, to trust instead of the system's CAs
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The user that it knows us as
    #[arg(long, value_name = "USER", requires_all = ["url", "password_file"])]
    pub(crate) username: Option<String>,
    /// File with the password
    #[arg(long, value_name = "FILE", requires = "username")]
    pub(crate) password_file: Option<PathBuf>,
    /// File with a token, instead of user and password
    #[arg(
        long,
        value_name = "FILE",
        requires = "url",
        conflicts_with = "username"
    )]
    pub(crate) bearer_token_file: Option<PathBuf>,
    /// PEM file of a client certificate
    #[arg(long, value_name = "FILE", requires_all = ["url", "key_file"])]
    pub(crate) cert_file: Option<PathBuf>,
    /// PEM file of its key
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    pub(crate) key_file: Option<PathBuf>,
}

/// Which clusters; everything when nothing is given. `*` stands for any text.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Narrow {
    /// Only this account; may be repeated
    #[arg(long = "account", value_name = "NAME")]
    pub(crate) accounts: Vec<String>,
    /// Only this product; may be repeated
    #[arg(long = "product", value_name = "PRODUCT", value_parser = products())]
    pub(crate) products: Vec<String>,
    /// Only clusters with this id or name, in which * stands for any text; may be repeated
    #[arg(long = "cluster", value_name = "ID|NAME")]
    pub(crate) clusters: Vec<String>,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For scripts.
    Json,
}

fn products() -> PossibleValuesParser {
    cloud::products(CLOUDS)
        .map(|product| product.info().name)
        .collect::<Vec<_>>()
        .into()
}

fn interval(text: &str) -> Result<Duration, String> {
    const DAY: Duration = Duration::from_secs(86_400);
    match humantime::parse_duration(text) {
        Ok(length) if (Duration::from_secs(1)..=DAY).contains(&length) => Ok(length),
        _ => Err("a length from 1s to 1d is needed; write 30s".to_owned()),
    }
}
