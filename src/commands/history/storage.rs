//! The history in the storage of an exporter that does not run.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use jiff::Timestamp;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::model::PastUpgrade;
use rolling_upgrade_exporter::report::format::count;
use rolling_upgrade_exporter::report::{HistoryFilter, HistoryReport};
use rolling_upgrade_exporter::store::disk::database::{DiskError, read_history};
use rolling_upgrade_exporter::store::history::PastUpgrades;
use tokio::task::spawn_blocking;

use crate::commands::{Failure, complain};

/// Reads the upgrades that a filter leaves from the database in a folder. Complains of records that cannot be
/// read.
pub(super) async fn read(folder: PathBuf, filter: HistoryFilter) -> Result<HistoryReport, Failure> {
    let read = spawn_blocking(move || gather(&folder, filter)).await;
    let (report, unreadable) = read.map_err(anyhow::Error::from)??;
    if unreadable > 0 {
        complain(&format!(
            "the list is without {}, which cannot be read",
            count(unreadable, "stored upgrade")
        ));
    }
    Ok(report)
}

/// Returns the report, and the number of records that cannot be read.
fn gather(folder: &Path, filter: HistoryFilter) -> Result<(HistoryReport, u64), Failure> {
    let mut gathered = Gathered::new(filter);
    read_history(folder, |record| gathered.add(&record)).map_err(|error| failure(folder, error))?;
    let past = PastUpgrades::new(gathered.upgrades, 0);
    let report = HistoryReport::new(&past, &gathered.filter, Clock::system().now());
    Ok((report, gathered.unreadable))
}

/// Upgrades of the clusters that are asked for, whatever their outcome: earlier ones tell the usual duration.
struct Gathered {
    filter: HistoryFilter,
    /// The filter without outcomes.
    of_clusters: HistoryFilter,
    upgrades: Vec<Arc<PastUpgrade>>,
    /// Number of upgrades that match.
    matching: usize,
    /// End of the last upgrade within the limit.
    last: Option<Timestamp>,
    unreadable: u64,
}

impl Gathered {
    fn new(filter: HistoryFilter) -> Self {
        Self {
            of_clusters: HistoryFilter {
                outcomes: Vec::new(),
                ..filter.clone()
            },
            filter,
            upgrades: Vec::new(),
            matching: 0,
            last: None,
            unreadable: 0,
        }
    }

    /// Adds a record; those that ended last come first.
    fn add(&mut self, record: &str) {
        let Ok(mut past) = serde_json::from_str::<PastUpgrade>(record) else {
            self.unreadable += 1;
            return;
        };
        if !self.of_clusters.matches(&past) {
            return;
        }
        let is_listed = self.last.is_none_or(|last| past.ended >= last);
        if !is_listed || !self.filter.matches(&past) {
            // Only its duration is needed, and a history of years has to fit into the memory.
            let view = &mut past.upgrade;
            let upgrade = view.upgrade_mut();
            (upgrade.nodes, upgrade.tasks) = (Vec::new(), Vec::new());
            view.node_work = Arc::default();
        } else {
            self.matching += 1;
            if self.filter.limit == Some(self.matching) {
                self.last = Some(past.ended);
            }
        }
        self.upgrades.push(Arc::new(past));
    }
}

/// Adds what to do with this command.
fn failure(folder: &Path, error: DiskError) -> Failure {
    match error {
        DiskError::Locked { path } => anyhow!(
            "another process uses {}: if an exporter runs, read its history with --url; else stop that process",
            path.display()
        ),
        DiskError::Io { source, .. } if source.kind() == ErrorKind::NotFound => anyhow!(
            "{} has no state of an exporter: name the folder that `serve` has in --storage.path",
            folder.display()
        ),
        // Its text has that of its source already.
        other => anyhow!(other.to_string()),
    }
    .into()
}

#[cfg(test)]
mod tests;
