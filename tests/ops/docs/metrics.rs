//! The tables of metrics, written from what `/metrics` says: of clusters in the golden files, of the
//! exporter from a running one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{compare, quoted, rows_below, table};
use crate::{read, root};

/// Labels whose values the docs do not list.
const FREE: &[&str] = &[
    "account",
    "alertmanager",
    "cloud",
    "cloud_region",
    "cluster_id",
    "cluster_name",
    "code",
    "endpoint",
    "from_version",
    "node",
    "order",
    "product",
    "raw_status",
    "revision",
    "role",
    "rustversion",
    "task",
    "to_version",
    "upgrade_id",
    "version",
];

/// Labels of every series of a cluster, and of an upgrade.
const IDENTITY: [&str; 5] = ["account", "product", "cluster_id", "cluster_name", "kind"];

const SCENARIO: &str = "
clusters:
  - {product: cce, id: b4b9e60f-8aa2-11ee-af09-0255ac10004f, versions: [v1.28.3-r0, v1.29.1-r0], starts_after: 1h,
     before: [{name: PreCheck, takes: 1s}], nodes: [{name: n, role: node}], steps: [{name: Upgrade, takes: 1s}]}
faults:
  - {path: upgradeinfo, from: 0s, lasts: 1h, answer: forbidden}
";

/// One account whose secondary call fails, one that cannot be reached, and an Alertmanager that is down, so
/// that every metric of the exporter has a series.
const CONFIG: &str = "
accounts:
  - {name: a, huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d,
     access_key: SIMHUAWEIACCESSKEY00, secret_key: sim-huawei-secret-key, cce: {endpoint: 'ENDPOINT'}}}
  - {name: b, huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d,
     access_key: a, secret_key: s, cce: {endpoint: 'http://127.0.0.1:9'}}}
alerting: {alertmanagers: [{url: 'http://127.0.0.1:9'}]}
";

/// Metrics that are absent until something fails.
const LATE: [&str; 4] = [
    "clock_skew",
    "degraded_since",
    "failing_since",
    "notifications_failing",
];

/// A process that ends with the test.
struct Process(Child);

impl Process {
    /// Starts the program; returns the address that it prints first after `before`.
    fn start(folder: &Path, args: &[&str], before: &str) -> (Self, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolling-upgrade-exporter"));
        command.args(args).current_dir(folder).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let log = child.stderr.take().unwrap();
        let process = Self(child);
        // The simulator prints it to standard output, the exporter logs it.
        let both: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(log)];
        let (found, address) = std::sync::mpsc::channel();
        for stream in both {
            let (found, before) = (found.clone(), before.to_owned());
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if let Some((_, rest)) = line.split_once(&before) {
                        let end = rest.find(['/', ' ']).unwrap_or(rest.len());
                        drop(found.send(rest.split_at(end).0.to_owned()));
                    }
                }
            });
        }
        let address = address.recv_timeout(Duration::from_secs(30)).unwrap();
        (process, address)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Returns the exposition of an exporter of which every own metric has a series.
fn scrape() -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("scenario.yml"), SCENARIO).unwrap();
    let args = [
        "simulate",
        "--listen-address=127.0.0.1:0",
        "--scenario=scenario.yml",
    ];
    let (_simulator, cloud) = Process::start(folder.path(), &args, " on http://");
    let config = CONFIG.replace("ENDPOINT", &format!("http://{cloud}"));
    fs::write(folder.path().join("config.yml"), config).unwrap();
    let args = [
        "--config.file=config.yml",
        "--web.listen-address=127.0.0.1:0",
        "--storage.path=state",
    ];
    let (_exporter, address) = Process::start(folder.path(), &args, "Listening: page at http://");
    let mut text = String::new();
    for _ in 0..600 {
        text = get(&address, "/metrics");
        let has = |name: &&str| text.contains(&format!("\nrolling_upgrade_exporter_{name}"));
        if LATE.iter().all(has) {
            return text;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("a metric is missing after a minute: {text}")
}

/// Metric as an exposition tells it.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    labels: Vec<String>,
    /// Values of each label.
    values: BTreeMap<String, BTreeSet<String>>,
}

/// Reads the labels of a sample: `a="b",c="d"`.
fn labels(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, value)) = rest.split_once("=\"") {
        let mut escaped = false;
        let end = value.find(|c| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        });
        let (value, after) = value.split_at(end.unwrap());
        found.push((name.to_owned(), value.to_owned()));
        rest = after.trim_start_matches('"').trim_start_matches(',');
    }
    found
}

/// Returns the metrics of an exposition, by name in the order in which they stand there.
fn families(exposition: &str, found: &mut Vec<(String, Family)>) {
    // A new one goes behind the one that it follows here.
    let mut next = 0;
    for line in exposition.lines() {
        let mut words = line.splitn(4, ' ');
        let (first, second) = (words.next().unwrap(), words.next());
        if first == "#" {
            let name = words.next().unwrap().to_owned();
            let text = words.next().unwrap_or_default().to_owned();
            let place = found.iter().position(|(known, _)| *known == name);
            let place = place.unwrap_or_else(|| {
                found.insert(next, (name, Family::default()));
                next
            });
            next = place + 1;
            let (_, family) = &mut found[place];
            if second == Some("HELP") {
                family.help = text;
            } else {
                family.kind = text;
            }
            continue;
        }
        let name = line.split(['{', ' ']).next().unwrap();
        let parts = ["_bucket", "_sum", "_count"];
        let whole = parts.iter().find_map(|part| name.strip_suffix(part));
        let is_it = |known: &str| known == name || whole == Some(known);
        let Some((_, family)) = found.iter_mut().find(|(known, _)| is_it(known)) else {
            continue;
        };
        let inside = line
            .split_once('{')
            .and_then(|(_, rest)| rest.rsplit_once("} "));
        for (label, value) in labels(inside.map_or("", |(labels, _)| labels)) {
            if label != "le" && !family.labels.contains(&label) {
                family.labels.push(label.clone());
            }
            family.values.entry(label).or_default().insert(value);
        }
    }
}

fn all() -> Vec<(String, Family)> {
    let mut found = Vec::new();
    let mut cases: Vec<_> = fs::read_dir(root().join("tests/golden"))
        .unwrap()
        .map(|case| case.unwrap().path().join("expected.prom"))
        .collect();
    // The longest has the most metrics, in the order of the page.
    cases.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    for case in cases {
        families(&fs::read_to_string(case).unwrap(), &mut found);
    }
    families(&scrape(), &mut found);
    found
}

/// Returns the table of the metrics that are chosen.
fn table_of(all: &[(String, Family)], is_it: impl Fn(&str, &Family) -> bool) -> String {
    let chosen = all.iter().filter(|(name, family)| is_it(name, family));
    let rows: Vec<[String; 4]> = chosen
        .map(|(name, family)| {
            let is_own = |label: &&String| {
                name.starts_with("rolling_upgrade_exporter_") || !IDENTITY.contains(&label.as_str())
            };
            let labels = family.labels.iter().filter(is_own);
            let labels: Vec<_> = labels.map(|label| format!("`{label}`")).collect();
            let help = family.help.strip_suffix('.').unwrap_or(&family.help);
            [
                format!("`{name}`"),
                family.kind.clone(),
                labels.join(", "),
                help.to_owned(),
            ]
        })
        .collect();
    table(["metric", "type", "labels", "meaning"], &rows)
}

/// Compares the table of label values with the values that are exposed.
fn compare_values(all: &[(String, Family)]) {
    let docs = read("docs/metrics.md");
    let rows = rows_below(&docs, "<!-- values -->\n");
    let mut exposed = vec![BTreeSet::new(); rows.len()];
    for (name, family) in all {
        let bound = family.values.iter();
        for (label, values) in bound.filter(|(label, _)| !FREE.contains(&label.as_str())) {
            if label == "le" {
                continue;
            }
            let is_it = |row: &Vec<&str>| {
                let mut names = quoted(row[1]).peekable();
                quoted(row[0]).any(|l| l == label)
                    && (names.peek().is_none() || names.any(|n| n == name))
            };
            let row = rows.iter().position(is_it);
            let row = row.unwrap_or_else(|| panic!("no row for {label} of {name}"));
            exposed[row].extend(values.iter().map(String::as_str));
        }
    }
    for (row, exposed) in rows.iter().zip(exposed) {
        let label = quoted(row[0]).next().unwrap();
        if !FREE.contains(&label) {
            let documented: BTreeSet<&str> = quoted(row[2]).collect();
            assert_eq!(documented, exposed, "{label} of {}", row[1]);
        }
    }
}

#[test]
fn the_tables_of_metrics_are_what_is_exposed() {
    let all = all();
    for (name, family) in &all {
        assert!(!family.help.is_empty() && !family.kind.is_empty(), "{name}");
    }
    let is_exporter = |name: &str| name.starts_with("rolling_upgrade_exporter_");
    let is_process = |name: &str| name.starts_with("process_");
    let is_upgrade = |family: &Family| family.labels.iter().any(|label| label == "kind");
    compare(
        "metrics upgrade",
        &table_of(&all, |_, family| is_upgrade(family)),
    );
    let is_cluster = |name: &str, family: &Family| {
        !is_exporter(name) && !is_process(name) && !is_upgrade(family)
    };
    compare("metrics cluster", &table_of(&all, is_cluster));
    compare(
        "metrics exporter",
        &table_of(&all, |name, _| is_exporter(name)),
    );
    compare(
        "metrics process",
        &table_of(&all, |name, _| is_process(name)),
    );
    compare_values(&all);
}

#[test]
fn labels_of_a_sample_are_read() {
    let read = labels(r#"a="1",b="x\"y,\\",c="""#);
    let read: Vec<_> = read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(read, [("a", "1"), ("b", r#"x\"y,\\"#), ("c", "")]);
}
