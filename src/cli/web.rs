//! The flags that `serve` and `healthcheck` share: what the server is, and so where it is asked.

use clap::Args;
use rolling_upgrade_exporter::web::listen::ListenAddress;
use rolling_upgrade_exporter::web::prefix::{ExternalUrl, RoutePrefix};
use rolling_upgrade_exporter::web::proxy::ProxyNetwork;

use super::WebConfig;

/// Where the exporter listens, and what it serves there.
#[derive(Debug, Args)]
pub(crate) struct Web {
    /// Where the exporter listens: :PORT for every address, or HOST:PORT; may be repeated
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = ":10850"
    )]
    pub(crate) addresses: Vec<ListenAddress>,
    /// Listen on the sockets that systemd hands over, instead of --web.listen-address
    #[arg(long = "web.systemd-socket")]
    pub(crate) systemd_socket: bool,
    /// The path of the metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics",
          value_parser = telemetry_path)]
    pub(crate) telemetry_path: String,
    #[command(flatten)]
    pub(crate) config: WebConfig,
    /// Connections that may be open; for one more, one that is idle is closed. The system's limit of
    /// open files (the hard one), less 64, bounds it too
    #[arg(
        long = "web.max-connections",
        value_name = "NUMBER",
        default_value = "4096",
        value_parser = max_connections
    )]
    pub(crate) max_connections: usize,
    /// Where people reach the exporter, for instance behind a proxy; alerts that it posts link there, and
    /// pages of this origin may reload the config
    #[arg(long = "web.external-url", value_name = "URL", value_parser = external_url)]
    pub(crate) external_url: Option<ExternalUrl>,
    /// The path below which everything is served [default: the path of --web.external-url]
    #[arg(long = "web.route-prefix", value_name = "PATH")]
    route_prefix: Option<RoutePrefix>,
    /// Let POST and PUT to /-/reload read the config anew; SIGHUP always does
    #[arg(long = "web.enable-lifecycle")]
    pub(crate) lifecycle: bool,
    /// Reverse proxies, as addresses or networks such as 10.0.0.0/8: their connections have no share, and
    /// logins through them are told apart by the client's address in Forwarded or X-Forwarded-For; a list
    /// with commas, may be repeated
    #[arg(
        long = "web.trusted-proxies",
        value_name = "NETWORK",
        value_delimiter = ','
    )]
    pub(crate) trusted_proxies: Vec<ProxyNetwork>,
}

impl Web {
    /// The path below which everything is served.
    pub(crate) fn prefix(&self) -> RoutePrefix {
        let external = || self.external_url.as_ref()?.route_prefix().ok();
        let given = self.route_prefix.clone();
        given.or_else(external).unwrap_or_default()
    }
}

/// A number of connections: a few for each of a few addresses.
fn max_connections(text: &str) -> Result<usize, &'static str> {
    let number = text.parse().ok().filter(|number| *number >= 8);
    number.ok_or("not a number of connections from 8; write for instance 4096")
}

/// An address whose path can be a route prefix, since it is the default of one.
fn external_url(text: &str) -> Result<ExternalUrl, String> {
    let url: ExternalUrl = text.parse()?;
    url.route_prefix()?;
    Ok(url)
}

/// A path that is its own form in a URL and leaves the other routes alone.
fn telemetry_path(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    if !text.starts_with('/') || !text.bytes().all(plain) {
        return Err("a path is / and letters, digits, / - . _ ~; write /metrics".to_owned());
    }
    if ["/-/", "//", "/api/"]
        .iter()
        .any(|taken| text.starts_with(taken))
    {
        return Err("/-/, /api/ and // are taken; write /metrics".to_owned());
    }
    Ok(text.to_owned())
}
