//! One upgrade: how it went, its nodes, its tasks.

use rolling_upgrade_exporter::report::PastUpgradeReport;
use rolling_upgrade_exporter::report::format::{self, length};
use rolling_upgrade_exporter::text::escaped;

use super::super::text::{change, minute, moment, name, named_versions, outcome, reason, timed};
use crate::commands::table::{Look, StepTables, facts_table, heading_line};

/// Most nodes of which none is named as slow.
const FEW_NODES: usize = 5;

/// Builds the block of an upgrade.
pub(super) fn detail(upgrade: &PastUpgradeReport, look: Look) -> String {
    let change = change(upgrade).map_or(String::new(), |change| format!(", {change}"));
    let heading = format!("{}{change}", name(upgrade));
    let mut parts = vec![heading_line(heading, look)];
    let inner = look.indented();
    parts.push(facts_table(facts(upgrade), inner));
    let steps = StepTables {
        steps: upgrade.into(),
        now: upgrade.ended,
        starts: Some(moment),
    };
    parts.extend(steps.tables(inner));
    parts.join("\n")
}

/// Returns what there is to say of an upgrade, the outcome with the vendor's reason first.
fn facts(upgrade: &PastUpgradeReport) -> Vec<(&'static str, String)> {
    let time = |at| format!("{} UTC", minute(at));
    let reason = reason(upgrade).map_or(String::new(), |reason| format!(": {reason}"));
    let took = [
        Some(length(upgrade.duration_seconds)),
        format::usual(upgrade),
        format::against_usual(upgrade),
    ];
    let took: Vec<String> = took.into_iter().flatten().collect();
    let retries = upgrade.retries.filter(|retries| *retries > 0);
    // Among few nodes they are seen at once.
    let is_long = upgrade.nodes.len() > FEW_NODES;
    let slowest = upgrade.slowest_nodes().into_iter().filter(|_| is_long);
    let slowest: Vec<String> = slowest.map(timed).collect();
    let facts = [
        ("outcome", Some(format!("{}{reason}", outcome(upgrade)))),
        (
            "cluster",
            Some(format!(
                "{} of {}, id {}",
                escaped(&upgrade.product),
                escaped(&upgrade.account),
                escaped(&upgrade.cluster_id)
            )),
        ),
        ("version", Some(named_versions(upgrade))),
        ("requested", upgrade.requested.map(time)),
        (
            "started",
            upgrade
                .started
                .filter(|at| Some(*at) != upgrade.requested)
                .map(time),
        ),
        ("ended", Some(time(upgrade.ended))),
        ("took", Some(took.join(", "))),
        ("retries", retries.map(|retries| retries.to_string())),
        ("slowest", Some(slowest.join(", "))),
    ];
    let told = facts
        .into_iter()
        .filter_map(|(key, fact)| Some((key, fact?)));
    told.filter(|(_, fact)| !fact.is_empty()).collect()
}
