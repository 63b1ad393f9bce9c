//! `simulate`: serves the simulated clouds alone.

use rolling_upgrade_exporter::telemetry;

use super::{Failure, bind};
use crate::cli::Simulate;

pub(super) async fn run(flags: Simulate) -> Result<(), Failure> {
    telemetry::log::start(flags.log.level, flags.log.format);
    let listeners = bind(&[flags.listen_address]).await?;
    let _ = (listeners, flags.scenario, flags.speed.factor);
    Err(anyhow::anyhow!("this build has no simulator").into())
}
