//! Secondary calls: calls that add to what the primary call of a product tells.
//!
//! A secondary call that fails leaves the poll good. The cluster is *degraded* until the call is
//! answered again or is not needed any more, and its last good answer is kept for a while.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Memory, Observation, Reason};

/// Shortest time for which the last good answer of a failing call is shown.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// Poll intervals for which it is shown, where they are longer than that.
const KEPT_INTERVALS: u32 = 3;

/// Polls in a row that must be told that a call is not offered before that counts.
const CONFIRMATIONS: u32 = 2;

/// Outcome of one secondary call that a poll needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondaryCall {
    /// Vendor's name of the call: the label `endpoint`.
    pub endpoint: &'static str,
    /// Answer to remember, in the product's own text form; `None` keeps the one before.
    pub answer: Option<Arc<str>>,
    /// Failure; `None` when the call was answered well.
    pub failure: Option<SecondaryFailure>,
}

/// Failure of a secondary call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondaryFailure {
    /// Value of the label `reason`.
    pub reason: Reason,
    /// Text for people: what happened, and what to do.
    pub message: String,
    /// Noun phrase for what only this call tells.
    pub missing: &'static str,
    /// Permission or policy that the call takes.
    pub permission: &'static str,
    /// The vendor says that it does not offer the call at all.
    pub is_not_offered: bool,
    /// The call was not made at this poll: the failure is that of an earlier one.
    pub is_earlier: bool,
}

/// Failing secondary call of a cluster, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Degraded {
    /// Vendor's name of the call: the label `endpoint`.
    pub endpoint: &'static str,
    /// Value of the label `reason`, by the latest failure.
    pub reason: Reason,
    /// Text of the latest failure, for people.
    pub message: String,
    /// Noun phrase for what only this call tells.
    pub missing: &'static str,
    /// Permission or policy that the call takes.
    pub permission: &'static str,
    /// Time of the first failure in a row.
    pub since: Timestamp,
    /// Time of the first failure in a row with this reason.
    pub reason_since: Timestamp,
}

/// Names of a call, as its product states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallNames {
    /// Vendor's name of the call.
    pub endpoint: &'static str,
    /// Noun phrase for what only this call tells; empty for a primary call.
    pub missing: &'static str,
    /// Permission or policy that the call takes.
    pub permission: &'static str,
}

/// Memory of a vendor's call for one cluster, by the call's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallMemory {
    /// Last good answer, in the product's own text form.
    pub answer: Option<Arc<str>>,
    /// The call was answered well at least once.
    pub has_answered: bool,
    /// Time of the first failure in a row; `None` after a good answer.
    pub failing_since: Option<Timestamp>,
    /// Latest failure in a row, and the time since when its reason is the same.
    pub failure: Option<(SecondaryFailure, Timestamp)>,
    /// Time from which the last good answer is not shown any more; `None` while the call works.
    pub expires: Option<Timestamp>,
    /// Polls in a row that were told that the vendor does not offer the call.
    pub not_offered: u32,
}

impl CallMemory {
    /// Returns the last good answer while it may be shown.
    pub fn shown(&self, now: Timestamp) -> Option<&Arc<str>> {
        let is_shown = self.expires.is_none_or(|expires| now < expires);
        self.answer.as_ref().filter(|_| is_shown)
    }

    /// Returns whether the vendor's word that it does not offer the call is believed.
    pub fn is_not_offered(&self) -> bool {
        self.not_offered >= CONFIRMATIONS && !self.has_answered
    }

    fn succeed(&mut self, answer: Option<Arc<str>>) {
        *self = Self {
            answer: answer.or_else(|| self.answer.take()),
            has_answered: true,
            ..Self::default()
        };
    }

    fn fail(&mut self, failure: &SecondaryFailure, interval: Duration, now: Timestamp) -> Degraded {
        let since = *self.failing_since.get_or_insert(now);
        let before = self.failure.take();
        let same = before.filter(|(before, _)| before.reason == failure.reason);
        let reason_since = same.map_or(now, |(_, since)| since);
        self.failure = Some((failure.clone(), reason_since));
        let kept = KEPT.max(interval.saturating_mul(KEPT_INTERVALS));
        let kept = SignedDuration::try_from(kept).unwrap_or(SignedDuration::MAX);
        self.expires = Some(since.saturating_add(kept).unwrap_or(Timestamp::MAX));
        if !failure.is_earlier {
            count(&mut self.not_offered, failure.is_not_offered);
        }
        Degraded {
            endpoint: "",
            reason: failure.reason,
            message: failure.message.clone(),
            missing: failure.missing,
            permission: failure.permission,
            since,
            reason_since,
        }
    }

    /// Returns whether it knows of no failure, apart from polls that were told that the call is not offered.
    fn is_clear(&self) -> bool {
        self.failing_since.is_none() && self.failure.is_none() && self.expires.is_none()
    }

    /// Forgets the failures, not the answers.
    fn clear(&mut self) {
        (self.failing_since, self.failure, self.expires) = (None, None, None);
    }
}

/// Counts polls in a row.
fn count(polls: &mut u32, is_one_more: bool) {
    *polls = if is_one_more {
        polls.saturating_add(1)
    } else {
        0
    };
}

impl Memory {
    /// Returns the memory of the call with this name.
    pub fn call(&self, endpoint: &str) -> Option<&CallMemory> {
        self.calls.get(endpoint)
    }

    /// Returns the failing secondary calls that leave the cluster degraded, by name.
    pub fn degraded(&self) -> Vec<Degraded> {
        let failing = self.calls.iter().filter_map(|(endpoint, call)| {
            let (failure, reason_since) = call.failure.as_ref()?;
            Some(Degraded {
                endpoint,
                reason: failure.reason,
                message: failure.message.clone(),
                missing: failure.missing,
                permission: failure.permission,
                since: call.failing_since?,
                reason_since: *reason_since,
            })
        });
        failing.collect()
    }

    /// Returns whether the last try of the call failed.
    pub fn is_failing(&self, endpoint: &str) -> bool {
        let memory = self.call(endpoint);
        memory.is_some_and(|memory| memory.failing_since.is_some())
    }

    /// Takes a failure of the primary call, which ended the poll, and the notes of that poll where it
    /// has some. Returns the polls in a row that were told that the vendor does not publish the call.
    pub fn take_failure(
        &mut self,
        call: &'static str,
        is_not_published: bool,
        notes: Option<Arc<str>>,
    ) -> u32 {
        self.notes = notes.or_else(|| self.notes.take());
        let polls = self.unpublished.entry(call).or_default();
        count(polls, is_not_published);
        *polls
    }

    /// Returns the polls in a row that were told that the vendor does not publish a primary call.
    pub fn unpublished_polls(&self, endpoint: &str) -> u32 {
        self.unpublished.get(endpoint).copied().unwrap_or(0)
    }

    /// Takes the secondary calls of a good poll in. Returns those that leave the cluster degraded.
    /// `interval` is the poll interval in force. A call that the poll did not need fails no more.
    pub(super) fn take_calls(
        &mut self,
        observation: &Observation,
        interval: Duration,
        now: Timestamp,
    ) -> Vec<Degraded> {
        let is_needed = |endpoint: &str| {
            let mut needed = observation.secondary.iter();
            needed.any(|call| call.endpoint == endpoint)
        };
        let known = self.calls.iter();
        let over = known.filter(|(endpoint, call)| !call.is_clear() && !is_needed(endpoint));
        for endpoint in over.map(|(endpoint, _)| *endpoint).collect::<Vec<_>>() {
            self.change_call(endpoint, CallMemory::clear);
        }
        let mut degraded = Vec::new();
        for call in &observation.secondary {
            let failing = self.change_call(call.endpoint, |memory| {
                let Some(failure) = &call.failure else {
                    memory.succeed(call.answer.clone());
                    return None;
                };
                let failing = memory.fail(failure, interval, now);
                if memory.is_not_offered() {
                    memory.clear();
                    return None;
                }
                Some(failing)
            });
            degraded.extend(failing.map(|failing| Degraded {
                endpoint: call.endpoint,
                ..failing
            }));
        }
        degraded
    }

    /// Changes the memory of a call. Those of all calls stay shared with earlier memories where nothing is new.
    fn change_call<T>(
        &mut self,
        endpoint: &'static str,
        change: impl FnOnce(&mut CallMemory) -> T,
    ) -> T {
        let known = self.calls.get(endpoint);
        let mut call = known.cloned().unwrap_or_default();
        let result = change(&mut call);
        if known != Some(&call) {
            Arc::make_mut(&mut self.calls).insert(endpoint, call);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Observation;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn poll(call: Option<SecondaryCall>) -> Observation {
        Observation {
            secondary: call.into_iter().collect(),
            ..Observation::default()
        }
    }

    fn good(answer: &str) -> Observation {
        poll(Some(SecondaryCall {
            endpoint: "ListNodes",
            answer: Some(answer.into()),
            failure: None,
        }))
    }

    fn bad(reason: Reason, is_not_offered: bool) -> Observation {
        poll(Some(SecondaryCall {
            endpoint: "ListNodes",
            answer: None,
            failure: Some(SecondaryFailure {
                reason,
                message: "no".to_owned(),
                missing: "states of nodes",
                permission: "cce:node:list",
                is_not_offered,
                is_earlier: false,
            }),
        }))
    }

    #[test]
    fn degraded_begins_with_the_first_failure_and_tells_the_latest() {
        let mut memory = Memory::default();
        assert_eq!(memory.take_calls(&good("a"), MINUTE, at(0)), []);
        assert!(!memory.is_failing("ListNodes"));
        memory.take_calls(&bad(Reason::Server, false), MINUTE, at(10));
        assert!(memory.is_failing("ListNodes"));
        let degraded = memory.take_calls(&bad(Reason::Permission, false), MINUTE, at(20));
        assert_eq!(
            (degraded[0].reason, degraded[0].since),
            (Reason::Permission, at(10))
        );
        assert_eq!(memory.take_calls(&good("b"), MINUTE, at(30)), []);
        memory.take_calls(&bad(Reason::Server, false), MINUTE, at(40));
        memory.take_calls(&poll(None), MINUTE, at(50));
        assert!(!memory.is_failing("ListNodes"), "the poll did not need it");
        let degraded = memory.take_calls(&bad(Reason::Server, false), MINUTE, at(60));
        assert_eq!(degraded[0].since, at(60));
    }

    #[test]
    fn last_good_answer_is_shown_for_a_while() {
        let mut memory = Memory::default();
        let mut shown = |observation: &Observation, interval, second| {
            memory.take_calls(observation, interval, at(second));
            let call = memory.call("ListNodes").unwrap();
            call.expires
                .map(|expires| expires.duration_since(at(0)).as_secs())
        };
        assert_eq!(shown(&good("a"), MINUTE, 0), None);
        assert_eq!(shown(&bad(Reason::Server, false), MINUTE, 0), Some(15 * 60));
        assert_eq!(
            shown(&bad(Reason::Server, false), MINUTE * 10, 60),
            Some(30 * 60)
        );
        let call = memory.call("ListNodes").unwrap();
        assert_eq!(call.shown(at(30 * 60 - 1)).map(|a| &**a), Some("a"));
        assert_eq!(call.shown(at(30 * 60)), None);
    }

    #[test]
    fn two_polls_in_a_row_prove_that_a_call_is_not_offered() {
        let mut memory = Memory::default();
        let first = memory.take_calls(&bad(Reason::NotFound, true), MINUTE, at(0));
        assert_eq!(first.len(), 1, "one answer proves nothing");
        memory.take_calls(&bad(Reason::Server, false), MINUTE, at(10));
        let again = memory.take_calls(&bad(Reason::NotFound, true), MINUTE, at(20));
        assert_eq!(again.len(), 1, "not in a row");
        assert_eq!(
            memory.take_calls(&bad(Reason::NotFound, true), MINUTE, at(30)),
            []
        );
        memory.take_calls(&poll(None), MINUTE, at(40));
        assert!(memory.call("ListNodes").unwrap().is_not_offered());
        assert_eq!(
            memory.take_calls(&bad(Reason::NotFound, true), MINUTE, at(50)),
            []
        );
    }

    #[test]
    fn a_call_that_was_answered_is_offered() {
        let mut memory = Memory::default();
        memory.take_calls(&good("a"), MINUTE, at(0));
        for second in 1..5 {
            let degraded = memory.take_calls(&bad(Reason::NotFound, true), MINUTE, at(second));
            assert_eq!(degraded[0].since, at(1));
        }
    }

    #[test]
    fn failures_of_the_primary_call_are_counted_by_themselves() {
        let mut memory = Memory::default();
        memory.take_calls(&bad(Reason::NotFound, true), MINUTE, at(0));
        let mut fail = |is_not_published| memory.take_failure("ListNodes", is_not_published, None);
        assert_eq!(fail(true), 1);
        assert_eq!(fail(false), 0);
        assert_eq!((fail(true), fail(true)), (1, 2));
        assert_eq!(memory.unpublished_polls("ListNodes"), 2);
        assert_eq!(memory.call("ListNodes").unwrap().not_offered, 1);
    }

    #[test]
    fn a_call_that_was_not_made_keeps_its_failure() {
        let mut memory = Memory::default();
        let first = memory.take_calls(&bad(Reason::NotFound, true), MINUTE, at(0));
        let mut earlier = bad(Reason::NotFound, true);
        let call = earlier.secondary.first_mut().unwrap();
        call.failure.as_mut().unwrap().is_earlier = true;
        assert_eq!(memory.take_calls(&earlier, MINUTE, at(10)), first);
        assert_eq!(memory.call("ListNodes").unwrap().not_offered, 1);
    }

    #[test]
    fn a_reason_has_its_own_beginning() {
        let mut memory = Memory::default();
        let mut since = |reason, second| {
            let degraded = memory.take_calls(&bad(reason, false), MINUTE, at(second));
            (degraded[0].since, degraded[0].reason_since)
        };
        assert_eq!(since(Reason::Server, 0), (at(0), at(0)));
        assert_eq!(since(Reason::Timeout, 10), (at(0), at(10)));
        assert_eq!(since(Reason::Timeout, 20), (at(0), at(10)));
        assert_eq!(since(Reason::Server, 30), (at(0), at(30)));
    }
}
