//! The table of the domain families: name, help, and what writes one cluster's lines.
//!
//! All are gauges, in both text formats, so that their text is the same in both.

mod lines;

use super::row::{Rows, Value};
use super::subject::Subject;
use crate::model::{NodeStatus, TaskStatus};

/// One line of [`FAMILIES`].
pub(crate) struct Family {
    /// The metric's name.
    pub(crate) name: &'static str,
    /// What it means; without backslash and newline, which HELP would have to escape.
    pub(crate) help: &'static str,
    /// Whether it may have lines whose value is made when it is scraped.
    pub(crate) is_live: bool,
    /// Writes one cluster's lines.
    pub(crate) write: fn(&Subject<'_>, &mut Rows<'_>),
}

impl Family {
    const fn of(
        name: &'static str,
        help: &'static str,
        write: fn(&Subject<'_>, &mut Rows<'_>),
    ) -> Self {
        Self {
            name,
            help,
            is_live: false,
            write,
        }
    }

    const fn live(
        name: &'static str,
        help: &'static str,
        write: fn(&Subject<'_>, &mut Rows<'_>),
    ) -> Self {
        Self {
            name,
            help,
            is_live: true,
            write,
        }
    }

    /// Its HELP and TYPE lines.
    pub(crate) fn header(&self) -> String {
        let Self { name, help, .. } = self;
        format!("# HELP {name} {help}\n# TYPE {name} gauge\n")
    }
}

/// Every domain family, in the order of the page.
pub(crate) static FAMILIES: [Family; COUNT] = [
    Family::of(
        "rolling_upgrade_status",
        "State of the upgrade: 1 for the one it is in, 0 for the others. Polled on the exporter's own timers: rolling_upgrade_last_success_timestamp_seconds tells the age of the data.",
        lines::status,
    ),
    Family::of(
        "rolling_upgrade_status_since_timestamp_seconds",
        "When the upgrade entered its state, as far as known, in seconds since 1970.",
        |c, rows| {
            for u in &c.upgrades {
                rows.row(u.labels, &[], Value::At(u.view.status_since));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_info",
        "The vendor's id of the upgrade and the versions (of az_migration the zones) before and after it, where the vendor tells them; 1.",
        lines::info,
    ),
    Family::of(
        "rolling_upgrade_requested_timestamp_seconds",
        "When the upgrade was requested, in seconds since 1970. CDSS does not tell: there it is when it was first seen.",
        |c, rows| {
            for u in &c.upgrades {
                rows.some(u.labels, u.view.upgrade.requested.map(Value::At));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_started_timestamp_seconds",
        "When the upgrade started, in seconds since 1970: a CCE workflow with its first point, others with the request (CDSS: when it was first seen). Absent while it is pending or no point has begun.",
        |c, rows| {
            for u in &c.upgrades {
                rows.some(u.labels, u.view.started.map(Value::At));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_ended_timestamp_seconds",
        "When the upgrade ended, in seconds since 1970, as the vendor tells it, else when it was first seen ended; absent while it has not ended.",
        |c, rows| {
            for u in &c.upgrades {
                rows.some(u.labels, u.view.ended.map(Value::At));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_last_progress_timestamp_seconds",
        "Last sign of progress, in seconds since 1970: the request, the vendor's times for its nodes and tasks, or a change that a poll saw.",
        |c, rows| {
            for u in &c.upgrades {
                rows.row(u.labels, &[], Value::At(u.view.last_progress));
            }
        },
    ),
    Family::live(
        "rolling_upgrade_duration_seconds",
        "Seconds since the upgrade was requested; stands still once it ended. For CDSS since it was first seen.",
        |c, rows| {
            for u in &c.upgrades {
                let Some(requested) = u.view.upgrade.requested else {
                    continue;
                };
                let value = u.view.ended.map_or(Value::Since(requested), |ended| {
                    Value::Between(requested, ended)
                });
                rows.row(u.labels, &[], value);
            }
        },
    ),
    Family::of(
        "rolling_upgrade_progress_ratio",
        "Share of the upgrade that is done, from 0 to 1; 1 only when it succeeded.",
        |c, rows| {
            for u in &c.upgrades {
                rows.some(
                    u.labels,
                    u.view.ratio.map(|r| Value::Real(r.clamp(0.0, 1.0))),
                );
            }
        },
    ),
    Family::of(
        "rolling_upgrade_executions",
        "How often the upgrade was executed, as the vendor counts (CSS only).",
        |c, rows| {
            for u in &c.upgrades {
                rows.some(u.labels, u.view.upgrade.executions.map(Value::Count));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_retries",
        "Executions of the upgrade beyond the first (CSS only).",
        |c, rows| {
            for u in &c.upgrades {
                rows.some(u.labels, u.view.upgrade.retries().map(Value::Count));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_nodes",
        "Number of nodes of the upgrade in each state.",
        lines::nodes,
    ),
    Family::of(
        "rolling_upgrade_node_status",
        "State of a node within the upgrade: 1 for the one it is in, 0 for the others.",
        |c, rows| {
            for node in c.upgrades.iter().flat_map(|u| &u.nodes) {
                let states = NodeStatus::ALL.iter();
                rows.one_hot(
                    node.labels,
                    "",
                    states.map(|s| (s.as_str(), *s == node.node.status)),
                );
            }
        },
    ),
    Family::of(
        "rolling_upgrade_node_info",
        "The vendor's own word for the state of a node; 1.",
        lines::node_info,
    ),
    Family::of(
        "rolling_upgrade_node_updated_timestamp_seconds",
        "When the vendor last changed the state of a node, as reported, in seconds since 1970.",
        |c, rows| {
            for node in c.upgrades.iter().flat_map(|u| &u.nodes) {
                rows.some(node.labels, node.node.updated.map(Value::At));
            }
        },
    ),
    Family::live(
        "rolling_upgrade_node_duration_seconds",
        "Seconds that a node has been in work, or was, from the first time that the vendor or the exporter gives for work on it; absent when unknown or waiting.",
        lines::node_duration,
    ),
    Family::of(
        "rolling_upgrade_node_task_order",
        "Order of the task that the node in work is at, as the vendor numbers it (CSS only).",
        |c, rows| {
            for node in c.upgrades.iter().flat_map(|u| &u.nodes) {
                let order = node.node.task_order.map(u64::from);
                rows.some(node.labels, order.map(Value::Count));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_task_order",
        "Order of the current task: the one running, else the failed one, else the last that ended; as the vendor numbers it (CSS), or its place from 1 (CCE).",
        |c, rows| {
            for u in &c.upgrades {
                rows.some(u.labels, u.view.task_order.map(|o| Value::Count(o.into())));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_task_status",
        "State of a task of the upgrade: 1 for the one it is in, 0 for the others.",
        |c, rows| {
            for task in c.upgrades.iter().flat_map(|u| &u.tasks) {
                let states = TaskStatus::ALL.iter();
                rows.one_hot(
                    task.labels,
                    "",
                    states.map(|s| (s.as_str(), *s == task.task.status)),
                );
            }
        },
    ),
    Family::of(
        "rolling_upgrade_task_start_timestamp_seconds",
        "When a task of the upgrade began, in seconds since 1970; only when known.",
        |c, rows| {
            for task in c.upgrades.iter().flat_map(|u| &u.tasks) {
                rows.some(task.labels, task.task.start.map(Value::At));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_task_end_timestamp_seconds",
        "When a task of the upgrade ended, in seconds since 1970; only when known.",
        |c, rows| {
            for task in c.upgrades.iter().flat_map(|u| &u.tasks) {
                rows.some(task.labels, task.task.end.map(Value::At));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_stalled",
        "1 when the upgrade is pending or running and made no progress for longer than its limit by the last good poll, else 0.",
        |c, rows| {
            for u in &c.upgrades {
                rows.row(u.labels, &[], Value::Flag(u.view.stalled));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_stalled_after_seconds",
        "Seconds without progress after which the upgrade is stalled; absent while it waits for a person, and while a failing secondary call hides its progress: nothing is stalled then.",
        |c, rows| {
            for u in &c.upgrades {
                let limit = u.view.stalled_after(&c.state.thresholds);
                rows.some(u.labels, limit.map(Value::Length));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_overdue_after_seconds",
        "Seconds since its start after which a running upgrade is overdue; absent while it waits for a person and has not started.",
        |c, rows| {
            for u in &c.upgrades {
                let limit = u.view.overdue_after(&c.state.thresholds);
                rows.some(u.labels, limit.map(Value::Length));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_estimated_end_timestamp_seconds",
        "When the upgrade will end by the pace of its finished nodes, or before the first by earlier upgrades of the cluster in the history, in seconds since 1970, computed when polled; absent when it cannot be told and once it has passed.",
        |c, rows| {
            for u in &c.upgrades {
                let ahead = u.view.estimated_end.filter(|at| *at > c.now);
                rows.some(u.labels, ahead.map(Value::At));
            }
        },
    ),
    Family::of(
        "rolling_upgrade_available_info",
        "A version to which the vendor offers to upgrade the cluster (CCE only), and whether the vendor recommends it; 1. While an upgrade is in work the last known ones stay.",
        lines::available_info,
    ),
    Family::of(
        "rolling_upgrade_cluster_info",
        "Where the cluster is, the version that it runs and the vendor's own word for its state; 1.",
        lines::cluster_info,
    ),
    Family::of(
        "rolling_upgrade_up",
        "1 when the last poll of the cluster was good, else 0; its other series keep the last good values.",
        |c, rows| rows.row(c.labels, &[], Value::Flag(c.state.up)),
    ),
    Family::of(
        "rolling_upgrade_last_success_timestamp_seconds",
        "When a poll of the cluster was last good, in seconds since 1970; before the first one, when the cluster was added.",
        |c, rows| rows.row(c.labels, &[], Value::At(c.state.last_success)),
    ),
    Family::of(
        "rolling_upgrade_poll_interval_seconds",
        "Seconds between polls of the cluster as configured for what it does now, without backoff and jitter.",
        |c, rows| rows.row(c.labels, &[], Value::Length(c.state.poll_interval)),
    ),
];

const COUNT: usize = 30;

/// Number of the families at the end of the table that tell of the last poll itself, by
/// [`Subject::of_poll`]: at most one line each. All others differ only where more than the poll is new.
pub(crate) const POLLED: usize = 3;

/// Number of all other families.
pub(crate) const LASTING: usize = COUNT - POLLED;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_help_needs_no_escape() {
        let names: BTreeSet<_> = FAMILIES.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), FAMILIES.len());
        for family in &FAMILIES {
            assert!(family.name.starts_with("rolling_upgrade_"));
            assert!(!family.name.starts_with("rolling_upgrade_exporter_"));
            assert!(!family.help.contains(['\\', '\n', '"']), "{}", family.name);
            assert!(family.help.ends_with('.'), "{}", family.name);
        }
    }
}
