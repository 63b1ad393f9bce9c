//! The program as it is run: its output, its exit codes, its end.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what helps it"
)]

mod check;
mod completions;
mod history;
mod serve;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

/// Watches a product at an address where nobody listens.
const CONFIG: &str = r#"
accounts:
  - name: test
    ncloud:
      access_key: key
      secret_key: hush-hush
      ses: {endpoint: "http://127.0.0.1:9"}
"#;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_rolling-upgrade-exporter"))
}

fn run(args: &[&str]) -> Output {
    program()
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn config() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config.yml");
    fs::write(&path, CONFIG).unwrap();
    (folder, path)
}

#[test]
fn version_tells_commit_and_compiler() {
    let out = run(&["--version"]);
    let expected = concat!(
        "rolling-upgrade-exporter ",
        env!("CARGO_PKG_VERSION"),
        " (commit "
    );
    assert_eq!(out.status.code(), Some(0));
    assert!(text(&out.stdout).starts_with(expected), "{out:?}");
    assert!(text(&out.stdout).contains(", rustc 1."), "{out:?}");
}

#[test]
fn help_lists_the_commands_and_the_flags_of_serve() {
    let out = run(&["--help"]);
    let help = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0));
    for word in [
        "serve",
        "check",
        "demo",
        "history",
        "simulate",
        "healthcheck",
        "--config.file",
        "--web.listen-address",
        "--web.telemetry-path",
        "--log.level",
        "--log.format",
        "Example:",
    ] {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
}

#[test]
fn wrong_usage_exits_2() {
    for args in [
        &["--no-such-flag"][..],
        &["no-such-command"],
        &["--web.listen-address=10850"],
        &["check", "--syntax-only", "--live"],
        &["check", "--syntax-only", "--web.config.file=web.yml"],
        &["--web.telemetry-path=metrics"],
        &["--web.trusted-proxies=proxy.example"],
        &["--log.level=loud"],
    ] {
        let out = run(args);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        assert!(text(&out.stderr).contains("error: "), "{out:?}");
        assert_eq!(text(&out.stdout), "");
    }
}

#[test]
fn usage_errors_quote_no_password() {
    for args in [
        &["--web.external-url=https://user:hunter2@x.example"][..],
        &["--web.listen-address=user:hunter2@x.example:1"],
        &["healthcheck", "--web.listen-address=hunter2@x.example:1"],
        &["status", "--url=https://user:hunter2@x.example"],
        &["history", "--url=https://user:hunter2@x.example"],
        &[
            "status",
            "--url=http://[::1]",
            "--bearer-token-file=hunter2",
        ],
        &["https://user:hunter2@x.example"],
    ] {
        let out = run(args);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {out:?}");
        assert!(!text(&out.stderr).contains("hunter2"), "{out:?}");
    }
}

#[test]
fn config_errors_quote_no_secret_under_a_file_key() {
    let (_folder, good) = config();
    let path = good.with_file_name("bad.yml");
    let config = CONFIG.replace("secret_key: ", "secret_key_file: ");
    fs::write(&path, config).unwrap();
    let good = format!("--config.file={}", good.display());
    let web = path.with_file_name("web.yml");
    fs::write(
        &web,
        "tls_server_config: {cert_file: hush-hush, key_file: hush-hush}",
    )
    .unwrap();
    let file = format!("--config.file={}", path.display());
    let web_file = format!("--web.config.file={}", web.display());
    for (args, part) in [
        (
            &["check", &file][..],
            "6:24: cannot use the file of secret_key_file: No such file",
        ),
        (
            &["serve", &file],
            "6:24: cannot use the file of secret_key_file: No such file",
        ),
        (
            &["check", &good, &web_file],
            "1:53: cannot read the file of key_file: No such file",
        ),
        (
            &["demo", &web_file],
            "1:53: cannot read the file of key_file: No such file",
        ),
    ] {
        let out = run(args);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {out:?}");
        let told = format!("{}{}", text(&out.stdout), text(&out.stderr));
        assert!(told.contains(part), "{told}");
        assert!(!told.contains("hush-hush"), "{told}");
    }
}

#[test]
fn without_a_config_the_first_words_name_what_helps() {
    let folder = TempDir::new().unwrap();
    for args in [&[][..], &["check"], &["--config.file=/none/x.yml"]] {
        let out = program().current_dir(&folder).args(args).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{out:?}");
        let told = text(&out.stderr);
        assert!(
            told.contains("name an existing file with --config.file"),
            "{told}"
        );
        let commands: Vec<Vec<&str>> = told
            .lines()
            .filter_map(|line| line.split_once(": rolling-upgrade-exporter "))
            .map(|(_, args)| args.split_whitespace().collect())
            .collect();
        let [demo, export] = commands.as_slice() else {
            panic!("{told}")
        };
        assert_eq!(demo.as_slice(), ["demo"]);
        let place = TempDir::new().unwrap();
        let out = program().current_dir(&place).args(export).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{out:?}");
        let (_, path) = told.split_once("an example config, in ").unwrap();
        let (path, _) = path.split_once(": ").unwrap();
        assert!(place.path().join(path).is_file(), "{path}");
    }
}

#[test]
fn a_listen_address_with_a_scheme_is_told_without_it() {
    let out = run(&["--web.listen-address=http://0.0.0.0:10850/"]);
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    let told = text(&out.stderr);
    assert!(
        told.contains("host:port without a scheme; write 0.0.0.0:10850"),
        "{told}"
    );
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = program()
        .arg("--help")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!(text(&out.stderr), "");
    assert_eq!(out.status.code(), Some(0));
}
