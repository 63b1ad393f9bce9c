//! Flags of `history`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, ValueHint};
use rolling_upgrade_exporter::model::UpgradeStatus;
use rolling_upgrade_exporter::report::{HistoryFilter, OUTCOMES};

use super::{Narrow, Output, Remote};

pub(super) const AFTER_HELP: &str = "Examples:\n  \
    rolling-upgrade-exporter history --storage.path=state --cluster='search-*' --nodes\n  \
    rolling-upgrade-exporter history --url=http://127.0.0.1:10850 --outcome=failed\n\n\
    Exit codes: 0 the history was read, also when no upgrade is in it; 1 error; 2 wrong usage.";

/// Help of `--url`, which reads something else here.
const URL: &str = "Read the history of the running exporter whose page is at this address";

/// Flags that need a running exporter.
const REMOTE_FLAGS: [&str; 6] = [
    "ca_file",
    "username",
    "password_file",
    "bearer_token_file",
    "cert_file",
    "key_file",
];

/// Source of the history, upgrades to show, and form of the output.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("source").args(["storage_path", "url"]).required(true),
    mut_arg("url", |url| url.help(URL))
)]
pub(crate) struct History {
    /// Read the history from this folder of an exporter that does not run
    #[arg(long = "storage.path", value_name = "DIR", value_hint = ValueHint::DirPath,
          conflicts_with_all = REMOTE_FLAGS)]
    pub(crate) storage_path: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) narrow: Narrow,
    /// Only upgrades that ended like this; may be repeated
    #[arg(long = "outcome", value_name = "OUTCOME", value_parser = outcomes())]
    pub(crate) outcomes: Vec<UpgradeStatus>,
    /// Only so many, those that ended last [default: 50 in a table, all in json]
    #[arg(long, value_name = "NUMBER", value_parser = limit)]
    pub(crate) limit: Option<usize>,
    /// Below the table also the nodes and tasks of each upgrade
    #[arg(long)]
    pub(crate) nodes: bool,
    /// The form of the output; json is the document of /api/v1/history
    #[arg(long, value_enum, value_name = "FORM", default_value = "table")]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

fn outcomes() -> impl TypedValueParser<Value = UpgradeStatus> {
    let words = OUTCOMES.map(UpgradeStatus::as_str);
    PossibleValuesParser::new(words).try_map(|word| {
        let outcome = OUTCOMES.into_iter().find(|known| known.as_str() == word);
        outcome.ok_or("no outcome")
    })
}

fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(limit @ 1..=HistoryFilter::MOST) => Ok(limit),
        _ => Err(format!(
            "a number from 1 to {} is needed",
            HistoryFilter::MOST
        )),
    }
}
