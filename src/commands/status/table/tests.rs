//! The table of a whole fleet, as it is printed.

use std::path::Path;

use console::strip_ansi_codes;
use unicode_width::UnicodeWidthStr;

use super::*;

fn fleet() -> Report {
    serde_json::from_str(include_str!("../../../../tests/data/status/fleet.json")).unwrap()
}

fn look(width: Option<u16>) -> Look {
    Look {
        width,
        colours: false,
        summary: false,
    }
}

/// The file with this text; `UPDATE=1` writes it anew.
fn is_file(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/status");
    let path = folder.join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{text}\n")).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(format!("{text}\n"), want, "UPDATE=1 writes {name} anew");
}

#[test]
fn a_fleet_is_told_as_in_the_files() {
    is_file("fleet-40.txt", &table(&fleet(), look(Some(40))));
    is_file("fleet-80.txt", &table(&fleet(), look(Some(80))));
    is_file("fleet-140.txt", &table(&fleet(), look(Some(140))));
    is_file("fleet-pipe.txt", &table(&fleet(), look(None)));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [40, 60, 80, 100, 120, 140, 200] {
        let text = table(&fleet(), look(Some(width)));
        for line in text.lines() {
            assert!(line.width() <= usize::from(width), "{width}: {line}");
        }
    }
}

/// Korean and Chinese letters are two columns wide: what stands right of them must not move.
#[test]
fn columns_stand_below_each_other() {
    let look = Look {
        summary: true,
        ..look(None)
    };
    let text = table(&fleet(), look);
    let column = |line: &str, word: &str| line.split_once(word).map(|(left, _)| left.width());
    let mut lines = text.lines();
    let header = column(lines.next().unwrap(), "ACCOUNT").unwrap();
    let rows: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), 10);
    for row in rows {
        let own = column(row, "cn-prod").or(column(row, "kr-prod"));
        assert_eq!(own, Some(header), "{row}");
    }
}

#[test]
fn trouble_comes_first() {
    let text = table(&fleet(), look(Some(140)));
    let states: Vec<_> = text
        .lines()
        .skip(1)
        .take(10)
        .map(|line| line.split("  ").next().unwrap_or_default())
        .collect();
    let want = [
        "failed",
        "partially failed",
        "stalled",
        "running, no answer",
        "no answer",
        "running",
        "running, overdue",
        "unknown",
        "succeeded",
        "none",
    ];
    assert_eq!(states, want);
}

#[test]
fn a_summary_tells_what_is_missing() {
    let look = Look {
        summary: true,
        ..look(None)
    };
    let text = table(&fleet(), look);
    for part in [
        "cn-prod cce 商店-前端    Degraded for 20m, missing: states of nodes (needs cce:node:list); permission: ",
        "kr-prod ses search-idle  Degraded for 1m, missing: the number of the region",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn nothing_foreign_reaches_the_terminal_raw() {
    let text = table(&fleet(), look(Some(80)));
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
    assert!(!text.contains('\u{202e}'));
    assert!(text.contains("\\u{1b}[31mred"), "{text}");
}

#[test]
fn colours_change_no_letter() {
    let plain = table(&fleet(), look(Some(80)));
    let coloured = Look {
        colours: true,
        ..look(Some(80))
    };
    let coloured = table(&fleet(), coloured);
    assert_eq!(strip_ansi_codes(&coloured), plain);
    for part in [
        "\u{1b}[31m\u{1b}[1mfailed\u{1b}[0m",
        "\u{1b}[32msucceeded\u{1b}[0m",
        "\u{1b}[33m\u{1b}[1mstalled\u{1b}[0m",
    ] {
        assert!(coloured.contains(part), "{part:?} in {coloured:?}");
    }
}

#[test]
fn an_empty_fleet_is_told() {
    let mut report = fleet();
    report.clusters.clear();
    report.products.clear();
    assert_eq!(table(&report, look(Some(80))), "No cluster is watched.");
}
