//! The demo: a scenario, and a config that points the real pollers at it.
//!
//! Each product brings its clusters ([`super::Service::demo`]). Together every product moves, and within two
//! minutes one upgrade gets stuck, one fails, and others succeed. From then on one upgrade that failed and one
//! that is stalled are in sight at any time.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use spanned_yaml::Problem;

use super::SimulatedCloud;
use super::scenario::{self, Scenario};

/// Silence after which the demo calls an upgrade stalled, at speed 1. No step of the scenario is as long,
/// but for those that hang.
const STALLED_AFTER: Duration = Duration::from_secs(20);

/// Shortest such silence at any speed: the exporter asks once a second.
const SHORTEST_STALL: Duration = Duration::from_secs(4);

/// Reads the scenario that `demo` plays: those of the clouds' products, one after another.
///
/// # Errors
/// Returns the problems of the first product whose scenario cannot be read.
pub fn scenario(clouds: &[SimulatedCloud]) -> Result<Scenario, Vec<Problem>> {
    let mut whole = scenario::parse(clouds, "clusters: []")?;
    for product in clouds.iter().flat_map(|cloud| &cloud.products) {
        let part = scenario::parse(clouds, product.service.demo())?;
        whole.clusters.extend(part.clusters);
        whole.faults.extend(part.faults);
    }
    Ok(whole)
}

/// Returns the config that watches everything in the scenario, served at `simulator` at this speed.
pub fn config(scenario: &Scenario, simulator: SocketAddr, speed: f64) -> String {
    let stalled_after = STALLED_AFTER.div_f64(speed.max(1e-3)).max(SHORTEST_STALL);
    let mut text = format!(
        "
polling:
  active_interval: 1s
  idle_interval: 2s
  discovery_interval: 10s
  rate_limit: 100
upgrades:
  stalled_after: {}ms
accounts:
",
        stalled_after.as_millis()
    );
    for cloud in &scenario.clouds {
        let _written = write!(text, "  - name: demo-{0}\n    {0}:\n", cloud.name);
        for (key, value) in cloud.gateway.config(&scenario.accounts) {
            let _written = writeln!(text, "      {key}: {}", Value::from(value));
        }
        for product in &cloud.products {
            let name = product.name;
            let _written = writeln!(text, "      {name}: {{endpoint: \"http://{simulator}\"}}");
        }
    }
    text
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
