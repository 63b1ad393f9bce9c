//! Refusals of credentials: the pause after a lone one, and the lockout.

use super::*;

#[tokio::test]
async fn refused_credentials_rest() {
    let server = Server::start(vec![answer("401 Unauthorized", "", "")]).await;
    let vendor = Counting {
        rest: Duration::from_secs(300),
        ..Counting::default()
    };
    let transport = server.transport();
    let request = server.read();
    let first = transport.send(&vendor, &request).await.unwrap_err();
    assert_eq!((first.reason, first.status), (Reason::Auth, Some(401)));
    let second = transport.send(&vendor, &request).await.unwrap_err();
    assert_eq!((second.reason, second.status), (Reason::Auth, None));
    assert!(second.retry_after.unwrap() > Duration::from_secs(290));
    assert_eq!(server.requests().len(), 1, "the second call was not made");
}

/// Waits until an answer with this status was judged.
async fn until_judged(transport: &Transport, status: u16) {
    while !transport.requests.has(&status.to_string()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Moves tokio's clock; no call is on its way.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

fn locking() -> Counting {
    Counting {
        rest: Duration::from_secs(300),
        ..Counting::default()
    }
}

fn answers(statuses: &[&str]) -> Vec<String> {
    let answer = |status: &&str| answer(status, "", "{}");
    statuses.iter().map(answer).collect()
}

#[tokio::test]
async fn a_lone_refusal_of_accepted_credentials_is_tried_again() {
    let server = Server::start(answers(&["200 OK", "401 No", "200 OK"])).await;
    let (vendor, transport, request) = (locking(), server.transport(), server.read());
    transport.send(&vendor, &request).await.unwrap();
    let send = || transport.send(&vendor, &request);
    let other = async {
        until_judged(&transport, 401).await;
        send().await
    };
    let time = async {
        until_judged(&transport, 401).await;
        pass(Duration::from_secs(14)).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(server.requests().len(), 2, "nothing is sent in the pause");
        pass(Duration::from_secs(1)).await;
    };
    let (refused, other, ()) = tokio::join!(send(), other, time);
    assert_eq!((refused.unwrap().status, other.unwrap().status), (200, 200));
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_second_refusal_locks_out_and_keeps_its_text() {
    let server = Server::start(answers(&["200 OK", "401 No"])).await;
    let (vendor, transport, request) = (locking(), server.transport(), server.read());
    transport.send(&vendor, &request).await.unwrap();
    let time = async {
        until_judged(&transport, 401).await;
        pass(Duration::from_secs(15)).await;
    };
    let (refused, ()) = tokio::join!(transport.send(&vendor, &request), time);
    let refused = refused.unwrap_err();
    assert_eq!((refused.reason, refused.status), (Reason::Auth, Some(401)));
    for minutes in [4, 3] {
        let later = transport.send(&vendor, &request).await.unwrap_err();
        let text = later.to_string();
        assert!(text.contains(&refused.to_string()), "{text}");
        assert!(text.contains(&format!("for another {minutes}m5")), "{text}");
        pass(Duration::from_secs(60)).await;
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_transport_that_asks_once_does_not_wait_for_a_second_try() {
    let server = Server::start(answers(&["200 OK", "401 No"])).await;
    let (vendor, once, request) = (locking(), server.transport().once(), server.read());
    once.send(&vendor, &request).await.unwrap();
    let refused = once.send(&vendor, &request).await.unwrap_err();
    assert_eq!(refused.status, Some(401));
}
