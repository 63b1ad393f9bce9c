//! The table of a whole fleet, as it is printed.

use std::path::Path;

use console::strip_ansi_codes;
use unicode_width::UnicodeWidthStr;

use rolling_upgrade_exporter::model::{Kind, NodeStatus, UpgradeStatus};

use super::*;

fn fleet() -> Report {
    serde_json::from_str(include_str!("../../../../tests/data/status/fleet.json")).unwrap()
}

/// Returns a report of one cluster with one upgrade of which every detail is told, changed.
fn detailed(change: impl FnOnce(&mut ClusterReport)) -> Report {
    let document = include_str!("../../../../tests/data/api/upgrades.json");
    let mut report: Report = serde_json::from_str(document).unwrap();
    report.products.clear();
    change(&mut report.clusters[0]);
    report
}

/// Returns the words of a text with one space between them, however it is broken into lines.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
fn a_failed_node_of_an_upgrade_in_work_is_in_its_state() {
    let mut report = fleet();
    let running =
        |upgrade: &&mut UpgradeReport| upgrade.status == UpgradeStatus::Running && !upgrade.stalled;
    let mut upgrades = report.clusters.iter_mut().flat_map(|c| &mut c.upgrades);
    let upgrade = upgrades.find(running).expect("an upgrade that runs");
    upgrade.nodes[0].status = NodeStatus::Failed.into();
    let text = table(&report, look(None));
    assert!(text.contains("\nrunning, a node failed  "), "{text}");
}

#[test]
fn wrong_clock_of_the_host_is_a_note_and_changes_no_age() {
    let right = table(&fleet(), look(None));
    let mut off = fleet();
    off.generated += jiff::SignedDuration::from_mins(20);
    for product in &mut off.products {
        product.clock_skew_seconds = Some(1200.0);
    }
    let text = table(&off, look(None));
    let (notes, others): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.contains("NTP"));
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(words(&others.join(" ")), words(&right));
    let mut accounts: Vec<_> = off.products.iter().map(|p| p.account.as_str()).collect();
    accounts.dedup();
    assert_eq!(notes.len(), accounts.len(), "{text}");
    let note = format!("{}  ", accounts[0]);
    let clock = "the clock of the exporter's host is 20m ahead of the vendor's.";
    assert!(
        notes[0].starts_with(&note) && notes[0].contains(clock),
        "{}",
        notes[0]
    );
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
    assert_eq!(rows.len(), 11);
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
        .take_while(|line| !line.is_empty())
        // What does not fit into a row goes on below it.
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split("  ").next().unwrap_or_default())
        .collect();
    let want = [
        "failed",
        "partially failed",
        "stalled",
        "running, no answer",
        "no answer",
        "running, overdue",
        "running",
        "unknown",
        "succeeded",
        "none",
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

#[test]
fn the_reason_stands_with_the_state_of_its_row() {
    let long = "restart: 재시작 \u{1b}[31m failed, ".repeat(20);
    for (status, stalled) in [
        (UpgradeStatus::Failed, false),
        (UpgradeStatus::Running, true),
    ] {
        let report = detailed(|cluster| {
            let upgrade = &mut cluster.upgrades[0];
            (upgrade.status, upgrade.stalled) = (status.into(), stalled);
            upgrade.overdue = false;
            upgrade.reason = Some(long.clone());
        });
        let state = if stalled { "stalled" } else { "failed" };
        for width in [40, 80, 160] {
            let text = table(&report, look(Some(width)));
            let mut lines = text.lines().skip(1);
            assert!(lines.next().unwrap().starts_with(state), "{text}");
            let line = lines.find(|line| line.starts_with("  restart: ")).unwrap();
            assert!(line.ends_with('…') && line.contains("[31m"), "{line}");
            let cut = usize::from(width) - line.width();
            assert!(cut < 2, "{width} has space for more: {line}");
            assert_eq!(lines.next(), Some(""), "it is one line: {text}");
            // Whole, and first, in the block of the upgrade.
            let block: Vec<&str> = text.lines().skip_while(|line| *line != "name-1").collect();
            let first = format!("  state       {state}: restart");
            assert!(block[1].starts_with(&first), "{text}");
            assert_eq!(words(&block.join(" ")).matches("failed, ").count(), 20);
        }
        let pipe = table(&report, look(None));
        let row = pipe.lines().nth(1).unwrap();
        assert_eq!(
            row.matches("재시작 \\u{1b}[31m failed,").count(),
            20,
            "{row}"
        );
    }
}

#[test]
fn the_block_tells_every_detail() {
    for width in [Some(80), Some(160), None] {
        let text = words(&table(&detailed(|_| {}), look(width)));
        for part in [
            "state running, overdue cluster css",
            "cluster is 200 available, in the vendor's words",
            "version Elasticsearch 7.6.2 -> 7.10.2 offered",
            "offered 7.10.2 (recommended)",
            "zones cn-north-4a -> cn-north-4c (ess)",
            "planned cn-north-4c: n-1, n-2",
            "agency css_agency",
            "task restart (1 of 1)",
            "precheck passed, and good for 58m20s, until 2027-01-15 09:00 UTC",
            "precheck failed: addon-limit-check (addon coredns): the add-on is too old [CCE.01400001]",
            "cancelling is not possible now",
            "STATE TASK TOOK VENDOR'S DESCRIPTION running 1 restart 30s The node is restarted.",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }
    // There a task has its description below its name.
    let narrow = words(&table(&detailed(|_| {}), look(Some(40))));
    assert!(
        narrow.contains("running 1 restart: The node is 30s restarted."),
        "{narrow}"
    );
}

#[test]
fn a_check_and_cancelling_matter_until_the_end() {
    let of = |change: &dyn Fn(&mut UpgradeReport)| {
        let report = detailed(|cluster| change(&mut cluster.upgrades[0]));
        words(&table(&report, look(None)))
    };
    let late = of(&|upgrade| {
        let until = upgrade.requested;
        let precheck = upgrade.precheck.as_mut().unwrap();
        (precheck.valid_until, precheck.findings_left_out) = (until, 3);
        upgrade.can_be_cancelled = Some(true);
    });
    let until = "precheck passed, and good until 2027-01-15 08:00 UTC, 1m40s ago";
    for part in [
        until,
        "precheck 3 more items failed",
        "cancelling is possible",
    ] {
        assert!(late.contains(part), "{part} is not in\n{late}");
    }
    let over = of(&|upgrade| {
        upgrade.status = UpgradeStatus::Cancelled.into();
        upgrade.ended = upgrade.requested;
    });
    assert!(
        !over.contains("cancelling") && !over.contains("good for"),
        "{over}"
    );
    assert!(
        over.contains("precheck failed: addon-limit-check"),
        "{over}"
    );
}

#[test]
fn names_of_versions_have_their_codes_where_there_is_space() {
    let report = detailed(|cluster| {
        let upgrade = &mut cluster.upgrades[0];
        let own = |text: &str| Some(text.to_owned());
        (upgrade.from_version, upgrade.to_version) = (own("290"), own("2140"));
        upgrade.from_version_name = own("OpenSearch 2.9.0");
        upgrade.to_version_name = own("OpenSearch 2.14.0");
    });
    for (width, part) in [
        (Some(80), "  -> 2140  "),
        (Some(120), "  290 -> 2140  "),
        (Some(160), "  OpenSearch 2.9.0 -> 2.14.0 (290 -> 2140)  "),
        (None, "  OpenSearch 2.9.0 -> 2.14.0 (290 -> 2140)  "),
    ] {
        let text = table(&report, look(width));
        let row = text.lines().nth(1).unwrap();
        assert!(row.contains(part), "{width:?}: {row}");
    }
}

#[test]
fn what_idle_clusters_can_be_upgraded_to_is_told() {
    let report = detailed(|cluster| cluster.upgrades.clear());
    let offer = "IDLE CLUSTER ACCOUNT AT VENDOR VERSION CAN BE UPGRADED TO \
                 name-1 cn-prod 200 available Elasticsearch 7.6.2 7.10.2 (recommended)";
    let text = words(&table(&report, look(Some(160))));
    assert!(text.ends_with(offer), "{text}");
    let narrow = words(&table(&report, look(Some(40))));
    let offer = "IDLE CLUSTER CAN BE UPGRADED TO name-1 7.10.2 (recommended)";
    assert!(narrow.ends_with(offer), "{narrow}");
    let summary = Look {
        summary: true,
        ..look(None)
    };
    assert!(!table(&report, summary).contains("CAN BE UPGRADED TO"));
    let wide = table(&report, look(Some(160)));
    let column = |line: &str, word: &str| line.find(word).unwrap();
    let lines: Vec<_> = wide.lines().collect();
    assert_eq!(
        column(lines[0], "AT VENDOR"),
        column(lines[1], "200 available")
    );
}

#[test]
fn a_move_between_several_zones_is_told_as_zones_alone() {
    let report = detailed(|cluster| {
        let upgrade = &mut cluster.upgrades[0];
        upgrade.kind = Kind::AzMigration.into();
        upgrade.from_version = Some("cn-north-4a,cn-north-4b".to_owned());
        upgrade.to_version = Some("cn-north-4c".to_owned());
        (upgrade.from_version_name, upgrade.to_version_name) = (None, None);
        let zones = upgrade.zone_move.as_mut().unwrap();
        zones.from = vec!["cn-north-4a".to_owned(), "cn-north-4b".to_owned()];
    });
    let text = words(&table(&report, look(None)));
    let zones = "zones cn-north-4a, cn-north-4b -> cn-north-4c (ess)";
    assert!(text.contains(zones), "{text}");
    assert!(!text.contains("version cn-north-4a"), "{text}");
}
