//! Orders over real loopback sockets: how often they go out, and what an end of them means.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::cloud::products;
use crate::cloud::transport::{RequestMetrics, Transport};
use crate::clouds::CLOUDS;
use crate::config::Config;
use crate::http::CaFile;

fn config(endpoint: &str) -> Config {
    let text = format!(
        "polling: {{timeout: 1s}}
accounts: [{{name: a, ncloud: {{access_key: AKID, secret_key: S3CRET, cdss: {{endpoint: '{endpoint}'}}}}}}]"
    );
    crate::config::parse(CLOUDS, &text, Path::new("."), &|_| None).unwrap()
}

fn order(config: &Config) -> Order {
    let account = &config.accounts[0];
    let requests = RequestMetrics::default();
    let transport = Transport::new(&account.connection(), requests, Clock::system()).unwrap();
    let context = account.context(&account.products[0], Arc::new(transport));
    let start = account.products[0].product.start().unwrap();
    let flags = [
        "",
        "--cluster=3432149",
        "--to-version=2823006",
        "--config-group=170",
    ];
    let command = start.with_flags(clap::Command::new("start"));
    let request = start.read(&command.get_matches_from(flags)).unwrap();
    request.order(context).unwrap()
}

/// A server that answers every connection with these bytes, none for silence; it counts connections
/// and keeps the last request.
async fn server(answer: Option<String>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let mut buffer = vec![0; 4096];
            let mut head = String::new();
            while !head.contains("170\n}") {
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(read > 0, "the request ends early: {head}");
                head.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
            assert!(head.starts_with("POST /api/v1/cluster/rollingUpgrade HTTP/1.1\r\n"));
            assert!(head.contains("x-ncp-apigw-signature-v2: "), "{head}");
            match &answer {
                Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                None => std::future::pending().await,
            }
        }
    });
    (address, count)
}

/// Sends an order to a server with this answer, and tells how often it came there.
async fn send(answer: Option<String>) -> (Result<Accepted, Failed>, usize) {
    let (address, count) = server(answer).await;
    let config = config(&format!("http://{address}"));
    let patience = Duration::from_millis(700);
    let order = order(&config);
    let outcome = order
        .send_within(patience, &config.accounts[0].connection(), &Clock::system())
        .await;
    // A replay would come at once.
    tokio::time::sleep(Duration::from_millis(50)).await;
    (outcome, count.load(Ordering::SeqCst))
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}")
}

const TAKEN: &str = r#"{"code":0,"message":"SUCCESS","result":true,"requestId":"r-1"}"#;
const REFUSED: &str = r#"{"code":10153,"message":"업데이트된 Kafka 버전은 현재 클러스터 버전보다 이후여야 합니다.","result":null,"requestId":"251afd18-167c-4ce6-9b91-81831013ee88"}"#;

#[tokio::test]
async fn an_order_that_is_taken() {
    let (outcome, sent) = send(Some(answer("200 OK", TAKEN))).await;
    assert_eq!(outcome.unwrap().request_id.as_deref(), Some("r-1"));
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn a_clear_no_is_a_refusal_with_the_vendors_words() {
    for status in ["200 OK", "400 Bad Request", "500 Oops"] {
        let (outcome, sent) = send(Some(answer(status, REFUSED))).await;
        let Err(Failed::Refused(error)) = outcome else {
            panic!("{status}: {outcome:?}");
        };
        let text = error.to_string();
        for part in [
            "rollingUpgrade: ",
            "code 10153",
            "이후여야 합니다.",
            "251afd18-167c-4ce6-9b91-81831013ee88",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(sent, 1, "{status}");
    }
    for (status, code) in [
        ("401 Unauthorized", 200),
        ("401 Unauthorized", 210),
        ("404 Not Found", 300),
        ("429 Slow Down", 410),
        ("413 Too Large", 430),
    ] {
        let body = format!(r#"{{"error":{{"errorCode":"{code}","message":"m"}}}}"#);
        let (outcome, sent) = send(Some(answer(status, &body))).await;
        assert!(matches!(outcome, Err(Failed::Refused(_))), "{outcome:?}");
        assert_eq!(sent, 1, "{status} is not repeated");
    }
}

#[tokio::test]
async fn anything_else_leaves_the_outcome_unknown() {
    let gateway = |code| format!(r#"{{"error":{{"errorCode":"{code}","message":"m"}}}}"#);
    for odd in [
        None,
        Some(String::new()),
        Some("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"code\":0".to_owned()),
        Some(answer("504 Gateway Timeout", &gateway(510))),
        Some(answer("503 Unavailable", &gateway(500))),
        Some(answer("502 Bad Gateway", "<html></html>")),
        Some(answer("200 OK", "<html></html>")),
        Some(answer("200 OK", "")),
        Some(answer("200 OK", r#"{"code":0,"result":false}"#)),
        Some(answer("302 Found", "")),
        // Not a code of which anybody says that nothing began.
        Some(answer(
            "500 Oops",
            r#"{"code":500,"message":"Internal Server Error","result":null}"#,
        )),
        Some(answer("408 Request Timeout", "")),
        Some(answer("499 Gone", "<html></html>")),
    ] {
        let (outcome, sent) = send(odd.clone()).await;
        assert!(
            matches!(outcome, Err(Failed::Unknown(_))),
            "{odd:?}: {outcome:?}"
        );
        assert_eq!(sent, 1, "{odd:?} is not repeated");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    // Nobody listens; what answers speaks no TLS.
    let (plain, count) = server(Some(answer("200 OK", TAKEN))).await;
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls/ca.pem");
    let deadline = tokio::time::Instant::now() + watched_file::LIMIT;
    for endpoint in [format!("http://{address}"), format!("https://{plain}")] {
        let mut config = config(&endpoint);
        config.accounts[0].ca_file = Some(CaFile::read_blocking(&ca, deadline).unwrap());
        let order = order(&config);
        let outcome = order
            .send(&config.accounts[0].connection(), &Clock::system())
            .await;
        assert!(
            matches!(outcome, Err(Failed::NotSent(_))),
            "{endpoint}: {outcome:?}"
        );
    }
    assert!(count.load(Ordering::SeqCst) <= 1);
}

#[test]
fn what_is_shown_holds_no_secret() {
    let shown = order(&config("https://gateway.example:8443")).to_string();
    assert_eq!(
        shown,
        "POST https://gateway.example:8443/api/v1/cluster/rollingUpgrade\n\
         content-type: application/json\n\n\
         {\n  \"serviceGroupInstanceNo\": 3432149,\n  \"upgradeKafkaVersionCode\": 2823006,\n  \"upgradeConfigGroupNo\": 170\n}"
    );
}

/// Rust's privacy cannot say it, since the program's commands are another crate.
#[test]
fn only_the_command_comes_here() {
    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut all = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    files(&root, &mut all);
    let startable = products(CLOUDS).filter(|product| product.start().is_some());
    let of_products: Vec<String> = startable
        .flat_map(|product| {
            let folder = format!("clouds/{}/{}", product.info().cloud, product.info().name);
            [format!("{folder}/start"), format!("{folder}/product.rs")]
        })
        .collect();
    let mut users = 0;
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let names = ["cloud::start", "super::start::", ".start()"];
        if !names.iter().any(|name| text.contains(name)) {
            continue;
        }
        let place = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let may = [
            "commands/start",
            "cli/start",
            "cloud/start",
            "cloud/product.rs",
        ];
        let may = may.iter().any(|may| place.starts_with(may))
            || of_products.iter().any(|may| place.starts_with(may))
            // Where a match of a search begins.
            || place == "http/redaction/search.rs";
        assert!(may, "{place} knows how to start an upgrade");
        users += 1;
    }
    assert!(users >= 9, "the names are found: {users}");
}
