//! `simulate`: serves the simulated clouds alone.

use std::path::Path;
use std::sync::Arc;

use rolling_upgrade_exporter::app::Signals;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::config::ConfigError;
use rolling_upgrade_exporter::sim::{World, demo, scenario, server};
use rolling_upgrade_exporter::telemetry;
use tokio::task::JoinSet;
use tokio::time::Instant;
use watched_file::FileKind;

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

/// The scenario that `demo` plays.
pub(super) fn read_demo() -> Result<scenario::Scenario, Failure> {
    check(Path::new("demo.scenario.yml"), demo::SCENARIO)
}

/// Kind of the file of `--scenario`.
const SCENARIO: FileKind = FileKind {
    noun: "a scenario",
    longest: 16 << 20,
};

fn read(path: &Path) -> Result<scenario::Scenario, Failure> {
    let deadline = Instant::now() + watched_file::LIMIT;
    let text = watched_file::read_text(path, SCENARIO, deadline).map_err(|error| {
        let error = error.named_by("--scenario");
        Failure::Usage(format!("cannot read {}: {error}", path.display()))
    })?;
    check(path, &text)
}

fn check(path: &Path, text: &str) -> Result<scenario::Scenario, Failure> {
    scenario::parse(text).map_err(|problems| {
        Failure::Config(ConfigError::Invalid {
            path: path.to_owned(),
            problems,
        })
    })
}
