//! The exporter's own server, with clusters that do not change.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exporter_web::{Access, Reload, RoutePrefix, Settings};
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::expose::Exposition;
use rolling_upgrade_exporter::model::{
    ClusterState, Key, Kind, Node, NodeStatus, Thresholds, Upgrade, UpgradeStatus, UpgradeView,
};
use rolling_upgrade_exporter::ready::Ready;
use rolling_upgrade_exporter::store::Store;
use rolling_upgrade_exporter::telemetry::{Metrics, PREFIX};
use rolling_upgrade_exporter::web::App;
use tokio::net::TcpListener;

/// Clusters in a scrape, with 10 nodes each: a body of about 1 MB.
const CLUSTERS: usize = 100;

/// Users of the listener with logins.
pub(crate) const USERS: usize = 20;

/// Cost that the documentation recommends.
const BCRYPT_COST: u32 = 10;

const TLS: &str = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n";

/// Serves on a plain listener, one with TLS and one with logins, until the benchmark ends.
pub(crate) async fn serve() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
    for name in ["server.pem", "server.key"] {
        std::fs::copy(data.join(name), folder.path().join(name)).expect("a copy");
    }
    let access = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a web config");
        Access::load(&path).expect("a good web config")
    };
    let accesses = [
        Access::open(),
        access("tls.yml", TLS),
        access("logins.yml", &users()),
    ];
    let mut addresses = String::new();
    for access in accesses {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("its address");
        let mut metrics = Metrics::new();
        let web = exporter_web::Metrics::register(metrics.registry(), PREFIX);
        let settings = Settings::new(Arc::new(access), web);
        let serving = exporter_web::serve(
            vec![listener],
            settings,
            app(Arc::new(metrics)),
            std::future::pending(),
        );
        tokio::spawn(serving);
        write_address(&mut addresses, address);
    }
    println!("{addresses}");
    until_benchmark_ends().await;
}

pub(crate) fn write_address(addresses: &mut String, address: SocketAddr) {
    write!(addresses, "{address} ").expect("writing to a String cannot fail");
}

/// Waits for the end of the input, which the benchmark holds open.
pub(crate) async fn until_benchmark_ends() {
    let read =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    drop(read.await);
}

fn users() -> String {
    let hash = bcrypt::hash("secret", BCRYPT_COST).expect("a hash");
    let mut text = "basic_auth_users:\n".to_owned();
    for number in 0..USERS {
        writeln!(text, "  user-{number}: {hash}").expect("writing to a String cannot fail");
    }
    text
}

fn app(metrics: Arc<Metrics>) -> App {
    let clock = Clock::system();
    let store = Arc::new(Store::new());
    for number in 0..CLUSTERS {
        store.put(cluster(number));
    }
    let exposition = Arc::new(Exposition::new(metrics, clock.clone()));
    exposition.publish(&store.snapshot());
    let (ready, _latch) = Ready::new();
    App {
        clouds: CLOUDS,
        store,
        exposition,
        ready,
        reload: Reload::Off,
        prefix: RoutePrefix::default(),
        external_url: None,
        telemetry_path: "/metrics".to_owned(),
        clock,
    }
}

/// Builds a cluster with an upgrade of ten nodes.
fn cluster(number: usize) -> ClusterState {
    let now = Clock::system().now();
    let mut upgrade = Upgrade::new(Kind::Version, UpgradeStatus::Running);
    for place in 0..10 {
        let name = format!("search-{number}-{place}");
        let node = Node::new(&name, "data", NodeStatus::Waiting, "waiting");
        upgrade.nodes.push(node);
    }
    ClusterState {
        key: Key {
            account: "account".into(),
            product: "ses",
            id: format!("{number}").into(),
        },
        cloud: "ncloud",
        cloud_region: "KR".into(),
        name: format!("search-{number}").into(),
        version: "7.6.2".into(),
        version_name: None,
        raw_status: "running".into(),
        status_meaning: None,
        available: Vec::new(),
        up: true,
        answered: true,
        last_success: now,
        last_error: None,
        poll_interval: Duration::from_secs(30),
        thresholds: Thresholds {
            stalled_after: Duration::from_secs(30 * 60),
            overdue_after: Duration::from_secs(6 * 3600),
            retain_ended: Duration::from_secs(7 * 86400),
        },
        degraded: Vec::new(),
        upgrades: vec![UpgradeView {
            node_work: vec![None; upgrade.nodes.len()].into(),
            upgrade: upgrade.into(),
            status_since: now,
            started: None,
            ended: None,
            last_progress: now,
            stalled: false,
            ratio: Some(0.1),
            estimated_end: None,
            task_order: None,
        }],
    }
}
