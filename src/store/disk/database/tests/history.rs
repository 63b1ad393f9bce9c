//! Tests of the history's tables.

use jiff::Timestamp;

use super::super::read_history;
use super::*;
use crate::store::history::tests::past;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// Returns a batch with upgrades of one node: cluster, first seen, ended.
fn upgrades(all: &[(&str, i64, i64)]) -> Batch {
    let all = all.iter().map(|(id, first_seen, ended)| {
        let past = past(id, *first_seen, *ended, 1);
        (past.key.clone(), Arc::new(past))
    });
    Batch {
        upgrades: all.collect(),
        ..Batch::default()
    }
}

fn ends(upgrades: &[PastUpgrade]) -> Vec<i64> {
    let ends = upgrades.iter().map(|past| past.ended.as_second());
    ends.collect()
}

fn read(folder: &Path) -> Result<Vec<i64>, DiskError> {
    let mut records = Vec::new();
    read_history(folder, |record| {
        records.push(serde_json::from_str(&record).unwrap());
    })?;
    Ok(ends(&records))
}

#[test]
fn upgrades_come_back_newest_first_and_old_ones_leave() {
    let folder = folder();
    let mut database = open(folder.path());
    let batch = upgrades(&[("a", 1, 50), ("b", 1, 70), ("c", 1, 60)]);
    database.write(&batch).unwrap();
    // Another end of an upgrade takes the place of the first.
    database.write(&upgrades(&[("a", 1, 65)])).unwrap();
    drop(database);
    let mut database = open(folder.path());
    assert_eq!(ends(&database.load().unwrap().upgrades), [70, 65, 60]);
    let batch = Batch {
        forget_before: Some(at(65)),
        ..upgrades(&[("d", 1, 10), ("e", 1, 80)])
    };
    database.write(&batch).unwrap();
    assert_eq!(ends(&database.load().unwrap().upgrades), [80, 70, 65]);
}

#[test]
fn the_history_is_read_without_a_change() {
    let folder = folder();
    let mut database = open(folder.path());
    let batch = upgrades(&[("a", 1, 50), ("b", 1, 70)]);
    database.write(&batch).unwrap();
    let locked = read(folder.path());
    assert!(
        matches!(locked, Err(DiskError::Locked { .. })),
        "{locked:?}"
    );
    drop(database);
    let file = folder.path().join(FILE);
    let before = fs::read(&file).unwrap();
    assert_eq!(read(folder.path()).unwrap(), [70, 50]);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_folder_without_a_database_stays_empty() {
    let folder = folder();
    let missing = read(folder.path());
    assert!(matches!(missing, Err(DiskError::Io { .. })), "{missing:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_corrupt_file_is_not_set_aside_by_a_reader() {
    let folder = folder();
    let file = folder.path().join(FILE);
    fs::write(&file, "no database".repeat(1000)).unwrap();
    let corrupt = read(folder.path());
    assert!(
        matches!(corrupt, Err(DiskError::Corrupt { .. })),
        "{corrupt:?}"
    );
    assert!(file.exists());
}

#[test]
fn a_reader_keeps_a_log_that_lost_its_database() {
    let folder = folder();
    let (file, log) = (folder.path().join(FILE), folder.path().join("state.db-wal"));
    fs::write(&file, "").unwrap();
    fs::write(&log, "changes").unwrap();
    let corrupt = read(folder.path());
    assert!(
        matches!(corrupt, Err(DiskError::Corrupt { .. })),
        "{corrupt:?}"
    );
    assert_eq!(fs::read_to_string(&log).unwrap(), "changes");
}

#[test]
fn a_database_of_the_version_before_gets_a_history() {
    let folder = folder();
    let file = folder.path().join(FILE);
    let mut connection = Connection::open(&file).unwrap();
    schema::migrate(&mut connection, &MIGRATIONS[..1], 0).unwrap();
    drop(connection);
    assert_eq!(read(folder.path()).unwrap(), [0; 0]);
    let mut database = open(folder.path());
    database.write(&upgrades(&[("a", 1, 50)])).unwrap();
    assert_eq!(ends(&database.load().unwrap().upgrades), [50]);
}

#[test]
fn the_newest_are_loaded_as_many_as_the_memory_takes() {
    let folder = folder();
    let mut database = open(folder.path());
    let half = crate::store::history::MOST_ITEMS / 2 - 1;
    let all = [("a", 50), ("b", 70), ("c", 60)].map(|(id, ended)| {
        let past = past(id, 1, ended, half);
        (past.key.clone(), Arc::new(past))
    });
    database
        .write(&Batch {
            upgrades: all.into(),
            ..Batch::default()
        })
        .unwrap();
    let broken = "UPDATE upgrades SET record = '{}' WHERE ended = 70000000";
    assert_eq!(database.connection.execute(broken, []).unwrap(), 1);
    let contents = database.load().unwrap();
    assert_eq!(ends(&contents.upgrades), [60, 50]);
    assert_eq!(
        (contents.upgrades_left_out, contents.upgrades_unreadable),
        (0, 1)
    );
    database.write(&upgrades(&[("d", 1, 80)])).unwrap();
    let contents = database.load().unwrap();
    assert_eq!(ends(&contents.upgrades), [80, 60]);
    assert_eq!(contents.upgrades_left_out, 1);
}
