//! Tests of the reader with files that hang.

use std::path::PathBuf;

use super::hang::hang;
use super::*;

const SHORT: Duration = Duration::from_millis(50);

/// A length of time that no test waits for.
const LONG: Duration = Duration::from_secs(20);

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn within(limit: Duration) -> Instant {
    Instant::now() + limit
}

#[test]
fn reads_up_to_the_limit_of_the_kind_and_no_further() {
    let scenario = FileKind {
        noun: "a scenario",
        longest: 16 << 20,
    };
    for (kind, text) in [
        (FileKind::CONFIG, "longer than 1 MiB, so it is not a config"),
        (FileKind::PEM, "longer than 1 MiB, so it is not a PEM file"),
        (
            FileKind::SECRET,
            "longer than 64 KiB, so it is not a secret",
        ),
        (scenario, "longer than 16 MiB, so it is not a scen"),
    ] {
        let longest = usize::try_from(kind.longest).unwrap();
        let (_folder, path) = file(&vec![b'x'; longest]);
        let read = read_blocking(&path, kind, within(LONG)).unwrap();
        assert_eq!(read.bytes.len(), longest);
        std::fs::write(&path, vec![b'x'; longest + 1]).unwrap();
        let error = read_blocking(&path, kind, within(LONG)).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn rejects_whatever_is_no_regular_file() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for path in [folder.path(), &pipe, Path::new("/dev/zero")] {
        let error = read_blocking(path, FileKind::PEM, within(LONG)).unwrap_err();
        assert!(matches!(error, FileError::NotRegular), "{error}");
    }
}

#[test]
fn gives_up_at_the_deadline_and_reads_again_later() {
    let (_folder, path) = file(b"a");
    let hang = hang(&path);
    let error = read_blocking(&path, FileKind::PEM, within(flight::OVERDUE_AFTER)).unwrap_err();
    assert!(matches!(error, FileError::NoAnswer), "{error}");
    hang.until_stuck();
    // A stuck read is neither waited for nor repeated.
    let begun = Instant::now();
    let error = read_blocking(&path, FileKind::PEM, within(LONG)).unwrap_err();
    assert!(matches!(error, FileError::NoAnswer), "{error}");
    assert!(begun.elapsed() < LONG / 2);
    assert_eq!(hang.stuck(), 1);
    drop(hang);
    while read_blocking(&path, FileKind::PEM, within(LONG)).is_err() {
        assert!(begun.elapsed() < LONG, "it never recovers");
    }
}

#[tokio::test]
async fn a_caller_with_little_time_makes_no_other_give_up() {
    let (_folder, path) = file(b"a");
    let hang = hang(&path);
    let error = read(&path, FileKind::PEM, within(SHORT)).await.unwrap_err();
    assert!(matches!(error, FileError::NoAnswer), "{error}");
    let patient = read(&path, FileKind::PEM, within(LONG));
    let release = async {
        tokio::time::sleep(SHORT).await;
        drop(hang);
    };
    let (outcome, ()) = tokio::join!(patient, release);
    assert_eq!(outcome.unwrap().bytes, b"a");
}

#[test]
fn one_file_that_hangs_leaves_no_time_for_the_next() {
    let (_folder, path) = file(b"a");
    let hang = hang(&path);
    let deadline = within(SHORT);
    assert!(read_blocking(&path, FileKind::PEM, deadline).is_err());
    let (_other, other) = file(b"b");
    let error = read_blocking(&other, FileKind::PEM, deadline).unwrap_err();
    assert!(matches!(error, FileError::OutOfTime), "{error}");
    assert!(read_blocking(&other, FileKind::PEM, within(LONG)).is_ok());
    drop(hang);
}

#[tokio::test]
async fn tasks_that_read_one_file_share_one_thread() {
    let (_folder, path) = file(b"a");
    let hang = hang(&path);
    let reads = (0..50).map(|_| read(&path, FileKind::PEM, within(SHORT)));
    for outcome in futures_util::future::join_all(reads).await {
        assert!(matches!(outcome, Err(FileError::NoAnswer)), "{outcome:?}");
    }
    hang.until_stuck();
    assert_eq!(hang.stuck(), 1);
    let shared = [
        read(&path, FileKind::SECRET, within(LONG)),
        read(&path, FileKind::SECRET, within(LONG)),
    ];
    let release = async {
        tokio::time::sleep(SHORT).await;
        drop(hang);
    };
    let (outcomes, ()) = tokio::join!(futures_util::future::join_all(shared), release);
    for outcome in outcomes {
        assert_eq!(outcome.unwrap().bytes, b"a");
    }
}

#[test]
fn debug_omits_the_bytes() {
    let (_folder, path) = file(b"hunter2");
    let read = read_blocking(&path, FileKind::SECRET, within(LONG)).unwrap();
    assert!(!format!("{read:?}").contains("hunter2"));
}
