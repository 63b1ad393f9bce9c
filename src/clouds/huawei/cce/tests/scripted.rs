//! A CCE with answers of its own, and one cluster that is polled.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::super::CceProvider;
use super::{FRESH, THRESHOLDS, account, open, transport};
use crate::clock::Clock;
use crate::cloud::Provider as _;
use crate::cloud::transport::Transport;
use crate::config::Account;
use crate::http::ApiError;
use crate::model::track::{Advanced, advance, ended_since};
use crate::model::{AvailableVersion, Memory, UpgradeView};

/// Poll interval of the cluster.
const INTERVAL: Duration = Duration::from_secs(30);

/// HTTP status and body by the end of the path.
type Answers = Arc<Mutex<BTreeMap<String, (u16, String)>>>;

/// The one cluster, and what earlier polls left.
pub(super) struct Scripted {
    pub(super) cce: CceProvider,
    pub(super) memory: Memory,
    account: Account,
    transport: Arc<Transport>,
    answers: Answers,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Outcome of a good poll.
#[derive(Debug)]
pub(super) struct Polled {
    pub(super) advanced: Advanced,
    pub(super) ask_again_soon: bool,
    /// Versions that are offered; `None` when the poll tells nothing of them.
    pub(super) available: Option<Vec<AvailableVersion>>,
    /// Upgrades that ended since the poll before.
    pub(super) ended: usize,
}

impl Polled {
    /// Returns the one upgrade.
    pub(super) fn view(&self) -> &UpgradeView {
        &self.advanced.upgrades[0]
    }

    /// Returns the upgrade's state; `none` without one.
    pub(super) fn status(&self) -> &'static str {
        let view = self.advanced.upgrades.first();
        view.map_or("none", |view| view.upgrade.status.as_str())
    }

    /// Returns failing calls with their reasons.
    pub(super) fn degraded(&self) -> Vec<(&'static str, &'static str)> {
        let calls = self.advanced.degraded.iter();
        calls
            .map(|call| (call.endpoint, call.reason.as_str()))
            .collect()
    }

    /// Returns the nodes' states.
    pub(super) fn nodes(&self) -> Vec<&'static str> {
        let nodes = self.view().upgrade.nodes.iter();
        nodes.map(|node| node.status.as_str()).collect()
    }
}

impl Scripted {
    /// Starts with a cluster in this phase, without any upgrade.
    pub(super) async fn start(phase: &str) -> Self {
        let (answers, asked) = (Answers::default(), Arc::default());
        let address = serve(answers.clone(), Arc::clone(&asked)).await;
        let account = account(&address);
        let transport = transport(&account, Clock::tokio(at()));
        let one = Self {
            cce: open(&account, transport.clone()),
            memory: Memory::default(),
            account,
            transport,
            answers,
            asked,
        };
        one.phase(phase);
        let empty = json!({"kind": "List", "items": null});
        for call in [
            "upgradeworkflows",
            "upgrade/tasks",
            "nodes",
            "precheck/tasks",
        ] {
            one.set(call, &empty);
        }
        one.set("upgradeinfo", &json!({"kind": "UpgradeInfo"}));
        one
    }

    /// Starts with an upgrade by a workflow in this phase; its `Cluster` point has this status.
    pub(super) async fn upgrading(phase: &str, point: &str) -> Self {
        let one = Self::start("Upgrading").await;
        one.set("upgradeworkflows", &list(&[workflow(phase, point)]));
        one.set("upgrade/tasks", &list(&[task("Running", "0.40")]));
        one.set("upgradeinfo", &info("Running"));
        one.set("nodes", &nodes(&["Upgrading", "Active"]));
        one
    }

    /// Starts with an upgrade that only its task tells.
    pub(super) async fn task_only(phase: &str) -> Self {
        let one = Self::upgrading("Running", "Running").await;
        one.set("upgradeworkflows", &json!({"kind": "List", "items": null}));
        one.set("upgrade/tasks", &list(&[task(phase, "0.40")]));
        one.set("upgradeinfo", &info(phase));
        one
    }

    /// Opens the CCE anew as a reload does that changed the address: it was that of `before`.
    pub(super) fn follow(&mut self, before: &Self) {
        let new = transport(&self.account, Clock::tokio(at()));
        let new = Arc::into_inner(new).expect("no other owner");
        self.transport = Arc::new(new.following(&before.transport, true));
        self.cce = open(&self.account, self.transport.clone());
    }

    pub(super) fn phase(&self, phase: &str) {
        self.set("clusters", &clusters(phase));
    }

    /// Answers paths that end so with this from now on.
    pub(super) fn set(&self, path: &str, body: &Value) {
        self.answer(path, 200, &body.to_string());
    }

    pub(super) fn answer(&self, path: &str, status: u16, body: &str) {
        let mut answers = self.answers.lock();
        answers.insert(path.to_owned(), (status, body.to_owned()));
    }

    /// Lets a call fail with this status.
    pub(super) fn fail(&self, path: &str, status: u16) {
        self.answer(path, status, "{}");
    }

    /// Answers that a call is not published.
    pub(super) fn unpublish(&self, path: &str) {
        self.answer(path, 404, r#"{"error_code":"APIGW.0101","error_msg":"x"}"#);
    }

    /// Polls the cluster once.
    pub(super) async fn try_poll(&mut self) -> Result<Polled, ApiError> {
        let now = self.cce.client.clock().now();
        let observed = self.cce.observe("a", &self.memory, FRESH).await;
        let seen = match observed {
            Ok(seen) => seen,
            Err(failure) => {
                failure.note_in(&mut self.memory);
                return Err(*failure.error);
            }
        };
        let before = self.memory.clone();
        let advanced = advance(&mut self.memory, &seen, &THRESHOLDS, INTERVAL, now);
        Ok(Polled {
            ended: ended_since(&before, &advanced.upgrades).len(),
            advanced,
            ask_again_soon: seen.ask_again_soon,
            available: seen.available,
        })
    }

    /// Discovers once, as far as the cluster notices.
    pub(super) async fn discover(&mut self) {
        self.cce.discover().await.unwrap();
        self.memory.discoveries += 1;
    }

    pub(super) async fn poll(&mut self) -> Polled {
        self.try_poll().await.unwrap()
    }

    /// Polls again after this many minutes.
    pub(super) async fn poll_after(&mut self, minutes: u64) -> Polled {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(60 * minutes)).await;
        tokio::time::resume();
        self.poll().await
    }

    /// Returns the calls since this was last asked, by the last word of their paths.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock())
    }
}

/// Time at which a test begins.
pub(super) fn at() -> jiff::Timestamp {
    "2026-11-29T10:00:00Z".parse().unwrap()
}

pub(super) fn list(items: &[Value]) -> Value {
    json!({"kind": "List", "apiVersion": "v3", "items": items})
}

pub(super) fn clusters(phase: &str) -> Value {
    list(&[cluster("a", phase)])
}

pub(super) fn cluster(id: &str, phase: &str) -> Value {
    json!({
        "metadata": {"uid": id, "name": id.to_uppercase()},
        "spec": {"version": "v1.28.3-r0"},
        "status": {"phase": phase},
    })
}

pub(super) fn workflow(phase: &str, point: &str) -> Value {
    json!({
        "metadata": {
            "uid": "w",
            "creationTimestamp": "2026-11-29 09:50:00 +0000 UTC",
            "updateTimestamp": "2026-11-29 09:55:00 +0000 UTC",
        },
        "spec": {"clusterVersion": "v1.28.3-r0", "targetVersion": "v1.29.1-r0"},
        "status": {"phase": phase, "pointStatuses": [
            {"taskType": "PreCheck", "taskID": "p", "status": "Success"},
            {"taskType": "Cluster", "taskID": "t", "status": point},
        ]},
    })
}

pub(super) fn task(phase: &str, progress: &str) -> Value {
    json!({
        "metadata": {
            "uid": "t",
            "creationTimestamp": "2026-11-29 09:52:00 +0000 UTC",
            "updateTimestamp": "2026-11-29 09:55:00 +0000 UTC",
        },
        "spec": {"version": "v1.28.3-r0", "targetVersion": "v1.29.1-r0"},
        "status": {
            "phase": phase, "progress": progress, "completionTime": "2026-11-29 09:55:00 +0000 UTC",
        },
    })
}

pub(super) fn info(phase: &str) -> Value {
    let status = json!({"phase": phase});
    json!({"kind": "UpgradeInfo", "spec": {"lastUpgradeInfo": status}, "status": status})
}

/// Nodes `n1`, `n2`, … in these phases.
pub(super) fn nodes(phases: &[&str]) -> Value {
    let nodes = (1..).zip(phases).map(|(n, phase)| {
        json!({"metadata": {"uid": format!("u{n}"), "name": format!("n{n}")}, "status": {"phase": phase}})
    });
    list(&nodes.collect::<Vec<_>>())
}

async fn serve(answers: Answers, asked: Arc<Mutex<Vec<String>>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answers, asked) = (answers.clone(), asked.clone());
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let path = request.uri().path().to_owned();
                let answers = answers.lock();
                let mut fitting = answers
                    .iter()
                    .filter(|(end, _)| path.ends_with(end.as_str()));
                let (end, (status, body)) = fitting.next().expect("every call has an answer");
                asked.lock().push(end.clone());
                let response = hyper::Response::builder()
                    .status(*status)
                    .body(Full::new(Bytes::from(body.clone())));
                async move { Ok::<_, Infallible>(response.unwrap()) }
            });
            let mut connection = hyper::server::conn::http1::Builder::new();
            // The test has its own time.
            connection.auto_date_header(false);
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
        }
    });
    format!("http://{address}")
}
