//! Calls that the cloud may not offer: which were answered well, and which are skipped until the next
//! discovery.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::client::Client;
use crate::cloud::transport::Transport;
use crate::cloud::{Call, PollFailure};
use crate::http::ApiError;
use crate::model::{Memory, Observation};
use crate::telemetry::log::LogOnce;
use crate::text;

/// Identity of a call. Two that differ in their query only have one name: at most one of them is
/// secondary.
type Key = (&'static str, bool);

fn key(call: &Call) -> Key {
    (call.name, call.secondary.is_some())
}

/// Calls of an account that were answered well in this process, by address and project: such a call is
/// offered there, whatever a later answer says. Outlives a reload of the config, which may change both.
#[derive(Debug, Default)]
struct Answered(Mutex<BTreeSet<(Arc<str>, Key)>>);

/// Knowledge that a product of an account has of the calls that its cloud may not offer.
#[derive(Debug)]
pub(super) struct Offered {
    /// Address and project of the calls.
    site: Arc<str>,
    answered: Arc<Answered>,
    /// Line that a call is not offered.
    logged: LogOnce<()>,
}

/// Notes about the calls of one cluster, which a poll leaves to the next one, even a poll that fails.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CallNotes {
    /// Discoveries so far.
    #[serde(skip)]
    discoveries: u64,
    /// Calls that the last poll was told not to be offered.
    doubted: BTreeSet<String>,
    /// Calls that are not made until the next discovery, by the count of those before.
    skipped: BTreeMap<String, u64>,
    /// Calls that were answered, by the count of discoveries before.
    answered: BTreeMap<String, u64>,
}

impl CallNotes {
    /// Reads what the poll before left.
    pub(super) fn read(memory: &Memory) -> Self {
        let notes = memory.notes.as_deref();
        let notes = notes.and_then(|notes| serde_json::from_str::<Self>(notes).ok());
        Self {
            discoveries: memory.discoveries,
            ..notes.unwrap_or_default()
        }
    }

    /// Adds the notes to the outcome of a poll, for the next one.
    pub(super) fn leave(
        &self,
        outcome: Result<Observation, ApiError>,
    ) -> Result<Observation, PollFailure> {
        let is_empty =
            self.doubted.is_empty() && self.skipped.is_empty() && self.answered.is_empty();
        let notes = text::json::to_string(self).ok().map(Arc::from);
        match outcome {
            Ok(observation) if is_empty => Ok(observation),
            Ok(observation) => Ok(Observation {
                notes,
                ..observation
            }),
            Err(error) => Err(PollFailure {
                error: Box::new(error),
                notes,
            }),
        }
    }

    /// Records that the poll was told that the call is not offered. Returns whether the poll before was
    /// told so, too.
    pub(super) fn doubt(&mut self, call: &Call) -> bool {
        !self.doubted.insert(text_key(call))
    }

    /// Records that the poll was not told that the call is not offered.
    pub(super) fn settle(&mut self, call: &Call) {
        self.doubted.remove(&text_key(call));
    }

    /// Skips the call until the next discovery.
    pub(super) fn skip(&mut self, call: &Call) {
        self.skipped.insert(text_key(call), self.discoveries);
    }

    pub(super) fn is_skipped(&self, call: &Call) -> bool {
        self.skipped.get(&text_key(call)) == Some(&self.discoveries)
    }

    /// Records an answer of the call.
    pub(super) fn set_answered(&mut self, call: &Call) {
        self.answered.insert(text_key(call), self.discoveries);
    }

    /// Returns whether the call was answered since the last discovery.
    pub(super) fn is_answered(&self, call: &Call) -> bool {
        self.answered.get(&text_key(call)) == Some(&self.discoveries)
    }
}

fn text_key(call: &Call) -> String {
    let (name, is_secondary) = key(call);
    let kind = if is_secondary { "secondary" } else { "primary" };
    format!("{name} {kind}")
}

impl Offered {
    /// Begins for a product that makes its calls by `client`.
    pub(super) fn new(client: &Client, transport: &Transport) -> Self {
        let (base, project) = client.place(str::to_owned);
        Self {
            site: format!("{base} {project}").into(),
            answered: transport.shared(Answered::default),
            logged: LogOnce::default(),
        }
    }

    /// Records a good answer about any cluster.
    pub(super) fn answer(&self, call: &Call) {
        let mut answered = self.answered.0.lock();
        answered.insert((self.site.clone(), key(call)));
    }

    /// Returns whether the call was answered well before, for any cluster: the cloud offers it.
    pub(super) fn has_answered(&self, call: &Call) -> bool {
        self.answered
            .0
            .lock()
            .contains(&(self.site.clone(), key(call)))
    }

    /// Returns true at the first call, for what is logged once.
    pub(super) fn is_first_log(&self) -> bool {
        self.logged.is_new(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{Call, Method, Secondary};
    use crate::model::Reason;

    const PRIMARY: Call = Call::read("Show", Method::Get, "/v1/{}");
    const SECONDARY: Call = Call::secondary(
        PRIMARY.name,
        PRIMARY.method,
        PRIMARY.path,
        Secondary {
            tells: "",
            permission: "",
        },
    );

    fn left(notes: &CallNotes) -> Memory {
        let error = ApiError::new(Reason::Server, "down");
        let mut memory = Memory::default();
        notes.leave(Err(error)).unwrap_err().note_in(&mut memory);
        memory
    }

    #[test]
    fn notes_outlast_a_poll_that_fails() {
        let mut notes = CallNotes::read(&Memory::default());
        assert!(!notes.doubt(&SECONDARY));
        let mut notes = CallNotes::read(&left(&notes));
        assert!(!notes.doubt(&PRIMARY), "another call");
        assert!(notes.doubt(&SECONDARY), "the second time in a row");
        notes.settle(&SECONDARY);
        let mut notes = CallNotes::read(&left(&notes));
        assert!(!notes.doubt(&SECONDARY));
    }

    #[test]
    fn a_call_is_skipped_until_the_next_discovery() {
        let mut notes = CallNotes::read(&Memory::default());
        notes.skip(&SECONDARY);
        notes.set_answered(&PRIMARY);
        let mut memory = left(&notes);
        let notes = CallNotes::read(&memory);
        assert!(notes.is_skipped(&SECONDARY) && !notes.is_skipped(&PRIMARY));
        assert!(notes.is_answered(&PRIMARY) && !notes.is_answered(&SECONDARY));
        memory.discoveries += 1;
        let notes = CallNotes::read(&memory);
        assert!(!notes.is_skipped(&SECONDARY) && !notes.is_answered(&PRIMARY));
    }

    #[test]
    fn a_poll_without_notes_takes_those_before_away() {
        let mut memory = Memory {
            notes: Some("{".into()),
            ..Memory::default()
        };
        let notes = CallNotes::read(&memory);
        assert_eq!(
            notes,
            CallNotes::default(),
            "what cannot be read is dropped"
        );
        let observation = notes.leave(Ok(Observation::default())).unwrap();
        assert_eq!(observation.notes, None);
        PollFailure::from(ApiError::new(Reason::Server, "down")).note_in(&mut memory);
        assert_eq!(memory.notes.as_deref(), Some("{"), "not asked yet");
    }
}
