//! The HTTP server over real sockets: what it answers.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what helps it"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use exporter_web::{Access, Reload, RoutePrefix, Settings};
use jiff::Timestamp;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::expose::Exposition;
use rolling_upgrade_exporter::model::{ClusterState, Key, Thresholds};
use rolling_upgrade_exporter::ready::{Latch, Ready};
use rolling_upgrade_exporter::store::Store;
use rolling_upgrade_exporter::telemetry::{Metrics, PREFIX};
use rolling_upgrade_exporter::web::App;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than anything here takes when it works; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    _latch: Latch,
}

impl Server {
    async fn start(name: &str) -> Self {
        let store = Arc::new(Store::new());
        store.put(cluster(name));
        let clock = Clock::system();
        let (ready, latch) = Ready::new();
        let mut metrics = Metrics::new();
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
        let task = tokio::spawn(exporter_web::serve(vec![listener], settings, app, async {
            drop(stopped.await);
        }));
        Self {
            address,
            stop,
            task,
            _latch: latch,
        }
    }

    async fn end(self) {
        drop(self.stop);
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .expect("the server must end")
            .unwrap();
    }
}

fn cluster(name: &str) -> ClusterState {
    ClusterState {
        key: Key {
            account: "kr-prod".into(),
            product: "ses",
            id: "1".into(),
        },
        cloud: "ncloud",
        cloud_region: "KR".into(),
        name: name.into(),
        version: "2.7".into(),
        version_name: None,
        raw_status: "running".into(),
        status_meaning: None,
        available: Vec::new(),
        up: true,
        answered: true,
        last_success: Timestamp::UNIX_EPOCH,
        last_error: None,
        poll_interval: Duration::from_secs(30),
        thresholds: Thresholds {
            stalled_after: Duration::from_secs(1800),
            overdue_after: Duration::from_secs(21_600),
            retain_ended: Duration::from_secs(604_800),
        },
        upgrades: Vec::new(),
        degraded: Vec::new(),
    }
}

/// Asks on a connection of its own and reads to its end: head and body.
fn ask(server: &Server, method: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_the_body() {
    let server = Server::start("events").await;
    for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/nothing"] {
        let length = |head: &str| header(head, "content-length").map(str::to_owned);
        // A metric of the process can get a digit more between two scrapes, but not at each.
        let asked = (0..10).map(|_| (ask(&server, "GET", path), ask(&server, "HEAD", path)));
        let equal = asked
            .into_iter()
            .find(|(get, head)| length(&get.0) == length(&head.0));
        let ((get, body), (head, nothing)) = equal.expect("equal lengths");
        assert_eq!(nothing, "", "{path}");
        assert_eq!(get.lines().next(), head.lines().next(), "{path}");
        for name in ["content-length", "content-type", "cache-control"] {
            assert_eq!(header(&get, name), header(&head, name), "{path} {name}");
        }
        let length = header(&get, "content-length").unwrap();
        assert_eq!(length, body.len().to_string(), "{path}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_other_methods_and_paths() {
    let server = Server::start("events").await;
    let (head, _) = ask(&server, "POST", "/metrics");
    assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
    assert_eq!(header(&head, "allow"), Some("GET, HEAD"));
    let (head, _) = ask(&server, "GET", "/metrics/../etc/passwd");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    let (head, _) = ask(&server, "GET", "/-/ready");
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_a_name_is_text_on_the_page() {
    let server = Server::start("<b>bold & \"quoted\"</b>").await;
    let (head, body) = ask(&server, "GET", "/");
    assert_eq!(
        header(&head, "content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(body.contains("&lt;b&gt;bold &amp; &quot;quoted&quot;&lt;/b&gt;"));
    assert!(!body.contains("<b>"));
    server.end().await;
}
