//! What the rows of the live view say. Pure.

use console::{pad_str, truncate_str};
use jiff::Timestamp;
use rolling_upgrade_exporter::model::{Kind, UpgradeStatus};
use rolling_upgrade_exporter::report::format::{self, are_versions_zones, length, percent, since};
use rolling_upgrade_exporter::report::{
    Attention, ClusterReport, Report, SkewedClock, UpgradeReport, Word,
};
use rolling_upgrade_exporter::text::{Foreign, escaped};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::super::text::{self, current_task, name, reason, short_state, zones};
use super::below;
use super::fit::{self, Block, Fitted};

/// One row of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// What stands before the bar.
    pub(super) begin: String,
    /// How far it is, in thousandths; a row without it has no bar.
    pub(super) share: Option<u64>,
    /// The bar's colour.
    pub(super) colour: &'static str,
    /// What stands behind it.
    pub(super) text: String,
}

/// Account, product, cluster, kind and begin of an upgrade.
pub(super) type Key = (String, String, String, Word<Kind>, Option<Timestamp>);

fn key(cluster: &ClusterReport, upgrade: &UpgradeReport) -> Key {
    (
        cluster.account.clone(),
        cluster.product.clone(),
        cluster.cluster_id.clone(),
        upgrade.kind.clone(),
        upgrade.requested,
    )
}

/// Adds those that run to those that were seen to run.
pub(super) fn remember(report: &Report, seen: &mut Vec<Key>) {
    for (_, cluster, upgrade) in report.by_attention() {
        if let Some(upgrade) = upgrade.filter(|upgrade| !upgrade.is_over()) {
            let key = key(cluster, upgrade);
            if !seen.contains(&key) {
                seen.push(key);
            }
        }
    }
}

/// How long bars are in a terminal of this width; none where there is hardly space for words.
pub(super) fn bar_length(width: u16) -> u16 {
    match width {
        0..60 => 0,
        60..100 => 12,
        100..140 => 20,
        _ => 30,
    }
}

/// Writes a sentence as one row of the terminal; its line ends and tabs become spaces.
pub(super) fn line_of(text: &str, width: u16) -> String {
    let line = Foreign(text.replace(['\n', '\r', '\t'], " ")).to_string();
    truncate_str(&line, usize::from(width), "…").into_owned()
}

/// Builds the rows of the upgrades that run or ran, and of those that failed or stalled whenever that
/// began, in the order of attention and in at most `height` rows.
pub(super) fn rows(report: &Report, seen: &[Key], height: u16, width: u16) -> Vec<Row> {
    let shown: Vec<_> = report
        .by_attention()
        .into_iter()
        .filter_map(|(attention, cluster, upgrade)| Some((attention, cluster, upgrade?)))
        .filter(|(attention, cluster, upgrade)| {
            is_trouble(*attention) || !upgrade.is_over() || seen.contains(&key(cluster, upgrade))
        })
        .collect();
    let names = shown.iter().map(|(_, cluster, _)| name(cluster).width());
    let columns = Columns {
        name: names.max().unwrap_or_default().min(usize::from(width) / 4),
        width: usize::from(width),
        bar: usize::from(bar_length(width)),
    };
    let times = report.times();
    let blocks = shown.iter().map(|one| {
        let (attention, cluster, upgrade) = *one;
        let is_trouble = is_trouble(attention);
        let now = times.of(&cluster.account);
        let (head, reason) = head(one, now, &columns);
        let mut below = reason.map_or_else(Vec::new, |reason| reason_rows(&reason, &columns));
        let reason = below.len();
        below.extend(below::rows(cluster, upgrade, now, is_trouble, &columns));
        Block {
            is_trouble,
            head,
            below,
            reason,
        }
    });
    let clocks = clock_rows(report, height, &columns);
    // One row for what is left out or how many there are, one for the cursor.
    let space = usize::from(height).saturating_sub(2 + clocks.len()).max(1);
    let Fitted { mut rows, hidden } = fit::fit(blocks.collect(), space);
    let hidden = match hidden {
        0 => String::new(),
        n => format!("{n} more. "),
    };
    let last = format!(
        "{hidden}{} UTC: {}. Ctrl-C ends the watch, not the upgrades.",
        report.generated.strftime("%H:%M:%S"),
        text::counts(report),
    );
    rows.extend(clocks);
    rows.push(text_row("", &last, &columns));
    rows
}

/// Terminal height below which upgrades take all rows.
const LOW: u16 = 10;

/// Builds a row for each account from whose vendor's clock the host's differs, at most three.
fn clock_rows(report: &Report, height: u16, columns: &Columns) -> Vec<Row> {
    let clocks = report.skewed_clocks();
    let clocks = clocks.iter().filter(|_| height >= LOW).take(3);
    let text = |clock: &SkewedClock<'_>| format!("{}: {}", escaped(clock.account), clock.notice());
    clocks
        .map(|clock| text_row("", &text(clock), columns))
        .collect()
}

/// Returns whether an upgrade is shown whenever it came to this.
fn is_trouble(attention: Attention) -> bool {
    matches!(attention, Attention::Failed | Attention::Stalled)
}

/// Widths of the terminal and its columns.
pub(super) struct Columns {
    name: usize,
    width: usize,
    bar: usize,
}

/// Width from which versions have their names.
const NAMES: usize = 140;

/// The widest state that gets a whole column.
const STATE: usize = UpgradeStatus::Succeeded.as_str().len();

/// Builds the row of an upgrade; returns the vendor's reason with it where it does not fit in.
fn head(
    (attention, cluster, upgrade): &(Attention, &ClusterReport, &UpgradeReport),
    now: Timestamp,
    columns: &Columns,
) -> (Row, Option<String>) {
    let word = short_state(*attention, upgrade);
    let cell = |text: &str, width| {
        let cell = pad_str(text, width, console::Alignment::Left, Some("…"));
        cell.into_owned()
    };
    let begin = format!(
        "{}  {}  ",
        cell(&word, STATE),
        cell(&name(cluster), columns.name)
    );
    let bar = if columns.bar > 0 { columns.bar + 1 } else { 0 };
    let rest = columns.width.saturating_sub(begin.width() + bar);
    let mut reason = reason(upgrade);
    let facts = if is_trouble(*attention) {
        let whole = trouble(upgrade, reason.as_deref(), now);
        if reason.is_some() && whole.width() <= rest {
            reason = None;
            whole
        } else {
            trouble(upgrade, None, now)
        }
    } else {
        facts(upgrade, columns.width >= NAMES, now)
    };
    let text = truncate_str(&facts, rest, "…").into_owned();
    let row = Row {
        share: Some(thousandths(upgrade.progress_ratio.unwrap_or_default())),
        colour: colour(*attention),
        text,
        begin,
    };
    (row, reason)
}

fn colour(attention: Attention) -> &'static str {
    match attention {
        Attention::Failed => "red",
        Attention::Stalled | Attention::Silent => "yellow",
        Attention::Running | Attention::Idle => "cyan",
        Attention::Ended => "green",
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is within the bounds"
)]
fn thousandths(ratio: f64) -> u64 {
    (ratio.clamp(0.0, 1.0) * 1000.0) as u64
}

/// Writes how far an upgrade is, how many nodes are done, for how long it runs, how much longer, where to,
/// and its task.
fn facts(upgrade: &UpgradeReport, has_names: bool, now: Timestamp) -> String {
    let left = upgrade.estimated_end.map(|at| since(now, at));
    let to_name = upgrade.to_version_name.as_deref().filter(|_| has_names);
    let to = upgrade.to_version.as_deref();
    let to = to.filter(|_| !are_versions_zones(upgrade));
    let to = to.map(|to| format!("-> {}", escaped(&format::version(to, to_name))));
    joined([
        Some(share(upgrade)),
        nodes(upgrade),
        upgrade
            .waits_for_person
            .then(|| format::WAITS_FOR_PERSON.to_owned()),
        upgrade.duration_seconds.map(length),
        left.map(|left| format!("{left} left")),
        to,
        Some(zones(upgrade)),
        current_task(upgrade),
    ])
}

/// Writes how far an upgrade is that failed or stalled, since when, and why, or at which task.
fn trouble(upgrade: &UpgradeReport, reason: Option<&str>, now: Timestamp) -> String {
    let silent = || format::silence(upgrade, now);
    let ended = upgrade.ended.filter(|_| upgrade.is_over());
    joined([
        Some(share(upgrade)),
        nodes(upgrade),
        upgrade.stalled.then(silent),
        ended.map(|at| format::ago(at, now)),
        reason.map(str::to_owned).or_else(|| current_task(upgrade)),
        Some(zones(upgrade)),
    ])
}

fn joined<const N: usize>(facts: [Option<String>; N]) -> String {
    let facts = facts.into_iter().flatten().filter(|fact| !fact.is_empty());
    facts.collect::<Vec<_>>().join("  ")
}

fn share(upgrade: &UpgradeReport) -> String {
    let share = upgrade.progress_ratio.map_or("-".to_owned(), percent);
    format!("{share:>4}")
}

fn nodes(upgrade: &UpgradeReport) -> Option<String> {
    format::nodes_done(upgrade).map(|done| format!("{done} nodes"))
}

/// Most rows that the vendor's reason takes.
const REASON: usize = 3;

/// Builds the rows of the vendor's reason, broken between words, and within those that are wider than a row.
fn reason_rows(reason: &str, columns: &Columns) -> Vec<Row> {
    // A column is left for the mark of a reason that is cut off.
    let space = columns.width.saturating_sub(3);
    let mut lines: Vec<String> = Vec::new();
    let words = reason.split_whitespace();
    for word in words.flat_map(|word| pieces(word, space)) {
        let is_last = lines.len() == REASON;
        match lines.last_mut() {
            // What is too long for the last row is cut off there.
            Some(line) if is_last || line.width() + 1 + word.width() <= space => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    let row = |line: &String| Row {
        text: truncate_str(line, space, "…").into_owned(),
        ..text_row("  ", "", columns)
    };
    lines.iter().map(row).collect()
}

/// Cuts a word into pieces that are at most `space` columns wide.
fn pieces(word: &str, space: usize) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for c in word.chars() {
        let width = c.width().unwrap_or_default();
        match pieces.last_mut() {
            Some(piece) if piece.width() + width <= space => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
    }
    pieces
}

/// Builds a row without a bar.
pub(super) fn text_row(begin: &str, text: &str, columns: &Columns) -> Row {
    let rest = columns.width.saturating_sub(begin.width());
    Row {
        begin: begin.to_owned(),
        share: None,
        colour: "",
        text: truncate_str(text, rest, "…").into_owned(),
    }
}
