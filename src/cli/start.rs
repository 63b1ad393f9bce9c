//! Flags of `start`, which has a subcommand for each product whose upgrades can be started.

use clap::{ArgMatches, Args, Command, FromArgMatches};
use rolling_upgrade_exporter::cloud::start::{StartCommand, StartExample, StartRequest};
use rolling_upgrade_exporter::cloud::{ProductInfo, products};
use rolling_upgrade_exporter::clouds::CLOUDS;

use super::ConfigFile;

const RULES: &str = "This is the only command that changes anything in a cloud. Exit codes: 0 the vendor took the\n\
    request (or, with --watch, the upgrade ended well); 1 it was refused, was not sent, or nobody\n\
    knows; 2 wrong usage or config; 3 with --watch, the upgrade failed or is stalled.";

/// Product to start, with the flags.
pub(crate) struct Start {
    /// The product.
    pub(crate) info: &'static ProductInfo,
    /// Flags besides the product's own.
    pub(crate) how: How,
    command: &'static dyn StartCommand,
    /// All flags, for the product to read its own.
    flags: ArgMatches,
}

/// Flags that every start has.
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

impl Start {
    /// Reads the product's own flags and the files that they name.
    ///
    /// # Errors
    /// Returns everything that is wrong with them, a text each.
    pub(crate) fn request(&self) -> Result<Box<dyn StartRequest>, Vec<String>> {
        self.command.read(&self.flags)
    }
}

/// Returns the products whose upgrades can be started.
fn startable() -> impl Iterator<Item = (&'static ProductInfo, &'static dyn StartCommand)> {
    products(CLOUDS).filter_map(|product| Some((product.info(), product.start()?)))
}

/// Returns the end of the help of `start`, with an example of the first product.
pub(super) fn after_help() -> String {
    let example = startable().find_map(|(info, command)| {
        let StartExample { flags, .. } = command.examples().first()?;
        Some(line(info.name, flags, "--dry-run"))
    });
    format!("Example:{}\n\n{RULES}", example.unwrap_or_default())
}

fn line(product: &str, flags: &str, mode: &str) -> String {
    format!("\n  rolling-upgrade-exporter start {product} {flags} {mode}")
}

fn subcommand(info: &'static ProductInfo, start: &dyn StartCommand) -> Command {
    let examples = start.examples();
    let title = if examples.len() > 1 {
        "Examples:"
    } else {
        "Example:"
    };
    let lines = examples
        .iter()
        .map(|example| line(info.name, example.flags, example.mode));
    let command = How::augment_args(Command::new(info.name));
    start.with_flags(command).about(start.about()).after_help(
        std::iter::once(title.to_owned())
            .chain(lines)
            .collect::<String>(),
    )
}

impl Args for Start {
    fn augment_args(command: Command) -> Command {
        let subcommands = startable().map(|(info, start)| subcommand(info, start));
        command
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommands(subcommands)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Start {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let found = matches.subcommand().and_then(|(name, flags)| {
            let (info, command) = startable().find(|(info, _)| info.name == name)?;
            Some((info, command, flags))
        });
        let (info, command, flags) =
            found.ok_or_else(|| clap::Error::new(clap::error::ErrorKind::MissingSubcommand))?;
        Ok(Self {
            info,
            how: How::from_arg_matches(flags)?,
            command,
            flags: flags.clone(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl std::fmt::Debug for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { info, how, .. } = self;
        f.debug_struct("Start")
            .field("product", &info.name)
            .field("how", how)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::{self, Cli};

    fn parse(words: &str) -> Start {
        let words = words.replace("\\\n", " ");
        let words = std::iter::once("rolling-upgrade-exporter").chain(words.split_whitespace());
        match Cli::try_parse_from(words).map(Cli::asked) {
            Ok(cli::Command::Start(start)) => start,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn start_has_a_subcommand_for_each_product_that_can() {
        let cli = Cli::command();
        let start = cli.find_subcommand("start").unwrap();
        let names: Vec<&str> = start.get_subcommands().map(Command::get_name).collect();
        let (can, cannot): (Vec<_>, Vec<_>) =
            products(CLOUDS).partition(|product| product.start().is_some());
        let can: Vec<&str> = can.iter().map(|product| product.info().name).collect();
        assert_eq!(names, can);
        assert!(!can.is_empty() && !cannot.is_empty(), "{can:?}, {cannot:?}");
    }

    #[test]
    fn a_request_comes_from_the_flags_of_the_example() {
        for (info, command) in startable() {
            let example = command.examples()[0].flags;
            let start = parse(&format!("start {} {example} --yes", info.name));
            assert_eq!(start.info.name, info.name);
            assert!(start.how.yes && !start.how.watch);
            let request = start.request().unwrap();
            let cluster = format!("--cluster={}", request.cluster());
            assert!(example.split_whitespace().any(|flag| flag == cluster));
            assert!(!request.target().is_empty() && !request.cautions().is_empty());
        }
    }

    #[test]
    fn wrong_flags_are_all_reported_at_once() {
        for (info, command) in startable() {
            let example = command.examples()[0].flags;
            let wrong = |flag: &str| {
                let (name, _) = flag.split_once('=')?;
                let is_how = name == "--account";
                Some(format!("{name}={}", if is_how { "a" } else { "?" }))
            };
            let flags: Vec<String> = example.split_whitespace().filter_map(wrong).collect();
            let start = parse(&format!("start {} {}", info.name, flags.join(" ")));
            let problems = start.request().err().unwrap();
            assert_eq!(problems.len(), flags.len() - 1, "{problems:?}");
        }
    }
}
