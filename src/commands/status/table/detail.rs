//! One upgrade: what is to be said of it, its nodes, its tasks.

use jiff::Timestamp;
use rolling_upgrade_exporter::report::format::length;
use rolling_upgrade_exporter::report::{ClusterReport, NodeReport, TaskReport, UpgradeReport};
use rolling_upgrade_exporter::text::escaped;

use super::super::lines;
use super::super::text::{name, since, versions};
use super::{Look, USUAL, or_dash, paint, plain, text};

const INDENT: usize = 2;

pub(super) fn detail(
    cluster: &ClusterReport,
    upgrade: &UpgradeReport,
    now: Timestamp,
    look: Look,
) -> String {
    let inner = Look {
        width: look.width.map(|width| width.saturating_sub(2)),
        ..look
    };
    let mut parts = vec![heading(cluster, upgrade, look)];
    let mut facts = plain(inner.width);
    for (key, fact) in self::facts(cluster, upgrade, now) {
        facts.add_row([key.to_owned(), fact]);
    }
    parts.push(text(
        facts,
        INDENT,
        Look {
            colours: false,
            ..inner
        },
    ));
    if !upgrade.nodes.is_empty() {
        parts.push(nodes(&upgrade.nodes, inner));
    }
    if !upgrade.tasks.is_empty() {
        parts.push(tasks(&upgrade.tasks, now, inner));
    }
    let left_out = upgrade.left_out();
    parts.extend(left_out.iter().map(|line| format!("{:INDENT$}{line}", "")));
    parts.join("\n")
}

fn heading(cluster: &ClusterReport, upgrade: &UpgradeReport, look: Look) -> String {
    let kind = match upgrade.kind.as_str() {
        "version" => String::new(),
        "az_migration" => ", move to another zone".to_owned(),
        other => format!(", {}", escaped(other)),
    };
    let line = format!("{}{kind}", name(cluster));
    if look.colours {
        paint::header(&line)
    } else {
        line
    }
}

/// What there is to say, each with a word before it.
fn facts(
    cluster: &ClusterReport,
    upgrade: &UpgradeReport,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let ago = |at| format!("{} ago", since(at, now));
    let mut facts = vec![(
        "cluster",
        format!(
            "{} of {}, id {}",
            escaped(&cluster.product),
            escaped(&cluster.account),
            escaped(&cluster.cluster_id)
        ),
    )];
    let mut add = |key, fact: Option<String>| {
        if let Some(fact) = fact.filter(|fact| !fact.is_empty()) {
            facts.push((key, fact));
        }
    };
    add("version", Some(versions(upgrade)));
    let id = upgrade
        .upgrade_id
        .as_deref()
        .map(|id| escaped(id).into_owned());
    add("upgrade id", id);
    add("requested", upgrade.requested.map(ago));
    add("started", upgrade.started_later().map(ago));
    let took = upgrade.duration_seconds.filter(|_| upgrade.ended.is_some());
    let took = took.map_or(String::new(), |s| format!(", after {}", length(s)));
    add(
        "ended",
        upgrade.ended.map(|at| format!("{}{took}", ago(at))),
    );
    let end = upgrade.estimated_end;
    let end = end.map(|at| format!("in {}", length(at.duration_since(now).as_secs_f64())));
    add("estimate", end);
    let stalled = match upgrade.stalled_after_seconds {
        Some(limit) if upgrade.stalled => {
            format!("; stalled, since the limit is {}", length(limit))
        }
        _ => String::new(),
    };
    add(
        "last moved",
        Some(format!("{}{stalled}", ago(upgrade.last_progress))),
    );
    let overdue = upgrade.overdue_after_seconds.filter(|_| upgrade.overdue);
    add(
        "overdue",
        overdue.map(|s| format!("running for longer than {}", length(s))),
    );
    add(
        "retries",
        upgrade.retries.filter(|n| *n > 0).map(|n| n.to_string()),
    );
    let waits = "for a person: nothing goes on until somebody acts in the console".to_owned();
    add("waits", upgrade.waits_for_person.then_some(waits));
    add(
        "data",
        Some(cluster.last_success.map_or("never came".to_owned(), ago)),
    );
    let error = cluster.last_error.as_ref();
    add(
        "error",
        error.map(|e| format!("{}, {}", ago(e.at), lines::error(e))),
    );
    for call in &cluster.degraded {
        let length = since(call.since, now);
        add(
            "degraded",
            Some(format!("for {length}, {}", lines::degraded(call))),
        );
    }
    facts
}

fn nodes(nodes: &[NodeReport], look: Look) -> String {
    // Where there is little space the names need it.
    let is_usual = look.width.is_none_or(|width| width >= USUAL - 2);
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
            escaped(&node.status).into_owned(),
            escaped(&node.node).into_owned(),
            or_dash(Some(escaped(&node.role).into_owned())),
            or_dash(node.duration_seconds.map(length)),
            or_dash(node.task_order.map(|order| order.to_string())),
            or_dash(Some(escaped(&node.raw_status).into_owned())),
        ];
        let row = row.into_iter().zip(columns);
        table.add_row(row.filter(|(_, column)| column.1).map(|(cell, _)| cell));
    }
    text(table, INDENT, look)
}

fn tasks(tasks: &[TaskReport], now: Timestamp, look: Look) -> String {
    let mut table = plain(look.width);
    table.set_header(["STATE", "TASK", "TOOK"]);
    for task in tasks {
        let end = task.end.or((task.status == "running").then_some(now));
        let took = task.start.zip(end).map(|(start, end)| since(start, end));
        table.add_row([
            escaped(&task.status).into_owned(),
            format!("{} {}", task.order, escaped(&task.task)),
            or_dash(took),
        ]);
    }
    text(table, INDENT, look)
}
