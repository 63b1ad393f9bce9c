//! Versions and zones: where an upgrade begins, and where it leads.

use crate::model::Kind;
use crate::report::{ClusterReport, PastUpgradeReport, UpgradeReport};

/// Writes the name of a version, with the vendor's code beside it where both are known and the name does
/// not hold it (`Engine 2.9.0` of `2.9.0`).
pub fn version(code: &str, name: Option<&str>) -> String {
    match name {
        Some(name) if holds_code(code, name) => name.to_owned(),
        Some(name) => format!("{name} ({code})"),
        _ => code.to_owned(),
    }
}

/// Returns whether a code adds nothing to the name of its version.
fn holds_code(code: &str, name: &str) -> bool {
    name == code || name.ends_with(&format!(" {code}"))
}

/// Writes the version that a cluster runs, by name with its code beside it where it is known.
pub fn running_version(cluster: &ClusterReport) -> String {
    version(&cluster.version, cluster.version_name.as_deref())
}

/// Lists the versions that the vendor offers, the recommended ones marked.
pub fn offered(cluster: &ClusterReport) -> String {
    let versions = cluster.available_versions.iter().map(|offer| {
        let mark = if offer.recommended { RECOMMENDED } else { "" };
        format!("{}{mark}", offer.version)
    });
    versions.collect::<Vec<_>>().join(", ")
}

/// Mark behind a version that the vendor suggests.
pub const RECOMMENDED: &str = " (recommended)";

/// Returns the name of the version after without the product, where the name before begins with that
/// product, too: `2.14.0` after `Engine 2.9.0`.
fn without_product<'a>(before: &str, after: &'a str) -> &'a str {
    match (before.rsplit_once(' '), after.rsplit_once(' ')) {
        (Some((before, _)), Some((product, version))) if before == product => version,
        _ => after,
    }
}

/// Returns whether the versions of an upgrade are the zones of a move that
/// [`zone_move`](UpgradeReport::zone_move) lists, too.
pub fn are_versions_zones(upgrade: &UpgradeReport) -> bool {
    let is_move = upgrade.kind == Kind::AzMigration;
    let zones = upgrade.zone_move.as_ref().filter(|_| is_move);
    zones.is_some_and(|zones| !(zones.from.is_empty() && zones.to.is_empty()))
}

/// Versions before and after an upgrade, as far as they are known.
#[derive(Debug, Clone, Copy)]
pub struct VersionPair<'a> {
    /// Code before.
    from: Option<&'a str>,
    /// Code after.
    to: Option<&'a str>,
    /// Name before, where it has one beside its code.
    from_name: Option<&'a str>,
    /// Name after, where it has one beside its code.
    to_name: Option<&'a str>,
}

macro_rules! versions_of {
    ($($report:ty),+ $(,)?) => {$(
        impl<'a> From<&'a $report> for VersionPair<'a> {
            fn from(upgrade: &'a $report) -> Self {
                Self {
                    from: upgrade.from_version.as_deref(),
                    to: upgrade.to_version.as_deref(),
                    from_name: upgrade.from_version_name.as_deref(),
                    to_name: upgrade.to_version_name.as_deref(),
                }
            }
        }
    )+};
}

versions_of!(UpgradeReport, PastUpgradeReport);

/// Writes the versions of an upgrade by the codes of the metrics, as far as they are known.
pub fn versions<'a>(pair: impl Into<VersionPair<'a>>) -> String {
    let pair = pair.into();
    from_to(pair.from, pair.to)
}

/// Writes the versions of an upgrade by name, where the names are known, with the codes beside them where
/// the names do not hold them: `Engine 2.9.0 -> 2.14.0 (290 -> 2140)`.
pub fn named_versions<'a>(pair: impl Into<VersionPair<'a>>) -> String {
    let pair = pair.into();
    let codes = (pair.from, pair.to);
    let names = (pair.from_name, pair.to_name);
    if let ((Some(from_code), Some(to_code)), (Some(from), Some(to))) = (codes, names) {
        let text = format!("{from} -> {}", without_product(from, to));
        return if holds_code(from_code, from) && holds_code(to_code, to) {
            text
        } else {
            format!("{text} ({})", versions(pair))
        };
    }
    let text = |code: Option<&str>, name| code.map(|code| version(code, name));
    let (from, to) = (text(codes.0, names.0), text(codes.1, names.1));
    from_to(from.as_deref(), to.as_deref())
}

/// Writes the zones from and to which nodes move, with the type of these nodes; empty when not told.
pub fn zones(upgrade: &UpgradeReport) -> String {
    let Some(zones) = &upgrade.zone_move else {
        return String::new();
    };
    let list = |zones: &[String]| Some(zones.join(", ")).filter(|zones| !zones.is_empty());
    let (from, to) = (list(&zones.from), list(&zones.to));
    let text = from_to(from.as_deref(), to.as_deref());
    match &zones.instance_type {
        Some(kind) if !text.is_empty() => format!("{text} ({kind})"),
        _ => text,
    }
}

fn from_to(from: Option<&str>, to: Option<&str>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("{from} -> {to}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("to {to}"),
        (None, None) => String::new(),
    }
}

/// Versions of an upgrade in parts, where they have room below each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions<'a> {
    /// Version before: its name, or its code where it has none.
    pub from: Option<&'a str>,
    /// Version after: its name, without the product where that is the one before; or its code.
    pub to: Option<&'a str>,
    /// Characters of both, with two more for each.
    pub characters: usize,
    /// Codes before and after, where the names do not hold them.
    pub codes: Option<(Option<&'a str>, Option<&'a str>)>,
    /// True when the version that the cluster runs is known and is neither of them.
    pub is_running_another: bool,
}

impl<'a> Versions<'a> {
    /// Returns the versions of an upgrade; `None` when none is known, and of a zone move whose zones
    /// are listed. The version that the cluster runs lends its name.
    pub fn of(cluster: &'a ClusterReport, upgrade: &'a UpgradeReport) -> Option<Self> {
        if are_versions_zones(upgrade) {
            return None;
        }
        let mut pair = VersionPair::from(upgrade);
        let name = |code: Option<&str>, name: Option<&'a str>| {
            let is_running = code.is_some_and(|code| code == cluster.version);
            let known = name.filter(|name| !name.is_empty());
            known.or_else(|| cluster.version_name.as_deref().filter(|_| is_running))
        };
        pair.from_name = name(pair.from, pair.from_name);
        pair.to_name = name(pair.to, pair.to_name);
        Self::of_pair(pair, &cluster.version)
    }

    /// Returns the versions of an upgrade that ended; `None` when none is known.
    pub fn of_past(upgrade: &'a PastUpgradeReport) -> Option<Self> {
        Self::of_pair(upgrade.into(), "")
    }

    fn of_pair(pair: VersionPair<'a>, running: &str) -> Option<Self> {
        let VersionPair {
            from,
            to,
            from_name,
            to_name,
        } = pair;
        let all = [from, to, from_name, to_name];
        if all.iter().all(Option::is_none) {
            return None;
        }
        let hides_code = |code: Option<&str>, name: Option<&str>| {
            code.zip(name)
                .is_some_and(|(code, name)| !holds_code(code, name))
        };
        let has_codes = hides_code(from, from_name) || hides_code(to, to_name);
        let shown_to = match from_name.zip(to_name) {
            Some((from, to)) => Some(without_product(from, to)),
            None => to_name.or(to),
        };
        let shown_from = from_name.or(from);
        let characters = |text: Option<&str>| text.map_or(0, |text| text.chars().count() + 2);
        Some(Self {
            from: shown_from,
            to: shown_to,
            characters: characters(shown_from) + characters(shown_to),
            codes: has_codes.then_some((from, to)),
            is_running_another: !running.is_empty()
                && all.into_iter().flatten().all(|version| version != running),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::format::testing::upgrade;

    #[test]
    fn a_version_has_its_code_beside_the_name_once() {
        for (code, name, want) in [
            ("290", Some("OpenSearch 2.9.0"), "OpenSearch 2.9.0 (290)"),
            ("2.9.0", Some("OpenSearch 2.9.0"), "OpenSearch 2.9.0"),
            (
                "OpenSearch 2.9.0",
                Some("OpenSearch 2.9.0"),
                "OpenSearch 2.9.0",
            ),
            ("0", Some("OpenSearch 2.9.0"), "OpenSearch 2.9.0 (0)"),
            ("290", None, "290"),
        ] {
            assert_eq!(version(code, name), want);
        }
    }

    #[test]
    fn versions_have_names_and_codes() {
        let named = |from: Option<(&str, &str)>, to: Option<(&str, &str)>| {
            let own = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let upgrade = upgrade(|u| {
                u.from_version = from.and_then(|(code, _)| own(code));
                u.to_version = to.and_then(|(code, _)| own(code));
                u.from_version_name = from.and_then(|(_, name)| own(name));
                u.to_version_name = to.and_then(|(_, name)| own(name));
            });
            named_versions(&upgrade)
        };
        let old = Some(("290", "OpenSearch 2.9.0"));
        for (from, to, want) in [
            (
                old,
                Some(("2140", "OpenSearch 2.14.0")),
                "OpenSearch 2.9.0 -> 2.14.0 (290 -> 2140)",
            ),
            (
                Some(("701", "Elasticsearch 7.10.2")),
                Some(("110", "OpenSearch 1.1.0")),
                "Elasticsearch 7.10.2 -> OpenSearch 1.1.0 (701 -> 110)",
            ),
            (
                Some(("7.6.2", "Elasticsearch 7.6.2")),
                Some(("7.10.2", "Elasticsearch 7.10.2")),
                "Elasticsearch 7.6.2 -> 7.10.2",
            ),
            (old, Some(("2140", "")), "OpenSearch 2.9.0 (290) -> 2140"),
            (old, None, "from OpenSearch 2.9.0 (290)"),
            (Some(("1.0", "1.0")), Some(("2.0", "2.0")), "1.0 -> 2.0"),
            (Some(("v1", "")), Some(("v2", "")), "v1 -> v2"),
            (None, None, ""),
        ] {
            assert_eq!(named(from, to), want);
        }
    }

    #[test]
    fn zones_are_no_versions() {
        let mut upgrade = upgrade(|_| {});
        assert_eq!(zones(&upgrade), "cn-north-4a -> cn-north-4c (ess)");
        assert!(!are_versions_zones(&upgrade));
        upgrade.kind = Kind::AzMigration.into();
        assert!(are_versions_zones(&upgrade));
        upgrade.zone_move = None;
        assert_eq!(zones(&upgrade), "");
        assert!(!are_versions_zones(&upgrade));
    }
}
