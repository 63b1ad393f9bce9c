use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::json;

fn read(document: &[u8]) -> Value {
    let shown = String::from_utf8_lossy(document);
    json::read(document).unwrap_or_else(|e| panic!("{shown}: {e}"))
}

#[test]
fn replaces_lone_surrogates_and_no_others() {
    for (text, want) in [
        (r"a\ud83d", "a\u{fffd}"),
        (r"\uD83Dx\udE00", "\u{fffd}x\u{fffd}"),
        (r"\ud83d\ude00", "\u{1f600}"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (r"\ud83d\n", "\u{fffd}\n"),
        (r"\ud83d\\ude00", "\u{fffd}\\ude00"),
        (r"\\ud83d\ud83d", "\\ud83d\u{fffd}"),
        (r"\ud83d\u0041", "\u{fffd}A"),
    ] {
        let document = format!(r#"{{"a":"{text}"}}"#);
        assert_eq!(read(document.as_bytes()), json!({"a": want}), "{document}");
        let as_key = format!(r#"{{"{text}":1}}"#);
        assert_eq!(read(as_key.as_bytes()), json!({want: 1}), "{as_key}");
    }
}

#[test]
fn replaces_bytes_that_are_not_utf_8() {
    for (document, want) in [
        (&b"{\"a\":\"x\xff\"}"[..], json!({"a": "x\u{fffd}"})),
        (b"{\"a\":\"\xe4\xb8\"}", json!({"a": "\u{fffd}"})),
        (b"{\"\xe9\":[1]}", json!({"\u{fffd}": [1]})),
        (b"{\"a\":\"\xc0\\n\"}", json!({"a": "\u{fffd}\n"})),
        (b"[\"\xed\xa0\xbd\"]", json!(["\u{fffd}\u{fffd}\u{fffd}"])),
    ] {
        assert_eq!(read(document), want, "{document:?}");
    }
}

#[test]
fn passes_over_a_byte_order_mark_and_raw_control_characters() {
    assert_eq!(read(b"\xef\xbb\xbf{\"a\":1}"), json!({"a": 1}));
    assert_eq!(read(b"[\"a\nb\x00\x1f\"]"), json!(["a\nb\0\u{1f}"]));
}

#[test]
fn keeps_the_last_entry_of_a_key() {
    for (document, want) in [
        (r#"{"a":1,"a":2}"#, r#"{      "a":2}"#),
        (
            r#"{"a":{"a":[1,2]},"b":3,"a":2}"#,
            r#"{                "b":3,"a":2}"#,
        ),
        (r#"{"a":1,"a":2,"a":3}"#, r#"{            "a":3}"#),
        (r#"{"ab":1,"a\u0062":2}"#, r#"{       "a\u0062":2}"#),
        (r#"[{"a":1},{"a":2}]"#, r#"[{"a":1},{"a":2}]"#),
        (
            r#"{"a":{"a":"a"},"b":{"a":"a"}}"#,
            r#"{"a":{"a":"a"},"b":{"a":"a"}}"#,
        ),
        (
            r#"{"x":"a","y":"a","a":"x"}"#,
            r#"{"x":"a","y":"a","a":"x"}"#,
        ),
    ] {
        let repaired = repaired(document.as_bytes());
        let repaired = repaired.map(|bytes| String::from_utf8(bytes).unwrap());
        let is_changed = document != want;
        assert_eq!(repaired.as_deref(), is_changed.then_some(want));
    }
}

#[test]
fn the_last_entry_counts_for_a_field_whatever_the_others_are() {
    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default)]
    struct Wire {
        #[serde(deserialize_with = "json::strict_text")]
        status: String,
        #[serde(deserialize_with = "json::optional")]
        inner: Option<Box<Wire>>,
    }
    let document = br#"{"inner":"x","status":[1],"status":"a","inner":{"status":1,"status":"b"}}"#;
    let wire: Wire = json::read(document).unwrap();
    assert_eq!(wire.status, "a");
    assert_eq!(wire.inner.unwrap().status, "b");
}

#[test]
fn depth_and_keys_are_bounded() {
    #[derive(serde::Deserialize)]
    struct Wire {
        a: u8,
    }
    let deep = 200_000;
    let document = format!(
        r#"{{"deep":{}"\ud800"{},"a":1,"a":2}}"#,
        r#"{"x":1,"x":["#.repeat(deep),
        "]}".repeat(deep)
    );
    let wire: Wire = json::read(document.as_bytes()).unwrap();
    assert_eq!(wire.a, 2);
    let mut document = r#"{"a":1,"#.to_owned();
    for number in 0..2 * MAX_KEYS {
        write!(document, r#""k{number}":0,"#).unwrap();
    }
    document.push_str(r#""z":1,"z":2,"a":2}"#);
    let wire: Wire = json::read(document.as_bytes()).unwrap();
    assert_eq!(wire.a, 2, "a key among the first is compared to the end");
}

#[test]
fn what_is_no_json_stays_an_error() {
    for document in [
        &b""[..],
        b"\xef\xbb\xbf",
        b"\xff",
        b"{\xff}",
        b"{\"a\":1",
        b"{\"a\":\"\\ud83d",
        b"{\"a\":\"\\ud83",
        b"{\"a\":1,\"a\"}",
        b"\"\\",
        b"}}]]",
        b"<html>",
    ] {
        assert!(json::read::<Value>(document).is_err(), "{document:?}");
    }
}

/// Pieces of a text as they stand in a document, with their meaning.
fn piece() -> impl Strategy<Value = (Vec<u8>, String)> {
    let replaced = |bytes: &[u8]| (bytes.to_vec(), "\u{fffd}".to_owned());
    prop_oneof![
        "[a-z가-힣😀]{0,3}".prop_map(|text| (text.clone().into_bytes(), text)),
        // Lone continuation bytes and bytes that begin nothing.
        prop_oneof![0x80..0xc0_u8, Just(0xff)].prop_map(move |byte| replaced(&[byte])),
        // The letter after it keeps a surrogate lone.
        (0xd800..0xe000_u32)
            .prop_map(|n| (format!("\\u{n:04x}x").into_bytes(), "\u{fffd}x".to_owned())),
        Just((br"\ud83d\ude00".to_vec(), "\u{1f600}".to_owned())),
        Just((br"\\u".to_vec(), r"\u".to_owned())),
        Just((br#"\""#.to_vec(), "\"".to_owned())),
        (0..0x20_u8).prop_map(|byte| (vec![byte], char::from(byte).to_string())),
    ]
}

fn text() -> impl Strategy<Value = (Vec<u8>, String)> {
    prop::collection::vec(piece(), 0..5).prop_map(|pieces| {
        let (bytes, text): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
        ([b"\"", &*bytes.concat(), b"\""].concat(), text.concat())
    })
}

/// Documents with such texts and their meaning; of entries with the same key the last one counts.
fn document() -> impl Strategy<Value = (Vec<u8>, Value)> {
    let leaf = prop_oneof![
        text().prop_map(|(bytes, text)| (bytes, Value::from(text))),
        any::<i64>().prop_map(|n| (n.to_string().into_bytes(), Value::from(n))),
        Just((b"null".to_vec(), Value::Null)),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(|values| {
            let (bytes, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
            (
                [b"[", &*bytes.join(&b','), b"]"].concat(),
                Value::from(values),
            )
        });
        let key = prop_oneof![text(), Just((b"\"k\"".to_vec(), "k".to_owned()))];
        let object = prop::collection::vec((key, inner), 0..4).prop_map(|entries| {
            let mut bytes = Vec::new();
            let mut object = serde_json::Map::new();
            for ((key, name), (value, meaning)) in entries {
                bytes.push([&*key, b" : ", &*value].concat());
                object.insert(name, meaning);
            }
            (
                [b"{", &*bytes.join(&b','), b"}"].concat(),
                Value::from(object),
            )
        });
        prop_oneof![list, object]
    })
}

proptest! {
    #[test]
    fn any_broken_text_is_read(document in document()) {
        prop_assert_eq!(read(&document.0), document.1);
    }

    #[test]
    fn good_json_keeps_its_meaning(document in document()) {
        let good = document.1.to_string();
        prop_assert_eq!(read(good.as_bytes()), document.1.clone());
        prop_assert_eq!(repaired(good.as_bytes()), None);
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let read = json::read::<Value>(&bytes);
        if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
            prop_assert_eq!(read.ok(), Some(value));
        }
    }
}

#[test]
fn what_no_field_reads_may_be_of_any_size_and_depth() {
    #[derive(serde::Deserialize)]
    struct Wire {
        #[serde(deserialize_with = "json::list")]
        list: Vec<Entry>,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Entry {
        #[serde(deserialize_with = "json::strict_text")]
        id: String,
    }
    let deep = format!("{}\"]\\\"\"{}", "[{\"x\":".repeat(300), "}]".repeat(300));
    for junk in ["1e999", "-1E+999", "[1e999, 2]", &deep] {
        let document = format!(r#"{{"list":[{{"id":"a","junk":{junk}}},{{"id":7}}]}}"#);
        let wire: Wire = json::read(document.as_bytes()).unwrap();
        let ids: Vec<_> = wire.list.iter().map(|entry| &*entry.id).collect();
        assert_eq!(ids, ["a", "7"], "{junk}");
    }
}

#[test]
fn a_number_that_no_float_holds_is_an_error_where_it_decides() {
    #[derive(serde::Deserialize)]
    struct Wire {
        #[serde(deserialize_with = "json::strict_number")]
        _count: Option<i64>,
    }
    let error = json::read::<Wire>(br#"{"_count":1e999}"#).err().unwrap();
    assert!(error.to_string().contains("_count"), "{error}");
}
