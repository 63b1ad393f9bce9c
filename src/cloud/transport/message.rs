//! A request before it is signed.

use url::Url;

use crate::cloud::{Call, Method};

/// Effort of the transport to get an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effort {
    /// Repeats the call as [`retry`](super::retry) allows.
    #[default]
    Normal,
    /// Makes the call once, and only while no other such call of the account is in flight: for calls
    /// that failed before and that a poll can do without.
    Once,
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
    /// The encoded query, from [`call::query`](crate::cloud::call::query); empty for none.
    pub query: String,
    /// Headers besides those of authentication.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Option<String>,
    /// Effort of the transport.
    pub effort: Effort,
}

impl Request<'_> {
    /// Returns the part that is signed and sent.
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

/// Part of a request that is signed and sent.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// HTTP method.
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

    /// Returns the address that is sent. Writing a path into it resolves `..` in every encoding, turns `\`
    /// into `/` and drops tabs and line breaks, so that it can differ from `path` and `query`.
    pub(super) fn url(&self) -> Url {
        let mut url = self.base.clone();
        url.set_path(self.path);
        url.set_query((!self.query.is_empty()).then_some(self.query));
        url
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
