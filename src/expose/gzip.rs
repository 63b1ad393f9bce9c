//! Gzip from pieces: each is compressed when its text changes, joined when scraped.
//!
//! A raw deflate stream that ends with a full flush ends on a byte and refers to nothing before or
//! after itself, so such pieces in any order are one valid stream once an empty final block follows
//! (RFC 1951). The checksums of the pieces combine without their bytes (RFC 1952).

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress};

/// No name, no time, fastest compression, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff];

/// An empty block that says it is the last.
const FINAL_BLOCK: [u8; 2] = [0x03, 0x00];

/// Makes pieces.
#[derive(Debug)]
pub(crate) struct Deflater(Compress);

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
    pub(crate) deflated: bytes::Bytes,
    pub(crate) sum: Hasher,
}

impl Block {
    pub(crate) fn new(text: &str, deflater: &mut Deflater) -> Self {
        let mut out = Vec::new();
        deflater.add(text.as_bytes(), &mut out);
        let mut sum = Hasher::new();
        sum.update(text.as_bytes());
        Self {
            deflated: out.into_boxed_slice().into(),
            sum,
        }
    }

    /// Length of its text.
    pub(crate) fn len(&self) -> u64 {
        self.sum.total_len()
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
    /// With room for that many bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.extend_from_slice(&HEADER);
        Self {
            out,
            sum: Hasher::new(),
            deflater: Deflater::new(),
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

    /// The whole member.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(&FINAL_BLOCK);
        // The format keeps the length modulo 2^32: the low four bytes.
        let length = self.sum.total_len().to_le_bytes();
        self.out
            .extend_from_slice(&self.sum.finalize().to_le_bytes());
        self.out.extend_from_slice(&length[..4]);
        self.out
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
        assert_eq!(gunzip(&Gzip::with_capacity(0).finish()), "");
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
            let mut gzip = Gzip::with_capacity(0);
            gzip.text(&plain);
            gzip.pieces(blocks.iter().map(|b| &*b.deflated), &sum);
            gzip.text(&noise);
            gzip.text("");
            assert_eq!(
                gunzip(&gzip.finish()),
                format!("{plain}{noise}{plain}{noise}{noise}")
            );
        }
    }
}
