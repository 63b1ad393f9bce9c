//! The one way by which this program changes anything in a cloud: a request that starts an upgrade is
//! signed once, sent once, and used up by that. Only the command `start` comes here; the transport of
//! the poll path takes calls of the closed list and could not send an [`Order`].

mod command;

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use url::Url;

use crate::clock::Clock;
use crate::cloud::transport::exchange::{self, Broken, prepare, receive};
use crate::cloud::transport::{self, Answer, Connection, Message, Vendor};
use crate::cloud::{Method, VENDOR_SAYS};
use crate::http::{ApiError, Cause, Redaction};
use crate::model::Reason;
use crate::secret::refresh_all;

pub use command::{StartCommand, StartExample, StartRequest};

/// For the whole exchange. An answer that is given up leaves the outcome unknown, so it is waited for
/// longer than a poll would.
const PATIENCE: Duration = Duration::from_secs(60);

/// What signs a request, once it has what it needs for that, such as a token.
pub(crate) type Signing<'a> = BoxFuture<'a, Result<Box<dyn Vendor + 'a>, ApiError>>;

/// Whoever can sign for an account.
pub(crate) trait Signer: Send + Sync {
    /// What signs.
    fn sign(&self) -> Signing<'_>;
}

/// What a product puts into an order.
pub(crate) struct Parts {
    /// The vendor's name of the call.
    pub(crate) call: &'static str,
    /// Scheme, host and port.
    pub(crate) base: Url,
    /// The encoded path.
    pub(crate) path: String,
    /// JSON.
    pub(crate) body: String,
    /// The permission that it takes, as the end of "it needs".
    pub(crate) needs: &'static str,
    /// Where the vendor's console shows the upgrade, as the end of "look into".
    pub(crate) console: &'static str,
    /// The codes by which the service says, as documented, that it did not begin: they are believed
    /// whatever the HTTP status is.
    pub(crate) refusals: &'static [&'static str],
    /// Reads a good answer.
    pub(crate) read: fn(&Answer) -> Result<Accepted, ApiError>,
    /// Adds to a refusal what this call's answers tell besides.
    pub(crate) explain: fn(&Answer, ApiError) -> ApiError,
    /// Who signs.
    pub(crate) signer: Box<dyn Signer>,
}

/// A request that starts an upgrade, before it is signed. It cannot be copied.
pub struct Order {
    parts: Parts,
    headers: [(&'static str, String); 1],
}

/// What the vendor said when it took the request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The id of the task that was made, where there is one.
    pub task_id: Option<String>,
    /// The version that the cluster runs.
    pub from: Option<String>,
    /// The version that it goes to, in the vendor's full form.
    pub to: Option<String>,
    /// The platform version of that version, where the vendor chooses one.
    pub platform: Option<String>,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
}

/// Why nobody can say that an upgrade was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// It never left this machine.
    NotSent(ApiError),
    /// The vendor said no: nothing was started.
    Refused(ApiError),
    /// It may have arrived, and may have been carried out.
    Unknown(ApiError),
}

impl Order {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts,
            headers: [("content-type", "application/json".to_owned())],
        }
    }

    /// The vendor's name of the call.
    pub fn call(&self) -> &'static str {
        self.parts.call
    }

    /// The permission that it takes, as the end of "it needs".
    pub fn needs(&self) -> &'static str {
        self.parts.needs
    }

    /// Where the vendor's console shows the upgrade, as the end of "look into".
    pub fn console(&self) -> &'static str {
        self.parts.console
    }

    fn message(&self) -> Message<'_> {
        Message {
            method: Method::Post,
            base: &self.parts.base,
            path: &self.parts.path,
            query: "",
            headers: &self.headers,
            body: Some(&self.parts.body),
        }
    }

    /// Signs it, sends it, and reads the answer: once, whatever happens.
    pub async fn send(self, connection: &Connection, clock: &Clock) -> Result<Accepted, Failed> {
        self.send_within(PATIENCE, connection, clock).await
    }

    async fn send_within(
        self,
        patience: Duration,
        connection: &Connection,
        clock: &Clock,
    ) -> Result<Accepted, Failed> {
        let call = self.parts.call;
        let not_sent = |error: ApiError| Failed::NotSent(error.of(call));
        let client = transport::client::once(connection).map_err(not_sent)?;
        let vendor = self.parts.signer.sign().await.map_err(not_sent)?;
        refresh_all(&vendor.secrets(), Instant::now() + patience).await;
        let message = self.message();
        let now = clock.now();
        let ready = prepare(&client, &*vendor, &message, now).map_err(not_sent)?;
        let proxy = connection.proxy_url.as_ref().map(transport::host);
        let proxy_secrets = Redaction::of_url(connection.proxy_url.as_ref());
        let way = exchange::Way {
            host: message.host(),
            proxy: proxy.as_deref(),
            proxy_secrets: &proxy_secrets,
        };
        let outcome = tokio::time::timeout(patience, receive(ready, &way, now)).await;
        let answer = match outcome {
            Ok(Ok(received)) => received.answer,
            Ok(Err(Broken { error, connected })) => {
                let error = error.of(call);
                return Err(if connected {
                    Failed::Unknown(error)
                } else {
                    Failed::NotSent(error)
                });
            }
            Err(_) => {
                let what = format!(
                    "no complete answer within {}",
                    crate::text::exact_length(patience)
                );
                return Err(Failed::Unknown(
                    ApiError::new(Reason::Timeout, what).of(call),
                ));
            }
        };
        if let Err(mut error) = vendor.judge(&answer) {
            error.status = Some(answer.status);
            let error = (self.parts.explain)(&answer, denied(error.of(call)));
            return Err(Failed::of(error, self.parts.refusals));
        }
        (self.parts.read)(&answer).map_err(|error| Failed::Unknown(error.of(call)))
    }
}

impl fmt::Display for Order {
    /// Method, URL, type and body, as they are sent; no key, no signature, no token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message();
        let base = message.base.as_str().trim_end_matches('/');
        writeln!(f, "{} {base}{}", message.method.as_str(), message.path)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "\n{}", self.parts.body)
    }
}

/// A key that may not do this needs other rights than those that a poll would ask for.
fn denied(mut error: ApiError) -> ApiError {
    if matches!(error.cause, Cause::Permission) {
        let said = error.message.split_once(VENDOR_SAYS).map(|(_, said)| said);
        let said = said.map_or(String::new(), |said| format!("{VENDOR_SAYS}{said}"));
        error.message = format!("this key may not start upgrades{said}");
    }
    error
}

impl Failed {
    /// What an answer that is no acceptance says about the request. Only a clear no counts as one: a
    /// gateway that gave up waiting has handed the request on, and a service that broke may have begun.
    fn of(error: ApiError, refusals: &[&str]) -> Self {
        let documented = || error.code.as_deref().is_some_and(|c| refusals.contains(&c));
        match (error.reason, error.status) {
            // The proxy did not let it through.
            (_, Some(407)) => Self::NotSent(error),
            (Reason::Refused, Some(500..)) if !documented() => Self::Unknown(error),
            // Whoever stood between gave up waiting.
            (_, Some(408 | 499)) => Self::Unknown(error),
            (
                Reason::Auth
                | Reason::Permission
                | Reason::NotFound
                | Reason::Throttled
                | Reason::Refused,
                _,
            )
            | (Reason::Protocol, Some(400..500)) => Self::Refused(error),
            (Reason::Timeout | Reason::Network | Reason::Server | Reason::Protocol, _) => {
                Self::Unknown(error)
            }
        }
    }

    /// What happened.
    pub fn error(&self) -> &ApiError {
        match self {
            Self::NotSent(error) | Self::Refused(error) | Self::Unknown(error) => error,
        }
    }
}

#[cfg(test)]
mod tests;
