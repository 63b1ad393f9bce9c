//! Repair of documents that are nearly JSON: a byte order mark, bytes that are not UTF-8, lone surrogates
//! and raw control characters in texts, a key twice in an object, numbers and depths beyond what the parser
//! takes.
//!
//! One pass over the document, with bounded memory besides its copy. What else is wrong stays as it is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Escape of U+FFFD, as long as the escape of a surrogate.
const REPLACEMENT: &[u8] = br"\ufffd";

/// Objects and lists within each other; deeper ones, of which no field is read, become null. The parser
/// takes 128.
const MAX_DEPTH: usize = 100;

/// Keys of one object that are compared with later ones; records of vendors have far fewer.
const MAX_KEYS: usize = 1_000;

/// Returns the repaired document; `None` when there is nothing to repair.
///
/// Of entries with the same key the last one stays.
pub(super) fn repaired(document: &[u8]) -> Option<Vec<u8>> {
    let unmarked = document.strip_prefix(BYTE_ORDER_MARK);
    let text = String::from_utf8_lossy(unmarked.unwrap_or(document));
    let is_changed = unmarked.is_some() || matches!(text, Cow::Owned(_));
    let mut repair = Repair {
        input: text.as_bytes(),
        at: 0,
        out: Vec::with_capacity(text.len()),
        open: Vec::new(),
        is_changed,
    };
    repair.run();
    repair.is_changed.then_some(repair.out)
}

struct Repair<'a> {
    input: &'a [u8],
    /// Place in the input up to which the output holds everything.
    at: usize,
    out: Vec<u8>,
    /// Objects and lists around this place, at most [`MAX_DEPTH`].
    open: Vec<Open<'a>>,
    is_changed: bool,
}

/// An object or a list that has not ended.
enum Open<'a> {
    List,
    Object {
        /// Entries by key, as ranges of the output with the comma that follows.
        entries: HashMap<Key<'a>, Range<usize>>,
        /// Key of the entry at this place, and the start of the entry in the output.
        entry: Option<(Key<'a>, usize)>,
    },
}

/// A key with its quotes as it stands in the document; decoded where that differs.
type Key<'a> = Cow<'a, [u8]>;

impl<'a> Repair<'a> {
    fn run(&mut self) {
        while let Some(&byte) = self.input.get(self.at) {
            match byte {
                b'"' => {
                    self.text();
                    continue;
                }
                b'-' | b'0'..=b'9' => {
                    self.number();
                    continue;
                }
                b'{' | b'[' if self.open.len() == MAX_DEPTH => {
                    self.replace(length_of_nested(self.rest()), b"null");
                    continue;
                }
                b'{' => self.open.push(Open::Object {
                    entries: HashMap::new(),
                    entry: None,
                }),
                b'[' => self.open.push(Open::List),
                b'}' | b']' => {
                    self.end_entry();
                    self.open.pop();
                }
                _ => {}
            }
            self.copy(1);
            if byte == b',' {
                self.end_entry();
            }
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn copy(&mut self, length: usize) {
        let end = self.at + length;
        let bytes = self.input.get(self.at..end).unwrap_or_default();
        self.out.extend_from_slice(bytes);
        self.at = end.min(self.input.len());
    }

    fn replace(&mut self, length: usize, with: &[u8]) {
        self.out.extend_from_slice(with);
        self.at += length;
        self.is_changed = true;
    }

    /// Copies a text with its quotes; the first text of an entry is its key.
    fn text(&mut self) {
        let (from, start) = (self.at, self.out.len());
        let mut is_plain = true;
        self.copy(1);
        while let Some(&byte) = self.input.get(self.at) {
            match byte {
                b'"' => {
                    self.copy(1);
                    break;
                }
                b'\\' => {
                    is_plain = false;
                    self.escape();
                }
                0..0x20 => {
                    is_plain = false;
                    self.replace(1, &escaped(byte));
                }
                _ => self.copy(1),
            }
        }
        let key = if is_plain {
            Cow::Borrowed(self.input.get(from..self.at).unwrap_or_default())
        } else {
            Cow::Owned(decoded(self.out.get(start..).unwrap_or_default()))
        };
        if let Some(Open::Object { entry, .. }) = self.open.last_mut()
            && entry.is_none()
        {
            *entry = Some((key, start));
        }
    }

    fn escape(&mut self) {
        match unicode(self.input, self.at) {
            Some(0xd800..0xdc00) if is_low(unicode(self.input, self.at + 6)) => self.copy(12),
            Some(0xd800..0xe000) => self.replace(6, REPLACEMENT),
            Some(_) => self.copy(6),
            None => self.copy(2),
        }
    }

    /// Copies a number; one that no float can hold becomes a text, which is an error where it decides.
    fn number(&mut self) {
        let rest = self.rest();
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(|byte| is_digit(byte)).count();
        let digits = rest.get(..length).unwrap_or_default();
        let number = str::from_utf8(digits)
            .ok()
            .and_then(|n| n.parse::<f64>().ok());
        if number.is_some_and(f64::is_infinite) {
            self.replace(length, &[b"\"", digits, b"\""].concat());
        } else {
            self.copy(length);
        }
    }

    /// Ends an object's entry, and blanks the one before it that has the same key.
    fn end_entry(&mut self) {
        let end = self.out.len();
        let Some(Open::Object { entries, entry }) = self.open.last_mut() else {
            return;
        };
        let Some((key, start)) = entry.take() else {
            return;
        };
        let is_full = entries.len() >= MAX_KEYS;
        let before = match entries.get_mut(&key) {
            Some(before) => std::mem::replace(before, start..end),
            None if is_full => return,
            None => {
                entries.insert(key, start..end);
                return;
            }
        };
        if let Some(before) = self.out.get_mut(before) {
            before.fill(b' ');
            self.is_changed = true;
        }
    }
}

/// Returns the length of the object or list that begins this text.
fn length_of_nested(text: &[u8]) -> usize {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for (length, byte) in (1..).zip(text) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => depth += 1,
            b'}' | b']' if !is_text => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return length;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// Returns the escape of a control character.
fn escaped(control: u8) -> [u8; 6] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| HEX[usize::from(half & 0xf)];
    [b'\\', b'u', b'0', b'0', digit(control >> 4), digit(control)]
}

/// Returns the number of a `\uXXXX` escape that begins at this place.
fn unicode(input: &[u8], at: usize) -> Option<u32> {
    let digits = input.get(at..at + 6)?.strip_prefix(br"\u")?;
    digits.iter().try_fold(0, |number, digit| {
        Some(number << 4 | char::from(*digit).to_digit(16)?)
    })
}

fn is_low(surrogate: Option<u32>) -> bool {
    matches!(surrogate, Some(0xdc00..0xe000))
}

/// Returns a key with escapes as it stands without them; a key that is not a JSON text as it is.
fn decoded(key: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<String>(key) {
        Ok(text) => format!("\"{text}\"").into_bytes(),
        Err(_) => key.to_vec(),
    }
}

#[cfg(test)]
mod tests;
