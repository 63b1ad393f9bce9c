//! The tables of flags, written from the program's `--help`.

use std::fmt::Write as _;
use std::process::Command;

use super::{compare, table};

/// Flag of a command.
#[derive(Debug, Clone, Default, PartialEq)]
struct Flag {
    name: String,
    value: String,
    default: String,
    text: String,
}

/// Returns the help of a command.
fn help(command: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_rolling-upgrade-exporter");
    let out = Command::new(program).args(command).arg("--help").output();
    String::from_utf8(out.unwrap().stdout).unwrap()
}

/// Returns the lines of a section of a help, up to the next line that is not indented.
fn section<'a>(help: &'a str, title: &str) -> Vec<&'a str> {
    let lines = help.lines().skip_while(|line| *line != title).skip(1);
    let is_inside = |line: &&str| line.is_empty() || line.starts_with(' ');
    lines.take_while(is_inside).collect()
}

/// Returns every command without commands of its own, with the words that lead to it.
fn commands(path: &[&str]) -> Vec<Vec<String>> {
    let help = help(path);
    let lines = section(&help, "Commands:");
    let names = lines
        .iter()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let inner: Vec<&str> = names.filter(|name| !["", "help"].contains(name)).collect();
    if inner.is_empty() {
        return vec![path.iter().copied().map(str::to_owned).collect()];
    }
    let paths = inner.into_iter().map(|name| [path, &[name]].concat());
    paths.flat_map(|path| commands(&path)).collect()
}

/// Takes `[name: value]` off the end of a text.
fn take_off(text: &mut String, name: &str) -> Option<String> {
    let head = format!("[{name}: ");
    let (before, value) = text.rsplit_once(&head)?;
    let value = value.strip_suffix(']')?.to_owned();
    *text = before.trim_end().to_owned();
    Some(value)
}

/// Returns the flags of a command, from its help.
fn flags(help: &str) -> Vec<Flag> {
    let mut found: Vec<Flag> = Vec::new();
    for line in section(help, "Options:") {
        let line = line.trim();
        if let Some(flag) = line.strip_prefix("--") {
            let (head, text) = flag.split_once("  ").unwrap_or((flag, ""));
            let (name, value) = head.split_once(' ').unwrap_or((head, ""));
            found.push(Flag {
                name: name.to_owned(),
                value: value.trim_matches(['<', '>']).to_owned(),
                text: text.trim().to_owned(),
                ..Flag::default()
            });
        } else if line.starts_with("-h, ") {
            break;
        } else if let Some(flag) = found.last_mut() {
            flag.text.push(' ');
            flag.text.push_str(line);
        }
    }
    let usage: Vec<&str> = help.lines().filter(|l| l.starts_with("Usage: ")).collect();
    for flag in &mut found {
        let words: Vec<&str> = flag.text.split_whitespace().collect();
        flag.text = words.join(" ");
        let default = take_off(&mut flag.text, "default");
        flag.default = match default {
            Some(words) if words.contains(' ') => marked(&words),
            Some(value) => format!("`{value}`"),
            None if usage.concat().contains(&format!(" --{} ", flag.name)) => "required".to_owned(),
            None => String::new(),
        };
        if let Some(words) = take_off(&mut flag.text, "possible values") {
            let words = words.replace(", ", "`, `");
            flag.text = format!("{}: `{words}`", flag.text);
        }
        if let Some((text, words)) = flag.text.split_once(" Possible values: - ") {
            let words = words.split(" - ").map(|word| {
                let (word, meaning) = word.split_once(':').unwrap();
                format!("`{word}` ({})", meaning.trim().to_lowercase())
            });
            flag.text = format!("{text}: {}", words.collect::<Vec<_>>().join(", "));
        }
        flag.text = marked(&flag.text);
    }
    found
}

/// Puts flags and patterns in backquotes.
fn marked(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let plain = word.trim_end_matches([',', ';', '.']);
        let rest = word.strip_prefix(plain).unwrap();
        if plain.starts_with("--") || plain == "*" {
            format!("`{plain}`{rest}")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_tables_of_flags_are_those_of_help() {
    let serve = flags(&help(&["serve"]));
    assert!(serve.len() > 8, "{serve:?}");
    let mut documented = 0;
    for command in commands(&[]) {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let all = flags(&help(&words));
        let is_serve = words == ["serve"];
        let (shared, own): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|flag| !is_serve && serve.contains(flag));
        let rows: Vec<[String; 4]> = own
            .into_iter()
            .map(|flag| {
                [
                    format!("`--{}`", flag.name),
                    flag.value,
                    flag.default,
                    flag.text,
                ]
            })
            .collect();
        let mut text = String::new();
        if !rows.is_empty() {
            text += &table(["flag", "value", "default", "meaning"], &rows);
        }
        if !shared.is_empty() {
            let names: Vec<_> = shared.iter().map(|f| format!("`--{}`", f.name)).collect();
            let gap = if text.is_empty() { "" } else { "\n" };
            let names = names.join(", ");
            writeln!(
                text,
                "{gap}As for [`serve`](configuration.md#flags): {names}."
            )
            .unwrap();
        }
        if !text.is_empty() {
            documented += 1;
            compare(&format!("flags {}", words.join(" ")), &text);
        }
    }
    assert!(documented >= 9, "{documented} commands");
}

#[test]
fn a_help_is_read_in_both_of_its_forms() {
    let short = "Usage: x [OPTIONS] --to <DIR>\n\nOptions:\n      --to <DIR>  The folder\n      \
                 --force     Replace files of --to [default: as in the config]\n  -h, --help      Print\n\nExample:\n  x --no\n";
    let [to, force] = flags(short).try_into().unwrap();
    assert_eq!(
        (&*to.name, &*to.value, &*to.default),
        ("to", "DIR", "required")
    );
    assert_eq!(
        (&*force.default, &*force.text),
        ("as in the config", "Replace files of `--to`")
    );
    let long = "Options:\n      --log.level <LEVEL>\n          How much to log\n\n          Possible values:\n          \
                - error: Failures only\n          - warn:  Also more\n          \n          [default: warn]\n\n  -h, --help\n";
    let [level] = flags(long).try_into().unwrap();
    assert_eq!(level.default, "`warn`");
    assert_eq!(
        level.text,
        "How much to log: `error` (failures only), `warn` (also more)"
    );
}
