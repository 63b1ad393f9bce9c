//! Subcommand `start cce`: its flags, examples and cautions.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use spanned_yaml::ConfigError;
use tokio::time::Instant;
use watched_file::FileKind;

use super::{Spec, Upgrade};
use crate::cloud::OpenContext;
use crate::cloud::start::{Order, StartCommand, StartExample, StartRequest};
use crate::http::ApiError;

/// The subcommand.
#[derive(Debug)]
pub(in super::super) struct StartCce;

/// Fact of the vendor's pages that a person should know before the nodes restart.
const CAUTION: &str =
    "Huawei Cloud advises to upgrade in its console, and opens this API to some accounts only.";

/// Kind of the file of `--spec`.
const SPEC: FileKind = FileKind {
    noun: "a spec",
    longest: 1 << 20,
};

/// Flags besides those of every start.
#[derive(Debug, Args)]
struct Flags {
    /// The cluster's id
    #[arg(long, value_name = "ID")]
    cluster: String,
    /// The version to go to: v1.28, or in full v1.28.3-r0
    #[arg(long, value_name = "VERSION")]
    to_version: String,
    /// Nodes that are upgraded at the same time, at most: 1 to 120 [default: the spec's, else 20]
    #[arg(long, value_name = "NODES")]
    step: Option<u64>,
    /// clusterUpgradeAction in YAML or JSON, for addons, nodeOrder, nodePoolOrder and the rest; flags
    /// stand over it
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
}

impl StartCommand for StartCce {
    fn about(&self) -> &'static str {
        "Start the upgrade of a Huawei Cloud CCE cluster: operation/upgrade"
    }

    fn examples(&self) -> &'static [StartExample] {
        &[
            StartExample {
                flags: "--account=cn-prod --to-version=v1.28 \\\n    \
                    --cluster=b4b9e60f-8aa2-11ee-af09-0255ac10004f",
                mode: "--dry-run",
            },
            StartExample {
                flags: "--account=cn-prod --to-version=v1.28 \\\n    \
                    --cluster=b4b9e60f-8aa2-11ee-af09-0255ac10004f --step=5 --spec=upgrade.yml",
                mode: "--watch",
            },
        ]
    }

    fn with_flags(&self, command: Command) -> Command {
        Flags::augment_args(command)
    }

    fn read(&self, flags: &ArgMatches) -> Result<Box<dyn StartRequest>, Vec<String>> {
        let flags = Flags::from_arg_matches(flags).map_err(|error| vec![error.to_string()])?;
        let spec = flags.spec.as_deref().map(read_spec).transpose();
        let spec = spec.map_err(|wrong| vec![wrong])?.unwrap_or_default();
        let upgrade = Upgrade::new(&flags.cluster, &flags.to_version, flags.step, spec)?;
        Ok(Box::new(upgrade))
    }
}

/// Reads the file of `--spec`; fails with every problem that it has.
fn read_spec(path: &Path) -> Result<Spec, String> {
    let deadline = Instant::now() + watched_file::LIMIT;
    let text = watched_file::read_text(path, SPEC, deadline);
    let spec = spanned_yaml::parse_file(path, "--spec", text, |text| Spec::parse(&text));
    spec.map_err(|wrong| match wrong {
        ConfigError::Unreadable { .. } => wrong.to_string(),
        ConfigError::Invalid { .. } => format!("the spec cannot be used\n{wrong}"),
    })
}

impl StartRequest for Upgrade {
    fn cluster(&self) -> String {
        self.cluster.clone()
    }

    fn target(&self) -> String {
        self.action().target_version.clone()
    }

    fn cautions(&self) -> Vec<String> {
        let mut cautions = self.remarks();
        cautions.push(CAUTION.to_owned());
        cautions
    }

    fn order(&self, context: OpenContext<'_>) -> Result<Order, ApiError> {
        Upgrade::order(self, &context)
    }
}
