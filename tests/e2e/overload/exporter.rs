//! An exporter whose address is known as a target.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::attacks::probe::{self, Request};
use super::attacks::{Listener, SCRAPER, Target};
use crate::harness::{PROGRAM, Process, eventually, free_port};
use crate::tls::exporter::{CERTIFICATE, folder};

/// Users of an exporter with logins.
pub(super) const USERS: usize = 50;

/// Cost of their hashes, which is `htpasswd`'s upper usual one.
const BCRYPT_COST: u32 = 10;

pub(super) struct Exporter {
    pub(super) process: Process,
    pub(super) target: Target,
    _folder: TempDir,
}

impl Exporter {
    pub(super) async fn start(listener: Listener, flags: &[&str]) -> Self {
        Self::start_by(&[], listener, flags).await
    }

    /// Starts the exporter by another program, which must replace itself by it: `sh -c "… exec
    /// \"$@\""`.
    pub(super) async fn start_by(by: &[&str], listener: Listener, flags: &[&str]) -> Self {
        let folder = folder();
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        let web = match listener {
            Listener::Plain => String::new(),
            Listener::Tls => CERTIFICATE.to_owned(),
            Listener::Logins => users(),
        };
        let mut command = [by, &[PROGRAM, "--config.file=config.yml"]].concat();
        command.extend(["--web.listen-address", &address]);
        if listener != Listener::Plain {
            std::fs::write(folder.path().join("web.yml"), web).unwrap();
            command.push("--web.config.file=web.yml");
        }
        command.extend(flags);
        let (program, args) = command.split_first().unwrap();
        let process = Process::start(folder.path(), program, args);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let target = match listener {
            Listener::Tls => Target::tls(address),
            Listener::Plain | Listener::Logins => Target::plain(address),
        };
        // A user of its own: the login is then remembered.
        let login = STANDARD.encode("first:secret");
        let request = Request {
            path: "/-/healthy",
            login: Some(&login),
        };
        eventually(Duration::from_secs(20), "an answer", || async {
            let limit = Duration::from_secs(5);
            let answer = probe::ask(&target, SCRAPER, &request, limit).await;
            answer.map_err(|error| format!("{error}\n{}", process.output()))
        })
        .await;
        Self {
            process,
            target,
            _folder: folder,
        }
    }

    /// Returns the contents of a file of the process under `/proc`.
    pub(super) fn proc(&self, file: &str) -> String {
        let pid = self.process.child.id().unwrap();
        std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap()
    }

    /// Returns the number of open descriptors.
    pub(super) fn descriptors(&self) -> usize {
        let pid = self.process.child.id().unwrap();
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        open.count()
    }
}

fn users() -> String {
    let hash = bcrypt::hash("secret", BCRYPT_COST).unwrap();
    let mut text = format!("basic_auth_users:\n  first: {hash}\n");
    for number in 0..USERS {
        writeln!(text, "  user-{number}: {hash}").unwrap();
    }
    text
}
