use std::path::Path;

use jiff::SignedDuration;
use rusqlite::Connection;
use tempfile::tempdir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::expose::check::cluster;
use crate::model::{ClusterState, Memory};

fn key(id: &str) -> StoredKey {
    StoredKey {
        account: "kr".to_owned(),
        product: "ses".to_owned(),
        location: "public/KR".to_owned(),
        id: id.to_owned(),
    }
}

fn known(state: Arc<ClusterState>, memory: Memory) -> Known {
    Known {
        state,
        memory: Arc::new(memory),
        clock_step: SignedDuration::ZERO,
        is_named: false,
    }
}

fn put(disk: &Disk, id: &str) {
    let state = Arc::new(cluster(id));
    disk.put(key(id), known(state, Memory::default()));
}

/// Starts the writer; it ends when the sender is dropped.
fn start(disk: &Disk) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let running = disk.clone().run(async move { drop(stopped.await) });
    (stop, tokio::spawn(running))
}

async fn end((stop, running): (oneshot::Sender<()>, JoinHandle<()>)) {
    drop(stop);
    running.await.unwrap();
}

/// Returns the ids that are stored; the disk must have been let go.
fn ids(folder: &Path) -> Vec<String> {
    let contents = Database::open(folder).unwrap().database.load().unwrap();
    contents.clusters.into_keys().map(|key| key.id).collect()
}

#[tokio::test]
async fn changes_are_committed_and_come_back() {
    let folder = tempdir().unwrap();
    let (disk, contents) = Disk::open(folder.path().to_owned(), History::default()).await;
    assert_eq!(contents, Contents::default());
    let running = start(&disk);
    for id in ["1", "2", "3"] {
        put(&disk, id);
    }
    disk.remove(key("2"));
    disk.put_ended("kr", "ses", "failed", 3);
    end(running).await;
    let size = disk.0.size.load(Ordering::Relaxed);
    assert!(size > 0);
    drop(disk);
    let (_, contents) = Disk::open(folder.path().to_owned(), History::default()).await;
    let ids: Vec<_> = contents.clusters.keys().map(|key| &*key.id).collect();
    assert_eq!(ids, ["1", "3"]);
    assert_eq!(contents.ended.into_values().collect::<Vec<_>>(), [3]);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_written_when_the_disk_is_back() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("state");
    // No folder can be made where a file stands.
    std::fs::write(&path, "").unwrap();
    let (disk, _) = Disk::open(path.clone(), History::default()).await;
    let is_up = || *disk.0.is_up.borrow();
    let running = start(&disk);
    put(&disk, "1");
    sleep(RETRY * 3).await;
    assert!(!is_up() && disk.0.errors.load(Ordering::Relaxed) > 2);
    put(&disk, "2");
    std::fs::remove_file(&path).unwrap();
    sleep(RETRY * 2).await;
    assert!(is_up());
    end(running).await;
    drop(disk);
    assert_eq!(ids(&path), ["1", "2"]);
}

#[tokio::test]
async fn a_newer_change_is_not_put_back() {
    let folder = tempdir().unwrap();
    let (disk, _) = Disk::open(folder.path().to_owned(), History::default()).await;
    disk.put_ended("kr", "ses", "failed", 1);
    put(&disk, "1");
    let earlier = std::mem::take(&mut *disk.0.pending.lock());
    disk.put_ended("kr", "ses", "failed", 2);
    disk.remove(key("1"));
    let mut pending = disk.0.pending.lock();
    pending.put_back(earlier);
    assert!(pending.clusters.values().all(Option::is_none));
    assert_eq!(pending.ended.values().collect::<Vec<_>>(), [&Some(2)]);
}

/// A disk that hangs: somebody holds the database for ever.
#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_counts_as_failed_and_keeps_no_end() {
    let folder = tempdir().unwrap();
    let (disk, _) = Disk::open(folder.path().to_owned(), History::default()).await;
    let (held, release) = std::sync::mpsc::channel::<()>();
    let (locked, is_locked) = oneshot::channel();
    let other = disk.clone();
    let holder = std::thread::spawn(move || {
        let _database = other.0.database.lock();
        locked.send(()).unwrap();
        release.recv().ok();
    });
    is_locked.await.unwrap();
    let running = start(&disk);
    put(&disk, "1");
    // Time stands still while a thread commits: it is moved by hand.
    for _ in 0..30 {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    assert!(!*disk.0.is_up.borrow());
    let (stop, running) = running;
    drop(stop);
    for _ in 0..5 {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    running.await.unwrap();
    drop(held);
    holder.join().unwrap();
}

#[tokio::test]
async fn a_database_that_is_opened_anew_gets_what_is_seldom_told() {
    let folder = tempdir().unwrap();
    let (disk, _) = Disk::open(folder.path().to_owned(), History::default()).await;
    for (labels, sight) in [("a", Some("1")), ("b", Some("2")), ("b", None)] {
        disk.put_alert(labels.to_owned(), sight.map(str::to_owned));
    }
    disk.put_ended("kr", "ses", "failed", 3);
    let discovery = StoredDiscovery {
        account: "kr".to_owned(),
        product: "ses".to_owned(),
        location: "public/KR".to_owned(),
    };
    disk.put_discovery(discovery.clone(), Some("c".to_owned()));
    assert!(disk.write().await);
    // The file is gone, as after one that was set aside.
    *disk.0.database.lock() = None;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    put(&disk, "1");
    assert!(disk.write().await);
    drop(disk);
    let (_, contents) = Disk::open(folder.path().to_owned(), History::default()).await;
    assert_eq!(contents.alerts, [("a".to_owned(), "1".to_owned())].into());
    assert_eq!(contents.discoveries, [(discovery, "c".to_owned())].into());
    assert_eq!(contents.ended.into_values().collect::<Vec<_>>(), [3]);
    assert_eq!(contents.clusters.len(), 1);
}

#[tokio::test]
async fn changes_of_a_commit_that_panics_stay_pending() {
    let folder = tempdir().unwrap();
    let (disk, _) = Disk::open(folder.path().to_owned(), History::default()).await;
    put(&disk, "1");
    assert!(!disk.commit_with(|_, _, _| panic!("a bug")));
    assert!(!*disk.0.is_up.borrow());
    assert_eq!(disk.0.errors.load(Ordering::Relaxed), 1);
    assert!(disk.write().await);
    assert!(*disk.0.is_up.borrow());
    drop(disk);
    assert_eq!(ids(folder.path()), ["1"]);
}

#[tokio::test]
async fn changes_that_belong_together_are_in_one_commit() {
    let folder = tempdir().unwrap();
    let (disk, _) = Disk::open(folder.path().to_owned(), History::default()).await;
    let held = disk.hold();
    disk.put_ended("kr", "ses", "failed", 1);
    let other = disk.clone();
    let commit = std::thread::spawn(move || other.commit());
    std::thread::sleep(Duration::from_millis(100));
    let is_early = commit.is_finished();
    put(&disk, "1");
    drop(held);
    assert!(commit.join().unwrap() && !is_early);
    drop(disk);
    let contents = Database::open(folder.path()).unwrap().contents;
    assert_eq!((contents.ended.len(), contents.clusters.len()), (1, 1));
}

/// Returns the state and the memory of a cluster after a good poll at a time.
fn polled(seconds: i64) -> (ClusterState, Memory) {
    let at = Timestamp::from_second(seconds).unwrap();
    let state = ClusterState {
        last_success: at,
        ..cluster("1")
    };
    let memory = Memory {
        last_success: Some(at),
        ..Memory::default()
    };
    (state, memory)
}

#[tokio::test]
async fn a_poll_that_changes_nothing_writes_no_record() {
    let folder = tempdir().unwrap();
    let (disk, _) = Disk::open(folder.path().to_owned(), History::default()).await;
    let put = |(state, memory): (ClusterState, Memory)| {
        disk.put(key("1"), known(Arc::new(state), memory));
        disk.0.pending.lock().batch()
    };
    assert_eq!(put(polled(10)).clusters.len(), 1);
    // It waits for its commit, and gets the newest.
    let batch = put(polled(20));
    assert_eq!((batch.clusters.len(), batch.polls.len()), (1, 0));
    assert!(disk.write().await);
    let batch = put(polled(30));
    assert_eq!((batch.clusters.len(), batch.polls.len()), (0, 1));
    assert!(disk.write().await);
    let stored = || disk.0.database.lock().as_ref().unwrap().load().unwrap();
    let at = |contents: &Contents| {
        let record = &contents.clusters[&key("1")];
        let polled = contents.polls.get(&key("1")).copied();
        let record = record::ClusterRecord::read(record, polled).unwrap();
        let mut state = cluster("1");
        let memory = record.restore(&mut state, &[]);
        assert_eq!(memory.last_success, Some(state.last_success));
        state.last_success.as_second()
    };
    assert_eq!(at(&stored()), 30);

    let (mut state, memory) = polled(40);
    state.version = "3.0".into();
    assert_eq!(put((state.clone(), memory.clone())).polls.len(), 0);
    assert!(disk.write().await);
    assert_eq!((at(&stored()), stored().polls.len()), (40, 0));

    // A failed poll leaves the last good one.
    state.last_error = Some(crate::model::LastError::new(
        crate::model::Reason::Timeout,
        "late".to_owned(),
        Timestamp::from_second(50).unwrap(),
    ));
    let batch = put((state, memory));
    assert_eq!((batch.clusters.len(), batch.polls.len()), (1, 0));
    disk.remove(key("1"));
    assert!(disk.write().await);
    assert_eq!(stored(), Contents::default());
}

#[tokio::test]
async fn a_database_that_is_opened_anew_gets_every_record() {
    let folder = tempdir().unwrap();
    let (disk, _) = Disk::open(folder.path().to_owned(), History::default()).await;
    for (id, seconds) in [("1", 10), ("1", 20), ("2", 20)] {
        let (state, memory) = polled(seconds);
        disk.put(key(id), known(Arc::new(state), memory));
        assert!(disk.write().await);
    }
    *disk.0.database.lock() = None;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let (state, memory) = polled(30);
    disk.put(key("1"), known(Arc::new(state), memory));
    assert!(disk.write().await);
    drop(disk);
    assert_eq!(ids(folder.path()), ["1", "2"]);
}

#[tokio::test]
async fn after_a_failure_only_what_is_pending_is_written() {
    let folder = tempdir().unwrap();
    let (disk, _) = Disk::open(folder.path().to_owned(), History::default()).await;
    for id in ["1", "2"] {
        put(&disk, id);
    }
    assert!(disk.write().await);
    // As after a write that failed.
    *disk.0.database.lock() = None;
    let removed = Connection::open(folder.path().join("state.db")).unwrap();
    removed
        .execute("DELETE FROM clusters WHERE id = '1'", [])
        .unwrap();
    drop(removed);
    put(&disk, "3");
    disk.put_ended("kr", "ses", "failed", 1);
    assert!(disk.write().await);
    drop(disk);
    assert_eq!(ids(folder.path()), ["2", "3"]);
}
