//! HTTP clients of accounts: proxy, CAs, and what the vendors' answers need.

use std::time::Duration;

use super::Connection;
use crate::http::client::{self, Protocol, Tls};
use crate::http::{ApiError, CaFile, Cause, Network};
use crate::model::Reason;

/// IAM tokens come in a header of up to 32 KiB; HTTP/2 clients take 16 KiB of headers by default.
const HEADER_CAP: u32 = 64 << 10;

/// Builds an account's client.
///
/// # Errors
/// Fails when the system has no CAs and the account names none.
pub(super) fn pooled(connection: &Connection) -> Result<reqwest::Client, ApiError> {
    let builder = client::builder(connect_limit(connection))
        .pool_max_idle_per_host(connection.max_concurrency.min(4))
        .http2_max_header_list_size(HEADER_CAP);
    build(connection, builder, Protocol::Any)
}

/// Builds an account's client for a request that must not go out twice. The library sends a request
/// again that was lost on a connection from the pool, or that an HTTP/2 server turned away: here are
/// neither.
pub(crate) fn once(connection: &Connection) -> Result<reqwest::Client, ApiError> {
    let builder = client::builder(connect_limit(connection)).pool_max_idle_per_host(0);
    build(connection, builder, Protocol::Http1)
}

fn connect_limit(connection: &Connection) -> Duration {
    connection.timeout.min(Duration::from_secs(5))
}

/// Builds a client with the account's proxy and CAs.
fn build(
    connection: &Connection,
    mut builder: reqwest::ClientBuilder,
    protocol: Protocol,
) -> Result<reqwest::Client, ApiError> {
    if let Some(proxy) = &connection.proxy_url {
        let proxy = reqwest::Proxy::all(proxy.as_str()).map_err(|_| {
            ApiError::new(
                Reason::Network,
                "proxy_url is not an address that can be used",
            )
            .because(Cause::Network(Network::Proxy))
        })?;
        builder = builder.proxy(proxy);
    }
    let tls = Tls {
        roots: connection.ca_file.as_ref().map(CaFile::certificates),
        identity: None,
        is_plain_http: connection.is_plain_http,
        protocol,
    };
    client::build(builder, tls)
}
