//! `demo`: the exporter against simulated clouds, in one process.

use std::path::Path;
use std::sync::Arc;

use exporter_web::listen::ListenAddress;
use exporter_web::{Limits, RoutePrefix, TrustedProxies};
use rolling_upgrade_exporter::app::{self, Options};
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::cloud::products;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config::{self, ConfigError};
use rolling_upgrade_exporter::sim::{World, demo, server};
use rolling_upgrade_exporter::telemetry;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{Failure, access, bind, say, simulate};
use crate::cli::Demo;

pub(super) async fn run(flags: Demo) -> Result<(), Failure> {
    telemetry::log::start(flags.log.level, flags.log.format)?;
    let access = access(&flags.web_config)?;
    let scheme = access.scheme();
    let listeners = bind(&flags.addresses).await?;
    let scenario = simulate::read_demo()?;
    let clouds = TcpListener::bind("127.0.0.1:0").await?;
    let simulator = clouds.local_addr()?;
    let text = demo::config(&scenario, simulator, flags.speed.factor);
    let config = config::parse(CLOUDS, &text, Path::new("."), &|_| None).map_err(|problems| {
        Failure::Config(ConfigError::Invalid {
            path: "the demo's config".into(),
            problems,
        })
    })?;
    for address in flags
        .addresses
        .iter()
        .flat_map(ListenAddress::reachable)
        .take(1)
    {
        say(&format!("page       {scheme}://{address}/"))?;
        say(&format!("metrics    {scheme}://{address}/metrics"))?;
    }
    say(&format!("simulator  http://{simulator}"))?;
    let products = spelled(products(CLOUDS).count());
    say(&format!(
        "Within two minutes nodes move on all {products} products, one gets stuck, one upgrade fails,"
    ))?;
    say("and others succeed. Then it goes on to newer versions, with one upgrade that failed and")?;
    say("one that is stalled in sight at any time. Ctrl-C ends it.")?;
    let world = World::new(scenario, flags.speed.factor, Clock::system());
    // Dropped, and so ended, with this function.
    let mut background = JoinSet::new();
    background.spawn(server::run(clouds, Arc::new(world)));
    let options = Options {
        storage_path: None,
        clouds: CLOUDS,
        external_url: None,
        prefix: RoutePrefix::default(),
        telemetry_path: "/metrics".to_owned(),
        config_file: None,
        lifecycle: false,
        access,
        max_connections: Limits::default().connections,
        trusted_proxies: TrustedProxies::default(),
    };
    Ok(app::run(config, listeners, options).await?)
}

/// Spells a small number; writes a larger one in digits.
fn spelled(count: usize) -> String {
    const WORDS: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    let word = WORDS.get(count).map(|word| (*word).to_owned());
    word.unwrap_or_else(|| count.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_spelled() {
        let all = [4, 12, 13].map(spelled);
        assert_eq!(all, ["four", "twelve", "13"]);
    }
}
