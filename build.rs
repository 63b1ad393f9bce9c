//! Tells the program the compiler's version and the commit, for `--version` and `build_info`.

use std::path::Path;
use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = word(Command::new(rustc).arg("--version"), 1);
    println!("cargo::rustc-env=BUILD_RUSTC={version}");
    // An image is built without the repository and is told the commit.
    let revision = std::env::var("BUILD_REVISION")
        .ok()
        .filter(|revision| !revision.is_empty())
        .unwrap_or_else(|| {
            word(
                Command::new("git").args(["rev-parse", "--short", "HEAD"]),
                0,
            )
        });
    println!("cargo::rustc-env=BUILD_REVISION={revision}");
    println!("cargo::rerun-if-env-changed=BUILD_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
    // Each commit and checkout is written there.
    if Path::new(".git/logs/HEAD").exists() {
        println!("cargo::rerun-if-changed=.git/logs/HEAD");
    }
}

/// The word at this place in what the command prints; `unknown` when it fails.
fn word(command: &mut Command, place: usize) -> String {
    command
        .output()
        .ok()
        .filter(|out| out.status.success())
        .and_then(|out| String::from_utf8(out.stdout).ok())
        .and_then(|line| line.split_whitespace().nth(place).map(str::to_owned))
        .unwrap_or_else(|| "unknown".to_owned())
}
