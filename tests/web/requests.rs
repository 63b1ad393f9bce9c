//! The login of a request before it is answered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// A server with the user `dear`, whose hash takes some tenths of a second, and `cheap`.
async fn server_with_users() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.yml");
    let (dear, cheap) = (bcrypt::hash("secret", 12), bcrypt::hash("secret", 4));
    let users = format!(
        "basic_auth_users:\n  dear: {}\n  cheap: {}\n",
        dear.unwrap(),
        cheap.unwrap()
    );
    std::fs::write(&path, users).unwrap();
    let access = Access::load(&path).unwrap();
    let server = Server::start_with("events", Limits::default(), Reload::Off, access).await;
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
async fn guesses_at_a_dear_user_delay_no_other() {
    let (server, _folder) = server_with_users().await;
    let guesses: Vec<_> = (0..8)
        .map(|guess| log_in(&server, "dear", &guess.to_string(), "192.0.2.1"))
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
        .map(|guess| log_in(&server, "dear", &guess.to_string(), "192.0.2.1"))
        .collect();
    let login = log_in(&server, "dear", "secret", "192.0.2.2");
    assert_eq!(status(login), "200");
    let statuses: Vec<_> = guesses.into_iter().map(status).collect();
    let share = statuses.iter().filter(|status| *status == "503").count();
    assert!(share > 20, "{statuses:?}");
    let wrong = statuses.iter().filter(|status| *status == "401").count();
    let metrics = read_answer(&mut log_in(&server, "cheap", "secret", "192.0.2.2"));
    for (reason, count) in [("share", share), ("credentials", wrong), ("busy", 0)] {
        let series =
            format!("rolling_upgrade_exporter_web_logins_refused_total{{reason=\"{reason}\"}}");
        assert!(metrics.contains(&format!("{series} {count}\n")), "{reason}");
    }
    server.end().await;
}
