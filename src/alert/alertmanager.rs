//! One post to one Alertmanager, and what its answer means.
//!
//! The form is that of `POST /api/v2/alerts` in Alertmanager's `openapi.yaml`; the client behaves
//! like Prometheus's notifier: JSON, 10 s in all, any 2xx is good, except with a web page, which a login
//! in front of Alertmanager answers. Otherwise than that notifier it tells apart what another attempt
//! can mend. Alertmanager checks an array in two steps:
//!
//! - the form of the whole: 422, or 400 with an object (`code`, `message`). Nothing was stored.
//! - each alert: those that are good are stored, then 400 with a text (a JSON string) that names what
//!   was wrong with the others. To post these again would repeat the good ones for nothing.

mod answer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::pki_types::CertificateDer;
use url::Url;

use crate::clock::Clock;
use crate::config::Alertmanager;
use crate::http::redaction::Content;
use crate::http::skew::skew;
use crate::http::{ApiError, CaFile, Login, Redaction, client, failure};

/// From the first byte sent to the last received, as in Prometheus.
const TIMEOUT: Duration = Duration::from_secs(10);

const CONNECT: Duration = Duration::from_secs(5);

const SILENCE: &str = "no answer in time: check that it runs, and the route and the firewall";

/// What is read of an answer that refuses.
const BODY_CAP: usize = 64 << 10;

/// Longest time for the beginning of a good answer's body: Alertmanager's is empty.
const PEEK: Duration = Duration::from_secs(1);

/// Bytes that are read of a good answer's body.
const PEEK_CAP: usize = 4 << 10;

/// What another attempt can do about a post that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The same may be taken later.
    Wait,
    /// It failed under way: the same may be taken later, unless one of the alerts is the cause.
    Doubt,
    /// The set-up is wrong: nothing is taken until somebody changes it.
    Change,
    /// The good alerts were taken, the others never will be.
    Leave,
    /// Nothing was taken because of one alert, or because they are too many: fewer may be taken.
    Split,
}

/// A post that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) remedy: Remedy,
    /// What happened and what to do about it: one sentence, lower case, no full stop, no secret.
    pub(super) text: String,
}

impl Failure {
    fn new(remedy: Remedy, text: impl Into<String>) -> Self {
        Self {
            remedy,
            text: text.into(),
        }
    }
}

/// Where alerts are posted; tests have others than Alertmanager.
pub(super) trait Post: Send + Sync + 'static {
    /// Posts a JSON array of alerts.
    fn post(&self, alerts: String) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// An Alertmanager.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: Url,
    auth: Login,
    ca_file: Option<PathBuf>,
    timeout: Duration,
    clock: Clock,
    /// How far behind the Alertmanager's clock ours may be.
    behind: Duration,
    /// Made at the first post, and again after one without an answer: its CA file may come later, or
    /// be replaced, and a connection may be dead.
    client: Mutex<Option<reqwest::Client>>,
    /// Held while a client is built, which may read the system's CAs from a disk that hangs.
    building: Arc<tokio::sync::Mutex<()>>,
}

impl Endpoint {
    pub(super) fn new(config: &Alertmanager, clock: Clock, resend_interval: Duration) -> Self {
        let mut url = config.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v2", "alerts"]);
        }
        Self {
            url,
            auth: config.auth.clone(),
            ca_file: config.ca_file.clone(),
            timeout: TIMEOUT,
            clock,
            // An alert says that it fires for four intervals: it has to be there for more than one.
            behind: resend_interval.saturating_mul(3),
            client: Mutex::default(),
            building: Arc::default(),
        }
    }

    /// Returns the client, reading the CA file for a new one.
    async fn client(&self, deadline: Instant) -> Result<reqwest::Client, Failure> {
        if let Some(client) = &*self.made() {
            return Ok(client.clone());
        }
        let wait = |error: ApiError| Failure::new(Remedy::Wait, error.message);
        let roots = match &self.ca_file {
            Some(path) => Some(roots(path, deadline).await?),
            None => None,
        };
        let builder = client::builder(CONNECT).pool_max_idle_per_host(1);
        let tls = client::Tls {
            roots,
            is_plain_http: self.url.scheme() == "http",
            ..client::Tls::default()
        };
        let busy = || Failure::new(Remedy::Wait, "the CAs of the system cannot be read in time");
        let building = self.building.clone().lock_owned();
        let building = timeout_at(deadline, building).await.map_err(|_| busy())?;
        let build = tokio::task::spawn_blocking(move || {
            let _building = building;
            client::build(builder, tls)
        });
        let ended = timeout_at(deadline, build).await.map_err(|_| busy())?;
        let client = ended.map_err(|_| busy())?.map_err(wait)?;
        Ok(self.made().insert(client).clone())
    }

    fn made(&self) -> MutexGuard<'_, Option<reqwest::Client>> {
        self.client.lock()
    }

    /// Alerts that end by our clock before they arrive by its clock would be taken as resolved, and
    /// nobody would ever be told.
    fn check_clock(&self, headers: &HeaderMap, sent: Timestamp) -> Result<(), Failure> {
        let skew = skew(headers, sent, self.clock.now());
        let behind = skew.map_or(Duration::ZERO, |skew| {
            Duration::try_from(-skew).unwrap_or_default()
        });
        if behind <= self.behind {
            return Ok(());
        }
        let behind = crate::text::exact_length(Duration::from_secs(behind.as_secs()));
        let text = format!(
            "this machine's clock is {behind} behind its clock, so that alerts end before they arrive: synchronize the clocks"
        );
        Err(Failure::new(Remedy::Change, text))
    }

    fn forget_client(&self) {
        *self.made() = None;
    }
}

impl Post for Endpoint {
    async fn post(&self, alerts: String) -> Result<(), Failure> {
        let deadline = Instant::now() + self.timeout;
        let request = self
            .client(deadline)
            .await?
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(alerts);
        let request = self.auth.add_to(request, deadline).await;
        let (request, redaction) =
            request.map_err(|error| Failure::new(Remedy::Wait, error.to_string()))?;
        let sent = self.clock.now();
        let answered = timeout_at(deadline, request.send()).await;
        let mut answer = match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(broken)) => {
                self.forget_client();
                return Err(no_answer(&broken, &redaction));
            }
            Err(_) => {
                self.forget_client();
                return Err(Failure::new(Remedy::Doubt, SILENCE));
            }
        };
        let status = answer.status();
        let is_empty = answer.content_length() == Some(0);
        let headers = std::mem::take(answer.headers_mut());
        if status.is_success() && is_empty {
            return self.check_clock(&headers, sent);
        }
        let (deadline, cap) = if status.is_success() {
            (deadline.min(Instant::now() + PEEK), PEEK_CAP)
        } else {
            (deadline, BODY_CAP)
        };
        let body = read(answer, deadline, cap).await;
        let (headers, body) = redaction.answer(headers, body, Content::Prose).await;
        let body = String::from_utf8_lossy(&body);
        let status = status.as_u16();
        if Content::of(status) == Content::Data {
            answer::reject_page(status, headers.get(CONTENT_TYPE), &body)?;
            return self.check_clock(&headers, sent);
        }
        Err(answer::judge(
            status,
            headers.get(LOCATION),
            &body,
            &self.url,
        ))
    }
}

async fn roots(path: &Path, deadline: Instant) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read = CaFile::read(path, deadline).await;
    let file = read.map_err(|why| {
        let text = format!("cannot use ca_file {}: {why}", path.display());
        Failure::new(Remedy::Wait, text)
    })?;
    Ok(file.certificates())
}

fn no_answer(broken: &reqwest::Error, redaction: &Redaction) -> Failure {
    let cause = failure::cause(broken, redaction);
    let text = if broken.is_builder() {
        "the token has characters that no header may have: check bearer_token".to_owned()
    } else if broken.is_timeout() {
        SILENCE.to_owned()
    } else if broken.is_connect() {
        format!("no connection ({cause}): check that it runs, and its address")
    } else {
        format!("the connection broke ({cause}): check that it runs")
    };
    let remedy = if broken.is_builder() || broken.is_connect() {
        Remedy::Wait
    } else {
        Remedy::Doubt
    };
    Failure::new(remedy, text)
}

/// Returns what comes of the body in time, up to a limit.
async fn read(mut answer: reqwest::Response, deadline: Instant, cap: usize) -> Bytes {
    let mut body = Vec::new();
    while body.len() < cap
        && let Ok(Ok(Some(chunk))) = timeout_at(deadline, answer.chunk()).await
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(cap);
    body.into()
}

#[cfg(test)]
pub(in crate::alert) mod fake;
#[cfg(test)]
mod tests;
