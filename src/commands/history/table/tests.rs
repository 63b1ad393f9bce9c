//! The table of a whole history, as it is printed.

use std::path::Path;

use console::strip_ansi_codes;
use unicode_width::UnicodeWidthStr;

use super::*;

fn history() -> HistoryReport {
    serde_json::from_str(include_str!("../../../../tests/data/history/report.json")).unwrap()
}

fn look(width: Option<u16>, summary: bool) -> Look {
    Look {
        width,
        colours: false,
        summary,
    }
}

fn rows_at(width: Option<u16>) -> String {
    table(&history(), false, look(width, true))
}

/// Returns the words of a text with one space between them, however it is broken into lines.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Compares a text with a file; `UPDATE=1` writes it anew.
fn is_file(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/history");
    let path = folder.join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{text}\n")).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(format!("{text}\n"), want, "UPDATE=1 writes {name} anew");
}

#[test]
fn the_history_is_written_as_in_the_files() {
    for (name, width, summary) in [
        ("rows-40.txt", Some(40), true),
        ("rows-80.txt", Some(80), true),
        ("rows-pipe.txt", None, true),
        ("nodes-80.txt", Some(80), false),
        ("nodes-140.txt", Some(140), false),
    ] {
        is_file(name, &table(&history(), false, look(width, summary)));
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [40, 60, 80, 100, 120, 140, 180, 200] {
        let text = table(&history(), false, look(Some(width), false));
        for line in text.lines() {
            assert!(line.width() <= usize::from(width), "{width}: {line}");
        }
    }
}

#[test]
fn each_upgrade_is_one_line_in_a_pipe() {
    let text = rows_at(None);
    let rows: Vec<String> = text.lines().map(words).collect();
    assert_eq!(
        rows[0],
        "OUTCOME ENDED CLUSTER PRODUCT ACCOUNT VERSION TOOK USUALLY NODES RETRIES SLOWEST NODE ID REASON"
    );
    let succeeded = "succeeded 2027-01-14 17:20Z search-shop ses kr-prod \
                     OpenSearch 2.9.0 -> 2.14.0 (290 -> 2140) 1h30m 1h10m 3/3 - search-shop-d-2a02 51m 3427203 -";
    assert_eq!(rows[1], succeeded);
    assert_eq!(rows.len(), 1 + history().upgrades.len());
}

#[test]
fn a_cluster_without_a_name_has_its_id() {
    assert!(words(&rows_at(Some(80))).contains("cancelled 2027-01-09 3432149 cdss"));
}

#[test]
fn nothing_foreign_of_the_history_reaches_the_terminal_raw() {
    for summary in [false, true] {
        let text = table(&history(), false, look(Some(80), summary));
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
        assert!(!text.contains('\u{202e}'), "{text}");
        assert!(text.contains("\\u{1b}[31mred"), "{text}");
    }
}

#[test]
fn colours_change_no_letter() {
    let plain = table(&history(), false, look(Some(80), false));
    let coloured = Look {
        colours: true,
        ..look(Some(80), false)
    };
    let coloured = table(&history(), false, coloured);
    assert_eq!(strip_ansi_codes(&coloured), plain);
    for part in [
        "\u{1b}[31m\u{1b}[1mfailed\u{1b}[0m",
        "\u{1b}[32msucceeded\u{1b}[0m",
        "\u{1b}[33mrolled back\u{1b}[0m",
    ] {
        assert!(coloured.contains(part), "{part:?} in {coloured:?}");
    }
}

#[test]
fn nodes_tell_when_they_started_and_how_long_they_took() {
    let text = words(&table(&history(), false, look(Some(140), false)));
    for part in [
        "css-billing outcome failed: Node replacement",
        "requested 2027-01-13 22:58 UTC",
        "took 1h30m, usually 1h10m, 20m longer",
        "retries 2",
        "succeeded ess-1 ess 2027-01-13 23:01:00 58m59s Data migration (1 of 3) complete",
        "failed ess-2 ess 00:00:05 2h9m Node replacement (2 of 3) error",
        "succeeded 1 Data migration 2027-01-13 23:01:00 59m5s Shards move to other nodes.",
        "move to another zone outcome rolled back",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!rows_at(Some(140)).contains("ess-1"), "only with --nodes");
}

#[test]
fn the_slowest_of_many_nodes_are_named() {
    let mut report = history();
    report.upgrades.truncate(1);
    let nodes = &mut report.upgrades[0].nodes;
    nodes.extend(nodes.clone());
    let text = words(&table(&report, false, look(None, false)));
    let slowest = "slowest search-shop-d-2a02 51m, search-shop-d-2a02 51m, search-shop-d-2a01 30m";
    assert!(text.contains(slowest), "{text}");
}

#[test]
fn an_empty_history_is_one_line() {
    let mut empty = history();
    empty.upgrades.clear();
    let text = |is_narrowed| table(&empty, is_narrowed, look(Some(80), false));
    assert_eq!(text(false), "No upgrade has ended yet.");
    assert_eq!(text(true), "No past upgrade matches.");
}

#[test]
fn upgrades_that_are_not_listed_are_counted() {
    let mut long = history();
    (long.more, long.left_out) = (1_200, 1);
    let text = table(&long, false, look(None, true));
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    assert_eq!(
        lines[2],
        "And 1,200 older upgrades: raise --limit to list more."
    );
    assert!(lines[0].contains("1 older upgrade: once it is stopped, --storage.path"));
}
