//! A receiver for Alertmanager's webhooks, which keeps what it is told and when.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rolling_upgrade_exporter::clock::Clock;
use serde::{Deserialize, Deserializer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Bytes of one notification.
const BODY_CAP: usize = 1 << 20;

/// More than any of these tests may cause.
const MOST: usize = 1000;

pub(crate) type Labels = BTreeMap<String, String>;

/// One alert of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    /// `firing` or `resolved`.
    pub(crate) status: String,
    pub(crate) labels: Labels,
    pub(crate) annotations: Labels,
    #[serde(deserialize_with = "time")]
    pub(crate) starts_at: Timestamp,
    #[serde(deserialize_with = "time")]
    pub(crate) ends_at: Timestamp,
    /// Alertmanager's hash of the labels: the alert's identity.
    pub(crate) fingerprint: String,
    /// When it came; not part of the notification.
    #[serde(skip)]
    pub(crate) arrived: Timestamp,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

impl Told {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// The webhook's body, version 4. The groups of these tests are of one alert each.
#[derive(Deserialize)]
struct Notification {
    version: String,
    status: String,
    alerts: Vec<Told>,
}

/// The receiver; it ends with the test.
pub(crate) struct Webhook {
    pub(crate) url: String,
    heard: Arc<Mutex<Heard>>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    told: Vec<Told>,
    wrong: Vec<String>,
}

impl Webhook {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Heard::default()));
        let server = tokio::spawn(accept(listener, Arc::clone(&heard)));
        Self { url, heard, server }
    }

    /// Every alert that was told so far, in order; panics if something came that is not a webhook.
    pub(crate) fn told(&self) -> Vec<Told> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(heard.wrong.is_empty(), "{:?}", heard.wrong);
        heard.told.clone()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, heard: Arc<Mutex<Heard>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let heard = Arc::clone(&heard);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &heard));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // An Alertmanager that ends breaks its connections off.
            drop(connection.await);
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    heard: &Mutex<Heard>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let arrived = Clock::system().now();
    let taken = read(request, arrived).await;
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    let mut response = Response::new(Empty::new());
    match taken {
        Ok(told) if heard.told.len() < MOST => heard.told.push(told),
        Ok(_) => heard.wrong.push("too many notifications".to_owned()),
        Err(why) => {
            heard.wrong.push(why);
            *response.status_mut() = StatusCode::BAD_REQUEST;
        }
    }
    heard.wrong.truncate(MOST);
    Ok(response)
}

async fn read(request: Request<Incoming>, arrived: Timestamp) -> Result<Told, String> {
    let body = Limited::new(request.into_body(), BODY_CAP).collect().await;
    let body = body.map_err(|e| e.to_string())?.to_bytes();
    let told: Notification = serde_json::from_slice(&body)
        .map_err(|e| format!("{e}: {}", String::from_utf8_lossy(&body)))?;
    match <[Told; 1]>::try_from(told.alerts) {
        Ok([alert]) if told.version == "4" && told.status == alert.status => {
            Ok(Told { arrived, ..alert })
        }
        _ => Err(format!("not one alert: {}", String::from_utf8_lossy(&body))),
    }
}
