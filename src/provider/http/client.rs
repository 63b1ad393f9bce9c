//! HTTP clients: limits, trust, proxy.

use std::sync::Arc;
use std::time::Duration;

use super::lookup;
use crate::config::{Account, CaFile};
use crate::provider::{ApiError, Cause, Network, Reason};

/// IAM tokens come in a header of up to 32 KiB; HTTP/2 clients take 16 KiB of headers by default.
const HEADER_CAP: u32 = 64 << 10;

const USER_AGENT: &str = concat!("rolling-upgrade-exporter/", env!("CARGO_PKG_VERSION"));

/// An account's. Fails when the system has no CAs and the account names none.
pub(super) fn client(account: &Account) -> Result<reqwest::Client, ApiError> {
    let builder = builder(connect_limit(account))
        .pool_max_idle_per_host(account.polling.max_concurrency.min(4))
        .http2_max_header_list_size(HEADER_CAP);
    of(account, builder)
}

/// An account's, for a request that must not go out twice. The library sends a request again that was
/// lost on a connection from the pool, or that an HTTP/2 server turned away: here are neither.
pub(crate) fn once(account: &Account) -> Result<reqwest::Client, ApiError> {
    let builder = builder(connect_limit(account))
        .pool_max_idle_per_host(0)
        .http1_only();
    of(account, builder)
}

fn connect_limit(account: &Account) -> Duration {
    account.polling.timeout.min(Duration::from_secs(5))
}

/// With the account's proxy and CAs.
fn of(account: &Account, mut builder: reqwest::ClientBuilder) -> Result<reqwest::Client, ApiError> {
    if let Some(proxy) = &account.proxy_url {
        let proxy = reqwest::Proxy::all(proxy.as_str()).map_err(|_| {
            ApiError::new(
                Reason::Network,
                "proxy_url is not an address that can be used",
            )
            .because(Cause::Network(Network::Proxy))
        })?;
        builder = builder.proxy(proxy);
    }
    let roots = account.ca_file.as_ref().map(CaFile::certificates);
    build(builder, roots, account.is_plain_http())
}

/// What all clients of the program have.
pub(crate) fn builder(connect: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(connect)
        .pool_idle_timeout(Duration::from_secs(50))
        // A redirect would carry signed headers to another host.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // Proxies come from the config only: credentials go where the file says.
        .no_proxy()
        .dns_resolver(Arc::new(lookup::System))
}

/// Builds the client that trusts these CAs, or those of the system.
///
/// # Errors
/// When the system has no CAs and none are given; a client of plain http needs none.
pub(crate) fn build(
    mut builder: reqwest::ClientBuilder,
    roots: Option<Vec<reqwest::Certificate>>,
    is_plain_http: bool,
) -> Result<reqwest::Client, ApiError> {
    if let Some(roots) = roots {
        builder = builder.tls_certs_only(roots);
    } else if is_plain_http {
        // reqwest refuses to start on a machine without CAs, even if it never needs one.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|_| {
        ApiError::new(
            Reason::Network,
            "no CA certificates were found on this machine: install ca-certificates, or set ca_file",
        )
        .because(Cause::Network(Network::Tls))
    })
}
