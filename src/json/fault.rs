//! Decode errors that name the field and quote nothing of the answer.
//!
//! serde's own texts can quote a value, so only texts made by [`fault`] are shown. They travel through
//! serde as text: a mark, the path below the list entry that was read apart, a mark, the message.

use std::fmt;

use serde::de;
use serde_path_to_error::{Path, Segment};

/// Begins a text of this module; serde's texts begin with words of their own.
const MARK: char = '\u{1}';

/// Message for an error that only serde describes.
const UNKNOWN: &str = "has a form that cannot be read";

/// Builds a decode error. `message` follows the field's path, such as `is a list, not a text`; it is
/// shown to operators and must not quote the answer.
pub(crate) fn fault<E: de::Error>(message: impl fmt::Display) -> E {
    E::custom(format_args!("{MARK}{MARK}{message}"))
}

/// A field that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Path such as `result.nodeList[3].status`; empty for the whole document.
    path: String,
    message: String,
}

impl Fault {
    /// Reads the error of a located decoding; that of a list entry has the path within the entry.
    pub(super) fn of(located: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let error = located.inner();
        let text = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let text = text.strip_suffix(&position).unwrap_or(&text);
        let marked = text.strip_prefix(MARK).and_then(|t| t.split_once(MARK));
        let (inner, message) = marked.unwrap_or(("", UNKNOWN));
        Self {
            path: joined(located.path(), inner),
            message: message.to_owned(),
        }
    }

    /// Returns the error for the decoding around this one, which adds its own path before.
    pub(super) fn nested<E: de::Error>(&self) -> E {
        E::custom(format_args!("{MARK}{}{MARK}{}", self.path, self.message))
    }
}

fn joined(path: &Path, inner: &str) -> String {
    let mut all = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => all.extend(["[", &index.to_string(), "]"]),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                if !all.is_empty() {
                    all.push('.');
                }
                all.push_str(name);
            }
            Segment::Unknown => {}
        }
    }
    if !(all.is_empty() || inner.is_empty() || inner.starts_with('[')) {
        all.push('.');
    }
    all + inner
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "the document {}", self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

/// Reason why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// A field has a form that its meaning cannot be read from.
    Field(Fault),
    /// The document is not JSON.
    Syntax {
        category: serde_json::error::Category,
        line: usize,
        column: usize,
        length: usize,
    },
}

impl Unread {
    pub(super) fn at(error: &serde_json::Error, length: usize) -> Self {
        Self::Syntax {
            category: error.classify(),
            line: error.line(),
            column: error.column(),
            length,
        }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(fault) => write!(
                f,
                "{fault}; the vendor's API may have changed: look for a newer version of this program"
            ),
            Self::Syntax {
                category,
                line,
                column,
                length,
            } => write!(
                f,
                "the answer is not the JSON that the vendor documents ({category:?} error at line {line}, column {column} of {length} bytes)"
            ),
        }
    }
}
