//! justfile: each recipe is described, and its commands name what exists.

use crate::{read, root, rust_files, takes};

struct Recipe {
    name: String,
    has_comment: bool,
    commands: Vec<String>,
}

fn recipes() -> Vec<Recipe> {
    let text = read("justfile");
    let mut recipes: Vec<Recipe> = Vec::new();
    let mut above = "";
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("    ") {
            let command = command.trim_start_matches('@').to_owned();
            recipes.last_mut().unwrap().commands.push(command);
        } else if let Some(head) = line.strip_suffix(':') {
            recipes.push(Recipe {
                name: head.split(' ').next().unwrap().to_owned(),
                has_comment: above.starts_with("# "),
                commands: Vec::new(),
            });
        } else {
            assert!(line.is_empty() || line.starts_with('#'), "{line}");
        }
        above = line;
    }
    recipes
}

/// Returns the source of a target of `tests/` or `benches/`, all its files joined.
fn target(folder: &str, name: &str) -> String {
    let file = format!("{folder}/{name}.rs");
    let mut source = String::new();
    if root().join(&file).is_file() {
        source.push_str(&read(&file));
    }
    let folder = format!("{folder}/{name}");
    if root().join(&folder).is_dir() {
        source.push_str(&joined(&folder));
    }
    assert!(!source.is_empty(), "no target {name}");
    source
}

/// Returns all Rust files of a folder, joined.
fn joined(folder: &str) -> String {
    rust_files(folder).iter().map(|file| read(file)).collect()
}

/// Returns the names of the recipes.
pub(crate) fn names() -> Vec<String> {
    let recipes = recipes().into_iter();
    recipes.map(|recipe| recipe.name).collect()
}

/// Checks a command: its script, or its call of cargo or docker with what these are given.
pub(crate) fn check(command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    let is_variable = |word: &&&str| {
        let name = word.split_once('=').map_or("", |(name, _)| name);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
    };
    let count = words.iter().take_while(is_variable).count();
    let (variables, words) = words.split_at(count);
    let names = variables.iter().filter_map(|word| word.split_once('='));
    let names: Vec<&str> = names.map(|(name, _)| name).collect();
    // The value of RUSTDOCFLAGS has a space.
    let cargo = words.iter().position(|word| *word == "cargo");
    match (cargo, words) {
        (Some(at), _) => check_cargo(&words[at + 1..], &names),
        (None, ["just", ..]) => {}
        (None, ["docker", "build", ..]) => {
            let dockerfile = read("Dockerfile");
            let args = command.split("--build-arg ").skip(1);
            for name in args.map(|arg| arg.split('=').next().unwrap()) {
                assert!(dockerfile.contains(&format!("\nARG {name}=")), "{name}");
            }
        }
        (None, [script, ..]) => assert!(root().join(script).is_file(), "{script}"),
        (None, []) => panic!("{command}"),
    }
}

/// Checks a call of cargo: its command, its target, the test that it picks and the variables it is given.
fn check_cargo(words: &[&str], variables: &[&str]) {
    let (command, arguments) = words.split_first().unwrap();
    let own = arguments.iter().take_while(|word| **word != "--");
    let own: Vec<&str> = own.copied().collect();
    let after = |flag: &str| {
        let place = own.iter().position(|word| *word == flag);
        place.map(|place| own[place + 1])
    };
    let source = match *command {
        "test" if own.contains(&"--lib") || own.contains(&"--bins") => Some(joined("src")),
        "test" => after("--test").map(|name| target("tests", name)),
        "bench" => after("--bench").map(|name| target("benches", name)),
        "run" => {
            let program: Vec<&str> = arguments[own.len()..].iter().skip(1).copied().collect();
            let program: Vec<&str> = program
                .into_iter()
                .take_while(|word| *word != "{{")
                .collect();
            assert!(!program.is_empty() && takes(&program), "{program:?}");
            None
        }
        "build" | "clippy" | "doc" | "fmt" => None,
        other => panic!("cargo {other}"),
    };
    // A name that stands by itself picks tests.
    if let Some(picked) = own.last().filter(|word| word.contains('_')) {
        let source = source.as_deref().unwrap_or_default();
        assert!(source.contains(&format!("fn {picked}()")), "{picked}");
    }
    for variable in variables {
        let is_read = |source: &String| source.contains(&format!("var_os(\"{variable}\")"));
        let is_cargos = *variable == "RUSTDOCFLAGS" && *command == "doc";
        assert!(
            is_cargos || source.as_ref().is_some_and(is_read),
            "{variable}"
        );
    }
}

#[test]
fn recipes_have_names_and_comments_that_just_lists() {
    let recipes = recipes();
    for name in [
        "setup",
        "check",
        "fmt",
        "lint",
        "test",
        "e2e",
        "golden-update",
        "rules-update",
        "demo",
    ] {
        assert!(recipes.iter().any(|recipe| recipe.name == name), "{name}");
    }
    for recipe in recipes {
        assert!(recipe.has_comment, "{}", recipe.name);
        assert!(!recipe.commands.is_empty(), "{}", recipe.name);
    }
}

#[test]
fn recipes_call_targets_tests_and_scripts_that_exist() {
    for command in recipes().iter().flat_map(|recipe| &recipe.commands) {
        check(command);
    }
}

/// A change that passes `just lint` passes the steps of `tests/run.sh` for code.
#[test]
fn lint_and_run_sh_call_the_same_commands() {
    let recipes = recipes();
    let lint = recipes.iter().find(|recipe| recipe.name == "lint").unwrap();
    let script = read("tests/run.sh");
    for command in &lint.commands {
        assert!(script.lines().any(|line| line == command), "{command}");
    }
}
