//! Encodings of single characters: JSON, HTML and URLs.

use super::reading::{BARRIER, Decoded};

/// Longest character reference that is read, such as `&#x1f600;`.
const LONGEST_ENTITY: usize = 12;

/// Decodes the escape of a JSON text. A backslash before any other mark stands for that mark, as in
/// JavaScript. Half a pair of surrogates is no character.
pub(super) fn json(bytes: &[u8], at: usize) -> Option<(usize, Decoded)> {
    let rest = bytes.get(at..)?;
    if *rest.first()? != b'\\' {
        return None;
    }
    let c = match *rest.get(1)? {
        b'u' => return unicode(rest),
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        mark if mark.is_ascii_punctuation() => char::from(mark),
        _ => return None,
    };
    Some((2, Decoded::Char(c)))
}

/// Decodes `\u` with four digits, twice for a pair of surrogates.
fn unicode(rest: &[u8]) -> Option<(usize, Decoded)> {
    let unit = |rest: &[u8]| hex(rest.strip_prefix(b"\\u")?.get(..4)?);
    let first = unit(rest)?;
    if let Some(c) = char::from_u32(first) {
        return Some((6, Decoded::Char(c)));
    }
    let second = rest.get(6..).and_then(unit);
    let pair = second.filter(|second| first < 0xdc00 && (0xdc00..0xe000).contains(second));
    let c = pair
        .and_then(|second| char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)));
    Some(match c {
        Some(c) => (12, Decoded::Char(c)),
        None => (6, Decoded::Byte(BARRIER)),
    })
}

/// Decodes a byte that is percent-encoded.
pub(super) fn percent(bytes: &[u8], at: usize) -> Option<(usize, Decoded)> {
    let digits = bytes.get(at..at + 3)?.strip_prefix(b"%")?;
    let byte = u8::try_from(hex(digits)?).ok()?;
    Some((3, Decoded::Byte(byte)))
}

/// Decodes a character reference of HTML.
pub(super) fn entity(bytes: &[u8], at: usize) -> Option<(usize, Decoded)> {
    let rest = bytes.get(at..)?.strip_prefix(b"&")?;
    let length = rest
        .iter()
        .take(LONGEST_ENTITY)
        .position(|byte| *byte == b';')?;
    let c = match rest.get(..length)? {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(hex(digits)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        _ => return None,
    };
    Some((length + 2, Decoded::Char(c)))
}

fn hex(digits: &[u8]) -> Option<u32> {
    number(digits, 16)
}

/// Reads digits, without the sign that the standard library lets stand before them.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
    let text = std::str::from_utf8(digits).ok()?;
    let is_number = digits.iter().all(is_digit);
    is_number.then(|| u32::from_str_radix(text, radix).ok())?
}
