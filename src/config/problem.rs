//! What is wrong with a file, and where: [`Problem`], and [`Problems`], which collects them.

use std::cell::RefCell;
use std::fmt;

/// A place in a text; line and column (in characters) count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl At {
    /// The first character of a text.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One thing that is wrong with a file. Its text never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong and what to do about it: one sentence, lower case, no full stop.
    pub message: String,
}

impl Problem {
    /// A problem at a place.
    pub(crate) fn new(at: At, message: impl Into<String>) -> Self {
        Self {
            line: at.line,
            column: at.column,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// Collects problems, so that one reading of a file tells all of them.
#[derive(Debug, Default)]
pub(crate) struct Problems(RefCell<Vec<Problem>>);

/// Nobody reads more, and a file of another kind could have a hundred thousand.
const MOST: usize = 1000;

impl Problems {
    /// Adds one, unless there are too many already.
    pub(crate) fn add(&self, at: At, message: impl Into<String>) {
        let mut all = self.0.borrow_mut();
        if all.len() < MOST {
            all.push(Problem::new(at, message));
        }
    }

    /// All of them by their place. An anchor that is used twice tells its problems once.
    pub(crate) fn into_sorted(self) -> Vec<Problem> {
        let mut all = self.0.into_inner();
        all.sort();
        all.dedup();
        all
    }

    /// The value, if nothing was wrong.
    pub(crate) fn settle<T>(self, value: Option<T>) -> Result<T, Vec<Problem>> {
        let mut all = self.into_sorted();
        match value {
            Some(value) if all.is_empty() => Ok(value),
            _ => {
                if all.is_empty() {
                    all.push(Problem::new(At::START, "this file cannot be read"));
                }
                Err(all)
            }
        }
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn either<S: AsRef<str>>(words: &[S]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [head @ .., last] => {
            let head: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
            format!("{} or {}", head.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_come_by_place_and_once() {
        let problems = Problems::default();
        problems.add(
            At {
                line: 10,
                column: 1,
            },
            "late",
        );
        problems.add(At { line: 2, column: 7 }, "early");
        problems.add(
            At {
                line: 10,
                column: 1,
            },
            "late",
        );
        let all: Vec<String> = problems
            .into_sorted()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(all, ["2:7: early", "10:1: late"]);
    }

    #[test]
    fn words_are_joined_as_people_do() {
        assert_eq!(either(&["a"]), "a");
        assert_eq!(either(&["a", "b"]), "a or b");
        assert_eq!(either(&["a", "b", "c"]), "a, b or c");
    }
}
