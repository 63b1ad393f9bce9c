//! Reads under way: one a file, each on a thread of its own, shared by its callers.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::{Content, FileError, FileKind, content};

/// Overdue reads, and so stuck threads, that the process affords.
const MOST_OVERDUE: usize = 64;

/// Age from which a read is overdue when a caller gives up on it. A caller that has hardly any time
/// left tells nothing of the disk.
pub(super) const OVERDUE_AFTER: Duration = Duration::from_secs(1);

/// Operation on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// Mark of the file alone.
    Look,
    /// All of it.
    Read(FileKind),
}

type Key = (PathBuf, Task);
type Outcome = Result<Content, FileError>;

static FLIGHTS: Mutex<BTreeMap<Key, Flight>> = Mutex::new(BTreeMap::new());

/// Number of the last read that began.
static LAST: AtomicU64 = AtomicU64::new(0);

struct Flight {
    serial: u64,
    begun: Instant,
    waiters: Vec<Waiter>,
    /// A caller has given up on it.
    is_given_up: bool,
}

impl Flight {
    fn is_overdue(&self) -> bool {
        self.is_given_up && self.begun.elapsed() >= OVERDUE_AFTER
    }
}

enum Waiter {
    Thread(SyncSender<Outcome>),
    Task(oneshot::Sender<Outcome>),
}

impl Waiter {
    /// Hands over the outcome; a caller that has given up misses it.
    fn wake(self, outcome: Outcome) {
        match self {
            Self::Thread(sender) => drop(sender.try_send(outcome)),
            Self::Task(sender) => drop(sender.send(outcome)),
        }
    }
}

/// Performs the task, blocking the calling thread until the deadline at most.
pub(super) fn wait_blocking(path: &Path, task: Task, deadline: Instant) -> Outcome {
    let (sender, receiver) = sync_channel(1);
    let key = (path.to_owned(), task);
    let left = left(deadline)?;
    let serial = join(&key, Waiter::Thread(sender))?;
    match receiver.recv_timeout(left) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => Err(give_up(&key, serial)),
        Err(RecvTimeoutError::Disconnected) => Err(ended()),
    }
}

/// Performs the task, waiting until the deadline at most.
pub(super) async fn wait(path: &Path, task: Task, deadline: Instant) -> Outcome {
    let (sender, receiver) = oneshot::channel();
    let key = (path.to_owned(), task);
    left(deadline)?;
    let serial = join(&key, Waiter::Task(sender))?;
    match timeout_at(deadline, receiver).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(ended()),
        Err(_) => Err(give_up(&key, serial)),
    }
}

fn left(deadline: Instant) -> Result<Duration, FileError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(FileError::OutOfTime);
    }
    Ok(left)
}

/// Joins the flight of this key, or starts one.
fn join(key: &Key, waiter: Waiter) -> Result<u64, FileError> {
    let mut flights = flights();
    if let Some(flight) = flights.get_mut(key) {
        if flight.is_overdue() {
            return Err(FileError::NoAnswer);
        }
        flight.waiters.push(waiter);
        return Ok(flight.serial);
    }
    admit(&flights)?;
    let serial = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let landing = Landing {
        key: key.clone(),
        serial,
    };
    // It cannot land before the lock is released.
    std::thread::Builder::new()
        .name("file".to_owned())
        .spawn(move || {
            let outcome = perform(&landing.key, serial);
            for waiter in landing.take() {
                waiter.wake(outcome.clone());
            }
        })?;
    let flight = Flight {
        serial,
        begun: Instant::now(),
        waiters: vec![waiter],
        is_given_up: false,
    };
    flights.insert(key.clone(), flight);
    Ok(serial)
}

/// Rejects another flight where too many are overdue.
fn admit(flights: &BTreeMap<Key, Flight>) -> Result<(), FileError> {
    let overdue = flights
        .values()
        .filter(|flight| flight.is_overdue())
        .count();
    if overdue < MOST_OVERDUE {
        Ok(())
    } else {
        Err(FileError::TooManyStuck)
    }
}

fn perform((path, task): &Key, serial: u64) -> Outcome {
    #[cfg(any(test, feature = "testing"))]
    crate::hang::wait(path);
    let (bytes, mark) = match task {
        Task::Look => (Vec::new(), Some(content::look(path)?)),
        Task::Read(kind) => content::read(path, *kind)?,
    };
    Ok(Content {
        bytes,
        mark,
        serial,
    })
}

/// Marks the flight, so that later callers do not wait for it once it is overdue.
fn give_up(key: &Key, serial: u64) -> FileError {
    if let Some(flight) = flights().get_mut(key).filter(|f| f.serial == serial) {
        flight.is_given_up = true;
    }
    FileError::NoAnswer
}

fn ended() -> FileError {
    io::Error::other("reading it ended by itself: this is a bug, please report it").into()
}

fn flights() -> MutexGuard<'static, BTreeMap<Key, Flight>> {
    FLIGHTS.lock()
}

/// Ends a flight, after a panic too.
struct Landing {
    key: Key,
    serial: u64,
}

impl Landing {
    /// Removes the flight, so that the next caller reads anew, and returns its callers.
    fn take(&self) -> Vec<Waiter> {
        let mut flights = flights();
        // The next flight of this key may have begun.
        if flights
            .get(&self.key)
            .is_none_or(|f| f.serial != self.serial)
        {
            return Vec::new();
        }
        let flight = flights.remove(&self.key);
        flight.map(|flight| flight.waiters).unwrap_or_default()
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        drop(self.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_the_number_of_stuck_threads() {
        let mut flights = BTreeMap::new();
        for n in 0..MOST_OVERDUE {
            assert!(admit(&flights).is_ok(), "{n}");
            let flight = Flight {
                serial: 0,
                begun: Instant::now() - OVERDUE_AFTER,
                waiters: Vec::new(),
                is_given_up: true,
            };
            flights.insert((PathBuf::from(n.to_string()), Task::Look), flight);
        }
        assert!(matches!(admit(&flights), Err(FileError::TooManyStuck)));
    }
}
