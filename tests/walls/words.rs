//! Words of vendors and products in the source: where each stands.
//!
//! A long word is found within any other; a short one, such as a product's name, as a whole word or as a
//! part of a name in snake or camel case. Tests are left out: what `#[cfg(test)]` marks, and the files of
//! modules that it marks.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use rolling_upgrade_exporter::cloud::{Cloud, Product, products};
use rolling_upgrade_exporter::clouds::CLOUDS;

/// Length from which a word is found within others.
const LONG: usize = 5;

/// A word of a vendor or a product in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// Path of the file from the root.
    pub(crate) file: String,
    /// Number of the line, from 1.
    pub(crate) line: usize,
    /// The word, in lower case.
    pub(crate) word: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.word)
    }
}

/// Returns the words of all clouds and products, in lower case: their names, titles, and what is upgraded.
/// `general` are words that are no vendor's.
pub(crate) fn of_vendors(general: &[&str]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for cloud in CLOUDS {
        words.insert(cloud.name().to_lowercase());
        words.insert(cloud.title().to_lowercase());
        words.extend(first_word(cloud.title()));
    }
    for product in products(CLOUDS).map(Product::info) {
        words.insert(product.name.to_lowercase());
        words.insert(product.title.to_lowercase());
        let upgraded = product.upgraded.split(';').next().unwrap_or_default();
        words.extend(upgraded.split(',').filter_map(first_word));
    }
    words.retain(|word| !general.contains(&word.as_str()));
    words
}

fn first_word(text: &str) -> Option<String> {
    text.split_whitespace().next().map(str::to_lowercase)
}

/// Returns the words in the lines of a text that `words` has, each with the number of its line.
pub(crate) fn in_lines<'a>(
    lines: impl IntoIterator<Item = (usize, &'a str)>,
    words: &BTreeSet<String>,
) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in lines {
        let lower = line.to_lowercase();
        let parts = parts(line);
        let has = |word: &&String| {
            if word.len() < LONG {
                parts.contains(*word)
            } else {
                lower.contains(word.as_str())
            }
        };
        found.extend(words.iter().filter(has).map(|word| (number, word.clone())));
    }
    found
}

/// Returns the parts of names in a line, in lower case: `NcpSesCall` has `ncp`, `ses` and `call`.
fn parts(line: &str) -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    for name in line.split(|c: char| !c.is_ascii_alphanumeric()) {
        let chars: Vec<char> = name.chars().collect();
        let mut part = String::new();
        for (place, c) in chars.iter().enumerate() {
            let is_lower = |at: usize| chars.get(at).is_some_and(char::is_ascii_lowercase);
            let begins =
                c.is_ascii_uppercase() && place > 0 && (is_lower(place - 1) || is_lower(place + 1));
            if begins {
                parts.insert(std::mem::take(&mut part));
            }
            part.push(c.to_ascii_lowercase());
        }
        parts.insert(part);
    }
    parts
}

/// Returns the lines of code that are not for tests, each with its number, and the names of the modules
/// that are for tests.
pub(crate) fn without_tests(code: &str) -> (Vec<(usize, &str)>, Vec<&str>) {
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut lines = code.lines().enumerate().map(|(at, line)| (at + 1, line));
    while let Some((number, line)) = lines.next() {
        if !is_for_tests(line.trim_start()) {
            kept.push((number, line));
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        // rustfmt puts the end of an item below its begin.
        let ends = |line: &str| {
            let (blank, rest) = line.split_at(indent.min(line.len()));
            blank.trim().is_empty() && rest.starts_with('}')
        };
        let mut is_first = true;
        for (_, line) in lines.by_ref() {
            let item = line.trim_start();
            if is_first && item.starts_with("#[") {
                continue;
            }
            if is_first && item.ends_with(';') {
                let module = item.split_once("mod ").map(|(_, name)| name);
                modules.extend(module.and_then(|name| name.strip_suffix(';')));
                break;
            }
            is_first = false;
            if ends(line) {
                break;
            }
        }
    }
    (kept, modules)
}

fn is_for_tests(line: &str) -> bool {
    line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test")
}

/// Returns every word of `words` in the files below these folders that stands outside the folders of
/// clouds, of which each has its own words. Paths begin at `root`.
pub(crate) fn in_folders(root: &Path, folders: &[&str], words: &BTreeSet<String>) -> Vec<Found> {
    let mut files = Vec::new();
    for folder in folders {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let texts: Vec<(PathBuf, String)> = files
        .into_iter()
        .filter_map(|path| Some((path.clone(), std::fs::read_to_string(&path).ok()?)))
        .collect();
    let mut for_tests = Vec::new();
    let mut kept = Vec::new();
    for (path, text) in &texts {
        let is_code = path.extension().is_some_and(|extension| extension == "rs");
        let (lines, modules) = if is_code {
            without_tests(text)
        } else {
            let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
            (lines.collect(), Vec::new())
        };
        let folder = folder_of(path);
        for_tests.extend(modules.into_iter().map(|name| folder.join(name)));
        kept.push((path, lines));
    }
    let mut found = Vec::new();
    for (path, lines) in kept {
        let module = path.with_extension("");
        if for_tests.iter().any(|tests| module.starts_with(tests)) {
            continue;
        }
        let file = path.strip_prefix(root).unwrap_or(path);
        let file = file.to_string_lossy().replace('\\', "/");
        if !is_of_a_cloud(&file) {
            let words = in_lines(lines, words).into_iter();
            found.extend(words.map(|(line, word)| Found {
                file: file.clone(),
                line,
                word,
            }));
        }
    }
    found
}

/// Returns the folder of a module's own modules.
fn folder_of(path: &Path) -> PathBuf {
    let name = path.file_stem().unwrap_or_default();
    if ["lib", "main"].iter().any(|root| name == *root) {
        path.parent().unwrap_or(path).to_owned()
    } else {
        path.with_extension("")
    }
}

/// Returns true for the files of a cloud, and for the list of all clouds.
fn is_of_a_cloud(file: &str) -> bool {
    let is_of = |cloud: &&dyn Cloud| {
        let module = format!("src/clouds/{}", cloud.name());
        let rest = file.strip_prefix(&module);
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    };
    file == "src/clouds.rs" || CLOUDS.iter().any(is_of)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        // Tests and examples of a crate.
        let is_skipped = ["tests", "examples", "fuzz"]
            .iter()
            .any(|name| path.ends_with(name));
        if path.is_dir() && !is_skipped {
            collect(&path, files);
        } else if path.is_file() {
            files.push(path);
        }
    }
}
