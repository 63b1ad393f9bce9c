//! Mappings whose keys are taken one by one.

use crate::field::Field;
use crate::node::{Key, Node, Value, shown_key};
use crate::problem::{At, Problems};
use crate::suggest;

/// Mapping whose keys are taken one by one; [`Section::finish`] reports those that were not taken.
pub struct Section<'a> {
    what: String,
    at: At,
    entries: &'a [(Key, Node)],
    taken: Vec<bool>,
    known: Vec<String>,
    broken: bool,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// Opens a mapping of any size, which messages call `what`. Another value is an error, and then a mapping
    /// that lacks nothing.
    pub fn new(node: &'a Node, what: &str, at: At, problems: &'a Problems) -> Self {
        let (entries, broken): (&[_], _) = match &node.value {
            Value::Map(entries) => (entries, false),
            _ if node.is_null() => (&[], false),
            _ => {
                problems.add(
                    node.at,
                    format!("{what} must be a mapping (key: value), not {}", node.kind()),
                );
                (&[], true)
            }
        };
        Self {
            what: what.to_owned(),
            at,
            entries,
            taken: vec![false; entries.len()],
            known: Vec::new(),
            broken,
            problems,
        }
    }

    /// Returns the place of a key, whether it was taken or not.
    pub fn place(&self, key: &str) -> Option<At> {
        let (key, _) = self.entries.iter().find(|(k, _)| k.text == key)?;
        Some(key.at)
    }

    /// Returns the value of a key, whether it was taken or not.
    pub fn peek(&self, key: &str) -> Option<&'a Node> {
        let (_, node) = self.entries.iter().find(|(k, _)| k.text == key)?;
        Some(node)
    }

    /// Returns true for a mapping without any value: no keys, or only keys that were left blank.
    pub fn is_blank(&self) -> bool {
        let is_blank = |node: &Node| match &node.value {
            Value::Scalar { text, .. } => node.is_null() || text.trim().is_empty(),
            Value::List(_) | Value::Map(_) => false,
        };
        !self.broken && self.entries.iter().all(|(_, node)| is_blank(node))
    }

    /// Takes a key, if it is there.
    pub fn take(&mut self, key: &str) -> Option<Field<'a>> {
        self.known.push(key.to_owned());
        self.lift(key)
    }

    /// Takes a required key; its absence is an error.
    pub fn need(&mut self, key: &str) -> Option<Field<'a>> {
        let field = self.take(key);
        if field.is_none() {
            self.lacks(&format!("{key}: add it"));
        }
        field
    }

    /// Rejects a key that does not belong here, for this reason.
    pub fn refuse(&mut self, key: &str, why: impl Into<String>) {
        if let Some(field) = self.lift(key) {
            self.problems.add(field.at, why);
        }
    }

    /// Adds the error that something is missing, and what to add; none when the section could not be read.
    pub fn lacks(&self, what: &str) {
        if !self.broken {
            self.problems
                .add(self.at, format!("{} needs {what}", self.what));
        }
    }

    /// Adds an error at a place within the section.
    pub fn problem(&self, at: At, message: &str) {
        self.problems.add(at, message);
    }

    fn lift(&mut self, key: &str) -> Option<Field<'a>> {
        let index = self.entries.iter().position(|(k, _)| k.text == key)?;
        *self.taken.get_mut(index)? = true;
        let (key, node) = self.entries.get(index)?;
        Some(Field {
            name: key.text.clone(),
            at: key.at,
            node,
            problems: self.problems,
        })
    }

    /// Reports the keys that were not taken.
    pub fn finish(self) {
        for ((key, _), taken) in self.entries.iter().zip(&self.taken) {
            if *taken {
                continue;
            }
            let head = key.text.split(':').next().unwrap_or_default();
            let advice = if head.len() < key.text.len() && self.known.iter().any(|k| k == head) {
                "put a space after the colon".to_owned()
            } else if let Some(near) = suggest::closest(&key.text, &self.known) {
                format!("did you mean {near}?")
            } else {
                format!("{} takes {}", self.what, self.known.join(", "))
            };
            let shown = shown_key(&key.text);
            self.problems
                .add(key.at, format!("unknown key {shown}: {advice}"));
        }
    }
}

#[cfg(test)]
mod tests;
