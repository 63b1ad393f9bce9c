//! Secrets that were sent, and their removal from what comes back.
//!
//! An answer is searched once, where it is made, before anything reads it: in each form in which a
//! server may repeat a secret (see [`matching`]). A body of JSON is searched text by text, so that it
//! stays JSON. An answer that failed is text for people, and loses every secret; those of fewer than
//! [`SHORTEST_ANYWHERE`] characters only as a whole word, or one letter would go from each word. A good
//! answer is data, in which a short password could be part of a version or a status: it loses the
//! secrets of at least [`SHORTEST_IN_DATA`] characters, as all keys, signatures and tokens are.

mod matching;

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use matching::Needle;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

/// Replaces a secret.
pub(crate) const REDACTED: &str = "[redacted]";

const SHORTEST_ANYWHERE: usize = 4;
const SHORTEST_IN_DATA: usize = 8;

/// Longest secret that is searched for in base64 too. Anything longer is a token, which is base64.
const LONGEST_ENCODED: usize = 256;

/// The secrets of one call.
#[derive(Debug, Default, Clone)]
pub struct Redaction {
    needles: Vec<SecretString>,
}

/// Kind of text, which tells the secrets that are searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Written for people, such as an error.
    Prose,
    /// Read by the program.
    Data,
}

impl Content {
    /// Returns the content of an answer with this HTTP status.
    pub(crate) fn of(status: u16) -> Self {
        if (200..300).contains(&status) {
            Self::Data
        } else {
            Self::Prose
        }
    }
}

impl Redaction {
    /// Adds a secret, and what stands of it in the base64 of a longer text (`user:password`).
    pub(crate) fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        if secret.is_empty() {
            return;
        }
        self.needles.push(secret.into());
        if secret.len() <= LONGEST_ENCODED {
            let encoded = (0..3).flat_map(|offset| encoded(secret, offset));
            self.needles.extend(encoded.map(SecretString::from));
        }
    }

    /// Returns the redaction of the password in a URL.
    pub(crate) fn of_url(url: Option<&Url>) -> Self {
        let mut redaction = Self::default();
        if let Some(password) = url.and_then(Url::password) {
            let decoded = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
            redaction.add(&decoded);
        }
        redaction
    }

    /// Adds the secrets of another.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.needles.extend(other.needles.iter().cloned());
    }

    /// Returns the text without the secrets.
    pub(crate) fn text<'a>(&self, text: &'a str, content: Content) -> Cow<'a, str> {
        let needles: Vec<Needle<'_>> = self
            .needles
            .iter()
            .map(ExposeSecret::expose_secret)
            .filter(|needle| content == Content::Prose || needle.len() >= SHORTEST_IN_DATA)
            .map(|text| Needle {
                text,
                is_word: text.len() < SHORTEST_ANYWHERE,
            })
            .collect();
        let mut out = String::new();
        let mut copied = 0;
        for (start, end) in matching::places(text, &needles) {
            out.push_str(text.get(copied..start).unwrap_or_default());
            out.push_str(REDACTED);
            copied = end;
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// Returns a body without the secrets. JSON stays JSON: its strings are searched one by one.
    pub(crate) fn body(&self, body: Bytes, content: Content) -> Bytes {
        let text = String::from_utf8_lossy(&body);
        let redacted = self.text(&text, content);
        // What is escaped twice shows only when the first escape is gone.
        let is_clean = matches!(redacted, Cow::Borrowed(_)) && !text.contains('\\');
        if is_clean || self.needles.is_empty() {
            return body;
        }
        match serde_json::from_str(&text) {
            Ok(value) => {
                let mut has_changed = false;
                let value = self.value(value, content, &mut has_changed);
                if has_changed {
                    Bytes::from(value.to_string())
                } else {
                    body
                }
            }
            Err(_) => match redacted {
                Cow::Borrowed(_) => body,
                Cow::Owned(redacted) => Bytes::from(redacted),
            },
        }
    }

    fn value(&self, value: Value, content: Content, has_changed: &mut bool) -> Value {
        match value {
            Value::String(text) => Value::String(self.string(text, content, has_changed)),
            Value::Array(values) => values
                .into_iter()
                .map(|value| self.value(value, content, has_changed))
                .collect(),
            Value::Object(object) => object
                .into_iter()
                .map(|(key, value)| {
                    let key = self.string(key, content, has_changed);
                    (key, self.value(value, content, has_changed))
                })
                .collect(),
            other => other,
        }
    }

    fn string(&self, text: String, content: Content, has_changed: &mut bool) -> String {
        match self.text(&text, content) {
            Cow::Borrowed(_) => text,
            Cow::Owned(redacted) => {
                *has_changed = true;
                redacted
            }
        }
    }

    /// Removes the secrets from the values of headers.
    pub(crate) fn headers(&self, headers: &mut HeaderMap, content: Content) {
        for value in headers.values_mut() {
            let Ok(text) = value.to_str() else { continue };
            if let Cow::Owned(redacted) = self.text(text, content) {
                *value = HeaderValue::from_str(&redacted)
                    .unwrap_or_else(|_| HeaderValue::from_static(REDACTED));
            }
        }
    }
}

/// What stands in the base64 of any text that holds the secret `offset` bytes (modulo 3) from its start,
/// in both alphabets. Too little of a short secret remains to be told from other text.
fn encoded(secret: &str, offset: usize) -> Vec<String> {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(secret.as_bytes());
    // Characters that hold only bits of the secret.
    let (start, end) = ((offset * 8).div_ceil(6), bytes.len() * 8 / 6);
    [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD]
        .iter()
        .filter_map(|alphabet| Some(alphabet.encode(&bytes).get(start..end)?.to_owned()))
        .filter(|encoded| encoded.len() >= SHORTEST_IN_DATA)
        .collect()
}

#[cfg(test)]
mod tests;
