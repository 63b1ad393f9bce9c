//! Tests of calls that are made once.

use super::*;

/// Sends a call that is made once, and returns its outcome with the time that it took.
async fn send_once(transport: &Transport, server: &Server) -> (Reason, Duration) {
    let begun = Instant::now();
    let request = Request {
        effort: Effort::Once,
        ..server.read()
    };
    let sent = transport.send(&Counting::default(), &request).await;
    (sent.unwrap_err().reason, begun.elapsed())
}

#[tokio::test]
async fn a_call_made_once_is_not_repeated() {
    let server = Server::start(vec![answer("500 Oops", "", "")]).await;
    let (reason, _) = send_once(&server.transport(), &server).await;
    assert_eq!((reason, server.requests().len()), (Reason::Server, 1));
}

#[tokio::test]
async fn calls_made_once_share_one_slot_and_hold_up_no_other() {
    let silent = Server::start(vec![String::new()]).await;
    let good = Server::start(vec![answer("200 OK", "", "{}")]).await;
    let transport = silent.transport();
    transport.allow(good.allowed());
    // The credentials have proved good: calls may be in flight together.
    let first = transport.send(&Counting::default(), &good.read()).await;
    assert!(first.is_ok());
    let begun = Instant::now();
    let (mut hanging, others) = tokio::join!(
        futures_util::future::join_all((0..8).map(|_| send_once(&transport, &silent))),
        async {
            for _ in 0..20 {
                let sent = transport.send(&Counting::default(), &good.read()).await;
                assert!(sent.is_ok(), "{sent:?}");
            }
            begun.elapsed()
        }
    );
    assert!(others < transport.timeout, "{others:?}");
    hanging.sort();
    assert!(hanging.iter().all(|(reason, _)| *reason == Reason::Timeout));
    let (_, longest) = hanging.last().unwrap();
    assert!(
        *longest < transport.timeout * 4,
        "the wait is bounded: {longest:?}"
    );
    let asked = silent.requests().len();
    assert!((1..=3).contains(&asked), "one after another: {asked}");
}

#[tokio::test]
async fn a_call_that_failed_waits_for_the_end_of_the_vendors_pause() {
    const SECONDARY: Call = Call::secondary(
        "Nodes",
        Method::Get,
        "/nodes",
        crate::cloud::Secondary {
            tells: "states of nodes",
            permission: "nodes:list",
        },
    );
    let server = Server::start(vec![
        answer("429 Slow Down", "retry-after: 60\r\n", ""),
        answer("200 OK", "", "{}"),
    ])
    .await;
    let transport = server.transport();
    transport.allow(Allowed {
        calls: &[&SECONDARY],
        ..server.allowed()
    });
    let request = |effort| Request {
        call: &SECONDARY,
        path: SECONDARY.path.to_owned(),
        effort,
        ..server.read()
    };
    let send = async |effort| {
        let sent = transport.send(&Counting::default(), &request(effort)).await;
        sent.map(|_| ())
            .map_err(|error| (error.reason, error.cause))
    };
    let throttled = Reason::Throttled;
    assert_eq!(
        send(Effort::Normal).await,
        Err((throttled, Cause::Throttled))
    );
    assert_eq!(send(Effort::Once).await, Err((throttled, Cause::NotAsked)));
    assert_eq!(server.requests().len(), 1);
    // A transport that follows under another config keeps to the pause.
    let next = server.transport().following(&transport, false);
    next.allow(Allowed {
        calls: &[&SECONDARY],
        ..server.allowed()
    });
    let outcome = next
        .send(&Counting::default(), &request(Effort::Once))
        .await;
    assert_eq!(outcome.unwrap_err().cause, Cause::NotAsked);
    assert_eq!(server.requests().len(), 1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    assert_eq!(send(Effort::Once).await, Ok(()));
    assert_eq!(server.requests().len(), 2);
}
