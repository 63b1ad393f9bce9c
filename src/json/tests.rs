//! Tests of the readers through a record that has one field of each.

use serde::Deserialize;
use serde_json::Value;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wire {
    #[serde(deserialize_with = "text")]
    text: String,
    #[serde(deserialize_with = "number")]
    number: Option<i64>,
    #[serde(deserialize_with = "strict_text")]
    strict_text: String,
    #[serde(deserialize_with = "strict_number")]
    strict_number: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    record: Inner,
    #[serde(deserialize_with = "list")]
    list: Vec<Inner>,
    #[serde(deserialize_with = "list")]
    values: Vec<Value>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Inner {
    #[serde(deserialize_with = "strict_text")]
    status: String,
    #[serde(deserialize_with = "list")]
    inner_list: Vec<Inner>,
}

fn wire(json: &str) -> Wire {
    read(json.as_bytes()).unwrap_or_else(|e| panic!("{json}: {e}"))
}

fn error(json: &str) -> String {
    let read = read::<Wire>(json.as_bytes());
    read.expect_err(json).to_string()
}

/// Values that tell nothing.
const NOTHING: &[&str] = &[
    "null",
    "{}",
    "[]",
    r#"[null,{},""]"#,
    r#"{"a":"","b":{"c":[0,false]}}"#,
];

#[test]
fn values_that_tell_nothing_are_empty_in_every_reader() {
    for nothing in NOTHING {
        for field in [
            "text",
            "number",
            "strictText",
            "strictNumber",
            "record",
            "list",
            "values",
            "unused",
        ] {
            let json = format!(r#"{{"{field}":{nothing}}}"#);
            assert_eq!(wire(&json), Wire::default(), "{json}");
        }
    }
    for field in ["strictText", "strictNumber", "record", "list"] {
        assert_eq!(wire(&format!(r#"{{"{field}":""}}"#)), Wire::default());
    }
    for blank in ["0", "false", r#"" ""#] {
        assert_eq!(
            wire(&format!(r#"{{"record":{blank},"list":{blank}}}"#)),
            Wire::default()
        );
    }
}

#[test]
fn texts_may_be_whole_numbers_in_any_form() {
    for (json, want) in [
        (r#""a""#, "a"),
        (r#"" 1.0 ""#, " 1.0 "),
        ("3427188", "3427188"),
        ("3427188.0", "3427188"),
        ("3.427188E6", "3427188"),
        ("-7", "-7"),
        ("0", "0"),
        ("-0.0", "0"),
        ("18446744073709551615", "18446744073709551615"),
        ("9007199254740993", "9007199254740993"),
        ("9007199254740992.0", "9007199254740992"),
    ] {
        let both = wire(&format!(r#"{{"text":{json},"strictText":{json}}}"#));
        assert_eq!((&*both.text, &*both.strict_text), (want, want), "{json}");
    }
}

#[test]
fn numbers_may_be_texts_in_any_form() {
    for (json, want) in [
        ("2", Some(2)),
        ("2.0", Some(2)),
        (r#""2""#, Some(2)),
        (r#"" 2.0 ""#, Some(2)),
        (r#""2e0""#, Some(2)),
        ("-1", Some(-1)),
        ("0", Some(0)),
        (r#""""#, None),
        (r#"" ""#, None),
        (r#""9223372036854775807""#, Some(i64::MAX)),
        ("9223372036854775807", Some(i64::MAX)),
    ] {
        let both = wire(&format!(r#"{{"number":{json},"strictNumber":{json}}}"#));
        assert_eq!((both.number, both.strict_number), (want, want), "{json}");
    }
}

#[test]
fn deciding_fields_reject_what_others_pass_over() {
    const INEXACT: &str = "is a number beyond 2^53 that is not exact";
    for (field, json, lenient, message) in [
        ("text", "true", "true", "is a boolean, not a text"),
        ("text", "0.4", "0.4", "is a fraction, not a text"),
        ("text", "1e300", "", INEXACT),
        ("text", "9007199254740994.0", "", INEXACT),
        ("text", "[1]", "", "is a list, not a text"),
        ("text", r#"{"a":1}"#, "", "is an object, not a text"),
        ("number", "true", "", "is a boolean, not a whole number"),
        ("number", "0.4", "", "is a fraction, not a whole number"),
        ("number", r#""x""#, "", "is a text, not a whole number"),
        ("number", r#""inf""#, "", INEXACT),
        ("number", "18446744073709551615", "", INEXACT),
        ("number", r#""99999999999999999999""#, "", INEXACT),
        ("number", "[1]", "", "is a list, not a whole number"),
        (
            "number",
            r#"{"a":1}"#,
            "",
            "is an object, not a whole number",
        ),
    ] {
        let read = wire(&format!(r#"{{"{field}":{json}}}"#));
        assert_eq!(
            (&*read.text, read.number),
            (lenient, None),
            "{field} {json}"
        );
        let strict = match field {
            "text" => "strictText",
            _ => "strictNumber",
        };
        let error = error(&format!(r#"{{"{strict}":{json}}}"#));
        let want = format!("{strict}: {message};");
        assert!(error.starts_with(&want), "{json}: {error}");
    }
}

#[test]
fn one_entry_stands_for_a_list() {
    let status = |json: &str| wire(json).list.first().map(|one| one.status.clone());
    assert_eq!(status(r#"{"list":{"status":"a"}}"#).as_deref(), Some("a"));
    let json = r#"{"list":[{"status":"a"},null,{},{"status":""},{"innerList":[{"status":0}]}]}"#;
    assert_eq!(wire(json).list.len(), 1);
    for one in ["true", "1", "-1", "0.5", r#""a""#, "[1]"] {
        let json = format!(r#"{{"values":{one}}}"#);
        assert_eq!(wire(&json).values.len(), 1, "{one}");
    }
}

#[test]
fn errors_name_the_field_by_its_path() {
    for (json, want) in [
        (
            r#"{"record":{"status":[7]}}"#,
            "record.status: is a list, not a text",
        ),
        (
            r#"{"list":[{},{"status":"a"},{"status":[7]}]}"#,
            "list[2].status: is a list, not a text",
        ),
        (
            r#"{"list":{"innerList":[{"innerList":{"status":true}}]}}"#,
            "list.innerList[0].innerList.status: is a boolean, not a text",
        ),
        (r#"{"record":"x"}"#, "record: is a text, not an object"),
        (r#"{"record":["x"]}"#, "record: is a list, not an object"),
        (r#"{"list":"x"}"#, "list: is a text, not an object"),
        (r#"{"list":["x"]}"#, "list[0]: is a text, not an object"),
        (r#"{"list":[["x"]]}"#, "list[0]: is a list, not an object"),
        (r#"["x"]"#, "the document is a list, not an object"),
        ("null", "the document is null, not an object"),
    ] {
        let error = error(json);
        assert_eq!(error.split(';').next(), Some(want), "{json}");
        assert!(error.contains("look for a newer version"), "{error}");
    }
}

#[test]
fn errors_quote_nothing_of_the_document() {
    #[derive(Debug, Deserialize)]
    struct Plain {
        #[expect(dead_code, reason = "it is never read well")]
        number: u32,
    }
    for json in [
        r#"{"number":"\u0001hunter2\u0001 hunter2"}"#,
        r#"{"number":"hunter2"}"#,
        r#"{"hunter2":1}"#,
        r#"{"number":1} hunter2"#,
        r#"{"number":1,"hunter2"#,
    ] {
        let error = read::<Plain>(json.as_bytes()).expect_err(json).to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
    let text = read::<Plain>(br#"{"number":"x"}"#).unwrap_err().to_string();
    assert!(text.starts_with("number: has a form that"), "{text}");
}

#[test]
fn what_is_not_json_is_told_by_its_place() {
    let error = error("{\"text\":\n<html>");
    assert!(
        error.contains("Syntax error at line 2, column 1"),
        "{error}"
    );
}
