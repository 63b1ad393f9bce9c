//! What the rows of the live view say. Pure.

use std::borrow::Cow;

use console::{pad_str, truncate_str};
use jiff::Timestamp;
use rolling_upgrade_exporter::report::format::{length, percent};
use rolling_upgrade_exporter::report::{
    Attention, ClusterReport, NodeReport, Report, UpgradeReport,
};
use rolling_upgrade_exporter::text::{Foreign, escaped};
use unicode_width::UnicodeWidthStr;

use super::super::lines;
use super::super::text::{is_over, name, since, status};

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
pub(super) type Key = (String, String, String, String, Option<Timestamp>);

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
        if let Some(upgrade) = upgrade.filter(|upgrade| !is_over(upgrade)) {
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

/// The upgrades that run, and those that did, in the order of attention, in at most `height` rows:
/// where there are more, nodes give way first.
pub(super) fn rows(report: &Report, seen: &[Key], height: u16, width: u16) -> Vec<Row> {
    let shown: Vec<_> = report
        .by_attention()
        .into_iter()
        .filter_map(|(attention, cluster, upgrade)| Some((attention, cluster, upgrade?)))
        .filter(|(_, cluster, upgrade)| !is_over(upgrade) || seen.contains(&key(cluster, upgrade)))
        .collect();
    // One row for what is left out or how many there are, one for the cursor.
    let space = usize::from(height).saturating_sub(2).max(1);
    let names = shown.iter().map(|(_, cluster, _)| name(cluster).width());
    let columns = Columns {
        name: names.max().unwrap_or_default().min(usize::from(width) / 4),
        width: usize::from(width),
        bar: usize::from(bar_length(width)),
    };
    let below = |one: &(_, &ClusterReport, &UpgradeReport)| below(one.1, one.2, report, &columns);
    let all: usize = shown.iter().map(|one| 1 + below(one).len()).sum();
    let mut rows = Vec::new();
    for one in shown.iter().take(space) {
        rows.push(upgrade_row(one, report.generated, &columns));
        if all <= space {
            rows.extend(below(one));
        }
    }
    let hidden = shown.len().saturating_sub(space);
    let hidden = match hidden {
        0 => String::new(),
        n => format!("{n} more. "),
    };
    let last = format!(
        "{hidden}{} UTC: {}. Ctrl-C ends the watch, not the upgrades.",
        report.generated.strftime("%H:%M:%S"),
        lines::counts(report),
    );
    rows.push(text_row("", &last, &columns));
    rows
}

struct Columns {
    name: usize,
    width: usize,
    bar: usize,
}

/// The widest state that gets a whole column.
const STATE: usize = "succeeded".len();

fn upgrade_row(
    (attention, cluster, upgrade): &(Attention, &ClusterReport, &UpgradeReport),
    now: Timestamp,
    columns: &Columns,
) -> Row {
    let word = match attention {
        Attention::Silent => "no answer".to_owned(),
        _ if upgrade.stalled => "stalled".to_owned(),
        _ => status(upgrade),
    };
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
    Row {
        share: Some(thousandths(upgrade.progress_ratio.unwrap_or_default())),
        colour: colour(*attention),
        text: truncate_str(&facts(upgrade, now), rest, "…").into_owned(),
        begin,
    }
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

/// How far, how many nodes, for how long, how much longer, where to.
fn facts(upgrade: &UpgradeReport, now: Timestamp) -> String {
    let (done, all) = (upgrade.nodes_in("succeeded"), upgrade.all_nodes());
    let left = upgrade.estimated_end.map(|at| since(now, at));
    let silent = || format!("nothing moved for {}", since(upgrade.last_progress, now));
    let share = upgrade.progress_ratio.map_or("-".to_owned(), percent);
    let facts = [
        Some(format!("{share:>4}")),
        (all > 0).then(|| format!("{done}/{all} nodes")),
        upgrade.stalled.then(silent),
        upgrade
            .waits_for_person
            .then(|| "waits for a person".to_owned()),
        upgrade.duration_seconds.map(length),
        left.map(|left| format!("{left} left")),
        upgrade
            .to_version
            .as_deref()
            .map(|to| format!("-> {}", escaped(to))),
    ];
    facts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

/// Builds the rows below an upgrade: why the cloud does not answer, what is missing, and the nodes that
/// are in work or failed.
fn below(
    cluster: &ClusterReport,
    upgrade: &UpgradeReport,
    report: &Report,
    columns: &Columns,
) -> Vec<Row> {
    let error = cluster.last_error.as_ref().map(|error| {
        let age = cluster.last_success.map(|at| since(at, report.generated));
        let age = age.map_or(String::new(), |age| format!("data are {age} old; "));
        text_row("  ", &format!("{age}{}", lines::error(error)), columns)
    });
    let is_news = |node: &&NodeReport| match node.status.as_str() {
        "upgrading" => !is_over(upgrade),
        "failed" => true,
        _ => false,
    };
    let nodes = upgrade.nodes.iter().filter(is_news);
    let nodes = nodes.map(|node| text_row("  ", &self::node(upgrade, node), columns));
    let degraded = cluster.degraded.iter().map(|call| {
        let text = format!("degraded, {}", lines::degraded(call));
        text_row("  ", &text, columns)
    });
    error.into_iter().chain(degraded).chain(nodes).collect()
}

fn node(upgrade: &UpgradeReport, node: &NodeReport) -> String {
    let task = node.task_order.map(|order| {
        let task = upgrade.tasks.iter().find(|task| task.order == order);
        task.map_or(format!("task {order}"), |task| {
            escaped(&task.task).into_owned()
        })
    });
    let facts = [
        Some(escaped(&node.status)),
        Some(escaped(&node.role)),
        task.map(Cow::Owned),
        Some(escaped(&node.raw_status)),
        node.duration_seconds.map(length).map(Cow::Owned),
    ];
    let mut words: Vec<Cow<'_, str>> = Vec::new();
    for fact in facts.into_iter().flatten() {
        let is_said = words.iter().any(|word| word.eq_ignore_ascii_case(&fact));
        if !fact.is_empty() && !is_said {
            words.push(fact);
        }
    }
    format!("{}: {}", escaped(&node.node), words.join(", "))
}

fn text_row(begin: &str, text: &str, columns: &Columns) -> Row {
    let rest = columns.width.saturating_sub(begin.width());
    Row {
        begin: begin.to_owned(),
        share: None,
        colour: "",
        text: truncate_str(text, rest, "…").into_owned(),
    }
}
