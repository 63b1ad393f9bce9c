//! Values of a log line: bounded, and escaped so that none ends the line or reads like another field.

use std::fmt::{self, Debug, Write};

use crate::text::is_unprintable;
use crate::text::json::write_escape;

/// Bytes of a value; the rest of it is cut.
const VALUE: usize = 4 * 1024;

/// Bytes of all values of a line. With the time, the level and the names of the fields a line stays
/// below 16 KiB.
const VALUES: usize = 15 * 1024;

/// Stands where a value was cut.
const CUT: char = '…';

/// Collects a value, at most [`VALUE`] bytes of it.
pub(super) fn collect(value: &dyn Debug) -> String {
    let mut collected = Collector::default();
    // A value that cannot be written is shown as far as it was.
    write!(collected, "{value:?}").unwrap_or_default();
    collected.text
}

/// Cuts a text after [`VALUE`] bytes.
pub(super) fn cut(text: &str) -> String {
    let mut collected = Collector::default();
    collected.write_str(text).unwrap_or_default();
    collected.text
}

#[derive(Default)]
struct Collector {
    text: String,
    is_cut: bool,
}

impl Write for Collector {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_cut {
            return Ok(());
        }
        let left = VALUE.saturating_sub(self.text.len());
        let mut end = left.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.text.push_str(text.get(..end).unwrap_or_default());
        if end < text.len() {
            self.is_cut = true;
            self.text.push(CUT);
        }
        Ok(())
    }
}

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes.
    Bare,
    /// In quotes, for people.
    Quoted,
    /// A JSON string.
    Json,
}

/// Room for values that is left in a line.
#[derive(Debug)]
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(VALUES)
    }
}

impl Room {
    /// Writes a value, as much of it as there is room for.
    pub(super) fn write(&mut self, out: &mut impl Write, style: Style, value: &str) -> fmt::Result {
        let quote = if style == Style::Bare { "" } else { "\"" };
        out.write_str(quote)?;
        let mut escape = String::new();
        for c in value.chars() {
            escape.clear();
            push(&mut escape, style, c)?;
            let Some(left) = self.0.checked_sub(escape.len()) else {
                out.write_char(CUT)?;
                break;
            };
            self.0 = left;
            out.write_str(&escape)?;
        }
        out.write_str(quote)
    }
}

fn push(out: &mut String, style: Style, c: char) -> fmt::Result {
    match (style, c) {
        (Style::Quoted | Style::Json, '"' | '\\') => {
            out.push('\\');
            out.push(c);
        }
        (Style::Quoted | Style::Json, '\n') => out.push_str("\\n"),
        (Style::Quoted | Style::Json, '\r') => out.push_str("\\r"),
        (Style::Quoted | Style::Json, '\t') => out.push_str("\\t"),
        (Style::Json, c) if is_unprintable(c) => write_escape(out, c)?,
        (_, c) if is_unprintable(c) => out.extend(c.escape_unicode()),
        (_, c) => out.push(c),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(style: Style, value: &str) -> String {
        let mut out = String::new();
        Room::default().write(&mut out, style, value).unwrap();
        out
    }

    #[test]
    fn each_style_has_its_escapes() {
        let text = "a \"b\" \\ \n\r\t\u{9b}\u{202e}\u{e0001}한";
        for (style, want) in [
            (
                Style::Bare,
                "a \"b\" \\ \\u{a}\\u{d}\\u{9}\\u{9b}\\u{202e}\\u{e0001}한",
            ),
            (
                Style::Quoted,
                r#""a \"b\" \\ \n\r\t\u{9b}\u{202e}\u{e0001}한""#,
            ),
            (
                Style::Json,
                r#""a \"b\" \\ \n\r\t\u009b\u202e\udb40\udc01한""#,
            ),
        ] {
            assert_eq!(written(style, text), want);
        }
    }

    #[test]
    fn values_and_lines_are_cut_between_characters() {
        let long = "가".repeat(3_000_000);
        let collected = collect(&format_args!("{long}"));
        assert_eq!(collected.trim_start_matches('가'), "…");
        assert!((VALUE..VALUE + 6).contains(&collected.len()));
        assert_eq!(cut(&long), collected);
        assert_eq!(cut("short"), "short");
        let (mut out, mut room) = (String::new(), Room::default());
        for _ in 0..20 {
            room.write(&mut out, Style::Quoted, &cut(&"\u{202e}".repeat(9_000)))
                .unwrap();
        }
        assert!((VALUES..VALUES + 200).contains(&out.len()), "{}", out.len());
        assert!(out.ends_with("\"…\"\"…\""));
    }

    proptest! {
        #[test]
        fn json_strings_are_read_as_they_were(text in any::<String>()) {
            let json = written(Style::Json, &text);
            prop_assert!(!json.contains(is_unprintable));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
