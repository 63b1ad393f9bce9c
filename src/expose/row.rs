//! One line of the exposition: labels escaped, numbers in plain decimals.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

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
    /// The line up to its value.
    head: String,
    since: Timestamp,
}

impl Moving {
    /// Writes the line as it is at `now`.
    pub(crate) fn write(&self, now: Timestamp, out: &mut String) {
        out.push_str(&self.head);
        push_millis(out, millis_between(self.since, now));
        out.push('\n');
    }
}

/// Takes the lines of one family of one cluster.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    family: usize,
    name: &'static str,
    text: &'a mut String,
    moving: &'a mut Vec<Moving>,
}

impl<'a> Rows<'a> {
    /// Lines of the family `name`, which is the `family`th of the table.
    pub(crate) fn new(
        (family, name): (usize, &'static str),
        text: &'a mut String,
        moving: &'a mut Vec<Moving>,
    ) -> Self {
        Self {
            family,
            name,
            text,
            moving,
        }
    }

    /// Adds a line; `labels` are written one after another as they are.
    pub(crate) fn row(&mut self, labels: &[&str], value: Value) {
        if matches!(value, Value::Real(number) if !number.is_finite()) {
            return;
        }
        let start = self.text.len();
        self.text.push_str(self.name);
        self.text.push('{');
        for part in labels {
            self.text.push_str(part);
        }
        self.text.push_str("} ");
        match value {
            Value::Count(number) => push(self.text, number),
            Value::Flag(flag) => push(self.text, u8::from(flag)),
            Value::Real(number) => push(self.text, number),
            Value::At(at) => push_millis(self.text, at.as_millisecond()),
            Value::Length(length) => push_millis(
                self.text,
                i64::try_from(length.as_millis()).unwrap_or(i64::MAX),
            ),
            Value::Between(from, to) => push_millis(self.text, millis_between(from, to)),
            Value::Since(since) => {
                self.moving.push(Moving {
                    family: self.family,
                    head: self.text.split_off(start),
                    since,
                });
                return;
            }
        }
        self.text.push('\n');
    }

    /// Adds a line for each state: 1 for the one it is in, 0 for the others.
    pub(crate) fn one_hot(
        &mut self,
        labels: &str,
        states: impl Iterator<Item = (&'static str, bool)>,
    ) {
        for (state, is) in states {
            self.row(&[labels, ",status=\"", state, "\""], Value::Flag(is));
        }
    }

    /// Adds a line when there is a value.
    pub(crate) fn some(&mut self, labels: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.row(&[labels], value);
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

/// Seconds with as many decimals as the milliseconds need.
fn push_millis(out: &mut String, millis: i64) {
    if millis < 0 {
        out.push('-');
    }
    let millis = millis.unsigned_abs();
    push(out, millis / 1000);
    match millis % 1000 {
        0 => {}
        m if m % 100 == 0 => push(out, format_args!(".{}", m / 100)),
        m if m % 10 == 0 => push(out, format_args!(".{:02}", m / 10)),
        m => push(out, format_args!(".{m:03}")),
    }
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    write!(out, "{value}").expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{parse, sample};
    use super::*;

    fn row(value: Value) -> (String, Vec<Moving>) {
        let (mut text, mut moving) = (String::new(), Vec::new());
        Rows::new((3, "x"), &mut text, &mut moving).row(&["a=\"", "b\""], value);
        (text, moving)
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
            assert_eq!(row(value), (format!("x{{a=\"b\"}} {text}\n"), Vec::new()));
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
        moving[0].write(at(107), &mut out);
        moving[0].write(at(99), &mut out);
        assert_eq!(out, "x{a=\"b\"} 7\nx{a=\"b\"} 0\n");
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
