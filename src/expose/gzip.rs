//! Gzip from pieces: each is compressed when its text changes, joined when scraped.
//!
//! A raw deflate stream that ends with a full flush ends on a byte and refers to nothing before or
//! after itself, so such pieces in any order are one valid stream once an empty final block follows
//! (RFC 1951). The checksums of the pieces combine without their bytes (RFC 1952).

use crc32fast::Hasher;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// No name, no time, fastest compression, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff];

/// Longest text that a scrape compresses; a longer one is stored as it is.
const MOST_COMPRESSED: usize = 4 << 10;

/// Longest stored block.
const MOST_STORED: usize = 0xffff;

/// An empty block that says it is the last.
const FINAL_BLOCK: [u8; 2] = [0x03, 0x00];

/// Makes pieces.
#[derive(Debug)]
pub(crate) struct Deflater(Compress);

impl Default for Deflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Deflater {
    pub(crate) fn new() -> Self {
        Self(Compress::new(Compression::fast(), false))
    }

    /// Adds `text` to `out` as a piece; nothing for no text.
    pub(crate) fn add(&mut self, text: &[u8], out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let start = self.0.total_in();
        // Label text shrinks to a tenth and less; what does not fit is a second turn.
        out.reserve(text.len() / 8 + 128);
        loop {
            let done = usize::try_from(self.0.total_in() - start).unwrap_or(usize::MAX);
            let rest = text.get(done..).unwrap_or_default();
            self.0
                .compress_vec(rest, out, FlushCompress::Full)
                .expect("deflate refuses no input, and it has no state that could be wrong");
            // Room left means that the flush is complete.
            if out.len() < out.capacity() {
                return;
            }
            out.reserve(text.len() / 8 + 128);
        }
    }
}

/// A compressed piece with the checksum and length of its text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    pub(crate) deflated: Box<[u8]>,
    pub(crate) sum: Hasher,
}

impl Block {
    pub(crate) fn new(text: &str, deflater: &mut Deflater) -> Self {
        let mut out = Vec::new();
        deflater.add(text.as_bytes(), &mut out);
        let mut sum = Hasher::new();
        sum.update(text.as_bytes());
        Self {
            deflated: out.into_boxed_slice(),
            sum,
        }
    }

    /// Returns the text; `None` where it cannot be had back, which is a bug.
    pub(crate) fn text(&self) -> Option<String> {
        let length = usize::try_from(self.sum.total_len()).ok()?;
        let mut text = Vec::with_capacity(length);
        if length > 0 {
            let mut inflater = Decompress::new(false);
            inflater
                .decompress_vec(&self.deflated, &mut text, FlushDecompress::Sync)
                .ok()?;
        }
        String::from_utf8(text)
            .ok()
            .filter(|text| text.len() == length)
    }
}

/// A gzip member in the making.
#[derive(Debug)]
pub(crate) struct Gzip {
    out: Vec<u8>,
    sum: Hasher,
    deflater: Deflater,
}

impl Gzip {
    /// Begins a member with room for that many bytes.
    pub(crate) fn with_capacity(capacity: usize, deflater: Deflater) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.extend_from_slice(&HEADER);
        Self {
            out,
            sum: Hasher::new(),
            deflater,
        }
    }

    /// Appends text that may be long: only a short one is compressed, so that a scrape's work stays small.
    pub(crate) fn long_text(&mut self, text: &str) {
        if text.len() <= MOST_COMPRESSED {
            self.text(text);
            return;
        }
        self.sum.update(text.as_bytes());
        for block in text.as_bytes().chunks(MOST_STORED) {
            // Pieces end on a byte, and so does a stored block (RFC 1951, 3.2.4).
            let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
            self.out.push(0);
            self.out.extend_from_slice(&length.to_le_bytes());
            self.out.extend_from_slice(&(!length).to_le_bytes());
            self.out.extend_from_slice(block);
        }
    }

    /// Appends text that has no piece.
    pub(crate) fn text(&mut self, text: &str) {
        self.sum.update(text.as_bytes());
        self.deflater.add(text.as_bytes(), &mut self.out);
    }

    /// Appends pieces; `sum` is that of all their text. To combine checksums takes microseconds, so
    /// it is done once for many.
    pub(crate) fn pieces<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>, sum: &Hasher) {
        for piece in pieces {
            self.out.extend_from_slice(piece);
        }
        self.sum.combine(sum);
    }

    /// Returns the whole member, and the deflater for another one.
    pub(crate) fn finish(mut self) -> (Vec<u8>, Deflater) {
        self.out.extend_from_slice(&FINAL_BLOCK);
        // The format keeps the length modulo 2^32: the low four bytes.
        let length = self.sum.total_len().to_le_bytes();
        self.out
            .extend_from_slice(&self.sum.finalize().to_le_bytes());
        self.out.extend_from_slice(&length[..4]);
        (self.out, self.deflater)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn gunzip(bytes: &[u8]) -> String {
        let mut text = String::new();
        flate2::read::GzDecoder::new(bytes)
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn nothing_is_a_valid_member() {
        let (body, _) = Gzip::with_capacity(0, Deflater::new()).finish();
        assert_eq!(gunzip(&body), "");
    }

    #[test]
    fn pieces_of_any_size_join() {
        // Text that does not compress and one that does, around the sizes at which buffers fill.
        let mut rng = fastrand::Rng::with_seed(7);
        for size in [0, 1, 2, 100, 1023, 1024, 1025, 70_000] {
            let noise: String = std::iter::repeat_with(|| rng.alphanumeric())
                .take(size)
                .collect();
            let plain = "a line of text\n".repeat(size / 10);
            let mut deflater = Deflater::new();
            let blocks = [
                Block::new(&noise, &mut deflater),
                Block::new(&plain, &mut deflater),
                Block::new(&noise, &mut deflater),
            ];
            let mut sum = Hasher::new();
            for block in &blocks {
                sum.combine(&block.sum);
            }
            assert_eq!(blocks[0].text().as_ref(), Some(&noise));
            assert_eq!(blocks[1].text().as_ref(), Some(&plain));
            let mut gzip = Gzip::with_capacity(0, deflater);
            gzip.text(&plain);
            gzip.pieces(blocks.iter().map(|b| &*b.deflated), &sum);
            gzip.text(&noise);
            gzip.text("");
            gzip.long_text(&noise);
            gzip.long_text(&plain);
            let (body, _) = gzip.finish();
            assert_eq!(
                gunzip(&body),
                format!("{plain}{noise}{plain}{noise}{noise}{noise}{plain}")
            );
        }
    }
}
