//! The network that counts as one client where clients have shares.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// The address by which a client's share is counted: one of IPv4, or the /64 of one of IPv6, since
/// a client of IPv6 chooses the rest itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ClientNetwork(IpNet);

impl From<IpAddr> for ClientNetwork {
    fn from(address: IpAddr) -> Self {
        let network = IpNet::from(address.to_canonical());
        Self(match network {
            IpNet::V4(_) => network,
            IpNet::V6(whole) => IpNet::new(whole.addr().into(), 64).map_or(network, |n| n.trunc()),
        })
    }
}

impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpNet::V4(network) => network.addr().fmt(f),
            IpNet::V6(network) => network.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_an_ipv4_address_or_a_64_of_ipv6() {
        let network = |text: &str| ClientNetwork::from(text.parse::<IpAddr>().unwrap());
        for (address, want) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network(address).to_string(), want);
        }
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:0:0:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
