//! Corrupt files.

use std::io::{Seek as _, SeekFrom, Write as _};

use super::super::open::open as open_at;
use super::*;

/// Checks that the file is moved aside with its bytes, and that a new database works.
fn assert_set_aside(folder: &Path) {
    let bytes = fs::read(folder.join(FILE)).unwrap();
    let opened = Database::open(folder).unwrap();
    let moved = opened.set_aside.unwrap();
    assert_eq!(fs::read(&moved).unwrap(), bytes);
    let mut database = opened.database;
    assert_eq!(database.load().unwrap(), Contents::default());
    let batch = records(0..10, 10);
    database.write(&batch).unwrap();
    drop(database);
    assert_eq!(open(folder).load().unwrap(), contents(&[&batch]));
}

fn overwrite(file: &Path, at: u64, bytes: &[u8]) {
    let mut file = fs::File::options().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn sets_garbage_aside() {
    for garbage in [
        &b"xy"[..],
        b"no database\n",
        &vec![0xa5; 100_000],
        &[0; 4096],
    ] {
        let folder = folder();
        fs::write(folder.path().join(FILE), garbage).unwrap();
        assert_set_aside(folder.path());
    }
}

#[test]
fn sets_a_truncated_file_aside() {
    for kept in [10, 100, 4096, 100_000] {
        let folder = folder();
        let file = filled(folder.path());
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_len(kept)
            .unwrap();
        assert_set_aside(folder.path());
    }
}

#[test]
fn sets_a_file_with_garbage_in_the_middle_aside() {
    let folder = folder();
    let file = filled(folder.path());
    let middle = fs::metadata(&file).unwrap().len() / 2;
    overwrite(&file, middle, &[0xa5; 16_384]);
    assert_set_aside(folder.path());
}

#[test]
fn sets_a_database_of_another_program_aside() {
    let folder = folder();
    let other = Connection::open(folder.path().join(FILE)).unwrap();
    other
        .execute_batch("CREATE TABLE a (b); INSERT INTO a VALUES (1)")
        .unwrap();
    drop(other);
    assert_set_aside(folder.path());
}

#[test]
fn sets_a_log_aside_with_its_database() {
    let now = "2026-11-30T03:12:00Z".parse().unwrap();
    let folder = folder();
    let file = folder.path().join(FILE);
    let log = folder.path().join("state.db-wal");
    fs::write(&file, "garbage").unwrap();
    fs::write(&log, "log").unwrap();
    let moved = open_at(folder.path(), now).unwrap().set_aside.unwrap();
    let first = folder.path().join("state.db.corrupt-20261130T031200Z");
    assert_eq!(moved, first);
    let moved_log = folder.path().join("state.db.corrupt-20261130T031200Z-wal");
    assert_eq!(fs::read(&moved_log).unwrap(), b"log");

    // A log without its database; the time is taken already.
    fs::remove_file(&file).unwrap();
    fs::write(&log, "log 2").unwrap();
    let moved = open_at(folder.path(), now).unwrap().set_aside.unwrap();
    assert_eq!(
        moved,
        folder.path().join("state.db.corrupt-20261130T031200Z-2")
    );
    assert_eq!(
        fs::read(aside::with_suffix(&moved, "-wal")).unwrap(),
        b"log 2"
    );
    assert_eq!(fs::read(&first).unwrap(), b"garbage");
    assert_eq!(fs::read(&moved_log).unwrap(), b"log");
}

#[test]
fn a_log_of_a_corrupt_database_keeps_its_bytes() {
    let source = folder();
    let mut database = open(source.path());
    database.write(&records(0..2000, 4000)).unwrap();
    database.write(&records(0..10, 100)).unwrap();
    std::mem::forget(database);
    let folder = folder();
    for name in [FILE, "state.db-wal"] {
        fs::copy(source.path().join(name), folder.path().join(name)).unwrap();
    }
    let file = folder.path().join(FILE);
    overwrite(&file, 4_000_000, &vec![0xa5; 1_000_000]);
    let log = fs::read(folder.path().join("state.db-wal")).unwrap();
    let bytes = fs::read(&file).unwrap();
    let moved = Database::open(folder.path()).unwrap().set_aside.unwrap();
    assert_eq!(fs::read(&moved).unwrap(), bytes);
    assert_eq!(fs::read(aside::with_suffix(&moved, "-wal")).unwrap(), log);
}

#[test]
fn corruption_that_is_found_later_is_an_error() {
    let folder = folder();
    let file = filled(folder.path());
    let mut database = open(folder.path());
    let length = fs::metadata(&file).unwrap().len();
    let pages = usize::try_from(length - 4096).unwrap();
    database
        .connection
        .execute_batch("PRAGMA cache_size = 0; PRAGMA shrink_memory")
        .unwrap();
    overwrite(&file, 4096, &vec![0xa5; pages]);
    let start = format!("{} is corrupt (", file.display());
    let end = "restart the exporter, which moves the file aside and creates a new one";
    for error in [
        database.load().unwrap_err(),
        database.write(&records(0..1000, 1000)).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.starts_with(&start) && text.ends_with(end), "{text}");
    }
    drop(database);
    assert_set_aside(folder.path());
}

#[test]
fn a_record_that_is_no_text_is_corruption() {
    let folder = folder();
    let database = open(folder.path());
    let insert = "INSERT INTO clusters VALUES ('a', 'b', 'c', 'd', CAST(x'ff' AS TEXT))";
    database.connection.execute(insert, []).unwrap();
    let error = database.load().unwrap_err();
    assert!(matches!(error, DiskError::Corrupt { .. }), "{error}");
    drop(database);
    let mut opened = Database::open(folder.path()).unwrap();
    assert!(opened.set_aside.is_some());
    assert_eq!(opened.contents, Contents::default());
    opened.database.write(&records(0..3, 10)).unwrap();
}
