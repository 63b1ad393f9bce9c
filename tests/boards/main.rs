//! The boards for Grafana: the rules of its linter, and what else must hold for them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod board;
mod exclusions;
mod house;
mod linter;
mod promql;
mod states;
mod trouble;

use serde_json::Value;

use board::{BOARDS, read, text};
use linter::Rule;

/// What a rule finds wrong, and on which panel; an empty title for the whole board.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) panel: String,
    pub(crate) what: String,
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    let rules = linter::RULES.iter().chain(house::RULES);
    rules.chain(trouble::RULES)
}

/// What these rules find wrong with a board, with their names; less what `.lint` excludes.
fn check(board: &Value, only: impl Fn(&str) -> bool) -> Vec<String> {
    let exclusions = exclusions::read();
    let title = text(board, "/title");
    rules()
        .filter(|(name, _)| only(name))
        .flat_map(|(name, rule)| rule(board).into_iter().map(move |f| (*name, f)))
        .filter(|(name, f)| !exclusions.iter().any(|e| e.covers(name, title, &f.panel)))
        .map(|(name, f)| format!("{name}: {}: {}", f.panel, f.what))
        .collect()
}

#[test]
fn the_boards_pass_every_rule() {
    for uid in BOARDS {
        let board = read(uid);
        assert_eq!(text(&board, "/uid"), uid);
        let wrong = check(&board, |_| true);
        assert!(wrong.is_empty(), "{uid}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn what_is_excluded_is_needed_and_has_a_reason() {
    let boards = BOARDS.map(read);
    for exclusion in exclusions::read() {
        assert!(exclusion.reason.ends_with('.'), "{exclusion:?}");
        let (name, rule) = rules().find(|(name, _)| *name == exclusion.rule).unwrap();
        let covered =
            |board: &Value, panel: &str| exclusion.covers(name, text(board, "/title"), panel);
        let needed = boards
            .iter()
            .any(|board| rule(board).iter().any(|f| covered(board, &f.panel)));
        assert!(needed, "{exclusion:?} excludes nothing");
    }
    let names: Vec<_> = exclusions::read().into_iter().map(|e| e.rule).collect();
    let want = [
        "template-instance-rule",
        "target-instance-rule",
        "target-job-rule",
    ];
    assert_eq!(names, want);
}

/// Replaces a text in the whole board.
fn replace(board: &mut Value, from: &str, to: &str) {
    let whole = board.to_string();
    assert!(whole.contains(from), "{from}");
    *board = serde_json::from_str(&whole.replace(from, to)).unwrap();
}

/// A rule, and a way to break the overview for it: the first panel of a type (or the board), a place
/// in it, and what to write there.
const WRITE: &[(&str, &str, &str, &str)] = &[
    (
        "template-datasource-rule",
        "",
        "/templating/list/0/label",
        r#""Source""#,
    ),
    (
        "template-datasource-rule",
        "",
        "/templating/list/0/query",
        r#""loki""#,
    ),
    (
        "template-job-rule",
        "",
        "/templating/list/1/allValue",
        r#"".*""#,
    ),
    (
        "template-job-rule",
        "",
        "/templating/list/1/name",
        r#""jobs""#,
    ),
    (
        "template-label-promql-rule",
        "",
        "/templating/list/2/query/query",
        r#""label_value(up, job)""#,
    ),
    (
        "template-on-time-change-reload-rule",
        "",
        "/templating/list/2/refresh",
        "1",
    ),
    (
        "panel-datasource-rule",
        "stat",
        "/datasource/uid",
        r#""prometheus""#,
    ),
    (
        "panel-datasource-rule",
        "table",
        "/targets/1/datasource",
        "null",
    ),
    (
        "panel-datasource-rule",
        "",
        "/annotations/list/1/datasource/uid",
        r#""x""#,
    ),
    (
        "panel-title-description-rule",
        "table",
        "/description",
        r#""""#,
    ),
    ("panel-title-description-rule", "row", "/title", r#""""#),
    (
        "panel-units-rule",
        "timeseries",
        "/fieldConfig/defaults/unit",
        r#""seconds""#,
    ),
    (
        "panel-units-rule",
        "state-timeline",
        "/fieldConfig/defaults/unit",
        "null",
    ),
    ("panel-no-targets-rule", "bargauge", "/targets", "[]"),
    (
        "target-promql-rule",
        "stat",
        "/targets/0/expr",
        r#""sum(up{job=~\"$job\"}""#,
    ),
    (
        "target-promql-rule",
        "stat",
        "/targets/0/expr",
        r#""up{job=~\"$jobs\"}""#,
    ),
    (
        "target-promql-rule",
        "",
        "/annotations/list/1/expr",
        r#""up{""#,
    ),
    ("uneditable-dashboard", "", "/editable", "true"),
    ("model", "", "/schemaVersion", "36"),
    ("unique", "table", "/id", "2"),
    ("unique", "table", "/title", r#""Running""#),
    ("grid", "table", "/gridPos/h", "13"),
    ("grid", "table", "/gridPos/w", "25"),
    (
        "states",
        "state-timeline",
        "/fieldConfig/defaults/mappings/0/options/8/text",
        r#""bad""#,
    ),
    ("links", "", "/links/0/includeVars", "false"),
    ("links", "", "/links/1/url", r#""http://localhost:10850""#),
    (
        "variables",
        "",
        "/templating/list/3/query/query",
        r#""label_values(rolling_upgrade_up, product)""#,
    ),
    ("variables", "", "/templating/list/4/multi", "false"),
    (
        "annotations",
        "",
        "/annotations/list/2/useValueForTime",
        r#""off""#,
    ),
    (
        "rank",
        "table",
        "/transformations/1/options/sort/0/desc",
        "false",
    ),
    (
        "rank",
        "table",
        "/transformations/1/options/sort/0/field",
        r#""Value #A""#,
    ),
    (
        "rank",
        "table",
        "/options/sortBy",
        r#"[{"desc": true, "displayName": "State"}]"#,
    ),
    ("alerts", "alertlist", "/options/alertName", r#""""#),
    (
        "alerts",
        "alertlist",
        "/options/stateFilter/firing",
        "false",
    ),
    ("alerts", "alertlist", "/gridPos/y", "60"),
];

/// The same with a text that is replaced everywhere.
const REPLACE: &[(&str, &str, &str)] = &[
    ("target-rate-interval-rule", "[$__rate_interval]", "[5m]"),
    ("target-rate-interval-rule", "[$__range]", "[5m]"),
    (
        "target-job-rule",
        r#"up{job=~\"$job\"}"#,
        r#"up{job=\"$job\"}"#,
    ),
    ("target-job-rule", r#"up{job=~\"$job\"}"#, "up"),
    (
        "target-counter-agg-rule",
        "rate(process_cpu_seconds_total",
        "deriv(process_cpu_seconds_total",
    ),
    (
        "metrics",
        "rolling_upgrade_stalled{",
        "rolling_upgrade_stuck{",
    ),
    (
        "states",
        " or 8 * rolling_upgrade_status{",
        " or 9 * rolling_upgrade_status{",
    ),
    ("states", r#"status=\"cancelled\""#, r#"status=\"failed\""#),
    ("colours", "#D55E00", "#009E73"),
    ("colours", "#D55E00", "#FF0000"),
    ("colours", "#D55E00", "red"),
    (
        "links",
        "/d/rolling-upgrade-cluster?",
        "/d/rolling-upgrade?",
    ),
    ("links", "#rollingupgradestalled", "#rollingupgradestuck"),
    ("annotations", r#"* 1000""#, r#"* 1""#),
    (
        "rank",
        "7 * rolling_upgrade_stalled{",
        "1 * rolling_upgrade_stalled{",
    ),
    ("rank", r#""Value #I":true"#, r#""Value #I":false"#),
    ("alerts", r#""alertlist""#, r#""text""#),
    ("closed", r#""collapsed":true"#, r#""collapsed":false"#),
    (
        "closed",
        "rolling_upgrade_exporter_poll_failures_total{",
        "rolling_upgrade_exporter_polls_total{",
    ),
    (
        "closed",
        "process_resident_memory_bytes{",
        "rolling_upgrade_progress_ratio{",
    ),
];

#[test]
fn a_broken_board_is_reported_by_each_rule() {
    let whole = read(BOARDS[0]);
    let mut broken = Vec::new();
    for (rule, kind, place, value) in WRITE {
        let mut board = whole.clone();
        let panels = board["panels"].as_array_mut().unwrap();
        let part = match panels.iter_mut().find(|p| text(p, "/type") == *kind) {
            Some(panel) => panel,
            None => &mut board,
        };
        let (parent, key) = place.rsplit_once('/').unwrap();
        let parent = part.pointer_mut(parent).unwrap();
        parent[key] = serde_json::from_str(value).unwrap();
        broken.push((*rule, board));
    }
    for (rule, from, to) in REPLACE {
        let mut board = whole.clone();
        replace(&mut board, from, to);
        broken.push((*rule, board));
    }
    for (i, (rule, board)) in broken.iter().enumerate() {
        let wrong = check(board, |name| name == *rule);
        assert!(!wrong.is_empty(), "{rule} says nothing of break {i}");
    }
    let excluded = ["template-instance-rule", "target-instance-rule"];
    for (rule, _) in rules() {
        let broken = broken.iter().any(|(name, _)| name == rule);
        assert!(broken || excluded.contains(rule), "{rule} is never broken");
    }
}

#[test]
fn a_missing_runbook_is_reported() {
    let mut board = read("rolling-upgrade-cluster");
    replace(
        &mut board,
        "#rollingupgradenodeslow",
        "#rollingupgradestalled",
    );
    let wrong = check(&board, |_| true);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains("RollingUpgradeNodeSlow"), "{wrong:?}");
}
