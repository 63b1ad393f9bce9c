//! A vendor's answer.

use bytes::Bytes;
use jiff::SignedDuration;
use reqwest::header::HeaderMap;

use crate::http::ApiError;
use crate::json;
use crate::model::Reason;

/// A vendor's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body: whole when the status is 2xx, else its first 64 KiB.
    pub body: Bytes,
    /// Clock that signed the request minus the server's, from the `Date` header; its precision is a
    /// second.
    pub skew: Option<SignedDuration>,
}

impl Answer {
    /// Returns true for a status of 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns a header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads the body as JSON. The error names the field that could not be read.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, ApiError> {
        json::read(&self.body).map_err(|unread| {
            let mut failed = ApiError::new(Reason::Protocol, unread.to_string());
            failed.status = Some(self.status);
            failed
        })
    }
}
