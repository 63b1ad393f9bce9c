//! The number of the region, which the progress call may need.

use std::sync::Arc;

use crate::clouds::ncloud::account::Zone;
use crate::http::ApiError;

/// Source of `regionNo` of the progress call. The public guide requires it since 2026-07-23;
/// older editions and those of the other zones do not know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RegionNo {
    Known(Arc<str>),
    /// The node list of any cluster tells it.
    Learnt,
    NotSent,
}

impl RegionNo {
    /// Decides by the setting, else by the zone and the name of the region.
    pub(super) fn of(setting: Option<&str>, zone: Zone, region: &str) -> Self {
        match (setting, zone) {
            (Some(number), _) => Self::Known(number.into()),
            (None, Zone::Fin | Zone::Gov) => Self::NotSent,
            (None, Zone::Public) => match region.to_ascii_uppercase().as_str() {
                "KR" => Self::Known("1".into()),
                "SGN" => Self::Known("7".into()),
                _ => Self::Learnt,
            },
        }
    }
}

/// Adds to a refusal that the number was missing, and the remedy.
pub(super) fn blame_missing(error: ApiError) -> ApiError {
    let message = format!(
        "the request had no regionNo, because getClusterNodeList did not tell it; set ses.region_no in \
         the config: {}",
        error.message
    );
    ApiError { message, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_then_zone_and_region_decide() {
        let known = |number: &str| RegionNo::Known(number.into());
        assert_eq!(RegionNo::of(None, Zone::Public, "KR"), known("1"));
        assert_eq!(RegionNo::of(None, Zone::Public, "SGN"), known("7"));
        assert_eq!(RegionNo::of(None, Zone::Public, "JPN"), RegionNo::Learnt);
        assert_eq!(RegionNo::of(Some("8"), Zone::Public, "JPN"), known("8"));
        assert_eq!(RegionNo::of(None, Zone::Fin, "FKR"), RegionNo::NotSent);
        assert_eq!(RegionNo::of(None, Zone::Gov, "KR"), RegionNo::NotSent);
        assert_eq!(RegionNo::of(Some("1"), Zone::Gov, "KR"), known("1"));
    }
}
