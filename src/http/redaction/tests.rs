use proptest::prelude::*;

use super::*;

mod long;

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
        // Encoded twice, or in two ways.
        ("a\"b\\c/d", r#"user a, a\\\"b\\\\c/d, b"#),
        ("a\"b&c", r"user a, a\u0026quot;b\u0026amp;c, b"),
        ("a\"b&c", r"user a, a\&quot;b&amp;c, b"),
        ("p@ss\"w", r"user a, p%40ss%5C%22w, b"),
        ("p@ss w&", "user a, p%40ss+w&amp;, b"),
        ("p@ss\"w&", r"user a, p%40ss\u0026quot;w&amp;, b"),
        // Divided as well.
        ("p@ss\"w", "user a, p%40<i>ss&quot;</i>w, b"),
        (
            "p@ssw",
            r"user a, p\u0040\u200bs\u003cb\u003es\u003c/b\u003ew, b",
        ),
        ("pass word", "user a, pa<b>ss\n</b>word, b"),
        ("pass word", "user a, pass\u{a0}word, b"),
        ("MIIF-0123456789", "user a, MIIF-\r\n01234\r\n56789, b"),
        ("hunter2", "user a, hun<s<s<s>ter2, b"),
        ("a<b>c d", "user a, a<b>c d, b"),
        ("a<b>c d", "user a, a&lt;b&gt;c+d, b"),
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
        "hun < ter2",
        r"hun\ud83dter2",
        "hun%zzter2",
        "hun&#zz;ter2",
    ] {
        assert_eq!(prose("hunter2", text), text);
        assert_eq!(prose("", text), text);
    }
}

#[test]
fn removes_a_short_secret_as_a_whole_word() {
    assert_eq!(prose("ab", "ab: about ab"), "[redacted]: about [redacted]");
    assert_eq!(
        prose("ab", "abé éab 한ab ab한 <ab>"),
        "abé éab 한ab ab한 <[redacted]>"
    );
    assert_eq!(prose("abcd", "xabcdx"), "x[redacted]x");
}

#[test]
fn removes_the_longest_of_overlapping_secrets() {
    let both = redaction(&["hunter", "hunter2-long"]);
    let text = both.text("hunter2-long, hunter", Content::Prose);
    assert_eq!(text, "[redacted], [redacted]");
}

#[test]
fn removes_both_of_two_secrets_that_overlap() {
    let both = redaction(&["abcdefgh", "efghijklmnop"]);
    let text = both.text("xabcdefghijklmnopx", Content::Prose);
    assert_eq!(text, "x[redacted]x");
}

#[test]
fn removes_a_secret_that_is_cut_off_at_the_end() {
    assert_eq!(
        prose("MIIF-0123456789", "bad: MIIF-01234"),
        "bad: [redacted]"
    );
    assert_eq!(prose("MIIF-0123456789", "bad: MIIF"), "bad: MIIF");
    // In JSON each text has an end of its own.
    assert_eq!(
        body(
            "MIIF-0123456789",
            r#"{"a":"bad: MIIF-01234","b":"MIIF","c":"MIIF-01234 "}"#,
            Content::Prose
        ),
        r#"{"a":"bad: [redacted]","b":"MIIF","c":"MIIF-01234 "}"#
    );
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
        r#"{"text":"a\nightly1","[redacted]":[{}]}"#
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
fn keeps_json_that_is_repaired_readable() {
    for text in [
        "\u{feff}{\"at\":12345678,\"text\":\"no 12345678\"}",
        r#"{"\ud83d":"\ude00","at":12345678,"text":"no 12345678"}"#,
        "{\"a\":\"\n\",\"at\":12345678,\"text\":\"no 12345678\"}",
    ] {
        let redacted = body("12345678", text, Content::Data);
        let read: serde_json::Value = json::read(redacted.as_bytes()).unwrap();
        assert_eq!(read["at"], 12_345_678);
        assert_eq!(read["text"], "no [redacted]");
    }
}

#[test]
fn removes_secrets_of_data_in_the_forms_of_prose() {
    let secret = "p@ss\"w\\/rd=";
    for form in [
        r#"p@ss\"w\\/rd="#,
        r#"p@ss\"w\\\/rd\u003d"#,
        r#"p@ss\\\"w\\\\/rd="#,
        r"\u0070\u0040\u0073\u0073\u0022\u0077\u005C\u002f\u0072\u0064\u003D",
        "p%40ss%22w%5c%2Frd%3d",
        "p@ss&quot;w&#92;/rd=",
        r"p@<b>ss&quot;w\\/\nrd=",
    ] {
        let text = format!(r#"{{"code":7,"message":"no {form}, "}}"#);
        let want = r#"{"code":7,"message":"no [redacted], "}"#;
        for content in [Content::Data, Content::Prose] {
            assert_eq!(body(secret, &text, content), want);
        }
    }
}

#[test]
fn keeps_the_structure_of_json() {
    for (secret, text) in [
        ("\",\"b\":\"", r#"{"a":"","b":""}"#),
        ("7", r#"{"a":7,"b":"77"}"#),
        ("true", "[true, null, 1.0e7]"),
        ("<x>", r#"["<","x",">"]"#),
        ("ab", r#"["a<","> b","a","b"]"#),
    ] {
        assert_eq!(body(secret, text, Content::Prose), text);
    }
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
    let redaction = redaction(&["hunter2"]);
    assert_eq!(redaction.text("hunter2", Content::Prose), REDACTED);
    let debug = format!("{redaction:?}");
    assert!(debug.contains("Searcher"), "it is prepared");
    assert!(
        !debug.contains("hunter2") && !debug.contains("'h'"),
        "{debug}"
    );
}

#[test]
fn searches_for_secrets_that_are_added_later() {
    let mut redaction = redaction(&["hunter2"]);
    assert_eq!(redaction.text("pass-phrase", Content::Prose), "pass-phrase");
    redaction.add("pass-phrase");
    assert_eq!(redaction.text("pass-phrase", Content::Prose), REDACTED);
    let mut more = self::redaction(&["third-one"]);
    assert_eq!(more.text("hunter2", Content::Prose), "hunter2");
    more.extend(&redaction);
    assert_eq!(more.text("hunter2", Content::Prose), REDACTED);
}

/// A text in which a secret stands, encoded in some way, among marks that mean something to a decoder.
fn text(secret: &'static str) -> impl Strategy<Value = String> {
    let percent = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC);
    let json = serde_json::Value::from(secret).to_string();
    let json = json.trim_matches('"').to_owned();
    let piece = prop_oneof![
        Just(secret.to_owned()),
        Just(percent.to_string()),
        Just(
            serde_json::Value::from(&*json)
                .to_string()
                .trim_matches('"')
                .to_owned()
        ),
        Just(json),
        Just(secret.replace('"', "&quot;")),
        "[\\\\\"/<>&;%u0-9a-f\u{0}-\u{1f}\u{200b}한]{0,6}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn json_stays_json_and_loses_its_secrets(
        texts in prop::collection::vec(text("pa\"ss\\wo한rd"), 1..4),
        is_data in any::<bool>(),
    ) {
        let value = serde_json::json!({"a": texts, "n": 12});
        let content = if is_data { Content::Data } else { Content::Prose };
        let redacted = body("pa\"ss\\wo한rd", &value.to_string(), content);
        let read: serde_json::Value = serde_json::from_str(&redacted).unwrap();
        prop_assert_eq!(read["a"].as_array().unwrap().len(), texts.len());
        for text in read["a"].as_array().unwrap() {
            prop_assert!(!text.as_str().unwrap().contains("pa\"ss\\wo한rd"), "{}", text);
        }
        prop_assert_eq!(&read["n"], 12);
    }

    #[test]
    fn any_bytes_are_searched(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let all = redaction(&["a", "\u{1}", "<", "long-secret"]);
        for content in [Content::Data, Content::Prose] {
            all.body(Bytes::from(bytes.clone()), content);
        }
    }
}
