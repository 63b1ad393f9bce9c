//! What stands around the program: runbooks, the example for Alertmanager, compose. Read as files,
//! and checked with the servers' own tools.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alertmanager;
mod assets;
mod compose;
mod contributing;
mod dockerignore;
mod docs;
mod example;
mod github;
mod image;
mod jobs;
mod justfile;
mod kubernetes;
mod links;
mod readme;
mod runbooks;
mod security;
mod systemd;
mod toolchain;
mod yaml;

use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Returns the paths of the Rust files below a folder of the repository.
fn rust_files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(rust_files(&path));
        } else if Path::new(&path).extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found
}

/// What a tool says, from the repository's root; panics with all of it when the tool is not content.
fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .current_dir(root())
        .output()
        .unwrap_or_else(|e| panic!("cannot run {program} (tests/setup.sh installs it): {e}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{program} {args:?}\n{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// Whether the program takes these arguments: words are parsed in their order, so `--help` at the end
/// is reached when all before it are right.
fn takes(args: &[&str]) -> bool {
    let program = env!("CARGO_BIN_EXE_rolling-upgrade-exporter");
    let out = Command::new(program).args(args).arg("--help").output();
    out.unwrap().status.success()
}
