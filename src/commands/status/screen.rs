//! Where a watch shows what it sees: a line for each change, or a document for each.

use rolling_upgrade_exporter::report::Report;

use super::lines;
use crate::commands::{Failure, say};

/// How a watch shows what it sees.
pub(super) enum Screen {
    /// Lines for people and logs.
    Lines,
    /// Documents for scripts, one a line.
    Json,
}

impl Screen {
    /// Shows what is new.
    pub(super) fn show(&mut self, before: Option<&Report>, now: &Report) -> Result<(), Failure> {
        let lines = lines::changes(before, now);
        match self {
            Self::Lines => lines.iter().try_for_each(|line| say(line)),
            Self::Json if before.is_some() && lines.is_empty() => Ok(()),
            Self::Json => say(&serde_json::to_string(now).map_err(anyhow::Error::from)?),
        }
    }
}
