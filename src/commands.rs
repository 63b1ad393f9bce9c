//! What each command does, and how it fails.

mod check;
mod completions;
mod demo;
mod export;
mod healthcheck;
mod history;
mod narrow;
mod remote;
mod serve;
mod simulate;
mod start;
mod status;
mod table;

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

use exporter_web::Access;
use exporter_web::listen::systemd::{self, SystemdError};
use exporter_web::listen::{BindError, ListenAddress};
use rolling_upgrade_exporter::app::AppError;
use rolling_upgrade_exporter::config::ConfigError;
use rolling_upgrade_exporter::text;
use tokio::net::TcpListener;

use crate::cli::{Command, PORT, Web, WebConfig};

/// Commands that help where there is no config yet.
const FIRST_STEPS: &str = "\
    To see it at work without a config or an account: rolling-upgrade-exporter demo\n\
    To get an example config, in setup/rolling-upgrade-exporter.example.yml: rolling-upgrade-exporter export --to=setup";

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The config has problems.
    Config(ConfigError),
    /// The web config has problems.
    Web(ConfigError),
    /// What was asked for cannot be done as it was asked.
    Usage(String),
    /// Anything else.
    Run(anyhow::Error),
    /// All was said already; this exit code remains.
    Told(i32),
}

/// Does what was asked for.
pub(crate) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(flags) => serve::run(flags).await,
        Command::Check(flags) => check::run(&flags).await,
        Command::Status(flags) => status::run(flags).await,
        Command::History(flags) => history::run(&flags).await,
        Command::Start(flags) => start::run(flags).await,
        Command::Demo(flags) => demo::run(flags).await,
        Command::Simulate(flags) => simulate::run(flags).await,
        Command::Healthcheck(flags) => healthcheck::run(flags).await,
        Command::Export(flags) => export::run(&flags),
        Command::Completions(flags) => completions::run(&flags),
    }
}

/// Listens on all of the addresses, or on none.
async fn bind(addresses: &[ListenAddress]) -> Result<Vec<TcpListener>, BindError> {
    let mut listeners = Vec::new();
    for address in addresses {
        listeners.extend(address.bind().await?);
    }
    Ok(listeners)
}

/// Listens where the flags say.
async fn listen(flags: &Web) -> Result<Vec<TcpListener>, Failure> {
    if flags.systemd_socket {
        return systemd::take(PORT).map_err(|error| match error {
            SystemdError::Io(..) => Failure::Run(error.into()),
            _ => Failure::Usage(error.to_string()),
        });
    }
    Ok(bind(&flags.addresses).await?)
}

/// Who may come in, and how; without a file everybody over plain HTTP.
fn access(flags: &WebConfig) -> Result<Arc<Access>, Failure> {
    let access = match flags.file() {
        Some(path) => Access::load(path).map_err(Failure::Web)?,
        None => Access::open(),
    };
    Ok(Arc::new(access))
}

/// Prints a line for the person or program that asked.
fn say(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Prints a line on standard error, while the command goes on.
fn complain(why: &str) {
    drop(writeln!(
        io::stderr(),
        "rolling-upgrade-exporter: {}",
        text::lines(why)
    ));
}

impl Failure {
    pub(crate) fn exit_code(&self) -> i32 {
        match self {
            Self::Config(_) | Self::Web(_) | Self::Usage(_) => 2,
            Self::Run(_) => 1,
            Self::Told(code) => *code,
        }
    }

    /// Whoever read the output has closed it: nothing to complain about.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        match self {
            Self::Config(_) | Self::Web(_) | Self::Usage(_) | Self::Told(_) => false,
            Self::Run(error) => error
                .downcast_ref::<io::Error>()
                .is_some_and(|e| e.kind() == ErrorKind::BrokenPipe),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // One problem a line, each with its place.
            Self::Config(problems) => {
                write!(f, "the config cannot be used\n{problems}")?;
                if problems.is_not_there() {
                    write!(f, "\n{FIRST_STEPS}")?;
                }
                Ok(())
            }
            Self::Web(problems) => write!(f, "the web config cannot be used\n{problems}"),
            Self::Usage(why) => f.write_str(why),
            Self::Run(error) => write!(f, "{error:#}"),
            Self::Told(_) => Ok(()),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(problems: ConfigError) -> Self {
        Self::Config(problems)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Run(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Run(error.into())
    }
}

impl From<BindError> for Failure {
    fn from(error: BindError) -> Self {
        Self::Run(error.into())
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::Run(error.into())
    }
}
