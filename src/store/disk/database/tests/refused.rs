//! Databases that another process or version has, and paths that cannot be used.

use super::*;

#[test]
fn a_second_process_does_not_get_the_database() {
    let folder = folder();
    let mut first = open(folder.path());
    let start = std::time::SystemTime::now();
    let error = Database::open(folder.path()).unwrap_err();
    assert!(start.elapsed().unwrap().as_secs() < 2);
    assert!(matches!(error, DiskError::Locked { .. }), "{error}");
    let want = format!(
        "another process uses {}: stop that process, or name another folder with --storage.path",
        folder.path().join(FILE).display()
    );
    assert_eq!(error.to_string(), want);
    first.write(&records(0..1, 10)).unwrap();
    // The refused one did not loosen the lock.
    Database::open(folder.path()).unwrap_err();
    drop(first);
    assert_eq!(open(folder.path()).load().unwrap().clusters.len(), 1);
}

#[test]
fn a_file_of_a_newer_version_stays_untouched() {
    let source = folder();
    let file = filled(source.path());
    let newer = Connection::open(&file).unwrap();
    newer
        .pragma_update(
            None,
            "user_version",
            i64::try_from(MIGRATIONS.len() + 1).unwrap(),
        )
        .unwrap();
    drop(newer);
    assert_newer(source.path());

    // The program was killed, so that its log is there.
    let newer = Connection::open(&file).unwrap();
    newer
        .execute_batch("CREATE TABLE later (a); INSERT INTO later VALUES (1)")
        .unwrap();
    let killed = folder();
    for name in [FILE, "state.db-wal"] {
        fs::copy(source.path().join(name), killed.path().join(name)).unwrap();
    }
    assert!(
        fs::metadata(killed.path().join("state.db-wal"))
            .unwrap()
            .len()
            > 0
    );
    assert_newer(killed.path());
}

fn assert_newer(folder: &Path) {
    let read = || -> (Vec<u8>, Vec<u8>) {
        let log = fs::read(folder.join("state.db-wal")).unwrap_or_default();
        (fs::read(folder.join(FILE)).unwrap(), log)
    };
    let before = read();
    let error = Database::open(folder).unwrap_err();
    let known = MIGRATIONS.len();
    let is_newer = matches!(
        error,
        DiskError::Newer { found, known: of, .. } if (found, of) == (known + 1, known)
    );
    assert!(is_newer, "{error}");
    let told = format!(
        "state.db has version {} of the tables, and this program knows versions up to {known}: run the newer \
         program, or name another folder with --storage.path",
        known + 1
    );
    assert!(error.to_string().ends_with(&told), "{error}");
    assert!(read() == before);
}

#[test]
fn says_which_path_cannot_be_used() {
    let folder = folder();
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    let within = plain.join("folder");
    for (path, reason) in [(&plain, "File exists"), (&within, "Not a directory")] {
        let error = Database::open(path).unwrap_err().to_string();
        let start = format!("cannot create the folder {}: {reason} ", path.display());
        assert!(error.starts_with(&start), "{error}");
        assert!(
            error.ends_with(": name a folder with --storage.path"),
            "{error}"
        );
    }

    let file = folder.path().join(FILE);
    fs::create_dir(&file).unwrap();
    let error = Database::open(folder.path()).unwrap_err().to_string();
    let start = format!("cannot open {}: ", file.display());
    assert!(error.starts_with(&start), "{error}");
    let end = ": make it a regular file in a folder, and let this user write to both";
    assert!(error.ends_with(end), "{error}");
}
