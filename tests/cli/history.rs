//! `history`: its flags, and what it says where there is no history.

use rolling_upgrade_exporter::store::disk::database::Database;

use super::*;

#[test]
fn exactly_one_source_is_required() {
    for (args, part) in [
        (&["history"][..], "<--storage.path <DIR>|--url <URL>>"),
        (
            &[
                "history",
                "--storage.path=state",
                "--url=http://127.0.0.1:9",
            ],
            "cannot be used with",
        ),
        (
            &["history", "--storage.path=state", "--ca-file=ca.pem"],
            "cannot be used with '--ca-file <FILE>'",
        ),
        (
            &["history", "--url=http://127.0.0.1:9", "--limit=0"],
            "a number from 1 to 10000 is needed",
        ),
        (
            &["history", "--url=http://127.0.0.1:9", "--outcome=running"],
            "[possible values: succeeded, failed, partially_failed, cancelled]",
        ),
        (
            &["history", "--url=http://127.0.0.1:9", "--product=rds"],
            "possible values: ",
        ),
    ] {
        let out = run(args);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {out:?}");
        assert!(text(&out.stderr).contains(part), "{args:?}: {out:?}");
        assert_eq!(text(&out.stdout), "");
    }
}

#[test]
fn a_storage_without_upgrades_is_no_error() {
    let folder = TempDir::new().unwrap();
    drop(Database::open(folder.path()).unwrap());
    let storage = format!("--storage.path={}", folder.path().display());
    let out = run(&["history", &storage]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert_eq!(text(&out.stdout), "No upgrade has ended yet.\n");
    assert_eq!(text(&out.stderr), "");
    let out = run(&["history", &storage, "--output=json"]);
    let document: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(document["upgrades"], serde_json::json!([]));
}

#[test]
fn a_storage_that_is_missing_is_an_error_and_stays_missing() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("state");
    let out = run(&["history", &format!("--storage.path={}", missing.display())]);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let error = text(&out.stderr);
    assert!(error.starts_with("rolling-upgrade-exporter: "), "{error}");
    assert!(
        error.contains("name the folder that `serve` has"),
        "{error}"
    );
    assert!(!missing.exists());
}

#[test]
fn an_exporter_that_does_not_answer_is_an_error() {
    let out = run(&["history", "--url=http://127.0.0.1:9"]);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert!(text(&out.stderr).contains("cannot be reached"), "{out:?}");
}

#[test]
fn a_reader_that_is_gone_is_no_error() {
    let folder = TempDir::new().unwrap();
    drop(Database::open(folder.path()).unwrap());
    let mut child = program()
        .arg("history")
        .arg(format!("--storage.path={}", folder.path().display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!(text(&out.stderr), "");
    assert_eq!(out.status.code(), Some(0));
}
