//! Secondary calls of one poll: how each is made, and what becomes of its failure.

use std::sync::Arc;

use jiff::Timestamp;

use crate::cloud::Call;
use crate::cloud::transport::Effort;
use crate::http::{ApiError, Cause};
use crate::model::{Memory, Reason, SecondaryCall, SecondaryFailure};

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
        let memory = self.memory.call(call.name);
        let earlier = memory.and_then(|memory| memory.failure.as_ref());
        if let Some((earlier, _)) = earlier.filter(|_| error.cause == Cause::NotAsked) {
            let mut failure = earlier.clone();
            failure.is_earlier = true;
            self.push_failure(call, failure);
            return Ok(());
        }
        let (missing, permission) = call.secondary.map_or(("", ""), |secondary| {
            (secondary.tells, secondary.permission)
        });
        let failure = SecondaryFailure {
            reason: error.reason,
            message: error.to_string(),
            missing,
            permission,
            is_not_offered,
            is_earlier: false,
        };
        self.push_failure(call, failure);
        Ok(())
    }

    fn push_failure(&mut self, call: &Call, failure: SecondaryFailure) {
        self.push(SecondaryCall {
            endpoint: call.name,
            answer: None,
            failure: Some(failure),
        });
    }

    /// Returns whether the call counts as not offered, were it refused as such at this poll too.
    pub fn counts_as_not_offered(&self, call: &Call) -> bool {
        if call.secondary.is_none() {
            return self.memory.unpublished_polls(call.name) >= 1;
        }
        let memory = self.memory.call(call.name);
        memory.is_some_and(|memory| memory.not_offered >= 1 && !memory.has_answered)
    }

    /// Returns whether the vendor seems not to offer a call, which the next poll has to confirm.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cloud::{Method, Secondary};
    use crate::model::{Observation, Thresholds, track};

    const CALL: Call = Call::secondary(
        "ListNodes",
        Method::Get,
        "/nodes",
        Secondary {
            tells: "states of nodes",
            permission: "cce:node:list",
        },
    );

    fn poll(memory: &mut Memory, error: ApiError) -> (Reason, String) {
        let now = Timestamp::UNIX_EPOCH;
        let mut calls = SecondaryCalls::new(memory, now);
        calls.fail(&CALL, error, false).unwrap();
        let observation = Observation {
            secondary: calls.finish(),
            ..Observation::default()
        };
        let day = Duration::from_secs(86400);
        let limits = Thresholds {
            stalled_after: day,
            overdue_after: day,
            retain_ended: day,
        };
        let degraded = track::advance(memory, &observation, &limits, day, now).degraded;
        (degraded[0].reason, degraded[0].message.clone())
    }

    #[test]
    fn a_call_that_was_not_asked_keeps_its_last_reason() {
        let not_asked = || ApiError::new(Reason::Timeout, "not asked").because(Cause::NotAsked);
        let refused = ApiError::new(Reason::Permission, "no").of(CALL.name);
        let mut memory = Memory::default();
        let first = poll(&mut memory, refused);
        assert_eq!(first.0, Reason::Permission);
        assert_eq!(poll(&mut memory, not_asked()), first);
        assert_eq!(poll(&mut memory, not_asked()), first);
        let fresh = poll(&mut Memory::default(), not_asked());
        assert_eq!(fresh, (Reason::Timeout, "not asked".to_owned()));
    }

    #[test]
    fn refused_credentials_fail_the_poll() {
        let memory = Memory::default();
        let mut calls = SecondaryCalls::new(&memory, Timestamp::UNIX_EPOCH);
        let error = ApiError::new(Reason::Auth, "no such key");
        assert_eq!(calls.fail(&CALL, error.clone(), false), Err(error));
    }

    #[test]
    fn a_call_that_failed_is_made_once() {
        let mut memory = Memory::default();
        let now = Timestamp::UNIX_EPOCH;
        let effort = |memory: &Memory| SecondaryCalls::new(memory, now).effort(&CALL);
        assert_eq!(effort(&memory), Effort::Normal);
        poll(&mut memory, ApiError::new(Reason::Server, "down"));
        assert_eq!(effort(&memory), Effort::Once);
    }
}
