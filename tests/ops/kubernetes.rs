//! `deploy/kubernetes/`: complete, in step with what it is made from, and no more rights than needed.
//! `tests/run.sh` checks it against the published schemas.
//!
//! `UPDATE=1 cargo test --test ops kubernetes` writes the generated files anew.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::yaml::Yaml;
use crate::{read, root, takes};

const FOLDER: &str = "deploy/kubernetes";
const NAME: &str = env!("CARGO_PKG_NAME");
const SECRETS: &str = "/run/secrets/rolling-upgrade-exporter/";
/// The one file that nobody is to apply as it is.
const SECRET: &str = "secret.example.yaml";
const WORKLOAD: &str = "statefulset.yaml";

fn manifest(name: &str) -> Yaml {
    Yaml::parse(&read(&format!("{FOLDER}/{name}")))
}

/// The names of the files in a folder of the repository.
fn files(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().into_string().unwrap()
    };
    entries.map(name).collect()
}

fn pod() -> Yaml {
    let workload = manifest(WORKLOAD);
    workload.get(&["spec", "template", "spec"]).unwrap().clone()
}

fn container() -> Yaml {
    let pod = pod();
    let containers = pod.list(&["containers"]);
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

/// The head of a generated file.
fn head(from: &str, kind: &str, name: &str, more: &str) -> String {
    format!(
        "# Written from {from}: run `UPDATE=1 cargo test --test ops kubernetes` after a change there.\n\
         {kind}\nmetadata:\n  name: {name}\n  labels:\n    app.kubernetes.io/name: {NAME}\n{more}"
    )
}

/// A text two or more levels deeper; empty lines stay empty.
fn indented(text: &str, by: usize) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        let by = if line.is_empty() { 0 } else { by };
        writeln!(out, "{:by$}{line}", "").unwrap();
        out
    })
}

/// The names of the boards' files, without their endings.
fn boards() -> Vec<String> {
    let stem = |file: &String| file.strip_suffix(".json").map(str::to_owned);
    files("dashboards").iter().filter_map(stem).collect()
}

/// Every generated file by its name.
fn generated() -> Vec<(String, String)> {
    let from = "alerts/rolling-upgrade.rules.yml";
    let rules = read(from);
    let (_, groups) = rules.split_once("\ngroups:\n").unwrap();
    let kind = "# A Prometheus takes the rules that its ruleSelector names: add the labels that it asks for.\n\
                apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule";
    let mut rule = head(from, kind, NAME, "spec:\n  groups:\n");
    rule.push_str(&indented(groups, 2));
    let mut all = vec![("prometheusrule.yaml".to_owned(), rule)];
    for stem in boards() {
        let file = format!("{stem}.json");
        let from = format!("dashboards/{file}");
        // The label by which Grafana's sidecar finds it.
        let more = format!("    grafana_dashboard: \"1\"\ndata:\n  {file}: |\n");
        let kind = "apiVersion: v1\nkind: ConfigMap";
        let mut board = head(&from, kind, &format!("dashboard-{stem}"), &more);
        board.push_str(&indented(&read(&from), 4));
        all.push((format!("dashboard-{stem}.yaml"), board));
    }
    all
}

#[test]
fn the_generated_files_are_what_they_are_made_from() {
    for (name, want) in generated() {
        let path = root().join(FOLDER).join(&name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &want).unwrap();
        }
        let have = std::fs::read_to_string(&path).unwrap_or_default();
        let advice = "run: UPDATE=1 cargo test --test ops kubernetes";
        assert!(have == want, "{name} is out of date; {advice}");
    }
}

#[test]
fn what_is_inside_the_generated_files_is_whole() {
    let rules = Yaml::parse(&read("alerts/rolling-upgrade.rules.yml"));
    let inside = manifest("prometheusrule.yaml");
    assert_eq!(inside.get(&["spec"]), Some(&rules));
    for stem in boards() {
        let file = format!("{stem}.json");
        let board = manifest(&format!("dashboard-{stem}.yaml"));
        assert_eq!(
            board.text(&["data", &file]),
            read(&format!("dashboards/{file}"))
        );
        let label = ["metadata", "labels", "grafana_dashboard"];
        assert_eq!(board.text(&label), "1");
    }
}

#[test]
fn the_kustomization_lists_exactly_what_is_there() {
    let kustomization = manifest("kustomization.yaml");
    let listed = kustomization.texts(&["resources"]);
    assert!(listed.is_sorted(), "{listed:?}");
    let mut there = files(FOLDER);
    assert!(there.remove("kustomization.yaml") && there.remove(SECRET));
    let there: Vec<_> = there.iter().map(String::as_str).collect();
    assert_eq!(listed, there);
    let images = kustomization.list(&["images"]);
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].text(&["name"]), container().text(&["image"]));
    assert_eq!(images[0].text(&["newTag"]), env!("CARGO_PKG_VERSION"));
}

/// Kustomize renames nothing here, and a name that is not the same would only show in a cluster.
#[test]
fn names_labels_and_ports_agree() {
    let label = |yaml: &Yaml, path: &[&str]| {
        let labels = yaml.get(path).unwrap_or_else(|| panic!("{path:?}"));
        assert_eq!(labels.text(&["app.kubernetes.io/name"]), NAME, "{path:?}");
    };
    for name in files(FOLDER) {
        if name == "kustomization.yaml" {
            continue;
        }
        let yaml = manifest(&name);
        label(&yaml, &["metadata", "labels"]);
        if !name.starts_with("dashboard-") {
            assert_eq!(yaml.text(&["metadata", "name"]), NAME, "{name}");
        }
    }
    let workload = manifest(WORKLOAD);
    label(&workload, &["spec", "selector", "matchLabels"]);
    label(&workload, &["spec", "template", "metadata", "labels"]);
    assert_eq!(workload.text(&["spec", "serviceName"]), NAME);
    let service = manifest("service.yaml");
    label(&service, &["spec", "selector"]);
    let monitor = manifest("servicemonitor.yaml");
    label(&monitor, &["spec", "selector", "matchLabels"]);
    let policy = manifest("networkpolicy.yaml");
    label(&policy, &["spec", "podSelector", "matchLabels"]);

    let container = container();
    let port = &container.list(&["ports"])[0];
    assert_eq!(port.text(&["containerPort"]), "10850");
    let served = &service.list(&["spec", "ports"])[0];
    assert_eq!(served.text(&["targetPort"]), port.text(&["name"]));
    let scraped = &monitor.list(&["spec", "endpoints"])[0];
    assert_eq!(scraped.text(&["port"]), served.text(&["name"]));
    assert_eq!(scraped.text(&["honorLabels"]), "true");
    let entered = &policy.list(&["spec", "ingress"])[0].list(&["ports"])[0];
    assert_eq!(entered.text(&["port"]), port.text(&["containerPort"]));
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(
            container.text(&[probe, "httpGet", "port"]),
            port.text(&["name"])
        );
    }
    let volumes = pod().list(&["volumes"]).to_vec();
    assert_eq!(volumes[0].text(&["configMap", "name"]), NAME);
    assert_eq!(volumes[1].text(&["secret", "secretName"]), NAME);
    assert_eq!(pod().text(&["serviceAccountName"]), NAME);
}

/// What the profile `restricted` of Kubernetes asks for, and a root that nobody can write to.
#[test]
fn the_pod_has_no_more_rights_than_it_needs() {
    let (pod, container) = (pod(), container());
    for path in [
        &["automountServiceAccountToken"][..],
        &["enableServiceLinks"],
    ] {
        assert_eq!(pod.text(path), "false", "{path:?}");
    }
    let account = manifest("serviceaccount.yaml");
    assert_eq!(account.text(&["automountServiceAccountToken"]), "false");
    let of_pod = pod.get(&["securityContext"]).unwrap();
    assert_eq!(of_pod.text(&["runAsNonRoot"]), "true");
    assert_eq!(of_pod.text(&["seccompProfile", "type"]), "RuntimeDefault");
    let user = of_pod.text(&["runAsUser"]);
    assert!(read("Dockerfile").contains(&format!("\nUSER {user}:{user}\n")));
    let own = container.get(&["securityContext"]).unwrap();
    assert_eq!(own.text(&["allowPrivilegeEscalation"]), "false");
    assert_eq!(own.text(&["readOnlyRootFilesystem"]), "true");
    assert_eq!(own.texts(&["capabilities", "drop"]), ["ALL"]);
    let names: Vec<_> = own
        .entries()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        assert!(pod.get(&[key]).is_none(), "{key}");
    }
    for mount in container.list(&["volumeMounts"]) {
        let is_writable = mount.get(&["readOnly"]).is_none();
        assert_eq!(is_writable, mount.text(&["name"]) == "state");
        assert!(is_writable || mount.text(&["readOnly"]) == "true");
        assert!(mount.get(&["subPath"]).is_none(), "it would never change");
    }
    assert!(container.get(&["resources", "limits", "memory"]).is_some());
    assert_eq!(
        container.text(&["livenessProbe", "httpGet", "path"]),
        "/-/healthy"
    );
    assert_eq!(
        container.text(&["readinessProbe", "httpGet", "path"]),
        "/-/ready"
    );
}

/// One pod, whose successor starts when it has ended, on a volume that the user of the pod may write to.
#[test]
fn the_state_lies_on_a_volume_that_outlives_the_pod() {
    let workload = manifest(WORKLOAD);
    assert_eq!(workload.text(&["kind"]), "StatefulSet");
    assert_eq!(workload.text(&["spec", "replicas"]), "1");
    let update = workload.text(&["spec", "updateStrategy", "type"]);
    assert_eq!(update, "RollingUpdate");
    let [claim] = workload.list(&["spec", "volumeClaimTemplates"]) else {
        panic!("one claim")
    };
    assert_eq!(claim.text(&["metadata", "name"]), "state");
    assert_eq!(claim.texts(&["spec", "accessModes"]), ["ReadWriteOnce"]);
    let container = container();
    let mounts = container.list(&["volumeMounts"]);
    let mount = mounts.iter().find(|m| m.text(&["name"]) == "state");
    let mounted = mount.unwrap().text(&["mountPath"]);
    let flag = format!("--storage.path={mounted}/state");
    assert!(container.texts(&["args"]).contains(&flag.as_str()));
    let pod = pod();
    let user = pod.text(&["securityContext", "runAsUser"]);
    assert_eq!(pod.text(&["securityContext", "fsGroup"]), user);
}

#[test]
fn the_program_takes_its_arguments() {
    let container = container();
    let mut args = container.texts(&["args"]);
    assert!(takes(&args), "{args:?}");
    args.push("--no-such-flag");
    assert!(!takes(&args), "the question cannot be answered with no");
}

/// With the files of the Secret's example, which has a file for each secret of the config.
#[test]
fn the_config_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let secret = manifest(SECRET);
    let kept = secret.get(&["stringData"]).unwrap().entries();
    for (name, value) in kept {
        assert_eq!(value.text(&[]), "REPLACE-ME", "{name}");
        std::fs::write(folder.path().join(name), value.text(&[])).unwrap();
    }
    let container = container();
    let args = container.texts(&["args"]);
    let named = args
        .iter()
        .find_map(|arg| arg.strip_prefix("--config.file="));
    let (mounted, file) = named.unwrap().rsplit_once('/').unwrap();
    let mounts = container.list(&["volumeMounts"]);
    assert_eq!(mounts[0].text(&["mountPath"]), mounted);
    assert_eq!(format!("{}/", mounts[1].text(&["mountPath"])), SECRETS);

    let config = manifest("config.yaml").text(&["data", file]).to_owned();
    for (name, _) in kept {
        assert!(config.contains(&format!("{SECRETS}{name}\n")), "{name}");
    }
    let here = format!("{}/", folder.path().display());
    let config = config.replace(SECRETS, &here);
    // What is offered in comments is right, too.
    let offered = config.replace("# alerting:", "alerting:");
    let offered = offered.replace("\n#   ", "\n  ");
    for (text, end) in [(&config, ""), (&offered, ", 1 Alertmanager")] {
        let path = folder.path().join(file);
        std::fs::write(&path, text).unwrap();
        let said = crate::run(
            env!("CARGO_BIN_EXE_rolling-upgrade-exporter"),
            &["check", "--config.file", path.to_str().unwrap()],
        );
        let told = format!("ok, 2 accounts, 4 products{end}");
        assert!(said.lines().next().unwrap().ends_with(&told), "{said}");
    }
}
