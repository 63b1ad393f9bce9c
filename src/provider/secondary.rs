//! Secondary calls of one poll: how each is made, and what becomes of its failure.

use std::sync::Arc;

use jiff::Timestamp;

use super::http::Effort;
use super::{ApiError, Call, Reason};
use crate::model::{Memory, SecondaryCall, SecondaryFailure};

/// Outcomes of the secondary calls of one poll of a cluster, beside those of earlier polls.
#[derive(Debug)]
pub struct SecondaryCalls<'a> {
    memory: &'a Memory,
    now: Timestamp,
    calls: Vec<SecondaryCall>,
}

impl<'a> SecondaryCalls<'a> {
    /// Starts a poll at `now` with what earlier polls of the cluster left in `memory`.
    pub fn new(memory: &'a Memory, now: Timestamp) -> Self {
        Self {
            memory,
            now,
            calls: Vec::new(),
        }
    }

    /// Returns how the call is made: once, after it failed at the last try.
    pub fn effort(&self, call: &Call) -> Effort {
        if self.memory.is_failing(call.name) {
            Effort::Once
        } else {
            Effort::Normal
        }
    }

    /// Returns the call's last good answer while it may be shown.
    pub fn remembered(&self, call: &Call) -> Option<&'a Arc<str>> {
        self.memory.call(call.name)?.shown(self.now)
    }

    /// Records a good answer; `remember` is kept for polls at which the call fails.
    pub fn succeed(&mut self, call: &Call, remember: Option<Arc<str>>) {
        self.push(SecondaryCall {
            endpoint: call.name,
            answer: remember,
            failure: None,
        });
    }

    /// Records a failure. `is_not_offered` tells that the vendor does not offer the call at all.
    ///
    /// # Errors
    /// Returns the error where it fails the whole poll: credentials are refused for every call.
    pub fn fail(
        &mut self,
        call: &Call,
        error: ApiError,
        is_not_offered: bool,
    ) -> Result<(), ApiError> {
        if error.reason == Reason::Auth {
            return Err(error);
        }
        let (missing, permission) = call.secondary.map_or(("", ""), |secondary| {
            (secondary.tells, secondary.permission)
        });
        self.push(SecondaryCall {
            endpoint: call.name,
            answer: None,
            failure: Some(SecondaryFailure {
                reason: error.reason.as_str(),
                message: error.to_string(),
                missing,
                permission,
                is_not_offered,
            }),
        });
        Ok(())
    }

    /// Whether the call counts as not offered, were it refused as such at this poll too.
    pub fn counts_as_not_offered(&self, call: &Call) -> bool {
        let memory = self.memory.call(call.name);
        memory.is_some_and(|memory| memory.not_offered >= 1 && !memory.has_answered)
    }

    /// Whether the vendor seems not to offer a call, which the next poll has to confirm.
    pub fn asks_again_soon(&self) -> bool {
        self.calls.iter().any(|call| {
            let is_refused = call.failure.as_ref().is_some_and(|f| f.is_not_offered);
            let memory = self.memory.call(call.endpoint);
            is_refused && memory.is_none_or(|m| m.not_offered == 0 && !m.has_answered)
        })
    }

    /// Returns the outcomes, for [`Observation::secondary`](crate::model::Observation::secondary).
    pub fn finish(self) -> Vec<SecondaryCall> {
        self.calls
    }

    /// A call that is made several times at a poll has failed when one of them has.
    fn push(&mut self, call: SecondaryCall) {
        let before = self.calls.iter_mut().find(|c| c.endpoint == call.endpoint);
        match before {
            Some(before) if before.failure.is_none() => *before = call,
            Some(_) => {}
            None => self.calls.push(call),
        }
    }
}
