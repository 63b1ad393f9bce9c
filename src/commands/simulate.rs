//! `simulate`: serves the simulated clouds alone.

use std::path::Path;
use std::sync::Arc;

use rolling_upgrade_exporter::app::Signals;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::cloud::simulated;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config::ConfigError;
use rolling_upgrade_exporter::sim::{World, demo, scenario, server};
use rolling_upgrade_exporter::telemetry;
use tokio::task::JoinSet;
use tokio::time::Instant;
use watched_file::{FileError, FileKind};

use super::{Failure, bind, say};
use crate::cli::Simulate;

pub(super) async fn run(flags: Simulate) -> Result<(), Failure> {
    telemetry::log::start(flags.log.level, flags.log.format)?;
    let scenario = match &flags.scenario {
        Some(path) => read(path)?,
        None => read_demo()?,
    };
    let clusters = scenario.clusters.len();
    let world = Arc::new(World::new(scenario, flags.speed.factor, Clock::system()));
    let mut signals = Signals::new()?;
    let mut servers = JoinSet::new();
    for listener in bind(&[flags.listen_address]).await? {
        let address = listener.local_addr()?;
        say(&format!(
            "Simulating {clusters} clusters on http://{address}"
        ))?;
        servers.spawn(server::run(listener, world.clone()));
    }
    signals.next().await;
    Ok(())
}

/// Reads the scenario that `demo` plays.
pub(super) fn read_demo() -> Result<scenario::Scenario, Failure> {
    demo::scenario(&simulated(CLOUDS)).map_err(|problems| {
        Failure::Config(ConfigError::Invalid {
            path: "the demo's scenario".into(),
            problems,
        })
    })
}

/// Kind of the file of `--scenario`.
const SCENARIO: FileKind = FileKind {
    noun: "a scenario",
    longest: 16 << 20,
};

fn read(path: &Path) -> Result<scenario::Scenario, Failure> {
    let deadline = Instant::now() + watched_file::LIMIT;
    parse(path, watched_file::read_text(path, SCENARIO, deadline))
}

fn parse(path: &Path, text: Result<String, FileError>) -> Result<scenario::Scenario, Failure> {
    let scenario = spanned_yaml::parse_file(path, "--scenario", text, |text| {
        scenario::parse(&simulated(CLOUDS), &text)
    });
    scenario.map_err(|wrong| match wrong {
        ConfigError::Unreadable { .. } => Failure::Usage(wrong.to_string()),
        ConfigError::Invalid { .. } => Failure::Config(wrong),
    })
}
