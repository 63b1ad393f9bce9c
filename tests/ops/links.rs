//! Links of the documents: every relative one, and every one to a file of this repository, leads somewhere.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::docs::quoted;
use crate::{read, root};

/// Address of this repository's files.
const OWN: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// Returns the anchor of a heading, as GitHub makes it.
pub(crate) fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    let text: String = heading.chars().filter(kept).collect();
    text.to_lowercase().replace(' ', "-")
}

/// Returns the lines outside of blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Returns the anchors of a document; the second heading of a text gets `-1` at its end.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(text).filter_map(|line| {
        let heading = line.trim_start_matches('#').strip_prefix(' ')?;
        line.starts_with('#').then(|| anchor(heading.trim()))
    });
    headings
        .map(|anchor| {
            let number = seen.entry(anchor.clone()).or_default();
            *number += 1;
            match *number {
                1 => anchor,
                number => format!("{anchor}-{}", number - 1),
            }
        })
        .collect()
}

/// Returns the targets of the links and pictures in a document.
pub(crate) fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        let code: Vec<&str> = quoted(line).filter(|code| code.contains("](")).collect();
        let line = code
            .iter()
            .fold(line.to_owned(), |line, code| line.replace(code, ""));
        let links = line.split("](").skip(1);
        found.extend(links.filter_map(|link| Some(link.split_once(')')?.0.to_owned())));
    }
    found
}

/// Returns the files below a folder, by their paths in the repository.
fn below(folder: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = Path::new(folder).join(name).to_str().unwrap().to_owned();
        if entry.file_type().unwrap().is_dir() {
            below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Returns the documents of the repository.
fn documents() -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(root()).unwrap() {
        found.push(entry.unwrap().file_name().into_string().unwrap());
    }
    for folder in ["alerts", "docs", "deploy"] {
        below(folder, &mut found);
    }
    found.retain(|path| Path::new(path).extension().is_some_and(|ext| ext == "md"));
    found
}

/// Resolves a path of a link, from the document that has it.
fn resolve(document: &str, target: &str) -> PathBuf {
    let mut path = Path::new(document).parent().unwrap().to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{document}: {target}"),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

/// Returns why a link leads nowhere.
fn broken(document: &str, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let place = if path.is_empty() {
        PathBuf::from(document)
    } else {
        resolve(document, path)
    };
    if !root().join(&place).exists() {
        return Some(format!("{document}: {target} does not exist"));
    }
    let text = || read(place.to_str().unwrap());
    let leads = anchor.is_empty() || anchors(&text()).iter().any(|known| known == anchor);
    (!leads).then(|| format!("{document}: {target} has no such heading"))
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut number = 0;
    for document in documents() {
        for target in targets(&read(&document)) {
            let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !is_elsewhere {
                number += 1;
                wrong.extend(broken(&document, &target));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(number > 150, "{number}");
}

#[test]
fn every_address_of_a_file_here_leads_to_it() {
    let mut files = documents();
    for folder in ["alerts", "dashboards", "deploy", "src"] {
        below(folder, &mut files);
    }
    let mut number = 0;
    let mut wrong = Vec::new();
    for file in files {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else {
            continue;
        };
        for rest in text.split(OWN).skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "/._-#".contains(c)));
            let (target, _) = rest.split_at(end.unwrap_or(rest.len()));
            number += 1;
            wrong.extend(broken("README.md", target.trim_end_matches('.')));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(number > 50, "{number}");
}

#[test]
fn broken_links_are_found() {
    assert_eq!(anchor("`check --live`"), "check---live");
    assert_eq!(anchors("# A b\n```\n# c\n```\n## A b\n"), ["a-b", "a-b-1"]);
    assert_eq!(
        targets("[a](b) `[c](d)` ![`e`](f#g)\n```\n[h](i)\n```"),
        ["b", "f#g"]
    );
    assert_eq!(broken("docs/api.md", "../README.md#run-it"), None);
    assert!(broken("docs/api.md", "README.md").is_some());
    assert!(broken("README.md", "docs/api.md#no-such-heading").is_some());
}
