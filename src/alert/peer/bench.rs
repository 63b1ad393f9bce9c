//! For tests: a peer in virtual time, with an Alertmanager that answers as it is told.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::Once;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::*;
use crate::alert::alertmanager::{Failure, Remedy};
use crate::alert::rule::Labels;
use crate::telemetry;

/// What it was posted, and when after the start.
pub(super) type Posts = Arc<Mutex<Vec<(Duration, String)>>>;

/// Takes everything once the answers are used up. The last answer may be to panic.
pub(super) struct Scripted {
    answers: Mutex<VecDeque<Result<(), Failure>>>,
    posts: Posts,
    begun: Instant,
    takes: Duration,
}

impl Post for Scripted {
    async fn post(&self, alerts: String) -> Result<(), Failure> {
        let at = self.begun.elapsed();
        self.posts.lock().push((at, alerts));
        tokio::time::sleep(self.takes).await;
        let answer = self.answers.lock().pop_front().unwrap_or(Ok(()));
        assert_ne!(answer, fails(Remedy::Wait, "panic"), "on purpose");
        answer
    }
}

pub(super) fn fails(remedy: Remedy, text: &str) -> Result<(), Failure> {
    Err(Failure {
        remedy,
        text: text.to_owned(),
    })
}

pub(super) const BEAT: Duration = Duration::from_secs(60);

/// A peer that runs in a task of its own.
pub(super) struct Bench {
    pub(super) peer: Arc<Peer<Scripted>>,
    pub(super) posts: Posts,
    store: Arc<Store>,
    registry: telemetry::Metrics,
    _owner: Owner,
    pub(super) stop: watch::Sender<bool>,
    pub(super) task: JoinSet<()>,
}

pub(super) fn start(answers: impl IntoIterator<Item = Result<(), Failure>>) -> Bench {
    start_slow(answers, Duration::ZERO)
}

pub(super) fn start_slow(
    answers: impl IntoIterator<Item = Result<(), Failure>>,
    takes: Duration,
) -> Bench {
    let posts = Posts::default();
    let way = Scripted {
        answers: Mutex::new(answers.into_iter().collect()),
        posts: posts.clone(),
        begun: Instant::now(),
        takes,
    };
    let (store, mut registry) = (Arc::new(Store::new()), telemetry::Metrics::new());
    let owner = Owner::new("http://am", &store, &Metrics::new(registry.own()));
    let clock = Clock::tokio(Timestamp::from_second(1000).unwrap());
    let peer = Arc::new(Peer::new(owner.record.clone(), way, Pace::new(BEAT), clock));
    let (stop, stopped) = watch::channel(false);
    let mut task = JoinSet::new();
    task.spawn(supervise(peer.clone(), stopped));
    Bench {
        peer,
        posts,
        store,
        registry,
        _owner: owner,
        stop,
        task,
    }
}

/// The alert `name`, which fires until this second after the start; 0: it is resolved.
pub(super) fn alert(name: &str, until: i64) -> Posting {
    let at = |second| Timestamp::from_second(1000 + second).unwrap();
    Posting {
        alert: Notification {
            labels: Labels::from([("alertname".to_owned(), name.to_owned())]),
            annotations: Labels::new(),
            starts_at: at(-1),
            ends_at: at(until),
            generator_url: None,
        },
        resolved: until == 0,
        except: None,
    }
}

impl Bench {
    pub(super) fn push(&self, alerts: impl IntoIterator<Item = Posting>) {
        let alerts: Vec<_> = alerts.into_iter().collect();
        self.peer
            .push(alerts.iter().map(|posting| entry(posting).unwrap().0));
    }

    /// Lets time pass, and gives the posts until now: the second, and the names of the alerts.
    pub(super) async fn after(&self, seconds: u64) -> Vec<(u64, String)> {
        // A moment more: whoever is due at that second goes first.
        let moment = Duration::from_millis(1);
        tokio::time::sleep(Duration::from_secs(seconds) + moment).await;
        let posts = self.posts.lock();
        posts
            .iter()
            .map(|(at, body)| (at.as_secs(), names(body)))
            .collect()
    }

    /// The counters: sent, errors, dropped.
    pub(super) fn counted(&self) -> [u64; 3] {
        let text = self.registry.encode();
        ["sent", "errors", "dropped"].map(|name| {
            let name = format!("rolling_upgrade_exporter_alerts_{name}_total{{");
            let line = text.lines().find(|line| line.starts_with(&name)).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        })
    }

    /// Since which second it fails.
    pub(super) fn failing_since(&self) -> Option<i64> {
        let failing = self.store.health().unreachable;
        failing.first().map(|(_, since)| since.as_second() - 1000)
    }
}

pub(super) fn names(body: &str) -> String {
    let alerts: Vec<serde_json::Value> = serde_json::from_str(body).unwrap();
    let names = alerts
        .iter()
        .map(|a| a["labels"]["alertname"].as_str().unwrap());
    names.collect::<Vec<_>>().join(" ")
}

pub(super) fn posts<const N: usize>(posts: [(u64, &str); N]) -> Vec<(u64, String)> {
    posts.map(|(at, names)| (at, names.to_owned())).to_vec()
}

thread_local! {
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes into the memory of the thread that logs: a test has one of its own.
struct ToThread;

impl Write for ToThread {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// From now on [`told`] gives what this thread logs.
pub(super) fn listen() {
    // One for all threads: with one for each, tracing may take a line that another thread was
    // the first to log for one that nobody wants.
    static GLOBAL: Once = Once::new();
    GLOBAL.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(|| ToThread)
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    tracing::callsite::rebuild_interest_cache();
    LOGGED.take();
}

/// The lines.
pub(super) fn told() -> Vec<String> {
    let text = LOGGED.with_borrow(|logged| String::from_utf8(logged.clone()).unwrap());
    text.lines().map(|line| line.trim().to_owned()).collect()
}
