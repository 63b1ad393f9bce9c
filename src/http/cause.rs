//! What is at fault when a call fails, finer than the label `reason`: for people who set things up.

use crate::model::Reason;

/// What is at fault. [`Reason`] is a promise to those who read the metrics; this may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The access key, the secret key, the security token, the user or the password.
    Credentials,
    /// Nobody knows: these credentials were refused a moment ago, so that nothing was sent.
    Held,
    /// None: the call waits for others of its account that fail, so that nothing was sent.
    NotAsked,
    /// This machine's clock: the vendor refuses what was signed too long before or after its time.
    Clock,
    /// The credentials are good, and may not do this.
    Permission,
    /// The account does not use this service, or this API of it.
    Subscription,
    /// Zone, region, project, endpoint or id: nothing of that name is there.
    Region,
    /// The vendor does not publish this API here: another region or endpoint may.
    NotPublished,
    /// The way to the vendor.
    Network(Network),
    /// Too many calls.
    Throttled,
    /// The vendor's side.
    Vendor,
    /// What answered does not speak as the vendor does: another endpoint, or a proxy between.
    Answer,
    /// The vendor understood, and said no.
    Refusal,
}

/// Where the way to the vendor ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// The host's name cannot be looked up.
    Name,
    /// Nobody listens there, or there is no route.
    Unreachable,
    /// The certificate is not trusted, or what answers does not speak TLS.
    Tls,
    /// Silence.
    Timeout,
    /// The proxy.
    Proxy,
    /// The connection broke, or cannot be made for a reason of this machine's own.
    Broken,
}

impl Cause {
    /// What a failure of this reason is, as long as nothing more is known.
    pub const fn of(reason: Reason) -> Self {
        match reason {
            Reason::Auth => Self::Credentials,
            Reason::Permission => Self::Permission,
            Reason::NotFound => Self::Region,
            Reason::Throttled => Self::Throttled,
            Reason::Timeout => Self::Network(Network::Timeout),
            Reason::Network => Self::Network(Network::Broken),
            Reason::Server => Self::Vendor,
            Reason::Protocol => Self::Answer,
            Reason::Refused => Self::Refusal,
        }
    }

    /// What fails, in a word or two.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Held | Self::NotAsked => "not tried",
            Self::Clock => "clock",
            Self::Permission => "permission",
            Self::Subscription => "subscription",
            Self::Region | Self::NotPublished => "region",
            Self::Network(Network::Name) => "network: name",
            Self::Network(Network::Unreachable) => "network: route",
            Self::Network(Network::Tls) => "network: tls",
            Self::Network(Network::Timeout) => "network: timeout",
            Self::Network(Network::Proxy) => "network: proxy",
            Self::Network(Network::Broken) => "network",
            Self::Throttled => "throttled",
            Self::Vendor => "vendor",
            Self::Answer => "answer",
            Self::Refusal => "refused",
        }
    }
}
