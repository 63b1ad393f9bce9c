//! Golden tests: a vendor's documents in, the exposition out, byte for byte.
//!
//! Each folder of `tests/golden/`, and of a product's own `golden/`, is a case: `config.yml` (with `ENDPOINT` where the server's address
//! belongs), `now.txt` (the time of the poll) and the answers, one file a call:
//! `NAME.json`, or `NAME.STATUS.json` for another status than 200, or `NAME@WORD.json` for requests
//! with that word in path, query or body. Where one poll is not enough, `until.txt` has a line that the
//! exposition must hold before it is compared. IAM's answer is `tokens.201.json`. The whole way is real: HTTP, signatures, mapping, tracking, rendering.
//! `GOLDEN_UPDATE=1 cargo test --test golden` writes `expected.prom` anew; read the difference.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::cloud;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::ready::Ready;
use rolling_upgrade_exporter::store::Store;
use rolling_upgrade_exporter::telemetry::Metrics;
use rolling_upgrade_exporter::{config, expose, poll};
use tokio::net::TcpListener;

/// Answers by file name, without `.json`.
type Documents = Arc<BTreeMap<String, Bytes>>;

/// The calls for which a case has no document: a fault of the case.
type Lacking = Arc<Mutex<BTreeSet<String>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_become_the_expected_exposition() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases = folders(&root);
    let clouds = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/clouds");
    for product in cloud::products(CLOUDS).map(cloud::Product::info) {
        let folder = clouds.join(product.cloud).join(product.name);
        cases.extend(folders(&folder.join("golden")));
    }
    cases.sort();
    assert!(
        cases.len() >= 10,
        "only {} cases in {}",
        cases.len(),
        root.display()
    );
    let outcomes: Vec<_> = cases
        .into_iter()
        .map(|case| tokio::spawn(async move { (case.clone(), play(&case).await) }))
        .collect();
    let mut wrong = Vec::new();
    for outcome in outcomes {
        let (case, got) = outcome.await.unwrap();
        let file = case.join("expected.prom");
        if std::env::var_os("GOLDEN_UPDATE").is_some() {
            std::fs::write(&file, &got).unwrap();
        }
        let want = std::fs::read_to_string(&file).unwrap_or_default();
        if got != want {
            wrong.push(format!("{}:\n{}", file.display(), difference(&want, &got)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the folders in a folder; none where there is no such folder.
fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir()).collect()
}

/// The lines that only one of the two has.
fn difference(want: &str, got: &str) -> String {
    let only = |a: &str, b: &str, mark: &str| {
        let b: BTreeSet<&str> = b.lines().collect();
        let mut out = String::new();
        for line in a.lines().filter(|line| !b.contains(line)) {
            out.extend([mark, " ", line, "\n"]);
        }
        out
    };
    only(want, got, "-") + &only(got, want, "+")
}

/// Polls the case, and gives its exposition, with the failures that were counted.
async fn play(case: &Path) -> String {
    let now: Timestamp = read(case, "now.txt").trim().parse().unwrap();
    let lacking = Lacking::default();
    let endpoint = serve(documents(case), lacking.clone()).await;
    let text = read(case, "config.yml").replace("ENDPOINT", &format!("http://{endpoint}"));
    let config = config::parse(CLOUDS, &text, case, &|_| None)
        .unwrap_or_else(|problems| panic!("{}: {problems:?}", case.display()));
    let (ready, latch) = Ready::new();
    let mut metrics = Metrics::new();
    let store = Arc::new(Store::new());
    let deps = poll::Deps {
        store: store.clone(),
        metrics: poll::Metrics::new(metrics.own()),
        clock: Clock::fixed(now),
        storage: poll::Storage::default(),
        confirms_at_once: false,
    };
    let polling = tokio::spawn(poll::run(config, deps, latch));
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, async {
        while !ready.is_ready() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{}: the first round did not end", case.display()));
    if let Ok(line) = std::fs::read_to_string(case.join("until.txt")) {
        tokio::time::timeout(patience, async {
            while !exposition(&store, now).contains(line.trim()) {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{}: no {line}", case.display()));
    }
    polling.abort();
    let lacking = lacking.lock().unwrap().clone();
    assert!(lacking.is_empty(), "{}: {lacking:?}", case.display());
    let mut text = exposition(&store, now);
    for line in metrics.encode().lines() {
        let counted = ["poll_failures_total{", "unknown_statuses_total{"];
        if counted.iter().any(|name| line.contains(name)) && !line.ends_with(" 0") {
            text.extend([line, "\n"]);
        }
    }
    text
}

fn exposition(store: &Store, now: Timestamp) -> String {
    let states = store.snapshot();
    let states: Vec<_> = states.values().map(|state| (**state).clone()).collect();
    expose::render(&states, now)
}

fn read(case: &Path, name: &str) -> String {
    let path = case.join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn documents(case: &Path) -> Documents {
    let mut documents = BTreeMap::new();
    for entry in std::fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "json") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            documents.insert(name, std::fs::read(&path).unwrap().into());
        }
    }
    Arc::new(documents)
}

async fn serve(documents: Documents, lacking: Lacking) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (documents, lacking) = (documents.clone(), lacking.clone());
            tokio::spawn(async move {
                let service =
                    service_fn(move |request| answer(request, documents.clone(), lacking.clone()));
                let io = TokioIo::new(stream);
                // A client that goes away is no failure of the case.
                let served = hyper::server::conn::http1::Builder::new()
                    // The case has its own time.
                    .auto_date_header(false)
                    .serve_connection(io, service)
                    .await;
                drop(served);
            });
        }
    });
    address
}

async fn answer(
    request: hyper::Request<hyper::body::Incoming>,
    documents: Documents,
    lacking: Lacking,
) -> Result<hyper::Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let asked = format!("{} {}", head.uri, String::from_utf8_lossy(&body));
    let name = call(head.method.as_str(), head.uri.path());
    let found = documents.iter().find(|(file, _)| {
        file.strip_prefix(&name)
            .and_then(|rest| rest.strip_prefix('@'))
            .is_some_and(|word| asked.contains(word))
    });
    let found = found.or_else(|| {
        documents.iter().find(|(file, _)| {
            **file == name || file.strip_prefix(&name).is_some_and(|r| r.starts_with('.'))
        })
    });
    let (status, body) = if let Some((file, body)) = found {
        let status = file.rsplit_once('.').and_then(|(_, s)| s.parse().ok());
        (status.unwrap_or(200), body.clone())
    } else {
        let missing = format!("no document for {} {} ({name})", head.method, head.uri);
        lacking.lock().unwrap().insert(missing);
        (418, Bytes::new())
    };
    Ok(hyper::Response::builder()
        .status(status)
        .header("content-type", "application/json")
        // Only IAM's answer has it, and only there it is read.
        .header("x-subject-token", "a-token")
        .body(Full::new(body))
        .unwrap())
}

/// The vendor's name of the call that goes to this path.
fn call(method: &str, path: &str) -> String {
    let segments: Vec<&str> = path.split('/').collect();
    cloud::products(CLOUDS)
        .flat_map(|product| product.info().calls)
        .find(|call| {
            // NAVER Cloud's calls stand behind a region prefix.
            let own: Vec<&str> = call.path.split('/').filter(|s| !s.is_empty()).collect();
            let tail = segments.len().checked_sub(own.len());
            call.method.as_str() == method
                && tail.is_some_and(|at| {
                    own.iter()
                        .zip(&segments[at..])
                        .all(|(own, segment)| *own == "{}" || own == segment)
                })
        })
        .map_or_else(
            || segments.last().unwrap().to_string(),
            |call| call.name.to_owned(),
        )
}
