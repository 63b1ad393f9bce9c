//! The one transport: limits, timeouts, no redirects, a cap on bodies, a fresh signature for each
//! attempt, retries, clock skew, and the metrics of all that.

mod answer;
mod asked;
pub(crate) mod client;
pub(crate) mod closed;
mod connection;
pub(crate) mod exchange;
pub mod limit;
mod message;
mod metrics;
pub mod retry;
mod vendor;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::clock::{Reading, VendorClock};
use crate::http::{ApiError, Cause, Redaction};
use crate::model::Reason;
use crate::secret::refresh_all;
use exchange::{Received, prepare, receive};
use limit::{Closed, Gate, Pass, Rate, Verdict};

pub use answer::Answer;
pub use closed::Allowed;
pub use connection::Connection;
pub(crate) use message::host;
pub use message::{Effort, Message, Request};
pub use metrics::RequestMetrics;
pub(crate) use metrics::{ProductRequests, product_labels};
pub use vendor::{Authentication, Vendor};

/// Longest wait for paused credentials before their files are read again: others may be there by then.
const LOOK: Duration = Duration::from_secs(5);

/// Longest wait for the slot of the calls that are made once: the poll that makes one goes on without.
const SLOT_WAIT: Duration = Duration::from_secs(1);

/// One account's way to its vendor; its limits are shared by all the account's products.
#[derive(Debug)]
pub struct Transport {
    account: Arc<str>,
    client: reqwest::Client,
    rate: Rate,
    gate: Gate,
    /// Slot of the calls that are made once.
    once: Semaphore,
    pauses: asked::Pauses,
    timeout: Duration,
    /// Of one request, the first included.
    attempts: u32,
    /// All that may be called.
    allowed: Mutex<Vec<Allowed>>,
    /// Host and port of the proxy.
    proxy: Option<String>,
    /// Password of the proxy.
    proxy_secrets: Redaction,
    requests: RequestMetrics,
    clock: VendorClock,
    /// See [`Transport::shared`].
    slots: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
}

impl Transport {
    /// Builds the transport of an account.
    ///
    /// # Errors
    /// Fails when the system has no CAs and the account names none.
    pub fn new(
        connection: &Connection,
        requests: RequestMetrics,
        clock: impl Into<VendorClock>,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            account: connection.account.clone(),
            client: client::pooled(connection)?,
            rate: Rate::new(connection.rate_limit),
            gate: Gate::new(connection.max_concurrency),
            once: Semaphore::new(1),
            pauses: asked::Pauses::default(),
            timeout: connection.timeout,
            attempts: retry::ATTEMPTS,
            allowed: Mutex::default(),
            proxy: connection.proxy_url.as_ref().map(host),
            proxy_secrets: Redaction::of_url(connection.proxy_url.as_ref()),
            requests,
            clock: clock.into(),
            slots: Mutex::default(),
        })
    }

    /// Continues where another transport of this account stopped: keeps to the rate and to pauses that the
    /// vendor asked for, and lets credentials that were refused rest. With equal credentials it also has
    /// everything that the products share.
    #[must_use]
    pub fn following(mut self, old: &Self, same_credentials: bool) -> Self {
        self.rate = self.rate.following(&old.rate);
        self.gate = self.gate.following(&old.gate);
        self.pauses = asked::Pauses::following(&old.pauses);
        if same_credentials {
            let slots = old.slots.lock();
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

    /// What all of the account's products have one of, such as a source of tokens: the one of this
    /// type, made by whoever asks first.
    pub fn shared<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut slots = self.slots.lock();
        for slot in slots.iter() {
            if let Ok(found) = slot.clone().downcast::<T>() {
                return found;
            }
        }
        let new = Arc::new(make());
        slots.push(new.clone());
        new
    }

    /// Allows the calls of a product, or a sign-in: nothing else is sent.
    pub fn allow(&self, calls: Allowed) {
        let mut allowed = self.allowed.lock();
        if !allowed.contains(&calls) {
            allowed.push(calls);
        }
    }

    /// Returns the clock of the account's vendor.
    pub fn clock(&self) -> &VendorClock {
        &self.clock
    }

    /// Sends a request, repeating it as [`retry`] allows. The error carries the call's name. What is not
    /// among the calls that were [allowed](Self::allow), all of which only read, is not sent.
    pub async fn send(
        &self,
        vendor: &dyn Vendor,
        request: &Request<'_>,
    ) -> Result<Answer, ApiError> {
        closed::check(&self.allowed.lock(), request)?;
        let (_slot, attempts) = match request.effort {
            Effort::Normal => (None, self.attempts),
            Effort::Once => (Some(self.slot(request).await?), 1),
        };
        let mut attempt = 1;
        // Of a client that asks once the first refusal is the outcome.
        let mut may_pause = self.attempts > 1;
        loop {
            let error = match self.attempt(vendor, request, may_pause).await {
                Ok(answer) => return Ok(answer),
                Err(Failed::Paused) => {
                    may_pause = false;
                    continue;
                }
                Err(Failed::Error(error)) => error,
            };
            let dice = fastrand::f64();
            let wait = retry::delay(attempt, &error, dice).filter(|_| attempt < attempts);
            let Some(wait) = wait else {
                self.note_pause(request, &error);
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

    /// Waits a moment for the slot of the calls that are made once; not while the vendor's pause lasts.
    async fn slot(&self, request: &Request<'_>) -> Result<SemaphorePermit<'_>, ApiError> {
        let not_asked = |reason, why: &str| {
            let error = ApiError::new(reason, format!("not asked: {why}"));
            Err(error.because(Cause::NotAsked).of(request.call.name))
        };
        if self.pauses.until(request).is_some() {
            return not_asked(Reason::Throttled, "the vendor asks for a pause");
        }
        let wait = SLOT_WAIT.min(self.timeout);
        let slot = tokio::time::timeout(wait, self.once.acquire()).await;
        let Ok(Ok(slot)) = slot else {
            let why = "other failing calls of the account are slow to answer";
            return not_asked(Reason::Timeout, why);
        };
        Ok(slot)
    }

    /// Keeps to the pause that the vendor asks for between tries of a secondary call.
    fn note_pause(&self, request: &Request<'_>, error: &ApiError) {
        let Some(pause) = error.retry_after.filter(|_| error.cause != Cause::Held) else {
            return;
        };
        if request.call.secondary.is_some() && self.pauses.note(request, pause) {
            let until = self.clock.local().now().checked_add(pause);
            tracing::info!(
                account = %self.account, call = request.call.name, path = request.path,
                seconds = pause.as_secs(), until = %until.unwrap_or(jiff::Timestamp::MAX),
                "The vendor asks for a pause (Retry-After): the call is not made before it ends."
            );
        }
    }

    async fn attempt(
        &self,
        vendor: &dyn Vendor,
        request: &Request<'_>,
        may_pause: bool,
    ) -> Result<Answer, Failed> {
        let (credentials, _pass) = self.enter(vendor).await.map_err(|e| failed(e, request))?;
        let Judged { answer, verdict } = self.ask(vendor, request).await?;
        let mut error = match verdict {
            Ok(()) => {
                if self.gate.accepted(credentials).is_some() {
                    tracing::info!(
                        account = %self.account, call = request.call.name,
                        "The vendor accepts the credentials again."
                    );
                }
                return Ok(answer);
            }
            Err(error) => error.of(request.call.name),
        };
        error.status = Some(answer.status);
        error.retry_after = answer.header("retry-after").and_then(retry::retry_after);
        let lockout = vendor.rest_after_refusal();
        // A refusal for the clock, as of a second server whose clock differs, says nothing of the key.
        let is_for_the_key = error.reason == Reason::Auth && error.cause != Cause::Clock;
        if !is_for_the_key || lockout.is_zero() {
            return Err(Failed::Error(error));
        }
        let verdict = self
            .gate
            .refused(credentials, error.clone(), lockout, may_pause);
        let Verdict::Paused(pause) = verdict else {
            return Err(Failed::Error(error));
        };
        tracing::warn!(
            account = %self.account, call = request.call.name, %error,
            "The vendor refused credentials that it accepted before; one call tries them again in {}.",
            crate::text::exact_length(pause)
        );
        Err(Failed::Paused)
    }

    /// Waits until a call with the vendor's credentials may be made; returns their fingerprint.
    async fn enter(&self, vendor: &dyn Vendor) -> Result<(u64, Pass<'_>), ApiError> {
        loop {
            refresh_all(&vendor.secrets(), Instant::now() + self.timeout).await;
            let credentials = vendor.credentials();
            match self.gate.enter(credentials).await {
                Ok(pass) => return Ok((credentials, pass)),
                Err(Closed::Paused(left)) => tokio::time::sleep(left.min(LOOK)).await,
                Err(Closed::LockedOut { left, why }) => return Err(locked_out(left, &why)),
            }
        }
    }

    /// Makes the call. A refusal for the clock is no bad signature: the call is repeated once in the time
    /// that the refusal tells, and where that is accepted vendor time signs from then on.
    async fn ask(&self, vendor: &dyn Vendor, request: &Request<'_>) -> Result<Judged, Failed> {
        let sent = self.exchange(vendor, request, None).await;
        let (answer, reading) = sent.map_err(|error| failed(error, request))?;
        let verdict = vendor.judge(&answer);
        let is_for_the_clock = matches!(&verdict, Err(error) if error.cause == Cause::Clock);
        // A client that asks once tells the refusal.
        let Some(reading) = reading.filter(|_| is_for_the_clock && self.attempts > 1) else {
            return Ok(Judged { answer, verdict });
        };
        let sent = self.exchange(vendor, request, Some(reading)).await;
        let (answer, _) = sent.map_err(|error| failed(error, request))?;
        let verdict = vendor.judge(&answer);
        if verdict.is_ok() && self.clock.start_signing() {
            let now = reading.at(Instant::now());
            let skew = self.clock.local().now().duration_since(now);
            tracing::warn!(
                account = %self.account, skew_seconds = skew.as_secs(),
                "The vendor refuses the time of this host's clock and accepts its own: requests are signed in the vendor's time from now on. Synchronize the host's clock (NTP)."
            );
        }
        Ok(Judged { answer, verdict })
    }

    /// Signs the request, at the time that the vendor told last where `reading` has one, sends it, and
    /// counts it.
    async fn exchange(
        &self,
        vendor: &dyn Vendor,
        request: &Request<'_>,
        reading: Option<Reading>,
    ) -> Result<(Answer, Option<Reading>), ApiError> {
        self.rate.turn().await;
        let signed = match reading {
            Some(reading) => reading.at(Instant::now()),
            None if self.clock.is_signing() => self.clock.now(),
            None => self.clock.local().now(),
        };
        let message = request.message();
        let ready = prepare(&self.client, vendor, &message, signed)?;
        let way = exchange::Way {
            host: message.host(),
            proxy: self.proxy.as_deref(),
            proxy_secrets: &self.proxy_secrets,
        };
        let exchange = async { receive(ready, &way, signed).await.map_err(|e| e.error) };
        let outcome = tokio::time::timeout(self.timeout, exchange).await;
        let outcome = outcome.unwrap_or_else(|_| {
            Err(ApiError::new(
                Reason::Timeout,
                format!(
                    "no complete answer within {}; check the route to the vendor, or raise polling.timeout",
                    crate::text::exact_length(self.timeout)
                ),
            ))
        });
        let code = match &outcome {
            Ok(received) => received.answer.status.to_string(),
            Err(_) => "none".to_owned(),
        };
        self.requests
            .count(&self.account, request.product, request.call.name, &code);
        let Received { answer, reading } = outcome?;
        if let Some(reading) = reading {
            self.clock.observe(reading);
        }
        Ok((answer, reading))
    }
}

/// An answer with the vendor's judgement of it.
struct Judged {
    answer: Answer,
    verdict: Result<(), ApiError>,
}

/// An attempt that failed.
enum Failed {
    /// The vendor refused credentials that it accepted before: the call is made again.
    Paused,
    /// Any other failure.
    Error(ApiError),
}

/// Builds the error of a call that is not made during a lockout, which tells the refusal, too.
fn locked_out(left: Duration, why: &ApiError) -> ApiError {
    let mut error = ApiError::new(
        Reason::Auth,
        format!(
            "the vendor refused these credentials: {why}; no call is made with them for another {}, so that the key is not locked",
            crate::text::exact_length(Duration::from_secs(left.as_secs().max(1)))
        ),
    )
    .because(Cause::Held);
    error.retry_after = Some(left);
    error
}

fn failed(error: ApiError, request: &Request<'_>) -> Failed {
    Failed::Error(error.of(request.call.name))
}

#[cfg(test)]
mod tests;
