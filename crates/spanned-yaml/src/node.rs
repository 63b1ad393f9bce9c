//! Values of a file, each with its place.

use crate::problem::At;
use crate::quote::quote;

/// Value with its place. It has no `Debug`, because it may hold secrets.
#[derive(Clone)]
pub struct Node {
    /// Place of its first character.
    pub at: At,
    /// Value.
    pub value: Value,
}

/// Kinds of values.
#[derive(Clone)]
pub enum Value {
    /// Text; what it means is decided where it is read.
    Scalar {
        /// Text without its quotes.
        text: String,
        /// True when it was written in quotes, as block text, or with the tag `!!str`.
        quoted: bool,
    },
    /// Items in their order.
    List(Vec<Node>),
    /// Entries in their order; no key occurs twice.
    Map(Vec<(Key, Node)>),
}

/// Key of a mapping with its place.
#[derive(Clone)]
pub struct Key {
    /// Place of its first character.
    pub at: At,
    /// Text without its quotes.
    pub text: String,
}

impl Node {
    /// Returns true when nothing is written: `key:`, `~` or `null`, without quotes.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, quoted: false }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Returns the kind of its value, as a message names it.
    pub fn kind(&self) -> &'static str {
        match self.value {
            _ if self.is_null() => "empty",
            Value::Scalar { .. } => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// Nodes and bytes of text, and how deep it goes.
    pub(crate) fn weigh(&self) -> (usize, usize) {
        let inside = |sum: (usize, usize), node: &Self| {
            let (size, depth) = node.weigh();
            (sum.0 + size, sum.1.max(depth))
        };
        match &self.value {
            Value::Scalar { text, .. } => (1 + text.len(), 0),
            Value::List(items) => {
                let (size, depth) = items.iter().fold((0, 0), inside);
                (1 + size, 1 + depth)
            }
            Value::Map(entries) => {
                let keys: usize = entries.iter().map(|(key, _)| key.text.len()).sum();
                let (size, depth) = entries.iter().map(|(_, node)| node).fold((0, 0), inside);
                (1 + keys + size, 1 + depth)
            }
        }
    }
}

/// Returns a key as a message shows it. `secret_key:abc` without a space is one word to YAML, so what does
/// not look like a key is shown only up to where it stops to.
pub fn shown_key(key: &str) -> String {
    let end = key
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))
        .unwrap_or(key.len());
    match key.get(..end) {
        Some(head) if end == key.len() => quote(head),
        Some(head) if !head.is_empty() => quote(&format!("{head}…")),
        _ => "this".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_swallowed_its_value_is_not_shown_whole() {
        assert_eq!(shown_key("secret_key:abc"), "\"secret_key…\"");
        assert_eq!(shown_key("region"), "\"region\"");
    }
}
