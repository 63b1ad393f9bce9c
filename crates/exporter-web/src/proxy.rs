//! `--web.trusted-proxies`: the reverse proxies whose word on a client's address counts.

mod forwarded;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::header::HeaderMap;
use ipnet::IpNet;

/// Address or network of `--web.trusted-proxies`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyNetwork(IpNet);

/// Reverse proxies that tell the addresses of their clients.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies(Vec<ProxyNetwork>);

impl TrustedProxies {
    /// Reports an address that is a trusted proxy's.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.0.contains(&address))
    }

    /// Returns the client's address of a request that came from `peer`.
    ///
    /// A trusted proxy names it in `Forwarded` or `X-Forwarded-For`: the last address that is not a
    /// trusted proxy's, or the first one where all are. `peer` itself counts when it is not trusted,
    /// when an address before that one cannot be read, or when the two headers disagree: a proxy
    /// that sets one of them passes the other on as the client wrote it.
    pub(super) fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let forwarded = forwarded::forwarded(headers).map(|chain| self.client_of(&chain));
        let x_forwarded_for =
            forwarded::x_forwarded_for(headers).map(|chain| self.client_of(&chain));
        let client = match (forwarded, x_forwarded_for) {
            (Some(one), Some(other)) if one != other => None,
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => None,
        };
        client.unwrap_or(peer)
    }

    /// Walks from the proxy that is nearest to here to the first address that is not trusted; `None`
    /// when an address on the way cannot be read.
    fn client_of(&self, chain: &[Option<IpAddr>]) -> Option<IpAddr> {
        let mut client = None;
        for address in chain.iter().rev() {
            client = Some((*address)?);
            if client.is_some_and(|client| !self.contains(client)) {
                break;
            }
        }
        client
    }
}

impl FromIterator<ProxyNetwork> for TrustedProxies {
    fn from_iter<T: IntoIterator<Item = ProxyNetwork>>(networks: T) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl FromStr for ProxyNetwork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let parsed = match text.parse::<IpAddr>() {
            Ok(address) => Some(IpNet::from(address)),
            Err(_) => text.parse().ok(),
        };
        let Some(network) = parsed else {
            return Err(
                "not an IP address or network; write for instance 10.0.0.0/8, 192.0.2.1 or ::1, \
                 not a name or a port"
                    .to_owned(),
            );
        };
        if network.addr() != network.network() {
            let meant = network.trunc();
            return Err(format!(
                "{network} has bits beyond its prefix; write {meant}, or the address alone"
            ));
        }
        Ok(Self(canonical(network)))
    }
}

impl fmt::Display for ProxyNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Turns a network of IPv4 addresses that are written as IPv6 (`::ffff:10.0.0.0/104`) into theirs.
fn canonical(network: IpNet) -> IpNet {
    let IpAddr::V4(address) = network.addr().to_canonical() else {
        return network;
    };
    let length = match network {
        IpNet::V4(network) => Some(network.prefix_len()),
        IpNet::V6(network) => network.prefix_len().checked_sub(96),
    };
    let narrowed = length.and_then(|length| IpNet::new(address.into(), length).ok());
    narrowed.unwrap_or(network)
}

#[cfg(test)]
mod tests;
