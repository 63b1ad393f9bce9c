//! Tests over real loopback sockets.

use super::fake::{Answer, Fake, ok, tls_data};
use super::*;
use std::sync::Arc;

use crate::secret::Secret;
use crate::secret::SecretFile;

mod ca_file;

fn bearer(token: &str) -> Login {
    Login::Bearer(Secret::Value(token.into()))
}

fn basic(password: Secret) -> Login {
    Login::Basic {
        username: "team".to_owned(),
        password,
    }
}

fn open(config: &Alertmanager) -> Endpoint {
    let clock = Clock::fixed("2026-11-21T04:00:10Z".parse().unwrap());
    Endpoint::new(config, clock, Duration::from_secs(60))
}

async fn post(config: &Alertmanager) -> Result<(), Failure> {
    open(config).post("[]".to_owned()).await
}

#[tokio::test]
async fn a_clock_that_is_behind_by_the_life_of_an_alert_is_a_failure() {
    let at = |date: &str| {
        let head = format!("200 OK\r\nDate: {date}\r\n");
        post_to(Answer::Full(head.leak(), String::new()))
    };
    assert_eq!(at("Sat, 21 Nov 2026 04:03:09 GMT").await, Ok(()));
    assert_eq!(at("Sat, 21 Nov 2026 03:00:00 GMT").await, Ok(()), "ahead");
    assert_eq!(at("yesterday").await, Ok(()));
    let failure = at("Sat, 21 Nov 2026 04:05:10 GMT").await.unwrap_err();
    assert_eq!(failure.remedy, Remedy::Change);
    assert!(
        failure.text.contains("clock is 5m behind its clock"),
        "{}",
        failure.text
    );
}

async fn post_to(answer: Answer) -> Result<(), Failure> {
    post(&Fake::start([answer]).await.config()).await
}

#[tokio::test]
async fn alerts_go_to_the_api_behind_any_prefix() {
    let fake = Fake::start([ok()]).await;
    for (prefix, path) in [
        ("", "/api/v2/alerts"),
        ("/pre/fix", "/pre/fix/api/v2/alerts"),
        ("/pre/fix/", "/pre/fix/api/v2/alerts"),
    ] {
        let mut config = fake.config();
        config.url.set_path(prefix);
        let endpoint = open(&config);
        assert_eq!(endpoint.post("[{}]".to_owned()).await, Ok(()));
        let sent = fake.requests().pop().unwrap();
        let line = format!("POST {path} HTTP/1.1\r\n");
        assert!(sent.head.starts_with(&line), "{}", sent.head);
        assert_eq!(sent.body, "[{}]");
        for header in [
            "content-type: application/json\r\n",
            concat!(
                "user-agent: rolling-upgrade-exporter/",
                env!("CARGO_PKG_VERSION"),
                "\r\n"
            ),
        ] {
            assert!(sent.head.contains(header), "{}", sent.head);
        }
        assert!(!sent.head.contains("authorization"), "{}", sent.head);
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let fake = Fake::start([ok()]).await;
    let endpoint = open(&fake.config());
    for _ in 0..3 {
        assert_eq!(endpoint.post("[]".to_owned()).await, Ok(()));
    }
    let connections: Vec<_> = fake.requests().iter().map(|r| r.connection).collect();
    assert_eq!(connections, [0, 0, 0]);
}

#[tokio::test]
async fn it_knows_us_by_password_or_token() {
    for (auth, header) in [
        // team:hunter2
        (
            basic(Secret::Value("hunter2".into())),
            "authorization: Basic dGVhbTpodW50ZXIy\r\n",
        ),
        (bearer("hunter2"), "authorization: Bearer hunter2\r\n"),
    ] {
        let fake = Fake::start([ok()]).await;
        let config = Alertmanager {
            auth,
            ..fake.config()
        };
        assert_eq!(post(&config).await, Ok(()));
        let head = fake.requests().pop().unwrap().head;
        assert!(head.contains(header), "{head}");
        assert!(!format!("{:?}", open(&config)).contains("hunter2"));
    }
}

#[tokio::test]
async fn a_rotated_password_is_used_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let fake = Fake::start([ok()]).await;
    let file = SecretFile::settling(path.clone(), Duration::ZERO);
    let auth = basic(Secret::File(Arc::new(file)));
    let endpoint = open(&Alertmanager {
        auth,
        ..fake.config()
    });
    let failure = endpoint.post("[]".to_owned()).await.unwrap_err();
    assert_eq!(failure.remedy, Remedy::Wait);
    assert!(
        failure.text.contains(path.to_str().unwrap()),
        "{}",
        failure.text
    );
    assert!(fake.requests().is_empty(), "nothing goes out without it");
    for (password, header) in [("a", "Basic dGVhbTph\r\n"), ("b\n", "Basic dGVhbTpi\r\n")] {
        std::fs::write(&path, password).unwrap();
        assert_eq!(endpoint.post("[]".to_owned()).await, Ok(()));
        let head = fake.requests().pop().unwrap().head;
        assert!(head.contains(header), "{head}");
    }
}

#[tokio::test]
async fn names_a_token_that_no_header_may_have() {
    let fake = Fake::start([ok()]).await;
    let mut config = fake.config();
    config.auth = bearer("hun\nter2");
    let failure = post(&config).await.unwrap_err();
    let text = "the token has characters that no header may have: check bearer_token";
    assert_eq!(failure, Failure::new(Remedy::Wait, text));
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn no_text_tells_a_credential() {
    let basic = || basic(Secret::Value("hunter2".into()));
    let long = format!("{} hunter2", "x".repeat(195));
    let cut = format!("{} hunter2-and-more", " ".repeat(BODY_CAP - 14));
    for (auth, told, shown) in [
        (
            bearer("hunter2"),
            "no such token: hunter2",
            "no such token: [redacted]",
        ),
        (
            basic(),
            "you sent Basic dGVhbTpodW50ZXIy",
            "you sent Basic [redacted]",
        ),
        (basic(), "<b x=hunter2>password</b>", "password"),
        (basic(), "hun<b></b>ter2", "[redacted]"),
        (basic(), r#"{"message":"\u0068unter2"}"#, "[redacted]"),
        (basic(), &long, &format!("{} [reda…", "x".repeat(195))),
        (bearer("hunter2-and-more"), &cut, "[redacted]"),
    ] {
        let fake = Fake::start([Answer::Full("401 No\r\n", told.to_owned())]).await;
        let failure = post(&Alertmanager {
            auth,
            ..fake.config()
        })
        .await
        .unwrap_err();
        assert_eq!(
            failure.text,
            format!("HTTP 401, it refuses us: {shown}; check basic_auth or bearer_token")
        );
    }
    let fake = Fake::start([ok()]).await;
    let auth = bearer("hunter2\n\u{7f}");
    let failure = post(&Alertmanager {
        auth,
        ..fake.config()
    })
    .await
    .unwrap_err();
    assert!(!failure.text.contains("hunter2"), "{}", failure.text);
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let elsewhere = Fake::start([ok()]).await;
    let head = format!("307 Moved\r\nlocation: {}api/v2/alerts\r\n", elsewhere.url);
    let fake = Fake::start([Answer::Full(head.leak(), String::new())]).await;
    let auth = bearer("hunter2");
    let failure = post(&Alertmanager {
        auth,
        ..fake.config()
    })
    .await
    .unwrap_err();
    assert_eq!(failure.remedy, Remedy::Change);
    let to = format!("to {}:", elsewhere.config().label());
    assert!(failure.text.contains(&to), "{}", failure.text);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_success_stands_in_the_first_line() {
    let endless = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{}",
        " ".repeat(1 << 20)
    );
    for answer in [
        Answer::Full("202 Accepted\r\n", "welcome".to_owned()),
        Answer::Stall("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n".to_owned()),
        Answer::Full("200 OK\r\ncontent-type: text/html\r\n", String::new()),
        Answer::Cut("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n".to_owned()),
        Answer::Cut(endless),
    ] {
        assert_eq!(post_to(answer).await, Ok(()));
    }
}

#[tokio::test]
async fn a_login_page_with_200_has_not_taken_the_alerts() {
    let page = "<!DOCTYPE html><title>Sign in</title>".to_owned() + &" ".repeat(PEEK_CAP);
    let stalled = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n";
    for answer in [
        Answer::Full("200 OK\r\ncontent-type: text/html\r\n", page.clone()),
        Answer::Full("200 OK\r\n", page),
        Answer::Stall(stalled.to_owned()),
    ] {
        let failure = post_to(answer).await.unwrap_err();
        assert_eq!(failure.remedy, Remedy::Wait);
        let begin = "HTTP 200 with a web page, so the alerts were not taken";
        assert!(failure.text.starts_with(begin), "{}", failure.text);
    }
    let echoed = Answer::Full("200 OK\r\n", "<p>token hunter2".to_owned());
    let fake = Fake::start([echoed]).await;
    let auth = bearer("hunter2");
    let failure = post(&Alertmanager {
        auth,
        ..fake.config()
    })
    .await
    .unwrap_err();
    assert!(!failure.text.contains("hunter2"), "{}", failure.text);
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again_later() {
    for cut in ["", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\ncontent-"] {
        let failure = post_to(Answer::Cut(cut.to_owned())).await.unwrap_err();
        assert_eq!(failure.remedy, Remedy::Doubt, "{cut}");
        assert!(
            failure.text.starts_with("the connection broke"),
            "{}",
            failure.text
        );
    }
    let cut = "HTTP/1.1 503 Busy\r\ncontent-length: 10\r\n\r\nlater";
    let failure = post_to(Answer::Cut(cut.to_owned())).await.unwrap_err();
    assert_eq!(failure.remedy, Remedy::Doubt);
    assert_eq!(failure.text, "HTTP 503, it cannot take alerts now: later");
}

#[tokio::test]
async fn a_long_answer_is_read_in_part() {
    // More is announced and never comes: nobody waits for it.
    let long = "x ".repeat(BODY_CAP);
    let long = format!("HTTP/1.1 418 Tea\r\ncontent-length: 99999999\r\n\r\n{long}");
    let begun = Instant::now();
    let failure = post_to(Answer::Stall(long)).await.unwrap_err();
    assert!(begun.elapsed() < TIMEOUT / 2, "{:?}", begun.elapsed());
    assert_eq!(failure.remedy, Remedy::Change);
    let text = failure.text;
    assert!(text.ends_with('…') && text.len() < 500, "{text}");
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let endless = "HTTP/1.1 422 No\r\ncontent-length: 99\r\n\r\nwhy";
    for (answer, remedy, text) in [
        (
            Answer::Stall(String::new()),
            Remedy::Doubt,
            "no answer in time",
        ),
        (Answer::Stall(endless.to_owned()), Remedy::Split, "HTTP 422"),
    ] {
        let fake = Fake::start([answer]).await;
        let mut endpoint = open(&fake.config());
        endpoint.timeout = Duration::from_millis(200);
        let post = endpoint.post("[]".to_owned());
        let post = tokio::time::timeout(TIMEOUT / 2, post).await;
        let failure = post.expect("it ends in time").unwrap_err();
        assert_eq!(failure.remedy, remedy);
        assert!(failure.text.starts_with(text), "{}", failure.text);
    }
}

#[tokio::test]
async fn nobody_there_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let config = Alertmanager {
        url: Url::parse(&url).unwrap(),
        auth: Login::None,
        ca_file: None,
    };
    let failure = post(&config).await.unwrap_err();
    assert_eq!(failure.remedy, Remedy::Wait);
    assert!(
        failure
            .text
            .starts_with("no connection (Connection refused"),
        "{}",
        failure.text
    );
}
