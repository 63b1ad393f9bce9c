//! README.md and docs/: their form and their commands.

use crate::{read, takes};

const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// Documents for users below docs/.
const USER_DOCS: [&str; 12] = [
    "alerts",
    "api",
    "configuration",
    "credentials",
    "kubernetes",
    "metrics",
    "page-and-terminal",
    "simulator",
    "start",
    "systemd",
    "troubleshooting",
    "web-config",
];

/// Returns the README and the documents for users, by their paths in the repository.
pub(crate) fn files() -> Vec<String> {
    let docs = USER_DOCS.map(|name| format!("docs/{name}.md"));
    std::iter::once("README.md".to_owned())
        .chain(docs)
        .collect()
}

/// Returns the blocks of code in a text, each with its language.
pub(crate) fn blocks(text: &str) -> Vec<(&str, &str)> {
    let fenced = text.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).collect()
}

/// Returns the words in backquotes.
pub(crate) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_readme_is_short() {
    let size = read("README.md").len();
    assert!(size <= 12_000, "{size} bytes");
}

#[test]
fn each_document_says_first_who_needs_it_and_is_in_the_readme() {
    let readme = read("README.md");
    for name in USER_DOCS {
        let text = read(&format!("docs/{name}.md"));
        let mut lines = text.lines().filter(|line| !line.is_empty());
        assert!(lines.next().unwrap().starts_with("# "), "{name}");
        assert!(lines.next().unwrap().starts_with("Read this "), "{name}");
        assert!(readme.contains(&format!("(docs/{name}.md)")), "{name}");
    }
}

/// Returns the command lines of this program in a text: in blocks for a shell, and within lines.
fn command_lines(text: &str) -> Vec<String> {
    let shell = blocks(text).into_iter().filter(|(l, _)| *l == "sh");
    let mut found: Vec<String> = Vec::new();
    for (_, block) in shell {
        let block = block.replace("\\\n", " ");
        found.extend(block.lines().map(|line| line.trim().to_owned()));
    }
    for line in text.lines() {
        found.extend(quoted(line).map(str::to_owned));
    }
    let lead = format!("{PROGRAM} ");
    let ends = [" > ", " >> ", " | ", " # "];
    let cut = |line: String| {
        let end = ends.iter().filter_map(|end| line.find(end)).min();
        line.split_at(end.unwrap_or(line.len())).0.to_owned()
    };
    let lines = found.into_iter().filter_map(|line| {
        let rest = line.strip_prefix(&lead)?;
        (!rest.starts_with("COMMAND")).then(|| cut(rest.to_owned()))
    });
    lines.collect()
}

#[test]
fn the_program_takes_every_command_of_the_docs() {
    let mut number = 0;
    for path in files() {
        for line in command_lines(&read(&path)) {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert!(takes(&words), "{path}: {line}");
            number += 1;
        }
    }
    assert!(number >= 25, "{number}");
}
