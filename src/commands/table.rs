//! Tables of `status` and `history`: without lines, as wide as the terminal, coloured where it has colours.
//!
//! The state comes first in each row. So the eye finds it, and colours, which the library would
//! count as text, can be added once the columns stand.

mod paint;
mod steps;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use console::truncate_str;

pub(super) use paint::Tone;
pub(super) use steps::StepTables;

/// From here whose it is and what is known of it have columns; else that stands with the nodes.
pub(super) const USUAL: u16 = 60;

/// From here the times have columns, and both versions are in theirs.
pub(super) const WIDE: u16 = 120;

/// Spaces before the lines of a block.
const INDENT: usize = 2;

/// Begins the first line of a row until the table stands. It has no width, and [`escaped`] leaves none in
/// foreign text.
///
/// [`escaped`]: rolling_upgrade_exporter::text::escaped
const ROW: char = '\u{2060}';

/// Look of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// The terminal's; none for a file or a pipe, where each row is one line.
    pub(super) width: Option<u16>,
    pub(super) colours: bool,
    /// Only the clusters.
    pub(super) summary: bool,
}

impl Look {
    /// For standard output.
    pub(super) fn of_stdout(summary: bool) -> Self {
        let out = console::Term::stdout();
        Self {
            width: out.size_checked().map(|(_, columns)| columns.max(20)),
            colours: out.is_term() && console::colors_enabled(),
            summary,
        }
    }

    /// Returns the look of what is moved in below a heading.
    pub(super) fn indented(self) -> Self {
        Self {
            width: self.width.map(|width| width.saturating_sub(2)),
            ..self
        }
    }
}

/// Writes the first line of a block.
pub(super) fn heading_line(line: String, look: Look) -> String {
    if look.colours {
        paint::header(&line)
    } else {
        line
    }
}

/// Writes facts, each with a word before it, moved in.
pub(super) fn facts_table(facts: Vec<(&'static str, String)>, look: Look) -> String {
    let mut table = plain(look.width);
    for (key, fact) in facts {
        table.add_row([key.to_owned(), fact]);
    }
    let look = Look {
        colours: false,
        ..look
    };
    text(table, INDENT, look, &[])
}

pub(super) fn or_dash(text: Option<String>) -> String {
    text.filter(|text| !text.is_empty())
        .unwrap_or_else(|| "-".to_owned())
}

/// Marks the first cell of a row, so that [`lines_of`] finds the row among the lines.
pub(super) fn begin(cell: &str) -> String {
    format!("{ROW}{cell}")
}

/// A table without lines, as wide as the terminal.
pub(super) fn plain(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table
}

/// Writes a table with colours, without the spaces that fill up the lines, moved in. Its rows have these
/// tones.
pub(super) fn text(table: Table, indent: usize, look: Look, tones: &[Tone]) -> String {
    let lines = lines_of(table, look, tones);
    let lines = lines.map(|(_, line)| format!("{:indent$}{line}", ""));
    lines.collect::<Vec<_>>().join("\n")
}

/// Writes a table whose rows have these tones. On a terminal the vendor's reason stands below the state of
/// its row, as far as it fits in a line.
pub(super) fn with_reasons(
    table: Table,
    look: Look,
    tones: &[Tone],
    reasons: impl Iterator<Item = Option<String>>,
) -> String {
    let Some(width) = look.width else {
        return text(table, 0, look, tones);
    };
    let mut reasons = reasons.map(|reason| {
        let line = format!("  {}", reason?);
        Some(truncate_str(&line, usize::from(width), "…").into_owned())
    });
    let mut out: Vec<String> = Vec::new();
    let mut pending = None;
    for (is_first, line) in lines_of(table, look, tones) {
        if is_first {
            out.extend(pending.take());
            pending = reasons.next().flatten();
        }
        out.push(line);
    }
    out.extend(pending);
    out.join("\n")
}

/// Returns the lines of a table, and whether a row with a [`begin`] begins with each.
fn lines_of(mut table: Table, look: Look, tones: &[Tone]) -> impl Iterator<Item = (bool, String)> {
    let mut tones = tones.iter();
    let mut tone = None;
    let last = table.column_count().saturating_sub(1);
    for (place, column) in table.column_iter_mut().enumerate() {
        let space = if place < last { 2 } else { 0 };
        column.set_padding((0, space));
    }
    let has_header = table.header().is_some();
    let lines: Vec<String> = table.lines().collect();
    lines.into_iter().enumerate().map(move |(place, line)| {
        let is_first = line.starts_with(ROW);
        if is_first {
            tone = tones.next();
        }
        let line = line.trim_start_matches(ROW).trim_end();
        let line = match look.colours {
            false => line.to_owned(),
            true if has_header && place == 0 => paint::header(line),
            true => tone.map_or_else(|| line.to_owned(), |tone| tone.paint(line)),
        };
        (is_first, line)
    })
}
