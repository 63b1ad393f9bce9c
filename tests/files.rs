//! Files that the commands name by flags and that are no regular files, or too long.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what helps it"
)]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

/// Enough for a cold start on a busy machine; a read without end takes longer.
const SOON: Duration = Duration::from_secs(5);

/// Watches a product at an address where nobody listens.
const CONFIG: &str = r#"
accounts:
  - name: test
    ncloud:
      access_key: key
      secret_key: hush-hush
      ses: {endpoint: "http://127.0.0.1:9"}
"#;

const URL: &str = "--url=https://127.0.0.1:9";

/// Commands by the flag that names the file, with the other flags that they need.
fn commands<'a>(config: &'a str, pem: &'a str) -> Vec<(&'static str, Vec<&'a str>)> {
    let spec = vec![
        "start",
        "cce",
        "--account=a",
        "--cluster=c",
        "--to-version=v1.30",
        config,
    ];
    vec![
        (
            "--config.file",
            vec!["serve", "--web.listen-address=127.0.0.1:0"],
        ),
        ("--config.file", vec!["check"]),
        ("--config.file", vec!["status"]),
        (
            "--web.config.file",
            vec!["serve", "--web.listen-address=127.0.0.1:0", config],
        ),
        ("--web.config.file", vec!["check", config]),
        ("--spec", spec),
        (
            "--scenario",
            vec!["simulate", "--listen-address=127.0.0.1:0"],
        ),
        ("--ca-file", vec!["status", URL]),
        ("--cert-file", vec!["status", URL, "--key-file", pem]),
        ("--key-file", vec!["status", URL, "--cert-file", pem]),
        ("--ca-file", vec!["history", URL]),
        ("--key-file", vec!["history", URL, "--cert-file", pem]),
    ]
}

/// Runs a command for no longer than [`SOON`].
fn run(args: &[&str], flag: &str, file: &Path) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rolling-upgrade-exporter"))
        .args(args)
        .arg(format!("{flag}={}", file.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > SOON {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{args:?} with {flag}={} does not end", file.display());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// Runs every command with this file, which must be refused with these words, and with the remedy to
/// name such a file with the flag.
fn refuses(folder: &Path, file: &Path, why: impl Fn(&str) -> &'static str, wanted: &str) {
    let config = folder.join("config.yml");
    fs::write(&config, CONFIG).unwrap();
    let config = format!("--config.file={}", config.display());
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
    let pem = data.join("client.pem");
    for (flag, args) in commands(&config, pem.to_str().unwrap()) {
        let out = run(&args, flag, file);
        let text = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(2), "{args:?} {flag}: {text}");
        // The path for a key may be the key itself.
        let is_key = flag == "--key-file";
        let place = if is_key { flag } else { file.to_str().unwrap() };
        assert!(!is_key || !text.contains(file.to_str().unwrap()), "{text}");
        let remedy = format!("{}: name {wanted} with {flag}\n", why(flag));
        for word in [place, &remedy] {
            assert!(
                text.contains(word),
                "{args:?} {flag}: no {word:?} in {text}"
            );
        }
    }
}

#[test]
fn commands_refuse_a_device_without_end() {
    let folder = TempDir::new().unwrap();
    refuses(
        folder.path(),
        Path::new("/dev/zero"),
        |_| "not a regular file",
        "a regular file",
    );
}

#[test]
fn commands_refuse_a_named_pipe() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    refuses(
        folder.path(),
        &pipe,
        |_| "not a regular file",
        "a regular file",
    );
}

#[test]
fn commands_refuse_a_folder() {
    let folder = TempDir::new().unwrap();
    refuses(
        folder.path(),
        folder.path(),
        |_| "not a regular file",
        "a regular file",
    );
}

#[test]
fn commands_refuse_a_file_that_is_missing() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    refuses(
        folder.path(),
        &missing,
        |_| "(os error 2)",
        "an existing file",
    );
}

#[test]
fn commands_refuse_a_file_that_is_too_long() {
    let folder = TempDir::new().unwrap();
    let long = folder.path().join("long");
    // A hole: nothing is written.
    File::create(&long).unwrap().set_len(1 << 40).unwrap();
    refuses(
        folder.path(),
        &long,
        |flag| match flag {
            "--scenario" => "longer than 16 MiB, so it is not a scenario",
            "--spec" => "longer than 1 MiB, so it is not a spec",
            "--config.file" | "--web.config.file" => {
                "longer than 1 MiB, so it is not a configuration"
            }
            _ => "longer than 1 MiB, so it is not a PEM file",
        },
        "another file",
    );
}
