//! Why a call failed: a fixed word for metrics, a sentence for people.

use std::fmt;
use std::time::Duration;

use super::Cause;
use crate::model::Reason;
use crate::secret::SecretError;
use crate::text::Foreign;

/// A failed call. Its text is safe to show: it carries no credential, no URL query and no body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ApiError {
    /// The fixed word.
    pub reason: Reason,
    /// What is at fault, as finely as is known.
    pub cause: Cause,
    /// The vendor's name of the call; empty when no call was made.
    pub call: &'static str,
    /// What happened and what to do about it: one sentence, lower case, no full stop.
    pub message: String,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The vendor's code, when it gave one.
    pub code: Option<String>,
    /// The vendor's request id, when it gave one.
    pub request_id: Option<String>,
    /// How long the vendor asked to wait.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// An error with a sentence and nothing else.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            cause: Cause::of(reason),
            call: "",
            message: message.into(),
            status: None,
            code: None,
            request_id: None,
            retry_after: None,
        }
    }

    /// The same, of this call.
    #[must_use]
    pub fn of(mut self, call: &'static str) -> Self {
        self.call = call;
        self
    }

    /// The same, with more known about what is at fault.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    /// The same, with the vendor's code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

impl From<SecretError> for ApiError {
    fn from(error: SecretError) -> Self {
        Self::new(Reason::Auth, error.to_string())
    }
}

/// Escapes what the vendor told, so that the text is one line and steers no terminal.
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.call.is_empty() {
            write!(f, "{}: ", self.call)?;
        }
        write!(f, "{}", Foreign(&self.message))?;
        let mut sep = " (";
        if let Some(status) = self.status {
            write!(f, "{sep}HTTP {status}")?;
            sep = ", ";
        }
        if let Some(code) = &self.code {
            write!(f, "{sep}code {}", Foreign(code))?;
            sep = ", ";
        }
        if let Some(id) = &self.request_id {
            write!(f, "{sep}request {}", Foreign(id))?;
            sep = ", ";
        }
        if sep == ", " {
            f.write_str(")")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_carries_what_is_known() {
        let mut error = ApiError::new(Reason::Auth, "the key was refused").of("ListClusters");
        assert_eq!(error.to_string(), "ListClusters: the key was refused");
        error.status = Some(401);
        error.code = Some("200".into());
        assert_eq!(
            error.to_string(),
            "ListClusters: the key was refused (HTTP 401, code 200)"
        );
    }

    #[test]
    fn display_escapes_what_the_vendor_told() {
        let mut error =
            ApiError::new(Reason::Refused, "no cluster a\nlevel=ERROR").with_code("\u{9b}");
        error.request_id = Some("\u{202e}\r".to_owned());
        assert_eq!(
            error.to_string(),
            r"no cluster a\u{a}level=ERROR (code \u{9b}, request \u{202e}\u{d})"
        );
    }
}
