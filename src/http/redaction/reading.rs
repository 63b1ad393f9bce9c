//! An answer as its reader decodes it, with the way back to the bytes of the answer.

use std::ops::Range;

use super::escapes::json;

/// Byte that no secret holds, since UTF-8 has none of it: keeps a match within one text of a JSON
/// document.
pub(super) const BARRIER: u8 = 0xff;

/// Bytes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Decoded bytes, each with the bytes of the answer that it was decoded from.
#[derive(Default)]
pub(super) struct Reading {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

/// Meaning of an encoded sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoded {
    Char(char),
    Byte(u8),
    Nothing,
}

/// Decodes the sequence at a place: returns its length and its meaning, or `None` where the byte stands for
/// itself.
pub(super) type Decoder = fn(&[u8], usize) -> Option<(usize, Decoded)>;

impl Reading {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the bytes of the answer from which these decoded bytes come; `None` for an empty range.
    pub(super) fn span(&self, range: Range<usize>) -> Option<Span> {
        let spans = self.spans.get(range)?;
        Some(Span {
            start: spans.first()?.start,
            end: spans.last()?.end,
        })
    }

    fn push(&mut self, decoded: Decoded, span: Span) {
        let mut buffer = [0; 4];
        let bytes = match decoded {
            Decoded::Char(c) => c.encode_utf8(&mut buffer).as_bytes(),
            Decoded::Byte(byte) => {
                buffer[0] = byte;
                &buffer[..1]
            }
            Decoded::Nothing => &[],
        };
        for byte in bytes {
            self.bytes.push(*byte);
            self.spans.push(span);
        }
    }

    /// Decodes once more, as a [`Decoder`] does. Returns `None` when each byte stands for itself.
    pub(super) fn decoded(
        &self,
        mut decode: impl FnMut(&[u8], usize) -> Option<(usize, Decoded)>,
    ) -> Option<Self> {
        let mut out = Self::default();
        let mut copied = 0;
        let mut at = 0;
        while at < self.bytes.len() {
            let sequence = decode(&self.bytes, at);
            let Some((length, decoded)) = sequence.filter(|(length, _)| *length > 0) else {
                at += 1;
                continue;
            };
            let Some(span) = self.span(at..at + length) else {
                break;
            };
            out.copy(self, copied..at);
            out.push(decoded, span);
            at += length;
            copied = at;
        }
        if copied == 0 {
            return None;
        }
        out.copy(self, copied..self.bytes.len());
        Some(out)
    }

    fn copy(&mut self, from: &Self, range: Range<usize>) {
        let bytes = from.bytes.get(range.clone()).unwrap_or_default();
        self.bytes.extend_from_slice(bytes);
        let spans = from.spans.get(range).unwrap_or_default();
        self.spans.extend_from_slice(spans);
    }
}

/// An answer, read in parts of bounded size.
pub(super) struct Source<'a> {
    pub(super) bytes: &'a [u8],
    /// Only the texts of a JSON document are read, decoded; their escapes stay whole.
    pub(super) is_json: bool,
}

impl Source<'_> {
    /// Reads about `limit` bytes from this place, which is 0 or the start of a span that was read before.
    /// Returns true when nothing is left.
    pub(super) fn read(&self, from: usize, limit: usize) -> (Reading, bool) {
        let mut reading = Reading::default();
        let end = if self.is_json {
            self.texts(from, limit, &mut reading)
        } else {
            let end = (from + limit).min(self.bytes.len());
            let bytes = self.bytes.get(from..end).unwrap_or_default();
            reading.bytes.extend_from_slice(bytes);
            let spans = (from..end).map(|start| Span {
                start,
                end: start + 1,
            });
            reading.spans.extend(spans);
            end
        };
        (reading, end >= self.bytes.len())
    }

    /// Reads the texts of a JSON document. A barrier stands for all that is between two of them.
    fn texts(&self, from: usize, limit: usize, reading: &mut Reading) -> usize {
        let mut at = from;
        while reading.bytes.len() < limit
            && let Some(&byte) = self.bytes.get(at)
        {
            let start = at;
            let decoded = if start == 0 || byte == b'"' {
                at = if start == 0 { 0 } else { start + 1 };
                let rest = self.bytes.get(at..).unwrap_or_default();
                let opening = rest.iter().position(|byte| *byte == b'"');
                at += opening.map_or(rest.len(), |opening| opening + 1);
                Decoded::Byte(BARRIER)
            } else {
                let escape = (byte == b'\\').then(|| json(self.bytes, at)).flatten();
                let (length, decoded) = escape.unwrap_or((1, Decoded::Byte(byte)));
                at += length;
                decoded
            };
            reading.push(decoded, Span { start, end: at });
        }
        at
    }
}
