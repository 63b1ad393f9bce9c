//! The alert rules that are shipped: the file is what the program says, and promtool takes it.

use std::path::Path;
use std::process::Command;

use rolling_upgrade_exporter::alert;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a tool in the repository, and gives what it said when it was not content.
fn run(program: &str, args: &[&str]) {
    let output = Command::new(program)
        .args(args)
        .current_dir(root())
        .output()
        .unwrap_or_else(|e| panic!("cannot run {program} (tests/run.sh installs it): {e}"));
    assert!(
        output.status.success(),
        "{program} {args:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_file_is_what_the_program_says() {
    let path = root().join("alerts/rolling-upgrade.rules.yml");
    let want = alert::rules_file();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &want).unwrap();
    }
    let have = std::fs::read_to_string(&path).unwrap();
    assert_eq!(have, want, "run: UPDATE=1 cargo test --test rules");
}

#[test]
fn promtool_takes_the_rules() {
    run(
        "promtool",
        &["check", "rules", "alerts/rolling-upgrade.rules.yml"],
    );
}
