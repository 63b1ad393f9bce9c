//! Foreign text, made fit to be shown: in labels, logs, terminals, pages and JSON.
//!
//! Vendors, other exporters and Alertmanagers choose this text. A character that steers a terminal,
//! ends a line or turns the direction of reading is written as an escape such as `\u{1b}`, so that
//! it shows and does nothing.

pub mod json;
mod length;
mod words;

use std::borrow::Cow;
use std::fmt::{self, Write as _};

pub use length::length;
pub use spanned_yaml::{exact_length, quote};
pub use words::{clean, non_empty};

/// Begins an escape.
const ESCAPE: &str = "\\u{";

/// Returns true for characters that show nothing and change what is around them: line and paragraph
/// separators, marks of direction, and characters without width.
pub fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns true for characters that are never shown as they are: control characters (U+007F and
/// U+0080 to U+009F included) and those of [`is_format`].
pub fn is_unprintable(c: char) -> bool {
    c.is_control() || is_format(c)
}

/// Escapes a name, one to one: two names never become the same text.
///
/// An unprintable character becomes `\u{…}`. A backslash that would be read as the beginning of such
/// an escape becomes `\u{5c}`; every other backslash stays.
pub fn escaped(name: &str) -> Cow<'_, str> {
    if !name.contains(is_unprintable) && !name.contains(ESCAPE) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 8);
    for (place, c) in name.char_indices() {
        if is_escaped(name, place, c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Returns true where [`escaped`] writes the character at this place as an escape.
fn is_escaped(name: &str, place: usize, c: char) -> bool {
    is_unprintable(c) || name.get(place..).is_some_and(|n| n.starts_with(ESCAPE))
}

/// Returns the end of the longest beginning of a name that [`escaped`] writes with at most `max`
/// characters; the name's length where all of it fits.
pub fn escaped_prefix_len(name: &str, max: usize) -> usize {
    let mut written = 0;
    for (place, c) in name.char_indices() {
        written += if is_escaped(name, place, c) {
            c.escape_unicode().len()
        } else {
            1
        };
        if written > max {
            return place;
        }
    }
    name.len()
}

/// A sentence that holds foreign text, or any other value that is written for people: its `Display`
/// escapes unprintable characters.
///
/// Unlike [`escaped`] it leaves escapes alone that are there already, so that a sentence can pass
/// through it more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign<T>(pub T);

impl<T: fmt::Display> fmt::Display for Foreign<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// Escapes what is written to it.
struct Escaping<'a, W>(&'a mut W);

impl<W: fmt::Write> fmt::Write for Escaping<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(place) = rest.find(is_unprintable) {
            let (plain, from) = rest.split_at(place);
            self.0.write_str(plain)?;
            let mut chars = from.chars();
            if let Some(c) = chars.next() {
                write!(self.0, "{}", c.escape_unicode())?;
            }
            rest = chars.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Escapes each line of a text of several lines. The lines are the program's own: foreign text in
/// them is one line by [`Foreign`] or [`escaped`].
pub fn lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|l| Foreign(l).to_string()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reverses [`escaped`].
    fn unescaped(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(ESCAPE) {
            let (number, after) = after.split_once('}').unwrap();
            out.push_str(before);
            out.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
            rest = after;
        }
        out + rest
    }

    #[test]
    fn only_unprintable_characters_are_escaped() {
        for (name, want) in [
            ("plain 검색-1 日志 é", "plain 검색-1 日志 é"),
            ("a\x1b[31mb\x07\x7f", r"a\u{1b}[31mb\u{7}\u{7f}"),
            ("c1 \u{80}\u{9b}2J\u{9f}", r"c1 \u{80}\u{9b}2J\u{9f}"),
            ("two\r\nlines\t", r"two\u{d}\u{a}lines\u{9}"),
            ("\u{202e}x\u{2066}\u{feff}", r"\u{202e}x\u{2066}\u{feff}"),
            (r"C:\users \{u}", r"C:\users \{u}"),
            (r"\u{1b} \\u{", r"\u{5c}u{1b} \\u{5c}u{"),
        ] {
            assert_eq!(escaped(name), want);
        }
        assert!(matches!(escaped(r"a\b"), Cow::Borrowed(_)));
    }

    #[test]
    fn sentences_can_be_escaped_twice() {
        let once = Foreign(format_args!("it said {}", "\u{202e}\n")).to_string();
        assert_eq!(once, r"it said \u{202e}\u{a}");
        assert_eq!(Foreign(&once).to_string(), once);
        assert_eq!(lines("a\u{9b}\nb\r"), "a\\u{9b}\nb\\u{d}");
    }

    /// Characters that matter to escapes, and any other.
    fn name() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\\".to_owned()),
            Just("u{".to_owned()),
            Just("\\u{1b}".to_owned()),
            Just("\\u{5c}u{".to_owned()),
            "[\\\\u{}0-9a-f\u{0}-\u{9f}\u{2028}-\u{202e}]{0,6}",
            any::<String>(),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn escaping_names_is_one_to_one(name in name()) {
            let text = escaped(&name);
            prop_assert!(!text.contains(is_unprintable), "{text:?}");
            prop_assert_eq!(unescaped(&text), name);
        }

        #[test]
        fn as_much_fits_as_there_is_room_for(name in name(), max in 0_usize..20) {
            let end = escaped_prefix_len(&name, max);
            let (begin, rest) = name.split_at(end);
            prop_assert!(escaped(begin).chars().count() <= max);
            if let Some(next) = rest.chars().next() {
                let more = name.split_at(end + next.len_utf8()).0;
                // What is cut off may complete an escape, which then needs one itself.
                let longer = escaped(more).chars().count() + 5;
                prop_assert!(longer > max, "{begin:?} {more:?}");
            }
        }

        #[test]
        fn nothing_unprintable_is_left_in_sentences(text in name()) {
            let shown = Foreign(&text).to_string();
            prop_assert!(!shown.contains(is_unprintable), "{shown:?}");
        }
    }
}
