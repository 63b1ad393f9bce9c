use super::*;

fn redaction(secrets: &[&str]) -> Redaction {
    let mut redaction = Redaction::default();
    for secret in secrets {
        redaction.add(secret);
    }
    redaction
}

fn prose(secret: &str, text: &str) -> String {
    redaction(&[secret]).text(text, Content::Prose).into_owned()
}

fn body(secret: &str, body: &str, content: Content) -> String {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let body = redaction(&[secret]).body(body, content);
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn removes_a_secret_in_every_encoding() {
    for (secret, text) in [
        ("hunter2", "user a, hunter2, b"),
        ("a\"b\\c/d", r#"user a, a\"b\\c/d, b"#),
        ("a\"b\\c/d", r"user a, a\u0022b\\c\/d, b"),
        ("a&b<c>'d", "user a, a&amp;b&lt;c&gt;&#39;d, b"),
        ("a&b<c>'d", "user a, a&b<c>&#x27;d, b"),
        ("a&b<c>'d", r"user a, a\u0026b\u003Cc\u003e'd, b"),
        ("p@ss w/한", "user a, p%40ss%20w%2F%ED%95%9C, b"),
        ("p@ss w/한", "user a, p%40ss+w%2f%ed%95%9c, b"),
        ("p@ss😀", r"user a, p@ss\ud83d\ude00, b"),
        ("hunter2", "user a, hun<b class=x></b>ter2, b"),
        ("hunter2", "user a, hun\u{200b}\u{1}ter2, b"),
        ("pass word", "user a, pass\nword, b"),
        ("back\\slash", r"user a, back\slash, b"),
        ("back\\slash", r"user a, back\\slash, b"),
    ] {
        assert_eq!(prose(secret, text), "user a, [redacted], b", "{text}");
    }
}

#[test]
fn removes_base64_wherever_the_secret_stands_in_it() {
    for user in ["", "a", "ab", "abc"] {
        for alphabet in [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
            let sent = alphabet.encode(format!("{user}:pass?>?phrase~"));
            let text = prose("pass?>?phrase~", &format!("you sent Basic {sent}"));
            // Characters that hold bits of what is beside it.
            let most = "you sent Basic ".len() + REDACTED.len() + user.len() * 2 + 4;
            assert!(text.contains(REDACTED) && text.len() <= most, "{text}");
        }
    }
}

#[test]
fn keeps_texts_without_a_secret() {
    for text in [
        "",
        "no such user",
        "hunter",
        r"a\",
        "100 %",
        "&amp",
        "a < b",
    ] {
        assert_eq!(prose("hunter2", text), text);
        assert_eq!(prose("", text), text);
    }
}

#[test]
fn removes_a_short_secret_as_a_whole_word() {
    assert_eq!(prose("ab", "ab: about ab"), "[redacted]: about [redacted]");
    assert_eq!(prose("abcd", "xabcdx"), "x[redacted]x");
}

#[test]
fn removes_the_longest_of_overlapping_secrets() {
    let both = redaction(&["hunter", "hunter2-long"]);
    let text = both.text("hunter2-long, hunter", Content::Prose);
    assert_eq!(text, "[redacted], [redacted]");
}

#[test]
fn removes_a_secret_that_is_cut_off_at_the_end() {
    assert_eq!(
        prose("MIIF-0123456789", "bad: MIIF-01234"),
        "bad: [redacted]"
    );
    assert_eq!(prose("MIIF-0123456789", "bad: MIIF"), "bad: MIIF");
}

#[test]
fn keeps_json_readable_whatever_is_removed() {
    assert_eq!(
        body(
            "12345678",
            r#"{"at":12345678,"text":"no 12345678"}"#,
            Content::Data
        ),
        r#"{"at":12345678,"text":"no [redacted]"}"#
    );
    assert_eq!(
        body(
            "nightly1",
            r#"{"text":"a\nightly1","nightly1":[{}]}"#,
            Content::Data
        ),
        r#"{"[redacted]":[{}],"text":"a\nightly1"}"#
    );
    // A JSON text in a JSON text.
    let nested =
        serde_json::json!({"message": serde_json::json!({"password": "a\"b\\cdefg"}).to_string()});
    let redacted = body("a\"b\\cdefg", &nested.to_string(), Content::Data);
    assert_eq!(redacted, r#"{"message":"{\"password\":\"[redacted]\"}"}"#);
    assert_eq!(
        body("hunter2", "<p>hunter2", Content::Prose),
        "<p>[redacted]"
    );
}

#[test]
fn keeps_short_secrets_in_data() {
    let text = r#"{"version":"7.10"}"#;
    assert_eq!(body("7.10", text, Content::Data), text);
    assert_eq!(
        body("7.10", text, Content::Prose),
        r#"{"version":"[redacted]"}"#
    );
}

#[test]
fn is_not_in_debug() {
    assert!(!format!("{:?}", redaction(&["hunter2"])).contains("hunter2"));
}
