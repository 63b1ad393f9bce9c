//! What `check` prints: a table for the eye, whole sentences below it. 80 columns, no colours, so
//! that it is the same in a terminal, a file and a mail.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use rolling_upgrade_exporter::check::live::{Checked, Row};
use rolling_upgrade_exporter::text::{Foreign, escaped};

const WIDTH: u16 = 80;

/// A row for each product, and below the table what is to be said about it.
pub(super) fn results(checked: &[Checked]) -> String {
    let mut table = plain();
    table.set_header(["ACCOUNT", "PRODUCT", "REGION", "RESULT", "CODE", "CLUSTERS"]);
    let mut notes = Vec::new();
    for account in checked {
        for row in &account.products {
            table.add_row([
                account.account.to_string(),
                row.product.info().name.to_owned(),
                account.place.clone(),
                row.fails().unwrap_or("ok").to_owned(),
                code(row),
                clusters(row),
            ]);
            let whose = format!("{} {}", account.account, row.product.info().name);
            let own = row.notes().into_iter().map(|note| (whose.clone(), note));
            notes.extend(own);
        }
        let clock = account.clock_note();
        notes.extend(clock.map(|note| (account.account.to_string(), note)));
    }
    let notes: Vec<(String, String)> = notes
        .into_iter()
        .map(|(whose, note)| {
            let kind = if note.is_error { "" } else { "Warning: " };
            (whose, format!("{kind}{}", Foreign(note.text)))
        })
        .collect();
    if notes.is_empty() {
        return text(table);
    }
    let notes: Vec<_> = notes
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    format!("{}\n\n{}", text(table), self::notes(&notes))
}

/// Sentences, each beside what it is about, wrapped.
pub(super) fn notes(notes: &[(&str, &str)]) -> String {
    let mut table = plain();
    for (about, sentence) in notes {
        table.add_row([about, sentence]);
    }
    text(table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table
}

/// Without the spaces that fill up the lines.
fn text(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// The vendor's code, else the HTTP status, else nothing.
fn code(row: &Row) -> String {
    let Err(error) = &row.outcome else {
        return "-".to_owned();
    };
    let status = error.status.map(|status| format!("HTTP {status}"));
    error
        .code
        .as_deref()
        .map(|code| escaped(code).into_owned())
        .or(status)
        .unwrap_or_else(|| "-".to_owned())
}

/// How many would be watched, of how many that exist.
fn clusters(row: &Row) -> String {
    match &row.outcome {
        Ok(found) => {
            let all = found.listed as u64 + found.inaccessible;
            format!("{} of {all}", found.watched)
        }
        Err(_) => "-".to_owned(),
    }
}
