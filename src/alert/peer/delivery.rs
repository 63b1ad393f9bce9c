//! The way to one Alertmanager: its queue, and the task that posts what is in it.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::Pace;
use super::health::Health;
use super::metrics::Record;
use crate::alert::alertmanager::{Failure, Post, Remedy};
use crate::alert::queue::{Entry, Queue};
use crate::alert::rule::Labels;
use crate::clock::Clock;

/// Alerts that wait for one Alertmanager: as many as Prometheus's notifier holds.
pub(in crate::alert) const CAPACITY: usize = 10_000;
/// Alerts in one post.
pub(super) const BATCH: usize = 64;
/// Bytes of one post: half of what a proxy takes that nobody has configured (nginx: 1 MiB).
const BATCH_BYTES: usize = 512 << 10;

/// One Alertmanager.
#[derive(Debug)]
pub(super) struct Peer<P> {
    pub(super) record: Record,
    way: Mutex<Way<P>>,
    clock: Clock,
    waiting: Mutex<Waiting>,
    wake: Notify,
    /// There is another way.
    replaced: Notify,
}

/// How it is reached; a new config may bring another way.
#[derive(Debug)]
struct Way<P> {
    post: Arc<P>,
    pace: Pace,
    /// It was not tried yet.
    is_new: bool,
}

#[derive(Debug)]
struct Waiting {
    queue: Queue,
    /// Alerts in the post that is under way.
    posting: usize,
    /// Of these, those that were over since: they do not come back to the queue.
    withdrawn: Vec<Labels>,
    /// Alerts that ended before they could be posted.
    lapsed: usize,
    /// That the queue is full was told, and it was not empty since.
    told_full: bool,
}

/// What a peer's task remembers from post to post.
#[derive(Debug)]
struct Course {
    health: Health,
    /// Posts in a row that are to be made again.
    failures: u32,
    /// No post before then.
    not_before: Instant,
    /// An empty post then, if there is nothing else.
    beat_at: Instant,
    /// Alerts in the next post at the most.
    most: usize,
}

/// What came of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Idle,
    Posted,
    Failed,
}

impl<P: Post> Peer<P> {
    pub(super) fn new(record: Record, way: P, pace: Pace, clock: Clock) -> Self {
        let waiting = Waiting {
            queue: Queue::new(CAPACITY),
            posting: 0,
            withdrawn: Vec::new(),
            lapsed: 0,
            told_full: false,
        };
        Self {
            record,
            way: Mutex::new(Way {
                post: Arc::new(way),
                pace,
                is_new: false,
            }),
            clock,
            waiting: Mutex::new(waiting),
            wake: Notify::new(),
            replaced: Notify::new(),
        }
    }

    /// Posts go another way from now on, and the next one goes at once. What waits goes on waiting.
    pub(super) fn replace(&self, way: P, pace: Pace) {
        *self.way() = Way {
            post: Arc::new(way),
            pace,
            is_new: true,
        };
        self.replaced.notify_one();
    }

    pub(super) fn pace(&self) -> Pace {
        self.way().pace
    }

    pub(super) fn push(&self, entries: impl Iterator<Item = Arc<Entry>>) {
        let mut waiting = self.waiting.lock();
        waiting.lapsed += waiting.queue.expire(self.clock.now());
        let dropped = entries.map(|entry| waiting.queue.push(entry)).sum();
        self.dropped(&mut waiting, dropped);
        drop(waiting);
        self.wake.notify_one();
    }

    /// What still waits of these alerts is not true any more.
    pub(super) fn withdraw(&self, over: &[Labels]) {
        let mut waiting = self.waiting.lock();
        for labels in over {
            waiting.queue.withdraw(labels);
        }
        if waiting.posting > 0 {
            waiting.withdrawn.extend_from_slice(over);
        }
    }

    pub(super) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let (record, clock) = (self.record.clone(), self.clock.clone());
        let now = Instant::now();
        let mut course = Course {
            health: Health::new(record, clock, self.pace().beat),
            failures: 0,
            not_before: now,
            beat_at: now,
            most: BATCH,
        };
        loop {
            // A post that has begun is finished first.
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.due(&course) => {}
            }
            if std::mem::take(&mut self.way().is_new) {
                let now = Instant::now();
                (course.not_before, course.beat_at) = (now, now);
                course.health.resend(self.pace().beat);
            }
            self.turn(&mut course, true).await;
        }
        while self.turn(&mut course, false).await == Turn::Posted {}
    }

    /// Waits for something to post and for the time to do it.
    async fn due(&self, course: &Course) {
        tokio::select! {
            () = tokio::time::sleep_until(course.not_before) => {}
            () = self.replaced.notified() => return,
        }
        if self.waiting.lock().queue.is_empty() {
            // Woken by an alert. It may be gone by then: that turn is idle.
            let beat = tokio::time::sleep_until(course.beat_at);
            tokio::select! {
                () = self.wake.notified() => {}
                () = beat => {}
                () = self.replaced.notified() => {}
            }
        }
    }

    /// Makes one post, if there is something to post.
    async fn turn(&self, course: &mut Course, may_be_empty: bool) -> Turn {
        let batch = self.take(course.most);
        let beat = may_be_empty && course.beat_at <= Instant::now();
        if batch.is_empty() && !beat {
            return Turn::Idle;
        }
        let alerts: Vec<_> = batch.iter().map(|entry| &*entry.json).collect();
        let way = self.way().post.clone();
        let outcome = way.post(format!("[{}]", alerts.join(","))).await;
        let again = self.settle(course, batch, outcome);
        if again {
            course.failures = course.failures.saturating_add(1);
            let pause = self.pace().pause(course.failures, fastrand::f64());
            course.not_before = Instant::now() + pause;
            return Turn::Failed;
        }
        course.failures = 0;
        course.beat_at = Instant::now() + self.pace().beat;
        Turn::Posted
    }

    /// Counts what came of a post, and tells whether it is to be made again later.
    fn settle(
        &self,
        course: &mut Course,
        mut batch: Vec<Arc<Entry>>,
        outcome: Result<(), Failure>,
    ) -> bool {
        let alerts = batch.len();
        let mut waiting = self.waiting.lock();
        waiting.posting = 0;
        let withdrawn = std::mem::take(&mut waiting.withdrawn);
        let failure = match outcome {
            Ok(()) => {
                course.most = (course.most * 2).min(BATCH);
                course.health.well(alerts, &mut waiting.lapsed);
                return false;
            }
            Err(failure) => failure,
        };
        batch.retain(|entry| entry.fires_until.is_none() || !withdrawn.contains(&entry.labels));
        if failure.remedy == Remedy::Split && alerts > 1 {
            // Not yet refused: the alerts are counted with the smaller posts that follow at once.
            course.most = alerts.div_ceil(2);
            let dropped = waiting.queue.put_back(batch);
            self.dropped(&mut waiting, dropped);
            return false;
        }
        course.health.ill(alerts, &failure);
        let dropped = match failure.remedy {
            Remedy::Change | Remedy::Leave | Remedy::Split => return false,
            // If one of them is the cause, the others must not wait for it for ever.
            Remedy::Doubt if alerts == 1 => waiting.queue.put_last(batch),
            Remedy::Doubt if alerts > 1 => {
                course.most = alerts.div_ceil(2);
                waiting.queue.put_back(batch)
            }
            Remedy::Doubt | Remedy::Wait => waiting.queue.put_back(batch),
        };
        self.dropped(&mut waiting, dropped);
        true
    }

    fn take(&self, most: usize) -> Vec<Arc<Entry>> {
        let mut waiting = self.waiting.lock();
        waiting.lapsed += waiting.queue.expire(self.clock.now());
        let batch = waiting.queue.take(most, BATCH_BYTES);
        waiting.posting = batch.len();
        // Of a post that was lost there may be some left.
        waiting.withdrawn.clear();
        waiting.told_full &= !waiting.queue.is_empty();
        batch
    }

    /// The queue was full.
    fn dropped(&self, waiting: &mut Waiting, alerts: usize) {
        if alerts == 0 {
            return;
        }
        self.record.dropped(alerts);
        if !std::mem::replace(&mut waiting.told_full, true) {
            tracing::error!(
                alertmanager = self.record.label,
                "More than {CAPACITY} alerts wait for the Alertmanager: the oldest are dropped."
            );
        }
    }

    /// The post that was under way will never be settled: its alerts come again when renewed.
    pub(super) fn lose(&self) {
        let lost = std::mem::take(&mut self.waiting.lock().posting);
        self.record.dropped(lost);
    }

    /// Nothing will be posted any more.
    pub(super) fn give_up(&self) {
        let mut waiting = self.waiting.lock();
        waiting.queue.expire(self.clock.now());
        let left = waiting.queue.len() + waiting.posting;
        if left > 0 {
            self.record.dropped(left);
            tracing::warn!(
                alertmanager = self.record.label,
                alerts = left,
                "Ending with alerts that the Alertmanager did not take."
            );
        }
    }

    fn way(&self) -> MutexGuard<'_, Way<P>> {
        self.way.lock()
    }
}
