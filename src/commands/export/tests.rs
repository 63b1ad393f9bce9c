use std::os::unix::fs::{PermissionsExt, symlink};

use std::path::PathBuf;

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
    for same in ["mine", "{}\n"] {
        fs::write(&kept, same).unwrap();
        let told = lines(&to, false).unwrap_err();
        assert!(told.contains("--force:\n  two.json (a link)"), "{told}");
    }
    fs::write(&kept, "mine").unwrap();
    lines(&to, true).unwrap();
    assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
    assert_eq!(fs::read(to.join("two.json")).unwrap(), b"{}\n");
}

#[test]
fn a_link_to_a_folder_is_not_followed_below_the_one_named() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("to");
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir_all(to.join("deep")).unwrap();
    fs::create_dir_all(elsewhere.join("down")).unwrap();
    symlink(elsewhere.join("down"), to.join("deep/down")).unwrap();
    for force in [false, true] {
        let told = lines(&to, force).unwrap_err();
        assert!(
            told.starts_with("deep/down is a link, and none is followed"),
            "{told}"
        );
        assert!(told.contains("remove it"), "{told}");
    }
    fs::remove_file(to.join("deep/down")).unwrap();
    fs::remove_dir(to.join("deep")).unwrap();
    symlink(&elsewhere, to.join("deep")).unwrap();
    let told = lines(&to, true).unwrap_err();
    assert!(told.starts_with("deep is a link"), "{told}");
    fs::remove_dir(elsewhere.join("down")).unwrap();
    fs::remove_file(to.join("deep")).unwrap();
    symlink("nowhere", to.join("deep")).unwrap();
    assert!(lines(&to, true).is_err());
    assert_eq!(files(&elsewhere), Vec::<PathBuf>::new());
    assert!(!to.join("two.json").exists(), "nothing else was written");
}

#[test]
fn the_folder_itself_may_be_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("to");
    fs::create_dir(folder.path().join("real")).unwrap();
    symlink("real", &to).unwrap();
    lines(&to, false).unwrap();
    assert_eq!(
        fs::read(folder.path().join("real/two.json")).unwrap(),
        b"{}\n"
    );
}

/// Between the look and the write somebody may turn a folder into a link.
#[test]
fn a_link_that_appears_after_the_look_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let root = Folder::open(folder.path()).unwrap();
    assert!(look(&root, &TWO[0]).unwrap() == Found::Nothing);
    symlink(elsewhere.path(), folder.path().join("deep")).unwrap();
    let Err(failure) = Staged::write(&root, &TWO[0]) else {
        panic!("the link was followed");
    };
    assert!(failure.to_string().contains("is a link"), "{failure}");
    assert_eq!(files(elsewhere.path()), Vec::<PathBuf>::new());
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
        told.starts_with("cannot open deep: ") && told.contains("a file stands"),
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
    assert!(told.starts_with("cannot make /proc/export: "), "{told}");
    assert!(told.ends_with("name another folder with --to"), "{told}");
}
