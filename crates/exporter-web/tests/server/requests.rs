//! What is asked of a request before it is answered: its host, its login, its origin, its turn.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// Sends these lines and an empty one, and reads to the end of the connection: status and body.
fn exchange(address: SocketAddr, lines: &[&str]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = lines.join("\r\n") + "\r\nConnection: close\r\n\r\n";
    send(&mut stream, &head);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_1_needs_one_valid_host() {
    let server = Server::start(Limits::default()).await;
    let ask = |lines: &[&str]| exchange(server.address, lines);
    let get = "GET /-/healthy HTTP/1.1";
    for (lines, problem) in [
        (&[get][..], "missing"),
        (&[get, "Host: x", "Host: x"], "several"),
        (&[get, "Host: x", "X: y", "host: z"], "several"),
        (&[get, "Host: a b"], "no host"),
        (&[get, "Host: x:port"], "no host"),
        (&[get, "Host: user@x"], "no host"),
        (&["GET http://x/-/healthy HTTP/1.1"], "missing"),
        (
            &["GET /-/healthy HTTP/1.0", "Host: x", "Host: x"],
            "several",
        ),
        (&["POST /-/reload HTTP/1.1"], "missing"),
        (&["GET /nowhere HTTP/1.1"], "missing"),
    ] {
        let (status, body) = ask(lines);
        assert_eq!(status, 400, "{lines:?}");
        assert!(body.contains(problem), "{lines:?}: {body}");
    }
    for lines in [
        &[get, "Host: x"][..],
        &[get, "Host: [::1]:9100"],
        &[get, "Host:"],
        &["GET /-/healthy HTTP/1.0"],
        &["GET /-/healthy HTTP/1.0", "Host: x"],
        &["GET http://y/-/healthy HTTP/1.1", "Host: x"],
    ] {
        assert_eq!(ask(lines), (200, "OK\n".to_owned()), "{lines:?}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_from_another_site_is_refused() {
    let (reload, mut queue) = Reload::on();
    let server = Server::start_with(Limits::default(), reload, Access::open()).await;
    let reloads = tokio::spawn(async move {
        let mut reloads = 0;
        while let Ok(request) = tokio::time::timeout(PATIENCE, queue.next()).await {
            request.finish(Ok(()));
            reloads += 1;
            if reloads == 5 {
                break;
            }
        }
        (reloads, queue)
    });
    let own = format!("Origin: http://{}", server.address);
    let host = format!("Host: {}", server.address);
    let ask = |method: &str, lines: &[&str]| {
        let first = format!("{method} /-/reload HTTP/1.1");
        let all = [&[&*first, &*host][..], lines].concat();
        exchange(server.address, &all)
    };
    for method in ["POST", "PUT"] {
        for lines in [
            &["Origin: https://evil.example"][..],
            &["Origin: null"],
            &["Origin: http://127.0.0.1"],
            &["Sec-Fetch-Site: cross-site"],
            &["Sec-Fetch-Site: same-site"],
            &[&*own, "Sec-Fetch-Site: cross-site"],
        ] {
            let (status, body) = ask(method, lines);
            assert_eq!(status, 403, "{lines:?}");
            assert!(body.contains("another site"), "{body}");
        }
    }
    for lines in [
        &[][..],
        &[&*own],
        &["Sec-Fetch-Site: none"],
        &["Sec-Fetch-Site: same-origin"],
        &[
            "Origin: https://rewritten.example",
            "Sec-Fetch-Site: same-origin",
        ],
    ] {
        assert_eq!(ask("POST", lines).0, 200, "{lines:?}");
    }
    assert_eq!(reloads.await.unwrap().0, 5, "no other one was carried out");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_reloads_at_once_shut_no_client_out() {
    let (reload, mut queue) = Reload::on();
    let server = Server::start_with(Limits::default(), reload, Access::open()).await;
    let address = server.address;
    let post = move || exchange(address, &["POST /-/reload HTTP/1.1", "Host: x"]);
    let (told, mut answers) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..280 {
        let told = told.clone();
        std::thread::spawn(move || told.send(post()).unwrap());
    }
    let first = queue.next().await;
    for _ in 0..278 {
        let answer = tokio::time::timeout(PATIENCE, answers.recv()).await;
        let (status, body) = answer.expect("a conflict at once").unwrap();
        assert_eq!(status, 409, "{body}");
    }
    for path in ["/-/healthy", "/metrics"] {
        assert!(ask(&server, "GET", path).0.starts_with("HTTP/1.1 200 "));
    }
    assert!(answers.try_recv().is_err(), "one is in work and one waits");
    first.finish(Ok(()));
    assert_eq!(answers.recv().await.unwrap().0, 200);
    queue.next().await.finish(Err("a.yml:1:1: no".to_owned()));
    assert_eq!(answers.recv().await.unwrap().0, 500);
    server.end().await;
}

/// A server with the user `costly`, whose hash takes some tenths of a second, and `cheap`.
async fn server_with_users() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.yml");
    let (costly, cheap) = (bcrypt::hash("secret", 12), bcrypt::hash("secret", 4));
    let users = format!(
        "basic_auth_users:\n  costly: {}\n  cheap: {}\n",
        costly.unwrap(),
        cheap.unwrap()
    );
    std::fs::write(&path, users).unwrap();
    let access = Access::load(&path).unwrap();
    let server = Server::start_with(Limits::default(), Reload::Off, access).await;
    (server, folder)
}

/// Sends a login, and leaves its answer to be read.
fn log_in(server: &Server, user: &str, password: &str, forwarded_for: &str) -> TcpStream {
    let mut stream = server.connect();
    let login = STANDARD.encode(format!("{user}:{password}"));
    let head = format!(
        "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\n\
         X-Forwarded-For: {forwarded_for}\r\n\r\n"
    );
    send(&mut stream, &head);
    stream
}

fn status(mut stream: TcpStream) -> String {
    let answer = read_answer(&mut stream);
    answer.split(' ').nth(1).unwrap().to_owned()
}

fn is_answered(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let answered = stream.peek(&mut [0]).is_ok();
    stream.set_nonblocking(false).unwrap();
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_a_costly_user_delay_no_other() {
    let (server, _folder) = server_with_users().await;
    let guesses: Vec<_> = (0..8)
        .map(|guess| log_in(&server, "costly", &guess.to_string(), "192.0.2.1"))
        .collect();
    let login = log_in(&server, "cheap", "secret", "192.0.2.1");
    assert_eq!(status(login), "200");
    // Behind them it would wait for all of them.
    let open = guesses.iter().filter(|guess| !is_answered(guess)).count();
    assert!(open >= 5, "{open} of 8 are still computed");
    for guess in guesses {
        assert_eq!(status(guess), "401");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_behind_a_trusted_proxy_have_shares_of_their_own() {
    let (server, _folder) = server_with_users().await;
    let guesses: Vec<_> = (0..40)
        .map(|guess| log_in(&server, "costly", &guess.to_string(), "192.0.2.1"))
        .collect();
    let login = log_in(&server, "costly", "secret", "192.0.2.2");
    assert_eq!(status(login), "200");
    let statuses: Vec<_> = guesses.into_iter().map(status).collect();
    let share = statuses.iter().filter(|status| *status == "503").count();
    assert!(share > 20, "{statuses:?}");
    let wrong = statuses.iter().filter(|status| *status == "401").count();
    let metrics = read_answer(&mut log_in(&server, "cheap", "secret", "192.0.2.2"));
    for (reason, count) in [("share", share), ("credentials", wrong), ("busy", 0)] {
        let series = format!("test_web_logins_refused_total{{reason=\"{reason}\"}}");
        assert!(metrics.contains(&format!("{series} {count}\n")), "{reason}");
    }
    server.end().await;
}
