//! The table of the history: a row for each upgrade, those that ended last first, then each one's nodes and
//! tasks.

mod detail;

use rolling_upgrade_exporter::report::format::{self, count, length};
use rolling_upgrade_exporter::report::{HistoryReport, PastUpgradeReport};
use rolling_upgrade_exporter::text::escaped;

use super::text::{day, minute, name, named_versions, outcome, reason, timed, versions};
use crate::commands::table::{Look, Tone, USUAL, WIDE, begin, or_dash, plain, with_reasons};

/// Width from which the account has a column.
const MIDDLE: u16 = 80;

/// Width from which the end has its time, and the nodes a column.
const BROAD: u16 = 100;

/// Width from which the slowest node has a column.
const ROOMY: u16 = 140;

/// Width from which versions have their names.
const VERY_WIDE: u16 = 180;

/// Width where a row may be of any length, and is one line.
const UNBOUNDED: u16 = u16::MAX;

/// Writes a report, without a line end. `is_narrowed` is true when flags leave upgrades out.
pub(super) fn table(report: &HistoryReport, is_narrowed: bool, look: Look) -> String {
    let mut parts = Vec::new();
    if report.upgrades.is_empty() {
        let none = if is_narrowed {
            "No past upgrade matches."
        } else {
            "No upgrade has ended yet."
        };
        parts.push(none.to_owned());
    } else {
        parts.push(rows(&report.upgrades, look));
    }
    if report.more > 0 {
        let more = count(report.more, "older upgrade");
        parts.push(format!("And {more}: raise --limit to list more."));
    }
    if report.left_out > 0 {
        parts.push(format!(
            "The exporter has no room in memory for {}: once it is stopped, --storage.path lists them.",
            count(report.left_out, "older upgrade")
        ));
    }
    if !look.summary {
        let blocks = report.upgrades.iter();
        parts.extend(blocks.map(|upgrade| detail::detail(upgrade, look)));
    }
    parts.join("\n\n")
}

fn rows(upgrades: &[PastUpgradeReport], look: Look) -> String {
    let own = look.width.unwrap_or(UNBOUNDED);
    let columns: Vec<_> = COLUMNS.iter().filter(|column| own >= column.from).collect();
    let mut table = plain(look.width);
    table.set_header(columns.iter().map(|column| column.name));
    for upgrade in upgrades {
        let cells = columns.iter().enumerate().map(|(place, column)| {
            let cell = or_dash((column.cell)(upgrade, own));
            if place == 0 { begin(&cell) } else { cell }
        });
        table.add_row(cells);
    }
    let tones: Vec<Tone> = upgrades
        .iter()
        .map(|upgrade| Tone::of_status(&upgrade.outcome))
        .collect();
    with_reasons(table, look, &tones, upgrades.iter().map(reason))
}

/// Column of the table.
struct Column {
    name: &'static str,
    /// Width from which it is there.
    from: u16,
    /// Writer of an upgrade's text, in a table of that width.
    cell: fn(&PastUpgradeReport, u16) -> Option<String>,
}

const fn column(
    name: &'static str,
    from: u16,
    cell: fn(&PastUpgradeReport, u16) -> Option<String>,
) -> Column {
    Column { name, from, cell }
}

const COLUMNS: &[Column] = &[
    column("OUTCOME", 0, |upgrade, _| Some(outcome(upgrade))),
    column("ENDED", 0, |upgrade, width| {
        Some(match width {
            BROAD.. => format!("{}Z", minute(upgrade.ended)),
            _ => day(upgrade.ended),
        })
    }),
    column("CLUSTER", 0, |upgrade, _| Some(name(upgrade))),
    column("PRODUCT", USUAL, |upgrade, _| {
        Some(escaped(&upgrade.product).into_owned())
    }),
    column("ACCOUNT", MIDDLE, |upgrade, _| {
        Some(escaped(&upgrade.account).into_owned())
    }),
    column("VERSION", USUAL, |upgrade, width| {
        Some(version(upgrade, width))
    }),
    column("TOOK", 0, |upgrade, _| {
        Some(length(upgrade.duration_seconds))
    }),
    column("USUALLY", WIDE, |upgrade, _| {
        upgrade.earlier_median_seconds.map(length)
    }),
    column("NODES", BROAD, |upgrade, _| format::nodes_done(upgrade)),
    column("RETRIES", VERY_WIDE, |upgrade, _| {
        upgrade.retries.map(|retries| retries.to_string())
    }),
    column("SLOWEST NODE", ROOMY, |upgrade, _| {
        upgrade.slowest_nodes().first().map(|node| timed(node))
    }),
    column("ID", VERY_WIDE, |upgrade, _| {
        Some(escaped(&upgrade.cluster_id).into_owned())
    }),
    column("REASON", UNBOUNDED, |upgrade, _| reason(upgrade)),
];

/// Returns the versions before and after; in little space only the one after, and codes alone.
fn version(upgrade: &PastUpgradeReport, width: u16) -> String {
    match (&upgrade.to_version, width) {
        (_, VERY_WIDE..) => named_versions(upgrade),
        (Some(to), ..WIDE) => format!("-> {}", escaped(to)),
        _ => versions(upgrade),
    }
}

#[cfg(test)]
mod tests;
