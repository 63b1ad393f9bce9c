//! compose.yaml and what it mounts: versions are pinned, paths exist, names and ports agree.

use std::collections::BTreeSet;

use crate::yaml::Yaml;
use crate::{read, root, run};

fn compose() -> Yaml {
    Yaml::parse(&read("compose.yaml"))
}

/// A text in which `${NAME:-default}` is its default.
fn with_defaults(text: &str) -> String {
    let Some((before, rest)) = text.split_once("${") else {
        return text.to_owned();
    };
    let (variable, after) = rest.split_once('}').unwrap();
    let (_, default) = variable.split_once(":-").unwrap();
    format!("{before}{default}{}", with_defaults(after))
}

/// The mounts of a service: source, target, and whether it is read-only.
fn mounts(service: &Yaml) -> Vec<(String, String, bool)> {
    let mount = |text: &&str| {
        let text = with_defaults(text);
        let mut parts = text.split(':').map(str::to_owned);
        let (source, target) = (parts.next().unwrap(), parts.next().unwrap());
        (source, target, parts.next().as_deref() == Some("ro"))
    };
    service.texts(&["volumes"]).iter().map(mount).collect()
}

/// Reports whether a text is the digest of an image.
fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hash| {
        hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[test]
fn the_base_image_is_pinned() {
    let text = read("Dockerfile");
    let bases: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("FROM "))
        .collect();
    assert_eq!(bases.len(), 2, "{bases:?}");
    let (_, digest) = bases[0].split_once('@').unwrap();
    assert!(is_digest(digest.trim_end_matches(" AS build")), "{digest}");
    assert_eq!(bases[1], "scratch");
}

#[test]
fn there_is_every_service_and_its_image_is_pinned() {
    let compose = compose();
    let services = compose.get(&["services"]).unwrap().entries();
    let names: BTreeSet<_> = services.iter().map(|(name, _)| name.as_str()).collect();
    let want = ["alertmanager", "exporter", "grafana", "prometheus"];
    assert_eq!(names, BTreeSet::from(want));
    for (name, service) in services {
        let image = service.text(&["image"]);
        if service.get(&["build"]).is_some() {
            assert_eq!(name, "exporter");
            assert_eq!(image, env!("CARGO_PKG_NAME"));
            continue;
        }
        let (image, digest) = image.split_once('@').unwrap();
        assert!(is_digest(digest), "{image}@{digest}");
        let (_, tag) = image.rsplit_once(':').unwrap();
        let numbers: Vec<_> = tag.trim_start_matches('v').split('.').collect();
        assert_eq!(numbers.len(), 3, "{image}: major.minor.patch");
        assert!(
            numbers.iter().all(|n| n.parse::<u32>().is_ok()),
            "{image}: a tag that moves"
        );
    }
}

#[test]
fn services_have_no_more_rights_than_they_need() {
    for (name, service) in compose().get(&["services"]).unwrap().entries() {
        assert_eq!(service.text(&["read_only"]), "true", "{name}");
        assert_eq!(service.texts(&["cap_drop"]), ["ALL"], "{name}");
        let options = service.texts(&["security_opt"]);
        assert_eq!(options, ["no-new-privileges:true"], "{name}");
        let ports = service.texts(&["ports"]);
        assert!(!ports.is_empty(), "{name}");
        for port in ports {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
    }
}

#[test]
fn what_is_mounted_exists_and_cannot_be_written() {
    let compose = compose();
    let volumes = compose.get(&["volumes"]).unwrap().entries();
    let mut named = BTreeSet::new();
    let mut files = 0;
    for (name, service) in compose.get(&["services"]).unwrap().entries() {
        for (source, target, read_only) in mounts(service) {
            assert!(target.starts_with('/'), "{name}: {target}");
            if source.starts_with('.') {
                files += 1;
                assert!(root().join(&source).exists(), "{name}: no {source}");
                assert!(read_only, "{name}: {source} can be written");
            } else {
                assert!(!read_only, "{name}: {source} cannot be written");
                named.insert(source);
            }
        }
    }
    assert!(files >= 7, "{files}");
    let declared: BTreeSet<_> = volumes.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(named, declared);
}

#[test]
fn promtool_takes_the_config_with_the_rules_where_they_are_mounted() {
    let compose = compose();
    let service = compose.get(&["services", "prometheus"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = None;
    for (source, target, _) in mounts(service) {
        if let Some(name) = target.strip_prefix("/etc/prometheus/") {
            let copy = folder.path().join(name);
            std::fs::copy(root().join(&source), &copy).unwrap();
            if name == "prometheus.yml" {
                config = Some(copy);
            }
        }
    }
    let config = config.unwrap();
    let said = run("promtool", &["check", "config", config.to_str().unwrap()]);
    assert!(said.contains("1 rule files found"), "{said}");
}

/// The port on which each service is reached: the part behind the last colon of what it publishes.
fn address(compose: &Yaml, name: &str) -> String {
    let ports = compose.texts(&["services", name, "ports"]);
    let (_, port) = ports[0].rsplit_once(':').unwrap();
    format!("{name}:{port}")
}

#[test]
fn services_find_each_other() {
    let compose = compose();
    let prometheus = Yaml::parse(&read("compose/prometheus.yml"));
    let [job] = prometheus.list(&["scrape_configs"]) else {
        panic!("one job")
    };
    assert_eq!(job.text(&["job_name"]), env!("CARGO_PKG_NAME"));
    let targets = |at: &Yaml| {
        let [group] = at.list(&["static_configs"]) else {
            panic!("one group of targets")
        };
        let targets = group.texts(&["targets"]);
        targets.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(targets(job), [address(&compose, "exporter")]);
    let [alertmanagers] = prometheus.list(&["alerting", "alertmanagers"]) else {
        panic!("one group of Alertmanagers")
    };
    assert_eq!(targets(alertmanagers), [address(&compose, "alertmanager")]);

    let sources = Yaml::parse(&read("compose/grafana/datasources/prometheus.yml"));
    let [source] = sources.list(&["datasources"]) else {
        panic!("one data source")
    };
    assert_eq!(source.text(&["type"]), "prometheus");
    assert_eq!(source.text(&["uid"]), "rolling-upgrade-prometheus");
    assert_eq!(source.text(&["isDefault"]), "true");
    let url = format!("http://{}", address(&compose, "prometheus"));
    assert_eq!(source.text(&["url"]), url);
    assert_eq!(
        source.text(&["jsonData", "timeInterval"]),
        prometheus.text(&["global", "scrape_interval"])
    );
}

#[test]
fn grafana_reads_what_is_mounted() {
    let compose = compose();
    let mounts = mounts(compose.get(&["services", "grafana"]).unwrap());
    let target = |source: &str| {
        let mount = mounts.iter().find(|(from, _, _)| from == source);
        mount.unwrap_or_else(|| panic!("{source}")).1.clone()
    };
    for kind in ["datasources", "dashboards"] {
        assert_eq!(
            target(&format!("./compose/grafana/{kind}")),
            format!("/etc/grafana/provisioning/{kind}")
        );
    }
    let providers = Yaml::parse(&read("compose/grafana/dashboards/rolling-upgrade.yml"));
    let [provider] = providers.list(&["providers"]) else {
        panic!("one provider")
    };
    assert_eq!(provider.text(&["options", "path"]), target("./dashboards"));
}

/// The demo has to be reached from the other containers, so it listens on every address.
#[test]
fn the_exporter_plays_the_demo_unless_it_is_told_otherwise() {
    let compose = compose();
    let exporter = compose.get(&["services", "exporter"]).unwrap();
    let command = with_defaults(exporter.text(&["command"]));
    assert_eq!(command, "demo --web.listen-address=:10850");
    let head = read("compose.yaml");
    for name in ["EXPORTER_COMMAND", "EXPORTER_CONFIG"] {
        let told = head.lines().take_while(|line| line.starts_with('#'));
        assert!(told.into_iter().any(|line| line.contains(name)), "{name}");
        assert!(head.contains(&format!("${{{name}:-")), "{name}");
    }
    let image = read("Dockerfile");
    let path = mounts(exporter)[0].1.clone();
    assert!(image.contains(&format!("--config.file={path}")), "{path}");
}

/// A new volume takes owner and mode from the image's folder.
#[test]
fn the_state_has_a_volume_that_the_user_of_the_image_owns() {
    let compose = compose();
    let mounts = mounts(compose.get(&["services", "exporter"]).unwrap());
    let [_, (source, target, _)] = mounts.as_slice() else {
        panic!("{mounts:?}")
    };
    assert_eq!(source, "exporter");
    let flag = format!("--storage.path={target}");
    let head = read("compose.yaml");
    let mut head = head.lines().take_while(|line| line.starts_with('#'));
    assert!(head.any(|line| line.contains("EXPORTER_COMMAND=") && line.contains(&flag)));
    assert!(read("docs/kubernetes.md").contains(&flag));
    let (parent, name) = target.rsplit_once('/').unwrap();
    let image = read("Dockerfile");
    let (build, image) = image.split_once("\nFROM scratch\n").unwrap();
    assert!(build.contains(&format!("install -d -m 0700 /state/{name} ")));
    let user = image
        .split_once("\nUSER ")
        .unwrap()
        .1
        .lines()
        .next()
        .unwrap();
    let copied = format!("\nCOPY --from=build --chown={user} /state {parent}\n");
    assert!(image.contains(&copied), "{copied}");
    assert!(
        image.contains(&format!("\"{flag}\"]")),
        "CMD without {flag}"
    );
}

#[test]
fn every_scrape_config_recommends_the_same_sample_limit() {
    let limit = |file: &str, key: &str| -> u32 {
        let text = read(file);
        let mut lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(key));
        let value = lines.next().unwrap_or_else(|| panic!("no {key} in {file}"));
        value.trim().parse().unwrap()
    };
    let advised = limit("README.md", "sample_limit:");
    assert_eq!(limit("compose/prometheus.yml", "sample_limit:"), advised);
    let monitor = "deploy/kubernetes/servicemonitor.yaml";
    assert_eq!(limit(monitor, "sampleLimit:"), advised);
}
