//! CONTRIBUTING.md: the files and commands that it names exist.

use crate::links::targets;
use crate::{docs, justfile, read, root};

const FILE: &str = "CONTRIBUTING.md";

/// Returns the words in backquotes, outside of the marks of blocks.
fn quoted(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| !line.starts_with("```"));
    lines.flat_map(docs::quoted).collect()
}

/// Reports whether something has this path, in which `*` stands for any part of a name.
fn exists(path: &str) -> bool {
    let mut found = vec![root().to_path_buf()];
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let Some((begin, end)) = name.split_once('*') else {
            found = found.iter().map(|folder| folder.join(name)).collect();
            continue;
        };
        let fits = |path: &std::path::PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(begin) && name.ends_with(end)
        };
        let folders = found.iter().filter_map(|folder| folder.read_dir().ok());
        let entries = folders.flatten().map(|entry| entry.unwrap().path());
        found = entries.filter(fits).collect();
    }
    found.iter().any(|path| path.exists())
}

#[test]
fn every_path_in_backquotes_exists() {
    let text = read(FILE);
    let is_path = |quoted: &&str| !quoted.contains(' ') && quoted.contains('/');
    let paths: Vec<&str> = quoted(&text).into_iter().filter(is_path).collect();
    assert!(paths.len() > 5, "{paths:?}");
    for path in paths.iter().filter(|path| **path != "net/http") {
        assert!(exists(path), "{path}");
    }
}

#[test]
fn every_command_calls_what_exists() {
    let text = read(FILE);
    let mut count = 0;
    for command in quoted(&text) {
        match command.split_once(' ') {
            Some(("just", rest)) => {
                let name = rest.split(' ').next().unwrap().to_owned();
                assert!(justfile::names().contains(&name), "{command}");
            }
            Some((first, _)) if first == "cargo" || first.starts_with("UPDATE=") => {
                justfile::check(command);
            }
            _ => continue,
        }
        count += 1;
    }
    assert!(count > 10, "{count}");
    let blocks = text.split("```sh\n").skip(1);
    for block in blocks.map(|rest| rest.split("```").next().unwrap()) {
        for command in block.lines() {
            justfile::check(command);
        }
    }
}

/// Each recipe is a list of files, in an order.
#[test]
fn there_are_recipes_for_the_usual_changes() {
    let text = read(FILE);
    let (_, recipes) = text.split_once("\n## Recipes\n").unwrap();
    let recipes = recipes.split("\n## ").next().unwrap();
    let recipes: Vec<&str> = recipes.split("\n### ").skip(1).collect();
    let heads: Vec<&str> = recipes.iter().filter_map(|r| r.lines().next()).collect();
    let all = [
        "A product",
        "A cloud",
        "A metric",
        "An alert",
        "A config key",
    ];
    assert_eq!(heads, all);
    for recipe in recipes {
        let is_step = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit());
        assert!(recipe.lines().filter(is_step).count() >= 5);
        assert!(targets(recipe).len() >= 5);
    }
}
