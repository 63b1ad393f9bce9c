//! The demo's series, recorded once and played to the rules: `alerts/tests/demo-replay.test.yml`.
//!
//! `UPDATE=1 cargo test --test e2e replay` records anew, which takes three minutes; then read the
//! expectations above the recording, and correct them where the demo plays another story. Every other
//! run looks whether the demo still shows what was recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rolling_upgrade_exporter::alert;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::telemetry::seconds;
use tokio::process::Command;

use crate::harness::{PROGRAM, Process, eventually, free_port, get, samples};

/// The line after which everything is recorded.
const MARK: &str = "    input_series:\n";
/// How each recorded series begins.
const SERIES: &str = "      - series: '";
/// Scrapes of a recording, one a second: every upgrade of the demo comes to an end, and another one has
/// failed and another one is stalled when it is over.
const SCRAPES: u32 = 190;
/// What Prometheus adds.
const TARGET: &str = "job=\"rolling-upgrade-exporter\",instance=\"127.0.0.1:10850\"";
/// Metrics that rules read and the demo does not have: nothing of it fails, it posts no alerts, and
/// it stores nothing.
const NOT_IN_THE_DEMO: [&str; 4] = [
    "rolling_upgrade_exporter_degraded_since_timestamp_seconds",
    "rolling_upgrade_exporter_failing_since_timestamp_seconds",
    "rolling_upgrade_exporter_notifications_failing_since_timestamp_seconds",
    "rolling_upgrade_exporter_storage_up",
];

/// By metric, the sets of label names with which it comes.
type Shape = BTreeMap<String, BTreeSet<BTreeSet<String>>>;

#[tokio::test]
async fn the_rules_play_what_the_demo_shows() {
    let path = folder().join("demo-replay.test.yml");
    if std::env::var_os("UPDATE").is_some() {
        let old = std::fs::read_to_string(&path).unwrap();
        let (head, _) = old.split_once(MARK).unwrap();
        let new = format!("{head}{MARK}{}", record().await);
        std::fs::write(&path, new).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap();
    let recorded = recorded_shape(&file);
    let wanted = names();
    let mut known: BTreeSet<String> = recorded.keys().cloned().collect();
    known.extend(NOT_IN_THE_DEMO.map(str::to_owned));
    assert_eq!(known, wanted, "of these the rules speak");

    let mut demo = Demo::start(&["--speed=8"]);
    let mut live = Shape::new();
    let patience = Duration::from_secs(40);
    let begun = tokio::time::Instant::now();
    while live != recorded {
        take_shape(&mut live, &demo.scrape().await, &wanted);
        let news: Vec<_> = live
            .iter()
            .flat_map(|(name, sets)| sets.iter().map(move |set| (name, set)))
            .filter(|(name, set)| recorded.get(*name).is_none_or(|sets| !sets.contains(*set)))
            .collect();
        assert!(
            news.is_empty(),
            "not in the recording: {news:?}\nrun: UPDATE=1 cargo test --test e2e replay"
        );
        assert!(
            begun.elapsed() < patience,
            "the recording has more than the demo: {recorded:?}, {live:?}\n\
             run: UPDATE=1 cargo test --test e2e replay"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    demo.process.terminate().await;
    play(&path).await;
}

/// Lets promtool play the recording.
pub(super) async fn play(path: &Path) {
    let output = Command::new("promtool")
        .args(["test", "rules"])
        .arg(path)
        .output()
        .await
        .expect("promtool is installed (tests/setup.sh does it)");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts/tests")
}

/// Returns the metrics that some rule reads.
pub(super) fn names() -> BTreeSet<String> {
    let expressions: Vec<String> = alert::rules().map(|rule| (rule.expr)()).collect();
    expressions
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| word.starts_with("rolling_upgrade_"))
        .map(str::to_owned)
        .collect()
}

fn recorded_shape(file: &str) -> Shape {
    let (_, recording) = file.split_once(MARK).unwrap();
    let lines = recording.lines().filter_map(|line| {
        let series = line.strip_prefix(SERIES)?.strip_suffix('\'')?;
        let series = series.replace(&format!(",{TARGET}"), "");
        // Without other labels the target's stand alone.
        Some(series.replace(TARGET, "").replace("''", "'") + " 0\n")
    });
    let mut shape = Shape::new();
    take_shape(&mut shape, &lines.collect::<String>(), &names());
    shape
}

fn take_shape(shape: &mut Shape, text: &str, wanted: &BTreeSet<String>) {
    for sample in samples(text) {
        if wanted.contains(&sample.name) {
            let labels = sample.labels.into_keys().collect();
            shape.entry(sample.name).or_default().insert(labels);
        }
    }
}

struct Demo {
    process: Process,
    url: String,
    _folder: tempfile::TempDir,
}

impl Demo {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let mut args = vec!["demo", "--web.listen-address", &address];
        args.extend(more);
        Self {
            process: Process::start(folder.path(), PROGRAM, &args),
            url: format!("http://{address}/metrics"),
            _folder: folder,
        }
    }

    async fn scrape(&self) -> String {
        eventually(Duration::from_secs(30), "the demo", || async {
            let text = get(&self.url).await;
            text.map_err(|e| format!("{e}\n{}", self.process.output()))
        })
        .await
    }
}

/// Scrapes a whole demo, and gives its series in promtool's notation.
async fn record() -> String {
    let mut demo = Demo::start(&[]);
    demo.scrape().await;
    let wanted = names();
    let start = Clock::system().now();
    let mut series: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    for second in 0..SCRAPES {
        tick.tick().await;
        for line in demo.scrape().await.lines() {
            let (name, _) = line.split_once(['{', ' ']).unwrap_or_default();
            if wanted.contains(name) {
                let (labels, value) = line.rsplit_once(' ').unwrap();
                let values = series.entry(labels.to_owned()).or_default();
                values.resize(usize::try_from(second).unwrap(), None);
                values.push(Some(rebased(name, value, start)));
            }
        }
    }
    let passed = Clock::system().now().duration_since(start).as_secs_f64();
    let late = passed - f64::from(SCRAPES - 1);
    assert!(late.abs() < 0.5, "the machine is too busy: {late} s late");
    demo.process.terminate().await;
    let mut out = String::new();
    for (series, values) in series {
        writeln!(out, "{SERIES}{}'", targeted(&series).replace('\'', "''")).unwrap();
        writeln!(out, "        values: '{}'", notation(&values)).unwrap();
    }
    out
}

/// Returns a value as promtool has to get it: its time begins at 0.
pub(super) fn rebased(name: &str, value: &str, start: Timestamp) -> String {
    if !name.ends_with("_timestamp_seconds") {
        return value.to_owned();
    }
    let at: f64 = value.parse().unwrap();
    // The difference of two large numbers has more decimals than either.
    (((at - seconds(start)) * 1000.0).round() / 1000.0).to_string()
}

/// Returns the series with the labels of its target.
pub(super) fn targeted(series: &str) -> String {
    match series.strip_suffix('}') {
        Some(open) => format!("{open},{TARGET}}}"),
        None => format!("{series}{{{TARGET}}}"),
    }
}

/// Values in promtool's notation: `1x3` is 1 and three more, `_x3` three scrapes without it. A series
/// that is gone, at the latest when the recording ends, gets a marker of staleness.
fn notation(values: &[Option<String>]) -> String {
    let mut words = Vec::new();
    let runs = values.chunk_by(|a, b| a == b);
    for run in runs {
        match (&run[0], run.len()) {
            (Some(value), 1) => words.push(value.clone()),
            (Some(value), n) => words.push(format!("{value}x{}", n - 1)),
            (None, n) if words.is_empty() => words.push(format!("_x{n}")),
            (None, 1) => words.push("stale".to_owned()),
            (None, n) => words.push(format!("stale _x{}", n - 1)),
        }
    }
    words.push("stale".to_owned());
    words.join(" ")
}

#[test]
fn values_are_written_short() {
    let values = |text: &str| -> Vec<Option<String>> {
        text.split(' ')
            .map(|word| (word != "_").then(|| word.to_owned()))
            .collect()
    };
    assert_eq!(notation(&values("_ _ 1 1 1 0")), "_x2 1x2 0 stale");
    assert_eq!(
        notation(&values("_ -2.5 _ 3 _ _ 4")),
        "_x1 -2.5 stale 3 stale _x1 4 stale"
    );
    let start = Timestamp::from_second(1_760_000_000).unwrap();
    assert_eq!(
        rebased("x_timestamp_seconds", "1760000003.25", start),
        "3.25"
    );
    assert_eq!(rebased("x_timestamp_seconds", "1759999999", start), "-1");
    assert_eq!(rebased("x_seconds", "5", start), "5");
    assert_eq!(targeted("x{a=\"b\"}"), format!("x{{a=\"b\",{TARGET}}}"));
    assert_eq!(targeted("x"), format!("x{{{TARGET}}}"));
}
