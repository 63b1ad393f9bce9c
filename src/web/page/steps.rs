//! The tables of an upgrade's nodes, tasks and precheck findings.

use jiff::Timestamp;
use maud::{Markup, html};

use super::words;
use crate::report::format;
use crate::report::{ClusterReport, NodeReport, PrecheckReport, TaskReport, UpgradeReport};
use crate::text::escaped;

/// The nodes, without the columns that say nothing for any of them.
pub(super) fn nodes(cluster: &ClusterReport, upgrade: &UpgradeReport, now: Timestamp) -> Markup {
    let nodes = &upgrade.nodes;
    let has = |told: fn(&NodeReport) -> bool| nodes.iter().any(told);
    let role = has(|n| !n.role.is_empty());
    let task = has(|n| n.task_order.is_some());
    let work = has(|n| n.duration_seconds.is_some());
    let raw = has(|n| !n.raw_status.is_empty());
    let updated = has(|n| n.updated.is_some());
    let name = |order: u32| {
        let name = format::task_name(upgrade, order);
        name.map_or_else(|| order.to_string(), str::to_owned)
    };
    scrolls(
        &label("Nodes", cluster),
        &html! { table {
            caption { "Nodes" }
            thead { tr {
                th scope="col" { "Node" }
                @if role { th scope="col" { "Role" } }
                th scope="col" { "State" }
                @if task { th scope="col" { "Task" } }
                @if work { th scope="col" { "In work for" } }
                @if raw { th scope="col" { "State (vendor)" } }
                @if updated { th scope="col" { "Changed" } }
            } }
            tbody { @for node in nodes { tr {
                th scope="row" { (words::foreign(&node.node, cluster.language)) }
                @if role { td { (words::foreign(&node.role, cluster.language)) } }
                td { (words::node_state(&node.status)) }
                @if task { td data-is="Task" { @if let Some(order) = node.task_order {
                    (words::foreign(&name(order), cluster.language))
                } } }
                @if work { td data-is="In work for" { @if let Some(length) = node.duration_seconds {
                    (format::length(length))
                } } }
                @if raw { td data-is="Vendor" { @if !node.raw_status.is_empty() {
                    (words::foreign(&node.raw_status, cluster.language))
                } } }
                @if updated { td data-is="Changed" { @if let Some(at) = node.updated { (words::ago(at, now)) } } }
            } } }
        } },
    )
}

/// Renders the tasks in their order, numbered by their place. The vendor's own numbers stand beside them
/// where they differ.
pub(super) fn tasks(cluster: &ClusterReport, upgrade: &UpgradeReport, now: Timestamp) -> Markup {
    let ended = |task: &TaskReport| task.end.or(upgrade.ended).unwrap_or(now);
    let rows = || (1_u32..).zip(&upgrade.tasks);
    let order = rows().any(|(place, task)| task.order != place);
    scrolls(
        &label("Tasks", cluster),
        &html! { table {
            caption { "Tasks, in order" }
            thead { tr {
                th scope="col" { "No." }
                th scope="col" { "Task" }
                th scope="col" { "State" }
                th scope="col" { "Began (UTC)" }
                th scope="col" { "Took" }
                @if order { th scope="col" { "Order (vendor)" } }
            } }
            tbody { @for (place, task) in rows() {
                tr aria-current=[(upgrade.task_order == Some(task.order)).then_some("step")] {
                    td.no { (place) }
                    th scope="row" {
                        (words::foreign(&task.task, cluster.language))
                        @if let Some(text) = &task.description { small { (words::sentence(text, cluster.language)) } }
                    }
                    td { (words::task_state(&task.status)) }
                    td data-is="Began" { @if let Some(at) = task.start { (words::clock(at, now)) } }
                    td data-is="Took" { @if let Some(at) = task.start {
                        (format::since(at, ended(task)))
                    } }
                    @if order { td data-is="Order" { (task.order) } }
                }
            } }
        } },
    )
}

/// Renders the items of a precheck that did not pass; nothing when there are none.
pub(super) fn findings(cluster: &ClusterReport, precheck: &PrecheckReport) -> Markup {
    if precheck.findings.is_empty() {
        return html! {};
    }
    let text = |text: &str| words::foreign(text, cluster.language);
    scrolls(
        &label("Precheck findings", cluster),
        &html! { table {
            caption { "Precheck findings" }
            thead { tr {
                th scope="col" { "Item" }
                th scope="col" { "Of" }
                th scope="col" { "Message" }
                th scope="col" { "Codes" }
            } }
            tbody { @for finding in &precheck.findings { tr {
                th scope="row" { (text(&finding.item)) }
                td {
                    (words::plain(finding.scope.as_str()))
                    @if !finding.target.is_empty() { " " (text(&finding.target)) }
                }
                td.text { @if !finding.message.is_empty() { (words::sentence(&finding.message, cluster.language)) } }
                td data-is="Codes" { @for (place, code) in finding.codes.iter().enumerate() {
                    @if place > 0 { ", " }
                    (text(code))
                } }
            } } }
        } },
    )
}

fn label(what: &str, cluster: &ClusterReport) -> String {
    format!("{what} of {}", escaped(format::name(cluster)))
}

/// Lets a table that is wider than the screen scroll by itself, by keyboard too; the page never does.
/// On a narrow screen each row is a block, whose cells carry the names of their columns (`data-is`).
pub(super) fn scrolls(label: &str, table: &Markup) -> Markup {
    html! { div.scrolls role="region" aria-label=(label) tabindex="0" { (table) } }
}
