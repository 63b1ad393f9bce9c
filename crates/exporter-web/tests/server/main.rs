//! The server over real sockets, with a handler that knows no exporter.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what helps it"
)]

mod connections;
mod requests;
mod web_config;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use exporter_web::{
    Access, Answer, Handler, Limits, Metrics, Reload, Settings, TrustedProxies, respond, text,
};
use hyper::{Request, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Longer than anything here takes when it works; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes of an answer that is larger than all buffers between the two ends.
const LARGE: usize = 32 << 20;

/// An exporter of nothing but the server's own metrics.
struct App {
    registry: Registry,
    reload: Reload,
}

impl Handler for App {
    async fn handle(&self, request: &Request<()>) -> Answer {
        match request.uri().path() {
            "/-/healthy" => text(StatusCode::OK, "OK\n"),
            "/-/reload" => self.reload.handle(request, None).await,
            "/metrics" => {
                let mut body = String::new();
                encode(&mut body, &self.registry).unwrap();
                respond(StatusCode::OK, "text/plain", body)
            }
            "/large" => respond(StatusCode::OK, "text/plain", vec![b'x'; LARGE]),
            _ => text(StatusCode::NOT_FOUND, "not found\n"),
        }
    }
}

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        Self::start_with(limits, Reload::Off, Access::open()).await
    }

    /// Starts a server that trusts the proxy 127.0.0.1.
    async fn start_with(limits: Limits, reload: Reload, access: Access) -> Self {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry, "test");
        let settings = Settings {
            limits,
            trusted_proxies: TrustedProxies::from_iter(["127.0.0.1".parse().unwrap()]),
            ..Settings::new(Arc::new(access), metrics)
        };
        let app = App { registry, reload };
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
