//! One line of the exposition: labels escaped, numbers in plain decimals.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::series::{Draft, Labels};
use crate::text;

/// A sample's value. There is no NaN and no infinity: a number that is neither is left out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    /// A whole number.
    Count(u64),
    /// 1 or 0.
    Flag(bool),
    /// Any number.
    Real(f64),
    /// A time, as seconds since 1970.
    At(Timestamp),
    /// A length, in seconds.
    Length(Duration),
    /// From one time to another, in seconds, never below 0.
    Between(Timestamp, Timestamp),
    /// From this time to the scrape, in seconds, never below 0.
    Since(Timestamp),
}

/// A line whose value is made when it is scraped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moving {
    /// Its family's place in the table.
    pub(crate) family: usize,
    /// Its labels by their place.
    pub(crate) labels: u32,
    /// Further labels.
    more: Box<str>,
    since: Timestamp,
}

/// Adds what follows the labels of a moving line, as it is at `now`.
pub(crate) fn push_since(line: &Moving, now: Timestamp, out: &mut String) {
    out.push_str(&line.more);
    out.push_str("} ");
    push_millis(out, millis_between(line.since, now));
    out.push('\n');
}

/// Takes the lines of one family of one cluster.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    family: usize,
    draft: &'a mut Draft,
}

impl<'a> Rows<'a> {
    /// Lines of the `family`th of the table.
    pub(crate) fn new(family: usize, draft: &'a mut Draft) -> Self {
        Self { family, draft }
    }

    /// Adds a line; `more` labels are written one after another as they are, each with the comma before it.
    pub(crate) fn row(&mut self, labels: &Labels, more: &[&str], value: Value) {
        if matches!(value, Value::Real(number) if !number.is_finite()) {
            return;
        }
        if let Value::Since(since) = value {
            self.draft.moving.push(Moving {
                family: self.family,
                labels: labels.id,
                more: more.concat().into(),
                since,
            });
            return;
        }
        let text = &mut self.draft.tails;
        let start = text.len();
        for part in more {
            text.push_str(part);
        }
        text.push_str("} ");
        match value {
            Value::Count(number) => push(text, number),
            Value::Flag(flag) => text.push(if flag { '1' } else { '0' }),
            Value::Real(number) => push(text, number),
            Value::At(at) => push_millis(text, at.as_millisecond()),
            Value::Length(length) => {
                let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
                push_millis(text, millis);
            }
            Value::Between(from, to) => push_millis(text, millis_between(from, to)),
            Value::Since(_) => {}
        }
        text.push('\n');
        let len = text.len() - start;
        self.draft.add(labels, len);
    }

    /// Adds a line for each state: 1 for the one it is in, 0 for the others.
    pub(crate) fn one_hot(
        &mut self,
        labels: &Labels,
        more: &str,
        states: impl Iterator<Item = (&'static str, bool)>,
    ) {
        for (state, is) in states {
            self.row(labels, &[more, ",status=\"", state, "\""], Value::Flag(is));
        }
    }

    /// Adds a line when there is a value.
    pub(crate) fn some(&mut self, labels: &Labels, value: Option<Value>) {
        if let Some(value) = value {
            self.row(labels, &[], value);
        }
    }
}

/// Adds `name="value"` with a comma before it unless it is the first. Control characters and those of
/// format are escaped first: they are legal in both formats, but readers do not agree on what ends a
/// line, and people could not tell two names apart. Both formats then escape the backslash and the quote.
pub(crate) fn push_label(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push(',');
    }
    push_bare_label(out, name, value);
}

/// Adds `,name="value"`, escaped in this way.
pub(crate) fn push_more_label(out: &mut String, name: &str, value: &str) {
    out.push(',');
    push_bare_label(out, name, value);
}

fn push_bare_label(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str("=\"");
    for c in text::escaped(value).chars() {
        match c {
            '\\' => out.push_str(r"\\"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn millis_between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_millisecond()
        .saturating_sub(from.as_millisecond())
        .max(0)
}

/// Adds seconds with as many decimals as the milliseconds need. By hand, since each scrape does it for
/// each moving line.
pub(crate) fn push_millis(out: &mut String, millis: i64) {
    if millis < 0 {
        out.push('-');
    }
    let millis = millis.unsigned_abs();
    push_digits(out, millis / 1000, 1);
    match millis % 1000 {
        0 => {}
        m if m % 100 == 0 => push_decimals(out, m / 100, 1),
        m if m % 10 == 0 => push_decimals(out, m / 10, 2),
        m => push_decimals(out, m, 3),
    }
}

fn push_decimals(out: &mut String, decimals: u64, digits: usize) {
    out.push('.');
    push_digits(out, decimals, digits);
}

/// Adds a number with this many digits at least.
fn push_digits(out: &mut String, mut number: u64, least: usize) {
    // The longest number has 20 digits.
    let mut digits = [b'0'; 20];
    let mut len = 0;
    for place in digits.iter_mut().rev() {
        if number == 0 && len >= least {
            break;
        }
        *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        len += 1;
    }
    let digits = digits.get(digits.len() - len..).unwrap_or_default();
    out.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    write!(out, "{value}").expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{parse, sample};
    use super::*;

    /// Returns what follows the labels of a line, and the moving line.
    fn row(value: Value) -> (String, Vec<Moving>) {
        let labels = Labels {
            id: 0,
            text: "z=\"\"".to_owned(),
        };
        let mut draft = Draft::default();
        Rows::new(3, &mut draft).row(&labels, &[",a=\"", "b\""], value);
        (draft.tails, draft.moving)
    }

    #[test]
    fn numbers_are_plain_decimals() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        for (value, text) in [
            (Value::Count(u64::MAX), "18446744073709551615"),
            (Value::Flag(true), "1"),
            (Value::Real(0.5), "0.5"),
            (Value::Real(1e-7), "0.0000001"),
            (Value::Real(1e21), "1000000000000000000000"),
            (Value::At(at(1_760_000_000_000)), "1760000000"),
            (Value::At(at(1_760_000_000_120)), "1760000000.12"),
            (Value::At(at(1_760_000_000_001)), "1760000000.001"),
            (Value::At(at(-500)), "-0.5"),
            (Value::Length(Duration::from_millis(1500)), "1.5"),
            (Value::Between(at(1000), at(4250)), "3.25"),
            (Value::Between(at(4250), at(1000)), "0"),
        ] {
            assert_eq!(row(value), (format!(",a=\"b\"}} {text}\n"), Vec::new()));
        }
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(row(Value::Real(value)), (String::new(), Vec::new()));
        }
    }

    #[test]
    fn moving_lines_take_their_value_later() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let (text, moving) = row(Value::Since(at(100)));
        assert_eq!(text, "");
        let mut out = String::new();
        push_since(&moving[0], at(107), &mut out);
        push_since(&moving[0], at(99), &mut out);
        assert_eq!(out, ",a=\"b\"} 7\n,a=\"b\"} 0\n");
        assert_eq!(moving[0].family, 3);
    }

    #[test]
    fn labels_cannot_leave_their_quotes_or_their_line() {
        let mut out = String::new();
        push_label(&mut out, "a", "b\"} 1\nc\\");
        push_label(&mut out, "d", "\r\u{1b}\u{2028}한é");
        assert_eq!(out, r#"a="b\"} 1\\u{a}c\\",d="\\u{d}\\u{1b}\\u{2028}한é""#);
    }

    proptest! {
        #[test]
        fn readers_get_escaped_values(value in "[a\\\\\"u{1b}\u{0}-\u{9f}\u{2028}-\u{202e}한]{0,12}") {
            let mut labels = String::new();
            push_label(&mut labels, "a", &value);
            let families = parse(&format!("# HELP x Help\n# TYPE x gauge\nx{{{labels}}} 1\n"));
            let escaped = text::escaped(&value);
            prop_assert_eq!(sample(&families, "x", &[("a", &escaped)]), Some(1.0));
        }
    }
}
