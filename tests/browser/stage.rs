//! The clouds that these tests look at: one cluster in each state.

use std::time::Duration;

use serde_json::Value;

use crate::driver::Browser;
use crate::harness::{Pair, eventually, get};

/// The stuck one is stuck and the failed one has failed within seconds; nothing else changes but
/// `moves`, which never ends.
const SCENARIO: &str = r#"
clusters:
  - product: ses
    id: "1001"
    name: 검색-로그
    versions: ["270", "290"]
    starts_after: 0s
    nodes: [{name: 노드-하나, role: D}, {name: d-2, role: D}, {name: m-1, role: M}]
    steps: [{name: Upgrade_OpenSearch, takes: 1s}]
    hangs: {node: 2, step: 1, lasts: 1h}
  - product: ses
    id: "1002"
    name: quiet
    versions: ["290"]
    nodes: [{name: d-1, role: D}]
  - product: css
    id: 1b0dd1e3-2a3f-4a5c-8c7d-3a0d9a1f7c11
    name: 搜索-订单
    versions: ["7.6.2", "7.10.2"]
    starts_after: 0s
    nodes: [{name: 节点-1, role: ess}, {name: ess-2, role: ess}]
    steps: [{name: Data migration, takes: 1s}, {name: Node replacement, takes: 1s}]
    fails: {node: 2, step: 2}
  - product: css
    id: 2b0dd1e3-2a3f-4a5c-8c7d-3a0d9a1f7c11
    name: moves
    versions: ["7.6.2", "7.10.2"]
    starts_after: 0s
    nodes: [{name: a, role: ess}, {name: b, role: ess}, {name: c, role: ess}, {name: d, role: ess}]
    steps: [{name: Data migration, takes: 20s}, {name: Node replacement, takes: 1h}]
  - product: cce
    id: b4b9e60f-8aa2-11ee-af09-0255ac10004f
    name: done
    versions: ["v1.29.8-r0", "v1.30.4-r0"]
    starts_after: 0s
    nodes: [{name: node-1, role: node}]
    steps: [{name: Upgrade, takes: 1s}]
"#;

const CONFIG: &str = r#"
polling: {active_interval: 1s, idle_interval: 1s, discovery_interval: 5s, rate_limit: 100}
accounts:
  - name: kr-prod
    ncloud:
      region: KR
      access_key: SIMNCLOUDACCESSKEY00
      secret_key: sim-ncloud-secret-key
      ses: {endpoint: "ENDPOINT", stalled_after: 4s}
  - name: cn-prod
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: SIMHUAWEIACCESSKEY00
      secret_key: sim-huawei-secret-key
      css: {endpoint: "ENDPOINT"}
      cce: {endpoint: "ENDPOINT"}
  - name: <b>wrong</b>
    ncloud:
      region: KR
      access_key: SIMNCLOUDACCESSKEY00
      secret_key: not-the-secret
      ses: {endpoint: "ENDPOINT", clusters: [{id: 1, name: "<img src=x onerror=alert(1)>"}]}
"#;

/// The clouds, the exporter, and a browser.
pub(crate) struct Stage {
    pub(crate) browser: Browser,
    pub(crate) pair: Pair,
}

impl Stage {
    /// All of them, once the clouds are in the state that stays.
    pub(crate) async fn set() -> Self {
        let pair = Pair::start(SCENARIO, CONFIG).await;
        let stage = Self {
            browser: Browser::start(pair.folder.path()).await,
            pair,
        };
        eventually(Duration::from_secs(60), "one of each state", || async {
            let mut missing = Vec::new();
            for (state, name) in STATES {
                let found = stage.report(&format!("state={state}")).await;
                if !found.to_string().contains(name) {
                    missing.push(name);
                }
            }
            if missing.is_empty() {
                return Ok(());
            }
            Err(format!("{missing:?} in {}", stage.report("").await))
        })
        .await;
        stage
    }

    /// What `/api/v1/upgrades` says.
    pub(crate) async fn report(&self, query: &str) -> Value {
        let url = format!("{}/api/v1/upgrades?{query}", self.pair.url);
        serde_json::from_str(&get(&url).await.unwrap()).unwrap()
    }

    pub(crate) async fn open(&self, query: &str) {
        let url = format!("{}/{query}", self.pair.url);
        self.browser.open(&url).await;
    }

    /// The names of the clusters on the page, in its order.
    pub(crate) async fn names(&self) -> Vec<String> {
        let found = "[...document.querySelectorAll('h3,#idle-clusters tbody th > bdi')]\
                     .map(e => e.textContent)";
        let found = self.browser.eval(found).await;
        let found = found.as_array().unwrap().iter();
        found
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) async fn has_a_quiet_console(&self) {
        assert_eq!(self.browser.console().await, Vec::<String>::new());
    }
}

/// Which cluster is in which state, in the order of the page.
pub(crate) const STATES: [(&str, &str); 6] = [
    ("failed", "搜索-订单"),
    ("stalled", "검색-로그"),
    ("silent", "<img src=x onerror=alert(1)>"),
    ("running", "moves"),
    ("ended", "done"),
    ("idle", "quiet"),
];
