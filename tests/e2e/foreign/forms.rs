//! Odd forms of good answers: what they mean is shown as if they came as documented.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{AGE, CONTENT_ENCODING, DATE};
use hyper::{Response, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;
use rolling_upgrade_exporter::clock::Clock;
use serde_json::{Map, Value};

use super::proxy::{self, Change, Rewrite};
use super::{PRODUCTS, SCENARIO, config, serve};
use crate::harness::{Sample, samples, select, start_simulator};

/// Ends of the paths of the calls that tell upgrades.
const UPGRADE_CALLS: [&str; 7] = [
    "/getRollingUpgradeProgress",
    "/rollingUpgradeProgressCheck",
    "/upgrade/detail",
    "/upgradeinfo",
    "/operation/upgradeworkflows",
    "/operation/upgrade/tasks",
    "/nodes",
];

fn plain(_: &str, document: &mut Value) -> Response<Vec<u8>> {
    Response::new(document.to_string().into_bytes())
}

/// Each key twice, a text that is no text under each, a byte order mark before all.
fn broken(_: &str, document: &mut Value) -> Response<Vec<u8>> {
    let mut body = b"\xef\xbb\xbf".to_vec();
    write_broken(document, &mut body);
    Response::new(body)
}

fn write_broken(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(object) => {
            out.extend(b"{\"unread \xff\":\"\\ud83d \xe9 \\udc00\"");
            for (key, value) in object {
                out.extend(format!(",{0}:[[true]],{0}:", Value::from(&**key)).bytes());
                write_broken(value, out);
            }
            out.push(b'}');
        }
        Value::Array(values) => {
            out.push(b'[');
            for (place, value) in values.iter().enumerate() {
                out.extend((place > 0).then_some(b','));
                write_broken(value, out);
            }
            out.push(b']');
        }
        Value::String(text) if matches!(text.as_str(), "search" | "events" | "logs" | "shop") => {
            out.extend(format!("\"{text}\\ud83d\"").bytes());
        }
        other => out.extend(other.to_string().bytes()),
    }
}

/// Whole numbers, and texts of digits, in float form.
fn floats(_: &str, document: &mut Value) -> Response<Vec<u8>> {
    leaves(document, &|leaf| {
        let number = match leaf {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse::<u64>().ok().and(text.parse().ok()),
            _ => None,
        };
        if let Some(number) = number {
            *leaf = Value::from(number);
        }
    });
    plain("", document)
}

fn gzipped(_: &str, document: &mut Value) -> Response<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(document.to_string().as_bytes()).unwrap();
    let answer = Response::builder().header(CONTENT_ENCODING, "gzip");
    answer.body(encoder.finish().unwrap()).unwrap()
}

/// From a cache, which has had it for ten minutes.
fn aged(_: &str, document: &mut Value) -> Response<Vec<u8>> {
    let made = Clock::system().now() - Duration::from_secs(600);
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&made);
    let answer = Response::builder().header(DATE, date.unwrap());
    let body = document.to_string().into_bytes();
    answer.header(AGE, "600").body(body).unwrap()
}

fn timed_out(_: &str, _: &mut Value) -> Response<Vec<u8>> {
    let answer = Response::builder().status(StatusCode::REQUEST_TIMEOUT);
    answer.body(Vec::new()).unwrap()
}

/// An entry of empty fields and zeros, a null and `{}` more in each list of objects.
fn padded(_: &str, document: &mut Value) -> Response<Vec<u8>> {
    pad(document);
    plain("", document)
}

fn pad(value: &mut Value) {
    match value {
        Value::Object(object) => object.values_mut().for_each(pad),
        Value::Array(list) => {
            list.iter_mut().for_each(pad);
            if let Some(last) = list.last().filter(|last| last.is_object()).cloned() {
                let mut empty = last;
                clear(&mut empty);
                list.extend([empty, Value::Null, Value::Object(Map::new())]);
            }
        }
        _ => {}
    }
}

/// Records of empty fields and zeros for everything that tells of upgrades; clusters at rest.
fn emptied(path: &str, document: &mut Value) -> Response<Vec<u8>> {
    if UPGRADE_CALLS.iter().any(|call| path.ends_with(call)) {
        let code = document.get("code").cloned();
        clear(document);
        if let Some(code) = code {
            document["code"] = code;
        }
    } else {
        rest(document);
        pad(document);
    }
    plain("", document)
}

/// As [`emptied`], with `{}` for every list and every object.
fn absent(path: &str, document: &mut Value) -> Response<Vec<u8>> {
    if UPGRADE_CALLS.iter().any(|call| path.ends_with(call)) {
        for value in document.as_object_mut().unwrap().values_mut() {
            if value.is_array() || value.is_object() {
                *value = Value::Object(Map::new());
            }
        }
    } else {
        rest(document);
    }
    plain("", document)
}

fn rest(document: &mut Value) {
    leaves(document, &|leaf| {
        let word = match leaf.as_str() {
            Some("changing") => "running",
            Some("Upgrading") => "Available",
            _ => return,
        };
        *leaf = Value::from(word);
    });
}

fn clear(value: &mut Value) {
    leaves(value, &|leaf| match leaf {
        Value::Number(_) => *leaf = Value::from(0),
        Value::Bool(_) => *leaf = Value::from(false),
        _ => *leaf = Value::from(""),
    });
}

fn leaves(value: &mut Value, visit: &impl Fn(&mut Value)) {
    match value {
        Value::Object(object) => object.values_mut().for_each(|v| leaves(v, visit)),
        Value::Array(list) => list.iter_mut().for_each(|v| leaves(v, visit)),
        Value::Null => {}
        leaf => visit(leaf),
    }
}

/// Log and samples of an exporter of all products whose answers are rewritten so.
async fn rewritten(rewrite: Rewrite) -> (String, Vec<Sample>) {
    let folder = tempfile::tempdir().unwrap();
    let (_simulator, vendor) = start_simulator(folder.path(), SCENARIO).await;
    let mut endpoints = Vec::new();
    for product in PRODUCTS {
        let url = proxy::start(&vendor, Change::Rewrite(rewrite)).await;
        endpoints.push((product, url));
    }
    let config = config(&endpoints);
    let (log, served) = serve(folder.path(), &config, "text", &["/metrics"]).await;
    (log, samples(&served[0]))
}

/// Samples of each product whose answers are rewritten so, and whose polls are good.
async fn shown(rewrite: Rewrite) -> Vec<Vec<Sample>> {
    let (log, all) = rewritten(rewrite).await;
    let of = |product| {
        let of = all.iter().filter(|s| s.label("product") == product);
        let of: Vec<Sample> = of.cloned().collect();
        assert!(has(&of, "rolling_upgrade_up", "", "", 1.0), "{log}");
        of
    };
    PRODUCTS.map(of).into()
}

fn has(samples: &[Sample], name: &str, label: &str, is: &str, value: f64) -> bool {
    let fits = |s: &&Sample| s.name == name && s.label(label) == is;
    let found: Vec<&Sample> = samples.iter().filter(fits).collect();
    found.len() == 1 && (found[0].value - value).abs() < 1e-9
}

/// Series that an answer decides, with their values; names end in the mark that [`broken`] adds to them.
fn meaning(samples: &[Sample], mark: &str) -> Vec<String> {
    let decided = |s: &&Sample| {
        s.name.starts_with("rolling_upgrade_")
            && !s.name.starts_with("rolling_upgrade_exporter")
            && !s.name.ends_with("_seconds")
    };
    let shown = samples.iter().filter(decided).map(|s| {
        let mut labels = s.labels.clone();
        if let Some(name) = labels.get_mut("cluster_name") {
            let plain = name.strip_suffix(mark).map(str::to_owned);
            *name = plain.unwrap_or_else(|| panic!("{name} has no mark"));
        }
        format!("{} {labels:?} {}", s.name, s.value)
    });
    shown.collect()
}

#[tokio::test]
async fn odd_forms_mean_what_the_documented_ones_mean() {
    let documented = shown(plain).await;
    let forms: [(Rewrite, &str); 4] = [
        (broken, "\u{fffd}"),
        (floats, ""),
        (gzipped, ""),
        (padded, ""),
    ];
    for (rewrite, mark) in forms {
        let odd = shown(rewrite).await;
        for (odd, documented) in odd.iter().zip(&documented) {
            let want = meaning(documented, "");
            assert!(want.len() > 10, "{want:?}");
            assert_eq!(meaning(odd, mark), want);
        }
    }
}

#[tokio::test]
async fn records_of_nothing_tell_of_no_upgrade_and_no_cluster() {
    for rewrite in [emptied, absent] {
        for samples in shown(rewrite).await {
            let is_none = has(&samples, "rolling_upgrade_status", "status", "none", 1.0);
            assert!(is_none, "{samples:?}");
            for (state, count) in [("watched", 1.0), ("inaccessible", 0.0)] {
                let name = "rolling_upgrade_exporter_clusters";
                assert!(has(&samples, name, "state", state, count), "{samples:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_of_a_cache_shows_no_clock_skew() {
    let (log, samples) = rewritten(aged).await;
    let skews = select(&samples, "rolling_upgrade_exporter_clock_skew_seconds", &[]);
    assert_eq!(skews.len(), PRODUCTS.len(), "{log}");
    for skew in skews {
        assert!(skew.value.abs() < 30.0, "{skew:?}");
    }
}

#[tokio::test]
async fn a_request_that_timed_out_at_the_vendor_is_repeated() {
    let (log, samples) = rewritten(timed_out).await;
    for product in PRODUCTS {
        let of = |name: &str, labels: &[(&str, &str)]| {
            let name = format!("rolling_upgrade_exporter_{name}");
            let labels = [&[("product", product)], labels].concat();
            let found = select(&samples, &name, &labels);
            found.iter().map(|s| s.value).sum::<f64>()
        };
        assert!(
            of("poll_failures_total", &[("reason", "server")]) > 0.0,
            "{log}"
        );
        let calls = of("api_requests_total", &[("code", "408")]);
        assert!(calls >= 3.0, "{product}: {calls}");
    }
}
