//! The keys of an account at NAVER Cloud.

use jiff::tz::{self, Offset};

use super::credential::{self, Context};
use super::{Cloud, Ncloud, Zone, address};
use crate::text::quote;
use spanned_yaml::{Section, either};

/// Korea's; the vendor's dates are in it unless the account says otherwise.
const SEOUL: Offset = tz::offset(9);

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

/// Takes the cloud's own keys.
pub(super) fn take(section: &mut Section<'_>, context: &Context<'_>) -> Option<Cloud> {
    let zones = [Zone::Public, Zone::Fin, Zone::Gov].map(|zone| (zone.as_str(), zone));
    let zone = match section.take("zone") {
        Some(field) => field.one_of(&zones),
        None => Some(Zone::Public),
    };
    let region = region(section, zone);
    let access_key = credential::need(section, "access_key", context);
    let secret_key = credential::need(section, "secret_key", context);
    let time_zone = match section.take("time_zone") {
        Some(field) => address::time_zone(&field),
        None => Some(SEOUL),
    };
    Some(Cloud::Ncloud(Ncloud {
        zone: zone?,
        region: region?.into(),
        access_key: access_key?,
        secret_key: secret_key?,
        time_zone: time_zone?,
    }))
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
