//! One upgrade: what is to be said of it, its nodes, its tasks.

mod facts;

use jiff::Timestamp;
use rolling_upgrade_exporter::report::format;
use rolling_upgrade_exporter::report::{ClusterReport, UpgradeReport};
use rolling_upgrade_exporter::text::escaped;

use super::super::text::name;
use crate::commands::table::{Look, StepTables, facts_table, heading_line};

/// Builds the block of an upgrade that is in this state.
pub(super) fn detail(
    cluster: &ClusterReport,
    upgrade: &UpgradeReport,
    state: &str,
    now: Timestamp,
    look: Look,
) -> String {
    let inner = look.indented();
    let mut parts = vec![heading(cluster, upgrade, look)];
    parts.push(facts_table(
        facts::facts(cluster, upgrade, state, now),
        inner,
    ));
    let steps = StepTables {
        steps: upgrade.into(),
        now,
        starts: None,
    };
    parts.extend(steps.tables(inner));
    parts.join("\n")
}

fn heading(cluster: &ClusterReport, upgrade: &UpgradeReport, look: Look) -> String {
    let kind = format::kind(upgrade);
    let kind = kind.map_or_else(String::new, |kind| format!(", {}", escaped(kind)));
    heading_line(format!("{}{kind}", name(cluster)), look)
}
