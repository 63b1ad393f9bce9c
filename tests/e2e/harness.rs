//! Processes, HTTP and metrics for the end-to-end tests.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::Instant;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_rolling-upgrade-exporter");

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A child process that ends with the test; its output goes to a file.
pub(crate) struct Process {
    pub(crate) child: Child,
    log: PathBuf,
}

impl Process {
    pub(crate) fn start(folder: &Path, program: &str, args: &[&str]) -> Self {
        Self::start_with(folder, program, args, &[])
    }

    pub(crate) fn start_with(
        folder: &Path,
        program: &str,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        let name = Path::new(program).file_name().unwrap().to_string_lossy();
        let log = folder.join(format!("{name}-{}.log", free_port()));
        let out = File::create(&log).unwrap();
        let child = Command::new(program)
            .args(args)
            .envs(env.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {program}: {e}"));
        Self { child, log }
    }

    /// What the process has written so far.
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("the process runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Sends SIGTERM and gives the exit code, with the time that the end took.
    pub(crate) async fn terminate(&mut self) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        self.signal("TERM").await;
        let status = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("no end:\n{}", self.output()));
        (status.unwrap().code(), begun.elapsed())
    }
}

/// A client without proxies and certificates: everything here is on loopback.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

/// The body of a GET that must answer 200.
pub(crate) async fn get(url: &str) -> Result<String, String> {
    let response = client().get(url).send().await.map_err(|e| e.to_string())?;
    let status = response.status();
    let body = response.text().await.map_err(|e| e.to_string())?;
    if status.is_success() {
        Ok(body)
    } else {
        Err(format!("{status}: {body}"))
    }
}

/// Asks again and again until there is an answer; panics with the last refusal when `patience` ends.
pub(crate) async fn eventually<T, F>(
    patience: Duration,
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let end = Instant::now() + patience;
    loop {
        let refusal = match ask().await {
            Ok(answer) => return answer,
            Err(refusal) => refusal,
        };
        assert!(Instant::now() < end, "{what}: {refusal}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// One sample of an exposition.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Sample {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// The samples of an exposition. Knows no more of the format than these tests meet.
pub(crate) fn samples(text: &str) -> Vec<Sample> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = match series.split_once('{') {
                Some((name, labels)) => (name, labels.trim_end_matches('}')),
                None => (series, ""),
            };
            let labels = labels
                .split("\",")
                .filter_map(|pair| pair.split_once("=\""))
                .map(|(k, v)| (k.to_owned(), v.trim_end_matches('"').to_owned()))
                .collect();
            Sample {
                name: name.to_owned(),
                labels,
                value: value
                    .parse()
                    .unwrap_or_else(|_| panic!("no number: {line}")),
            }
        })
        .collect()
}

/// The samples of one name with these labels.
pub(crate) fn select<'a>(
    samples: &'a [Sample],
    name: &str,
    labels: &[(&str, &str)],
) -> Vec<&'a Sample> {
    samples
        .iter()
        .filter(|s| s.name == name && labels.iter().all(|(k, v)| s.label(k) == *v))
        .collect()
}

/// A simulator that answers, and its address.
pub(crate) async fn start_simulator(folder: &Path, scenario: &str) -> (Process, String) {
    start_simulator_at(folder, free_port(), scenario).await
}

/// The same on this port.
pub(crate) async fn start_simulator_at(
    folder: &Path,
    port: u16,
    scenario: &str,
) -> (Process, String) {
    let address = format!("127.0.0.1:{port}");
    let url = format!("http://{address}");
    std::fs::write(folder.join("scenario.yml"), scenario).unwrap();
    let simulator = Process::start(
        folder,
        PROGRAM,
        &[
            "simulate",
            "--listen-address",
            &address,
            "--scenario",
            "scenario.yml",
        ],
    );
    eventually(Duration::from_secs(30), "the simulator", || async {
        let seen = get(&format!("{url}/-/seen")).await;
        seen.map_err(|e| format!("{e}\n{}", simulator.output()))
    })
    .await;
    (simulator, url)
}

/// An exporter on this port, with this config; it may not be ready yet.
pub(crate) fn start_exporter(folder: &Path, port: u16, config: &str) -> Process {
    start_exporter_with(folder, port, config, &[])
}

/// The same with more flags.
pub(crate) fn start_exporter_with(
    folder: &Path,
    port: u16,
    config: &str,
    flags: &[&str],
) -> Process {
    let file = format!("config-{port}.yml");
    std::fs::write(folder.join(&file), config).unwrap();
    let address = format!("127.0.0.1:{port}");
    let usual = ["--config.file", &file, "--web.listen-address", &address];
    let flags: Vec<&str> = usual.iter().chain(flags).copied().collect();
    Process::start(folder, PROGRAM, &flags)
}

/// A simulator with an exporter in front of it, as two processes.
pub(crate) struct Pair {
    pub(crate) simulator: Process,
    pub(crate) exporter: Process,
    pub(crate) sim_url: String,
    pub(crate) url: String,
    /// The exporter's config.
    pub(crate) config: PathBuf,
    pub(crate) folder: tempfile::TempDir,
}

impl Pair {
    /// Starts both. In `config`, `ENDPOINT` stands for the simulator's address.
    pub(crate) async fn start(scenario: &str, config: &str) -> Self {
        Self::start_with(scenario, config, &[]).await
    }

    /// The same with more flags of the exporter.
    pub(crate) async fn start_with(scenario: &str, config: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (simulator, sim_url) = start_simulator(folder.path(), scenario).await;
        let port = free_port();
        let config = config.replace("ENDPOINT", &sim_url);
        let pair = Self {
            exporter: start_exporter_with(folder.path(), port, &config, flags),
            simulator,
            sim_url,
            url: format!("http://127.0.0.1:{port}"),
            config: folder.path().join(format!("config-{port}.yml")),
            folder,
        };
        eventually(Duration::from_secs(30), "readiness", || async {
            get(&format!("{}/-/ready", pair.url)).await.map_err(|e| {
                format!(
                    "{e}\n{}\n{}",
                    pair.exporter.output(),
                    pair.simulator.output()
                )
            })
        })
        .await;
        pair
    }

    /// Puts another config in the place of the exporter's, as editors do; `ENDPOINT` as at the start.
    pub(crate) fn write_config(&self, config: &str) {
        let new = self.config.with_extension("new");
        std::fs::write(&new, config.replace("ENDPOINT", &self.sim_url)).unwrap();
        std::fs::rename(new, &self.config).unwrap();
    }

    /// What the exporter shows now.
    pub(crate) async fn samples(&self) -> Vec<Sample> {
        samples(&get(&format!("{}/metrics", self.url)).await.unwrap())
    }

    /// Waits until the exporter shows what is wanted.
    pub(crate) async fn until(
        &self,
        what: &str,
        wanted: impl Fn(&[Sample]) -> bool,
    ) -> Vec<Sample> {
        eventually(Duration::from_secs(60), what, || async {
            let now = self.samples().await;
            if wanted(&now) {
                Ok(now)
            } else {
                Err(format!("not yet\n{}", self.exporter.output()))
            }
        })
        .await
    }

    /// The requests that the simulator refused.
    pub(crate) async fn refused(&self) -> Vec<String> {
        refused(&self.sim_url).await
    }
}

/// The requests that the simulator at this address refused; there must have been some requests.
pub(crate) async fn refused(sim_url: &str) -> Vec<String> {
    let seen = get(&format!("{sim_url}/-/seen")).await.unwrap();
    let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
    assert!(seen["requests"].as_u64().unwrap() > 0, "{seen}");
    let refused = seen["refused"].as_array().unwrap();
    refused.iter().map(ToString::to_string).collect()
}
