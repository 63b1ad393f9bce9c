//! Details that a vendor tells of an upgrade or a cluster for people.

use jiff::Timestamp;
use maud::{Markup, html};

use super::words::{self, fact, fitting_fact, wide_fact};
use crate::model::Kind;
use crate::report::format;
use crate::report::{ClusterReport, UpgradeReport, ZoneMoveReport};

/// Names of nodes that stand in one line; further ones are counted.
const FEW_NODES: usize = 20;

/// Renders the vendor's reason of a failed or stalled upgrade: the first line of its card.
pub(super) fn reason(cluster: &ClusterReport, upgrade: &UpgradeReport) -> Markup {
    html! {
        @if let Some(reason) = &upgrade.reason {
            p.why { strong { "Vendor’s reason:" } " " (words::sentence(reason, &cluster.cloud)) }
        }
    }
}

/// Renders the facts about the versions of an upgrade: names, with the vendor's codes below where the
/// names do not hold them, and the version that the cluster runs where that is neither of them. Of a zone
/// move they are zones, which [`facts`] tells where the vendor lists them.
pub(super) fn versions(cluster: &ClusterReport, upgrade: &UpgradeReport) -> Markup {
    let name = |code: &Option<String>, name: &Option<String>| {
        let is_running = code.as_ref().is_some_and(|code| *code == cluster.version);
        let known = name.clone().filter(|name| !name.is_empty());
        known.or_else(|| cluster.version_name.clone().filter(|_| is_running))
    };
    let is_zone = upgrade.kind == Kind::AzMigration;
    let (from, to) = (&upgrade.from_version, &upgrade.to_version);
    let from_name = name(from, &upgrade.from_version_name);
    let to_name = name(to, &upgrade.to_version_name);
    let runs = html! {
        @let told = [from, to, &from_name, &to_name];
        @let is_told = told.into_iter().flatten().any(|version| *version == cluster.version);
        @if !cluster.version.is_empty() && !is_told { (running_version("Runs", cluster)) }
    };
    let has_none = [from, to, &from_name, &to_name]
        .iter()
        .all(|version| version.is_none());
    if format::are_versions_zones(upgrade) || has_none {
        return html! {
            @if !cluster.version.is_empty() { (running_version("Version", cluster)) }
        };
    }
    let hides_code = |code: &Option<String>, name: &Option<String>| match (code, name) {
        (Some(code), Some(name)) => format::version(code, Some(name)) != *name,
        _ => false,
    };
    let has_codes = hides_code(from, &from_name) || hides_code(to, &to_name);
    let shown_from = from_name.as_ref().or(from.as_ref());
    let shown_to = to_name.as_ref().or(to.as_ref());
    let short = match (&from_name, &to_name) {
        (Some(from), Some(to)) => Some(format::without_product(from, to)),
        _ => shown_to.map(String::as_str),
    };
    let label = if is_zone { "Zone" } else { "Version" };
    html! {
        @let characters = |text: Option<&str>| text.map_or(0, |text| text.chars().count() + 2);
        @let both = characters(shown_from.map(String::as_str)) + characters(short);
        (fitting_fact(label, both, &html! {
            (from_to(shown_from.map(String::as_str), short, &cluster.cloud))
            @if has_codes {
                small { (from_to(from.as_deref(), to.as_deref(), &cluster.cloud)) }
            }
        }))
        (runs)
    }
}

/// Renders the version that a cluster runs.
pub(super) fn running_version(label: &str, cluster: &ClusterReport) -> Markup {
    let version = format::version(&cluster.version, cluster.version_name.as_deref());
    fact(label, &words::foreign(&version, &cluster.cloud))
}

fn from_to(from: Option<&str>, to: Option<&str>, cloud: &str) -> Markup {
    let name = |text: &str| words::foreign(text, cloud);
    html! {
        @match (from, to) {
            (Some(from), Some(to)) => { (name(from)) " " (words::arrow()) (name(to)) }
            (None, Some(to)) => { (words::arrow()) (name(to)) }
            (Some(from), None) => { "from " (name(from)) }
            (None, None) => {}
        }
    }
}

/// Renders the further facts about an upgrade: zones, agency, precheck, and whether the vendor would
/// cancel it now.
pub(super) fn facts(cluster: &ClusterReport, upgrade: &UpgradeReport, now: Timestamp) -> Markup {
    html! {
        @if let Some(zones) = &upgrade.zone_move { (zone_move(zones, &cluster.cloud)) }
        @if let Some(at) = upgrade.precheck.as_ref().and_then(|check| check.valid_until) {
            (fact("Precheck good until", &html! {
                (words::clock(at, now)) " UTC"
                small { @if at > now { "in " (format::length(format::between(now, at))) }
                    @else { strong.old { "ran out " (format::length(format::between(at, now))) " ago" } } }
            }))
        }
        @if let Some(can) = upgrade.can_be_cancelled {
            (fact("Can be cancelled", &html! { @if can { "yes" } @else { "not now" } }))
        }
        @if let Some(agency) = &upgrade.agency {
            (wide_fact("Agency", &words::foreign(agency, &cluster.cloud)))
        }
    }
}

fn zone_move(zones: &ZoneMoveReport, cloud: &str) -> Markup {
    html! {
        @if !(zones.from.is_empty() && zones.to.is_empty() && zones.instance_type.is_none()) {
            (wide_fact("Zones", &html! {
                (list(&zones.from, cloud)) " " (words::arrow()) (list(&zones.to, cloud))
                @if let Some(kind) = &zones.instance_type {
                    small { "instances: " (words::foreign(kind, cloud)) }
                }
            }))
        }
        @if !zones.plan.is_empty() {
            (wide_fact("Nodes after the move", &html! { @for plan in &zones.plan {
                div {
                    (words::foreign(&plan.zone, cloud)) ": " (list(&plan.nodes, cloud))
                }
            } }))
        }
    }
}

/// Renders names with commas between them.
fn list(names: &[String], cloud: &str) -> Markup {
    html! {
        @for (place, name) in names.iter().take(FEW_NODES).enumerate() {
            @if place > 0 { ", " }
            (words::foreign(name, cloud))
        }
        @if names.len() > FEW_NODES { " and " (names.len() - FEW_NODES) " more" }
    }
}

/// Renders the versions that the vendor offers; nothing when none is known.
pub(super) fn available(cluster: &ClusterReport) -> Markup {
    html! {
        @for (place, offer) in cluster.available_versions.iter().enumerate() {
            @if place > 0 { ", " }
            (words::foreign(&offer.version, &cluster.cloud))
            @if offer.recommended { " (recommended)" }
        }
    }
}

#[cfg(test)]
mod tests;
