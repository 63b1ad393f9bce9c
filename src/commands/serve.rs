//! `serve`: reads the config, takes its port, then polls and answers.

use rolling_upgrade_exporter::app::{self, Options};
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::{config, telemetry};

use super::{Failure, access, listen};
use crate::cli::Serve;

pub(super) async fn run(flags: Serve) -> Result<(), Failure> {
    telemetry::log::start(flags.log.level, flags.log.format)?;
    let config = config::load(CLOUDS, &flags.config.file)?;
    let access = access(&flags.web.config)?;
    // The port comes first: a second exporter by mistake must not call the clouds.
    let listeners = listen(&flags.web).await?;
    if flags.storage_path.is_none() {
        tracing::info!(
            "The state is kept in memory: a restart begins anew what the vendors do not tell, as times and finished nodes that were only seen. With --storage.path it lasts."
        );
    }
    let options = Options {
        clouds: CLOUDS,
        prefix: flags.web.prefix(),
        external_url: flags.web.external_url,
        telemetry_path: flags.web.telemetry_path,
        config_file: Some(flags.config.file),
        storage_path: flags.storage_path,
        lifecycle: flags.web.lifecycle,
        access,
        max_connections: flags.web.max_connections,
        trusted_proxies: flags.web.trusted_proxies.into_iter().collect(),
    };
    Ok(app::run(config, listeners, options).await?)
}
