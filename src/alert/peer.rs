//! Alerts on their way: a queue and a task for each Alertmanager, so that none waits for another.
//!
//! Alerts go to every Alertmanager, as Prometheus sends them: its members tell each other what they
//! notified, not what they were sent. Otherwise than Prometheus's notifier, which drops a batch that
//! failed, the queue keeps it: the newest version of each alert waits until the Alertmanager is back.
//! An alert that says that it fires is never posted after the end that it tells: that would read as
//! resolved. Such alerts leave the queue uncounted, since what they told is over.
//!
//! A post that fails under way is made again with fewer alerts, and one that failed alone goes behind
//! the others: if it is the cause, they do not wait for it.
//!
//! An Alertmanager that was posted nothing for an interval gets an empty array, so that a broken way
//! is known before an alert needs it.

mod delivery;
mod health;
mod metrics;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::alertmanager::{Endpoint, Post};
use super::notification::Notification;
use super::queue::Entry;
use super::rule::Labels;
use super::sidecar::World;
use crate::clock::Clock;
use crate::config::{Alerting, Alertmanager};
use crate::store::Store;
use crate::text;
use delivery::Peer;
use metrics::Owner;

pub(super) use delivery::CAPACITY;
pub use metrics::Metrics;

/// An alert to post.
#[derive(Debug, Clone)]
pub(super) struct Posting {
    /// The alert.
    pub(super) alert: Notification,
    /// It says that the alert ended; else that it fires until `ends_at`.
    pub(super) resolved: bool,
    /// The Alertmanager (its label) that must not get it: it cannot hear that it is not heard.
    pub(super) except: Option<String>,
}

/// Every Alertmanager of the config, each with a task that posts what is queued for it.
#[derive(Debug)]
pub(super) struct Peers {
    running: Vec<Running>,
    resend_interval: Duration,
    /// Tells the tasks to finish.
    stop: watch::Sender<bool>,
    store: Arc<Store>,
    metrics: Metrics,
    clock: Clock,
}

#[derive(Debug)]
struct Running {
    config: Alertmanager,
    peer: Arc<Peer<Endpoint>>,
    task: JoinSet<()>,
    _owner: Owner,
}

/// How long things take; tests are faster.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// After so long without a post an empty one is made.
    beat: Duration,
    /// The pause after the first failure; it doubles with each further one.
    first_pause: Duration,
    longest_pause: Duration,
    /// The pause after a bug.
    restart: Duration,
}

impl Pace {
    fn new(resend_interval: Duration) -> Self {
        Self {
            beat: resend_interval,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
            restart: Duration::from_secs(10),
        }
    }

    /// After so many failures in a row; `dice` is from 0 to 1. At least half of the pause is kept to.
    fn pause(&self, failures: u32, dice: f64) -> Duration {
        let doubled = 1 << failures.saturating_sub(1).min(16);
        let ceiling = self.first_pause.saturating_mul(doubled);
        ceiling
            .min(self.longest_pause)
            .mul_f64(0.5 + dice.clamp(0.0, 1.0) / 2.0)
    }
}

impl Peers {
    /// The Alertmanagers of the config; their counters start at 0.
    pub(super) fn new(alerting: &Alerting, world: &World) -> Self {
        Self::at_pace(alerting, world, Pace::new(alerting.resend_interval))
    }

    fn at_pace(alerting: &Alerting, world: &World, pace: Pace) -> Self {
        let mut peers = Self {
            running: Vec::new(),
            resend_interval: alerting.resend_interval,
            stop: watch::Sender::new(false),
            store: world.store.clone(),
            metrics: world.metrics.clone(),
            clock: world.clock.clone(),
        };
        let add = |config: &Alertmanager| peers.start(config.clone(), pace);
        peers.running = alerting.alertmanagers.iter().map(add).collect();
        peers
    }

    fn start(&self, config: Alertmanager, pace: Pace) -> Running {
        let owner = Owner::new(config.label(), &self.store, &self.metrics);
        let clock = self.clock.clone();
        let way = Endpoint::new(&config, clock.clone(), self.resend_interval);
        let peer = Arc::new(Peer::new(owner.record.clone(), way, pace, clock));
        let mut task = JoinSet::new();
        task.spawn(supervise(peer.clone(), self.stop.subscribe()));
        Running {
            config,
            peer,
            task,
            _owner: owner,
        }
    }

    /// Takes another config over. What waits for an Alertmanager that stays goes on waiting, also when
    /// it is reached in another way now; one that is not named any more ends with all that waits.
    pub(super) fn replace(&mut self, alerting: &Alerting) {
        let resend = alerting.resend_interval;
        let is_same_pace = std::mem::replace(&mut self.resend_interval, resend) == resend;
        let pace = Pace::new(resend);
        let mut before = std::mem::take(&mut self.running);
        for config in &alerting.alertmanagers {
            let known = before
                .iter()
                .position(|running| running.config.label() == config.label());
            let running = match known.map(|known| before.swap_remove(known)) {
                Some(running) if is_same_pace && running.config == *config => running,
                Some(mut running) => {
                    let way = Endpoint::new(config, self.clock.clone(), resend);
                    running.peer.replace(way, pace);
                    running.config = config.clone();
                    running
                }
                None => self.start(config.clone(), pace),
            };
            self.running.push(running);
        }
    }

    /// Queues alerts for every Alertmanager; never waits.
    pub(super) fn push(&self, alerts: &[Posting]) {
        let entries: Vec<_> = alerts.iter().filter_map(entry).collect();
        for Running { peer, .. } in &self.running {
            let wanted = entries
                .iter()
                .filter(|(_, except)| *except != Some(&*peer.record.label));
            peer.push(wanted.map(|(entry, _)| entry.clone()));
        }
    }

    /// Takes back posts that wait and say that an alert fires which is over.
    pub(super) fn withdraw(&self, over: &[Labels]) {
        for Running { peer, .. } in &self.running {
            peer.withdraw(over);
        }
    }

    /// Tries to empty each queue once more, for at most `grace`. What is left is counted as dropped
    /// and told in the log.
    pub(super) async fn finish(&mut self, grace: Duration) {
        self.stop.send_replace(true);
        let end = Instant::now() + grace;
        for Running { peer, task, .. } in &mut self.running {
            // What did not end in time is told by its alerts.
            drop(tokio::time::timeout_at(end, task.join_next()).await);
            task.shutdown().await;
            peer.give_up();
        }
    }
}

/// An alert as it waits, and who must not get it.
fn entry(posting: &Posting) -> Option<(Arc<Entry>, Option<&str>)> {
    let alert = &posting.alert;
    let json = text::json::to_string(alert)
        .inspect_err(|error| tracing::error!(%error, "An alert cannot be written: this is a bug, please report it."))
        .ok()?;
    let entry = Entry {
        labels: alert.labels.clone().into(),
        json,
        fires_until: (!posting.resolved).then_some(alert.ends_at),
    };
    Some((Arc::new(entry), posting.except.as_deref()))
}

/// Runs a peer, and starts it anew if that panics: a bug must not end the alerts.
async fn supervise<P: Post>(peer: Arc<Peer<P>>, mut stop: watch::Receiver<bool>) {
    loop {
        // A set of one: its task is aborted when this future is dropped.
        let mut task = JoinSet::new();
        task.spawn(peer.clone().run(stop.clone()));
        let Some(Err(error)) = task.join_next().await else {
            return;
        };
        let restart = peer.pace().restart;
        tracing::error!(
            alertmanager = peer.record.label, %error,
            "Posting to the Alertmanager ended: this is a bug, please report it. It starts again in {}.",
            crate::text::exact_length(restart)
        );
        peer.lose();
        let stopped = tokio::time::timeout(restart, stop.wait_for(|stop| *stop)).await;
        if stopped.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod bench;
#[cfg(test)]
mod io;
#[cfg(test)]
mod tests;
