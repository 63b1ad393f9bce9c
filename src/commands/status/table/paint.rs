//! Colours, for terminals that show them.

use console::{Style, style};

/// The words with which a row can begin, each with its colour.
fn colour(word: &str) -> Option<Style> {
    let plain = Style::new().force_styling(true);
    let first = word.split([',', ' ']).next().unwrap_or_default();
    match first {
        _ if word.ends_with("no answer") || word.ends_with("overdue") => Some(plain.yellow()),
        "failed" | "partially" => Some(plain.red().bold()),
        "stalled" => Some(plain.yellow().bold()),
        "unknown" | "paused" => Some(plain.yellow()),
        "running" | "upgrading" | "pending" => Some(plain.cyan()),
        "succeeded" => Some(plain.green()),
        "none" | "waiting" | "cancelled" => Some(plain.dim()),
        _ => None,
    }
}

/// A row: its first column in the colour of the state that stands there. A line that goes on with
/// the other columns of a row begins with a space.
pub(super) fn state(line: &str) -> String {
    let (word, rest) = line.split_once("  ").unwrap_or((line, ""));
    match colour(word) {
        Some(colour) if rest.is_empty() => colour.apply_to(word).to_string(),
        Some(colour) => format!("{}  {rest}", colour.apply_to(word)),
        None => line.to_owned(),
    }
}

/// The names of the columns.
pub(super) fn header(line: &str) -> String {
    style(line).force_styling(true).bold().to_string()
}
