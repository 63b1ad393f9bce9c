//! `demo`: the exporter against simulated clouds, in one process.

use rolling_upgrade_exporter::telemetry;

use super::{Failure, bind};
use crate::cli::Demo;

pub(super) async fn run(flags: Demo) -> Result<(), Failure> {
    telemetry::log::start(flags.log.level, flags.log.format);
    let listeners = bind(&flags.listen.addresses).await?;
    let _ = (listeners, flags.speed.factor);
    Err(anyhow::anyhow!("this build has no simulator").into())
}
