//! Attacks on the web server, and the time that scrapes from another address take meanwhile.
//!
//! The bounds are generous: they hold on a loaded machine with a debug build. The benchmark of the
//! same name measures the usual times.

#[path = "../attacks/attacks.rs"]
mod attacks;
mod descriptors;
mod exporter;
mod frames;
mod listed;
mod memory;
mod scarce;
mod unlisted;

use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep};

use attacks::probe::{self, Request};
use attacks::{ATTACKER, Attack, Listener, SCRAPER, Target};
use exporter::{Exporter, USERS};

/// Longest time of a request under attack. Without the server's defence it took 5 s and more; on a busy
/// machine, which runs other tests, one has taken 2.3 s.
const BOUND: Duration = Duration::from_secs(4);

/// Longest wait for an answer, so that a failure tells the time.
const PATIENCE: Duration = Duration::from_secs(12);

/// Time that an attack is kept up while the scraper asks.
const PROBED: Duration = Duration::from_millis(1500);

/// Pause between two rounds of requests.
const PAUSE: Duration = Duration::from_millis(50);

/// One attack at a time: two would measure each other.
static TURN: Mutex<()> = Mutex::const_new(());

async fn turn() -> MutexGuard<'static, ()> {
    attacks::raise_descriptor_limit();
    TURN.lock().await
}

/// Runs an attack against an exporter with these flags and asserts that every request of the
/// scraper is answered in time.
async fn withstands(attack: &Attack, clients: usize, flags: &[&str]) {
    let _turn = turn().await;
    let exporter = Exporter::start(attack.listener, flags).await;
    answers_under(attack, clients, &exporter, Kept::Stays).await;
}

/// Fate of the connection that the scraper keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Stays,
    /// The server may close it between two requests, as a scraper expects of every server.
    MayClose,
}

/// Runs an attack and asserts that requests are answered in time: the scraper's, on new
/// connections and on one that it keeps, and other ones of the attacker's address.
async fn answers_under(attack: &Attack, clients: usize, exporter: &Exporter, keep: Kept) {
    let target = &exporter.target;
    let logins = attack.listener == Listener::Logins;
    let check = |what: &str, time: io::Result<Duration>| {
        assert!(
            time.as_ref().is_ok_and(|time| *time <= BOUND),
            "{}: {what}: {time:?}\n{}",
            attack.name,
            exporter.process.output()
        );
    };
    let mut kept = probe::connect(target, SCRAPER).await.unwrap();
    let running = attack.start_clients(clients, target).await;
    let end = Instant::now() + PROBED;
    let mut round = 0;
    while Instant::now() < end {
        // Another user each time, whose hash has to be computed.
        let login = STANDARD.encode(format!("user-{}:secret", round % USERS));
        let request = |path| Request {
            path,
            login: logins.then_some(login.as_str()),
        };
        for path in ["/metrics", "/-/healthy"] {
            let time = probe::measure(target, SCRAPER, &request(path), PATIENCE).await;
            check(&format!("{path} on a new connection"), time);
        }
        if keep == Kept::Stays {
            let (begun, again) = (Instant::now(), request("/metrics"));
            let answer = probe::within(PATIENCE, probe::exchange(&mut *kept, &again)).await;
            let time = answer.map(|_| begun.elapsed());
            check("/metrics on the kept connection", time);
        }
        if !logins {
            check(
                "/-/healthy from the attacker's address",
                measure_beside_attacker(target).await,
            );
        }
        round += 1;
        sleep(PAUSE).await;
    }
    assert!(
        running.connections() >= clients,
        "{} of {clients} clients of the attack were connected",
        running.connections()
    );
}

/// Asks from the attacker's address and returns the time until an answer. A connection may be closed
/// for a newer one of the attacker before its request has arrived; the client then tries again.
async fn measure_beside_attacker(target: &Target) -> io::Result<Duration> {
    let begun = Instant::now();
    let request = Request::get("/-/healthy");
    loop {
        match probe::ask(target, ATTACKER, &request, PATIENCE).await {
            Ok(_) => return Ok(begun.elapsed()),
            Err(error) if begun.elapsed() > BOUND => return Err(error),
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}
