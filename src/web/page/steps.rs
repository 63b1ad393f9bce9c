//! The tables of an upgrade's nodes, tasks and precheck findings.

use jiff::Timestamp;
use maud::{Markup, html};

use super::words::{self, Language};
use crate::report::format;
use crate::report::{
    ClusterReport, NodeReport, PastUpgradeReport, PrecheckReport, Steps, TaskReport, UpgradeReport,
};
use crate::text::escaped;

/// Writes how many nodes and tasks an upgrade has, where it lists any.
pub(super) fn counts<'a>(steps: impl Into<Steps<'a>>) -> Vec<String> {
    let steps = steps.into();
    let nodes = (!steps.nodes.is_empty()).then(|| format::count(steps.all_nodes(), "node"));
    let tasks = (!steps.tasks.is_empty()).then(|| format::count(steps.all_tasks(), "task"));
    nodes.into_iter().chain(tasks).collect()
}

/// Nodes and tasks of an upgrade as tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tables<'a> {
    /// Name of the cluster.
    name: &'a str,
    language: Language,
    steps: Steps<'a>,
    /// Order of the current task.
    task_order: Option<u32>,
    ended: Option<Timestamp>,
    /// Time by which ages are measured; of an upgrade of the history its end.
    now: Timestamp,
    /// True for an upgrade of the history, of which times are more than ages.
    is_past: bool,
}

impl<'a> Tables<'a> {
    /// Builds the tables of an upgrade of a cluster as of `now`.
    pub(super) fn of(
        cluster: &'a ClusterReport,
        upgrade: &'a UpgradeReport,
        now: Timestamp,
    ) -> Self {
        Self {
            name: format::name(cluster),
            language: cluster.language,
            steps: upgrade.into(),
            task_order: upgrade.task_order,
            ended: upgrade.ended,
            now,
            is_past: false,
        }
    }

    /// Builds the tables of an upgrade of the history with these of its nodes and tasks.
    pub(super) fn of_past(upgrade: &'a PastUpgradeReport, steps: Steps<'a>) -> Self {
        Self {
            name: format::name_or_id(&upgrade.cluster_name, &upgrade.cluster_id),
            language: upgrade.language,
            steps,
            task_order: None,
            ended: Some(upgrade.ended),
            now: upgrade.ended,
            is_past: true,
        }
    }

    /// Renders the nodes, without the columns that say nothing for any of them.
    pub(super) fn nodes(&self) -> Markup {
        let nodes = self.steps.nodes;
        let has = |told: fn(&NodeReport) -> bool| nodes.iter().any(told);
        let role = has(|n| !n.role.is_empty());
        let task = has(|n| n.task_order.is_some());
        let start = self.is_past && has(|n| n.started.is_some());
        let work = has(|n| n.duration_seconds.is_some());
        let raw = has(|n| !n.raw_status.is_empty());
        let updated = has(|n| n.updated.is_some());
        let changed = if self.is_past {
            "Changed (UTC)"
        } else {
            "Changed"
        };
        let task_name = |order: u32| {
            let name = format::task_name(self.steps, order);
            name.map_or_else(|| order.to_string(), str::to_owned)
        };
        scrolls(
            &self.label("Nodes"),
            &html! { table {
                caption { "Nodes" }
                thead { tr {
                    th scope="col" { "Node" }
                    @if role { th scope="col" { "Role" } }
                    th scope="col" { "State" }
                    @if task { th scope="col" { "Task" } }
                    @if start { th scope="col" { "Began (UTC)" } }
                    @if work { th scope="col" { "In work for" } }
                    @if raw { th scope="col" { "State (vendor)" } }
                    @if updated { th scope="col" { (changed) } }
                } }
                tbody { @for node in nodes { tr {
                    th scope="row" { (self.foreign(&node.node)) }
                    @if role { td { (self.foreign(&node.role)) } }
                    td { (words::node_state(&node.status)) }
                    @if task { td data-is="Task" { @if let Some(order) = node.task_order {
                        (self.foreign(&task_name(order)))
                    } } }
                    @if start { td data-is="Began" { @if let Some(at) = node.started {
                        (words::clock(at, self.now))
                    } } }
                    @if work { td data-is="In work for" { @if let Some(length) = node.duration_seconds {
                        (format::length(length))
                    } } }
                    @if raw { td data-is="Vendor" { @if !node.raw_status.is_empty() {
                        (self.foreign(&node.raw_status))
                    } } }
                    @if updated { td data-is="Changed" { @if let Some(at) = node.updated { (self.moment(at)) } } }
                } } }
            } },
        )
    }

    /// Renders the tasks in their order, numbered by their place. The vendor's own numbers stand beside them
    /// where they differ.
    pub(super) fn tasks(&self) -> Markup {
        let ended = |task: &TaskReport| task.end.or(self.ended).unwrap_or(self.now);
        let rows = || (1_u32..).zip(self.steps.tasks);
        let order = rows().any(|(place, task)| task.order != place);
        scrolls(
            &self.label("Tasks"),
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
                    tr aria-current=[(self.task_order == Some(task.order)).then_some("step")] {
                        td.no { (place) }
                        th scope="row" {
                            (self.foreign(&task.task))
                            @if let Some(text) = &task.description { small { (words::sentence(text, self.language)) } }
                        }
                        td { (words::task_state(&task.status)) }
                        td data-is="Began" { @if let Some(at) = task.start { (words::clock(at, self.now)) } }
                        td data-is="Took" { @if let Some(at) = task.start {
                            (format::since(at, ended(task)))
                        } }
                        @if order { td data-is="Order" { (task.order) } }
                    }
                } }
            } },
        )
    }

    fn foreign(&self, text: &str) -> Markup {
        words::foreign(text, self.language)
    }

    fn moment(&self, at: Timestamp) -> Markup {
        if self.is_past {
            words::clock(at, self.now)
        } else {
            words::ago(at, self.now)
        }
    }

    fn label(&self, what: &str) -> String {
        label(what, self.name)
    }
}

/// Renders the items of a precheck that did not pass; nothing when there are none.
pub(super) fn findings(cluster: &ClusterReport, precheck: &PrecheckReport) -> Markup {
    if precheck.findings.is_empty() {
        return html! {};
    }
    let text = |text: &str| words::foreign(text, cluster.language);
    scrolls(
        &label("Precheck findings", format::name(cluster)),
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

fn label(what: &str, name: &str) -> String {
    format!("{what} of {}", escaped(name))
}

/// Lets a table that is wider than the screen scroll by itself, by keyboard too; the page never does.
/// On a narrow screen each row is a block, whose cells carry the names of their columns (`data-is`).
pub(super) fn scrolls(label: &str, table: &Markup) -> Markup {
    html! { div.scrolls role="region" aria-label=(label) tabindex="0" { (table) } }
}
