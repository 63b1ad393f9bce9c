//! The program as it is run: its output, its exit codes, its end.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what helps it"
)]

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
fn a_config_that_is_not_there_exits_2_and_is_named() {
    for command in ["check", "serve"] {
        let out = run(&[command, "--config.file=/nowhere/x.yml"]);
        assert_eq!(out.status.code(), Some(2), "{out:?}");
        let told = text(&out.stderr);
        assert!(told.starts_with("rolling-upgrade-exporter: "), "{told}");
        assert!(told.contains("/nowhere/x.yml"), "{told}");
    }
}

#[test]
fn check_says_ok() {
    let (_folder, path) = config();
    let out = run(&["check", "--config.file", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let told = text(&out.stdout);
    assert!(
        told.starts_with(&format!("{}: ok, ", path.display())),
        "{told}"
    );
    assert!(told.contains("account"), "{told}");
}

#[test]
fn check_without_secrets_passes_the_shipped_example() {
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/rolling-upgrade-exporter.example.yml"
    );
    let folder = TempDir::new().unwrap();
    let check = |flags: &[&str]| {
        let args = ["check", "--config.file", example];
        let mut program = program();
        program.env_clear().current_dir(&folder);
        program.args(args).args(flags).output().unwrap()
    };
    let out = check(&["--syntax-only"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let told =
        format!("{example}: ok, 2 accounts, 4 products; secrets and CA files were not read\n");
    assert_eq!(text(&out.stdout), told);
    assert_eq!(text(&out.stderr), "");
    let out = check(&[]);
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    assert!(text(&out.stderr).contains("HUAWEICLOUD_SDK_AK"), "{out:?}");
}

#[test]
fn check_tells_warnings_with_their_place_and_exits_0() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("c.yml");
    let config = "accounts:
  - name: cn
    huawei:
      region: cn-nroth-4
      project_id: my-project
      access_key: a
      secret_key_env: NOT_SET
      css: {}
";
    fs::write(&path, config).unwrap();
    let path = path.to_str().unwrap();
    let told = [
        format!(
            "{path}:4:15: warning: region \"cn-nroth-4\" is no known region of Huawei Cloud, the nearest is cn-north-4"
        ),
        format!("{path}:5:19: warning: project_id \"my-project\""),
    ];
    let out = run(&["check", "--syntax-only", "--config.file", path]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let lines: Vec<&str> = text(&out.stdout).lines().skip(1).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (line, told) in lines.iter().zip(&told) {
        assert!(line.starts_with(told), "{line}");
    }
    let out = run(&["check", "--config.file", path]);
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    let lines: Vec<&str> = text(&out.stderr).lines().skip(1).collect();
    assert!(lines[0].starts_with(&told[0]), "{lines:?}");
    assert!(lines[1].starts_with(&told[1]), "{lines:?}");
    assert!(
        lines[2].starts_with(&format!("{path}:7:23: secret_key_env")),
        "{lines:?}"
    );
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

/// A serving program with its log so far; killed when dropped.
struct Serving {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
    seen: String,
    address: String,
}

impl Serving {
    fn start(args: &[&str]) -> Self {
        let mut child = program()
            .args(args)
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended: {seen}");
            seen += &line;
            if let Some((_, rest)) = line.split_once("http://") {
                break rest.split('/').next().unwrap().to_owned();
            }
        };
        Self {
            child,
            log,
            seen,
            address,
        }
    }

    fn signal(&self, name: &str) {
        let done = Command::new("/bin/sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status()
            .unwrap();
        assert!(done.success());
    }

    /// Waits for the end: exit code, whole log, time.
    fn end(mut self) -> (Option<i32>, String, Duration) {
        let start = Instant::now();
        let mut seen = std::mem::take(&mut self.seen);
        self.log.read_to_string(&mut seen).unwrap();
        let code = self.child.wait().unwrap().code();
        (code, seen, start.elapsed())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn serves_without_a_command_until_a_signal() {
    let (_folder, path) = config();
    let flag = format!("--config.file={}", path.display());
    for (args, signal) in [
        (&[flag.as_str()][..], "TERM"),
        (&["serve", flag.as_str()], "INT"),
    ] {
        let serving = Serving::start(args);
        let address = format!("--web.listen-address={}", serving.address);
        let health = run(&["healthcheck", &address]);
        assert_eq!(health.status.code(), Some(0), "{health:?}");
        serving.signal(signal);
        let (code, log, took) = serving.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert!(log.contains("Starting"), "{log}");
        assert!(log.contains(&format!("SIG{signal}")), "{log}");
        assert!(!log.contains("hush"), "{log}");
        let health = run(&["healthcheck", &address]);
        assert_eq!(health.status.code(), Some(1), "{health:?}");
    }
}

#[test]
fn serve_logs_odd_values_of_the_config_once_a_reading() {
    let (_folder, path) = config();
    let odd = CONFIG.replace("ses: {endpoint: \"http://127.0.0.1:9\"}", "ses:");
    assert_ne!(odd, CONFIG);
    // No call leaves this machine.
    let odd = odd.replace("ncloud:", "ncloud:\n      proxy_url: http://127.0.0.1:9");
    fs::write(&path, odd).unwrap();
    let flag = format!("--config.file={}", path.display());
    let mut serving = Serving::start(&[&flag]);
    serving.signal("HUP");
    while !serving.seen.contains("Reloaded.") {
        let read = serving.log.read_line(&mut serving.seen).unwrap();
        assert!(read > 0, "it ended: {}", serving.seen);
    }
    serving.signal("TERM");
    let (_, log, _) = serving.end();
    let lines = log.lines().filter(|line| line.contains("ses is empty"));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 2, "{log}");
    for line in lines {
        assert!(line.contains("WARN"), "{line}");
        assert!(line.contains(&format!("{}:8:7", path.display())), "{line}");
    }
}

#[test]
fn logs_json_when_asked() {
    let (_folder, path) = config();
    let flag = format!("--config.file={}", path.display());
    let serving = Serving::start(&[&flag, "--log.format=json"]);
    serving.signal("TERM");
    let (_, log, _) = serving.end();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(
            line["level"].is_string() && line["message"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let (_folder, path) = config();
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .unwrap();
    let mut child = program()
        .arg(format!("--config.file={}", path.display()))
        .arg(format!("--web.listen-address={address}"))
        .stdin(Stdio::null())
        // Every write fails, as on a full disk.
        .stderr(fs::File::options().write(true).open("/dev/full").unwrap())
        .spawn()
        .unwrap();
    let health = format!("--web.listen-address={address}");
    let start = Instant::now();
    while run(&["healthcheck", &health]).status.code() != Some(0) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        assert!(start.elapsed() < Duration::from_secs(30), "it never served");
        std::thread::sleep(Duration::from_millis(50));
    }
    let done = Command::new("/bin/sh")
        .args(["-c", &format!("kill -TERM {}", child.id())])
        .status()
        .unwrap();
    assert!(done.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_taken_port_exits_1_and_is_named() {
    let (_folder, path) = config();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let out = run(&[
        &format!("--config.file={}", path.display()),
        &format!("--web.listen-address={address}"),
    ]);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let told = text(&out.stderr);
    let expected = format!("rolling-upgrade-exporter: cannot listen on {address}: ");
    assert!(told.contains(&expected), "{told}");
}

/// Lets a shell run this text; `folder` is first in its PATH and holds the program.
fn shell(name: &str, folder: &TempDir, text: &str) -> Option<Output> {
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", folder.path().display());
    let mut shell = Command::new(name);
    shell.args(["-c", text]).env("PATH", path);
    shell.current_dir(folder.path()).stdin(Stdio::null());
    shell.output().ok()
}

#[test]
fn shells_complete_commands_flags_and_values() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("rolling-upgrade-exporter");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rolling-upgrade-exporter"), place).unwrap();
    let script = |shell: &str| {
        let out = run(&["completions", shell]);
        assert_eq!(out.status.code(), Some(0), "{out:?}");
        fs::write(folder.path().join(shell), &out.stdout).unwrap();
    };
    for name in ["bash", "fish", "zsh"] {
        script(name);
    }
    // (what stands before, what is begun, what must be offered)
    let cases = [
        ("", "comp", "completions"),
        ("completions", "", "powershell"),
        ("serve", "--web.l", "--web.listen-address"),
        ("serve --web.listen-address :1", "--log.f", "--log.format"),
    ];
    for (before, begun, offered) in cases {
        let bash = format!(
            "source ./bash; f=$(complete -p rolling-upgrade-exporter | sed 's/.*-F \\([^ ]*\\).*/\\1/')
             COMP_WORDS=(rolling-upgrade-exporter {before} '{begun}'); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
             $f rolling-upgrade-exporter '{begun}' \"${{COMP_WORDS[COMP_CWORD-1]}}\"
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let fish =
            format!("source ./fish; complete -C 'rolling-upgrade-exporter {before} {begun}'");
        // Not every machine has fish, and the library tells it no values of words without a flag.
        for (name, asked) in [("bash", bash), ("fish", fish)] {
            if name == "fish" && offered == "powershell" {
                continue;
            }
            let Some(out) = shell(name, &folder, &asked) else {
                assert_ne!(name, "bash", "no bash");
                continue;
            };
            let mut lines = text(&out.stdout).lines();
            let is_it = |line: &str| line.split('\t').next() == Some(offered);
            assert!(lines.any(is_it), "{name}, {before} {begun}: {out:?}");
        }
    }
    if let Some(out) = shell("zsh", &folder, "zsh -n ./zsh") {
        assert!(out.status.success(), "{out:?}");
    }
}

/// Asks on a connection of its own, with these lines below the host, and gives the answer.
fn exchange(address: &str, lines: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn refused_logins_are_logged_once_with_the_clients_address() {
    let (folder, path) = config();
    let web = folder.path().join("web.yml");
    let hash = bcrypt::hash("secret", 4).unwrap();
    fs::write(&web, format!("basic_auth_users: {{alice: {hash}}}\n")).unwrap();
    let (config, web) = (
        format!("--config.file={}", path.display()),
        format!("--web.config.file={}", web.display()),
    );
    for (proxies, address) in [
        ("10.0.0.0/8,127.0.0.1", "192.0.2.7"),
        ("10.0.0.0/8", "127.0.0.1"),
    ] {
        let proxies = format!("--web.trusted-proxies={proxies}");
        let serving = Serving::start(&[&config, &web, &proxies]);
        // alice:wrong
        let login = "Authorization: Basic YWxpY2U6d3Jvbmc=\r\nX-Forwarded-For: 192.0.2.7\r\n";
        for _ in 0..3 {
            let answer = exchange(&serving.address, login);
            assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        }
        let answer = exchange(&serving.address, "");
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        serving.signal("TERM");
        let (_, log, _) = serving.end();
        let lines = log.lines().filter(|l| l.contains("A login was refused"));
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len(), 1, "{log}");
        assert!(lines[0].contains(&format!("address={address}")), "{log}");
    }
}
