//! Accounts at NAVER Cloud.

use std::sync::Arc;

use jiff::tz::{self, Offset};
use url::Url;

use crate::cloud::{Call, CloudAccount};
use crate::fields::{Context, address, secret};
use crate::secret::Secret;
use crate::text::quote;
use spanned_yaml::{Section, either};

/// Korea's; the vendor's dates are in it unless the account says otherwise.
const SEOUL: Offset = tz::offset(9);

/// An account at NAVER Cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The zone: a separate installation with hosts of its own.
    pub zone: Zone,
    /// `KR`, `SGN`, `JPN`; `FKR` in fin; `KR`, `KRS` in gov.
    pub region: Arc<str>,
    /// The access key id.
    pub access_key: Secret,
    /// The secret key.
    pub secret_key: Secret,
    /// The zone of its dates, which carry none.
    pub time_zone: Offset,
}

/// The zones of NAVER Cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Public cloud.
    Public,
    /// Financial institutions'.
    Fin,
    /// Public authorities'.
    Gov,
}

impl Zone {
    /// Its regions, the default first.
    const fn regions(self) -> &'static [&'static str] {
        match self {
            Self::Public => &["KR", "SGN", "JPN"],
            Self::Fin => &["FKR"],
            Self::Gov => &["KR", "KRS"],
        }
    }

    /// Its name in the config.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Fin => "fin",
            Self::Gov => "gov",
        }
    }
}

impl CloudAccount for Account {
    fn region(&self) -> &Arc<str> {
        &self.region
    }

    fn location(&self) -> String {
        format!("{}/{}", self.zone.as_str(), self.region)
    }

    fn secrets(&self) -> Vec<&Secret> {
        vec![&self.access_key, &self.secret_key]
    }

    fn endpoints(&self) -> Vec<Option<&Url>> {
        Vec::new()
    }

    fn sign_in(&self) -> Option<(&'static Call, &'static str)> {
        None
    }

    fn place(&self) -> String {
        self.location()
    }

    fn is_same_access(&self, other: &dyn CloudAccount) -> bool {
        other.downcast() == Some(self)
    }
}

/// Decodes the keys of an account.
pub(super) fn read(section: &mut Section<'_>, context: &Context<'_>) -> Option<Account> {
    let zones = [Zone::Public, Zone::Fin, Zone::Gov].map(|zone| (zone.as_str(), zone));
    let zone = match section.take("zone") {
        Some(field) => field.one_of(&zones),
        None => Some(Zone::Public),
    };
    let region = region(section, zone);
    let access_key = secret::need(section, "access_key", context);
    let secret_key = secret::need(section, "secret_key", context);
    let time_zone = match section.take("time_zone") {
        Some(field) => address::time_zone(&field),
        None => Some(SEOUL),
    };
    Some(Account {
        zone: zone?,
        region: region?.into(),
        access_key: access_key?,
        secret_key: secret_key?,
        time_zone: time_zone?,
    })
}

/// A region is of a zone; nothing is said about it when the zone is not known.
fn region(section: &mut Section<'_>, zone: Option<Zone>) -> Option<&'static str> {
    let field = section.take("region");
    let regions = zone?.regions();
    let Some(field) = field else {
        return regions.first().copied();
    };
    let text = field.text()?;
    let found = regions.iter().copied().find(|region| *region == text);
    if found.is_none() {
        field.wrong(format!(
            "region {} is not in zone {}: write {}",
            quote(text),
            zone?.as_str(),
            either(regions)
        ));
    }
    found
}
