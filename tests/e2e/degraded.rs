//! Secondary calls that fail: what the primary call tells is shown all the same.
//!
//! Each case of a table is an account with a simulated cloud of its own, in which one call fails in one
//! way. One exporter polls all accounts of a table.

mod cce;
mod css;
mod ncloud;
mod neighbours;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::cloud::simulated;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::sim::scenario::{self, Fault};
use rolling_upgrade_exporter::sim::{World, server};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::harness::{
    PROGRAM, Process, Sample, eventually, free_port, get, samples, select, start_exporter,
};

/// Time that the exporter has for what is expected; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);

/// Polls that follow each other fast.
pub(crate) const FAST: &str = "{active_interval: 500ms, idle_interval: 500ms, discovery_interval: 1h, timeout: 1s, rate_limit: 1000}";

/// One poll, and no other for the length of a test.
pub(crate) const SLOW: &str = "{active_interval: 1h, idle_interval: 1h, discovery_interval: 1h, timeout: 1s, rate_limit: 1000}";

/// An account of a table.
pub(crate) struct Case {
    /// Name of the account.
    pub(crate) name: String,
    /// Scenario of its cloud.
    pub(crate) scenario: String,
    /// The account's cloud in the config, such as `ncloud: {…}`; `ENDPOINT` stands for the cloud's address.
    pub(crate) cloud: String,
}

/// Simulated clouds, and the exporter that polls them.
pub(crate) struct Table {
    /// By the account's name.
    worlds: BTreeMap<String, Arc<World>>,
    exporter: Process,
    url: String,
    /// The exporter's config.
    config: String,
    folder: tempfile::TempDir,
    _servers: JoinSet<()>,
}

impl Table {
    /// Starts the clouds of these cases, and an exporter with these `polling` settings; returns after
    /// the first poll of every cluster.
    pub(crate) async fn start(polling: &str, cases: &[Case]) -> Self {
        let mut worlds = BTreeMap::new();
        let mut servers = JoinSet::new();
        let mut config = format!("polling: {polling}\naccounts:\n");
        for case in cases {
            let scenario = scenario::parse(&simulated(CLOUDS), &case.scenario).unwrap();
            let world = Arc::new(World::new(scenario, 1.0, Clock::system()));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = format!("http://{}", listener.local_addr().unwrap());
            servers.spawn(server::run(listener, world.clone()));
            let cloud = case.cloud.replace("ENDPOINT", &endpoint);
            writeln!(config, "  - {{name: {}, {cloud}}}", case.name).unwrap();
            let before = worlds.insert(case.name.clone(), world);
            assert!(before.is_none(), "{} twice", case.name);
        }
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let table = Self {
            worlds,
            exporter: start_exporter(folder.path(), port, &config),
            url: format!("http://127.0.0.1:{port}"),
            config,
            folder,
            _servers: servers,
        };
        eventually(PATIENCE, "readiness", || async {
            let ready = get(&format!("{}/-/ready", table.url)).await;
            ready.map_err(|e| format!("{e}\n{}", table.exporter.output()))
        })
        .await;
        table
    }

    /// Lets a call of an account fail from now on.
    pub(crate) fn inject(&self, account: &str, fault: Fault) {
        self.worlds[account].inject(fault);
    }

    /// Returns how often the requests whose method and path end so came to an account's cloud.
    pub(crate) fn calls(&self, account: &str, end: &str) -> u64 {
        let calls = self.worlds[account].calls();
        let calls = calls.iter().filter(|(call, _)| call.ends_with(end));
        calls.map(|(_, count)| count).sum()
    }

    /// Reloads the config with other `polling` settings. Another `timeout` opens every account anew.
    pub(crate) async fn reopen(&self, polling: &str) {
        let (_, accounts) = self.config.split_once('\n').unwrap();
        let port = self.url.rsplit_once(':').unwrap().1;
        let file = self.folder.path().join(format!("config-{port}.yml"));
        std::fs::write(file, format!("polling: {polling}\n{accounts}")).unwrap();
        self.exporter.signal("HUP").await;
    }

    /// Returns what `status` prints, which polls every cluster once.
    pub(crate) async fn status(&self) -> String {
        let port = self.url.rsplit_once(':').unwrap().1;
        let config = format!("--config.file=config-{port}.yml");
        let status = Command::new(PROGRAM)
            .args(["status", &config])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, status).await;
        String::from_utf8(output.expect("it ends").unwrap().stdout).unwrap()
    }

    /// Returns the exporter's log.
    pub(crate) fn log(&self) -> String {
        self.exporter.output()
    }

    /// Returns what the exporter shows now.
    pub(crate) async fn shown(&self) -> Shown {
        let metrics = get(&format!("{}/metrics", self.url)).await.unwrap();
        let api = get(&format!("{}/api/v1/upgrades", self.url)).await.unwrap();
        Shown {
            samples: samples(&metrics),
            api: serde_json::from_str(&api).unwrap(),
        }
    }

    /// Returns the page with the clusters of one account.
    pub(crate) async fn page(&self, account: &str) -> String {
        let url = format!("{}/?account={account}", self.url);
        get(&url).await.unwrap()
    }

    /// Checks that the card of an account's only cluster tells its failing call as the API does.
    pub(crate) async fn check_card(&self, shown: &Shown, account: &str) {
        let degraded = &shown.cluster(account)["degraded"];
        assert_eq!(degraded.as_array().unwrap().len(), 1, "{account}");
        let told = |field: &str| degraded[0][field].as_str().unwrap();
        let sentence = format!(
            "missing: {}. {} needs {}. Last failure ({}): ",
            told("missing"),
            told("endpoint"),
            told("permission"),
            told("reason").replace('_', " "),
        );
        let page = self.page(account).await;
        assert!(page.contains(&sentence), "{account}: {sentence}\n{page}");
        assert_eq!(page.matches("Degraded</strong>").count(), 1, "{account}");
    }

    /// Waits until the exporter shows what `check` accepts; its error is the reason of a failure.
    pub(crate) async fn until(
        &self,
        what: &str,
        check: impl Fn(&Shown) -> Result<(), String>,
    ) -> Shown {
        eventually(PATIENCE, what, || async {
            let shown = self.shown().await;
            match check(&shown) {
                Ok(()) => Ok(shown),
                Err(error) => Err(format!("{error}\n{}", self.log())),
            }
        })
        .await
    }
}

/// Outputs of the exporter at one moment.
pub(crate) struct Shown {
    pub(crate) samples: Vec<Sample>,
    /// `/api/v1/upgrades`.
    pub(crate) api: Value,
}

impl Shown {
    /// Returns `rolling_upgrade_up` of an account's only cluster.
    pub(crate) fn up(&self, account: &str) -> Option<bool> {
        let found = select(&self.samples, "rolling_upgrade_up", &[("account", account)]);
        assert!(found.len() < 2, "{account} has one cluster");
        found.first().map(|sample| sample.value > 0.5)
    }

    /// Returns the status of the upgrade of this kind in an account.
    pub(crate) fn status(&self, account: &str, kind: &str) -> Option<&str> {
        let labels = [("account", account), ("kind", kind)];
        let all = select(&self.samples, "rolling_upgrade_status", &labels);
        let mut set = all.into_iter().filter(|sample| sample.value > 0.5);
        let status = set.next().map(|sample| sample.label("status"));
        assert!(set.next().is_none(), "{account} has one {kind} upgrade");
        status
    }

    /// Returns the reasons of an account's degraded endpoints.
    pub(crate) fn degraded(&self, account: &str) -> BTreeMap<&str, &str> {
        let name = "rolling_upgrade_exporter_degraded_since_timestamp_seconds";
        let found = select(&self.samples, name, &[("account", account)]);
        let found = found.into_iter();
        found
            .map(|sample| (sample.label("endpoint"), sample.label("reason")))
            .collect()
    }

    /// Returns the failed polls of an account by reason, those that happened.
    pub(crate) fn failures(&self, account: &str) -> BTreeMap<&str, f64> {
        let name = "rolling_upgrade_exporter_poll_failures_total";
        let found = select(&self.samples, name, &[("account", account)]);
        let happened = found.into_iter().filter(|sample| sample.value > 0.0);
        happened
            .map(|sample| (sample.label("reason"), sample.value))
            .collect()
    }

    /// Returns an account's cluster in the API.
    pub(crate) fn cluster(&self, account: &str) -> &Value {
        let clusters = self.api["clusters"].as_array().unwrap();
        let mut found = clusters.iter().filter(|one| one["account"] == account);
        let cluster = found.next();
        cluster.unwrap_or_else(|| panic!("{account} has no cluster in {}", self.api))
    }
}
