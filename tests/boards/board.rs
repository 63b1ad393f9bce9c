//! The boards as they are shipped, their panels and queries, and Grafana's variables put in.

use std::path::Path;

use serde_json::Value;

/// The names of the boards, which are their uids too.
pub(crate) const BOARDS: [&str; 2] = ["rolling-upgrade-overview", "rolling-upgrade-cluster"];

/// The JSON of a board.
pub(crate) fn read(uid: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    let text = std::fs::read_to_string(folder.join(format!("{uid}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A list in the JSON; empty when there is none.
pub(crate) fn list<'a>(json: &'a Value, pointer: &str) -> &'a [Value] {
    json.pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A text in the JSON; empty when there is none.
pub(crate) fn text<'a>(json: &'a Value, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// Every panel, rows and what is folded into them too.
pub(crate) fn panels(board: &Value) -> Vec<&Value> {
    let top = list(board, "/panels").iter();
    top.flat_map(|p| std::iter::once(p).chain(list(p, "/panels")))
        .collect()
}

/// Every annotation with a query.
pub(crate) fn annotations(board: &Value) -> impl Iterator<Item = &Value> {
    let all = list(board, "/annotations/list").iter();
    all.filter(|a| a.get("builtIn").is_none())
}

/// Every variable with a query.
pub(crate) fn query_variables(board: &Value) -> impl Iterator<Item = &Value> {
    let all = list(board, "/templating/list").iter();
    all.filter(|v| text(v, "/type") == "query")
}

/// The series that a variable takes its values from, and the label. None: not of the form
/// `label_values(series, label)`.
pub(crate) fn label_values(variable: &Value) -> Option<(&str, &str)> {
    let inner = text(variable, "/query/query")
        .strip_prefix("label_values(")?
        .strip_suffix(')')?;
    let (series, label) = inner.rsplit_once(", ")?;
    let is_label = label.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    (is_label && !label.is_empty()).then_some((series, label))
}

/// Puts values in for variables; one that has none stays.
pub(crate) fn substitute(expr: &str, values: &[(&str, &str)]) -> String {
    let mut parts = expr.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, rest) = part.split_at(ends.unwrap_or(part.len()));
        let value = values.iter().find(|(known, _)| *known == name);
        let unknown = || format!("${name}");
        out.push_str(&value.map_or_else(unknown, |(_, value)| (*value).to_owned()));
        out.push_str(rest);
    }
    out
}
