//! Faults: requests that are answered badly for a while.

use std::time::Duration;

use crate::sim::Request;

/// A request that is answered badly for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Text that the path must contain, or end with when a `$` follows it; empty for every path.
    pub path: String,
    /// Text that the query must contain.
    pub query: Option<String>,
    /// A cluster's id that path, query or body must contain.
    pub cluster: Option<String>,
    /// Since the scenario's start.
    pub from: Duration,
    /// Length of the fault; `None` for one that lasts.
    pub lasts: Option<Duration>,
    /// What happens.
    pub answer: FaultAnswer,
}

impl Fault {
    /// Builds a fault that every request whose path contains `path` meets, for good.
    pub fn new(path: &str, answer: FaultAnswer) -> Self {
        Self {
            path: path.to_owned(),
            query: None,
            cluster: None,
            from: Duration::ZERO,
            lasts: None,
            answer,
        }
    }

    /// Returns true for a request that comes `since` seconds after the scenario's start and meets
    /// this fault.
    pub(in crate::sim) fn meets(&self, request: &Request<'_>, since: f64) -> bool {
        let from = self.from.as_secs_f64();
        let lasts = self.lasts.map_or(f64::INFINITY, |l| l.as_secs_f64());
        let meets_path = match self.path.strip_suffix('$') {
            Some(end) => request.path.ends_with(end),
            None => request.path.contains(&self.path),
        };
        let meets_query = self
            .query
            .as_ref()
            .is_none_or(|q| request.query.contains(q));
        let meets_cluster = self.cluster.as_ref().is_none_or(|id| {
            request.path.contains(id.as_str())
                || request.query.contains(id.as_str())
                || String::from_utf8_lossy(request.body).contains(id.as_str())
        });
        (from..from + lasts).contains(&since) && meets_path && meets_query && meets_cluster
    }
}

/// Effect of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultAnswer {
    /// The vendor's 429.
    Throttled,
    /// The vendor's 401.
    Unauthorized,
    /// The gateway's "permission denied".
    Forbidden,
    /// The gateway's 5xx.
    ServerError,
    /// The service's refusal with a code of its own; some vendors send it with the status 200.
    Refused,
    /// The gateway's "no such API".
    NotPublished,
    /// The service's 400.
    BadRequest,
    /// The service's 403.
    Denied,
    /// The service's 404.
    NotFound,
    /// The vendor's 500.
    InternalError,
    /// A 500 with an HTML page.
    Html,
    /// A 200 with an HTML page.
    LoginPage,
    /// A 200 that is not JSON.
    Garbage,
    /// A 200 with an empty body.
    Empty,
    /// The first half of the good answer, then the connection is closed.
    Truncated,
    /// No answer until the client gives up.
    Hang,
    /// The connection is closed without an answer.
    Close,
    /// Connection that closes after the request was carried out: the answer is lost.
    Lost,
    /// A redirect to another host.
    Redirect,
    /// The good answer, with a word that is in no document for each state in it.
    UnknownWord,
    /// The `Date` header is ten minutes behind.
    OldDate,
}

impl FaultAnswer {
    /// Every answer with its name in a scenario.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("throttled", Self::Throttled),
        ("unauthorized", Self::Unauthorized),
        ("forbidden", Self::Forbidden),
        ("server_error", Self::ServerError),
        ("refused", Self::Refused),
        ("not_published", Self::NotPublished),
        ("bad_request", Self::BadRequest),
        ("denied", Self::Denied),
        ("not_found", Self::NotFound),
        ("internal_error", Self::InternalError),
        ("html", Self::Html),
        ("login_page", Self::LoginPage),
        ("garbage", Self::Garbage),
        ("empty", Self::Empty),
        ("truncated", Self::Truncated),
        ("hang", Self::Hang),
        ("close", Self::Close),
        ("lost", Self::Lost),
        ("redirect", Self::Redirect),
        ("unknown_word", Self::UnknownWord),
        ("old_date", Self::OldDate),
    ];
}
