//! Colours, for terminals that show them.

use console::{Style, style};
use rolling_upgrade_exporter::model::{NodeStatus, TaskStatus, UpgradeStatus};
use rolling_upgrade_exporter::report::{Attention, UpgradeReport, Word};

/// Meaning of the state with which a row begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Tone {
    Failed,
    Stalled,
    /// Not known, held, late, or without an answer.
    Doubtful,
    InWork,
    Succeeded,
    /// Nothing to look at.
    Quiet,
}

impl Tone {
    /// Returns the tone of a cluster's row in the summary.
    pub(in crate::commands) fn of_row(
        attention: Attention,
        upgrade: Option<&UpgradeReport>,
    ) -> Self {
        let Some(upgrade) = upgrade.filter(|_| attention != Attention::Silent) else {
            return match attention {
                Attention::Silent => Self::Doubtful,
                _ => Self::Quiet,
            };
        };
        if upgrade.stalled {
            return Self::Stalled;
        }
        if upgrade.overdue && !upgrade.has_failed_node() {
            return Self::Doubtful;
        }
        Self::of_status(&upgrade.status)
    }

    /// Returns the tone of the row of an upgrade that is, or ended, in this state.
    pub(in crate::commands) fn of_status(status: &Word<UpgradeStatus>) -> Self {
        match status.known().unwrap_or(UpgradeStatus::Unknown) {
            UpgradeStatus::Failed | UpgradeStatus::PartiallyFailed => Self::Failed,
            UpgradeStatus::Unknown | UpgradeStatus::Paused => Self::Doubtful,
            UpgradeStatus::Running | UpgradeStatus::Pending => Self::InWork,
            UpgradeStatus::Succeeded => Self::Succeeded,
            UpgradeStatus::Cancelled | UpgradeStatus::None => Self::Quiet,
        }
    }

    /// Returns the tone of a node's row.
    pub(in crate::commands) fn of_node(status: &Word<NodeStatus>) -> Self {
        match status.known().unwrap_or(NodeStatus::Unknown) {
            NodeStatus::Failed => Self::Failed,
            NodeStatus::Unknown => Self::Doubtful,
            NodeStatus::Upgrading => Self::InWork,
            NodeStatus::Succeeded => Self::Succeeded,
            NodeStatus::Waiting => Self::Quiet,
        }
    }

    /// Returns the tone of a task's row.
    pub(in crate::commands) fn of_task(status: &Word<TaskStatus>) -> Self {
        match status.known().unwrap_or(TaskStatus::Unknown) {
            TaskStatus::Failed => Self::Failed,
            TaskStatus::Unknown => Self::Doubtful,
            TaskStatus::Running => Self::InWork,
            TaskStatus::Succeeded => Self::Succeeded,
            TaskStatus::Waiting => Self::Quiet,
        }
    }

    fn style(self) -> Style {
        let plain = Style::new().force_styling(true);
        match self {
            Self::Failed => plain.red().bold(),
            Self::Stalled => plain.yellow().bold(),
            Self::Doubtful => plain.yellow(),
            Self::InWork => plain.cyan(),
            Self::Succeeded => plain.green(),
            Self::Quiet => plain.dim(),
        }
    }

    /// Colours the first column of a line. A line that goes on with the other columns of a row begins
    /// with a space, and stays as it is.
    pub(super) fn paint(self, line: &str) -> String {
        let (word, rest) = line.split_once("  ").unwrap_or((line, ""));
        if line.starts_with(' ') || word.is_empty() {
            return line.to_owned();
        }
        let word = self.style().apply_to(word);
        if rest.is_empty() {
            word.to_string()
        } else {
            format!("{word}  {rest}")
        }
    }
}

/// The names of the columns.
pub(in crate::commands) fn header(line: &str) -> String {
    style(line).force_styling(true).bold().to_string()
}
