//! The hand-written HTTP/2 frames of the attacks: a server that does not understand them would
//! withstand every one.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::attacks::frames::{END_HEADERS, END_STREAM, HEADERS, head, push};
use super::attacks::{Listener, http2};
use super::exporter::Exporter;
use super::turn;

/// `:status: 200` in the static table of RFC 7541.
const OK: u8 = 0x88;

#[tokio::test]
async fn hand_written_http2_frames_get_an_answer() {
    let _turn = turn().await;
    let exporter = Exporter::start(Listener::Tls, &[]).await;
    let (mut reader, mut writer) = http2::connect(&exporter.target, &[]).await.unwrap();
    let mut request = Vec::new();
    push(&mut request, HEADERS, END_STREAM | END_HEADERS, 1, &head());
    writer.write_all(&request).await.unwrap();
    writer.flush().await.unwrap();
    let answer = async {
        loop {
            let mut frame = [0; 9];
            reader.read_exact(&mut frame).await.unwrap();
            let [a, b, c, kind, ..] = frame;
            let length = u32::from_be_bytes([0, a, b, c]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            reader.read_exact(&mut payload).await.unwrap();
            if kind == HEADERS {
                return payload;
            }
        }
    };
    let answer = timeout(Duration::from_secs(10), answer).await.unwrap();
    assert_eq!(answer.first(), Some(&OK), "{answer:?}");
}
