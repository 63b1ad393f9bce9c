//! The demo: a scenario, and a config that points the real pollers at it.

use std::net::SocketAddr;

use super::scenario::Scenario;

/// The scenario that `demo` plays.
pub const SCENARIO: &str = include_str!("demo.scenario.yml");

/// A config that watches everything in the scenario, served at `simulator`.
pub fn config(scenario: &Scenario, simulator: SocketAddr) -> String {
    use secrecy::ExposeSecret;
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
  stalled_after: 20s
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
        ncloud_region = ncloud.region,
        ncloud_access = ncloud.access_key,
        ncloud_secret = ncloud.secret_key.expose_secret(),
        project = huawei.project_id,
        huawei_access = huawei.access_key,
        huawei_secret = huawei.secret_key.expose_secret(),
    )
}
