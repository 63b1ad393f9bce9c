//! `deploy/systemd/`: systemd takes the units, the program takes their arguments, and the config asks
//! for the credentials that they hand over.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::{read, root, takes};

const FOLDER: &str = "deploy/systemd";
const NAME: &str = env!("CARGO_PKG_NAME");
const INSTALLED: &str = "/usr/local/bin/rolling-upgrade-exporter";

fn service() -> String {
    read(&format!("{FOLDER}/{NAME}.service"))
}

/// The values of a key, in their order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    let value = |line: &'a str| line.strip_prefix(key)?.strip_prefix('=');
    unit.lines().filter_map(value).collect()
}

/// What systemd says of the units, once `edit` was at the service. The program stands where it was
/// built.
fn verify(edit: impl Fn(&str) -> String) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for entry in fs::read_dir(root().join(FOLDER)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let unit = fs::read_to_string(&path).unwrap();
        let unit = match path.extension().unwrap().to_str().unwrap() {
            "service" => {
                edit(&unit.replace(INSTALLED, env!("CARGO_BIN_EXE_rolling-upgrade-exporter")))
            }
            "socket" => unit,
            _ => continue,
        };
        let copy = folder.path().join(name);
        fs::write(&copy, unit).unwrap();
        units.push(copy);
    }
    Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(units)
        .output()
        .unwrap_or_else(|e| panic!("cannot run systemd-analyze (tests/setup.sh installs it): {e}"))
}

/// It says nothing of units that are right; some mistakes are only warnings to it.
fn is_content(said: &Output) -> bool {
    said.status.success() && said.stderr.is_empty()
}

#[test]
fn systemd_takes_the_units() {
    let said = verify(str::to_owned);
    assert!(
        is_content(&said),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    for (right, wrong) in [
        ("ProtectHome=", "ProtctHome="),
        ("Type=exec", "Type=exe"),
        ("@system-service", "@sistem-service"),
        ("/bin/kill", "/bin/no-such-program"),
    ] {
        let said = verify(|unit| unit.replace(right, wrong));
        assert!(!is_content(&said), "{wrong} was not noticed");
    }
}

#[test]
fn the_service_has_no_more_rights_than_it_needs() {
    let unit = service();
    for key in [
        "DynamicUser",
        "NoNewPrivileges",
        "ProtectHome",
        "ProtectClock",
        "ProtectHostname",
        "ProtectControlGroups",
        "ProtectKernelLogs",
        "ProtectKernelModules",
        "ProtectKernelTunables",
        "PrivateDevices",
        "PrivateTmp",
        "PrivateUsers",
        "RestrictNamespaces",
        "RestrictRealtime",
        "RestrictSUIDSGID",
        "LockPersonality",
        "MemoryDenyWriteExecute",
    ] {
        assert_eq!(values(&unit, key), ["yes"], "{key}");
    }
    for (key, value) in [
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
        ("SystemCallArchitectures", "native"),
    ] {
        assert_eq!(values(&unit, key), [value], "{key}");
    }
    let calls = values(&unit, "SystemCallFilter");
    assert_eq!(calls, ["@system-service", "~@privileged"]);
    for key in ["User", "ReadWritePaths"] {
        assert!(values(&unit, key).is_empty(), "{key}");
    }
}

/// Everything else is read-only to it.
#[test]
fn the_state_lies_in_the_one_folder_that_it_can_write_to() {
    let unit = service();
    assert_eq!(values(&unit, "StateDirectory"), [NAME]);
    assert_eq!(values(&unit, "StateDirectoryMode"), ["0700"]);
    let flag = format!("--storage.path=%S/{NAME}");
    assert!(arguments(&unit).contains(&flag.as_str()), "{unit}");
}

#[test]
fn it_is_started_again_unless_that_is_of_no_use() {
    let unit = service();
    assert_eq!(values(&unit, "Restart"), ["on-failure"]);
    assert_eq!(values(&unit, "RestartPreventExitStatus"), ["2"]);
    assert_eq!(values(&unit, "ExecReload"), ["/bin/kill -HUP $MAINPID"]);
}

/// With the flag that the head of the socket's unit tells.
#[test]
fn the_program_takes_the_port_from_the_socket() {
    let socket = read(&format!("{FOLDER}/{NAME}.socket"));
    assert_eq!(values(&socket, "ListenStream"), ["10850"]);
    let (_, told) = socket.split_once("ARGS=\"").unwrap();
    let (more, _) = told.split_once('"').unwrap();
    let unit = service();
    let mut args = arguments(&unit);
    args.push(more);
    assert!(takes(&args), "{args:?}");
    assert!(values(&unit, "EnvironmentFile")[0].ends_with(&format!("/etc/default/{NAME}")));
}

fn arguments(unit: &str) -> Vec<&str> {
    let command = values(unit, "ExecStart")[0]
        .strip_prefix(INSTALLED)
        .unwrap();
    let (own, more) = command.rsplit_once(' ').unwrap();
    assert_eq!(more, "$ARGS");
    own.split_whitespace().collect()
}

#[test]
fn the_program_takes_its_arguments() {
    let unit = service();
    assert!(takes(&arguments(&unit)), "{unit}");
}

#[test]
fn the_config_passes_the_check_with_the_credentials_of_the_unit() {
    let unit = service();
    let config = format!("{NAME}.yml");
    let installed = Path::new("/etc").join(NAME).join(&config);
    let args = arguments(&unit);
    assert!(args.contains(&&*format!("--config.file={}", installed.display())));

    let folder = tempfile::tempdir().unwrap();
    let handed = format!("/run/credentials/{NAME}.service/");
    let text = read(&format!("{FOLDER}/{config}"));
    let loaded = values(&unit, "LoadCredential");
    assert_eq!(text.matches(&handed).count(), loaded.len());
    for credential in loaded {
        let (name, kept) = credential.split_once(':').unwrap();
        assert_eq!(kept, format!("/etc/{NAME}/credentials/{name}"));
        assert!(text.contains(&format!("{handed}{name}\n")), "{name}");
        fs::write(folder.path().join(name), "a-secret").unwrap();
    }
    let here = text.replace(&handed, &format!("{}/", folder.path().display()));
    let path = folder.path().join(&config);
    fs::write(&path, here).unwrap();
    let said = crate::run(
        env!("CARGO_BIN_EXE_rolling-upgrade-exporter"),
        &["check", "--config.file", path.to_str().unwrap()],
    );
    assert!(said.contains("ok, 2 accounts, 4 products"), "{said}");
}
