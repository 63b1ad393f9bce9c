//! The image's labels: what it is, from where, and of which commit, version and time.

use std::collections::{BTreeMap, BTreeSet};

use crate::yaml::Yaml;
use crate::{read, root};

/// Returns the last stage of the Dockerfile, which makes the image.
fn last_stage() -> String {
    let dockerfile = read("Dockerfile");
    dockerfile
        .rsplit_once("\nFROM scratch\n")
        .unwrap()
        .1
        .to_owned()
}

/// Returns the build arguments of the last stage with their defaults.
fn arguments() -> BTreeMap<String, String> {
    let stage = last_stage();
    let lines = stage.lines().filter_map(|line| line.strip_prefix("ARG "));
    let pairs = lines.map(|line| line.split_once('=').unwrap());
    pairs
        .map(|(name, default)| (name.to_owned(), default.to_owned()))
        .collect()
}

/// Returns the labels of the OCI's annotations, without their prefix.
fn labels() -> BTreeMap<String, String> {
    let stage = last_stage();
    let parts = stage.split("org.opencontainers.image.").skip(1);
    let pairs = parts.map(|part| part.split_once("=\"").unwrap());
    pairs
        .map(|(name, rest)| {
            let (value, _) = rest.split_once('"').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[test]
fn labels_tell_what_the_package_tells() {
    let labels = labels();
    let repository = env!("CARGO_PKG_REPOSITORY");
    for (name, want) in [
        ("title", env!("CARGO_PKG_NAME")),
        ("description", env!("CARGO_PKG_DESCRIPTION")),
        ("licenses", env!("CARGO_PKG_LICENSE")),
        ("source", repository),
        ("url", repository),
        ("created", "${CREATED}"),
        ("revision", "${REVISION}"),
        ("version", "${VERSION}"),
    ] {
        assert_eq!(labels.get(name).map(String::as_str), Some(want), "{name}");
    }
    assert!(labels["vendor"].contains(env!("CARGO_PKG_NAME")));
    let documentation = labels["documentation"].strip_prefix(repository).unwrap();
    let path = documentation.strip_prefix("/tree/main/").unwrap();
    assert!(root().join(path).is_dir(), "{path}");
}

#[test]
fn the_version_label_is_that_of_the_package_without_an_argument() {
    assert_eq!(arguments()["VERSION"], env!("CARGO_PKG_VERSION"));
}

/// Each argument is told in the heads of both files, for those who build.
#[test]
fn compose_passes_commit_and_time_to_the_build() {
    let arguments = arguments();
    let compose = read("compose.yaml");
    let passed = Yaml::parse(&compose);
    let passed = passed.get(&["services", "exporter", "build", "args"]);
    let mut names = BTreeSet::new();
    for (name, value) in passed.unwrap().entries() {
        let default = &arguments[name];
        let Yaml::Text(value) = value else {
            panic!("{value:?}")
        };
        assert_eq!(*value, format!("${{{name}:-{default}}}"));
        names.insert(name.as_str());
        for head in [&compose, &read("Dockerfile")] {
            let mut comments = head.lines().take_while(|line| !line.starts_with("FROM "));
            assert!(comments.any(|line| line.starts_with('#') && line.contains(name)));
        }
    }
    assert_eq!(names, BTreeSet::from(["CREATED", "REVISION"]));
}
