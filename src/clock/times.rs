//! The time now, by the local clock and by the clock of each account's vendor.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::VendorClock;

/// Clocks of the accounts' vendors, by account.
pub type Clocks = BTreeMap<Arc<str>, VendorClock>;

/// Moment, as all clocks show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    local: Timestamp,
    /// Time by the vendor's clock, of the accounts whose vendor told it.
    accounts: BTreeMap<Arc<str>, Timestamp>,
}

impl Times {
    /// Reads the clocks of the accounts at the moment at which the local clock shows `local`.
    pub fn read(local: Timestamp, clocks: &Clocks) -> Self {
        let told = |(account, clock): (&Arc<str>, &VendorClock)| {
            Some((account.clone(), clock.known_now()?))
        };
        Self {
            local,
            accounts: clocks.iter().filter_map(told).collect(),
        }
    }

    /// Builds a moment at which every clock shows the local time.
    pub fn at(local: Timestamp) -> Self {
        Self {
            local,
            accounts: BTreeMap::new(),
        }
    }

    /// Adds an account whose clock shows another time.
    #[must_use]
    pub fn with(mut self, account: &str, now: Timestamp) -> Self {
        self.accounts.insert(account.into(), now);
        self
    }

    /// Returns the local time.
    pub fn local(&self) -> Timestamp {
        self.local
    }

    /// Returns the time by the clock of the account's vendor; the local time where that is not known.
    pub fn of(&self, account: &str) -> Timestamp {
        let told = self.accounts.get(account);
        told.copied().unwrap_or(self.local)
    }

    /// Returns the local clock minus that of the account's vendor; `None` where that is not known.
    pub fn skew(&self, account: &str) -> Option<SignedDuration> {
        let told = self.accounts.get(account)?;
        Some(self.local.duration_since(*told))
    }
}
