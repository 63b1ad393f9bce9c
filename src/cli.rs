//! The command line, as it is typed.

mod check;
mod completions;
#[cfg(test)]
mod examples;
mod export;
mod history;
mod quoting;
mod start;
mod status;
mod web;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueHint};
use exporter_web::listen::ListenAddress;
use rolling_upgrade_exporter::cloud::Cloud;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::telemetry::log::{Format, Level};
use rolling_upgrade_exporter::{BUILD_REVISION, BUILD_RUSTC};

pub(crate) use check::Check;
pub(crate) use completions::Completions;
pub(crate) use export::Export;
pub(crate) use history::History;
pub(crate) use quoting::without_passwords;
pub(crate) use start::{How, Start};
pub(crate) use status::{Narrow, Output, Remote, Status};
use web::listen_address;
pub(crate) use web::{PORT, Web};

static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} (commit {BUILD_REVISION}, rustc {BUILD_RUSTC})",
        env!("CARGO_PKG_VERSION")
    )
});

/// The program in one line, with all products.
static ABOUT: LazyLock<String> = LazyLock::new(|| {
    let of_cloud = |cloud: &&'static dyn Cloud| {
        let products = cloud.products().iter();
        let names: Vec<String> = products
            .map(|product| product.info().name.to_uppercase())
            .collect();
        let names = match names.split_last() {
            Some((last, others)) if !others.is_empty() => {
                format!("{} and {last}", others.join(", "))
            }
            _ => names.concat(),
        };
        format!("{} {names}", cloud.title())
    };
    let clouds: Vec<String> = CLOUDS.iter().map(of_cloud).collect();
    format!(
        "Prometheus exporter for the rolling upgrades of managed clusters: {}",
        clouds.join(", ")
    )
});

static LONG_ABOUT: LazyLock<String> =
    LazyLock::new(|| format!("{}.\n\nWithout a command it serves.", *ABOUT));

/// Command line of the program.
#[derive(Debug, Parser)]
#[command(
    name = "rolling-upgrade-exporter",
    version = VERSION.as_str(),
    about = ABOUT.as_str(),
    long_about = LONG_ABOUT.as_str(),
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    after_help = "Example:\n  rolling-upgrade-exporter --config.file=/etc/rolling-upgrade-exporter.yml\n\n\
                  Exit codes: 0 ended by a signal, 1 error, 2 wrong usage or config."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Poll the clouds and serve the metrics; this is what happens without a command
    #[command(
        after_help = "Example:\n  rolling-upgrade-exporter serve --web.listen-address=127.0.0.1:10850"
    )]
    Serve(Serve),
    /// Check the config and tell every problem with its line and column; calls nobody without --live
    #[command(after_help = check::AFTER_HELP)]
    Check(Check),
    /// Show where every upgrade stands: polls the clouds once by itself, or reads a running exporter
    #[command(after_help = status::AFTER_HELP)]
    Status(Status),
    /// List past upgrades from the storage or from a running exporter: outcome, duration, nodes
    #[command(after_help = history::AFTER_HELP)]
    History(History),
    /// Request an upgrade: the only command that changes anything in a cloud
    #[command(after_help = start::after_help())]
    Start(Start),
    /// Show everything with simulated clouds: needs no account and no config
    #[command(after_help = "Example:\n  rolling-upgrade-exporter demo --speed=2")]
    Demo(Demo),
    /// Serve the simulated clouds alone, for tests and other clients
    #[command(
        after_help = "Example:\n  rolling-upgrade-exporter simulate --scenario=scenario.yml --speed=60"
    )]
    Simulate(Simulate),
    /// Ask the exporter on this machine whether it lives; exits 0 or 1, for container health checks
    #[command(
        after_help = "Example:\n  rolling-upgrade-exporter healthcheck --web.listen-address=:10850"
    )]
    Healthcheck(Healthcheck),
    /// Write the alert rules, runbooks, dashboards, manifests and the example config to a folder
    #[command(after_help = export::AFTER_HELP)]
    Export(Export),
    /// Print the script by which a shell completes commands and flags
    #[command(after_help = completions::AFTER_HELP)]
    Completions(Completions),
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// Folder in which the state is kept over restarts; without it the state is kept in memory
    #[arg(long = "storage.path", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) storage_path: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) web: Web,
    #[command(flatten)]
    pub(crate) log: Log,
}

/// Flags of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where the exporter listens: :PORT for every address, or HOST:PORT; may be repeated
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:10850",
        value_parser = listen_address
    )]
    pub(crate) addresses: Vec<ListenAddress>,
    #[command(flatten)]
    pub(crate) web_config: WebConfig,
    #[command(flatten)]
    pub(crate) speed: Speed,
    #[command(flatten)]
    pub(crate) log: Log,
}

/// Flags of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Where the simulated clouds listen
    #[arg(
        long = "listen-address",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:10851",
        value_parser = listen_address
    )]
    pub(crate) listen_address: ListenAddress,
    /// What happens in the clouds; without it the demo's scenario
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) speed: Speed,
    #[command(flatten)]
    pub(crate) log: Log,
}

/// Flags of `healthcheck`.
#[derive(Debug, Args)]
pub(crate) struct Healthcheck {
    #[command(flatten)]
    pub(crate) web: Web,
}

/// The config's place.
#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// The config
    #[arg(
        long = "config.file",
        value_name = "FILE",
        default_value = "rolling-upgrade-exporter.yml"
    )]
    pub(crate) file: PathBuf,
}

/// Who may ask, and how.
#[derive(Debug, Args)]
pub(crate) struct WebConfig {
    /// TLS, logins, headers and a limit of requests, in the file that every Prometheus exporter takes;
    /// without it plain HTTP for everybody
    #[arg(id = "web_config_file", long = "web.config.file", value_name = "FILE",
          value_parser = OsStringValueParser::new().map(PathBuf::from))]
    file: Option<PathBuf>,
}

impl WebConfig {
    /// The file. An empty name is none, as with every Prometheus exporter.
    pub(crate) fn file(&self) -> Option<&Path> {
        let file = self.file.as_deref();
        file.filter(|path| !path.as_os_str().is_empty())
    }
}

/// How fast the simulated clouds move.
#[derive(Debug, Args)]
pub(crate) struct Speed {
    /// Divides the lengths of steps; the clock stays real
    #[arg(long = "speed", value_name = "FACTOR", default_value = "1", value_parser = speed)]
    pub(crate) factor: f64,
}

/// What goes to the log.
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// How much to log
    #[arg(
        long = "log.level",
        value_name = "LEVEL",
        value_enum,
        default_value = "info"
    )]
    pub(crate) level: Level,
    /// The form of a log line
    #[arg(
        long = "log.format",
        value_name = "FORMAT",
        value_enum,
        default_value = "text"
    )]
    pub(crate) format: Format,
}

impl Cli {
    /// What was asked for; to serve when nothing else was.
    pub(crate) fn asked(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (0.001..=1_000_000.0).contains(&factor) => Ok(factor),
        _ => Err("a number from 0.001 to 1000000 is needed; 2 is twice as fast".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(words: &[&str]) -> Result<Command, clap::Error> {
        let words = std::iter::once("rolling-upgrade-exporter").chain(words.iter().copied());
        Cli::try_parse_from(words).map(Cli::asked)
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serves_with_and_without_the_word() {
        for words in [&["serve"][..], &[]] {
            let flags = [
                "--config.file=x.yml",
                "--web.listen-address=:1",
                "--web.listen-address",
                "[::1]:2",
                "--web.enable-lifecycle",
                "--web.trusted-proxies=10.0.0.0/8, ::1",
                "--web.trusted-proxies=192.0.2.1",
                "--web.config.file=web.yml",
                "--log.level=debug",
                "--log.format=json",
            ];
            let words: Vec<_> = words.iter().copied().chain(flags).collect();
            let Ok(Command::Serve(serve)) = parse(&words) else {
                panic!("{words:?} do not serve");
            };
            assert!(serve.web.lifecycle);
            assert_eq!(serve.config.file, PathBuf::from("x.yml"));
            let addresses: Vec<_> = serve
                .web
                .addresses
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(addresses, [":1", "[::1]:2"]);
            let proxies = serve.web.trusted_proxies.iter();
            let proxies: Vec<_> = proxies.map(ToString::to_string).collect();
            assert_eq!(proxies, ["10.0.0.0/8", "::1/128", "192.0.2.1/32"]);
            assert_eq!(serve.web.config.file, Some(PathBuf::from("web.yml")));
            assert_eq!(
                (serve.log.level, serve.log.format),
                (Level::Debug, Format::Json)
            );
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_docs() {
        let Ok(Command::Serve(serve)) = parse(&[]) else {
            panic!("nothing does not serve");
        };
        assert_eq!(
            serve.config.file,
            PathBuf::from("rolling-upgrade-exporter.yml")
        );
        assert_eq!(serve.web.addresses, [listen_address(":10850").unwrap()]);
        assert_eq!(serve.web.telemetry_path, "/metrics");
        let Ok(Command::Simulate(simulate)) = parse(&["simulate"]) else {
            panic!("simulate does not simulate");
        };
        assert_eq!(simulate.listen_address.to_string(), "127.0.0.1:10851");
        assert!((simulate.speed.factor - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_prefix_is_the_path_of_the_external_url_unless_it_is_given() {
        let url = "--web.external-url=https://x.example/a/";
        for (flags, prefix) in [
            (&[][..], ""),
            (&[url], "/a"),
            (&[url, "--web.route-prefix=/"], ""),
            (&[url, "--web.route-prefix=b"], "/b"),
            (&["--web.route-prefix=/b/"], "/b"),
        ] {
            let Ok(Command::Serve(serve)) = parse(flags) else {
                panic!("{flags:?} do not serve");
            };
            assert_eq!(serve.web.prefix().as_str(), prefix, "{flags:?}");
        }
    }

    #[test]
    fn healthcheck_takes_every_web_flag_of_serve() {
        let flags = |name: &str| -> Vec<String> {
            let cli = Cli::command();
            let command = cli.find_subcommand(name).unwrap();
            let longs = command.get_arguments().filter_map(clap::Arg::get_long);
            let web = longs.filter(|long| long.starts_with("web."));
            web.map(str::to_owned).collect()
        };
        assert!(flags("serve").len() > 3);
        assert_eq!(flags("serve"), flags("healthcheck"));
    }

    #[test]
    fn refuses_what_cannot_work() {
        for words in [
            &["--web.telemetry-path=metrics"][..],
            &["--web.telemetry-path=/-/healthy"],
            &["--web.telemetry-path=/a b"],
            &["--web.telemetry-path=/m?x"],
            &["--web.telemetry-path=/api/v1/upgrades"],
            &["--web.telemetry-path=/history"],
            &["--web.external-url=/upgrades"],
            &["--web.external-url=https://x.example/a%20b"],
            &["--web.route-prefix=/a b"],
            &["--web.trusted-proxies="],
            &["--web.trusted-proxies=::1,10.0.0.0/33"],
            &["--web.listen-address=10850"],
            &["--log.level=loud"],
            &["--no-such-flag"],
            &["no-such-command"],
            &["--config.file=x", "check"],
            &["check", "--web.listen-address=:1"],
            &["demo", "--speed=0"],
            &["demo", "--speed=nan"],
        ] {
            let error = parse(words).expect_err(&words.join(" "));
            assert_eq!(error.exit_code(), 2, "{words:?}");
        }
    }
}
