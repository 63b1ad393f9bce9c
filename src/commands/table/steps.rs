//! Nodes and tasks of an upgrade, a table of each.

use std::borrow::Cow;

use jiff::Timestamp;
use rolling_upgrade_exporter::model::TaskStatus;
use rolling_upgrade_exporter::report::Steps;
use rolling_upgrade_exporter::report::format::{self, length, since};
use rolling_upgrade_exporter::text::escaped;

use super::{INDENT, Look, Tone, USUAL, WIDE, begin, or_dash, plain, text};

/// Writer of the tables of an upgrade's nodes and tasks.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) struct StepTables<'a> {
    pub(in crate::commands) steps: Steps<'a>,
    /// Time up to which work that goes on has lasted.
    pub(in crate::commands) now: Timestamp,
    /// Writer of the times at which work began, where they have a column.
    pub(in crate::commands) starts: Option<fn(Timestamp, Timestamp) -> String>,
}

impl StepTables<'_> {
    /// Returns the tables, and a line for each of nodes and tasks that are not listed.
    pub(in crate::commands) fn tables(&self, look: Look) -> Vec<String> {
        let mut parts = Vec::new();
        if !self.steps.nodes.is_empty() {
            parts.push(self.nodes(look));
        }
        if !self.steps.tasks.is_empty() {
            parts.push(self.tasks(look));
        }
        let left_out = format::nodes_left_out(self.steps);
        parts.extend(left_out.iter().map(|line| format!("{:INDENT$}{line}", "")));
        parts
    }

    fn start(&self, at: Option<Timestamp>) -> String {
        let writer = self.starts.zip(at);
        or_dash(writer.map(|(write, at)| write(at, self.now)))
    }

    fn nodes(&self, look: Look) -> String {
        let nodes = self.steps.nodes;
        // Where there is little space the names need it.
        let is_usual = look.width.is_none_or(|width| width >= USUAL - 2);
        let is_wide = look.width.is_none_or(|width| width >= WIDE - 2);
        let at = |order| {
            let place = format::task_place(self.steps, order).filter(|_| !is_wide);
            place.unwrap_or_else(|| escaped(&format::task(self.steps, order)).into_owned())
        };
        let has_orders = is_usual && nodes.iter().any(|node| node.task_order.is_some());
        let columns = [
            ("STATE", true),
            ("NODE", true),
            ("ROLE", is_usual),
            ("STARTED", is_usual && self.starts.is_some()),
            ("TOOK", true),
            ("TASK", has_orders),
            ("VENDOR'S WORD", is_usual),
        ];
        let mut table = plain(look.width);
        let shown = columns.iter().filter(|column| column.1);
        table.set_header(shown.map(|column| column.0));
        for node in nodes {
            let row = [
                begin(&escaped(node.status.as_str())),
                escaped(&node.node).into_owned(),
                or_dash(Some(escaped(&node.role).into_owned())),
                self.start(node.started),
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

    fn tasks(&self, look: Look) -> String {
        let tasks = self.steps.tasks;
        // Where there is little space descriptions stand behind the names.
        let is_usual = look.width.is_none_or(|width| width >= USUAL - 2);
        let is_described = is_usual && tasks.iter().any(|task| task.description.is_some());
        let columns = [
            ("STATE", true),
            ("TASK", true),
            ("STARTED", is_usual && self.starts.is_some()),
            ("TOOK", true),
            ("VENDOR'S DESCRIPTION", is_described),
        ];
        let mut table = plain(look.width);
        let shown = columns.iter().filter(|column| column.1);
        table.set_header(shown.map(|column| column.0));
        for (place, task) in tasks.iter().enumerate() {
            let is_running = task.status == TaskStatus::Running;
            let end = task.end.or(is_running.then_some(self.now));
            let took = task.start.zip(end).map(|(start, end)| since(start, end));
            let description = task.description.as_deref().map(escaped);
            let mut name = format!("{} {}", place + 1, escaped(&task.task));
            if let Some(text) = description.as_ref().filter(|_| !is_described) {
                name = format!("{name}: {text}");
            }
            let row = [
                begin(&escaped(task.status.as_str())),
                name,
                self.start(task.start),
                or_dash(took),
                or_dash(description.map(Cow::into_owned)),
            ];
            let row = row.into_iter().zip(columns);
            table.add_row(row.filter(|(_, column)| column.1).map(|(cell, _)| cell));
        }
        let tones = tasks.iter().map(|task| Tone::of_task(&task.status));
        text(table, INDENT, look, &tones.collect::<Vec<_>>())
    }
}
