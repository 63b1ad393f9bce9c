//! Answers that come compressed, although every request asks for none: some proxies and gateways do not
//! keep to that.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use super::ApiError;
use super::redaction::Content;
use crate::blocking::run_blocking;
use crate::model::Reason;

/// No answer of these APIs comes near it; what does is cut off and called a protocol error.
pub(crate) const BODY_CAP: usize = 8 << 20;

/// First bytes of gzip, with which no JSON begins. A proxy may keep the header `Content-Encoding` of what
/// it decompressed, and drop that of what it did not.
const GZIP: &[u8] = b"\x1f\x8b";

/// Decompresses a body that is gzip, and returns any other as it is. Of a failed answer, which is text for
/// people, the part before the damage is enough.
///
/// # Errors
/// Rejects data that does not decompress, and what has more than [`BODY_CAP`] bytes decompressed.
pub(crate) async fn decoded(body: Bytes, content: Content) -> Result<Bytes, ApiError> {
    if body.starts_with(GZIP) {
        run_blocking(move || gunzip(&body, content)).await
    } else {
        Ok(body)
    }
}

fn gunzip(body: &[u8], content: Content) -> Result<Bytes, ApiError> {
    let mut plain = Vec::new();
    let limit = BODY_CAP as u64 + 1;
    let read = MultiGzDecoder::new(body)
        .take(limit)
        .read_to_end(&mut plain);
    if plain.len() > BODY_CAP {
        return Err(too_long(" when decompressed"));
    }
    match (read, content) {
        (Ok(_), _) | (Err(_), Content::Prose) => Ok(plain.into()),
        (Err(_), Content::Data) => Err(ApiError::new(
            Reason::Protocol,
            "the answer is compressed, although none was asked for, and does not decompress; check the endpoint and any proxy",
        )),
    }
}

/// Builds the error of a body beyond [`BODY_CAP`].
pub(crate) fn too_long(when: &str) -> ApiError {
    ApiError::new(
        Reason::Protocol,
        format!(
            "the answer is longer than {} MiB{when}; it is not read further",
            BODY_CAP >> 20
        ),
    )
}
