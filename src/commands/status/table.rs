//! The table: a row for each upgrade, those in trouble first, then each one's nodes and tasks, then what
//! idle clusters can be upgraded to.

mod detail;
mod idle;

use jiff::Timestamp;
use rolling_upgrade_exporter::report::format::{self, length, percent, since};
use rolling_upgrade_exporter::report::{Attention, ClusterReport, Report, UpgradeReport};
use rolling_upgrade_exporter::text::{Foreign, escaped};

use super::text::{
    name, named_versions, reason, row_state, running_version, vendor_status, versions,
};
use crate::commands::table::{Look, Tone, USUAL, WIDE, begin, or_dash, plain, text, with_reasons};

/// Width from which versions have their names, and the cluster's state in the vendor's words a column.
const ROOMY: u16 = 150;

/// From here ids have one, too.
const VERY_WIDE: u16 = 180;

/// Width where a row may be of any length, and is one line.
const UNBOUNDED: u16 = u16::MAX;

/// The whole text, without a line end.
pub(super) fn table(report: &Report, look: Look) -> String {
    let rows = report.by_attention();
    let mut parts = Vec::new();
    if rows.is_empty() {
        parts.push("No cluster is watched.".to_owned());
    } else {
        parts.push(summary(report, &rows, look));
    }
    if !report.ready {
        parts.push("The first poll round has not ended yet: clusters may be missing.".to_owned());
    }
    let notes = notes(report, look);
    if !notes.is_empty() {
        parts.push(notes);
    }
    if !look.summary {
        let times = report.times();
        for (attention, cluster, upgrade) in &rows {
            if let Some(upgrade) = upgrade {
                let state = row_state(*attention, Some(upgrade));
                parts.push(detail::detail(
                    cluster,
                    upgrade,
                    &state,
                    times.of(&cluster.account),
                    look,
                ));
            }
        }
        parts.extend(idle::offers(&rows, look));
    }
    parts.join("\n\n")
}

type Row<'a> = (Attention, &'a ClusterReport, Option<&'a UpgradeReport>);

/// Builds the table of all upgrades. On a terminal the vendor's reason stands below the state, as far as
/// it fits in a line.
fn summary(report: &Report, rows: &[Row<'_>], look: Look) -> String {
    let own = look.width.unwrap_or(UNBOUNDED);
    let columns: Vec<_> = COLUMNS.iter().filter(|column| own >= column.from).collect();
    let mut table = plain(look.width);
    table.set_header(columns.iter().map(|column| column.name));
    let times = report.times();
    for row in rows {
        let now = times.of(&row.1.account);
        let cells = columns.iter().enumerate().map(|(place, column)| {
            let cell = or_dash((column.cell)(row, now, own));
            if place == 0 { begin(&cell) } else { cell }
        });
        table.add_row(cells);
    }
    let tones = rows.iter();
    let tones: Vec<Tone> = tones
        .map(|(attention, _, upgrade)| Tone::of_row(*attention, *upgrade))
        .collect();
    let reasons = rows.iter().map(|(_, _, upgrade)| upgrade.and_then(reason));
    with_reasons(table, look, &tones, reasons)
}

/// A column of the summary.
struct Column {
    name: &'static str,
    /// The width from which it is there.
    from: u16,
    /// Writer of a row's text, at that time and in a table of that width.
    cell: fn(&Row<'_>, Timestamp, u16) -> Option<String>,
}

const fn column(
    name: &'static str,
    from: u16,
    cell: fn(&Row<'_>, Timestamp, u16) -> Option<String>,
) -> Column {
    Column { name, from, cell }
}

const COLUMNS: &[Column] = &[
    column("STATE", 0, |(attention, _, upgrade), _, _| {
        Some(row_state(*attention, *upgrade))
    }),
    column("CLUSTER", 0, |(_, cluster, _), _, _| Some(name(cluster))),
    column("PRODUCT", USUAL, |(_, cluster, _), _, _| {
        Some(escaped(&cluster.product).into_owned())
    }),
    column("ACCOUNT", USUAL, |(_, cluster, _), _, _| {
        Some(escaped(&cluster.account).into_owned())
    }),
    column("DONE", 0, |(_, _, upgrade), _, _| {
        upgrade.and_then(|u| u.progress_ratio).map(percent)
    }),
    column("NODES", USUAL, |(_, _, upgrade), _, _| {
        upgrade.and_then(format::nodes_done)
    }),
    column("VERSION", USUAL, |(_, cluster, upgrade), _, width| {
        Some(version(cluster, *upgrade, width))
    }),
    column("AGE", WIDE, |(_, _, upgrade), _, _| {
        upgrade.and_then(|u| u.duration_seconds).map(length)
    }),
    column("ENDS IN", WIDE, |(_, _, upgrade), now, _| {
        let at = upgrade.and_then(|u| u.estimated_end);
        at.map(|at| since(now, at))
    }),
    column("MOVED", WIDE, |(_, _, upgrade), now, _| {
        upgrade.map(|u| since(u.last_progress, now))
    }),
    column("DATA", USUAL, |(_, cluster, _), now, _| {
        let at = cluster.last_success;
        Some(at.map_or("never".to_owned(), |at| since(at, now)))
    }),
    column("AT VENDOR", ROOMY, |(_, cluster, _), _, _| {
        Some(vendor_status(cluster))
    }),
    column("ID", VERY_WIDE, |(_, cluster, _), _, _| {
        Some(escaped(&cluster.cluster_id).into_owned())
    }),
    column("REASON", UNBOUNDED, |(_, _, upgrade), _, _| {
        upgrade.and_then(reason)
    }),
];

/// Returns the versions before and after, or the one that the cluster runs; in little space only the one
/// after, and codes alone.
fn version(cluster: &ClusterReport, upgrade: Option<&UpgradeReport>, width: u16) -> String {
    let both = upgrade.map_or(String::new(), |upgrade| match width {
        ROOMY.. => named_versions(upgrade),
        WIDE.. => versions(upgrade),
        _ => String::new(),
    });
    let to = upgrade.and_then(|upgrade| upgrade.to_version.as_ref());
    match (both.is_empty(), to) {
        (false, _) => both,
        (true, Some(to)) => format!("-> {}", escaped(to)),
        (true, None) if width >= ROOMY => running_version(cluster),
        (true, None) => escaped(&cluster.version).into_owned(),
    }
}

/// Builds the table of what is wrong where there is no upgrade to say it with.
fn notes(report: &Report, look: Look) -> String {
    let notes = format::notes(report, look.summary);
    if notes.is_empty() {
        return String::new();
    }
    let mut table = plain(look.width);
    for (whose, note) in notes {
        table.add_row([escaped(&whose).into_owned(), Foreign(note).to_string()]);
    }
    text(table, 0, look, &[])
}

#[cfg(test)]
mod tests;
