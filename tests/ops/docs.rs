//! README.md and docs/: their commands, and the tables that are written from the code.
//!
//! `DOCS_UPDATE=1 cargo test --test ops` writes the tables between the markers anew; read the difference.

mod flags;
mod keys;
mod metrics;
mod products;
mod simulator;

use std::sync::{Mutex, PoisonError};

use crate::{read, root, takes};

const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// Documents for users below docs/.
const USER_DOCS: [&str; 14] = [
    "alerts",
    "api",
    "api-history",
    "configuration",
    "credentials",
    "kubernetes",
    "metrics",
    "page-and-terminal",
    "simulator",
    "start",
    "storage",
    "systemd",
    "troubleshooting",
    "web-config",
];

/// Guards the files against two tests that write at once.
static WRITING: Mutex<()> = Mutex::new(());

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

/// Compares a table with its copy in the docs, which stands between the markers of this name; writes it
/// there instead when `DOCS_UPDATE` is set.
fn compare(name: &str, table: &str) {
    let (begin, end) = (
        format!("<!-- {name}: begin -->\n"),
        format!("<!-- {name}: end -->"),
    );
    let has = |path: &String| read(path).contains(&begin);
    let architecture = "docs/ARCHITECTURE.md".to_owned();
    let all = files().into_iter().chain([architecture]);
    let found: Vec<String> = all.filter(has).collect();
    let [path] = found.as_slice() else {
        panic!("put {begin}{end} in one of the docs: {found:?}")
    };
    // Markdown needs an empty line between a comment and a table.
    compare_between(path, &begin, &end, &format!("\n{table}\n"));
}

/// Compares a text with what stands between two marks of a file; writes it there instead when
/// `DOCS_UPDATE` is set.
pub(crate) fn compare_between(path: &str, begin: &str, end: &str, table: &str) {
    let _guard = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = read(path);
    let (before, rest) = text.split_once(begin).unwrap();
    let (written, after) = rest.split_once(end).expect(end);
    if written == table {
        return;
    }
    assert!(
        std::env::var_os("DOCS_UPDATE").is_some(),
        "{path} differs from the code, DOCS_UPDATE=1 writes it anew:\n{table}"
    );
    let text = format!("{before}{begin}{table}{end}{after}");
    // Other tests read the file meanwhile.
    let (path, new) = (root().join(path), root().join(format!("{path}.new")));
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}

/// Returns a table of Markdown.
fn table<const COLUMNS: usize>(head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | ")).replace("  |", " |");
    let mut out = line(&head.map(str::to_owned)) + &"|---".repeat(COLUMNS) + "|\n";
    for row in rows {
        out += &line(&row.each_ref().map(|cell| cell.replace('|', "\\|")));
    }
    out
}

/// Returns the first table below a line, row by row, each with its cells.
fn rows_below<'a>(text: &'a str, line: &str) -> Vec<Vec<&'a str>> {
    let (_, rest) = text.split_once(line).unwrap_or_else(|| panic!("no {line}"));
    let lines = rest
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    let cells = |line: &'a str| line.trim_matches('|').split('|').map(str::trim).collect();
    lines.map(cells).collect()
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
