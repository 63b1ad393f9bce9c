//! `completions`: prints the script by which a shell completes the commands and flags.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use super::Failure;
use crate::cli::{Cli, Completions};

/// How the library names this program in one half of its script for bash; the other half has the
/// second form, so that no command after the first word would be known.
const BASH_NAMES: [&str; 2] = [
    "rolling__subcmd__upgrade__subcmd__exporter",
    "rolling__upgrade__exporter",
];

/// fish knows no flag with a dot in its name: to tell which word is the command, they are read with
/// another letter there.
const FISH_WORDS: [&str; 2] = [
    "set -l cmd (commandline -opc)",
    "set -l cmd (commandline -opc | string replace -a . _)",
];

pub(super) fn run(flags: &Completions) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(script(flags.shell).as_bytes())?;
    Ok(out.flush()?)
}

fn script(shell: Shell) -> String {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // Into memory: the library panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script);
    match shell {
        Shell::Bash => script.replace(BASH_NAMES[0], BASH_NAMES[1]),
        Shell::Fish => script.split_inclusive('\n').map(for_fish).collect(),
        _ => script.into_owned(),
    }
}

fn for_fish(line: &str) -> String {
    if line.trim_start().starts_with("string join") {
        line.replace('.', "_")
    } else {
        line.replace(FISH_WORDS[0], FISH_WORDS[1])
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    /// The commands with their long flags, those of commands of commands too.
    fn words(command: &clap::Command, into: &mut Vec<String>) {
        let flags = command.get_arguments().filter(|arg| !arg.is_hide_set());
        into.extend(flags.filter_map(clap::Arg::get_long).map(str::to_owned));
        for inner in command.get_subcommands().filter(|c| !c.is_hide_set()) {
            into.push(inner.get_name().to_owned());
            words(inner, into);
        }
    }

    #[test]
    fn every_shell_learns_every_command_and_flag() {
        let mut all = Vec::new();
        words(&Cli::command(), &mut all);
        assert!(all.iter().any(|word| word == "web.listen-address"));
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for word in &all {
                assert!(script.contains(word.as_str()), "{shell}: {word}");
            }
        }
    }
}
