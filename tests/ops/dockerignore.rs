//! `.dockerignore`: the build gets what it needs, and no key and no config of a checkout.

use rolling_upgrade_exporter::assets::ASSETS;
use rolling_upgrade_exporter::cloud::products;
use rolling_upgrade_exporter::clouds::CLOUDS;

use crate::{read, root, rust_files};

/// Files besides Rust's that the program is built from.
const OTHERS: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "build.rs",
    "src/web/page/script.js",
    "src/web/page/style.css",
];

/// Secrets, and configs other than the examples, as they lie in checkouts.
const SECRET: &[&str] = &[
    ".env",
    ".git/config",
    "alerts/alertmanager.yml",
    "crates/exporter-web/.env",
    "crates/exporter-web/tests/server.key",
    "crates/exporter-web/tests/server.pem",
    "crates/exporter-web/tests/web.yml",
    "client.p12",
    "compose.override.yaml",
    "config.yaml",
    "credentials/ncloud-secret-key",
    "deploy/kubernetes/secret.yaml",
    "deploy/systemd/credentials/huawei-secret-key",
    "deploy/systemd/prod.yml",
    "id_ed25519",
    "prod.yml",
    "rolling-upgrade-exporter.yml",
    "rolling-upgrade-exporter.yml.bak",
    "server.key",
    "server.pem",
    "src/.env",
    "src/prod.yml",
    "src/client.jks",
    "src/id_ed25519",
    "src/web/server.key",
    "src/web/server.pem",
    "src/web/server.pfx",
    "target/release/rolling-upgrade-exporter",
    "tests/data/tls/server.key",
    "web.yml",
];

/// Tells whether Docker leaves a file out: the last pattern that matches it or a folder above it decides.
fn is_ignored(patterns: &str, path: &str) -> bool {
    let lines = patterns.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let names: Vec<&str> = path.split('/').collect();
    lines.fold(false, |ignored, line| {
        let (is_exception, pattern) = match line.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, line),
        };
        let pattern: Vec<&str> = pattern.trim_matches('/').split('/').collect();
        let covers = (1..=names.len()).any(|depth| matches(&pattern, &names[..depth]));
        if covers { !is_exception } else { ignored }
    })
}

/// Matches segment by segment: `**` stands for any number of them.
fn matches(pattern: &[&str], names: &[&str]) -> bool {
    match (pattern.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            (0..=names.len()).any(|skipped| matches(rest, &names[skipped..]))
        }
        (Some((glob, pattern)), Some((name, names))) => {
            fits(glob.as_bytes(), name.as_bytes()) && matches(pattern, names)
        }
        _ => false,
    }
}

/// Matches one segment: `*` stands for any text, `?` for one character.
fn fits(glob: &[u8], name: &[u8]) -> bool {
    match (glob.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|skipped| fits(rest, &name[skipped..])),
        (Some((b'?', glob)), Some((_, name))) => fits(glob, name),
        (Some((one, glob)), Some((other, name))) => one == other && fits(glob, name),
        _ => false,
    }
}

#[test]
fn patterns_match_as_docker_documents() {
    for (patterns, path, ignored) in [
        ("*", "a/b", true),
        ("*/temp*", "somedir/temporary.txt", true),
        ("*/temp*", "somedir/subdir/temporary.txt", false),
        ("*/*/temp*", "somedir/subdir/temporary.txt", true),
        ("temp?", "tempa", true),
        ("temp?", "temp", false),
        ("**/*.go", "a.go", true),
        ("**/*.go", "a/b/c.go", true),
        ("*.md\n!README.md", "README.md", false),
        (
            "*.md\n!README*.md\nREADME-secret.md",
            "README-secret.md",
            true,
        ),
        (
            "*.md\nREADME-secret.md\n!README*.md",
            "README-secret.md",
            false,
        ),
        ("*\n!src\nsrc/**/*.key", "src/a/b.rs", false),
    ] {
        assert_eq!(is_ignored(patterns, path), ignored, "{patterns}: {path}");
    }
}

#[test]
fn the_build_gets_every_file_that_it_needs() {
    let patterns = read(".dockerignore");
    let mut needed: Vec<String> = OTHERS.iter().map(ToString::to_string).collect();
    needed.extend(products(CLOUDS).map(|product| {
        let info = product.info();
        format!("src/clouds/{}/{}/demo.yml", info.cloud, info.name)
    }));
    needed.extend(ASSETS.iter().map(|asset| asset.path.to_owned()));
    for folder in ["src", "benches", "crates"] {
        needed.extend(rust_files(folder));
    }
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name();
        needed.push(format!("crates/{}/Cargo.toml", name.to_str().unwrap()));
    }
    assert!(needed.len() > 100);
    for path in needed {
        assert!(root().join(&path).is_file(), "{path}");
        assert!(!is_ignored(&patterns, &path), "{path} is left out");
    }
}

#[test]
fn the_build_gets_no_key_and_no_config() {
    let patterns = read(".dockerignore");
    for path in SECRET {
        assert!(is_ignored(&patterns, path), "{path} gets into a layer");
    }
}

/// The image has its compiler; for this file rustup would bring more.
#[test]
fn the_build_does_not_get_the_toolchain_file() {
    assert!(root().join("rust-toolchain.toml").is_file());
    assert!(is_ignored(&read(".dockerignore"), "rust-toolchain.toml"));
}
