//! Gzip from pieces: each is compressed when its text changes, joined when scraped.
//!
//! A raw deflate stream that ends with a full flush ends on a byte and refers to nothing before or
//! after itself, so such pieces in any order are one valid stream once an empty final block follows
//! (RFC 1951). The checksums of the pieces combine without their bytes (RFC 1952).

use bytes::Bytes;
use crc32fast::Hasher;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use super::live::Live;
use crate::clock::Times;

/// No name, no time, fastest compression, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff];

/// Longest live lines of a family that a scrape compresses; longer ones are stored as they are.
const MOST_COMPRESSED: usize = 4 << 10;

/// The text that comes last is compressed where it is more than this part of what stands before it.
const LEAST_OF_WHOLE: usize = 32;

/// Longest stored block.
const MOST_STORED: usize = 0xffff;

/// An empty block that says it is the last.
const FINAL_BLOCK: [u8; 2] = [0x03, 0x00];

/// Most bytes of a buffer that is used again: the piece of one very large cluster does not keep its memory.
const MOST_KEPT: usize = 1 << 20;

/// Makes pieces, and takes the text from them. Each uses the memory of the one before.
#[derive(Debug)]
pub(crate) struct Deflater {
    compress: Compress,
    decompress: Decompress,
    text: String,
    inflated: String,
    deflated: Vec<u8>,
}

impl Default for Deflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Deflater {
    pub(crate) fn new() -> Self {
        Self {
            compress: Compress::new(Compression::fast(), false),
            decompress: Decompress::new(false),
            text: String::new(),
            inflated: String::new(),
            deflated: Vec::new(),
        }
    }

    /// Takes the buffer for the text of a piece, which is empty.
    pub(crate) fn take_text(&mut self) -> String {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text
    }

    /// Takes that buffer back.
    pub(crate) fn keep_text(&mut self, text: String) {
        if text.capacity() <= MOST_KEPT {
            self.text = text;
        }
    }

    /// Returns the text of a block; `None` where it cannot be had back, which is a bug.
    pub(crate) fn inflate(&mut self, block: &Block) -> Option<String> {
        let length = usize::try_from(block.sum.total_len()).ok()?;
        let mut text = std::mem::take(&mut self.inflated).into_bytes();
        text.clear();
        text.reserve_exact(length);
        if length > 0 {
            self.decompress.reset(false);
            self.decompress
                .decompress_vec(&block.deflated, &mut text, FlushDecompress::Sync)
                .ok()?;
        }
        String::from_utf8(text)
            .ok()
            .filter(|text| text.len() == length)
    }

    /// Takes the memory of such a text back.
    pub(crate) fn keep_inflated(&mut self, text: String) {
        if text.capacity() <= MOST_KEPT {
            self.inflated = text;
        }
    }

    /// Adds `text` to `out` as a piece; nothing for no text.
    pub(crate) fn add(&mut self, text: &[u8], out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let start = self.compress.total_in();
        // Label text shrinks to a tenth and less; what does not fit is a second turn.
        out.reserve(text.len() / 8 + 128);
        loop {
            let done = usize::try_from(self.compress.total_in() - start).unwrap_or(usize::MAX);
            let rest = text.get(done..).unwrap_or_default();
            self.compress
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
        let mut out = std::mem::take(&mut deflater.deflated);
        out.clear();
        deflater.add(text.as_bytes(), &mut out);
        let mut sum = Hasher::new();
        sum.update(text.as_bytes());
        let piece = out.as_slice().into();
        if out.capacity() <= MOST_KEPT {
            deflater.deflated = out;
        }
        Self {
            deflated: piece,
            sum,
        }
    }
}

/// A gzip member in the making.
#[derive(Debug)]
pub(crate) struct Gzip {
    /// Pieces that were appended, up to the last shared piece.
    pieces: Vec<Bytes>,
    /// Bytes that follow them.
    out: Vec<u8>,
    sum: Hasher,
    deflater: Deflater,
}

impl Gzip {
    /// Begins a member.
    pub(crate) fn new(deflater: Deflater) -> Self {
        Self {
            pieces: Vec::new(),
            out: HEADER.to_vec(),
            sum: Hasher::new(),
            deflater,
        }
    }

    /// Appends a deflated piece that others may share; `sum` is that of its text. To combine checksums takes
    /// microseconds, so a piece is best a long one.
    pub(crate) fn piece(&mut self, piece: Bytes, sum: &Hasher) {
        self.end_piece();
        self.pieces.push(piece);
        self.sum.combine(sum);
    }

    /// Appends the text that comes last: it is stored where that makes the whole hardly longer.
    pub(crate) fn tail(&mut self, text: &str) {
        let before = self.pieces.iter().map(Bytes::len).sum::<usize>() + self.out.len();
        if text.len() > before / LEAST_OF_WHOLE {
            self.text(text);
            return;
        }
        let start = self.begin_stored();
        let last = self.store(start, text.as_bytes());
        self.end_stored(last);
    }

    /// Appends text that is compressed now.
    pub(crate) fn text(&mut self, text: &str) {
        self.sum.update(text.as_bytes());
        self.deflater.add(text.as_bytes(), &mut self.out);
    }

    /// Appends lines that may be long: only short ones are compressed, so that a scrape's work stays small.
    pub(crate) fn live(&mut self, live: &Live, times: &Times) {
        if live.len() <= MOST_COMPRESSED {
            let mut text = String::new();
            live.write(times, &mut text);
            self.text(&text);
            return;
        }
        self.out.reserve(live.len());
        let mut block = self.begin_stored();
        for (head, value) in live.lines(times) {
            for part in [head.as_bytes(), value.as_bytes(), b"\n"] {
                block = self.store(block, part);
            }
        }
        self.end_stored(block);
    }

    /// Begins a stored block, and returns where its text starts. Pieces end on a byte, and so does such a block
    /// (RFC 1951, section 3.2.4).
    fn begin_stored(&mut self) -> usize {
        self.out.extend_from_slice(&[0; 5]);
        self.out.len()
    }

    /// Appends text to the stored block that starts there, and to further ones where it is full. Returns where
    /// the last starts.
    fn store(&mut self, mut start: usize, mut text: &[u8]) -> usize {
        loop {
            let room = MOST_STORED - (self.out.len() - start);
            let Some((fits, rest)) = text.split_at_checked(room) else {
                self.out.extend_from_slice(text);
                return start;
            };
            self.out.extend_from_slice(fits);
            if rest.is_empty() {
                return start;
            }
            self.end_stored(start);
            start = self.begin_stored();
            text = rest;
        }
    }

    /// Ends the stored block whose text starts there.
    fn end_stored(&mut self, start: usize) {
        let length =
            u16::try_from(self.out.len() - start).expect("it is ended before it is too long");
        let (head, text) = self.out.split_at_mut(start);
        self.sum.update(text);
        let head = &mut head[start - 4..];
        head[..2].copy_from_slice(&length.to_le_bytes());
        head[2..].copy_from_slice(&(!length).to_le_bytes());
    }

    fn end_piece(&mut self) {
        if !self.out.is_empty() {
            self.pieces.push(std::mem::take(&mut self.out).into());
        }
    }

    /// Returns the pieces of the whole member, and the deflater for another one.
    pub(crate) fn finish(mut self) -> (Vec<Bytes>, Deflater) {
        self.out.extend_from_slice(&FINAL_BLOCK);
        // The format keeps the length modulo 2^32: the low four bytes.
        let length = self.sum.total_len().to_le_bytes();
        let sum = self.sum.clone().finalize().to_le_bytes();
        self.out.extend_from_slice(&sum);
        self.out.extend_from_slice(&length[..4]);
        self.end_piece();
        (self.pieces, self.deflater)
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
        let (body, _) = Gzip::new(Deflater::new()).finish();
        assert_eq!(gunzip(&body.concat()), "");
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
            let blocks = [&noise, &plain].map(|text| Block::new(text, &mut deflater));
            for (block, text) in blocks.iter().zip([&noise, &plain]) {
                let inflated = deflater.inflate(block).unwrap();
                assert!(inflated == *text);
                deflater.keep_inflated(inflated);
            }
            let mut gzip = Gzip::new(deflater);
            gzip.text(&plain);
            for block in &blocks {
                gzip.piece(Bytes::copy_from_slice(&block.deflated), &block.sum);
            }
            gzip.text(&noise);
            gzip.text("");
            let (body, _) = gzip.finish();
            assert_eq!(
                gunzip(&body.concat()),
                format!("{plain}{noise}{plain}{noise}")
            );
        }
    }

    #[test]
    fn live_lines_and_tails_of_any_length_join() {
        let times = Times::at(jiff::Timestamp::UNIX_EPOCH);
        let lengths = [1, 65_532, 65_533, 65_534, 65_535, 65_536, 131_070, 200_000];
        for (first, last) in lengths.iter().flat_map(|a| lengths.map(|b| (*a, b))) {
            let heads = ["a".repeat(first), "b".repeat(last), "c".to_owned()];
            let live = Live::of(&heads, jiff::Timestamp::UNIX_EPOCH);
            let mut gzip = Gzip::new(Deflater::new());
            gzip.live(&live, &times);
            gzip.tail(&heads[1]);
            gzip.tail("end");
            let (body, _) = gzip.finish();
            let lines = heads.join("0\n") + "0\n";
            assert!(gunzip(&body.concat()) == format!("{lines}{}end", heads[1]));
        }
    }
}
