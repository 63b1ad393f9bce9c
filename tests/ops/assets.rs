//! What the program carries is what the repository holds, and `export` writes all of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use rolling_upgrade_exporter::assets::ASSETS;

use crate::root;

/// What the folders hold that is not for users.
fn is_ours(path: &str) -> bool {
    path.starts_with("alerts/tests/") || path == "dashboards/.lint"
}

/// Every file below a folder, by its path from there.
fn below(from: &Path, folder: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(from.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = Path::new(folder).join(name).to_str().unwrap().to_owned();
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(from, &path));
        } else {
            found.insert(path);
        }
    }
    found
}

#[test]
fn nothing_that_users_need_is_left_out() {
    let mut wanted = BTreeSet::from(["rolling-upgrade-exporter.example.yml".to_owned()]);
    for folder in ["alerts", "dashboards", "deploy"] {
        wanted.extend(below(root(), folder));
    }
    wanted.retain(|path| !is_ours(path));
    let carried: Vec<_> = ASSETS.iter().map(|asset| asset.path.to_owned()).collect();
    assert!(carried.is_sorted(), "{carried:?}");
    assert_eq!(
        carried.into_iter().collect::<BTreeSet<_>>(),
        wanted,
        "src/assets.rs has to list them"
    );
}

#[test]
fn export_writes_what_the_repository_holds() {
    let folder = tempfile::tempdir().unwrap();
    let out = export(&[&format!("--to={}", folder.path().display())]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let written = below(folder.path(), "");
    assert_eq!(written.len(), ASSETS.len());
    let told = String::from_utf8(out.stdout).unwrap();
    for path in &written {
        let same = std::fs::read(folder.path().join(path)).unwrap()
            == std::fs::read(root().join(path)).unwrap();
        assert!(same, "{path}");
        let line = format!("wrote     {}", folder.path().join(path).display());
        assert!(told.lines().any(|l| l == line), "{told}");
    }
}

/// A limit on the size of files stands in for the disk.
#[test]
fn a_disk_that_is_full_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"trap "" XFSZ; ulimit -f 8; exec "$0" export --to="$1""#;
    let out = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_rolling-upgrade-exporter")])
        .arg(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1), "{told}");
    let named = folder.path().join("alerts/RUNBOOKS.md");
    assert!(
        told.contains(&format!("cannot write {}: ", named.display())),
        "{told}"
    );
    assert!(told.contains("make room"), "{told}");
    assert_eq!(below(folder.path(), ""), BTreeSet::new());
}

#[test]
fn the_folder_has_to_be_named() {
    let out = export(&[]);
    assert_eq!(out.status.code(), Some(2));
    assert!(
        String::from_utf8(out.stderr)
            .unwrap()
            .contains("--to <DIR>")
    );
}

fn export(args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_rolling-upgrade-exporter"))
        .arg("export")
        .args(args)
        .output()
        .unwrap()
}
