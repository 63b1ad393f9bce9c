//! First sights of conditions that outlive the process: since when each alert holds, and since when it fires.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::rule::Labels;
use crate::store::disk::Disk;
use crate::text;

/// First sight of a condition, and the begin of its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sight {
    /// Time since when the condition holds without a break.
    pub(super) since: Timestamp,
    /// Time at which the alert began to fire; `None` while it waits for its `for`.
    pub(super) fired: Option<Timestamp>,
}

/// Storage of the first sights. Without a disk nothing is kept.
#[derive(Debug, Default)]
pub struct Storage {
    disk: Option<Disk>,
    /// Sights at the start of the program that no engine has taken yet.
    stored: Mutex<BTreeMap<Labels, Sight>>,
}

impl Storage {
    /// Builds the storage on a disk that held these alerts, as JSON of their labels and sights. One that
    /// cannot be read is left out: its alert begins anew.
    pub fn new(disk: Disk, stored: &BTreeMap<String, String>) -> Self {
        let read = stored.iter().filter_map(|(labels, sight)| {
            let labels = serde_json::from_str(labels).ok()?;
            Some((labels, serde_json::from_str(sight).ok()?))
        });
        Self {
            disk: Some(disk),
            stored: Mutex::new(read.collect()),
        }
    }

    /// Takes what was stored before the start of the program.
    pub(super) fn take(&self) -> BTreeMap<Labels, Sight> {
        std::mem::take(&mut *self.stored.lock())
    }

    /// Forgets what was stored before the start of the program: nobody posts these alerts any more.
    pub(super) fn forget(&self) {
        let stored = self.take().into_keys();
        let over: Vec<_> = stored.map(|labels| (Arc::new(labels), None)).collect();
        self.put(&over);
    }

    /// Stores sights; `None` for an alert that is over.
    pub(super) fn put(&self, sights: &[(Arc<Labels>, Option<Sight>)]) {
        let Some(disk) = &self.disk else {
            return;
        };
        for (labels, sight) in sights {
            // Neither can fail: both are texts and numbers.
            let Ok(labels) = text::json::to_string(&**labels) else {
                continue;
            };
            let sight = sight.and_then(|sight| text::json::to_string(&sight).ok());
            disk.put_alert(labels, sight);
        }
    }
}
