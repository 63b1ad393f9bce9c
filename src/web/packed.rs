//! Bodies that are made for one request, compressed where the client takes that.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Below this it is one packet anyway.
const WORTH_IT: usize = 1400;

/// The body, and whether it is compressed now. Quick rather than small.
pub(super) fn packed(body: Vec<u8>, gzip: bool) -> (Bytes, bool) {
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
    fn packs_what_is_long_for_who_takes_it() {
        let long = vec![b'x'; 100_000];
        let (body, gzip) = packed(long.clone(), true);
        assert!(gzip && body.len() < 2_000);
        let mut back = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut back).unwrap();
        assert_eq!(back, long);
        assert_eq!(packed(long.clone(), false), (Bytes::from(long), false));
        assert!(!packed(vec![b'x'; 100], true).1);
    }
}
