//! The program as it serves: its log, its signals, its end.

use super::*;

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
