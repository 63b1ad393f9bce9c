//! Answers of a size and form that make a search expensive.

use std::fmt::Write as _;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::*;

/// Most time for a search of 8 MiB in a debug build; the search that this one replaced took minutes.
const PATIENCE: Duration = Duration::from_secs(20);

const SECRETS: &[&str] = &[
    "sNCLOUDACCESSKEY0",
    "s-secret-key-of-forty-characters-0123456",
    "sWJhc2U2NHNpZ25hdHVyZTEyMzQ1Njc4OTA+YWI/Y2Q=",
];

fn repeated(unit: &str, length: usize) -> String {
    unit.repeat(length / unit.len())
}

#[test]
fn searches_any_text_in_linear_time() {
    let redaction = redaction(SECRETS);
    for unit in [
        "<s",
        "sNCLOUDAC.",
        "s-secret-key-of-f\\u",
        "\\",
        "%5c\\u005c&",
        "\"<s\",",
    ] {
        for (content, length) in [
            (Content::Prose, LONGEST_TEXT),
            (Content::Data, LONGEST_TEXT),
            (Content::Prose, 8 << 20),
            (Content::Data, 8 << 20),
        ] {
            let body = Bytes::from(repeated(unit, length));
            let begun = Instant::now();
            let redacted = redaction.body(body.clone(), content);
            let took = begun.elapsed();
            assert!(took < PATIENCE, "{unit} {content:?} {length}: {took:?}");
            assert!(body.starts_with(&redacted));
        }
    }
}

#[test]
fn searches_repetitive_secrets_in_linear_time() {
    let (short, long) = ("a".repeat(256), "a".repeat(32 << 10));
    let redaction = redaction(&[&short, &format!("{long}b"), "aaaaaaaa"]);
    let body = Bytes::from(format!(r#"["{}"]"#, "a".repeat(8 << 20)));
    let begun = Instant::now();
    assert_eq!(redaction.body(body, Content::Data), r#"["[redacted]"]"#);
    assert!(begun.elapsed() < PATIENCE);
}

/// Each form is put where two parts of a long answer meet.
#[test]
fn finds_secrets_between_the_parts_of_long_data() {
    let secret = r#"p@ss"w\rd+/=한"#;
    let redaction = redaction(&[secret]);
    let once = serde_json::to_value(secret).unwrap().to_string();
    let twice = serde_json::Value::from(once.trim_matches('"')).to_string();
    let mut utf16 = String::new();
    for unit in secret.encode_utf16() {
        write!(utf16, "\\u{unit:04X}").unwrap();
    }
    for form in [
        once.trim_matches('"'),
        twice.trim_matches('"'),
        &utf16,
        &once
            .trim_matches('"')
            .replace('/', "\\/")
            .replace('=', "\\u003d"),
        "p%40ss%22w%5Crd%2B%2f%3d%ED%95%9C",
    ] {
        for before in (0..form.len() + 2).chain([200]) {
            let filler = "x".repeat(LONGEST_TEXT - 10 - before);
            let body = format!(r#"{{"1":"{filler}","2":"{form}","3":["{filler}","\n"]}}"#);
            let want = format!(r#"{{"1":"{filler}","2":"[redacted]","3":["{filler}","\n"]}}"#);
            let redacted = redaction.body(Bytes::from(body), Content::Data);
            assert!(redacted == want, "{form} {before} bytes before the end");
        }
    }
}

#[test]
fn removes_every_secret_of_long_data_in_place() {
    let redaction = redaction(SECRETS);
    let item = format!(
        r#"{{"a":"{}","n":1.50,"b":"\u00e9{}<"}},"#,
        SECRETS[0], SECRETS[2]
    );
    let items = repeated(&item, 1 << 20);
    let body = Bytes::from(format!("[ {items}{{}}]"));
    let redacted = redaction.body(body, Content::Data);
    let clean = items
        .replace(SECRETS[0], REDACTED)
        .replace(SECRETS[2], REDACTED);
    assert!(redacted == format!("[ {clean}{{}}]"));
}

#[test]
fn cuts_failed_answers_between_characters() {
    let redaction = redaction(SECRETS);
    for lead in ["", "x", "xx"] {
        let body = format!("{lead}{}", "한".repeat(LONGEST_TEXT));
        let cut = redaction.body(Bytes::from(body.clone()), Content::Prose);
        assert!((LONGEST_TEXT - 2..=LONGEST_TEXT).contains(&cut.len()));
        assert!(std::str::from_utf8(&cut).is_ok() && body.as_bytes().starts_with(&cut));
        let whole = redaction.body(Bytes::from(body.clone()), Content::Data);
        assert_eq!(whole, body);
    }
}

#[test]
fn removes_a_long_token_and_any_long_beginning_of_it() {
    let letter = |n: u32| char::from_digit(10 + n * n % 23, 36).unwrap();
    let token: String = (0..4096).map(letter).collect();
    let (short, long) = (token.split_at(100).0, token.split_at(1000).0);
    let redaction = redaction(&[&token]);
    for (content, length) in [(Content::Prose, 0), (Content::Data, 200_000)] {
        let filler = "-".repeat(length);
        for part in [token.as_str(), long] {
            let text = redaction
                .text(&format!("{filler}{part}! {part}"), content)
                .into_owned();
            assert_eq!(text, format!("{filler}[redacted]! [redacted]"));
        }
        let few = format!("{filler}{short}!");
        assert_eq!(redaction.text(&few, content), few);
    }
}

#[tokio::test]
async fn searches_large_answers_on_the_blocking_pool() {
    let body = Bytes::from(format!(r#"["{}","{}"]"#, "x".repeat(1 << 20), SECRETS[1]));
    let mut headers = HeaderMap::new();
    headers.insert("x-key", HeaderValue::from_static(SECRETS[0]));
    let answer = redaction(SECRETS).answer(headers, body, Content::Data);
    let mut answer = std::pin::pin!(answer);
    // An answer that is searched on this thread is there at once.
    let first = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context).is_pending()));
    assert!(first.await);
    let (headers, body) = answer.await;
    assert_eq!(headers["x-key"], REDACTED);
    assert!(body.ends_with(br#"x","[redacted]"]"#));
}
