//! Tests of the walk over a file.

use super::*;
use crate::parse::parse;

/// Reads `text` with `read`, and gives what was wrong.
fn wrong(text: &str, read: impl FnOnce(&mut Section<'_>)) -> Vec<String> {
    let problems = Problems::default();
    if let Some(node) = parse(text, &problems) {
        let mut section = Section::new(&node, "the file", node.at, &problems);
        read(&mut section);
        section.finish();
    }
    problems
        .into_sorted()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn keys_that_nobody_took_are_told() {
    let found = wrong("regoin: x\nzebra: y\n", |s| {
        assert!(s.take("region").is_none());
        assert!(s.take("zone").is_none());
    });
    assert_eq!(
        found,
        [
            "1:1: unknown key \"regoin\": did you mean region?",
            "2:1: unknown key \"zebra\": the file takes region, zone",
        ]
    );
}

#[test]
fn a_key_without_the_space_after_its_colon_does_not_show_its_value() {
    let found = wrong("{secret:hunter2, zone: a}", |s| {
        assert!(s.take("secret").is_none());
        assert!(s.take("zone").is_some());
    });
    assert_eq!(
        found,
        ["1:2: unknown key \"secret…\": put a space after the colon"]
    );
}

#[test]
fn numbers_are_digits_and_nothing_else() {
    for bad in [
        "0x10",
        "1_000",
        "+5",
        "-1",
        "1.0",
        "1e3",
        "٣",
        "0",
        "99999999999999999999999",
    ] {
        let found = wrong(&format!("n: {bad}"), |s| {
            let field = s.take("n").unwrap();
            assert_eq!(field.integer(1..=1000), None);
        });
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
    }
    for bad in ["inf", "NaN", "1e3", "-1", ".", "1.2.3", "0.0000001", "1001"] {
        let found = wrong(&format!("n: {bad}"), |s| {
            let field = s.take("n").unwrap();
            assert_eq!(field.decimal(0.001..=1000.0), None);
        });
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
    }
    let found = wrong("a: 7\nb: '8'\nc: 0.5\nd: true\n", |s| {
        assert_eq!(s.take("a").unwrap().integer(1..=9), Some(7));
        assert_eq!(s.take("b").unwrap().integer(1..=9), Some(8));
        assert_eq!(s.take("c").unwrap().decimal(0.1..=9.0), Some(0.5));
        assert_eq!(s.take("d").unwrap().bool(), Some(true));
    });
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn text_is_what_is_written() {
    let found = wrong("a: no\nb: 1.10\nc: ~\nd: \"x\\ny\"\ne: [x]\nf: ''\n", |s| {
        assert_eq!(s.take("a").unwrap().text(), Some("no"));
        assert_eq!(s.take("b").unwrap().text(), Some("1.10"));
        for bad in ["c", "d", "e", "f"] {
            assert_eq!(s.take(bad).unwrap().text(), None);
        }
    });
    assert_eq!(
        found,
        [
            "3:1: c is empty: give it a value, or remove it",
            "4:4: d must be one line of text without control characters or spaces around it",
            "5:4: e must be text, not a list",
            "6:4: f is empty: give it a value, or remove it",
        ]
    );
}

#[test]
fn a_section_that_is_none_misses_nothing() {
    let found = wrong("a: text\n", |s| {
        let mut inner = s.take("a").unwrap().section();
        assert!(inner.need("b").is_none());
        inner.finish();
    });
    assert_eq!(found, ["1:4: a must be a mapping (key: value), not text"]);
}
