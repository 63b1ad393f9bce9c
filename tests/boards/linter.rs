//! The rules of grafana/dashboard-linter, at least as strict as there: they hold for every type of
//! panel, and for annotations and variables where they make sense.

use std::process::Command;

use serde_json::{Value, json};

use crate::Finding;
use crate::board::{annotations, label_values, list, panels, query_variables, substitute, text};
use crate::promql::{Selector, selectors};

/// A rule: what it finds wrong.
pub(crate) type Rule = (&'static str, fn(&Value) -> Vec<Finding>);

/// Every rule for boards on Prometheus, by the linter's name.
pub(crate) const RULES: &[Rule] = &[
    ("template-datasource-rule", template_datasource),
    ("template-job-rule", |b| template(b, "job", "Job")),
    ("template-instance-rule", |b| {
        template(b, "instance", "Instance")
    }),
    ("template-label-promql-rule", template_label_promql),
    ("template-on-time-change-reload-rule", template_reload),
    ("panel-datasource-rule", panel_datasource),
    ("panel-title-description-rule", panel_title_description),
    ("panel-units-rule", panel_units),
    ("panel-no-targets-rule", panel_no_targets),
    ("target-promql-rule", target_promql),
    ("target-rate-interval-rule", target_rate_interval),
    ("target-job-rule", |b| target_matcher(b, "job")),
    ("target-instance-rule", |b| target_matcher(b, "instance")),
    ("target-counter-agg-rule", target_counter_agg),
    ("uneditable-dashboard", uneditable),
];

/// The units that are used, of those that Grafana knows.
const UNITS: &[&str] = &[
    "short",
    "s",
    "percentunit",
    "reqps",
    "ops",
    "bytes",
    "dateTimeAsIso",
    "dateTimeFromNow",
];

/// Values for the variables with which every expression can be parsed.
const SAMPLES: &[(&str, &str)] = &[
    ("__rate_interval", "1m"),
    ("__interval", "15s"),
    ("__range", "6h"),
    ("job", "a"),
    ("account", "a"),
    ("product", "a"),
    ("cluster_name", "a"),
    ("cluster_id", "a"),
    ("kind", "a"),
];

fn of(panel: &Value, what: impl Into<String>) -> Finding {
    Finding {
        panel: text(panel, "/title").to_owned(),
        what: what.into(),
    }
}

fn of_board(what: impl Into<String>) -> Finding {
    of(&Value::Null, what)
}

/// The panels that show data.
fn shown(board: &Value) -> impl Iterator<Item = &Value> {
    let all = panels(board).into_iter();
    all.filter(|p| !["row", "text"].contains(&text(p, "/type")))
}

/// Returns the panels that ask Prometheus; a list of alerts asks Grafana.
fn queried(board: &Value) -> impl Iterator<Item = &Value> {
    shown(board).filter(|p| text(p, "/type") != "alertlist")
}

/// Every target, with its panel.
fn targets(board: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    shown(board).flat_map(|p| list(p, "/targets").iter().map(move |t| (p, t)))
}

/// What a check says of every selector of every target.
fn each_selector(board: &Value, check: impl Fn(&Selector) -> Option<String>) -> Vec<Finding> {
    targets(board)
        .flat_map(|(panel, target)| {
            let found = selectors(text(target, "/expr"));
            found
                .iter()
                .filter_map(&check)
                .map(|what| of(panel, what))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn template_datasource(board: &Value) -> Vec<Finding> {
    let sources: Vec<_> = list(board, "/templating/list")
        .iter()
        .filter(|v| text(v, "/type") == "datasource")
        .map(|v| (text(v, "/name"), text(v, "/label"), text(v, "/query")))
        .collect();
    let right = sources == [("datasource", "Data source", "prometheus")];
    (!right)
        .then(|| of_board(format!("{sources:?}")))
        .into_iter()
        .collect()
}

fn template(board: &Value, name: &str, label: &str) -> Vec<Finding> {
    let mut all = list(board, "/templating/list").iter();
    let Some(variable) = all.find(|v| text(v, "/name") == name) else {
        return vec![of_board(format!("no variable {name}"))];
    };
    let right = is_templated(variable)
        && text(variable, "/type") == "query"
        && text(variable, "/label") == label
        && variable["multi"] == true
        && text(variable, "/allValue") == ".+";
    (!right)
        .then(|| of_board(variable.to_string()))
        .into_iter()
        .collect()
}

fn template_label_promql(board: &Value) -> Vec<Finding> {
    query_variables(board)
        .filter(|v| label_values(v).is_none())
        .map(|v| of_board(text(v, "/query/query")))
        .collect()
}

fn template_reload(board: &Value) -> Vec<Finding> {
    query_variables(board)
        .filter(|v| v["refresh"] != 2)
        .map(|v| of_board(text(v, "/name")))
        .collect()
}

fn is_templated(json: &Value) -> bool {
    text(json, "/datasource/type") == "prometheus"
        && text(json, "/datasource/uid") == "${datasource}"
}

fn panel_datasource(board: &Value) -> Vec<Finding> {
    let panels = shown(board).map(|p| (p, p));
    let others = annotations(board)
        .chain(query_variables(board))
        .map(|o| (&Value::Null, o));
    panels
        .chain(targets(board))
        .chain(others)
        .filter(|(_, json)| !is_templated(json))
        .map(|(panel, json)| of(panel, json["datasource"].to_string()))
        .collect()
}

fn panel_title_description(board: &Value) -> Vec<Finding> {
    panels(board)
        .into_iter()
        .filter(|p| {
            let described = text(p, "/type") == "row" || text(p, "/description").ends_with('.');
            text(p, "/title").is_empty() || !described
        })
        .map(|p| of(p, "no title or no description"))
        .collect()
}

fn panel_units(board: &Value) -> Vec<Finding> {
    queried(board)
        .flat_map(|panel| {
            let overrides = list(panel, "/fieldConfig/overrides").iter();
            let properties = overrides.flat_map(|o| list(o, "/properties"));
            let units = properties
                .filter(|p| text(p, "/id") == "unit")
                .map(|p| text(p, "/value"))
                .chain([text(panel, "/fieldConfig/defaults/unit")]);
            units
                .filter(|unit| !UNITS.contains(unit))
                .map(|unit| of(panel, format!("unit {unit:?}")))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn panel_no_targets(board: &Value) -> Vec<Finding> {
    queried(board)
        .filter(|p| list(p, "/targets").is_empty())
        .map(|p| of(p, "no targets"))
        .collect()
}

fn target_rate_interval(board: &Value) -> Vec<Finding> {
    each_selector(board, |s| {
        let range = s.range.as_deref()?;
        let rate = matches!(s.function.as_deref(), Some("rate" | "irate"));
        let right = if rate {
            range == "$__rate_interval"
        } else {
            range.starts_with("$__")
        };
        (!right).then(|| format!("{:?} over {range}", s.function))
    })
}

fn target_matcher(board: &Value, label: &str) -> Vec<Finding> {
    each_selector(board, |s| {
        let has = s.has(label, "=~", &format!("${label}"));
        (!has).then(|| format!("{} has no {label}=~\"${label}\"", s.metric))
    })
}

fn target_counter_agg(board: &Value) -> Vec<Finding> {
    each_selector(board, |s| {
        let taken = matches!(s.function.as_deref(), Some("rate" | "irate" | "increase"));
        let right = taken && s.range.is_some();
        (s.metric.ends_with("_total") && !right).then(|| s.metric.clone())
    })
}

fn uneditable(board: &Value) -> Vec<Finding> {
    let editable = board["editable"] != false;
    editable
        .then(|| of_board("it can be edited"))
        .into_iter()
        .collect()
}

/// Puts every expression into a rule file, and gives what promtool says of each.
fn target_promql(board: &Value) -> Vec<Finding> {
    let null = &Value::Null;
    let targets = targets(board).map(|(panel, target)| (panel, text(target, "/expr")));
    let annotations = annotations(board).map(|a| (null, text(a, "/expr")));
    let variables = query_variables(board).filter_map(label_values);
    let all: Vec<_> = targets
        .chain(annotations)
        .chain(variables.map(|(series, _)| (null, series)))
        .map(|(panel, expr)| (panel, substitute(expr, SAMPLES)))
        .collect();
    let name = |i: usize| format!("board:expr{i}:");
    let rules: Vec<_> = all
        .iter()
        .enumerate()
        .map(|(i, (_, expr))| json!({"record": name(i), "expr": expr}))
        .collect();
    let said = promtool(&json!({"groups": [{"name": "boards", "rules": rules}]}));
    let mut out: Vec<_> = all
        .iter()
        .enumerate()
        // A variable that was not put in is a syntax error too, except within a text.
        .filter(|(i, (_, expr))| {
            said.contains(&name(*i)) || expr.contains("~\"$") || expr.contains("=\"$")
        })
        .map(|(_, (panel, expr))| of(panel, expr.as_str()))
        .collect();
    if out.is_empty() && !said.is_empty() {
        out.push(of_board(said));
    }
    out
}

/// What promtool has against a rule file; nothing when it takes it.
fn promtool(file: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("boards.rules.json");
    std::fs::write(&path, file.to_string()).unwrap();
    let output = Command::new("promtool")
        .args(["check", "rules"])
        .arg(&path)
        .output()
        .expect("promtool is installed (tests/setup.sh does it)");
    if output.status.success() {
        return String::new();
    }
    let said = [output.stdout, output.stderr].concat();
    format!("promtool: {}", String::from_utf8_lossy(&said))
}
