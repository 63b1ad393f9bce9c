//! Checks the examples of `--help`, and that the docs name every command and flag.

use clap::{Command, CommandFactory, Parser};

use super::Cli;

const PROGRAM: &str = "rolling-upgrade-exporter";

/// The examples in the help of a command: the lines below `Example:` or `Examples:`, up to the next
/// empty one. A line that ends with a backslash goes on in the next one.
fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_long_help().or(command.get_after_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let help = help.replace("\\\n", " ");
    let lines = help
        .lines()
        .skip_while(|line| !matches!(*line, "Example:" | "Examples:"))
        .skip(1)
        .take_while(|line| !line.is_empty());
    lines.map(|line| line.trim().to_owned()).collect()
}

/// The words as a shell would split them, up to where the output goes. Knows no more of a shell than
/// these examples need.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut quote = None;
    let mut in_word = false;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                if !in_word {
                    words.push(String::new());
                    in_word = true;
                }
            }
            (None, ' ') => in_word = false,
            (None, '>' | '|') => return words,
            _ => {
                if !in_word {
                    words.push(String::new());
                    in_word = true;
                }
                words.last_mut().unwrap().push(c);
            }
        }
    }
    assert_eq!(quote, None, "a quote is open: {line}");
    words
}

/// Every command with the words that lead to it, those of commands of commands too.
fn walk(command: &Command, path: &[&str], see: &mut impl FnMut(&[&str], &Command)) {
    see(path, command);
    let own = |inner: &&Command| inner.get_name() != "help" && !inner.is_hide_set();
    for inner in command.get_subcommands().filter(own) {
        let path: Vec<&str> = path.iter().copied().chain([inner.get_name()]).collect();
        walk(inner, &path, see);
    }
}

#[test]
fn every_help_has_an_example_that_this_program_understands() {
    let mut seen = 0;
    walk(&Cli::command(), &[], &mut |path, command| {
        let examples = examples(command);
        assert!(!examples.is_empty(), "{path:?} has no example");
        for example in examples {
            let words = words(&example);
            let lead: Vec<&str> = std::iter::once(PROGRAM)
                .chain(path.iter().copied())
                .collect();
            assert!(
                words
                    .iter()
                    .map(String::as_str)
                    .zip(&lead)
                    .all(|(a, b)| a == *b),
                "{path:?} shows another command: {example}"
            );
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{path:?} shows what does not work: {example}\n{error}");
            }
            seen += 1;
        }
    });
    assert!(seen > 5, "{seen}");
}

#[test]
fn words_are_split_as_a_shell_does() {
    for (line, split) in [
        ("a  b --c='d e' \"f\"", &["a", "b", "--c=d e", "f"][..]),
        ("a '' > b", &["a", ""]),
        ("a | b", &["a"]),
    ] {
        assert_eq!(words(line), split, "{line}");
    }
}

#[test]
fn the_docs_name_every_command_and_every_flag_of_serve() {
    let docs = concat!(
        include_str!("../../README.md"),
        include_str!("../../docs/configuration.md"),
        include_str!("../../docs/kubernetes.md"),
        include_str!("../../docs/page-and-terminal.md"),
        include_str!("../../docs/start.md"),
        include_str!("../../docs/simulator.md"),
    );
    walk(&Cli::command(), &[], &mut |path, _| {
        let told = docs.contains(&format!("`{}", path.join(" ")));
        let shown = docs.contains(&format!("{PROGRAM} {}", path.join(" ")));
        assert!(told || shown, "{path:?}");
    });
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    for flag in serve
        .get_arguments()
        .filter(|arg| arg.get_long() != Some("help"))
    {
        let name = flag.get_long().unwrap();
        let row = format!("| `--{name}` |");
        let row = docs.lines().find(|line| line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("no row of the table of flags for --{name}"));
        let default = flag.get_default_values().first();
        if let Some(default) = default.filter(|_| flag.get_action().takes_values()) {
            let default = default.to_string_lossy();
            assert!(
                row.contains(&format!("| `{default}` |")),
                "{default}: {row}"
            );
        }
    }
}
