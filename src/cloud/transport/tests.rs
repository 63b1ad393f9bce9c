//! Tests of the transport over real loopback sockets, with a vendor that signs by counting.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use jiff::Timestamp;
use url::Url;

use super::*;
use crate::clock::Clock;
use crate::cloud::{Call, Method};
use crate::http::encoding::BODY_CAP;
use crate::secret::Secret;
use crate::secret::SecretFile;
use watched_file::hang::hang;

mod clock;
mod encoding;
mod lockout;
mod once;

const READ: Call = Call::read("Read", Method::Get, "/read");
const POST: Call = Call::read("Post", Method::Post, "/post");

/// Signs with a number that grows, and takes 401 for refused credentials.
#[derive(Default)]
struct Counting {
    signed: AtomicU32,
    rest: Duration,
    secret: Option<Secret>,
}

impl Vendor for Counting {
    fn secrets(&self) -> Vec<&Secret> {
        self.secret.iter().collect()
    }

    fn authorize(&self, _: &Message<'_>, _: Timestamp) -> Result<Authentication, ApiError> {
        if let Some(secret) = &self.secret {
            secret.get()?;
        }
        let n = self.signed.fetch_add(1, Ordering::Relaxed);
        Ok(Authentication::default().secret_header("x-signature", n.to_string()))
    }

    fn judge(&self, answer: &Answer) -> Result<(), ApiError> {
        let reason = match answer.status {
            200 => return Ok(()),
            401 => Reason::Auth,
            429 => Reason::Throttled,
            500..=599 => Reason::Server,
            _ => Reason::Protocol,
        };
        Err(ApiError::new(reason, "judged"))
    }

    fn credentials(&self) -> u64 {
        7
    }

    fn rest_after_refusal(&self) -> Duration {
        self.rest
    }
}

/// A server that gives one raw answer a connection, in turn, the last one for ever; an empty one is
/// silence. It keeps what it was sent.
struct Server {
    url: Url,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: Vec<impl Into<Vec<u8>>>) -> Self {
        let answers: Vec<Vec<u8>> = answers.into_iter().map(Into::into).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = requests.clone();
        tokio::spawn(async move {
            for n in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut buffer = vec![0; 16 << 10];
                let read = stream.read(&mut buffer).await.unwrap();
                let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
                kept.lock().push(text);
                let answer = answers.get(n).or(answers.last()).unwrap().clone();
                tokio::spawn(async move {
                    if answer.is_empty() {
                        std::future::pending::<()>().await;
                    }
                    // A client that hangs up early is what some tests want.
                    drop(stream.write_all(&answer).await);
                });
            }
        });
        Self {
            url: Url::parse(&format!("http://{address}")).unwrap(),
            requests,
        }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }

    fn read(&self) -> Request<'_> {
        Request {
            product: "ses",
            call: &READ,
            base: &self.url,
            path: READ.path.to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: None,
            effort: Effort::Normal,
        }
    }

    /// Returns the transport of an account with this server.
    fn transport(&self) -> Transport {
        let connection = Connection {
            account: "a".into(),
            timeout: Duration::from_millis(400),
            rate_limit: 1000.0,
            max_concurrency: 4,
            ca_file: None,
            proxy_url: None,
            is_plain_http: true,
        };
        let requests = RequestMetrics::of("a", "ses");
        let transport = Transport::new(&connection, requests, Clock::system()).unwrap();
        transport.allow(self.allowed());
        transport
    }

    fn allowed(&self) -> Allowed {
        Allowed {
            base: self.url.clone(),
            prefix: String::new(),
            calls: &[&READ, &POST],
        }
    }

    async fn send(&self, vendor: &Counting, call: &'static Call) -> Result<Answer, ApiError> {
        let request = Request {
            call,
            path: call.path.to_owned(),
            query: "a=%20b".to_owned(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: (call.method == Method::Post).then(|| "{}".to_owned()),
            ..self.read()
        };
        self.transport().send(vendor, &request).await
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

#[tokio::test]
async fn each_attempt_is_signed_afresh() {
    let server = Server::start(vec![
        answer("500 Oops", "", ""),
        answer("429 Slow Down", "retry-after: 0.01\r\n", ""),
        answer("200 OK", "", "{\"a\":1}"),
    ])
    .await;
    let good = server.send(&Counting::default(), &READ).await.unwrap();
    assert_eq!(good.json::<serde_json::Value>().unwrap()["a"], 1);
    let signatures: Vec<String> = server
        .requests()
        .iter()
        .map(|r| {
            let line = r.lines().find(|l| l.starts_with("x-signature")).unwrap();
            line.to_owned()
        })
        .collect();
    assert_eq!(
        signatures,
        ["x-signature: 0", "x-signature: 1", "x-signature: 2"]
    );
    let first = server.requests()[0].clone();
    assert!(
        first.starts_with("GET /read?a=%20b HTTP/1.1\r\n"),
        "{first}"
    );
    assert!(first.contains("accept: application/json"), "{first}");
}

/// The runtime has one thread here, which would be blocked by a read of its own.
#[tokio::test]
async fn a_secret_file_that_hangs_fails_no_call_and_delays_one() {
    let server = Server::start(vec![answer("200 OK", "", "{}")]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "a").unwrap();
    let deadline = Instant::now() + watched_file::LIMIT;
    let vendor = Counting {
        secret: Some(Secret::in_file(path.clone(), deadline).unwrap()),
        ..Counting::default()
    };
    let hang = hang(&path);
    let begun = Instant::now();
    for _ in 0..20 {
        assert!(server.send(&vendor, &READ).await.is_ok());
    }
    assert!(
        begun.elapsed() < server.transport().timeout * 10,
        "only one waits"
    );
    hang.until_stuck();
    assert_eq!(hang.stuck(), 1);
}

#[tokio::test]
async fn a_secret_file_that_never_was_read_fails_the_call_in_time() {
    let server = Server::start(vec![answer("200 OK", "", "{}")]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let _hang = hang(&path);
    let vendor = Counting {
        secret: Some(Secret::File(Arc::new(SecretFile::new(path)))),
        ..Counting::default()
    };
    let begun = Instant::now();
    let error = server.send(&vendor, &READ).await.unwrap_err();
    assert_eq!(error.reason, Reason::Auth);
    assert!(error.message.contains("disk does not answer"), "{error}");
    assert!(begun.elapsed() < server.transport().timeout * 5);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_transport_that_asks_once_repeats_nothing() {
    for answers in [vec![answer("500 Oops", "", "")], vec![String::new()]] {
        let server = Server::start(answers).await;
        let once = server.transport().once();
        let outcome = once.send(&Counting::default(), &server.read()).await;
        assert_eq!(outcome.unwrap_err().call, "Read");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_is_not_in_the_list_is_not_sent() {
    const START: Call = Call::read("rollingUpgrade", Method::Post, "/cluster/rollingUpgrade");
    let server = Server::start(vec![answer("200 OK", "", "{}")]).await;
    let error = server.send(&Counting::default(), &START).await.unwrap_err();
    assert_eq!((error.reason, error.call), (Reason::Protocol, START.name));
    // A listed call with another path does not hide it.
    let request = Request {
        path: "/api/v1/cluster/rollingUpgrade".to_owned(),
        ..server.read()
    };
    let sent = server
        .transport()
        .send(&Counting::default(), &request)
        .await;
    assert_eq!(sent.unwrap_err().reason, Reason::Protocol);
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::start(vec![answer("200 OK", "", "{}")]).await;
    let location = format!("location: {}\r\n", elsewhere.url);
    let server = Server::start(vec![answer("302 Found", &location, "")]).await;
    let error = server.send(&Counting::default(), &READ).await.unwrap_err();
    assert_eq!(error.reason, Reason::Protocol);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn long_answers_are_cut_off() {
    let endless = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{}",
        " ".repeat(BODY_CAP + 1)
    );
    let server = Server::start(vec![endless]).await;
    let vendor = Counting::default();
    let request = server.read();
    let mut patient = server.transport();
    patient.timeout = Duration::from_secs(20);
    let error = patient.send(&vendor, &request).await.unwrap_err();
    assert_eq!(error.reason, Reason::Protocol, "{error}");
}

#[tokio::test]
async fn long_failed_answers_are_judged_by_their_beginning() {
    let body = format!(r#"{{"message":"{}"}}"#, "<s".repeat(BODY_CAP / 2 - 10));
    let server = Server::start(vec![answer("503 Busy", "", &body)]).await;
    let mut once = server.transport().once();
    once.timeout = Duration::from_secs(20);
    let sent = once.send(&Counting::default(), &server.read()).await;
    let error = sent.unwrap_err();
    assert_eq!((error.reason, error.status), (Reason::Server, Some(503)));
}

/// Cannot sign: its secret file is gone.
struct Unsigned;

impl Vendor for Unsigned {
    fn authorize(&self, _: &Message<'_>, _: Timestamp) -> Result<Authentication, ApiError> {
        Err(ApiError::new(Reason::Auth, "no secret"))
    }

    fn judge(&self, _: &Answer) -> Result<(), ApiError> {
        Ok(())
    }

    fn credentials(&self) -> u64 {
        7
    }

    fn rest_after_refusal(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn only_what_was_sent_is_counted() {
    let server = Server::start(vec![answer("200 OK", "", "{}")]).await;
    let request = server.read();
    let transport = server.transport();
    let counted = || transport.requests.has("200");
    let error = transport.send(&Unsigned, &request).await.unwrap_err();
    assert_eq!((error.reason, counted()), (Reason::Auth, false));
    assert!(server.requests().is_empty());
    transport
        .send(&Counting::default(), &request)
        .await
        .unwrap();
    assert!(counted());
}

#[tokio::test]
async fn errors_tell_the_host_and_hide_the_query() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = Server {
        url: Url::parse(&format!("http://{address}")).unwrap(),
        requests: Arc::default(),
    };
    let error = server.send(&Counting::default(), &POST).await.unwrap_err();
    assert_eq!(error.reason, Reason::Network);
    let text = error.to_string();
    assert!(
        text.contains(&address.to_string()) && !text.contains("a=%20b"),
        "{text}"
    );
}

#[test]
fn host_has_the_port_only_when_it_is_unusual() {
    const CALL: Call = Call::read("X", Method::Get, "/x");
    let host = |base: &str| {
        let base = Url::parse(base).unwrap();
        Request {
            product: "css",
            call: &CALL,
            base: &base,
            path: "/x".into(),
            query: String::new(),
            headers: Vec::new(),
            body: None,
            effort: Effort::Normal,
        }
        .message()
        .host()
    };
    assert_eq!(
        host("https://css.example.local:8443"),
        "css.example.local:8443"
    );
    assert_eq!(host("https://css.example.local:443"), "css.example.local");
}
