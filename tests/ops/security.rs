//! SECURITY.md: each claim names tests that exist.

use crate::{read, rust_files};

/// Returns the links of a text to Rust files: the function and the file.
fn tests_named(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split("](").collect();
    let links = parts.windows(2).filter_map(|pair| {
        let name = pair[0].rsplit('[').next()?;
        let path = pair[1].split(')').next()?;
        let (_, ending) = path.rsplit_once('.')?;
        (ending == "rs").then_some((name, path))
    });
    links.collect()
}

/// Reports whether a source has a test of this name.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let heads = [format!("fn {name}("), format!("async fn {name}(")];
    let is_head = |line: &str| heads.iter().any(|head| line.starts_with(head.as_str()));
    lines.iter().enumerate().any(|(at, line)| {
        let attributes = lines[..at].iter().rev();
        let mut attributes = attributes.take_while(|line| line.starts_with("#["));
        is_head(line) && attributes.any(|line| line.contains("test"))
    })
}

#[test]
fn every_test_that_is_named_exists() {
    let text = read("SECURITY.md");
    let named = tests_named(&text);
    assert!(named.len() > 60, "{}", named.len());
    assert!(!has_test(&read("tests/ops/security.rs"), "has_test"));
    for (name, path) in named {
        assert!(has_test(&read(path), name), "{path} has no test {name}");
    }
}

/// An item of a list below "promises", or of what a side cannot do, is a claim.
#[test]
fn every_claim_names_a_test() {
    let text = read("SECURITY.md");
    let (_, promises) = text.split_once("## What the program promises").unwrap();
    let (promises, threats) = promises.split_once("## Threat model").unwrap();
    let mut claims: Vec<&str> = promises.lines().filter(|l| l.starts_with("- ")).collect();
    assert!(claims.len() >= 8);
    for side in threats.split("\n### ").skip(2) {
        let (name, _) = side.split_once('\n').unwrap();
        let Some((_, cannot)) = side.split_once("\nCannot:\n") else {
            assert_eq!(name, "The supply chain");
            continue;
        };
        let before = claims.len();
        claims.extend(cannot.lines().filter(|line| line.starts_with("- ")));
        assert!(claims.len() > before, "{name}");
    }
    for claim in claims {
        assert!(!tests_named(claim).is_empty(), "{claim}");
    }
}

#[test]
fn the_program_starts_no_other_program() {
    let files = [rust_files("src"), rust_files("crates")].concat();
    let is_test = |file: &str| file.contains("/tests/") || file.ends_with("/tests.rs");
    let files: Vec<String> = files.into_iter().filter(|file| !is_test(file)).collect();
    assert!(files.len() > 100, "{}", files.len());
    for file in files {
        let source = read(&file);
        let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        assert!(!code.contains("process::Command"), "{file}");
    }
}
