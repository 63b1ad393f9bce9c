use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

const TWO: &[Asset] = &[
    Asset {
        path: "deep/down/one.yml",
        bytes: b"one: 1\n",
    },
    Asset {
        path: "two.json",
        bytes: b"{}\n",
    },
];

/// The lines without the folder that they were made in.
fn lines(to: &Path, force: bool) -> Result<Vec<String>, String> {
    let folder = format!("{}/", to.display());
    match export(TWO, to, force) {
        Ok(lines) => Ok(lines.iter().map(|l| l.replace(&folder, "")).collect()),
        Err(failure) => Err(failure.to_string().replace(&folder, "")),
    }
}

/// Every file below a folder, hidden ones too.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_folder_that_is_not_there_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a/b");
    let wrote = ["wrote     deep/down/one.yml", "wrote     two.json"];
    assert_eq!(lines(&to, false).unwrap(), wrote);
    for asset in TWO {
        assert_eq!(fs::read(to.join(asset.path)).unwrap(), asset.bytes);
    }
    assert_eq!(files(folder.path()).len(), 2, "nothing else is left");
}

#[test]
fn what_is_there_already_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("two.json");
    fs::write(&place, "{}\n").unwrap();
    fs::set_permissions(&place, PermissionsExt::from_mode(0o444)).unwrap();
    let told = ["wrote     deep/down/one.yml", "unchanged two.json"];
    assert_eq!(lines(folder.path(), false).unwrap(), told);
    let mode = fs::metadata(&place).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o444);
}

#[test]
fn a_file_that_differs_stops_everything() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("two.json");
    for other in ["mine", "[]\n"] {
        fs::write(&place, other).unwrap();
        let told = lines(folder.path(), false).unwrap_err();
        assert!(told.contains("--force:\n  two.json"), "{told}");
        assert_eq!(files(folder.path()), std::slice::from_ref(&place));
        assert_eq!(fs::read_to_string(&place).unwrap(), other);
    }
}

#[test]
fn force_replaces_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("two.json");
    fs::write(&place, "mine").unwrap();
    let told = ["wrote     deep/down/one.yml", "replaced  two.json"];
    assert_eq!(lines(folder.path(), true).unwrap(), told);
    assert_eq!(fs::read(&place).unwrap(), b"{}\n");
    let again = lines(folder.path(), true).unwrap();
    assert!(again.iter().all(|l| l.starts_with("unchanged")));
}

/// Replaced is the link, not what somebody keeps behind it.
#[test]
fn a_link_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("to");
    let kept = folder.path().join("kept");
    fs::create_dir(&to).unwrap();
    fs::write(&kept, "mine").unwrap();
    symlink(&kept, to.join("two.json")).unwrap();
    assert!(lines(&to, false).is_err());
    lines(&to, true).unwrap();
    assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
    assert_eq!(fs::read(to.join("two.json")).unwrap(), b"{}\n");
}

#[test]
fn whatever_stands_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let failure = export(TWO, &file, true).unwrap_err();
    assert_eq!(failure.exit_code(), 2);
    assert_eq!(
        failure.to_string(),
        format!("{} is not a folder: name one with --to", file.display())
    );

    let to = folder.path().join("to");
    fs::create_dir_all(to.join("two.json")).unwrap();
    let told = lines(&to, true).unwrap_err();
    assert!(told.starts_with("cannot write two.json: "), "{told}");

    fs::remove_dir(to.join("two.json")).unwrap();
    fs::write(to.join("deep"), "").unwrap();
    let told = lines(&to, true).unwrap_err();
    assert!(
        told.contains("deep/down") && told.contains("a file stands"),
        "{told}"
    );
    assert_eq!(files(&to), [to.join("deep")]);
}

/// Here nobody may write, not even root.
#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let failure = export(TWO, Path::new("/proc/export"), false).unwrap_err();
    let told = failure.to_string();
    assert_eq!(failure.exit_code(), 1);
    assert!(
        told.starts_with("cannot make /proc/export/deep/down: "),
        "{told}"
    );
    assert!(told.ends_with("name another folder with --to"), "{told}");
}
