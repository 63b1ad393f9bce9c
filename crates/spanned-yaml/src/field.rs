//! Values under their names, read as what the program needs.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::duration::{self, Bounds};
use crate::node::{Node, Value};
use crate::problem::{At, Problems, either};
use crate::quote::quote;
use crate::section::Section;

/// Value under a name that messages use.
pub struct Field<'a> {
    /// Name of the key, or `an entry of` its list.
    pub name: String,
    /// Place of the key; of the value itself in a list.
    pub at: At,
    /// Value with its place.
    pub node: &'a Node,
    /// Problems of the file.
    pub problems: &'a Problems,
}

impl<'a> Field<'a> {
    /// Adds an error at the place of the value.
    pub fn wrong(&self, message: impl Into<String>) {
        self.problems.add(self.place(), message);
    }

    /// Adds a warning at the place of the value, which is legal and likely wrong.
    pub fn odd(&self, message: impl Into<String>) {
        self.problems.warn(self.place(), message);
    }

    /// Returns the place of the value; that of its key where nothing is written.
    fn place(&self) -> At {
        if self.node.is_null() {
            self.at
        } else {
            self.node.at
        }
    }

    /// Returns the value as a mapping.
    pub fn section(&self) -> Section<'a> {
        Section::new(self.node, &self.name, self.at, self.problems)
    }

    /// Returns the items of a list; `None`, with an error, when the value is something else.
    pub fn items(&self) -> Option<Vec<Field<'a>>> {
        let items: &[Node] = match &self.node.value {
            Value::List(items) => items,
            _ if self.node.is_null() => &[],
            _ => {
                self.wrong(format!(
                    "{} must be a list, not {}",
                    self.name,
                    self.node.kind()
                ));
                return None;
            }
        };
        let field = |node: &'a Node| Field {
            name: format!("an entry of {}", self.name),
            at: node.at,
            node,
            problems: self.problems,
        };
        Some(items.iter().map(field).collect())
    }

    /// Returns text of any form, with the blanks around it; it may not be empty.
    pub fn raw(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Scalar { text, .. } if !self.node.is_null() && !text.trim().is_empty() => {
                Some(text)
            }
            Value::Scalar { .. } => {
                self.wrong(format!(
                    "{} is empty: give it a value, or remove it",
                    self.name
                ));
                None
            }
            _ => {
                self.wrong(format!(
                    "{} must be text, not {}",
                    self.name,
                    self.node.kind()
                ));
                None
            }
        }
    }

    /// Returns one line of text.
    pub fn text(&self) -> Option<&'a str> {
        let text = self.raw()?;
        if text.chars().any(char::is_control) || text.trim().len() < text.len() {
            self.wrong(format!(
                "{} must be one line of text without control characters or spaces around it",
                self.name
            ));
            return None;
        }
        Some(text)
    }

    /// Returns text of ASCII letters, digits and these other characters.
    pub fn word(&self, others: &str) -> Option<&'a str> {
        let text = self.text()?;
        let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
        if !text.chars().all(fits) {
            let others: Vec<String> = others.chars().map(|c| format!("{c:?}")).collect();
            let others = match others.as_slice() {
                [] => String::new(),
                some => format!(", {}", some.join(", ")),
            };
            self.wrong(format!(
                "{} may hold only letters, digits{others}",
                self.name
            ));
            return None;
        }
        Some(text)
    }

    /// Returns the value of one of these words.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(format!(
                "{} must be {}, not {}",
                self.name,
                either(&words),
                quote(text)
            ));
        }
        found.map(|(_, value)| *value)
    }

    /// Returns `true` or `false`.
    pub fn bool(&self) -> Option<bool> {
        self.one_of(&[("true", true), ("false", false)])
    }

    /// Returns a whole number, written in digits and nothing else.
    pub fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let text = self.text()?;
        let number = Some(text)
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|number| range.contains(number));
        if number.is_none() {
            self.wrong(format!(
                "{} must be a whole number from {} to {}, not {}",
                self.name,
                range.start(),
                range.end(),
                quote(text)
            ));
        }
        number
    }

    /// Returns a number, written in digits with at most one point.
    pub fn decimal(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let text = self.text()?;
        let number = Some(text)
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
            .and_then(|text| text.parse().ok())
            .filter(|number| range.contains(number));
        if number.is_none() {
            self.wrong(format!(
                "{} must be a number from {} to {}, not {}",
                self.name,
                range.start(),
                range.end(),
                quote(text)
            ));
        }
        number
    }

    /// Returns a length of time.
    pub fn duration(&self, bounds: Bounds) -> Option<Duration> {
        match duration::read(self.text()?, bounds) {
            Ok(length) => Some(length),
            Err(why) => {
                self.wrong(format!("{} {why}", self.name));
                None
            }
        }
    }
}
