//! HTTP/2 frames as bytes (RFC 9113), and heads without compression (RFC 7541).

/// The client's first bytes.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const HEADERS: u8 = 0x1;
pub(crate) const RST_STREAM: u8 = 0x3;
pub(crate) const SETTINGS: u8 = 0x4;
pub(crate) const PING: u8 = 0x6;
pub(crate) const CONTINUATION: u8 = 0x9;

pub(crate) const END_STREAM: u8 = 0x1;
pub(crate) const END_HEADERS: u8 = 0x4;

/// The error code `CANCEL`.
pub(crate) const CANCEL: [u8; 4] = [0, 0, 0, 8];

/// `SETTINGS_INITIAL_WINDOW_SIZE` of 0.
pub(crate) const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];

/// Largest payload that every server takes.
pub(crate) const LARGEST: usize = 16 << 10;

/// Appends a frame.
pub(crate) fn push(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    out.extend(length.to_be_bytes().into_iter().skip(1));
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
}

/// Returns the head of `GET https://localhost/metrics`.
pub(crate) fn head() -> Vec<u8> {
    // Indexed `:method: GET` and `:scheme: https`; literal `:path` and `:authority`.
    [
        &[0x82, 0x87, 0x04, 8][..],
        b"/metrics",
        &[0x01, 9],
        b"localhost",
    ]
    .concat()
}

/// Returns a payload full of literal headers.
pub(crate) fn many_headers() -> Vec<u8> {
    let header = [&[0x00, 3][..], b"x-a", &[100], &[b'a'; 100]].concat();
    header.repeat(LARGEST / header.len())
}
