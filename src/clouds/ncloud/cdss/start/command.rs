//! Subcommand `start cdss`: its flags, examples and cautions.

use clap::{ArgMatches, Args, Command, FromArgMatches as _};

use super::Upgrade;
use crate::cloud::OpenContext;
use crate::cloud::start::{Order, StartCommand, StartExample, StartRequest};
use crate::http::ApiError;

/// The subcommand.
#[derive(Debug)]
pub(in super::super) struct StartCdss;

/// Facts of the vendor's pages that a person should know before the nodes restart.
const CAUTIONS: &[&str] = &[
    "The config group must be one that was made for the Kafka version to go to.",
    "Data may be lost and connections may drop for moments while it runs.",
    "Topics whose partitions are being replicated hold it up.",
];

/// Flags besides those of every start.
#[derive(Debug, Args)]
struct Flags {
    /// The cluster's number
    #[arg(long, value_name = "NUMBER")]
    cluster: String,
    /// The code of the Kafka version to go to, as getCDSSVersionList gives it
    #[arg(long, value_name = "CODE")]
    to_version: String,
    /// The number of a config group that was made for that version
    #[arg(long, value_name = "NUMBER")]
    config_group: String,
}

impl StartCommand for StartCdss {
    fn about(&self) -> &'static str {
        "Start the rolling upgrade of a NAVER Cloud CDSS (Kafka) cluster: rollingUpgrade"
    }

    fn examples(&self) -> &'static [StartExample] {
        &[StartExample {
            flags: "--account=kr-prod --cluster=3432149 \\\n    --to-version=3713006 --config-group=170",
            mode: "--watch",
        }]
    }

    fn with_flags(&self, command: Command) -> Command {
        Flags::augment_args(command)
    }

    fn read(&self, flags: &ArgMatches) -> Result<Box<dyn StartRequest>, Vec<String>> {
        let flags = Flags::from_arg_matches(flags).map_err(|error| vec![error.to_string()])?;
        let upgrade = Upgrade::new(&flags.cluster, &flags.to_version, &flags.config_group)?;
        Ok(Box::new(upgrade))
    }
}

impl StartRequest for Upgrade {
    fn cluster(&self) -> String {
        self.service_group_instance_no.to_string()
    }

    fn target(&self) -> String {
        format!(
            "Kafka version code {}, config group {}",
            self.version_code, self.config_group
        )
    }

    fn cautions(&self) -> Vec<String> {
        CAUTIONS.iter().map(ToString::to_string).collect()
    }

    fn order(&self, context: OpenContext<'_>) -> Result<Order, ApiError> {
        Upgrade::order(self, context)
    }
}
