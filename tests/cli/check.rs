//! `check`: what it tells of a config, and its exit codes.

use super::*;

#[test]
fn a_config_that_is_not_there_exits_2_and_is_named() {
    for command in ["check", "serve"] {
        let out = run(&[command, "--config.file=/nowhere/x.yml"]);
        assert_eq!(out.status.code(), Some(2), "{out:?}");
        let told = text(&out.stderr);
        assert!(told.starts_with("rolling-upgrade-exporter: "), "{told}");
        assert!(told.contains("/nowhere/x.yml"), "{told}");
    }
}

#[test]
fn check_says_ok() {
    let (_folder, path) = config();
    let out = run(&["check", "--config.file", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let told = text(&out.stdout);
    assert!(
        told.starts_with(&format!("{}: ok, ", path.display())),
        "{told}"
    );
    assert!(told.contains("account"), "{told}");
}

#[test]
fn check_without_secrets_passes_the_shipped_example() {
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/rolling-upgrade-exporter.example.yml"
    );
    let folder = TempDir::new().unwrap();
    let check = |flags: &[&str]| {
        let args = ["check", "--config.file", example];
        let mut program = program();
        program.env_clear().current_dir(&folder);
        program.args(args).args(flags).output().unwrap()
    };
    let out = check(&["--syntax-only"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let told =
        format!("{example}: ok, 2 accounts, 4 products; secrets and CA files were not read\n");
    assert_eq!(text(&out.stdout), told);
    assert_eq!(text(&out.stderr), "");
    let out = check(&[]);
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    assert!(text(&out.stderr).contains("HUAWEICLOUD_SDK_AK"), "{out:?}");
}

#[test]
fn check_tells_warnings_with_their_place_and_exits_0() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("c.yml");
    let config = "accounts:
  - name: cn
    huawei:
      region: cn-nroth-4
      project_id: my-project
      access_key: a
      secret_key_env: NOT_SET
      css: {}
";
    fs::write(&path, config).unwrap();
    let path = path.to_str().unwrap();
    let told = [
        format!(
            "{path}:4:15: warning: region \"cn-nroth-4\" is no known region of Huawei Cloud, the nearest is cn-north-4"
        ),
        format!("{path}:5:19: warning: project_id \"my-project\""),
    ];
    let out = run(&["check", "--syntax-only", "--config.file", path]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let lines: Vec<&str> = text(&out.stdout).lines().skip(1).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (line, told) in lines.iter().zip(&told) {
        assert!(line.starts_with(told), "{line}");
    }
    let out = run(&["check", "--config.file", path]);
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    let lines: Vec<&str> = text(&out.stderr).lines().skip(1).collect();
    assert!(lines[0].starts_with(&told[0]), "{lines:?}");
    assert!(lines[1].starts_with(&told[1]), "{lines:?}");
    assert!(
        lines[2].starts_with(&format!("{path}:7:23: secret_key_env")),
        "{lines:?}"
    );
}
