//! Details that a vendor tells of an upgrade or a cluster for people.

use jiff::Timestamp;
use maud::{Markup, html};

use super::words::{self, Language, fact, fitting_fact, wide_fact};
use crate::model::Kind;
use crate::report::format::{self, Versions};
use crate::report::{ClusterReport, UpgradeReport, ZoneMoveReport};

/// Names of nodes that stand in one line; further ones are counted.
const FEW_NODES: usize = 20;

/// Renders the vendor's reason of an upgrade that failed or is stalled: the first line of its card.
pub(super) fn reason(reason: Option<&str>, language: Language) -> Markup {
    html! {
        @if let Some(reason) = reason {
            p.why { strong { "Vendor’s reason:" } " " (words::sentence(reason, language)) }
        }
    }
}

/// Renders the facts about the versions of an upgrade: names, with the vendor's codes below where the
/// names do not hold them, and the version that the cluster runs where that is neither of them. Of a zone
/// move they are zones, which [`facts`] tells where the vendor lists them.
pub(super) fn versions(cluster: &ClusterReport, upgrade: &UpgradeReport) -> Markup {
    let Some(versions) = Versions::of(cluster, upgrade) else {
        return html! {
            @if !cluster.version.is_empty() { (running_version("Version", cluster)) }
        };
    };
    let is_zone = upgrade.kind == Kind::AzMigration;
    let label = if is_zone { "Zone" } else { "Version" };
    html! {
        (from_to_fact(label, &versions, cluster.language))
        @if versions.is_running_another { (running_version("Runs", cluster)) }
    }
}

/// Renders the versions before and after an upgrade, with the vendor's codes below the names.
pub(super) fn from_to_fact(label: &str, versions: &Versions<'_>, language: Language) -> Markup {
    fitting_fact(
        label,
        versions.characters,
        &html! {
            (from_to(versions.from, versions.to, language))
            @if let Some((from, to)) = versions.codes {
                small { (from_to(from, to, language)) }
            }
        },
    )
}

/// Renders how often an upgrade was executed; nothing where the vendor does not count it.
pub(super) fn executions(executions: Option<u64>, retries: Option<u64>) -> Markup {
    html! {
        @if let Some(executions) = executions {
            (fact("Executions", &html! {
                (executions) @if let Some(retries @ 1..) = retries { " (" (retries) " again)" }
            }))
        }
    }
}

/// Renders the version that a cluster runs.
pub(super) fn running_version(label: &str, cluster: &ClusterReport) -> Markup {
    let version = format::running_version(cluster);
    fact(label, &words::foreign(&version, cluster.language))
}

fn from_to(from: Option<&str>, to: Option<&str>, language: Language) -> Markup {
    let name = |text: &str| words::foreign(text, language);
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
        @if let Some(zones) = &upgrade.zone_move { (zone_move(zones, cluster.language)) }
        @if let Some(at) = upgrade.precheck.as_ref().and_then(|check| check.valid_until) {
            (fact("Precheck good until", &html! {
                (words::clock(at, now)) " UTC"
                small { @if at > now { "in " (format::since(now, at)) }
                    @else { strong.old { "ran out " (format::ago(at, now)) } } }
            }))
        }
        @if let Some(can) = upgrade.can_be_cancelled {
            (fact("Can be cancelled", &html! { @if can { "yes" } @else { "not now" } }))
        }
        @if let Some(agency) = &upgrade.agency {
            (wide_fact("Agency", &words::foreign(agency, cluster.language)))
        }
    }
}

fn zone_move(zones: &ZoneMoveReport, language: Language) -> Markup {
    html! {
        @if !(zones.from.is_empty() && zones.to.is_empty() && zones.instance_type.is_none()) {
            (wide_fact("Zones", &html! {
                (list(&zones.from, language)) " " (words::arrow()) (list(&zones.to, language))
                @if let Some(kind) = &zones.instance_type {
                    small { "instances: " (words::foreign(kind, language)) }
                }
            }))
        }
        @if !zones.plan.is_empty() {
            (wide_fact("Nodes after the move", &html! { @for plan in &zones.plan {
                div {
                    (words::foreign(&plan.zone, language)) ": " (list(&plan.nodes, language))
                }
            } }))
        }
    }
}

/// Renders names with commas between them.
fn list(names: &[String], language: Language) -> Markup {
    html! {
        @for (place, name) in names.iter().take(FEW_NODES).enumerate() {
            @if place > 0 { ", " }
            (words::foreign(name, language))
        }
        @if names.len() > FEW_NODES { " and " (names.len() - FEW_NODES) " more" }
    }
}

/// Renders the versions that the vendor offers; nothing when none is known.
pub(super) fn available(cluster: &ClusterReport) -> Markup {
    html! {
        @for (place, offer) in cluster.available_versions.iter().enumerate() {
            @if place > 0 { ", " }
            (words::foreign(&offer.version, cluster.language))
            @if offer.recommended { (format::RECOMMENDED) }
        }
    }
}

#[cfg(test)]
mod tests;
