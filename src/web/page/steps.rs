//! The tables of an upgrade's nodes and tasks.

use jiff::Timestamp;
use maud::{Markup, html};

use super::words;
use crate::report::format;
use crate::report::{ClusterReport, NodeReport, TaskReport, UpgradeReport};
use crate::text::escaped;

/// The nodes, without the columns that say nothing for any of them.
pub(super) fn nodes(cluster: &ClusterReport, upgrade: &UpgradeReport, now: Timestamp) -> Markup {
    let nodes = &upgrade.nodes;
    let has = |told: fn(&NodeReport) -> bool| nodes.iter().any(told);
    let role = has(|n| !n.role.is_empty());
    let task = has(|n| n.task_order.is_some());
    let raw = has(|n| !n.raw_status.is_empty());
    let updated = has(|n| n.updated.is_some());
    let name = |order: u32| {
        let task = upgrade.tasks.iter().find(|task| task.order == order);
        task.map(|task| task.task.as_str()).unwrap_or_default()
    };
    scrolls(
        &format!("Nodes of {}", escaped(&cluster.cluster_name)),
        &html! { table {
            caption { "Nodes" }
            thead { tr {
                th scope="col" { "Node" }
                @if role { th scope="col" { "Role" } }
                th scope="col" { "State" }
                @if task { th scope="col" { "Task" } }
                th scope="col" { "In work for" }
                @if raw { th scope="col" { "Vendor’s word" } }
                @if updated { th scope="col" { "Changed" } }
            } }
            tbody { @for node in nodes { tr {
                th scope="row" { (words::foreign(&node.node, &cluster.cloud)) }
                @if role { td { (words::foreign(&node.role, &cluster.cloud)) } }
                td { (words::step_state(&node.status)) }
                @if task { td { @if let Some(order) = node.task_order {
                    (order) " " (words::foreign(name(order), &cluster.cloud))
                } } }
                td { @if let Some(length) = node.duration_seconds { (format::length(length)) } }
                @if raw { td { (words::foreign(&node.raw_status, &cluster.cloud)) } }
                @if updated { td { @if let Some(at) = node.updated { (words::ago(at, now)) } } }
            } } }
        } },
    )
}

/// The tasks, in their order.
pub(super) fn tasks(cluster: &ClusterReport, upgrade: &UpgradeReport, now: Timestamp) -> Markup {
    let ended = |task: &TaskReport| task.end.or(upgrade.ended).unwrap_or(now);
    scrolls(
        &format!("Tasks of {}", escaped(&cluster.cluster_name)),
        &html! { table {
            caption { "Tasks, in order" }
            thead { tr {
                th scope="col" { "Order" }
                th scope="col" { "Task" }
                th scope="col" { "State" }
                th scope="col" { "Began (UTC)" }
                th scope="col" { "Took" }
            } }
            tbody { @for task in &upgrade.tasks {
                tr aria-current=[(upgrade.task_order == Some(task.order)).then_some("step")] {
                    td { (task.order) }
                    th scope="row" { (words::foreign(&task.task, &cluster.cloud)) }
                    td { (words::step_state(&task.status)) }
                    td { @if let Some(at) = task.start { (words::clock(at, now)) } }
                    td { @if let Some(at) = task.start {
                        (format::length(format::between(at, ended(task))))
                    } }
                }
            } }
        } },
    )
}

/// A table that is wider than the screen scrolls by itself, by keyboard too; the page never does.
pub(super) fn scrolls(label: &str, table: &Markup) -> Markup {
    html! { div.scrolls role="region" aria-label=(label) tabindex="0" { (table) } }
}
