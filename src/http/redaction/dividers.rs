//! Removal of what divides a text and does not show: tags, invisible and control characters, which
//! [`clean`](crate::text::clean) removes too.

use super::reading::{BARRIER, Decoded, Reading};
use crate::text::is_unprintable;

/// Longest tag that may divide a secret.
const LONGEST_TAG: usize = 256;

/// Meaning of line ends and tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whitespace {
    /// Whitespace divides, as in wrapped base64.
    Divides,
    /// Any whitespace counts as a space.
    Shows,
}

/// Removes the dividers; `None` when there are none.
pub(super) fn undivided(reading: &Reading, whitespace: Whitespace) -> Option<Reading> {
    let mut next_end = 0;
    reading.decoded(|bytes, at| {
        let byte = *bytes.get(at)?;
        if byte == b'<' {
            return tag(bytes, at, &mut next_end).map(|length| (length, Decoded::Nothing));
        }
        // Letters, digits and the marks between them.
        if matches!(byte, b' '..=b'~') {
            return None;
        }
        let c = char_at(bytes, at)?;
        if whitespace == Whitespace::Shows && c.is_whitespace() {
            Some((c.len_utf8(), Decoded::Char(' ')))
        } else if is_unprintable(c) {
            Some((c.len_utf8(), Decoded::Nothing))
        } else {
            None
        }
    })
}

/// Returns the length of the tag that begins here. `next_end` is the next place where a tag may end; it
/// only grows, so that a text of many beginnings is walked once.
fn tag(bytes: &[u8], at: usize, next_end: &mut usize) -> Option<usize> {
    if *next_end <= at {
        let rest = bytes.get(at..)?;
        let end = rest.iter().position(|byte| matches!(*byte, b'>' | BARRIER));
        *next_end = end.map_or(bytes.len(), |end| at + end);
    }
    let length = *next_end - at + 1;
    let is_tag = length <= LONGEST_TAG && bytes.get(*next_end) == Some(&b'>');
    is_tag.then_some(length)
}

/// Returns the character at this place; `None` where the bytes are not UTF-8.
pub(super) fn char_at(bytes: &[u8], at: usize) -> Option<char> {
    let length = match *bytes.get(at)? {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let text = std::str::from_utf8(bytes.get(at..at + length)?).ok()?;
    text.chars().next()
}
