//! Tests of the database, on real files.

mod faults;
mod history;
mod kill;
mod model;
mod refused;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use super::schema::{self, MIGRATIONS, Owner};
use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Opens a database that is sound or new.
fn open(folder: &Path) -> Database {
    let opened = Database::open(folder).unwrap();
    assert_eq!(opened.set_aside, None);
    opened.database
}

fn key(id: &str) -> StoredKey {
    StoredKey {
        account: "prod".to_owned(),
        product: "search".to_owned(),
        location: "KR".to_owned(),
        id: id.to_owned(),
    }
}

/// Returns a batch with records of these ids.
fn records(ids: std::ops::Range<u32>, length: usize) -> Batch {
    let record = |id: u32| Some(format!("{id:0length$}"));
    let clusters = ids.map(|id| (key(&id.to_string()), record(id)));
    Batch {
        clusters: clusters.collect(),
        ..Batch::default()
    }
}

/// Fills a database and closes it; returns the path of its file.
fn filled(folder: &Path) -> PathBuf {
    open(folder).write(&records(0..500, 2000)).unwrap();
    folder.join(FILE)
}

fn ended(outcome: &str) -> (String, String, String) {
    ("prod".to_owned(), "search".to_owned(), outcome.to_owned())
}

/// Applies a batch to a plain map.
fn apply(contents: &mut Contents, batch: &Batch) {
    for (key, record) in &batch.clusters {
        match record {
            Some(record) => contents.clusters.insert(key.clone(), record.clone()),
            None => contents.clusters.remove(key),
        };
        contents.polls.remove(key);
    }
    contents.polls.extend(batch.polls.clone());
    for (key, record) in &batch.discoveries {
        match record {
            Some(record) => contents.discoveries.insert(key.clone(), record.clone()),
            None => contents.discoveries.remove(key),
        };
    }
    for (key, total) in &batch.ended {
        match total {
            Some(total) => contents.ended.insert(key.clone(), *total),
            None => contents.ended.remove(key),
        };
    }
    for (labels, sight) in &batch.alerts {
        match sight {
            Some(sight) => contents.alerts.insert(labels.clone(), sight.clone()),
            None => contents.alerts.remove(labels),
        };
    }
    contents.durations.extend(batch.durations.clone());
}

fn contents(batches: &[&Batch]) -> Contents {
    let mut all = Contents::default();
    for batch in batches {
        apply(&mut all, batch);
    }
    all
}

#[test]
fn returns_after_a_restart_what_was_written() {
    let folder = folder();
    let mut database = open(folder.path());
    assert_eq!(database.load().unwrap(), Contents::default());
    let mut first = records(0..3, 10);
    first.ended = BTreeMap::from([(ended("succeeded"), Some(3)), (ended("failed"), Some(1))]);
    first.alerts = ["a", "b", "c"]
        .map(|l| (l.to_owned(), Some("0".to_owned())))
        .into();
    database.write(&first).unwrap();
    let mut second = Batch::default();
    second.clusters.insert(key("1"), None);
    second.clusters.insert(key("2"), Some("{}".to_owned()));
    second.clusters.insert(key("unknown"), None);
    second.ended.insert(ended("failed"), Some(2));
    second.ended.insert(ended("succeeded"), None);
    for (labels, sight) in [("a", Some("1")), ("b", None)] {
        let sight = sight.map(str::to_owned);
        second.alerts.insert(labels.to_owned(), sight);
    }
    database.write(&second).unwrap();

    let want = contents(&[&first, &second]);
    assert_eq!(want.clusters.len(), 2);
    assert_eq!(database.load().unwrap(), want);
    drop(database);
    assert_eq!(open(folder.path()).load().unwrap(), want);
}

#[test]
fn keeps_clusters_apart_by_every_part_of_the_key() {
    let folder = folder();
    let mut database = open(folder.path());
    let mut batch = Batch::default();
    let parts: [fn(&mut StoredKey) -> &mut String; 4] = [
        |key| &mut key.account,
        |key| &mut key.product,
        |key| &mut key.location,
        |key| &mut key.id,
    ];
    for (number, part) in parts.into_iter().enumerate() {
        let mut key = key("a");
        *part(&mut key) = "other".to_owned();
        batch.clusters.insert(key, Some(number.to_string()));
    }
    database.write(&batch).unwrap();
    let loaded = database.load().unwrap();
    assert_eq!(loaded.clusters.len(), 4);
    assert_eq!(loaded, contents(&[&batch]));
}

#[test]
fn writes_a_batch_twice_as_once() {
    let folder = folder();
    let mut database = open(folder.path());
    let mut batch = records(0..5, 10);
    batch.ended.insert(ended("failed"), Some(7));
    database.write(&batch).unwrap();
    database.write(&batch).unwrap();
    assert_eq!(database.load().unwrap(), contents(&[&batch]));
}

#[test]
fn syncs_every_commit_of_its_write_ahead_log() {
    let folder = folder();
    let database = open(folder.path());
    let text = |name: &str| -> String {
        let value = database.connection.pragma_query_value(None, name, |row| {
            let value: rusqlite::types::Value = row.get(0)?;
            Ok(format!("{value:?}"))
        });
        value.unwrap()
    };
    assert_eq!(text("journal_mode"), "Text(\"wal\")");
    assert_eq!(text("locking_mode"), "Text(\"exclusive\")");
    // FULL.
    assert_eq!(text("synchronous"), "Integer(2)");
    assert_eq!(text("wal_autocheckpoint"), "Integer(1000)");
    assert_eq!(text("journal_size_limit"), "Integer(4194304)");
    assert_eq!(text("busy_timeout"), "Integer(0)");
}

#[test]
fn only_its_user_can_read_folder_and_files() {
    let parent = folder();
    let folder = parent.path().join("a/b");
    let mut database = open(&folder);
    database.write(&records(0..1, 10)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join(FILE)), 0o600);
    assert_eq!(mode(&folder.join("state.db-wal")), 0o600);
}

#[test]
fn size_has_the_write_ahead_log() {
    let folder = folder();
    let mut database = open(folder.path());
    let empty = database.size();
    database.write(&records(0..100, 1000)).unwrap();
    let filled = database.size();
    assert!(filled >= empty + 100_000, "{empty} {filled}");
    let log = fs::metadata(folder.path().join("state.db-wal")).unwrap();
    assert!(log.len() >= 100_000, "{}", log.len());
    drop(database);
    let file = fs::metadata(folder.path().join(FILE)).unwrap();
    assert_eq!(open(folder.path()).size(), file.len());
}

#[test]
fn write_ahead_log_does_not_grow_for_ever() {
    let folder = folder();
    let mut database = open(folder.path());
    for _ in 0..10 {
        database.write(&records(0..1000, 4000)).unwrap();
    }
    let log = fs::metadata(folder.path().join("state.db-wal")).unwrap();
    assert!(log.len() < 10 << 20, "{}", log.len());
    assert_eq!(database.load().unwrap().clusters.len(), 1000);
}

#[test]
fn migrates_an_empty_file_step_by_step() {
    let mut connection = Connection::open_in_memory().unwrap();
    assert_eq!(schema::owner(&connection).unwrap(), Owner::None);
    schema::migrate(&mut connection, MIGRATIONS, 0).unwrap();
    let own = MIGRATIONS.len();
    assert_eq!(schema::owner(&connection).unwrap(), Owner::Own(own));

    let mut later = MIGRATIONS.to_vec();
    later.push("ALTER TABLE ended ADD COLUMN last TEXT");
    schema::migrate(&mut connection, &later, own).unwrap();
    assert_eq!(schema::owner(&connection).unwrap(), Owner::Own(own + 1));
    connection.prepare("SELECT last FROM ended").unwrap();

    later.push("CREATE TABLE a (b); CREATE TABLE a (b)");
    schema::migrate(&mut connection, &later, own + 1).unwrap_err();
    assert_eq!(schema::owner(&connection).unwrap(), Owner::Own(own + 1));
    connection.prepare("SELECT b FROM a").unwrap_err();
}

#[test]
fn opens_an_empty_file() {
    let folder = folder();
    fs::write(folder.path().join(FILE), "").unwrap();
    open(folder.path()).write(&records(0..1, 10)).unwrap();
    assert_eq!(open(folder.path()).load().unwrap().clusters.len(), 1);
}
