//! A fake exporter, and what is said of its answers.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use secrecy::SecretString;

use super::*;
use crate::report::Attention;
use crate::secret::Secret;

const FLEET: &str = include_str!("../../../tests/data/status/fleet.json");

fn answer(head: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// Answers one connection with this, and gives the request.
fn serve(answer: String) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut space = [0; 1024];
        while !head.ends_with(b"\r\n\r\n") {
            let length = stream.read(&mut space).unwrap();
            head.extend_from_slice(&space[..length]);
            // Gone, or a greeting of TLS.
            if length == 0 || head.first() == Some(&0x16) {
                break;
            }
        }
        drop(stream.write_all(answer.as_bytes()));
        String::from_utf8_lossy(&head).into_owned()
    });
    (url, served)
}

fn remote(url: &str, login: Login) -> Remote {
    Remote::new(url, login, &Trust::default()).unwrap()
}

async fn error(head: &str, body: &str, login: Login) -> String {
    let (url, served) = serve(answer(head, body));
    let error = remote(&url, login).read().await.unwrap_err();
    served.join().unwrap();
    assert!(matches!(error, RemoteError::Answer(_)), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn the_document_is_read_with_what_later_versions_add() {
    let (url, served) = serve(answer("200 OK", FLEET));
    let report = remote(&format!("{url}/prefix/"), Login::None).read().await;
    assert_eq!(report.unwrap().clusters.len(), 10);
    let request = served.join().unwrap();
    assert!(
        request.starts_with("GET /prefix/api/v1/upgrades HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(!request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn the_history_is_asked_for_by_the_filter() {
    let filter = HistoryFilter {
        clusters: vec!["search-*".to_owned()],
        limit: Some(50),
        ..HistoryFilter::default()
    };
    let document = include_str!("../../../tests/data/history/report.json");
    let (url, served) = serve(answer("200 OK", document));
    let remote = remote(&format!("{url}/prefix"), Login::None);
    let report = remote.read_history(&filter).await.unwrap();
    assert_eq!(report.upgrades[4].outcome.as_str(), "rolled_back");
    let request = served.join().unwrap();
    let line = "GET /prefix/api/v1/history?cluster=search-*&limit=50 HTTP/1.1\r\n";
    assert!(request.starts_with(line), "{request}");
}

#[tokio::test]
async fn refused_history_is_told_with_a_remedy() {
    for (head, body, part) in [
        ("404 Not Found", "", "has no /api/v1/history (HTTP 404): "),
        ("404 Not Found", "", "that its version has a history"),
        ("429 Too Many Requests", "", "(HTTP 429): wait"),
        ("200 OK", "{}", "is not the document of /api/v1/history"),
    ] {
        let (url, served) = serve(answer(head, body));
        let remote = remote(&url, Login::None);
        let read = remote.read_history(&HistoryFilter::default()).await;
        served.join().unwrap();
        let text = read.unwrap_err().to_string();
        assert!(
            text.contains(part) && !text.contains("--interval"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn words_of_a_newer_version_are_read_and_kept() {
    let newer = FLEET.replace("\"running\"", "\"rolling_back\"");
    let (url, served) = serve(answer("200 OK", &newer));
    let report = remote(&url, Login::None).read().await.unwrap();
    served.join().unwrap();
    let upgrade = &report.clusters[0].upgrades[0];
    assert_eq!(
        (upgrade.status.known(), upgrade.status.as_str()),
        (None, "rolling_back")
    );
    assert!(!upgrade.is_over() && !upgrade.has_failed());
    let attention = Attention::of(&report.clusters[0], Some(upgrade));
    assert_eq!(attention, Attention::Running, "it counts as unknown");
}

#[tokio::test]
async fn the_login_is_sent_and_never_told() {
    let password = Secret::Value(SecretString::from("hunter2"));
    let basic = Login::Basic {
        username: "admin".to_owned(),
        password: password.clone(),
    };
    for (login, header) in [
        (basic.clone(), "authorization: Basic YWRtaW46aHVudGVyMg=="),
        (Login::Bearer(password), "authorization: Bearer hunter2"),
    ] {
        let (url, served) = serve(answer("200 OK", FLEET));
        let remote = remote(&url, login);
        assert!(!format!("{remote:?}").contains("hunter2"));
        remote.read().await.unwrap();
        let request = served.join().unwrap();
        assert!(request.contains(header), "{request}");
    }
    let told = error("401 Unauthorized", "hunter2", basic).await;
    assert!(told.contains("does not take this login"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn each_wrong_answer_is_told_with_a_remedy() {
    let other = r#"{"api_version": "v2"}"#;
    let broken = r#"{"api_version": "v1", "ready": 7}"#;
    for (head, body, part) in [
        (
            "401 Unauthorized",
            "",
            "give --username with --password-file",
        ),
        ("403 Forbidden", "", "refuses (HTTP 403)"),
        ("404 Not Found", "", "has no /api/v1/upgrades"),
        ("429 Too Many Requests", "", "raise --interval"),
        (
            "302 Found\r\nLocation: https://x.example/a",
            "",
            "give --url https://x.example/a",
        ),
        ("500 Oops", "", "answers with HTTP 500"),
        ("200 OK", "<html>", "is no rolling-upgrade-exporter"),
        ("200 OK", "{}", "is no rolling-upgrade-exporter"),
        ("200 OK", other, "sends version v2"),
        ("200 OK", broken, "cannot be read: "),
    ] {
        let told = error(head, body, Login::None).await;
        assert!(told.contains(part), "{head}: {told}");
        assert!(told.starts_with("the exporter at 127.0.0.1:"), "{told}");
        assert!(!told.contains(|c: char| c.is_control()), "{told:?}");
    }
}

#[tokio::test]
async fn nobody_there_and_no_http_there_are_told() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let told = remote(&url, Login::None)
        .read()
        .await
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("cannot be reached: Connection refused"),
        "{told}"
    );

    let (url, served) = serve("SSH-2.0-x\r\n".to_owned());
    let told = remote(&url, Login::None)
        .read()
        .await
        .unwrap_err()
        .to_string();
    served.join().unwrap();
    assert!(told.contains("broke the connection"), "{told}");

    let (url, served) = serve("HTTP/1.1 400 Bad Request\r\n\r\n".to_owned());
    let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/ca.pem");
    let trust = Trust {
        ca_file: Some(ca.into()),
        identity: None,
    };
    let tls = Remote::new(&url.replace("http:", "https:"), Login::None, &trust).unwrap();
    let reading = tls.read();
    let told = tokio::time::timeout(Duration::from_secs(10), reading).await;
    let told = told.unwrap().unwrap_err().to_string();
    drop(served);
    assert!(told.contains("cannot be trusted"), "{told}");
}

#[test]
fn an_address_that_cannot_be_asked_is_wrong_usage() {
    let password = || Login::Bearer(Secret::Value("x".into()));
    for (url, login, part) in [
        ("127.0.0.1:10850", Login::None, "--url"),
        ("ftp://x", Login::None, "must begin with http"),
        ("http://admin:hunter2@x", Login::None, "--password-file"),
        ("http://admin@x", Login::None, "--password-file"),
        ("http://x/?a=b", Login::None, "no ?"),
        ("http://example.com", password(), "use https"),
    ] {
        let error = Remote::new(url, login, &Trust::default()).unwrap_err();
        assert!(
            matches!(&error, RemoteError::Usage(why) if why.contains(part)),
            "{error:?}"
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert!(Remote::new("http://[::1]:1/p", password(), &Trust::default()).is_ok());
}
