//! Times of scrapes from an address of their own.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::time::{Instant, sleep};

use crate::attacks::probe::{self, Request};
use crate::attacks::{Listener, SCRAPER, Target};
use crate::exporter::USERS;

/// Scrapes of one measurement.
const SCRAPES: usize = 100;
/// Longest time of one measurement.
const LONGEST: Duration = Duration::from_secs(4);
/// Longest time of one scrape; Prometheus's default is 10 s.
const LIMIT: Duration = Duration::from_secs(10);
/// Pause between two scrapes.
const PAUSE: Duration = Duration::from_millis(10);

/// Times of the scrapes that were answered, in order of length.
#[derive(Debug)]
pub(crate) struct Times {
    sorted: Vec<Duration>,
    pub(crate) failed: usize,
}

impl Times {
    /// Returns a percentile in milliseconds, as text.
    pub(crate) fn at(&self, percent: usize) -> String {
        let last = self.sorted.len().saturating_sub(1);
        match self.sorted.get(last * percent / 100) {
            Some(time) => format!("{:.1} ms", time.as_secs_f64() * 1000.0),
            None => "-".to_owned(),
        }
    }

    /// Returns the median in seconds; not a number where no scrape was answered.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.sorted.len().saturating_sub(1) / 2;
        self.sorted
            .get(middle)
            .map_or(f64::NAN, Duration::as_secs_f64)
    }

    /// Returns the number of scrapes that were answered.
    pub(crate) fn good(&self) -> usize {
        self.sorted.len()
    }
}

/// Scrapes again and again, each time on a new connection.
///
/// Where logins are checked, each of the first scrapes is another user's, so that its hash has to
/// be computed.
pub(crate) async fn scrapes(target: &Target, listener: Listener) -> Times {
    let mut times = Times {
        sorted: Vec::with_capacity(SCRAPES),
        failed: 0,
    };
    let end = Instant::now() + LONGEST;
    for number in 0..SCRAPES {
        if Instant::now() > end {
            break;
        }
        let login = STANDARD.encode(format!("user-{}:secret", number % USERS));
        let request = Request {
            path: "/metrics",
            login: (listener == Listener::Logins).then_some(login.as_str()),
        };
        match probe::measure(target, SCRAPER, &request, LIMIT).await {
            Ok(time) => times.sorted.push(time),
            Err(_) => times.failed += 1,
        }
        sleep(PAUSE).await;
    }
    times.sorted.sort();
    times
}
