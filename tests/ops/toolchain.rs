//! rust-toolchain.toml: one version of Rust for people, CI and the image.

use crate::{read, root, run};

/// Returns the quoted value of a key of a TOML file.
fn value(file: &str, key: &str) -> String {
    let text = read(file);
    let begin = format!("{key} = \"");
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(&begin));
    lines.next().unwrap().trim_end_matches('"').to_owned()
}

/// Returns the numbers of a version such as `1.95.0`.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|n| n.parse().unwrap()).collect()
}

#[test]
fn the_toolchain_is_the_compiler_of_the_dockerfile() {
    let channel = numbers(&value("rust-toolchain.toml", "channel"));
    let dockerfile = read("Dockerfile");
    let (_, rest) = dockerfile.split_once("library/rust:").unwrap();
    let (image, _) = rest.split_once('-').unwrap();
    assert!(channel.starts_with(&numbers(image)), "{channel:?} {image}");
    assert!(channel >= numbers(&value("Cargo.toml", "rust-version")));
}

#[test]
fn the_scripts_are_executable_and_run_sh_calls_setup_sh() {
    for script in ["tests/run.sh", "tests/setup.sh", ".ci/run"] {
        assert!(root().join(script).is_file(), "{script}");
        run("test", &["-x", script]);
        run("bash", &["-n", script]);
    }
    let script = read("tests/run.sh");
    assert!(script.lines().any(|line| line == "tests/setup.sh"));
    assert!(read(".ci/run").contains("tests/run.sh"));
}
