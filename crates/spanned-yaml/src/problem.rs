//! Errors in a file and warnings about it, with their places.

use std::cell::RefCell;
use std::fmt;

/// Place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
}

impl At {
    /// First character of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Error in a file, or warning about it. Its text never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// Error and its remedy: one sentence, lower case, no full stop.
    pub message: String,
    /// True for a value that is legal and likely wrong: the file can be used all the same.
    pub is_warning: bool,
}

impl Problem {
    /// Builds an error at a place.
    pub fn new(at: At, message: impl Into<String>) -> Self {
        Self {
            line: at.line,
            column: at.column,
            message: message.into(),
            is_warning: false,
        }
    }

    /// Returns its place, as `line:column`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.line, self.column)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_warning { "warning: " } else { "" };
        write!(f, "{}: {kind}{}", self.place(), self.message)
    }
}

/// Collects problems, so that one reading of a file tells all of them.
#[derive(Debug, Default)]
pub struct Problems {
    errors: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

/// Problems of either kind that are kept: a file of another kind could have a hundred thousand.
const MOST: usize = 1000;

impl Problems {
    /// Adds an error, unless there are too many already.
    pub fn add(&self, at: At, message: impl Into<String>) {
        push(&self.errors, Problem::new(at, message));
    }

    /// Adds a warning, unless there are too many already.
    pub fn warn(&self, at: At, message: impl Into<String>) {
        let problem = Problem::new(at, message);
        let is_warning = true;
        push(
            &self.warnings,
            Problem {
                is_warning,
                ..problem
            },
        );
    }

    /// Returns errors and warnings by their place. An anchor that is used twice tells its problems once.
    pub fn into_sorted(self) -> Vec<Problem> {
        let mut all = self.errors.into_inner();
        all.append(&mut self.warnings.into_inner());
        all.sort();
        all.dedup();
        all
    }

    /// Returns the value.
    ///
    /// # Errors
    /// Returns errors and warnings when there is no value or at least one error.
    pub fn settle<T>(self, value: Option<T>) -> Result<T, Vec<Problem>> {
        self.settle_with_warnings(value).map(|(value, _)| value)
    }

    /// Returns the value and the warnings about it.
    ///
    /// # Errors
    /// Returns errors and warnings when there is no value or at least one error.
    pub fn settle_with_warnings<T>(
        self,
        value: Option<T>,
    ) -> Result<(T, Vec<Problem>), Vec<Problem>> {
        let has_errors = !self.errors.borrow().is_empty();
        if !has_errors && value.is_none() {
            self.add(At::START, "this file cannot be read");
        }
        let all = self.into_sorted();
        match value {
            Some(value) if !has_errors => Ok((value, all)),
            _ => Err(all),
        }
    }
}

fn push(problems: &RefCell<Vec<Problem>>, problem: Problem) {
    let mut problems = problems.borrow_mut();
    if problems.len() < MOST {
        problems.push(problem);
    }
}

/// Joins words: `a`, `a or b`, `a, b or c`.
pub fn either<S: AsRef<str>>(words: &[S]) -> String {
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
    fn warnings_stand_between_errors_and_are_no_error() {
        let (first, second) = (At::START, At { line: 2, column: 1 });
        let problems = Problems::default();
        problems.warn(second, "odd");
        let (value, warnings) = problems.settle_with_warnings(Some(7)).unwrap();
        assert_eq!(value, 7);
        assert_eq!(warnings[0].to_string(), "2:1: warning: odd");

        let problems = Problems::default();
        problems.add(At { line: 3, column: 1 }, "bad");
        problems.warn(second, "odd");
        problems.add(first, "bad");
        let all = problems.settle(Some(7)).unwrap_err();
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(all, ["1:1: bad", "2:1: warning: odd", "3:1: bad"]);
    }

    #[test]
    fn any_number_of_warnings_hides_no_error() {
        let problems = Problems::default();
        for line in 1..=MOST {
            problems.warn(At { line, column: 1 }, "odd");
        }
        problems.add(At::START, "bad");
        assert!(problems.settle(Some(7)).is_err());
    }

    #[test]
    fn words_are_joined_as_people_do() {
        assert_eq!(either(&["a"]), "a");
        assert_eq!(either(&["a", "b"]), "a or b");
        assert_eq!(either(&["a", "b", "c"]), "a, b or c");
    }
}
