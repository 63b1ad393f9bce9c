//! The servers that are compared, as processes that end with the benchmark.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};

use crate::attacks::{Listener, Target};

/// A server's process; it prints the addresses of its listeners, in the order of [`LISTENERS`].
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) name: &'static str,
    command: Vec<String>,
    process: process::Child,
    targets: Vec<Target>,
}

const LISTENERS: [Listener; 3] = [Listener::Plain, Listener::Tls, Listener::Logins];

impl Child {
    /// Starts the exporter's server in a process of this program.
    pub(crate) fn exporter() -> Self {
        Self::start("exporter", vec![this_program(), "serve-exporter".into()])
    }

    /// Starts a plain hyper server in a process of this program.
    pub(crate) fn hyper(body: &[u8]) -> Self {
        let command = vec![this_program(), "serve-hyper".into(), write_body(body)];
        Self::start("hyper", command)
    }

    /// Builds and starts the Go server; `None` without Go.
    pub(crate) fn go(body: &[u8]) -> Option<Self> {
        let program = folder().join("overload-go");
        let build = Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/benches/overload/main.go"
            ))
            .status();
        if !build.is_ok_and(|status| status.success()) {
            println!("Go is left out: `go build` is needed for it.\n");
            return None;
        }
        let certificates = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls").to_owned();
        let command = vec![text(program), write_body(body), certificates];
        Some(Self::start("go", command))
    }

    fn start(name: &'static str, command: Vec<String>) -> Self {
        let (process, targets) = spawn(&command);
        Self {
            name,
            command,
            process,
            targets,
        }
    }

    /// Ends the process and starts it anew.
    pub(crate) fn restart(&mut self) {
        self.end();
        (self.process, self.targets) = spawn(&self.command);
    }

    fn end(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }

    /// Returns the server behind a listener; `None` where it has none.
    pub(crate) fn target(&self, listener: Listener) -> Option<&Target> {
        let place = LISTENERS.iter().position(|one| *one == listener)?;
        self.targets.get(place)
    }

    /// Returns the number of open descriptors; `None` on systems without `/proc`.
    pub(crate) fn descriptors(&self) -> Option<u64> {
        let open = fs::read_dir(format!("/proc/{}/fd", self.process.id())).ok()?;
        u64::try_from(open.count()).ok()
    }

    /// Returns the resident memory in bytes; `None` on systems without `/proc`.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

fn spawn(command: &[String]) -> (process::Child, Vec<Target>) {
    let (program, args) = command.split_first().expect("a program");
    let mut process = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
    let output = process.stdout.take().expect("its output is piped");
    let mut line = String::new();
    BufReader::new(output)
        .read_line(&mut line)
        .expect("the addresses of the listeners");
    let addresses = line.split_whitespace().map(|address| {
        let address: SocketAddr = address.parse().expect("an address");
        address
    });
    let targets = addresses
        .zip(LISTENERS)
        .map(|(address, listener)| match listener {
            Listener::Tls => Target::tls(address),
            Listener::Plain | Listener::Logins => Target::plain(address),
        })
        .collect();
    (process, targets)
}

fn write_body(body: &[u8]) -> String {
    let path = folder().join("overload-body.txt");
    fs::write(&path, body).expect("a file for the body");
    text(path)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

fn this_program() -> String {
    text(std::env::current_exe().expect("the path of this program"))
}

fn text(path: PathBuf) -> String {
    path.into_os_string()
        .into_string()
        .expect("a path in UTF-8")
}
