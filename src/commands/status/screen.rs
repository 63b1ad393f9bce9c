//! Where a watch shows what it sees: live bars, a line for each change, or a document for each.

use rolling_upgrade_exporter::report::Report;
use rolling_upgrade_exporter::text::json;

use super::bars::Bars;
use super::lines;
use crate::commands::{Failure, complain, say};

/// How a watch shows what it sees.
pub(super) enum Screen {
    /// Bars for people who look on.
    Bars(Bars),
    /// Lines for people and logs.
    Lines,
    /// Documents for scripts, one a line.
    Json,
}

impl Screen {
    /// For people: bars where they can be drawn.
    pub(super) fn for_people() -> Self {
        Bars::on_stdout().map_or(Self::Lines, Self::Bars)
    }

    /// Whether ages should be seen to grow.
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Bars(_))
    }

    /// Shows what is new.
    pub(super) fn show(&mut self, before: Option<&Report>, now: &Report) -> Result<(), Failure> {
        let lines = || lines::changes(before, now);
        match self {
            Self::Bars(bars) => bars.show(now),
            Self::Lines => lines().iter().try_for_each(|line| say(line))?,
            Self::Json if before.is_some() && lines().is_empty() => {}
            Self::Json => say(&json::to_string(now).map_err(anyhow::Error::from)?)?,
        }
        Ok(())
    }

    /// Tells why there is no report; the watch goes on.
    pub(super) fn trouble(&mut self, why: &str) {
        match self {
            Self::Bars(bars) => bars.trouble(why),
            Self::Lines | Self::Json => complain(why),
        }
    }

    /// The watch was told to end: what stands there stays.
    pub(super) fn leave(&mut self) {
        if let Self::Bars(bars) = self {
            bars.leave();
        }
    }

    /// The watch is over: the table comes in its place.
    pub(super) fn clear(&mut self) {
        if let Self::Bars(bars) = self {
            bars.clear();
        }
    }
}
