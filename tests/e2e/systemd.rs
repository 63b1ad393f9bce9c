//! `--web.systemd-socket`: sockets that were opened by somebody else, as systemd does it.

use std::path::Path;
use std::time::Duration;

use crate::harness::{PROGRAM, Process, eventually, get};

/// Opens what its first argument says, tells the port, and becomes the program, which finds the
/// socket as file 3.
const SYSTEMD: &str = r#"
import os, socket, sys
kind = sys.argv[1]
if kind == "unix":
    s = socket.socket(socket.AF_UNIX)
    s.bind("unix.sock")
    s.listen()
elif kind == "udp":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
else:
    s = socket.create_server(("127.0.0.1", 0))
    print("port", s.getsockname()[1], flush=True)
if kind == "connection":
    client = socket.create_connection(s.getsockname())
    s, _ = s.accept()
if kind != "none":
    if s.fileno() == 3:
        os.set_inheritable(3, True)
    else:
        os.dup2(s.fileno(), 3)
    os.environ["LISTEN_FDS"] = "1"
    os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"#;

const CONFIG: &str = r#"
accounts:
  - {name: test, ncloud: {access_key: k, secret_key: s, ses: {endpoint: "http://127.0.0.1:9"}}}
"#;

fn start(folder: &Path, kind: &str) -> Process {
    std::fs::write(folder.join("config.yml"), CONFIG).unwrap();
    std::fs::write(folder.join("systemd.py"), SYSTEMD).unwrap();
    let args = [
        "systemd.py",
        kind,
        PROGRAM,
        "--config.file=config.yml",
        "--web.systemd-socket",
    ];
    Process::start(folder, "python3", &args)
}

#[tokio::test]
async fn it_serves_on_the_socket_that_it_was_handed() {
    let folder = tempfile::tempdir().unwrap();
    let mut exporter = start(folder.path(), "tcp");
    let page = eventually(Duration::from_secs(30), "the page", || async {
        let log = exporter.output();
        let port = log.lines().find_map(|line| line.strip_prefix("port "));
        let url = format!("http://127.0.0.1:{}/", port.ok_or_else(|| log.clone())?);
        let page = get(&url).await.map_err(|error| format!("{error}\n{log}"))?;
        if exporter.output().contains(&format!("page at {url} ")) {
            Ok(page)
        } else {
            Err(exporter.output())
        }
    })
    .await;
    assert!(page.contains("<html"), "{page}");
    let (code, _) = exporter.terminate().await;
    assert_eq!(code, Some(0), "{}", exporter.output());
}

#[tokio::test]
async fn what_cannot_be_served_on_ends_it_and_says_what_to_do() {
    for (kind, remedy) in [
        (
            "none",
            "let a .socket unit start the program, or name an address",
        ),
        ("unix", "socket 1 is a unix socket, and TCP is needed"),
        ("udp", "socket 1 is no TCP socket"),
        ("connection", "write Accept=no"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut exporter = start(folder.path(), kind);
        let ended = tokio::time::timeout(Duration::from_secs(30), exporter.child.wait()).await;
        let log = exporter.output();
        assert_eq!(ended.unwrap().unwrap().code(), Some(2), "{kind}: {log}");
        assert!(log.contains(remedy), "{kind}: {log}");
    }
}
