//! Standing of credentials with the vendor: accepted, paused after a lone refusal, or locked out. Pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::http::ApiError;

/// Time between a lone refusal of credentials that were accepted before and the call that tries them
/// again: one odd answer must not keep an account dark for a whole lockout.
pub(super) const PAUSE: Duration = Duration::from_secs(15);

/// Credentials that are remembered: an account has its keys, or a password and some tokens.
const REMEMBERED: usize = 16;

/// Standing of the credentials that were used last, each by its fingerprint.
#[derive(Debug, Clone, Default)]
pub(super) struct Standings(Vec<(u64, Standing)>);

#[derive(Debug, Clone)]
enum Standing {
    /// The vendor accepted them last.
    Accepted,
    /// The vendor refused them once, after it had accepted them.
    Paused {
        until: Instant,
        why: ApiError,
        /// A call that tries them again has entered.
        is_retrying: bool,
    },
    /// The vendor refused them, or refused them again.
    LockedOut { until: Instant, why: Box<ApiError> },
}

/// Admission of a call with some credentials.
#[derive(Debug, PartialEq)]
pub(super) enum Admission {
    /// As one of many.
    Shared,
    /// Alone: the vendor's verdict on the credentials is open.
    Alone,
    /// Not before this time is over.
    Paused(Duration),
    /// Not before this time is over, because of this refusal.
    LockedOut(Duration, Box<ApiError>),
}

/// Consequence of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// One call tries the credentials again after this time.
    Paused(Duration),
    /// No call is made with the credentials during the lockout.
    LockedOut,
}

impl Standings {
    pub(super) fn admission(&self, credentials: u64, now: Instant) -> Admission {
        let left = |until: &Instant| until.saturating_duration_since(now);
        match self.of(credentials) {
            Some(Standing::Accepted) => Admission::Shared,
            Some(Standing::Paused { until, .. }) if *until > now => Admission::Paused(left(until)),
            Some(Standing::LockedOut { until, why }) if *until > now => {
                Admission::LockedOut(left(until), why.clone())
            }
            Some(Standing::Paused { .. } | Standing::LockedOut { .. }) | None => Admission::Alone,
        }
    }

    /// Notes that a call entered alone.
    pub(super) fn entered_alone(&mut self, credentials: u64) {
        if let Some(Standing::Paused { is_retrying, .. }) = self.find(credentials) {
            *is_retrying = true;
        }
    }

    /// Notes that the vendor accepted the credentials; returns the lone refusal that is refuted by it.
    ///
    /// A call that was under way at the time of a refusal ends neither pause nor lockout.
    pub(super) fn accepted(&mut self, credentials: u64, now: Instant) -> Option<ApiError> {
        let is_older = match self.of(credentials) {
            Some(Standing::Paused { is_retrying, .. }) => !is_retrying,
            Some(Standing::LockedOut { until, .. }) => *until > now,
            Some(Standing::Accepted) | None => false,
        };
        if is_older {
            return None;
        }
        match self.set(credentials, Standing::Accepted) {
            Some(Standing::Paused { why, .. }) => Some(why),
            _ => None,
        }
    }

    /// Notes a refusal, of a call that may pause: one that was not refused before.
    ///
    /// A lone refusal of accepted credentials pauses them. Any other, also that of a second call that
    /// was under way, locks them out.
    pub(super) fn refused(
        &mut self,
        credentials: u64,
        why: ApiError,
        lockout: Duration,
        may_pause: bool,
        now: Instant,
    ) -> Verdict {
        if may_pause && matches!(self.of(credentials), Some(Standing::Accepted)) {
            let pause = PAUSE.min(lockout);
            let standing = Standing::Paused {
                until: now + pause,
                why,
                is_retrying: false,
            };
            self.set(credentials, standing);
            return Verdict::Paused(pause);
        }
        let until = now + lockout;
        let why = Box::new(why);
        self.set(credentials, Standing::LockedOut { until, why });
        Verdict::LockedOut
    }

    fn of(&self, credentials: u64) -> Option<&Standing> {
        let found = self.0.iter().find(|(known, _)| *known == credentials);
        found.map(|(_, standing)| standing)
    }

    fn find(&mut self, credentials: u64) -> Option<&mut Standing> {
        let found = self.0.iter_mut().find(|(known, _)| *known == credentials);
        found.map(|(_, standing)| standing)
    }

    /// Sets the standing of credentials and returns the one before, forgetting the credentials whose
    /// standing changed longest ago.
    fn set(&mut self, credentials: u64, standing: Standing) -> Option<Standing> {
        let place = self.0.iter().position(|(known, _)| *known == credentials);
        let before = place.map(|place| self.0.remove(place).1);
        if self.0.len() == REMEMBERED {
            self.0.remove(0);
        }
        self.0.push((credentials, standing));
        before
    }
}
