//! The one transport: limits, timeouts, no redirects, a cap on bodies, a fresh signature for each
//! attempt, retries, clock skew, and the metrics of all that.

pub(crate) mod client;
mod closed;
pub(crate) mod exchange;
pub(crate) mod failure;
mod lookup;
pub(crate) mod redaction;

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use url::Url;

use client::client;
use exchange::{prepare, receive};
use failure::resting;

use super::limit::{Gate, Rate};
pub use redaction::Redaction;

use super::{ApiError, Call, Method, Reason, retry};
use crate::clock::Clock;
use crate::config::secret::refresh_all;
use crate::config::{Account, Secret};
use crate::telemetry::Metrics;

/// One account's way to its vendor; its limits are shared by all the account's products.
#[derive(Debug)]
pub struct Transport {
    account: Arc<str>,
    client: reqwest::Client,
    rate: Rate,
    gate: Gate,
    timeout: Duration,
    /// Of one request, the first included.
    attempts: u32,
    /// All that may be called.
    calls: Vec<&'static Call>,
    /// Host and port of the proxy.
    proxy: Option<String>,
    /// Password of the proxy.
    proxy_secrets: Redaction,
    /// As the last answer showed it.
    skew: Mutex<Option<SignedDuration>>,
    metrics: Arc<Metrics>,
    clock: Clock,
    /// See [`Transport::shared`].
    slots: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
}

/// One request before it is signed.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The product that asks, for the metrics.
    pub product: &'static str,
    /// The call.
    pub call: &'static Call,
    /// Scheme, host and port.
    pub base: &'a Url,
    /// The encoded path, from [`Call::path_with`], with a region prefix where the vendor has one.
    pub path: String,
    /// The encoded query, from [`super::call::query`]; empty for none.
    pub query: String,
    /// Headers besides those of authentication.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Option<String>,
}

impl Request<'_> {
    /// What of it is signed and sent.
    pub fn message(&self) -> Message<'_> {
        Message {
            method: self.call.method,
            base: self.base,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: self.body.as_deref(),
        }
    }
}

/// What is signed and sent.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Its method.
    pub method: Method,
    /// Scheme, host and port.
    pub base: &'a Url,
    /// The encoded path.
    pub path: &'a str,
    /// The encoded query; empty for none.
    pub query: &'a str,
    /// Headers besides those of authentication.
    pub headers: &'a [(&'static str, String)],
    /// JSON.
    pub body: Option<&'a str>,
}

impl Message<'_> {
    /// Path and query as they stand in the request line.
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.to_owned()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// The value of the `Host` header: with the port, when it is not the scheme's own.
    pub fn host(&self) -> String {
        host(self.base)
    }
}

/// Host, and port when it is not the scheme's own.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// A vendor's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
    /// Local clock minus the server's, from the `Date` header; its precision is a second.
    pub skew: Option<SignedDuration>,
}

impl Answer {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads the body as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // serde's text can quote the body; its position cannot.
            let mut failed = ApiError::new(
                Reason::Protocol,
                format!(
                    "the answer is not the JSON that the vendor documents ({:?} error at line {}, column {} of {} bytes)",
                    error.classify(),
                    error.line(),
                    error.column(),
                    self.body.len(),
                ),
            );
            failed.status = Some(self.status);
            failed
        })
    }
}

/// Authentication of one attempt.
#[derive(Debug, Default)]
pub struct Authentication {
    headers: Vec<(&'static str, SecretString)>,
    redaction: Redaction,
}

impl Authentication {
    /// Adds a header whose value may be shown.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<SecretString>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a header whose value is secret.
    #[must_use]
    pub fn secret_header(self, name: &'static str, value: impl Into<SecretString>) -> Self {
        let value = value.into();
        self.secret(&value).header(name, value)
    }

    /// Adds a secret that stands in the body or in a part of a header, or that a signature is made of.
    #[must_use]
    pub fn secret(mut self, secret: &SecretString) -> Self {
        self.redaction.add(secret.expose_secret());
        self
    }
}

/// What a vendor adds to the transport: how a request is authenticated and what answers mean.
pub trait Vendor: Send + Sync {
    /// The secrets that [`Vendor::authorize`] takes; their files are read again before each attempt.
    fn secrets(&self) -> Vec<&Secret> {
        Vec::new()
    }

    /// Signs this attempt at `now`.
    fn authorize(&self, message: &Message<'_>, now: Timestamp) -> Result<Authentication, ApiError>;

    /// What the answer means. Called for each answer, 2xx too: a vendor can refuse with 200.
    fn judge(&self, answer: &Answer) -> Result<(), ApiError>;

    /// A number that changes with the credentials; never shown.
    fn credentials(&self) -> u64;

    /// How long to leave the vendor alone after it refused the credentials; zero: do not.
    fn rest_after_refusal(&self) -> Duration;
}

impl<V: Vendor + ?Sized> Vendor for &V {
    fn secrets(&self) -> Vec<&Secret> {
        (**self).secrets()
    }

    fn authorize(&self, message: &Message<'_>, now: Timestamp) -> Result<Authentication, ApiError> {
        (**self).authorize(message, now)
    }

    fn judge(&self, answer: &Answer) -> Result<(), ApiError> {
        (**self).judge(answer)
    }

    fn credentials(&self) -> u64 {
        (**self).credentials()
    }

    fn rest_after_refusal(&self) -> Duration {
        (**self).rest_after_refusal()
    }
}

impl Transport {
    /// The transport of an account. Fails when the system has no CAs and the account names none.
    pub fn new(account: &Account, metrics: Arc<Metrics>, clock: Clock) -> Result<Self, ApiError> {
        Ok(Self {
            account: account.name.clone(),
            client: client(account)?,
            rate: Rate::new(account.polling.rate_limit),
            gate: Gate::new(account.polling.max_concurrency),
            timeout: account.polling.timeout,
            attempts: retry::ATTEMPTS,
            calls: closed::calls().collect(),
            proxy: account.proxy_url.as_ref().map(host),
            proxy_secrets: Redaction::of_url(account.proxy_url.as_ref()),
            skew: Mutex::default(),
            metrics,
            clock,
            slots: Mutex::default(),
        })
    }

    /// The same, that goes on where another of this account stopped: it keeps to the rate, and
    /// credentials that were refused still rest. With the same credentials it also has what all
    /// products share.
    #[must_use]
    pub fn following(mut self, old: &Self, same_credentials: bool) -> Self {
        self.rate = self.rate.following(&old.rate);
        self.gate = self.gate.following(&old.gate);
        self.skew = Mutex::new(old.skew());
        if same_credentials {
            let slots = old.slots.lock().unwrap_or_else(PoisonError::into_inner);
            self.slots = Mutex::new(slots.clone());
        }
        self
    }

    /// The same, that makes each call once and takes the first outcome for the answer.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.attempts = 1;
        self
    }

    /// Local clock minus the vendor's, by the last answer that told the time.
    pub fn skew(&self) -> Option<SignedDuration> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What all of the account's products have one of, such as a source of tokens: the one of this
    /// type, made by whoever asks first.
    pub fn shared<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in slots.iter() {
            if let Ok(found) = slot.clone().downcast::<T>() {
                return found;
            }
        }
        let new = Arc::new(make());
        slots.push(new.clone());
        new
    }

    /// The clock that requests are signed by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Sends a request, repeating it as [`retry`] allows. The error carries the call's name. What is not
    /// in the closed list of the products' calls, all of which only read, is not sent.
    pub async fn send(
        &self,
        vendor: &dyn Vendor,
        request: &Request<'_>,
    ) -> Result<Answer, ApiError> {
        closed::check(&self.calls, request)?;
        let mut attempt = 1;
        loop {
            let error = match self.attempt(vendor, request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error.of(request.call.name),
            };
            if attempt >= self.attempts {
                return Err(error);
            }
            let dice = fastrand::f64();
            let Some(wait) = retry::delay(attempt, &error, dice) else {
                return Err(error);
            };
            tracing::debug!(
                account = %self.account,
                call = request.call.name,
                attempt,
                wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                reason = error.reason.as_str(),
                "Repeating a failed call."
            );
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        vendor: &dyn Vendor,
        request: &Request<'_>,
    ) -> Result<Answer, ApiError> {
        refresh_all(&vendor.secrets(), Instant::now() + self.timeout).await;
        let credentials = vendor.credentials();
        let _pass = self.gate.enter(credentials).await.map_err(resting)?;
        self.rate.turn().await;
        let sent = self.clock.now();
        let message = request.message();
        let ready = prepare(&self.client, vendor, &message, sent)?;
        let way = exchange::Way {
            host: message.host(),
            proxy: self.proxy.as_deref(),
            proxy_secrets: &self.proxy_secrets,
            clock: &self.clock,
        };
        let exchange = async { receive(ready, &way, sent).await.map_err(|e| e.error) };
        let outcome = tokio::time::timeout(self.timeout, exchange).await;
        let outcome = outcome.unwrap_or_else(|_| {
            Err(ApiError::new(
                Reason::Timeout,
                format!(
                    "no complete answer within {}; check the route to the vendor, or raise polling.timeout",
                    humantime::format_duration(self.timeout)
                ),
            ))
        });
        let code = match &outcome {
            Ok(answer) => answer.status.to_string(),
            Err(_) => "none".to_owned(),
        };
        self.metrics
            .api_request(&self.account, request.product, request.call.name, &code);
        let answer = outcome?;
        if let Some(skew) = answer.skew {
            self.metrics.clock_skew(&self.account, skew.as_secs_f64());
            *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
        }
        match vendor.judge(&answer) {
            Ok(()) => {
                self.gate.accepted(credentials);
                Ok(answer)
            }
            Err(mut error) => {
                error.status = Some(answer.status);
                error.retry_after = answer.header("retry-after").and_then(retry::retry_after);
                let rest = vendor.rest_after_refusal();
                if error.reason == Reason::Auth && !rest.is_zero() {
                    self.gate.refused(credentials, rest);
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests;
