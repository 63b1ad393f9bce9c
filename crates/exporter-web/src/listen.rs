//! Addresses to listen on as Prometheus exporters write them, and the sockets for them.

pub mod systemd;

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

/// Address to listen on: `:9100` is every address of the machine, IPv4 and IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// Name or address, without brackets; none for all.
    host: Option<String>,
    port: u16,
}

/// Reason why a text is no address to listen on, with the port that its remedy names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// No colon, or no port after it.
    #[error("no port from 0 to 65535 after the last colon; write :{0} or host:{0}")]
    Port(u16),
    /// Scheme of a URL; holds the address to write instead.
    #[error("a listen address is host:port without a scheme; write {0}")]
    Scheme(String),
    /// User, password or path of a URL.
    #[error("neither user nor path is part of it; write :{0} or host:{0}")]
    Url(u16),
    /// Colon in the host.
    #[error("an IPv6 address needs brackets; write [::1]:{0}")]
    Brackets(u16),
    /// No IPv6 address in the brackets.
    #[error("not an IPv6 address in the brackets; write [::1]:{0}")]
    Ipv6(u16),
}

/// Reason why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}{}", remedy(error))]
pub struct BindError {
    address: ListenAddress,
    error: io::Error,
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::AddrInUse => "; stop the other process or choose another port",
        ErrorKind::PermissionDenied => "; choose a port above 1023",
        ErrorKind::AddrNotAvailable => "; choose an address of this machine",
        _ => "",
    }
}

impl ListenAddress {
    /// Parses `:PORT` or `HOST:PORT`. The remedies of errors name `example`, the exporter's own port.
    pub fn parse(text: &str, example: u16) -> Result<Self, BadAddress> {
        if let Some((_, rest)) = text.split_once("://") {
            return Err(BadAddress::Scheme(bare(rest, example)));
        }
        let bad_port = BadAddress::Port(example);
        let (host, port) = text.rsplit_once(':').ok_or(bad_port.clone())?;
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad_port);
        }
        let port = port.parse().map_err(|_| bad_port)?;
        if host.contains(['@', '/']) {
            return Err(BadAddress::Url(example));
        }
        let brackets = BadAddress::Brackets(example);
        let host = match host.strip_prefix('[') {
            _ if host.is_empty() => None,
            Some(rest) => {
                let inner = rest.strip_suffix(']').ok_or(brackets)?;
                let ip: Ipv6Addr = inner.parse().map_err(|_| BadAddress::Ipv6(example))?;
                Some(ip.to_string())
            }
            None if host.contains([':', ']']) => return Err(brackets),
            None => Some(host.to_owned()),
        };
        Ok(Self { host, port })
    }

    /// Returns the addresses by which a client on the same machine connects: loopback for a wildcard.
    pub fn reachable(&self) -> Vec<String> {
        let (v4, v6) = (
            format!("127.0.0.1:{}", self.port),
            format!("[::1]:{}", self.port),
        );
        match self.ip() {
            _ if self.host.is_none() => vec![v4, v6],
            Some(IpAddr::V6(ip)) if ip.is_unspecified() => vec![v6, v4],
            Some(IpAddr::V4(ip)) if ip.is_unspecified() => vec![v4],
            _ => vec![self.to_string()],
        }
    }

    /// Binds the address. A wildcard gives two sockets where the system keeps IPv6 apart from IPv4.
    pub async fn bind(&self) -> Result<Vec<TcpListener>, BindError> {
        let bound = match &self.host {
            None => bind_all(self.port).await,
            Some(_) => TcpListener::bind(self.to_string()).await.map(|l| vec![l]),
        };
        bound.map_err(|error| BindError {
            address: self.clone(),
            error,
        })
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host.as_ref()?.parse().ok()
    }
}

/// Every IPv4 and IPv6 address, or IPv4 alone on a machine without IPv6.
async fn bind_all(port: u16) -> io::Result<Vec<TcpListener>> {
    let v4 = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    match TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await {
        Ok(both) if !ipv6_stands_apart() => Ok(vec![both]),
        Ok(v6) => {
            let port = v6.local_addr()?.port();
            Ok(vec![v6, v4(port).await?])
        }
        // A port that is taken must not be hidden by the other half of it.
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(error),
        Err(_) => Ok(vec![v4(port).await?]),
    }
}

/// Linux lets an administrator turn off that an IPv6 socket takes IPv4 too (ipv6(7)).
fn ipv6_stands_apart() -> bool {
    std::fs::read_to_string("/proc/sys/net/ipv6/bindv6only").is_ok_and(|text| text.trim() == "1")
}

/// Returns the listen address in the rest of a URL, after its scheme, or both forms of one. A user or a
/// password is not repeated.
fn bare(rest: &str, example: u16) -> String {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_good = |text: &String| ListenAddress::parse(text, example).is_ok();
    [host.to_owned(), format!("{host}:{example}")]
        .into_iter()
        .find(is_good)
        .unwrap_or_else(|| format!(":{example} or host:{example}"))
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
            None => write!(f, ":{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> ListenAddress {
        ListenAddress::parse(text, 9100).unwrap()
    }

    #[test]
    fn reads_the_forms_of_the_exporters() {
        for text in [
            ":9100",
            "127.0.0.1:0",
            "localhost:65535",
            "[::]:9100",
            "[::1]:1",
        ] {
            assert_eq!(address(text).to_string(), text);
        }
    }

    #[test]
    fn refuses_with_a_remedy() {
        for (text, error) in [
            ("9100", BadAddress::Port(9100)),
            ("", BadAddress::Port(9100)),
            (":", BadAddress::Port(9100)),
            (":http", BadAddress::Port(9100)),
            (":65536", BadAddress::Port(9100)),
            (":+1", BadAddress::Port(9100)),
            ("hunter2@host:80", BadAddress::Url(9100)),
            ("user:hunter2@host:80", BadAddress::Url(9100)),
            ("host/a:80", BadAddress::Url(9100)),
            ("::1:80", BadAddress::Brackets(9100)),
            ("[::1:80", BadAddress::Brackets(9100)),
            ("[localhost]:80", BadAddress::Ipv6(9100)),
        ] {
            assert_eq!(ListenAddress::parse(text, 9100), Err(error), "{text}");
        }
    }

    #[test]
    fn a_url_is_refused_with_the_address_in_it() {
        for (text, address) in [
            ("http://host:80", "host:80"),
            ("http://0.0.0.0:9100/metrics", "0.0.0.0:9100"),
            ("https://localhost", "localhost:9100"),
            ("http://:9000", ":9000"),
            ("tcp://[::1]:1", "[::1]:1"),
            ("http://user:hunter2@host:80", ":9100 or host:9100"),
            ("http://::1:80", ":9100 or host:9100"),
        ] {
            let error = ListenAddress::parse(text, 9100).unwrap_err();
            let want = format!("a listen address is host:port without a scheme; write {address}");
            assert_eq!(error.to_string(), want, "{text}");
        }
    }

    #[test]
    fn a_wildcard_is_reached_by_loopback() {
        assert_eq!(address(":1").reachable(), ["127.0.0.1:1", "[::1]:1"]);
        assert_eq!(address("[::]:1").reachable(), ["[::1]:1", "127.0.0.1:1"]);
        assert_eq!(address("0.0.0.0:1").reachable(), ["127.0.0.1:1"]);
        assert_eq!(address("10.0.0.1:1").reachable(), ["10.0.0.1:1"]);
    }

    #[tokio::test]
    async fn a_bare_port_takes_ipv4_and_a_taken_port_is_an_error() {
        let bound = address(":0").bind().await.unwrap();
        let port = bound[0].local_addr().unwrap().port();
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let again = address(&format!(":{port}")).bind().await.unwrap_err();
        let text = again.to_string();
        assert!(
            text.starts_with(&format!("cannot listen on :{port}: ")),
            "{text}"
        );
        assert!(text.ends_with("choose another port"), "{text}");
    }
}
