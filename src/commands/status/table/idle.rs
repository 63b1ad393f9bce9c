//! Versions to which the vendors offer to upgrade clusters that are in no upgrade.

use rolling_upgrade_exporter::report::ClusterReport;
use rolling_upgrade_exporter::text::escaped;

use super::super::text::{name, offered, running_version, vendor_status};
use super::Row;
use crate::commands::table::{Look, USUAL, or_dash, plain, text};

/// Builds the table of idle clusters that can be upgraded; none when there is no such cluster.
pub(super) fn offers(rows: &[Row<'_>], look: Look) -> Option<String> {
    let is_usual = look.width.is_none_or(|width| width >= USUAL);
    let idle = rows.iter().filter(|(_, _, upgrade)| upgrade.is_none());
    let clusters: Vec<&ClusterReport> = idle
        .map(|(_, cluster, _)| *cluster)
        .filter(|cluster| !cluster.available_versions.is_empty())
        .collect();
    if clusters.is_empty() {
        return None;
    }
    let columns = [
        ("IDLE CLUSTER", true),
        ("ACCOUNT", is_usual),
        ("AT VENDOR", is_usual),
        ("VERSION", is_usual),
        ("CAN BE UPGRADED TO", true),
    ];
    let mut table = plain(look.width);
    let shown = columns.iter().filter(|column| column.1);
    table.set_header(shown.map(|column| column.0));
    for cluster in clusters {
        let row = [
            name(cluster),
            escaped(&cluster.account).into_owned(),
            or_dash(Some(vendor_status(cluster))),
            or_dash(Some(running_version(cluster))),
            offered(cluster),
        ];
        let row = row.into_iter().zip(columns);
        table.add_row(row.filter(|(_, column)| column.1).map(|(cell, _)| cell));
    }
    Some(text(
        table,
        0,
        Look {
            colours: false,
            ..look
        },
        &[],
    ))
}
