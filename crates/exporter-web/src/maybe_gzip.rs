//! Compression of bodies that are made for one request.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Below this it is one packet anyway.
const WORTH_IT: usize = 1400;

/// Compresses a body where `gzip` says that the client takes it and the body is long enough. Returns whether
/// it did: the caller sets `Content-Encoding` then, and `Vary` in both cases.
pub fn maybe_gzip(body: Vec<u8>, gzip: bool) -> (Bytes, bool) {
    if !gzip || body.len() < WORTH_IT {
        return (Bytes::from(body), false);
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    match encoder.write_all(&body).and_then(|()| encoder.finish()) {
        Ok(small) => (Bytes::from(small), true),
        Err(_) => (Bytes::from(body), false),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn compresses_long_bodies_where_gzip_is_accepted() {
        let long = vec![b'x'; 100_000];
        let (body, gzip) = maybe_gzip(long.clone(), true);
        assert!(gzip && body.len() < 2_000);
        let mut back = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut back).unwrap();
        assert_eq!(back, long);
        assert_eq!(maybe_gzip(long.clone(), false), (Bytes::from(long), false));
        assert!(!maybe_gzip(vec![b'x'; 100], true).1);
    }
}
