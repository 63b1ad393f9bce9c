//! Tests of compressed answers.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn raw(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

async fn receive(status: &str, headers: &str, body: &[u8]) -> Result<Answer, ApiError> {
    let server = Server::start(vec![raw(status, headers, body)]).await;
    let mut patient = server.transport().once();
    patient.timeout = Duration::from_secs(20);
    let answer = patient.send(&Counting::default(), &server.read()).await;
    let request = server.requests().remove(0);
    assert!(
        request.contains("accept-encoding: identity\r\n"),
        "{request}"
    );
    answer
}

const GZIP: &str = "content-encoding: gzip\r\n";

#[tokio::test]
async fn a_gzip_body_is_read_although_none_was_asked_for() {
    let body = gzip(br#"{"a":1}"#);
    for headers in [GZIP, "content-encoding: X-GZIP\r\n", ""] {
        let answer = receive("200 OK", headers, &body).await.unwrap();
        assert_eq!(&*answer.body, br#"{"a":1}"#, "{headers}");
    }
    let parts = [gzip(br#"{"a""#), gzip(b":1}")].concat();
    let answer = receive("200 OK", GZIP, &parts).await.unwrap();
    assert_eq!(&*answer.body, br#"{"a":1}"#);
    // A proxy that decompressed it and kept the header.
    let answer = receive("200 OK", GZIP, br#"{"a":1}"#).await.unwrap();
    assert_eq!(&*answer.body, br#"{"a":1}"#);
}

#[tokio::test]
async fn a_secret_in_a_gzip_body_is_removed() {
    let server = Server::start(vec![raw("200 OK", GZIP, &gzip(b"[\"hunter2-hunter2\"]"))]).await;
    let answer = server
        .transport()
        .send(&Repeated, &server.read())
        .await
        .unwrap();
    assert_eq!(&*answer.body, b"[\"[redacted]\"]");
}

/// Signs with a secret that the server repeats.
struct Repeated;

impl Vendor for Repeated {
    fn authorize(&self, _: &Message<'_>, _: Timestamp) -> Result<Authentication, ApiError> {
        Ok(Authentication::default().secret_header("x-signature", "hunter2-hunter2".to_owned()))
    }

    fn judge(&self, _: &Answer) -> Result<(), ApiError> {
        Ok(())
    }

    fn credentials(&self) -> u64 {
        7
    }

    fn rest_after_refusal(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_when_decompressed_is_cut_off() {
    for status in ["200 OK", "503 Busy"] {
        let error = receive(status, GZIP, &gzip(&vec![b' '; BODY_CAP + 1]))
            .await
            .unwrap_err();
        assert_eq!(error.reason, Reason::Protocol, "{error}");
        let text = "longer than 8 MiB when decompressed";
        assert!(error.message.contains(text), "{error}");
    }
    let whole = gzip(&vec![b' '; BODY_CAP]);
    let answer = receive("200 OK", GZIP, &whole).await.unwrap();
    assert_eq!(answer.body.len(), BODY_CAP);
}

#[tokio::test]
async fn a_gzip_body_that_is_cut_or_broken_is_an_error() {
    let mut body = gzip(br#"{"a":"some text that is long enough"}"#);
    let cut = body[..body.len() - 9].to_vec();
    let middle = body.len() / 2;
    body[middle] ^= 0xff;
    for body in [cut, body, b"\x1f\x8b".to_vec()] {
        let error = receive("200 OK", GZIP, &body).await.unwrap_err();
        assert_eq!(error.reason, Reason::Protocol, "{error}");
        assert!(error.message.contains("does not decompress"), "{error}");
        let error = receive("429 Slow Down", GZIP, &body).await.unwrap_err();
        assert_eq!(error.reason, Reason::Throttled, "the status is enough");
    }
}
