//! A walker over the tree: takes known keys, reads typed values, and tells everything that is
//! wrong instead of stopping at the first.

pub(crate) mod duration;
pub(super) mod suggest;

use std::ops::RangeInclusive;
use std::time::Duration;

use super::problem::{At, Problems, either};
use super::tree::{Key, Node, Value, shown};
use crate::text::quote;
use duration::Bounds;

/// A mapping whose keys are taken one by one; [`Section::finish`] tells those that nobody took.
pub(crate) struct Section<'a> {
    what: String,
    at: At,
    entries: &'a [(Key, Node)],
    taken: Vec<bool>,
    known: Vec<String>,
    broken: bool,
    problems: &'a Problems,
}

/// A value under its name: that of its key, or `an entry of` its list.
pub(crate) struct Field<'a> {
    pub(crate) name: String,
    /// The key's place; that of the value itself in a list.
    pub(crate) at: At,
    pub(crate) node: &'a Node,
    pub(crate) problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// A mapping of any size. Something else is a problem, and then a mapping that misses nothing.
    pub(crate) fn new(node: &'a Node, what: &str, at: At, problems: &'a Problems) -> Self {
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

    /// Where a key stands, whether it was taken or not.
    pub(crate) fn place(&self, key: &str) -> Option<At> {
        let (key, _) = self.entries.iter().find(|(k, _)| k.text == key)?;
        Some(key.at)
    }

    /// Returns the value of a key, whether it was taken or not.
    pub(crate) fn peek(&self, key: &str) -> Option<&'a Node> {
        let (_, node) = self.entries.iter().find(|(k, _)| k.text == key)?;
        Some(node)
    }

    /// Whether it is a mapping without any value: no keys, or only such as were left blank.
    pub(crate) fn is_blank(&self) -> bool {
        let is_blank = |node: &Node| match &node.value {
            Value::Scalar { text, .. } => node.is_null() || text.trim().is_empty(),
            Value::List(_) | Value::Map(_) => false,
        };
        !self.broken && self.entries.iter().all(|(_, node)| is_blank(node))
    }

    /// Takes a key, if it is there.
    pub(crate) fn take(&mut self, key: &str) -> Option<Field<'a>> {
        self.known.push(key.to_owned());
        self.lift(key)
    }

    /// Takes a key that must be there.
    pub(crate) fn need(&mut self, key: &str) -> Option<Field<'a>> {
        let field = self.take(key);
        if field.is_none() {
            self.lacks(&format!("{key}: add it"));
        }
        field
    }

    /// Takes a key that does not belong here, and says why.
    pub(crate) fn refuse(&mut self, key: &str, why: impl Into<String>) {
        if let Some(field) = self.lift(key) {
            self.problems.add(field.at, why);
        }
    }

    /// Tells that something is missing and what to add; nothing when the section could not be read at all.
    pub(crate) fn lacks(&self, what: &str) {
        if !self.broken {
            self.problems
                .add(self.at, format!("{} needs {what}", self.what));
        }
    }

    /// Tells a problem at a place within the section.
    pub(crate) fn problem(&self, at: At, message: &str) {
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

    /// Tells the keys that nobody took.
    pub(crate) fn finish(self) {
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
            let shown = shown(&key.text);
            self.problems
                .add(key.at, format!("unknown key {shown}: {advice}"));
        }
    }
}

impl<'a> Field<'a> {
    /// Tells a problem with the value, at its place.
    pub(crate) fn wrong(&self, message: impl Into<String>) {
        self.problems.add(self.place(), message);
    }

    /// Tells that the value is legal and likely wrong, at its place.
    pub(crate) fn odd(&self, message: impl Into<String>) {
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

    /// The value as a mapping.
    pub(crate) fn section(&self) -> Section<'a> {
        Section::new(self.node, &self.name, self.at, self.problems)
    }

    /// The items of a list; none when it is something else.
    pub(crate) fn items(&self) -> Option<Vec<Field<'a>>> {
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

    /// Text of any form, with what surrounds it; only not empty.
    pub(crate) fn raw(&self) -> Option<&'a str> {
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

    /// One line of text.
    pub(crate) fn text(&self) -> Option<&'a str> {
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

    /// Text of these ASCII characters besides letters and digits.
    pub(crate) fn word(&self, others: &str) -> Option<&'a str> {
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

    /// One of these words.
    pub(crate) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
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

    /// `true` or `false`.
    pub(crate) fn bool(&self) -> Option<bool> {
        self.one_of(&[("true", true), ("false", false)])
    }

    /// A whole number, in digits and nothing else.
    pub(crate) fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
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

    /// A number, in digits with at most one point.
    pub(crate) fn decimal(&self, range: RangeInclusive<f64>) -> Option<f64> {
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

    /// A length of time.
    pub(crate) fn duration(&self, bounds: Bounds) -> Option<Duration> {
        match duration::read(self.text()?, bounds) {
            Ok(length) => Some(length),
            Err(why) => {
                self.wrong(format!("{} {why}", self.name));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree;

    /// Reads `text` with `read`, and gives what was wrong.
    fn wrong(text: &str, read: impl FnOnce(&mut Section<'_>)) -> Vec<String> {
        let problems = Problems::default();
        if let Some(node) = tree::parse(text, &problems) {
            let mut section = Section::new(&node, "the file", node.at, &problems);
            read(&mut section);
            section.finish();
        }
        problems
            .into_sorted()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn keys_that_nobody_took_are_told() {
        let found = wrong("regoin: x\nzebra: y\n", |s| {
            assert!(s.take("region").is_none());
            assert!(s.take("zone").is_none());
        });
        assert_eq!(
            found,
            [
                "1:1: unknown key \"regoin\": did you mean region?",
                "2:1: unknown key \"zebra\": the file takes region, zone",
            ]
        );
    }

    #[test]
    fn a_key_without_the_space_after_its_colon_does_not_show_its_value() {
        let found = wrong("{secret:hunter2, zone: a}", |s| {
            assert!(s.take("secret").is_none());
            assert!(s.take("zone").is_some());
        });
        assert_eq!(
            found,
            ["1:2: unknown key \"secret…\": put a space after the colon"]
        );
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        for bad in [
            "0x10",
            "1_000",
            "+5",
            "-1",
            "1.0",
            "1e3",
            "٣",
            "0",
            "99999999999999999999999",
        ] {
            let found = wrong(&format!("n: {bad}"), |s| {
                let field = s.take("n").unwrap();
                assert_eq!(field.integer(1..=1000), None);
            });
            assert_eq!(found.len(), 1, "{bad}: {found:?}");
        }
        for bad in ["inf", "NaN", "1e3", "-1", ".", "1.2.3", "0.0000001", "1001"] {
            let found = wrong(&format!("n: {bad}"), |s| {
                let field = s.take("n").unwrap();
                assert_eq!(field.decimal(0.001..=1000.0), None);
            });
            assert_eq!(found.len(), 1, "{bad}: {found:?}");
        }
        let found = wrong("a: 7\nb: '8'\nc: 0.5\nd: true\n", |s| {
            assert_eq!(s.take("a").unwrap().integer(1..=9), Some(7));
            assert_eq!(s.take("b").unwrap().integer(1..=9), Some(8));
            assert_eq!(s.take("c").unwrap().decimal(0.1..=9.0), Some(0.5));
            assert_eq!(s.take("d").unwrap().bool(), Some(true));
        });
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn text_is_what_is_written() {
        let found = wrong("a: no\nb: 1.10\nc: ~\nd: \"x\\ny\"\ne: [x]\nf: ''\n", |s| {
            assert_eq!(s.take("a").unwrap().text(), Some("no"));
            assert_eq!(s.take("b").unwrap().text(), Some("1.10"));
            for bad in ["c", "d", "e", "f"] {
                assert_eq!(s.take(bad).unwrap().text(), None);
            }
        });
        assert_eq!(
            found,
            [
                "3:1: c is empty: give it a value, or remove it",
                "4:4: d must be one line of text without control characters or spaces around it",
                "5:4: e must be text, not a list",
                "6:4: f is empty: give it a value, or remove it",
            ]
        );
    }

    #[test]
    fn a_section_that_is_none_misses_nothing() {
        let found = wrong("a: text\n", |s| {
            let mut inner = s.take("a").unwrap().section();
            assert!(inner.need("b").is_none());
            inner.finish();
        });
        assert_eq!(found, ["1:4: a must be a mapping (key: value), not text"]);
    }
}
