//! Reasons of failed calls, as metrics and answers name them.

/// Value of the label `reason`: a closed set, a promise to alerts (docs/ARCHITECTURE.md, Reasons).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The credentials, the clock or the token.
    Auth,
    /// The credentials are good, but may not do this.
    Permission,
    /// No such cluster or no such API.
    NotFound,
    /// Too many calls.
    Throttled,
    /// No answer in time.
    Timeout,
    /// No connection: DNS, TCP, TLS, proxy.
    Network,
    /// The vendor's side broke.
    Server,
    /// An answer that cannot be read.
    Protocol,
    /// The vendor understood, and said no.
    Refused,
}

impl Reason {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::Auth,
        Self::Permission,
        Self::NotFound,
        Self::Throttled,
        Self::Timeout,
        Self::Network,
        Self::Server,
        Self::Protocol,
        Self::Refused,
    ];

    /// Returns the word of this reason in metrics and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Permission => "permission",
            Self::NotFound => "not_found",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Server => "server",
            Self::Protocol => "protocol",
            Self::Refused => "refused",
        }
    }
}

super::words::serde_words!(Reason);
