//! Search for all secrets at once, in time that grows with the length of the text alone.
//!
//! An automaton finds the first characters of each secret; what follows is compared in place. So
//! there is little to build for a call, of whose secrets the signature is new each time.

use std::fmt;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use secrecy::{ExposeSecret as _, SecretString};

use super::dividers::char_at;
use super::reading::{BARRIER, Reading, Span};
use super::{LONGEST_ENCODED, SHORTEST_ANYWHERE};

/// Fewest characters of a secret that count at the end of a text, where the rest was cut off; the
/// automaton looks for as many.
const SHORTEST_REST: usize = 8;

/// Secrets, prepared for the search.
pub(super) struct Searcher {
    /// Absent when it cannot be built: then any text is taken for a secret.
    automaton: Option<AhoCorasick>,
    /// Secrets by pattern of the automaton.
    by_head: Vec<Vec<Needle>>,
    /// Length of the longest secret in bytes; 0 when there is none.
    pub(super) longest: usize,
    /// A secret holds whitespace.
    pub(super) has_space: bool,
}

/// A secret as it is compared.
struct Needle {
    folded: SecretString,
    /// Secret as it is, of one that counts as a whole word only.
    word: Option<SecretString>,
    /// Fewest bytes that count where the rest was cut off; `None` for a short secret.
    shortest_rest: Option<usize>,
}

/// Hides the automaton, which is made of secrets.
impl fmt::Debug for Searcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Searcher").finish_non_exhaustive()
    }
}

impl Searcher {
    pub(super) fn new<'a>(secrets: impl Iterator<Item = &'a SecretString>) -> Self {
        let mut heads: Vec<String> = Vec::new();
        let mut by_head: Vec<Vec<Needle>> = Vec::new();
        let (mut longest, mut has_space) = (0, false);
        for secret in secrets {
            longest = longest.max(secret.expose_secret().len());
            has_space |= secret.expose_secret().contains(char::is_whitespace);
            let needle = Needle::new(secret);
            let head = needle.head();
            if let Some(known) = heads.iter().position(|known| known == head) {
                by_head[known].push(needle);
            } else {
                heads.push(head.to_owned());
                by_head.push(vec![needle]);
            }
        }
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .prefilter(false)
            .build(&heads);
        Self {
            automaton: automaton.ok(),
            by_head,
            longest,
            has_space,
        }
    }

    /// Finds the secrets in a reading. Unless it is the last of its text, the text goes on behind it.
    pub(super) fn search(&self, reading: &Reading, is_last: bool, found: &mut Found) {
        let bytes = reading.bytes();
        let Some(automaton) = &self.automaton else {
            found.extend(reading.span(0..bytes.len()));
            return;
        };
        let text: Vec<u8> = bytes.iter().map(|byte| folded(*byte)).collect();
        let mut next_end = 0;
        // End of the last long match: what begins within it belongs to it.
        let mut past = 0;
        for head in automaton.find_overlapping_iter(&text) {
            if next_end < head.end() {
                let rest = text.get(head.end()..).unwrap_or_default();
                let end = rest.iter().position(|byte| *byte == BARRIER);
                next_end = head.end() + end.unwrap_or(rest.len());
            }
            let is_end = is_last || next_end < text.len();
            let needles = self.by_head.get(head.pattern().as_usize());
            for needle in needles.into_iter().flatten() {
                let is_long = needle.folded.expose_secret().len() > LONGEST_ENCODED;
                if is_long && head.start() < past {
                    continue;
                }
                let rest = text.get(head.start()..next_end).unwrap_or_default();
                let Some(length) = needle.length(rest, is_end) else {
                    continue;
                };
                let place = head.start()..head.start() + length;
                if is_long {
                    past = place.end;
                }
                if needle.fits(bytes, place.start) {
                    found.extend(reading.span(place));
                }
            }
        }
    }
}

impl Needle {
    fn new(secret: &SecretString) -> Self {
        let text = secret.expose_secret();
        let is_space = |c: char| u8::try_from(c).is_ok_and(|byte| folded(byte) == b' ');
        let is_word = text.len() < SHORTEST_ANYWHERE;
        let shortest_rest = text.char_indices().nth(SHORTEST_REST);
        Self {
            folded: text.replace(is_space, " ").into(),
            word: is_word.then(|| secret.clone()),
            shortest_rest: shortest_rest.map(|(length, _)| length),
        }
    }

    /// Returns the first characters.
    fn head(&self) -> &str {
        let text = self.folded.expose_secret();
        let head = self.shortest_rest.and_then(|length| text.get(..length));
        head.unwrap_or(text)
    }

    /// Returns how much of the secret a text begins with, which ends where nothing follows or, unless
    /// `is_end`, goes on: all of it, what was left of it at the end, or a long beginning.
    fn length(&self, text: &[u8], is_end: bool) -> Option<usize> {
        let chars = self.folded.expose_secret();
        let secret = chars.as_bytes();
        if text.starts_with(secret) {
            return Some(secret.len());
        }
        let is_cut = is_end && self.shortest_rest.is_some_and(|least| text.len() >= least);
        if is_cut && secret.starts_with(text) {
            return Some(text.len());
        }
        let beginning = secret.get(..LONGEST_ENCODED)?;
        if !text.starts_with(beginning) {
            return None;
        }
        let pairs = secret.iter().zip(text);
        let same = pairs.take_while(|(a, b)| a == b).count();
        (0..=same).rev().find(|end| chars.is_char_boundary(*end))
    }

    /// Returns true where a secret counts: a short one where it stands as it is, without a letter or digit
    /// beside it.
    fn fits(&self, bytes: &[u8], start: usize) -> bool {
        let Some(word) = &self.word else { return true };
        let word = word.expose_secret().as_bytes();
        let end = start + word.len();
        let before = (1..=4).find_map(|back| {
            let at = start.checked_sub(back)?;
            char_at(bytes, at).filter(|c| c.len_utf8() == back)
        });
        let after = char_at(bytes, end);
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        bytes.get(start..end) == Some(word) && !is_letter(before) && !is_letter(after)
    }
}

/// Makes whitespace and the plus that stands for it in URLs one.
fn folded(byte: u8) -> u8 {
    match byte {
        b'+' | b'\t'..=b'\r' => b' ',
        other => other,
    }
}

/// Places of secrets in an answer.
#[derive(Default)]
pub(super) struct Found {
    spans: Vec<Span>,
    /// Number of spans that are sorted and apart from each other.
    merged: usize,
}

impl Found {
    fn extend(&mut self, span: Option<Span>) {
        let Some(span) = span else { return };
        match self.spans.last_mut() {
            Some(last) if (last.start..last.end).contains(&span.start) => {
                last.end = last.end.max(span.end);
            }
            _ => self.spans.push(span),
        }
        // Many matches of one place must not pile up.
        if self.spans.len() > 2 * self.merged + 1024 {
            self.merge();
        }
    }

    /// Returns the places in order, none of which overlaps another.
    pub(super) fn into_spans(mut self) -> Vec<Span> {
        self.merge();
        self.spans
    }

    fn merge(&mut self) {
        self.spans.sort_unstable();
        self.spans.dedup_by(|next, kept| {
            let overlaps = next.start < kept.end;
            if overlaps {
                kept.end = kept.end.max(next.end);
            }
            overlaps
        });
        self.merged = self.spans.len();
    }
}
