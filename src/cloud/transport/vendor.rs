//! Authentication of requests and judgement of answers, as each vendor has them.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Answer, Message};
use crate::http::{ApiError, Redaction};
use crate::secret::Secret;

/// Authentication of one attempt.
#[derive(Debug, Default)]
pub struct Authentication {
    pub(super) headers: Vec<(&'static str, SecretString)>,
    pub(super) redaction: Redaction,
}

impl Authentication {
    /// Adds a header whose value may be shown.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<SecretString>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a header whose value is secret.
    #[must_use]
    pub fn secret_header(self, name: &'static str, value: impl Into<SecretString>) -> Self {
        let value = value.into();
        self.secret(&value).header(name, value)
    }

    /// Adds a secret that stands in the body or in a part of a header, or that a signature is made of.
    #[must_use]
    pub fn secret(mut self, secret: &SecretString) -> Self {
        self.redaction.add(secret.expose_secret());
        self
    }
}

/// Vendor's part of the transport: authentication of requests and meaning of answers.
pub trait Vendor: Send + Sync {
    /// The secrets that [`Vendor::authorize`] takes; their files are read again before each attempt.
    fn secrets(&self) -> Vec<&Secret> {
        Vec::new()
    }

    /// Signs this attempt at `now`.
    fn authorize(&self, message: &Message<'_>, now: Timestamp) -> Result<Authentication, ApiError>;

    /// Judges an answer, also one with a status of 2xx: a vendor can refuse with 200.
    fn judge(&self, answer: &Answer) -> Result<(), ApiError>;

    /// A number that changes with the credentials; never shown.
    fn credentials(&self) -> u64;

    /// Returns the lockout after the vendor refused the credentials; zero for none.
    fn rest_after_refusal(&self) -> Duration;
}
