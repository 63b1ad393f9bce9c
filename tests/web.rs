//! The HTTP server over real sockets: what it answers, and that no client can hold it up.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what helps it"
)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use exporter_web::{Access, Limits, Reload, RoutePrefix, Settings, TrustedProxies};
use jiff::Timestamp;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::expose::Exposition;
use rolling_upgrade_exporter::model::{ClusterState, Key, Thresholds};
use rolling_upgrade_exporter::store::Store;
use rolling_upgrade_exporter::telemetry::Metrics;
use rolling_upgrade_exporter::web::App;
use rolling_upgrade_exporter::web::ready::{Latch, Ready};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Longer than anything here takes when it works; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

#[path = "web/requests.rs"]
mod requests;

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    _latch: Latch,
}

impl Server {
    async fn start(name: &str, limits: Limits) -> Self {
        Self::start_with(name, limits, Reload::Off, Access::open()).await
    }

    /// Starts a server that trusts the proxy 127.0.0.1.
    async fn start_with(name: &str, limits: Limits, reload: Reload, access: Access) -> Self {
        let store = Arc::new(Store::new());
        store.put(cluster(name));
        let clock = Clock::system();
        let (ready, latch) = Ready::new();
        let metrics = Arc::new(Metrics::new());
        let settings = Settings {
            limits,
            trusted_proxies: TrustedProxies::from_iter(["127.0.0.1".parse().unwrap()]),
            ..Settings::new(Arc::new(access), metrics.web().clone())
        };
        let app = App {
            store,
            exposition: Arc::new(Exposition::new(metrics, clock.clone())),
            ready,
            reload,
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

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Ends the server and tells how long that took.
    async fn end(self) -> Duration {
        let start = Instant::now();
        drop(self.stop);
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .expect("the server must end")
            .unwrap();
        start.elapsed()
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
        name: name.to_owned(),
        version: "2.7".to_owned(),
        version_name: None,
        raw_status: "running".to_owned(),
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

fn send(stream: &mut TcpStream, head: &str) {
    stream.write_all(head.as_bytes()).unwrap();
}

/// Asks on a connection of its own and reads to its end: head and body.
fn ask(server: &Server, method: &str, path: &str) -> (String, String) {
    let mut stream = server.connect();
    send(
        &mut stream,
        &format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    );
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

/// Waits until the server closes the connection, with or without a last word.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Reads one whole answer and leaves the connection open.
fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap();
    let length: usize = header(&head, "content-length").unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head + std::str::from_utf8(&body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_the_body() {
    let server = Server::start("events", Limits::default()).await;
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
    let server = Server::start("events", Limits::default()).await;
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
    let server = Server::start("<b>bold & \"quoted\"</b>", Limits::default()).await;
    let (head, body) = ask(&server, "GET", "/");
    assert_eq!(
        header(&head, "content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(body.contains("&lt;b&gt;bold &amp; &quot;quoted&quot;&lt;/b&gt;"));
    assert!(!body.contains("<b>"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_a_connection_and_answers_a_half_closed_one() {
    let server = Server::start("events", Limits::default()).await;
    let mut stream = server.connect();
    for _ in 0..3 {
        send(&mut stream, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(read_answer(&mut stream).ends_with("OK\n"));
    }
    send(&mut stream, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(read_answer(&mut stream).ends_with("OK\n"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_closes_its_connection_only() {
    let limits = Limits {
        head: Duration::from_secs(1),
        ..Limits::default()
    };
    let server = Server::start("events", limits).await;
    let mut fine = server.connect();
    send(&mut fine, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(&mut fine);
    let mut silent = server.connect();
    let mut slow = server.connect();
    send(&mut slow, "GET / HTTP/1.1\r\nHost: ");
    let mut kept = server.connect();
    send(&mut kept, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(&mut kept);
    send(&mut kept, "GET /");
    for stream in [&mut silent, &mut slow, &mut kept] {
        assert!(is_closed(stream));
    }
    // Idle since before the others came, and still there.
    send(&mut fine, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(read_answer(&mut fine).ends_with("OK\n"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_head_is_cut_off() {
    let server = Server::start("events", Limits::default()).await;
    let mut stream = server.connect();
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(64 << 10));
    // The server may close before it has all of it.
    drop(stream.write_all(long.as_bytes()));
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    assert!(!answer.contains(" 200 "), "{answer}");
    assert!(ask(&server, "GET", "/-/healthy").1 == "OK\n");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed_after_its_time() {
    let limits = Limits {
        idle: Duration::from_secs(1),
        ..Limits::default()
    };
    let server = Server::start("events", limits).await;
    let mut stream = server.connect();
    send(&mut stream, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(&mut stream);
    assert!(is_closed(&mut stream));
    server.end().await;
}

/// Asks for an answer of some megabytes and reads nothing of it.
fn never_reads(server: &Server) -> TcpStream {
    let mut stream = server.connect();
    send(&mut stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    // The first bytes are on their way: the server is in the middle of it.
    stream.peek(&mut [0]).unwrap();
    stream
}

/// A name that makes the page larger than all buffers between the two ends.
fn big() -> String {
    "x".repeat(32 << 20)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_is_dropped_and_holds_nobody_up() {
    let limits = Limits {
        write: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::start(&big(), limits).await;
    let mut slow = never_reads(&server);
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    tokio::time::sleep(limits.write * 4).await;
    // What is in the buffers still comes; the rest never does.
    let mut got = Vec::new();
    drop(slow.read_to_end(&mut got));
    let whole = ask(&server, "GET", "/").1.len();
    assert!(got.len() < whole, "{} of {whole}", got.len());
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_is_taken_when_silent_ones_have_all_places() {
    let limits = Limits {
        connections: 4,
        ..Limits::default()
    };
    let server = Server::start("events", limits).await;
    let mut silent: Vec<_> = (0..8).map(|_| server.connect()).collect();
    let start = Instant::now();
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    assert!(start.elapsed() < limits.head, "{:?}", start.elapsed());
    // The oldest had to go, long before its time.
    assert!(is_closed(&mut silent[0]));
    assert!(start.elapsed() < limits.head, "{:?}", start.elapsed());
    let metrics = ask(&server, "GET", "/metrics").1;
    let closed = "rolling_upgrade_exporter_web_connections_closed_total{reason=\"room\"}";
    let count = metrics.lines().find_map(|line| line.strip_prefix(closed));
    assert!(count.is_some_and(|n| n != " 0"), "{metrics}");
    assert!(metrics.contains("rolling_upgrade_exporter_web_connections{state=\"active\"} 1\n"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_silent_connections_go_before_one_that_reads() {
    let limits = Limits {
        connections: 16,
        ..Limits::default()
    };
    let server = Server::start(&big(), limits).await;
    let start = Instant::now();
    let mut silent: Vec<_> = (0..12).map(|_| server.connect()).collect();
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    let mut reading = never_reads(&server);
    let _more: Vec<_> = (0..10).map(|_| server.connect()).collect();
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    assert!(is_closed(&mut silent[0]));
    assert!(start.elapsed() < limits.head, "{:?}", start.elapsed());
    let length = read_answer(&mut reading).len();
    assert!(length > 32 << 20, "{length}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_at_once_when_connections_are_idle() {
    let server = Server::start("events", Limits::default()).await;
    let mut silent = server.connect();
    let mut half = server.connect();
    send(&mut half, "GET / HT");
    let mut idle = server.connect();
    send(&mut idle, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    read_answer(&mut idle);
    let address = server.address;
    let took = server.end().await;
    assert!(took < Limits::default().end, "{took:?}");
    for stream in [&mut silent, &mut half, &mut idle] {
        assert!(is_closed(stream));
    }
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_in_time_whatever_the_clients_do() {
    let server = Server::start(&big(), Limits::default()).await;
    let slow = never_reads(&server);
    let silent = server.connect();
    let mut half = server.connect();
    send(&mut half, "GET / HT");
    assert_eq!(ask(&server, "GET", "/-/healthy").1, "OK\n");
    let took = server.end().await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop((slow, silent, half));
}
