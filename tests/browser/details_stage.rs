//! A server in this process, for what no simulator tells: clusters with every detail that a vendor may
//! give, with names as long as vendors make them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use exporter_web::{Access, Reload, RoutePrefix, Settings};
use jiff::{SignedDuration, Timestamp};
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::expose::Exposition;
use rolling_upgrade_exporter::model::{
    AvailableVersion, ClusterState, Details, DiscoveryState, Finding, FindingScope, Key, Kind,
    LastError, Node, NodeStatus, Precheck, Reason, Task, TaskStatus, Thresholds, Upgrade,
    UpgradeStatus, UpgradeView, ZoneMove, ZonePlan, progress,
};
use rolling_upgrade_exporter::ready::Ready;
use rolling_upgrade_exporter::store::Store;
use rolling_upgrade_exporter::telemetry::{Metrics, PREFIX};
use rolling_upgrade_exporter::web::App;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::driver::Browser;

/// Message of the error that a cluster and its list have in common.
pub(crate) const REFUSED: &str = "getClusterInfoList: the vendor did not accept the access key or its signature; \
     check access_key, secret_key and zone; the vendor says: Authentication Failed (HTTP 401, code 200)";

/// Server and browser.
pub(crate) struct DetailsStage {
    pub(crate) browser: Browser,
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
    _folder: tempfile::TempDir,
}

impl DetailsStage {
    pub(crate) async fn start() -> Self {
        let store = Arc::new(Store::new());
        store.put_all(clusters());
        for product in discoveries() {
            store.put_discovery(product);
        }
        crate::history::fill(&store);
        let (ready, latch) = Ready::new();
        drop(latch);
        let (clock, mut metrics) = (Clock::system(), Metrics::new());
        let web = exporter_web::Metrics::register(metrics.registry(), PREFIX);
        let settings = Settings::new(Arc::new(Access::open()), web);
        let app = App {
            clouds: CLOUDS,
            store,
            exposition: Arc::new(Exposition::new(Arc::new(metrics), clock.clone())),
            ready,
            reload: Reload::Off,
            prefix: RoutePrefix::default(),
            external_url: None,
            telemetry_path: "/metrics".to_owned(),
            clock,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(exporter_web::serve(vec![listener], settings, app, async {
            drop(stopped.await);
        }));
        let folder = tempfile::tempdir().unwrap();
        Self {
            browser: Browser::start(folder.path()).await,
            address,
            _stop: stop,
            _folder: folder,
        }
    }

    pub(crate) async fn open(&self, query: &str) {
        self.browser
            .open(&format!("http://{}/{query}", self.address))
            .await;
    }

    /// Returns the text of the card with this title.
    pub(crate) async fn card(&self, title: &str) -> String {
        let card = format!(
            "[...document.querySelectorAll('article')]\
             .find(a => a.querySelector('h3').textContent === '{title}').innerText"
        );
        self.browser.text(&card).await
    }
}

fn ago(seconds: i64) -> Timestamp {
    Clock::system().now() - SignedDuration::from_secs(seconds)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(crate) fn cluster(
    product: &'static str,
    id: &str,
    name: &str,
    upgrade: Option<Upgrade>,
) -> ClusterState {
    let is_ses = product == "ses";
    ClusterState {
        key: Key {
            account: if is_ses { "kr-prod" } else { "cn-prod" }.into(),
            product,
            id: id.into(),
        },
        cloud: if is_ses { "ncloud" } else { "huawei" },
        cloud_region: if is_ses { "KR" } else { "cn-north-4" }.into(),
        name: name.into(),
        version: "".into(),
        version_name: None,
        raw_status: "200".into(),
        status_meaning: Some("available"),
        available: Vec::new(),
        up: true,
        answered: true,
        last_success: ago(3),
        last_error: None,
        poll_interval: Duration::from_secs(4),
        thresholds: Thresholds {
            stalled_after: Duration::from_secs(1800),
            overdue_after: Duration::from_secs(21_600),
            retain_ended: Duration::from_secs(604_800),
        },
        upgrades: upgrade
            .map(|upgrade| view(upgrade, 40))
            .into_iter()
            .collect(),
        degraded: Vec::new(),
    }
}

fn view(upgrade: Upgrade, silent: i64) -> UpgradeView {
    UpgradeView {
        status_since: ago(600),
        started: upgrade.requested,
        ended: upgrade.status.is_final().then(|| ago(30)),
        last_progress: ago(silent),
        stalled: false,
        ratio: progress::ratio(&upgrade),
        estimated_end: None,
        task_order: progress::current_task(&upgrade),
        node_work: vec![None; upgrade.nodes.len()].into(),
        upgrade: upgrade.into(),
    }
}

fn upgrade(status: UpgradeStatus, nodes: &[(&str, NodeStatus)]) -> Upgrade {
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.requested = Some(ago(1000));
    let node = |(name, status): &(&str, NodeStatus)| Node::new(name, "ess", *status, "");
    upgrade.nodes = nodes.iter().map(node).collect();
    upgrade
}

fn task(order: u32, name: &str, status: TaskStatus, description: &str) -> Task {
    Task {
        order,
        name: name.to_owned(),
        status,
        start: Some(ago(500)),
        end: None,
        description: Some(description.to_owned()),
    }
}

/// Builds a cluster whose upgrade failed at a node, with the vendor's reason.
fn failed() -> ClusterState {
    let nodes = [
        ("css-orders-production-ess-esn-1-1", NodeStatus::Succeeded),
        ("css-orders-production-ess-esn-2-1", NodeStatus::Failed),
        ("css-orders-production-ess-esn-3-1", NodeStatus::Waiting),
    ];
    let mut upgrade = upgrade(UpgradeStatus::Failed, &nodes);
    upgrade.id = Some("6d3c2f71-4f4d-4d3e-9d52-9f3a3d1b7a10".to_owned());
    upgrade.from_version = Some("7.6.2".to_owned());
    upgrade.to_version = Some("7.10.2".to_owned());
    upgrade.executions = Some(2);
    upgrade.nodes[1].task_order = Some(2);
    upgrade.tasks = vec![
        task(
            1,
            "Data migration",
            TaskStatus::Succeeded,
            "Migrates the data.",
        ),
        task(
            2,
            "Node replacement",
            TaskStatus::Failed,
            "The flavor is sold out in the zone.",
        ),
        task(
            3,
            "Service start",
            TaskStatus::Waiting,
            "Starts the service.",
        ),
        task(
            4,
            "Task status update",
            TaskStatus::Waiting,
            "Updates the state.",
        ),
    ];
    upgrade.details.agency = Some("css_upgrade_agency".to_owned());
    let id = "1b0dd1e3-2a3f-4a5c-8c7d-3a0d9a1f7c11";
    let mut cluster = cluster("css", id, "css-orders-production", Some(upgrade));
    cluster.version = "7.6.2".into();
    cluster
}

/// Builds a cluster whose upgrade is stalled, with names of versions.
fn stalled() -> ClusterState {
    let nodes = [
        ("search-logs-d-1bgd", NodeStatus::Succeeded),
        ("search-logs-d-1bge", NodeStatus::Upgrading),
    ];
    let mut upgrade = upgrade(UpgradeStatus::Running, &nodes);
    upgrade.from_version = Some("290".to_owned());
    upgrade.to_version = Some("2140".to_owned());
    upgrade.details = Details {
        from_version_name: Some("OpenSearch 2.9.0".to_owned()),
        to_version_name: Some("OpenSearch 2.14.0".to_owned()),
        ..Details::default()
    };
    let mut cluster = cluster("ses", "3427188", "search-logs", Some(upgrade));
    cluster.version = "OpenSearch 2.9.0".into();
    cluster.upgrades[0].stalled = true;
    cluster.upgrades[0].last_progress = ago(2000);
    (cluster.raw_status, cluster.status_meaning) = ("changing".into(), None);
    cluster
}

/// Builds a cluster whose precheck failed.
fn unchecked() -> ClusterState {
    let finding = |scope, target: &str, item: &str, message: &str, code: &str| Finding {
        scope,
        target: target.to_owned(),
        item: item.to_owned(),
        message: message.to_owned(),
        codes: texts(&[code]),
    };
    let mut upgrade = upgrade(UpgradeStatus::Failed, &[]);
    upgrade.to_version = Some("v1.30.4-r0".to_owned());
    upgrade.details.is_cancellable = Some(true);
    upgrade.details.precheck = Some(Precheck {
        valid_until: None,
        findings: vec![
            finding(
                FindingScope::Cluster,
                "",
                "clusterResourceQuotaCheckOfControlPlane",
                "The quota of the cluster is used up.",
                "CCE.01400001",
            ),
            finding(
                FindingScope::Addon,
                "coredns",
                "addon-limit-check",
                "The add-on is older than 1.25.1.",
                "CCE.01400017",
            ),
            finding(
                FindingScope::Node,
                "192.168.0.17",
                "disk",
                "No room is left.",
                "CCE.02",
            ),
        ],
        findings_left_out: 0,
    });
    let id = "b4b9e60f-8aa2-11ee-af09-0255ac10004f";
    let mut cluster = cluster("cce", id, "cce-shop", Some(upgrade));
    (cluster.raw_status, cluster.status_meaning) = ("Available".into(), None);
    cluster.version = "v1.29.8-r0".into();
    cluster
}

fn moving(name: &str, silent: i64) -> ClusterState {
    let mut upgrade = upgrade(UpgradeStatus::Running, &[("n-1", NodeStatus::Upgrading)]);
    upgrade.kind = Kind::AzMigration;
    upgrade.details.zone_move = Some(ZoneMove {
        instance_type: Some("ess-master".to_owned()),
        from: texts(&["cn-north-4a"]),
        to: texts(&["cn-north-4c", "cn-north-4g"]),
        plan: vec![ZonePlan {
            zone: "cn-north-4c".to_owned(),
            nodes: texts(&["css-moves-ess-esn-1-1", "css-moves-ess-esn-2-1"]),
        }],
    });
    upgrade.details.precheck = Some(Precheck {
        valid_until: Some(ago(-3599)),
        ..Precheck::default()
    });
    let mut cluster = cluster("css", name, name, None);
    cluster.upgrades = vec![view(upgrade, silent)];
    cluster
}

fn clusters() -> Vec<ClusterState> {
    let mut silent = cluster("ses", "2950117", "", None);
    (silent.key.account, silent.raw_status) = ("kr-new".into(), "".into());
    (silent.up, silent.answered) = (false, false);
    silent.last_error = Some(refused());
    let mut idle = cluster("cce", "c1", "cce-batch", None);
    let offer = |version: &str, is_recommended| AvailableVersion {
        version: version.to_owned(),
        is_recommended,
    };
    idle.version = "v1.29.8-r0".into();
    idle.available = vec![offer("v1.30.4-r0", true), offer("v1.31.1-r0", false)];
    let ended = upgrade(UpgradeStatus::Succeeded, &[("n-1", NodeStatus::Succeeded)]);
    vec![
        failed(),
        stalled(),
        unchecked(),
        silent,
        moving("a-just-moved", 5),
        moving("b-long-silent", 900),
        moving("c-some-silence", 90),
        cluster("ses", "3427199", "search-shop", Some(ended)),
        idle,
    ]
}

fn refused() -> LastError {
    LastError {
        reason: Reason::Auth,
        message: REFUSED.to_owned(),
        at: ago(9),
        since: ago(9),
    }
}

fn discoveries() -> Vec<DiscoveryState> {
    let product = |account: &str, product, cloud, region: &str| DiscoveryState {
        account: account.into(),
        product,
        cloud,
        cloud_region: region.into(),
        last_success: Some(ago(60)),
        last_error: None,
        watched: 2,
        inaccessible: 0,
        left_out: 0,
    };
    let mut dark = product("kr-new", "ses", "ncloud", "KR");
    (dark.last_success, dark.last_error) = (None, Some(refused()));
    vec![
        product("cn-prod", "css", "huawei", "cn-north-4"),
        product("cn-prod", "cce", "huawei", "cn-north-4"),
        product("kr-prod", "ses", "ncloud", "KR"),
        dark,
    ]
}
