//! The order of the fleet table, with clusters in every state.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rolling_upgrade_exporter::clock::Clock;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::board::{list, panels, read, substitute, text};
use super::{Prometheus, VALUES};

/// Clusters in the order of the table: name, state, stalled or not, seconds since anything moved.
const FLEET: [(&str, &str, bool, i64); 15] = [
    ("payments", "failed", false, 60),
    ("archive", "failed", false, 600),
    ("books", "partially_failed", false, 30),
    ("orders", "running", true, 9_000),
    ("carts", "pending", true, 4_000),
    ("metrics", "unknown", false, 100),
    ("images", "paused", false, 200),
    ("search", "running", false, 500),
    ("events", "running", false, 5),
    ("audit", "pending", false, 10),
    ("queue", "succeeded", false, 20),
    ("logs", "succeeded", false, 86_400),
    ("cache", "cancelled", false, 40),
    ("index", "none", false, 0),
    ("users", "none", false, 0),
];

const STATES: [&str; 9] = [
    "none",
    "pending",
    "running",
    "paused",
    "succeeded",
    "failed",
    "partially_failed",
    "cancelled",
    "unknown",
];

/// Returns what an exporter that watches the fleet serves, as far as the table asks for it.
fn exposition(now: i64) -> String {
    let mut out = String::new();
    // Not in the order of the table.
    for (name, state, stalled, idle) in FLEET.iter().rev() {
        let cluster = format!(
            "account=\"kr\",product=\"ses\",cluster_id=\"{name}-1\",cluster_name=\"{name}\""
        );
        let upgrade = format!("{cluster},kind=\"version\"");
        let mut line = |metric: &str, labels: &str, value: i64| {
            writeln!(out, "rolling_upgrade_{metric}{{{labels}}} {value}").unwrap();
        };
        for word in STATES {
            let labels = format!("{upgrade},status=\"{word}\"");
            line("status", &labels, i64::from(word == *state));
        }
        line("up", &cluster, 1);
        line("last_success_timestamp_seconds", &cluster, now);
        line("poll_interval_seconds", &cluster, 30);
        if *state == "none" {
            continue;
        }
        let versions = format!("{upgrade},from_version=\"1\",to_version=\"2\"");
        line("info", &versions, 1);
        line("stalled", &upgrade, i64::from(*stalled));
        line("progress_ratio", &upgrade, 0);
        line("duration_seconds", &upgrade, 10_000);
        line("last_progress_timestamp_seconds", &upgrade, now - idle);
        if ["failed", "partially_failed", "succeeded", "cancelled"].contains(state) {
            line("ended_timestamp_seconds", &upgrade, now - idle);
        }
    }
    out
}

/// Answers every request with the fleet; returns the port.
async fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let body = exposition(Clock::system().now().as_second());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let body = body.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(connection.read_u8().await?);
                }
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\
                     Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                connection.write_all(answer.as_bytes()).await
            });
        }
    });
    port
}

/// Returns the values of a column of the table by the cluster's name.
async fn column(prometheus: &Prometheus, panel: &Value, field: &str) -> BTreeMap<String, f64> {
    let letter = field.strip_prefix("Value #").unwrap();
    let is_it = |t: &&Value| text(t, "/refId") == letter;
    let target = list(panel, "/targets").iter().find(is_it).unwrap();
    let mut values = VALUES.to_vec();
    values.push(("cluster_name", ".*"));
    let expr = substitute(text(target, "/expr"), &values);
    let rows = prometheus.ask(&expr, true).await.unwrap();
    let number = rows.len();
    let value = |row: &Value| {
        let name = text(row, "/metric/cluster_name").to_owned();
        (name, text(row, "/value/1").parse().unwrap())
    };
    let found: BTreeMap<String, f64> = rows.iter().map(value).collect();
    assert_eq!(found.len(), number, "{field}: one row for each cluster");
    found
}

#[tokio::test]
async fn the_fleet_table_puts_trouble_first() {
    let port = serve().await;
    // Two exporters that watch the same clusters.
    let targets = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let prometheus = Prometheus::start(tempfile::tempdir().unwrap(), &targets, None).await;
    let board = read("rolling-upgrade-overview");
    let is_fleet = |p: &&Value| text(p, "/title") == "Upgrades with their progress";
    let panel = panels(&board).into_iter().find(is_fleet).unwrap();

    let steps = list(panel, "/transformations").iter();
    let mut sorts = steps.filter(|step| text(step, "/id") == "sortBy");
    let sort = &sorts.next().unwrap()["options"]["sort"][0];
    let ranks = column(&prometheus, panel, text(sort, "/field")).await;
    let mut names: Vec<&str> = ranks.keys().map(String::as_str).collect();
    names.sort_by(|a, b| ranks[*a].total_cmp(&ranks[*b]));
    if sort["desc"] == true {
        names.reverse();
    }
    let want = FLEET.map(|(name, _, _, _)| name);
    // Clusters without an upgrade are alike.
    let (have, idle) = names.split_at(13);
    assert_eq!(have, &want[..13], "{ranks:?}");
    let idle: BTreeSet<_> = idle.iter().copied().collect();
    assert_eq!(idle, BTreeSet::from(["index", "users"]));

    let whole = column(&prometheus, panel, "Value #A").await;
    for (name, state, stalled, _) in FLEET {
        assert_eq!(word(panel, whole[name]), state, "{name}");
        let rank = ranks[name].floor();
        let same = (rank - whole[name]).abs() < 0.5;
        assert_eq!(same, !stalled, "{name}: {rank} beside {}", whole[name]);
    }
    let ages = column(&prometheus, panel, "Value #H").await;
    assert_eq!(ages.len(), FLEET.len());
}

/// Returns the word that the table shows for a state's number.
fn word(panel: &Value, number: f64) -> String {
    let overrides = list(panel, "/fieldConfig/overrides").iter();
    let state = overrides
        .filter(|o| text(o, "/matcher/options") == "Value #A")
        .flat_map(|o| list(o, "/properties"))
        .find(|p| text(p, "/id") == "mappings")
        .unwrap();
    text(state, &format!("/value/0/options/{number}/text")).to_owned()
}
