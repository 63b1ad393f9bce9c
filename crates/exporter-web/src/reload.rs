//! `POST /-/reload`: queues the request to read the config anew, and answers with its outcome.

mod queue;

use std::time::Duration;

use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::{Request, StatusCode};
use tokio::time::timeout;

use super::answer::{Answer, text};
use super::cross_site::is_cross_site;
use super::prefix::ExternalUrl;
use queue::Refusal;
pub use queue::{InWork, ReloadQueue, ReloadRequest, ReloadSender};

/// Time from a request to its answer, all waiting included.
const LIMIT: Duration = Duration::from_secs(60);

/// Route that reloads the config.
#[derive(Debug, Clone)]
pub enum Reload {
    /// Reloading is off: `--web.enable-lifecycle` was not given.
    Off,
    /// Reloading is on: the owner of the [`ReloadQueue`] carries out one request after the other.
    On(ReloadSender),
}

/// Result of a reload. The error holds a line for each problem of the config.
pub type Outcome = Result<(), String>;

impl Reload {
    /// Opens a queue of requests, and returns its two ends.
    pub fn on() -> (Self, ReloadQueue) {
        let (sender, queue) = queue::queue();
        (Self::On(sender), queue)
    }

    /// Answers a request to reload, unless a page of another site made a browser send it.
    pub async fn handle<B>(
        &self,
        request: &Request<B>,
        external_url: Option<&ExternalUrl>,
    ) -> Answer {
        if is_cross_site(request, external_url) {
            return text(
                StatusCode::FORBIDDEN,
                "a page of another site asked for this, the config was not reloaded: ask with curl \
                 or another client that sends neither Origin nor Sec-Fetch-Site; behind a proxy \
                 that rewrites Host, set --web.external-url\n",
            );
        }
        self.answer().await
    }

    /// Requests a reload, and answers once it succeeded, failed or took too long.
    async fn answer(&self) -> Answer {
        let Self::On(sender) = self else {
            return text(
                StatusCode::FORBIDDEN,
                "reloading over HTTP is off: start the exporter with --web.enable-lifecycle, \
                 or send it SIGHUP\n",
            );
        };
        let mut ticket = match sender.send() {
            Ok(ticket) => ticket,
            Err(Refusal::Full) => {
                return text(
                    StatusCode::CONFLICT,
                    "a reload is in work and another one waits, which will read the config as it \
                     is then; the config was not reloaded for this request\n",
                );
            }
            Err(Refusal::Closed) => return ending(),
        };
        match timeout(LIMIT, ticket.outcome()).await {
            Ok(Some(Ok(()))) => text(StatusCode::OK, "reloaded\n"),
            Ok(Some(Err(problems))) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the config was not reloaded, nothing changed:\n{problems}\n"),
            ),
            Ok(None) => ending(),
            Err(_) if ticket.withdraw() => {
                let mut answer = text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!(
                        "another reload has been in work for {LIMIT:?}; the config was not \
                         reloaded for this request, try again later\n"
                    ),
                );
                let headers = answer.headers_mut();
                headers.insert(RETRY_AFTER, HeaderValue::from_static("60"));
                answer
            }
            Err(_) => text(
                StatusCode::GATEWAY_TIMEOUT,
                format!(
                    "the reload is not over after {LIMIT:?} and goes on; the log tells how it \
                     ends\n"
                ),
            ),
        }
    }
}

fn ending() -> Answer {
    text(
        StatusCode::SERVICE_UNAVAILABLE,
        "the exporter is ending, the config was not reloaded\n",
    )
}

#[cfg(test)]
mod tests;
