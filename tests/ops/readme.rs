//! The README's way from a config to a running container, pasted in its order.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::docs::{blocks, files};
use crate::read;

const PROGRAM: &str = env!("CARGO_BIN_EXE_rolling-upgrade-exporter");
const CONFIG: &str = "rolling-upgrade-exporter.yml";

/// Returns the part of the README below a heading, up to the next one of its level.
fn section<'a>(readme: &'a str, heading: &str) -> &'a str {
    let (_, rest) = readme.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split_once("\n## ")
        .map_or(rest, |(section, _)| section)
}

/// Returns the block of shell commands that holds this text.
fn commands<'a>(blocks: &[(&'a str, &'a str)], part: &str) -> &'a str {
    let is_it = |(language, text): &&(&str, &str)| *language == "sh" && text.contains(part);
    blocks
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("no {part}"))
        .1
}

/// Commands of the section "Run it", in a folder where its config was pasted.
struct Pasted {
    folder: TempDir,
    exports: String,
    check: String,
    docker: String,
}

fn paste() -> Pasted {
    let readme = read("README.md");
    let section = section(&readme, "Run it");
    assert!(section.contains(&format!("Write a config, `{CONFIG}`.")));
    let blocks = blocks(section);
    let (language, config) = blocks[0];
    assert_eq!(language, "yaml", "the first block is the config");
    let folder = tempfile::tempdir().unwrap();
    // The folder of a user, and a file as an editor leaves it.
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let path = folder.path().join(CONFIG);
    fs::write(&path, config).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    Pasted {
        exports: commands(&blocks, "export ").to_owned(),
        check: commands(&blocks, "check --config.file").to_owned(),
        docker: commands(&blocks, "docker run").to_owned(),
        folder,
    }
}

/// Runs a script in the folder with nothing in its environment but `PATH`, in which the program is.
fn shell(folder: &Path, script: &str) -> Output {
    let program = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", program.display());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-eu", "-c", script]).env_clear();
    shell.env("PATH", path).current_dir(folder);
    shell.stdin(Stdio::null()).output().unwrap()
}

/// Arguments of a command `docker run`.
#[derive(Default)]
struct Run {
    ports: Vec<(String, String)>,
    mounts: Vec<(PathBuf, String)>,
    variables: BTreeMap<String, String>,
    image: String,
    args: Vec<String>,
}

/// Runs the exports and the commands of Docker, with a function in Docker's place, and returns the image
/// that is built and what is run.
fn docker(pasted: &Pasted) -> (String, Run) {
    let script = format!(
        "docker() {{ for word; do printf '%s\\0' \"$word\"; done; printf '\\n\\0'; }}\n{}\n{}\nprintf '\\n\\0'; env -0",
        pasted.exports, pasted.docker
    );
    let out = shell(pasted.folder.path(), &script);
    assert!(out.status.success(), "{out:?}");
    let words = String::from_utf8(out.stdout).unwrap();
    let words: Vec<&str> = words.split_terminator('\0').collect();
    let parts: Vec<&[&str]> = words.split(|word| *word == "\n").collect();
    let [build, run, [], env] = parts.as_slice() else {
        panic!("{parts:?}")
    };
    let ["build", "-t", name, "."] = build else {
        panic!("{build:?}")
    };
    let env = env.iter().filter_map(|line| line.split_once('='));
    ((*name).to_owned(), parse(run, &env.collect()))
}

fn parse(words: &[&str], env: &BTreeMap<&str, &str>) -> Run {
    let mut words = words.iter().copied();
    assert_eq!(words.next(), Some("run"));
    let mut run = Run::default();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            word.clone_into(&mut run.image);
            run.args = words.map(str::to_owned).collect();
            break;
        }
        let value = words.next().unwrap();
        match word {
            "-p" => {
                let (host, container) = value.split_once(':').unwrap();
                run.ports.push((host.to_owned(), container.to_owned()));
            }
            "-v" => {
                let (host, rest) = value.split_once(':').unwrap();
                let inside = rest.strip_suffix(":ro").unwrap_or(rest);
                run.mounts.push((PathBuf::from(host), inside.to_owned()));
            }
            "-e" => {
                let (name, value) = value.split_once('=').unwrap_or_else(|| {
                    let exported = env.get(value);
                    (
                        value,
                        exported.unwrap_or_else(|| panic!("{value} is not exported")),
                    )
                });
                run.variables.insert(name.to_owned(), value.to_owned());
            }
            _ => panic!("the test does not know {word}"),
        }
    }
    run
}

/// Returns the words of an instruction of the Dockerfile, the last of its name.
fn image(instruction: &str) -> Vec<String> {
    let dockerfile = read("Dockerfile");
    let begin = format!("{instruction} ");
    let mut lines = dockerfile.lines().rev();
    let line = lines.find_map(|line| line.strip_prefix(&begin)).unwrap();
    serde_json::from_str(line).unwrap_or_else(|_| vec![line.to_owned()])
}

/// Ends the process when the test ends.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Returns user and group of the image.
fn user() -> (u32, u32) {
    let user = image("USER").concat();
    let (user, group) = user.split_once(':').unwrap();
    (user.parse().unwrap(), group.parse().unwrap())
}

/// Reports whether this test may become another user.
fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Copies what is mounted below `root`, where the user of the image can read it. A volume is a folder of
/// that user, as Docker makes it from the image's.
fn mount(run: &Run, pasted: &Path, root: &Path) {
    for (host, inside) in &run.mounts {
        let place = root.join(inside.trim_start_matches('/'));
        if host.components().count() == 1 {
            fs::create_dir_all(&place).unwrap();
            if is_root() {
                let (user, group) = user();
                std::os::unix::fs::chown(&place, Some(user), Some(group)).unwrap();
            }
            continue;
        }
        let shown = host.display();
        assert!(
            host.starts_with(pasted),
            "{shown} is not made by the README"
        );
        let found = fs::metadata(host).unwrap_or_else(|e| panic!("{shown}: {e}"));
        let can_read = found.mode() & 0o004 != 0;
        assert!(can_read, "the image's user cannot read {shown}");
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(host, &place).unwrap();
    }
}

/// Returns the config with each path of a secret below `root`, and calls that end on this machine.
fn inside(config: &str, root: &Path) -> String {
    let mut lines = Vec::new();
    for line in config.lines() {
        let (key, value) = line.split_once(": ").unwrap_or((line, ""));
        if key.ends_with("_file") && value.starts_with('/') {
            let place = root.join(value.trim_start_matches('/'));
            assert!(place.exists(), "{value} is not mounted");
            lines.push(format!("{key}: {}", place.display()));
        } else {
            lines.push(line.to_owned());
        }
        if matches!(line.trim(), "ncloud:" | "huawei:") {
            lines.push("      proxy_url: http://127.0.0.1:9".to_owned());
        }
    }
    lines.join("\n")
}

#[test]
fn the_small_config_passes_the_check_below_it() {
    let pasted = paste();
    let script = format!("{}\n{}", pasted.exports, pasted.check);
    let out = shell(pasted.folder.path(), &script);
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{out:?}");
    assert_eq!(told, format!("{CONFIG}: ok, 2 accounts, 4 products\n"));
}

#[test]
fn docker_run_starts_with_the_config_above_it() {
    let pasted = paste();
    let (built, run) = docker(&pasted);
    assert_eq!(run.image, built);
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(&root, Permissions::from_mode(0o755)).unwrap();
    mount(&run, pasted.folder.path(), root.path());

    let args = if run.args.is_empty() {
        image("CMD")
    } else {
        run.args.clone()
    };
    let [config, storage] = args.as_slice() else {
        panic!("{args:?}")
    };
    let config = config.strip_prefix("--config.file=").unwrap();
    let storage = storage.strip_prefix("--storage.path=").unwrap();
    for path in [config, storage] {
        let is_mounted = run.mounts.iter().any(|(_, inside)| inside == path);
        assert!(is_mounted, "{path} is not mounted");
    }
    let place = root.path().join(config.trim_start_matches('/'));
    let text = fs::read_to_string(&place).unwrap();
    for line in text.lines().filter_map(|line| line.split_once("_env: ")) {
        assert!(
            run.variables.contains_key(line.1),
            "{} is not passed",
            line.1
        );
    }
    fs::write(&place, inside(&text, root.path())).unwrap();

    // It listens on its default port, which is published.
    let port = image("EXPOSE").concat();
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains(&format!("[default: :{port}]")), "{help}");
    let published: Vec<&str> = run
        .ports
        .iter()
        .map(|(_, inside)| inside.as_str())
        .collect();
    assert_eq!(published, [port]);

    let program = root.path().join("rolling-upgrade-exporter");
    fs::copy(PROGRAM, &program).unwrap();
    let mut command = Command::new(&program);
    if is_root() {
        let (user, group) = user();
        command.uid(user).gid(group);
    }
    command
        .env_clear()
        .envs(&run.variables)
        .current_dir(root.path());
    command.arg(format!("--config.file={}", place.display()));
    let storage = root.path().join(storage.trim_start_matches('/'));
    command.arg(format!("--storage.path={}", storage.display()));
    command.arg("--web.listen-address=127.0.0.1:0");
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    // A process that another test starts at this moment holds the copy open until its own exec.
    let mut tries = 0;
    let child = loop {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < 500 => {
                tries += 1;
                thread::sleep(Duration::from_millis(20));
            }
            child => break child.unwrap(),
        }
    };
    let mut child = Ends(child);
    let mut log = BufReader::new(child.0.stderr.take().unwrap());
    let mut seen = String::new();
    let address = loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended: {seen}");
        seen += &line;
        if let Some((_, rest)) = line.split_once("Listening: page at http://") {
            break rest.split('/').next().unwrap().to_owned();
        }
    };
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /-/healthy HTTP/1.0\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200"),
        "{answer}"
    );
    assert!(storage.join("state.db").exists(), "{seen}");
}

#[test]
fn the_tour_installs_the_program_before_it_is_called() {
    let all: Vec<String> = files().iter().map(|path| read(path)).collect();
    let shell = all.iter().flat_map(|text| blocks(text));
    let shell = shell.filter(|(language, _)| *language == "sh");
    let lines: Vec<&str> = shell.flat_map(|(_, text)| text.lines()).collect();
    assert_eq!(lines[0], "cargo install --locked --path .");
    let calls = |line: &&&str| {
        line.trim_start()
            .split(' ')
            .next()
            .unwrap()
            .ends_with("rolling-upgrade-exporter")
    };
    let calls: Vec<_> = lines.iter().filter(calls).collect();
    assert!(calls.len() > 10, "{calls:?}");
    for line in calls {
        assert!(
            line.trim_start().starts_with("rolling-upgrade-exporter"),
            "{line}"
        );
    }
}
