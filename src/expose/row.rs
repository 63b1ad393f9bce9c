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

/// A line whose value is made when it is scraped: the seconds since an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveLine {
    /// Its family's place in the table.
    pub(crate) family: usize,
    /// Labels by their place.
    pub(crate) labels: u32,
    /// Further labels.
    pub(crate) more: Box<str>,
    /// The instant.
    pub(crate) since: Timestamp,
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
    pub(crate) fn row(&mut self, labels: Labels, more: &[&str], value: Value) {
        if matches!(value, Value::Real(number) if !number.is_finite()) {
            return;
        }
        if let Value::Since(since) = value {
            self.draft.live.push(LiveLine {
                family: self.family,
                labels: labels.0,
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
        labels: Labels,
        more: &str,
        states: impl Iterator<Item = (&'static str, bool)>,
    ) {
        for (state, is) in states {
            self.row(labels, &[more, ",status=\"", state, "\""], Value::Flag(is));
        }
    }

    /// Adds a line when there is a value.
    pub(crate) fn some(&mut self, labels: Labels, value: Option<Value>) {
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

/// Adds seconds with as many decimals as the milliseconds need.
pub(crate) fn push_millis(out: &mut String, millis: i64) {
    out.push_str(Decimal::from_millis(millis).as_str());
}

/// A number of seconds with as many decimals as its milliseconds need. By hand, since each scrape writes one
/// for each live line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal {
    /// The number stands at the end.
    text: [u8; MOST_DIGITS],
    start: usize,
}

/// Length of the longest number of milliseconds, with a sign and a point.
pub(crate) const MOST_DIGITS: usize = 22;

impl Decimal {
    pub(crate) fn from_millis(millis: i64) -> Self {
        let mut decimal = Self {
            text: [0; MOST_DIGITS],
            start: MOST_DIGITS,
        };
        let number = millis.unsigned_abs();
        let (mut seconds, mut decimals) = (number / 1000, number % 1000);
        let mut digits = 3;
        while digits > 0 && decimals % 10 == 0 {
            (decimals, digits) = (decimals / 10, digits - 1);
        }
        if digits > 0 {
            for _ in 0..digits {
                decimal.put_digit(decimals % 10);
                decimals /= 10;
            }
            decimal.put(b'.');
        }
        loop {
            decimal.put_digit(seconds % 10);
            seconds /= 10;
            if seconds == 0 {
                break;
            }
        }
        if millis < 0 {
            decimal.put(b'-');
        }
        decimal
    }

    fn put_digit(&mut self, digit: u64) {
        self.put(b'0' + u8::try_from(digit).unwrap_or_default());
    }

    fn put(&mut self, byte: u8) {
        self.start -= 1;
        self.text[self.start] = byte;
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
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

    /// Returns what follows the labels of a line, and the live line.
    fn row(value: Value) -> (String, Vec<LiveLine>) {
        let mut draft = Draft::default();
        Rows::new(3, &mut draft).row(Labels(0), &[",a=\"", "b\""], value);
        (draft.tails, draft.live)
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
    fn a_live_line_takes_its_value_later() {
        let (text, live) = row(Value::Since(Timestamp::UNIX_EPOCH));
        assert_eq!(text, "");
        assert_eq!((live[0].family, &*live[0].more), (3, ",a=\"b\""));
    }

    #[test]
    fn the_longest_number_has_room() {
        let numbers = [i64::MIN, i64::MAX, -1, 0].map(Decimal::from_millis);
        assert_eq!(
            numbers.each_ref().map(Decimal::as_str),
            [
                "-9223372036854775.808",
                "9223372036854775.807",
                "-0.001",
                "0"
            ]
        );
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
