//! Signatures by the local clock, and in vendor time after a refusal for the clock.

use jiff::SignedDuration;

use super::*;
use crate::cloud::transport::limit::Closed;

const LIMIT: SignedDuration = SignedDuration::from_mins(5);

/// Signs with the time, and takes 401 for a refusal of credentials, or of a clock that is off.
#[derive(Default)]
struct Timed {
    signed: Mutex<Vec<Timestamp>>,
}

impl Vendor for Timed {
    fn authorize(&self, _: &Message<'_>, now: Timestamp) -> Result<Authentication, ApiError> {
        self.signed.lock().push(now);
        Ok(Authentication::default())
    }

    fn judge(&self, answer: &Answer) -> Result<(), ApiError> {
        if answer.is_success() {
            return Ok(());
        }
        let is_off = answer.skew.is_some_and(|skew| skew.abs() > LIMIT);
        let error = ApiError::new(Reason::Auth, "judged");
        Err(if is_off {
            error.because(Cause::Clock)
        } else {
            error
        })
    }

    fn credentials(&self) -> u64 {
        7
    }

    fn rest_after_refusal(&self) -> Duration {
        Duration::from_secs(300)
    }
}

/// Builds the transport of a host whose clock is off by that many minutes.
fn off_by(minutes: i64, server: &Server) -> Transport {
    let ahead = SignedDuration::from_mins(minutes);
    let local = Clock::by(move || Clock::system().now() + ahead);
    let mut transport = server.transport();
    transport.clock = local.into();
    transport
}

/// Answers of a vendor whose clock is right.
async fn vendor(statuses: &[&str]) -> Server {
    let statuses: Vec<_> = statuses.iter().map(|status| (*status, 0)).collect();
    vendor_off_by(&statuses).await
}

/// Answers of a vendor's servers, each with the minutes by which its clock is off.
async fn vendor_off_by(statuses: &[(&str, i64)]) -> Server {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let answers = statuses.iter().map(|(status, minutes)| {
        let now = Clock::system().now() + SignedDuration::from_mins(*minutes);
        let date = printer.timestamp_to_rfc9110_string(&now).unwrap();
        match *status {
            "" => String::new(),
            status => answer(status, &format!("date: {date}\r\n"), "{}"),
        }
    });
    Server::start(answers.collect()).await
}

/// Minutes by which each signature is off.
fn signed(vendor: &Timed) -> Vec<i64> {
    let now = Clock::system().now();
    let signed = vendor.signed.lock();
    let off = signed.iter().map(|at| at.duration_since(now).as_secs_f64());
    #[expect(clippy::cast_possible_truncation, reason = "some minutes")]
    off.map(|off| (off / 60.0).round() as i64).collect()
}

#[tokio::test]
async fn refusal_for_the_clock_is_repeated_once_in_vendor_time() {
    for minutes in [20, -20] {
        let server = vendor(&["401 No", "200 OK"]).await;
        let (timed, transport, request) =
            (Timed::default(), off_by(minutes, &server), server.read());
        for _ in 0..3 {
            transport.send(&timed, &request).await.unwrap();
        }
        assert_eq!(
            signed(&timed),
            [minutes, 0, 0, 0],
            "vendor time signs from then on"
        );
        let off = transport.clock.now().duration_since(Clock::system().now());
        assert!(off.abs() < SignedDuration::from_secs(2), "{off:?}");
        let skew = transport.clock.last_skew().unwrap().as_secs();
        assert!((skew - minutes * 60).abs() <= 2, "{skew}");
    }
}

#[tokio::test]
async fn call_that_is_made_once_is_repeated_for_the_clock() {
    let server = vendor(&["401 No", "200 OK"]).await;
    let (timed, transport) = (Timed::default(), off_by(20, &server));
    let request = Request {
        effort: Effort::Once,
        ..server.read()
    };
    transport.send(&timed, &request).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn local_clock_signs_while_the_vendor_takes_it() {
    let server = vendor(&["200 OK"]).await;
    let (timed, transport, request) = (Timed::default(), off_by(4, &server), server.read());
    for _ in 0..3 {
        transport.send(&timed, &request).await.unwrap();
    }
    assert_eq!(signed(&timed), [4, 4, 4]);
}

#[tokio::test]
async fn refusal_in_vendor_time_is_a_bad_signature() {
    let server = vendor(&["401 No"]).await;
    let (timed, transport, request) = (Timed::default(), off_by(20, &server), server.read());
    let refused = transport.send(&timed, &request).await.unwrap_err();
    assert_eq!(refused.cause, Cause::Credentials);
    assert_eq!(signed(&timed), [20, 0]);
    let closed = transport.gate.enter(7).await.unwrap_err();
    assert!(matches!(closed, Closed::LockedOut { .. }), "{closed:?}");
    assert!(!transport.clock.is_signing(), "it was not accepted");
}

#[tokio::test]
async fn refusal_for_the_clock_is_no_bad_signature() {
    // The repeated call gets no verdict on its signature.
    let server = vendor(&["401 No", ""]).await;
    let (timed, mut transport, request) = (Timed::default(), off_by(20, &server), server.read());
    transport.attempts = 2;
    let server_is_silent = transport.send(&timed, &request).await.unwrap_err();
    assert_eq!(server_is_silent.reason, Reason::Timeout);
    assert!(transport.gate.enter(7).await.is_ok());
}

#[tokio::test]
async fn servers_whose_clocks_differ_lock_no_key_out() {
    let server = vendor_off_by(&[("401 No", 0), ("401 No", -20)]).await;
    let (timed, transport, request) = (Timed::default(), off_by(20, &server), server.read());
    let refused = transport.send(&timed, &request).await.unwrap_err();
    assert_eq!((refused.cause, signed(&timed)), (Cause::Clock, vec![20, 0]));
    assert!(transport.gate.enter(7).await.is_ok());
    assert!(!transport.clock.is_signing(), "it was not accepted");
}

#[tokio::test]
async fn transport_that_asks_once_tells_the_wrong_clock() {
    let server = vendor(&["401 No", "200 OK"]).await;
    let (timed, transport, request) = (Timed::default(), off_by(20, &server).once(), server.read());
    let refused = transport.send(&timed, &request).await.unwrap_err();
    assert_eq!((refused.cause, server.requests().len()), (Cause::Clock, 1));
}

#[tokio::test]
async fn skew_is_shown_once_two_answers_agree() {
    let server = vendor(&["200 OK"]).await;
    let (timed, transport, request) = (Timed::default(), off_by(4, &server), server.read());
    let shows = || transport.clock.skew().is_some();
    transport.send(&timed, &request).await.unwrap();
    assert!(!shows(), "one answer proves nothing");
    transport.send(&timed, &request).await.unwrap();
    assert!(shows());
}
