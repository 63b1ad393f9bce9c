//! What an account's calls go through.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::http::CaFile;

/// Limits of an account's calls, and how they reach the vendor.
#[derive(Clone)]
pub struct Connection {
    /// Name of the account.
    pub account: Arc<str>,
    /// For one call, from the first byte sent to the last received.
    pub timeout: Duration,
    /// Calls a second.
    pub rate_limit: f64,
    /// Calls in flight.
    pub max_concurrency: usize,
    /// Certificates to trust instead of the system's CAs.
    pub ca_file: Option<CaFile>,
    /// HTTP proxy.
    pub proxy_url: Option<Url>,
    /// True when every address is plain http, for which no CAs are needed.
    pub is_plain_http: bool,
}
