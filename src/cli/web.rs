//! The flags that `serve` and `healthcheck` share: what the server is, and so where it is asked.

use clap::Args;
use exporter_web::listen::{BadAddress, ListenAddress};
use exporter_web::{ExternalUrl, ProxyNetwork, RoutePrefix};

use super::WebConfig;

/// Port of the exporter by default, which errors name.
pub(crate) const PORT: u16 = 10850;

/// Where the exporter listens, and what it serves there.
#[derive(Debug, Args)]
pub(crate) struct Web {
    /// Where the exporter listens: :PORT for every address, or HOST:PORT; may be repeated
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = ":10850",
        value_parser = listen_address
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
    #[arg(long = "web.route-prefix", value_name = "PATH", value_parser = route_prefix)]
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

/// Parses an address to listen on.
pub(super) fn listen_address(text: &str) -> Result<ListenAddress, BadAddress> {
    ListenAddress::parse(text, PORT)
}

/// Parses a path below which everything is served.
fn route_prefix(text: &str) -> Result<RoutePrefix, String> {
    text.parse().map_err(no_prefix)
}

/// Parses an address whose path can be a route prefix, since it is the default of one.
fn external_url(text: &str) -> Result<ExternalUrl, String> {
    let url: ExternalUrl = text.parse().map_err(|error: String| {
        format!("{error}; write for instance https://monitoring.example.com/upgrades/")
    })?;
    url.route_prefix().map_err(no_prefix)?;
    Ok(url)
}

fn no_prefix(error: String) -> String {
    error + "; write /upgrades, or / for none"
}

/// A path that is its own form in a URL and leaves the other routes alone.
fn telemetry_path(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    if !text.starts_with('/') || !text.bytes().all(plain) {
        return Err("a path is / and letters, digits, / - . _ ~; write /metrics".to_owned());
    }
    if text == "/history"
        || ["/-/", "//", "/api/"]
            .iter()
            .any(|taken| text.starts_with(taken))
    {
        return Err("/-/, /api/, /history and // are taken; write /metrics".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_addresses_and_prefixes_say_what_to_write() {
        let example = "write for instance https://monitoring.example.com/upgrades/";
        let no_prefix =
            "a path is / and letters, digits, / - . _ ~; write /upgrades, or / for none";
        assert_eq!(route_prefix("/a b").unwrap_err(), no_prefix);
        for (text, error) in [
            ("", &*format!("relative URL without a base; {example}")),
            (
                "ftp://x",
                &format!("not an address with http or https; {example}"),
            ),
            (
                "https://u@x",
                &format!("a user or password is not part of it; {example}"),
            ),
            (
                "https://x/?a",
                &format!("neither ? nor # is part of it; {example}"),
            ),
            ("https://x/%20", no_prefix),
        ] {
            assert_eq!(external_url(text).unwrap_err(), error, "{text}");
        }
        assert_eq!(
            listen_address("10850").unwrap_err().to_string(),
            "no port from 0 to 65535 after the last colon; write :10850 or host:10850"
        );
    }
}
