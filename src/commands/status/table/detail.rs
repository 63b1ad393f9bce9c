//! One upgrade: what is to be said of it, its nodes, its tasks.

mod facts;

use std::borrow::Cow;

use jiff::Timestamp;
use rolling_upgrade_exporter::model::TaskStatus;
use rolling_upgrade_exporter::report::format::{self, length, since};
use rolling_upgrade_exporter::report::{ClusterReport, TaskReport, UpgradeReport};
use rolling_upgrade_exporter::text::escaped;

use super::super::text::{name, task};
use super::paint::{self, Tone};
use super::{Look, USUAL, WIDE, begin, or_dash, plain, text};

const INDENT: usize = 2;

/// Builds the block of an upgrade that is in this state.
pub(super) fn detail(
    cluster: &ClusterReport,
    upgrade: &UpgradeReport,
    state: &str,
    now: Timestamp,
    look: Look,
) -> String {
    let inner = Look {
        width: look.width.map(|width| width.saturating_sub(2)),
        ..look
    };
    let mut parts = vec![heading(cluster, upgrade, look)];
    let mut facts = plain(inner.width);
    for (key, fact) in facts::facts(cluster, upgrade, state, now) {
        facts.add_row([key.to_owned(), fact]);
    }
    parts.push(text(
        facts,
        INDENT,
        Look {
            colours: false,
            ..inner
        },
        &[],
    ));
    if !upgrade.nodes.is_empty() {
        parts.push(nodes(upgrade, inner));
    }
    if !upgrade.tasks.is_empty() {
        parts.push(tasks(&upgrade.tasks, now, inner));
    }
    let left_out = format::nodes_left_out(upgrade);
    parts.extend(left_out.iter().map(|line| format!("{:INDENT$}{line}", "")));
    parts.join("\n")
}

fn heading(cluster: &ClusterReport, upgrade: &UpgradeReport, look: Look) -> String {
    let kind = format::kind(upgrade);
    let kind = kind.map_or_else(String::new, |kind| format!(", {}", escaped(kind)));
    let line = format!("{}{kind}", name(cluster));
    if look.colours {
        paint::header(&line)
    } else {
        line
    }
}

fn nodes(upgrade: &UpgradeReport, look: Look) -> String {
    let nodes = &upgrade.nodes;
    // Where there is little space the names need it.
    let is_usual = look.width.is_none_or(|width| width >= USUAL - 2);
    let is_wide = look.width.is_none_or(|width| width >= WIDE - 2);
    let at = |order| {
        let place = format::task_place(upgrade, order).filter(|_| !is_wide);
        place.unwrap_or_else(|| task(upgrade, order))
    };
    let has_orders = is_usual && nodes.iter().any(|node| node.task_order.is_some());
    let columns = [
        ("STATE", true),
        ("NODE", true),
        ("ROLE", is_usual),
        ("TOOK", true),
        ("TASK", has_orders),
        ("VENDOR'S WORD", is_usual),
    ];
    let mut table = plain(look.width);
    table.set_header(
        columns
            .iter()
            .filter(|column| column.1)
            .map(|column| column.0),
    );
    for node in nodes {
        let row = [
            begin(&escaped(node.status.as_str())),
            escaped(&node.node).into_owned(),
            or_dash(Some(escaped(&node.role).into_owned())),
            or_dash(node.duration_seconds.map(length)),
            or_dash(node.task_order.map(at)),
            or_dash(Some(escaped(&node.raw_status).into_owned())),
        ];
        let row = row.into_iter().zip(columns);
        table.add_row(row.filter(|(_, column)| column.1).map(|(cell, _)| cell));
    }
    let tones = nodes.iter().map(|node| Tone::of_node(&node.status));
    text(table, INDENT, look, &tones.collect::<Vec<_>>())
}

fn tasks(tasks: &[TaskReport], now: Timestamp, look: Look) -> String {
    // Where there is little space descriptions stand behind the names.
    let is_usual = look.width.is_none_or(|width| width >= USUAL - 2);
    let is_described = tasks.iter().any(|task| task.description.is_some());
    let mut table = plain(look.width);
    let mut header = vec!["STATE", "TASK", "TOOK"];
    if is_usual && is_described {
        header.push("VENDOR'S DESCRIPTION");
    }
    table.set_header(header);
    for (place, task) in tasks.iter().enumerate() {
        let end = task
            .end
            .or((task.status == TaskStatus::Running).then_some(now));
        let took = task.start.zip(end).map(|(start, end)| since(start, end));
        let mut name = format!("{} {}", place + 1, escaped(&task.task));
        let description = task.description.as_deref().map(escaped);
        let mut row = vec![begin(&escaped(task.status.as_str())), or_dash(took)];
        match description {
            description if is_usual && is_described => {
                row.push(or_dash(description.map(Cow::into_owned)));
            }
            Some(text) => name = format!("{name}: {text}"),
            None => {}
        }
        row.insert(1, name);
        table.add_row(row);
    }
    let tones = tasks.iter().map(|task| Tone::of_task(&task.status));
    text(table, INDENT, look, &tones.collect::<Vec<_>>())
}
