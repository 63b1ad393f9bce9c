//! Record of a cluster: all that a restart cannot learn from the vendor, and what is shown until the first
//! poll after it.

mod discovery;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{
    AvailableVersion, CallMemory, CallNames, ClusterState, Kind, LastError, Memory, Reason,
    SecondaryFailure, Seen, track,
};

pub use discovery::DiscoveryRecord;

/// Stored knowledge of a cluster. Times are in the vendor's time; JSON is its form on the disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterRecord {
    /// Name, the config's or the vendor's.
    pub name: Arc<str>,
    /// The name is that of the config.
    pub is_named: bool,
    version: Arc<str>,
    version_name: Option<Arc<str>>,
    raw_status: Arc<str>,
    available: Vec<AvailableVersion>,
    last_success: Timestamp,
    last_error: Option<LastError>,
    /// Steps of the vendor's clock up to which the noted times are right.
    clock_step: SignedDuration,
    memory: MemoryRecord,
}

/// Stored memory of a worker.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct MemoryRecord {
    last_success: Option<Timestamp>,
    upgrades: BTreeMap<Kind, Arc<Seen>>,
    unconfirmed: BTreeSet<Kind>,
    calls: BTreeMap<String, CallRecord>,
    unpublished: BTreeMap<String, u32>,
    discoveries: u64,
    notes: Option<String>,
}

/// Stored memory of a secondary call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct CallRecord {
    answer: Option<String>,
    has_answered: bool,
    failing_since: Option<Timestamp>,
    failure: Option<FailureRecord>,
    expires: Option<Timestamp>,
    not_offered: u32,
}

/// Stored failure of a secondary call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct FailureRecord {
    reason: Reason,
    message: String,
    is_not_offered: bool,
    is_earlier: bool,
    /// Time since when the reason is the same.
    since: Timestamp,
}

impl ClusterRecord {
    /// Reads a record; `polled` is a later good poll that changed nothing else.
    ///
    /// # Errors
    /// Fails where the text is none of a record.
    pub fn read(record: &str, polled: Option<Timestamp>) -> serde_json::Result<Self> {
        let mut record: Self = serde_json::from_str(record)?;
        if let Some(polled) = polled {
            record.last_success = polled;
            record.memory.last_success = Some(polled);
        }
        Ok(record)
    }

    /// Builds the record of a cluster. `clock_step` is the sum of the steps of the vendor's clock.
    pub fn new(
        state: &ClusterState,
        memory: &Memory,
        clock_step: SignedDuration,
        is_named: bool,
    ) -> Self {
        Self {
            name: state.name.clone(),
            is_named,
            version: state.version.clone(),
            version_name: state.version_name.clone(),
            raw_status: state.raw_status.clone(),
            available: state.available.clone(),
            last_success: state.last_success,
            last_error: state.last_error.clone(),
            clock_step,
            memory: MemoryRecord::new(memory),
        }
    }

    /// Returns the steps of the vendor's clock that the times have, and that [`restore`](Self::restore) takes off.
    pub fn clock_step(&self) -> SignedDuration {
        self.clock_step
    }

    /// Returns the memory, and puts what is shown into `state`, whose identity and limits stay. `calls` are
    /// those of the product: memory of a call that it does not make any more is left out. Until the first
    /// poll the cluster is not up.
    pub fn restore(self, state: &mut ClusterState, calls: &[CallNames]) -> Memory {
        let mut memory = self.memory.restore(calls);
        state.version = self.version;
        state.version_name = self.version_name;
        state.raw_status = self.raw_status;
        state.available = self.available;
        state.answered = memory.last_success.is_some();
        state.last_success = self.last_success;
        state.last_error = self.last_error;
        let back = -self.clock_step;
        memory.shift_noted(back);
        state.shift_noted(back);
        state.upgrades = track::views(&memory, &state.thresholds, state.last_success);
        state.degraded = memory.degraded();
        memory
    }
}

impl MemoryRecord {
    fn new(memory: &Memory) -> Self {
        let calls = memory.calls.iter();
        let unpublished = memory.unpublished.iter();
        Self {
            last_success: memory.last_success,
            upgrades: memory.upgrades.clone(),
            unconfirmed: memory.unconfirmed.clone(),
            calls: calls
                .map(|(name, call)| ((*name).to_owned(), CallRecord::new(call)))
                .collect(),
            unpublished: unpublished
                .map(|(name, polls)| ((*name).to_owned(), *polls))
                .collect(),
            discoveries: memory.discoveries,
            notes: memory.notes.as_deref().map(str::to_owned),
        }
    }

    fn restore(self, calls: &[CallNames]) -> Memory {
        let known = |name: &str| calls.iter().find(|known| known.endpoint == name);
        let of_memory = self.calls.into_iter().filter_map(|(name, call)| {
            let mut of_name = calls.iter().filter(|known| known.endpoint == name);
            let names = of_name.find(|known| !known.missing.is_empty())?;
            Some((names.endpoint, call.restore(names)))
        });
        let unpublished = self.unpublished.into_iter();
        Memory {
            last_success: self.last_success,
            upgrades: self.upgrades,
            unconfirmed: self.unconfirmed,
            calls: Arc::new(of_memory.collect()),
            unpublished: unpublished
                .filter_map(|(name, polls)| Some((known(&name)?.endpoint, polls)))
                .collect(),
            discoveries: self.discoveries,
            notes: self.notes.map(Arc::from),
        }
    }
}

impl CallRecord {
    fn new(call: &CallMemory) -> Self {
        let failure = call.failure.as_ref();
        Self {
            answer: call.answer.as_deref().map(str::to_owned),
            has_answered: call.has_answered,
            failing_since: call.failing_since,
            failure: failure.map(|(failure, since)| FailureRecord {
                reason: failure.reason,
                message: failure.message.clone(),
                is_not_offered: failure.is_not_offered,
                is_earlier: failure.is_earlier,
                since: *since,
            }),
            expires: call.expires,
            not_offered: call.not_offered,
        }
    }

    fn restore(self, names: &CallNames) -> CallMemory {
        let failure = self.failure.map(|failure| {
            let known = SecondaryFailure {
                reason: failure.reason,
                message: failure.message,
                missing: names.missing,
                permission: names.permission,
                is_not_offered: failure.is_not_offered,
                is_earlier: failure.is_earlier,
            };
            (known, failure.since)
        });
        CallMemory {
            answer: self.answer.map(Arc::from),
            has_answered: self.has_answered,
            failing_since: self.failing_since,
            failure,
            expires: self.expires,
            not_offered: self.not_offered,
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
