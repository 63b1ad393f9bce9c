//! Secrets that were sent, and their removal from what comes back.
//!
//! An answer is searched once, where it is made, before anything reads it: in each form in which a
//! server may repeat a secret (see [`readings`]), in time that grows with its length alone. What is found
//! is replaced in place: in JSON only within texts, by whole escapes, so that it stays JSON. An answer
//! that failed is text for people, and loses every secret; those of fewer than [`SHORTEST_ANYWHERE`]
//! bytes only as a whole word, or one letter would go from each word. A good answer is data, in which a
//! short password could be part of a version or a status: it loses the secrets of at least
//! [`SHORTEST_IN_DATA`] bytes, as all keys, signatures and tokens are.

mod dividers;
mod escapes;
mod reading;
mod readings;
mod search;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use reading::{Source, Span};
use reqwest::header::{HeaderMap, HeaderValue};
use search::{Found, Searcher};
use secrecy::{ExposeSecret, SecretString};
use serde::de::IgnoredAny;
use url::Url;

use crate::blocking::run_blocking;
use crate::json;

/// Replaces a secret.
pub(crate) const REDACTED: &str = "[redacted]";

const SHORTEST_ANYWHERE: usize = 4;
const SHORTEST_IN_DATA: usize = 8;

/// Longest secret that is searched for in base64 too. Anything longer is a token, which is base64.
const LONGEST_ENCODED: usize = 256;

/// Bytes that one byte of a secret takes at most, in each encoding.
const MOST_ENCODED: usize = 6;

/// Length of a text, in bytes, that is searched in every form. A failed answer is cut there; a good one
/// that is longer is searched in parts, in the forms that data has.
const LONGEST_TEXT: usize = 64 << 10;

/// Length of an answer, in bytes, that is searched at once; a longer one on the blocking pool.
const LONGEST_AT_ONCE: usize = 16 << 10;

/// The secrets of one call.
#[derive(Debug, Default, Clone)]
pub struct Redaction {
    needles: Vec<SecretString>,
    /// All secrets, and those that are searched for in data.
    searchers: [OnceLock<Arc<Searcher>>; 2],
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
        self.searchers = Default::default();
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
        if !other.needles.is_empty() {
            self.searchers = Default::default();
            self.needles.extend(other.needles.iter().cloned());
        }
    }

    /// Returns the text without the secrets.
    pub(crate) fn text<'a>(&self, text: &'a str, content: Content) -> Cow<'a, str> {
        let source = Source {
            bytes: text.as_bytes(),
            is_json: false,
        };
        match self.replaced(&source, content) {
            Some(redacted) => Cow::Owned(String::from_utf8_lossy(&redacted).into_owned()),
            None => Cow::Borrowed(text),
        }
    }

    /// Returns a body without the secrets. JSON stays JSON, except that a failed answer is cut after
    /// [`LONGEST_TEXT`] bytes.
    pub(crate) fn body(&self, body: Bytes, content: Content) -> Bytes {
        let body = match content {
            Content::Prose => cut(body),
            Content::Data => body,
        };
        if self.needles.is_empty() {
            return body;
        }
        let source = Source {
            bytes: &body,
            is_json: json::read::<IgnoredAny>(&body).is_ok(),
        };
        match self.replaced(&source, content) {
            Some(redacted) => Bytes::from(redacted),
            None => body,
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

    /// Removes the secrets from headers and body; those of a large answer on the blocking pool.
    pub(crate) async fn answer(
        self,
        mut headers: HeaderMap,
        body: Bytes,
        content: Content,
    ) -> (HeaderMap, Bytes) {
        let size: usize = headers.values().map(HeaderValue::len).sum();
        let size = size + body.len();
        let search = move || {
            self.headers(&mut headers, content);
            let body = self.body(body, content);
            (headers, body)
        };
        if size > LONGEST_AT_ONCE {
            run_blocking(search).await
        } else {
            search()
        }
    }

    /// Returns the source with its secrets replaced; `None` when it holds none.
    fn replaced(&self, source: &Source<'_>, content: Content) -> Option<Vec<u8>> {
        let places = self.places(source, content);
        if places.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(source.bytes.len());
        let mut copied = 0;
        for place in places {
            out.extend_from_slice(source.bytes.get(copied..place.start)?);
            out.extend_from_slice(REDACTED.as_bytes());
            copied = place.end;
        }
        out.extend_from_slice(source.bytes.get(copied..)?);
        Some(out)
    }

    fn places(&self, source: &Source<'_>, content: Content) -> Vec<Span> {
        let searcher = self.searcher(content);
        let mut found = Found::default();
        if searcher.longest == 0 {
            return Vec::new();
        }
        if source.bytes.len() <= LONGEST_TEXT {
            let (text, is_last) = source.read(0, LONGEST_TEXT);
            readings::all(&text, searcher.has_space, &mut |reading| {
                searcher.search(reading, is_last, &mut found);
            });
            return found.into_spans();
        }
        // A secret at the end of a part is whole in the next one, however it is encoded, and so is what
        // stands before it, should the part begin within an encoded character.
        let shared = MOST_ENCODED * (searcher.longest + 16);
        let limit = LONGEST_TEXT.max(4 * shared);
        let mut from = 0;
        loop {
            let (part, is_last) = source.read(from, limit);
            readings::few(&part, &mut |reading| {
                searcher.search(reading, is_last, &mut found);
            });
            let length = part.bytes().len();
            let next = length.saturating_sub(shared);
            match part.span(next..length) {
                Some(span) if !is_last && span.start > from => from = span.start,
                _ => return found.into_spans(),
            }
        }
    }

    /// Returns the search for the secrets of this content, prepared when it is first needed.
    fn searcher(&self, content: Content) -> &Searcher {
        let [all, of_data] = &self.searchers;
        let (prepared, shortest) = match content {
            Content::Prose => (all, 0),
            Content::Data => (of_data, SHORTEST_IN_DATA),
        };
        prepared.get_or_init(|| {
            let needles = self.needles.iter();
            let fits = |needle: &&SecretString| needle.expose_secret().len() >= shortest;
            Arc::new(Searcher::new(needles.filter(fits)))
        })
    }
}

/// Cuts a body after [`LONGEST_TEXT`] bytes, between two characters.
fn cut(mut body: Bytes) -> Bytes {
    let is_inside = |at: &usize| body.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let inside = (0..3).take_while(|back| is_inside(&(LONGEST_TEXT - back)));
    let end = LONGEST_TEXT - inside.count();
    if body.len() > end {
        // Not a part of the large body, which that would keep.
        body = Bytes::copy_from_slice(body.get(..end).unwrap_or_default());
    }
    body
}

/// Returns the part of the base64 of any text that holds the secret `offset` bytes (modulo 3) from its start,
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
