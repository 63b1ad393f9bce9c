//! What lasts over restarts: workers hand over what they know, and one task writes it to a database, off
//! the paths of polls and scrapes.

pub mod database;
mod metrics;
mod pending;
pub mod record;

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::history::History;
use crate::model::PastUpgrade;
use database::{Batch, Contents, Database, DiskError, StoredDiscovery, StoredKey};
pub use metrics::register;
pub use pending::Known;
use pending::{Pending, Seldom, put_or_remove};

/// Time in which changes are gathered for one commit.
const GATHER: Duration = Duration::from_millis(250);

/// Time of a commit after which the disk counts as failed; the commit goes on.
const SLOW: Duration = Duration::from_secs(10);

/// Time for the last commit when the program ends.
const GRACE: Duration = Duration::from_secs(3);

/// Pause before another try after the disk failed.
const RETRY: Duration = Duration::from_secs(5);

/// Handle of the storage; clones share it.
#[derive(Debug, Clone)]
pub struct Disk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// `None` while it cannot be opened.
    database: Mutex<Option<Database>>,
    pending: Mutex<Pending>,
    /// Shared by those whose changes belong together; exclusive while a commit takes the changes.
    taking: RwLock<()>,
    seldom: Mutex<Seldom>,
    /// The database was open before.
    was_open: AtomicBool,
    changed: Notify,
    is_up: watch::Sender<bool>,
    errors: AtomicU64,
    /// Bytes on the disk by the last commit.
    size: AtomicU64,
}

impl Disk {
    /// Opens the storage in a folder, and returns what it holds. A database that is opened anew later gets all of
    /// `history`. Where that fails or takes longer than 10 s,
    /// nothing is known, and the storage is opened when the disk is back.
    pub async fn open(folder: PathBuf, history: History) -> (Self, Contents) {
        let disk = Self(Arc::new(Inner {
            folder: folder.clone(),
            database: Mutex::new(None),
            pending: Mutex::default(),
            taking: RwLock::default(),
            seldom: Mutex::new(Seldom {
                history,
                ..Seldom::default()
            }),
            was_open: AtomicBool::new(false),
            changed: Notify::new(),
            is_up: watch::Sender::new(true),
            errors: AtomicU64::new(0),
            size: AtomicU64::new(0),
        }));
        match timeout(SLOW, spawn_blocking(move || open(&folder))).await {
            Ok(Ok(Ok((database, contents)))) => {
                disk.0.size.store(database.size(), Ordering::Relaxed);
                *disk.0.database.lock() = Some(database);
                disk.0.was_open.store(true, Ordering::Relaxed);
                disk.0.seldom.lock().load(&contents);
                return (disk, contents);
            }
            Ok(Ok(Err(error))) => disk.failed(&error),
            // A panic, which is a bug, or the end of the runtime.
            Ok(Err(error)) => disk.failed(&error),
            Err(_) => disk.failed(&"the disk does not answer"),
        }
        // Another try, whether a change comes or not.
        disk.0.changed.notify_one();
        (disk, Contents::default())
    }

    /// Returns whether the last write, or the opening before the first, went well; receivers see each change.
    pub fn is_up(&self) -> watch::Receiver<bool> {
        self.0.is_up.subscribe()
    }

    /// Returns a guard: the changes that come while it is held are in one commit. Not for async code.
    pub fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.0.taking.read()
    }

    /// Takes what is known of a cluster. A good poll that changed nothing else is stored without the record.
    pub fn put(&self, key: StoredKey, known: Known) {
        let known = Arc::new(known);
        let mut seldom = self.0.seldom.lock();
        let before = seldom.clusters.insert(key.clone(), known.clone());
        drop(seldom);
        let poll = before.and_then(|before| known.poll_since(&before));
        self.change(|pending| pending.put(key, known, poll));
    }

    /// Forgets a cluster.
    pub fn remove(&self, key: StoredKey) {
        self.0.seldom.lock().clusters.remove(&key);
        self.change(|pending| pending.remove(key));
    }

    /// Takes the record of a discovery, as JSON; `None` for one that is over.
    pub fn put_discovery(&self, key: StoredDiscovery, record: Option<String>) {
        let mut seldom = self.0.seldom.lock();
        put_or_remove(&mut seldom.discoveries, key.clone(), record.clone());
        drop(seldom);
        self.change(|pending| drop(pending.discoveries.insert(key, record)));
    }

    /// Takes how many upgrades of a product have ended in this way.
    pub fn put_ended(&self, account: &str, product: &str, outcome: &str, total: u64) {
        let key = (account.to_owned(), product.to_owned(), outcome.to_owned());
        self.change_ended(key, Some(total));
    }

    /// Forgets how many upgrades have ended: account, product, outcome.
    pub fn remove_ended(&self, key: (String, String, String)) {
        self.change_ended(key, None);
    }

    fn change_ended(&self, key: (String, String, String), total: Option<u64>) {
        put_or_remove(&mut self.0.seldom.lock().ended, key.clone(), total);
        self.change(|pending| {
            pending.ended.insert(key, total);
        });
    }

    /// Takes an upgrade that ended.
    pub fn put_past(&self, upgrade: Arc<PastUpgrade>) {
        self.change(|pending| drop(pending.upgrades.insert(upgrade.key.clone(), upgrade)));
    }

    /// Takes the durations of all upgrades of a product that ended in this way, as JSON.
    pub fn put_durations(&self, product: &str, outcome: &str, durations: String) {
        let key = (product.to_owned(), outcome.to_owned());
        let mut seldom = self.0.seldom.lock();
        seldom.durations.insert(key.clone(), durations.clone());
        drop(seldom);
        self.change(|pending| drop(pending.durations.insert(key, durations)));
    }

    /// Removes upgrades that ended before this time.
    pub fn forget_before(&self, time: Timestamp) {
        self.change(|pending| pending.forget_before = Some(time));
    }

    /// Takes the first sight of an alert by its labels, both as JSON; `None` for one that is over.
    pub fn put_alert(&self, labels: String, sight: Option<String>) {
        let mut seldom = self.0.seldom.lock();
        put_or_remove(&mut seldom.alerts, labels.clone(), sight.clone());
        drop(seldom);
        self.change(|pending| drop(pending.alerts.insert(labels, sight)));
    }

    fn change(&self, change: impl FnOnce(&mut Pending)) {
        change(&mut self.0.pending.lock());
        self.0.changed.notify_one();
    }

    /// Writes changes until `stop` completes, then what is left, for 3 s at most. Each is committed within 1 s
    /// of its coming while the disk is fast.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => {}
            () = self.write_changes() => {}
        }
        if timeout(GRACE, self.write()).await != Ok(true) {
            tracing::error!(
                "The last changes of the state are not stored: the disk fails or does not answer."
            );
        }
    }

    /// Writes changes for ever.
    async fn write_changes(&self) {
        loop {
            self.0.changed.notified().await;
            sleep(GATHER).await;
            while !self.write().await {
                sleep(RETRY).await;
            }
        }
    }

    /// Commits what is pending. Returns whether that went well; else it is pending again.
    async fn write(&self) -> bool {
        let disk = self.clone();
        let mut commit = spawn_blocking(move || disk.commit());
        let written = tokio::select! {
            written = &mut commit => written,
            () = sleep(SLOW) => {
                self.failed(&"the disk does not answer");
                commit.await
            }
        };
        // An error is the end of the runtime.
        written.unwrap_or(false)
    }

    fn commit(&self) -> bool {
        self.commit_with(Self::try_commit)
    }

    fn commit_with(
        &self,
        write: impl FnOnce(&Self, &mut Option<Database>, Batch) -> Result<u64, DiskError>,
    ) -> bool {
        // First: a commit that began later must not be overtaken by one that has older changes.
        let mut database = self.0.database.lock();
        let whole = self.0.taking.write();
        let pending = std::mem::take(&mut *self.0.pending.lock());
        drop(whole);
        let written = catch_unwind(AssertUnwindSafe(|| {
            write(self, &mut database, pending.batch())
        }));
        let failure: Box<dyn Display> = match written {
            Ok(Ok(size)) => {
                self.0.size.store(size, Ordering::Relaxed);
                if self.put_up(true) {
                    tracing::info!(folder = %self.0.folder.display(), "The state is stored again.");
                }
                return true;
            }
            Ok(Err(error)) => Box::new(error),
            Err(_) => Box::new("the commit panicked, which is a bug: please report it"),
        };
        self.0.pending.lock().put_back(pending);
        self.failed(&*failure);
        false
    }

    /// Puts whether the disk works. Returns whether that changed, of which alone receivers learn.
    fn put_up(&self, is_up: bool) -> bool {
        self.0.is_up.send_if_modified(|known| {
            let changed = *known != is_up;
            *known = is_up;
            changed
        })
    }

    fn try_commit(
        &self,
        database: &mut Option<Database>,
        mut batch: Batch,
    ) -> Result<u64, DiskError> {
        let mut known = if let Some(known) = database.take() {
            known
        } else {
            let (known, mut contents) = open(&self.0.folder)?;
            if contents == Contents::default() {
                // The one before was lost or set aside.
                let seldom = Seldom::clone(&self.0.seldom.lock());
                seldom.add_to(&mut batch);
            } else if !self.0.was_open.load(Ordering::Relaxed) {
                load_history(&self.0.seldom.lock().history, &mut contents);
            }
            known
        };
        self.0.was_open.store(true, Ordering::Relaxed);
        // After a failure it is opened anew: the connection may not be usable any more.
        known.write(&batch)?;
        Ok(database.insert(known).size())
    }

    /// Counts a failure of the disk, and logs the first in a row.
    fn failed(&self, error: &dyn Display) {
        self.0.errors.fetch_add(1, Ordering::Relaxed);
        if self.put_up(false) {
            tracing::error!(%error, "The state cannot be stored; it goes on from memory, and is stored when the disk is back.");
        }
    }
}

/// Takes the upgrades of the contents into the history, and logs where some cannot be read.
pub fn load_history(history: &History, contents: &mut Contents) {
    let upgrades = std::mem::take(&mut contents.upgrades);
    history.load(upgrades, contents.upgrades_left_out);
    let count = contents.upgrades_unreadable;
    if count > 0 {
        tracing::warn!(
            count,
            "Stored upgrades cannot be read; the history is without them."
        );
    }
}

/// Opens the database, and logs where a corrupt one was set aside.
fn open(folder: &std::path::Path) -> Result<(Database, Contents), DiskError> {
    let opened = Database::open(folder)?;
    if let Some(file) = &opened.set_aside {
        tracing::error!(file = %file.display(), "The stored state was corrupt: it was set aside, and begins anew.");
    }
    Ok((opened.database, opened.contents))
}

#[cfg(test)]
mod kills;
#[cfg(test)]
mod tests;
