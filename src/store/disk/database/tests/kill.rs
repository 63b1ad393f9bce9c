//! Processes that end without closing the database, and batches that fail.

use super::*;

/// Returns the files as they are on the disk while a process holds them.
fn copy(from: &Path) -> TempDir {
    let to = folder();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

#[test]
fn a_kill_loses_no_committed_batch() {
    let folder = folder();
    let mut database = open(folder.path());
    let (first, second) = (records(0..1000, 300), records(500..1500, 300));
    database.write(&first).unwrap();
    database.write(&second).unwrap();
    std::mem::forget(database);

    let killed = copy(folder.path());
    assert!(killed.path().join("state.db-wal").exists());
    let mut database = open(killed.path());
    let want = contents(&[&first, &second]);
    assert_eq!(want.clusters.len(), 1500);
    assert_eq!(database.load().unwrap(), want);
    database.write(&records(0..1, 300)).unwrap();
}

#[test]
fn a_kill_in_a_commit_leaves_the_whole_batch_out() {
    let folder = folder();
    let mut database = open(folder.path());
    let first = records(0..100, 1000);
    database.write(&first).unwrap();
    let committed = fs::metadata(folder.path().join("state.db-wal"))
        .unwrap()
        .len();
    database.write(&records(50..200, 1001)).unwrap();
    std::mem::forget(database);

    let killed = copy(folder.path());
    let log = killed.path().join("state.db-wal");
    let whole = fs::metadata(&log).unwrap().len();
    for length in [
        whole - 1,
        committed + (whole - committed) / 2,
        committed + 1,
    ] {
        fs::File::options()
            .write(true)
            .open(&log)
            .unwrap()
            .set_len(length)
            .unwrap();
        let cut = copy(killed.path());
        assert_eq!(
            open(cut.path()).load().unwrap(),
            contents(&[&first]),
            "{length}"
        );
    }
}

#[test]
fn a_full_disk_takes_nothing_of_a_batch() {
    let folder = folder();
    let mut database = open(folder.path());
    let mut first = records(0..3, 10);
    first.ended.insert(ended("failed"), Some(1));
    database.write(&first).unwrap();

    let limit = |database: &Database, pages: i64| {
        let connection = &database.connection;
        connection
            .pragma_update(None, "max_page_count", pages)
            .unwrap();
    };
    limit(&database, 1);
    let mut second = records(0..1, 11);
    second.clusters.insert(key("1"), Some("x".repeat(1 << 20)));
    second.ended.insert(ended("failed"), Some(2));
    let error = database.write(&second).unwrap_err().to_string();
    let path = folder.path().join(FILE);
    let start = format!(
        "cannot write to {}: database or disk is full: free",
        path.display()
    );
    assert!(error.starts_with(&start), "{error}");
    assert_eq!(database.load().unwrap(), contents(&[&first]));

    limit(&database, 1 << 30);
    database.write(&second).unwrap();
    let want = contents(&[&first, &second]);
    assert_eq!(database.load().unwrap(), want);
    drop(database);
    assert_eq!(open(folder.path()).load().unwrap(), want);
}

#[test]
fn an_error_in_the_middle_takes_nothing_of_a_batch() {
    let folder = folder();
    let mut database = open(folder.path());
    let first = records(0..3, 10);
    database.write(&first).unwrap();
    // Unlike a full disk, this leaves the transaction open.
    let refuse = "CREATE TEMP TRIGGER refuse BEFORE INSERT ON clusters WHEN NEW.id = '1' \
                  BEGIN SELECT RAISE(ABORT, 'refused'); END";
    database.connection.execute_batch(refuse).unwrap();
    let second = records(0..3, 11);
    let error = database.write(&second).unwrap_err().to_string();
    assert!(error.contains(": refused: "), "{error}");
    assert_eq!(database.load().unwrap(), contents(&[&first]));

    let allow = "DROP TRIGGER refuse";
    database.connection.execute_batch(allow).unwrap();
    database.write(&second).unwrap();
    assert_eq!(database.load().unwrap(), contents(&[&second]));
}
