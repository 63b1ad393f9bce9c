//! The demo: a scenario, and a config that points the real pollers at it.

use std::net::SocketAddr;
use std::time::Duration;

use super::scenario::Scenario;

/// The scenario that `demo` plays.
pub const SCENARIO: &str = include_str!("demo.scenario.yml");

/// Silence after which the demo calls an upgrade stalled, at speed 1. No step of the scenario is as long,
/// but for those that hang.
const STALLED_AFTER: Duration = Duration::from_secs(20);

/// Shortest such silence at any speed: the exporter asks once a second.
const SHORTEST_STALL: Duration = Duration::from_secs(4);

/// Returns the config that watches everything in the scenario, served at `simulator` at this speed.
pub fn config(scenario: &Scenario, simulator: SocketAddr, speed: f64) -> String {
    use secrecy::ExposeSecret;
    let stalled_after = STALLED_AFTER.div_f64(speed.max(1e-3)).max(SHORTEST_STALL);
    let endpoint = format!("http://{simulator}");
    let (ncloud, huawei) = (&scenario.ncloud, &scenario.huawei);
    format!(
        r#"
polling:
  active_interval: 1s
  idle_interval: 2s
  discovery_interval: 10s
  rate_limit: 100
upgrades:
  stalled_after: {stalled_after}ms
accounts:
  - name: demo-ncloud
    ncloud:
      region: {ncloud_region}
      access_key: {ncloud_access}
      secret_key: {ncloud_secret}
      ses: {{endpoint: "{endpoint}"}}
      cdss: {{endpoint: "{endpoint}"}}
  - name: demo-huawei
    huawei:
      region: cn-north-4
      project_id: {project}
      access_key: {huawei_access}
      secret_key: {huawei_secret}
      css: {{endpoint: "{endpoint}"}}
      cce: {{endpoint: "{endpoint}"}}
"#,
        stalled_after = stalled_after.as_millis(),
        ncloud_region = ncloud.region,
        ncloud_access = ncloud.access_key,
        ncloud_secret = ncloud.secret_key.expose_secret(),
        project = huawei.project_id,
        huawei_access = huawei.access_key,
        huawei_secret = huawei.secret_key.expose_secret(),
    )
}

#[cfg(test)]
mod tests;
