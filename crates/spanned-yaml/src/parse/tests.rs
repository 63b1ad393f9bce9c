//! Tests of the parser.

use std::fmt::Write;

use super::*;

/// Writes a tree with the place of everything in it.
fn dump(node: &Node) -> String {
    let at = node.at;
    match &node.value {
        Value::Scalar { text, quoted: true } => format!("{at}'{text}'"),
        Value::Scalar { text, .. } => format!("{at}{text}"),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(dump).collect();
            format!("{at}[{}]", items.join(" "))
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, node)| format!("{}{}={}", key.at, key.text, dump(node)))
                .collect();
            format!("{at}{{{}}}", entries.join(" "))
        }
    }
}

fn read(text: &str) -> String {
    let problems = Problems::default();
    let root = parse(text, &problems);
    let problems: Vec<String> = problems
        .into_sorted()
        .iter()
        .map(ToString::to_string)
        .collect();
    match root {
        Some(root) if problems.is_empty() => dump(&root),
        _ => problems.join("\n"),
    }
}

#[test]
fn everything_knows_its_place() {
    assert_eq!(
        read("a: 1\n'b': \"x\"\nc:\n  - d\n  - {e: f}\n"),
        "1:1{1:1a=1:41 2:1b=2:6'x' 3:1c=4:3[4:5d 5:5{5:6e=5:9f}]}"
    );
}

#[test]
fn an_alias_is_a_copy() {
    assert_eq!(
        read("a: &x {b: c}\nd: *x\n"),
        "1:1{1:1a=1:4{1:8b=1:11c} 2:1d=1:4{1:8b=1:11c}}"
    );
}

#[test]
fn copies_have_a_budget() {
    let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x]\n");
    for level in 1..9 {
        let before = format!("*a{}", level - 1);
        let line = [before.as_str(); 8].join(",");
        writeln!(text, "a{level}: &a{level} [{line}]").unwrap();
    }
    assert!(read(&text).contains("too large: write the values out"));
}

#[test]
fn chained_aliases_do_not_go_deeper_than_brackets() {
    let mut text = String::from("a0: &a0 [x]\n");
    for level in 1..200 {
        writeln!(text, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert!(read(&text).contains("more than 32 deep"));
    assert!(read(&"[".repeat(100)).contains("more than 32 deep"));
}

#[test]
fn an_alias_of_what_is_around_it_is_refused() {
    assert!(read("a: &x [*x]\n").contains("inside of what it repeats"));
}

#[test]
fn a_tag_for_text_is_a_quote_and_others_are_refused() {
    assert_eq!(read("a: !!str ~\n"), "1:1{1:1a=1:4'~'}");
    assert!(read("a: !python/object x\n").contains("tags"));
}

#[test]
fn files_that_are_no_mapping_of_words_are_refused() {
    assert!(read("").contains("1:1: this file is empty"));
    assert!(read("# nothing\n").contains("1:1: this file is empty"));
    assert!(read("a: 1\n---\nb: 2\n").starts_with("2:1: a second document"));
    assert!(read("? [a]\n: b\n").contains("a key must be a word, not a list"));
    assert!(read(&format!("a: {}", "x".repeat(LONGEST))).contains("1 MiB"));
}

#[test]
fn a_byte_order_mark_is_not_text() {
    assert_eq!(read("\u{feff}a: 1\n"), "1:1{1:1a=1:41}");
}
