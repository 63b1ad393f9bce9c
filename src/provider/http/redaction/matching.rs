//! Search for a text in each form in which a server may repeat it: as it is, percent-encoded, as in
//! JSON, as in HTML, and divided by what [`crate::provider::error::clean`] removes.

use crate::text::is_format;

/// Longest tag that may divide a secret.
const LONGEST_TAG: usize = 256;

/// Fewest characters of a secret that count at the end of a text, where the rest was cut off.
const SHORTEST_REST: usize = 8;

/// Most readings of one place. Each character has few, and most of them end at once.
const MOST_READINGS: usize = 16;

/// A secret in the form in which it is searched for.
pub(super) struct Needle<'a> {
    pub(super) text: &'a str,
    /// Matches only without a letter or digit beside it.
    pub(super) is_word: bool,
}

impl Needle<'_> {
    fn end(&self, text: &str, start: usize) -> Option<usize> {
        let end = end(text, start, self.text)?;
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let before = text.get(..start)?.chars().next_back();
        let after = text.get(end..)?.chars().next();
        let fits = !self.is_word || !(is_letter(before) || is_letter(after));
        fits.then_some(end)
    }
}

/// Returns start and end of each place where a needle stands, in one pass; none overlaps another.
pub(super) fn places(text: &str, needles: &[Needle<'_>]) -> Vec<(usize, usize)> {
    let mut begins = [false; 256];
    let firsts = needles.iter().filter_map(|n| n.text.bytes().next());
    for byte in firsts.chain(*b"%\\&+") {
        begins[usize::from(byte)] = true;
    }
    let mut found = Vec::new();
    let mut past = 0;
    for (start, byte) in text.bytes().enumerate() {
        if start < past || !begins[usize::from(byte)] || needles.is_empty() {
            continue;
        }
        let ends = needles.iter().filter_map(|needle| needle.end(text, start));
        if let Some(end) = ends.max() {
            found.push((start, end));
            past = end;
        }
    }
    found
}

/// Where `needle` ends that begins at `start`: a backslash may be itself or begin an escape, so that
/// several readings are followed at once.
fn end(text: &str, start: usize, needle: &str) -> Option<usize> {
    let mut places = vec![start];
    for (count, c) in needle.chars().enumerate() {
        let mut next = Vec::new();
        for place in places {
            let mut place = place;
            loop {
                let rest = text.get(place..)?;
                if rest.is_empty() && count >= SHORTEST_REST {
                    return Some(place);
                }
                for length in forms(rest, c).into_iter().flatten() {
                    if next.len() < MOST_READINGS && !next.contains(&(place + length)) {
                        next.push(place + length);
                    }
                }
                match divider(rest) {
                    Some(length) if count > 0 => place += length,
                    _ => break,
                }
            }
        }
        if next.is_empty() {
            return None;
        }
        places = next;
    }
    places.into_iter().max()
}

/// Length of what stands between two characters and is not shown: an invisible or control character, or
/// a tag.
fn divider(rest: &str) -> Option<usize> {
    let c = rest.chars().next()?;
    if is_format(c) || c.is_control() {
        return Some(c.len_utf8());
    }
    if c != '<' {
        return None;
    }
    let within = rest.bytes().take(LONGEST_TAG);
    within
        .enumerate()
        .find(|(_, byte)| *byte == b'>')
        .map(|(at, _)| at + 1)
}

/// Lengths of the forms of `c` at the start of `rest`.
fn forms(rest: &str, c: char) -> [Option<usize>; 4] {
    let literal = rest.starts_with(c).then(|| c.len_utf8());
    let space = (c == ' ')
        .then(|| rest.chars().next())
        .flatten()
        .filter(|other| *other == '+' || other.is_whitespace())
        .map(char::len_utf8);
    let encoded = match rest.as_bytes().first() {
        Some(b'%') => percent(rest, c),
        Some(b'\\') => json(rest, c),
        Some(b'&') => entity(rest, c),
        _ => None,
    };
    // A backslash and a letter that JSON gives a meaning of its own.
    let control = match (rest.as_bytes().get(..2), c) {
        (Some(br"\n"), '\n') | (Some(br"\r"), '\r') | (Some(br"\t"), '\t') => Some(2),
        _ => None,
    };
    [literal, space, encoded, control]
}

fn percent(rest: &str, c: char) -> Option<usize> {
    let mut buffer = [0; 4];
    let wanted = c.encode_utf8(&mut buffer).bytes();
    let mut at = 0;
    for byte in wanted {
        let hex = rest.get(at..at + 3)?.strip_prefix('%')?;
        if u8::from_str_radix(hex, 16) != Ok(byte) {
            return None;
        }
        at += 3;
    }
    Some(at)
}

fn json(rest: &str, c: char) -> Option<usize> {
    let mut units = [0; 2];
    let mut at = 0;
    for unit in c.encode_utf16(&mut units) {
        let Some(hex) = rest.get(at..at + 6).and_then(|e| e.strip_prefix("\\u")) else {
            // Any other character stands for itself, such as a quote or a slash.
            let is_itself = c.is_ascii_punctuation() && rest.chars().nth(1) == Some(c);
            return is_itself.then_some(2);
        };
        if u16::from_str_radix(hex, 16) != Ok(*unit) {
            return None;
        }
        at += 6;
    }
    Some(at)
}

fn entity(rest: &str, c: char) -> Option<usize> {
    let within = rest.bytes().take(12);
    let length = within.enumerate().find(|(_, byte)| *byte == b';')?.0;
    let name = rest.get(1..length)?;
    let number = name.strip_prefix('#');
    let decoded = match (name, number) {
        ("amp", _) => '&',
        ("lt", _) => '<',
        ("gt", _) => '>',
        ("quot", _) => '"',
        ("apos", _) => '\'',
        (_, Some(number)) => {
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(number.ok()?)?
        }
        _ => return None,
    };
    (decoded == c).then_some(length + 1)
}
