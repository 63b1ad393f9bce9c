//! A file with `clusterUpgradeAction` in YAML or JSON, checked against the vendor's documents.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::body::{Action, Addon, NodePriority, NodeSelector, RollingUpdate, Strategy};
use crate::text::quote;
use spanned_yaml::{At, Field, Node, Problem, Problems, Section};

/// Nodes that are upgraded at the same time, at most.
pub(super) const MOST_STEP: u64 = 120;

/// What the vendor advises.
const DEFAULT_STEP: u64 = 20;

/// The only strategy that there is.
const IN_PLACE: &str = "inPlaceRollingUpdate";

/// "A whole number that is not negative": of 32 bits, as the SDKs have it.
const MOST_PRIORITY: u64 = 0x7fff_ffff;

/// Operators of a label, with how many values each takes: at least and at most.
const OPERATORS: &[(&str, (&str, usize, usize))] = &[
    ("in", ("in", 1, usize::MAX)),
    ("notin", ("notin", 1, usize::MAX)),
    ("exists", ("exists", 0, 0)),
    ("!", ("!", 0, 0)),
    ("gt", ("gt", 1, 1)),
    ("lt", ("lt", 1, 1)),
];

/// What the file says; all of it may be left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Spec {
    addons: Vec<Addon>,
    node_order: BTreeMap<String, Vec<NodePriority>>,
    node_pool_order: BTreeMap<String, u64>,
    step: Option<u64>,
    scope: Option<&'static str>,
    is_only_upgrade: Option<bool>,
    agency_name: Option<String>,
}

impl Spec {
    /// Reads `clusterUpgradeAction`: by itself, under its name, or in the whole body of the request.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let problems = Problems::default();
        let spec = spanned_yaml::parse(text, &problems).map(|root| {
            let mut section = Section::new(&root, "the spec", At::START, &problems);
            if section.place("spec").is_some() {
                whole(section)
            } else if let Some(field) = lift(&mut section, "clusterUpgradeAction") {
                section.finish();
                action(field.section())
            } else {
                action(section)
            }
        });
        problems.settle(spec)
    }

    /// The action, with what the flags say over what the file says.
    pub(super) fn into_action(self, to_version: &str, step: Option<u64>) -> Action {
        Action {
            addons: self.addons,
            node_order: self.node_order,
            node_pool_order: self.node_pool_order,
            strategy: Strategy {
                kind: IN_PLACE,
                in_place_rolling_update: RollingUpdate {
                    user_defined_step: step.or(self.step).unwrap_or(DEFAULT_STEP),
                    scope: self.scope,
                },
            },
            target_version: to_version.to_owned(),
            is_only_upgrade: self.is_only_upgrade,
            agency_name: self.agency_name,
        }
    }
}

/// Takes a key only where it stands, so that it is not told among the keys that could be there.
fn lift<'a>(section: &mut Section<'a>, key: &str) -> Option<Field<'a>> {
    section.place(key)?;
    section.take(key)
}

/// The whole body: `metadata` and `spec`.
fn whole(mut section: Section<'_>) -> Spec {
    if let Some(field) = section.take("metadata") {
        let mut inner = field.section();
        for (key, word) in [("apiVersion", "v3"), ("kind", "UpgradeTask")] {
            if let Some(field) = inner.take(key) {
                field.one_of(&[(word, ())]);
            }
        }
        inner.finish();
    }
    let mut spec = Spec::default();
    if let Some(field) = section.take("spec") {
        let mut inner = field.section();
        if let Some(field) = inner.need("clusterUpgradeAction") {
            spec = action(field.section());
        }
        inner.finish();
    }
    section.finish();
    spec
}

fn action(mut section: Section<'_>) -> Spec {
    let mut spec = Spec::default();
    if let Some(field) = section.take("addons") {
        spec.addons = addons(&field);
    }
    if let Some(field) = section.take("nodeOrder") {
        spec.node_order = pools(&field, node_priorities);
    }
    if let Some(field) = section.take("nodePoolOrder") {
        spec.node_pool_order = pools(&field, |field| number(field, 0..=MOST_PRIORITY));
    }
    if let Some(field) = section.take("strategy") {
        (spec.step, spec.scope) = strategy(&field);
    }
    // The flag, which must be given, stands over it; a wrong one is still wrong.
    if let Some(field) = section.take("targetVersion")
        && let Some(text) = field.text()
        && let Some(advice) = version_advice(text)
    {
        field.wrong(format!("targetVersion {advice}"));
    }
    let only = section.take("isOnlyUpgrade");
    spec.is_only_upgrade =
        only.and_then(|field| is_unquoted(&field, "true or false").then(|| field.bool())?);
    spec.agency_name = section.take("agencyName").and_then(|f| agency(&f));
    section.finish();
    spec
}

/// Why this is no version of a cluster, and what is one.
pub(super) fn version_advice(text: &str) -> Option<&'static str> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_version = text.len() <= 32
        && text.strip_prefix('v').is_some_and(|rest| {
            let (release, patch) = match rest.split_once("-r") {
                Some((release, patch)) => (release, Some(patch)),
                None => (rest, None),
            };
            let parts: Vec<&str> = release.split('.').collect();
            let is_release = match patch {
                Some(patch) => parts.len() == 3 && digits(patch),
                None => (2..=3).contains(&parts.len()),
            };
            is_release && parts.into_iter().all(digits)
        });
    (!is_version).then_some("must be a version as CCE writes it: v1.28, or in full v1.28.3-r0")
}

fn strategy(field: &Field<'_>) -> (Option<u64>, Option<&'static str>) {
    let mut section = field.section();
    if let Some(field) = section.need("type") {
        field.one_of(&[(IN_PLACE, ())]);
    }
    let (mut step, mut scope) = (None, None);
    if let Some(field) = section.take(IN_PLACE) {
        let mut inner = field.section();
        step = inner
            .take("userDefinedStep")
            .and_then(|field| number(&field, 1..=MOST_STEP));
        scope = inner
            .take("scope")
            .and_then(|field| field.one_of(&[("Cluster", "Cluster"), ("NodePool", "NodePool")]));
        inner.finish();
    }
    section.finish();
    (step, scope)
}

fn addons(field: &Field<'_>) -> Vec<Addon> {
    let mut found: Vec<Addon> = Vec::new();
    for entry in field.items().unwrap_or_default() {
        let mut section = Section::new(entry.node, "an add-on", entry.at, entry.problems);
        let name = section.need("addonTemplateName");
        let name = name.and_then(|field| field.word("-._"));
        let operation = section.need("operation");
        let operation = operation.and_then(|field| field.one_of(&[("patch", "patch")]));
        let version = section.need("version");
        let version = version.and_then(|field| field.word("-._+"));
        let values = section.take("values").map(|field| object(&field));
        section.finish();
        let (Some(name), Some(operation), Some(version)) = (name, operation, version) else {
            continue;
        };
        if found.iter().any(|addon| addon.name == name) {
            entry.wrong(format!(
                "add-on {} stands here a second time: keep one",
                quote(name)
            ));
        }
        found.push(Addon {
            name: name.to_owned(),
            operation,
            version: version.to_owned(),
            values,
        });
    }
    found
}

/// A mapping from the ids of node pools.
fn pools<T>(field: &Field<'_>, read: impl Fn(&Field<'_>) -> Option<T>) -> BTreeMap<String, T> {
    let entries = match &field.node.value {
        spanned_yaml::Value::Map(entries) => entries,
        _ if field.node.is_null() => return BTreeMap::new(),
        _ => {
            field.wrong(format!(
                "{} must be a mapping from node pools, not {}",
                field.name,
                field.node.kind()
            ));
            return BTreeMap::new();
        }
    };
    let mut found = BTreeMap::new();
    for (key, node) in entries {
        let is_id = key
            .text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_id {
            field.problems.add(
                key.at,
                format!(
                    "{} is no id of a node pool: copy it from the console, or write DefaultPool for the default one",
                    spanned_yaml::shown_key(&key.text)
                ),
            );
            continue;
        }
        let value = Field {
            name: format!("the order of {}", key.text),
            at: key.at,
            node,
            problems: field.problems,
        };
        if let Some(value) = read(&value) {
            found.insert(key.text.clone(), value);
        }
    }
    found
}

fn node_priorities(field: &Field<'_>) -> Option<Vec<NodePriority>> {
    let items = field.items()?;
    if items.is_empty() {
        field.wrong(format!(
            "{} is empty: list its nodes, or remove it",
            field.name
        ));
    }
    let read = |entry: &Field<'_>| {
        let what = "an entry of nodeOrder";
        let mut section = Section::new(entry.node, what, entry.at, entry.problems);
        let selector = section.need("nodeSelector");
        let selector = selector.and_then(|field| node_selector(&field));
        let priority = section.need("priority");
        let priority = priority.and_then(|field| number(&field, 0..=MOST_PRIORITY));
        section.finish();
        Some(NodePriority {
            node_selector: selector?,
            priority: priority?,
        })
    };
    items.iter().map(read).collect()
}

fn node_selector(field: &Field<'_>) -> Option<NodeSelector> {
    let mut section = field.section();
    let key = section.need("key").and_then(|field| field.word("-._/"));
    let values = section.take("value");
    let operator = section.need("operator").and_then(|f| f.one_of(OPERATORS));
    section.finish();
    let mut value = Vec::new();
    if let Some(field) = &values {
        for item in field.items()? {
            value.push(item.text()?.to_owned());
        }
    }
    let (operator, least, most) = operator?;
    if !(least..=most).contains(&value.len()) {
        let wanted = match (least, most) {
            (_, 0) => "no value: remove it",
            (_, 1) => "one value",
            _ => "one value or more",
        };
        let at = values.as_ref().map_or(field.at, |values| values.at);
        field
            .problems
            .add(at, format!("the operator {operator} takes {wanted}"));
        return None;
    }
    Some(NodeSelector {
        key: key?.to_owned(),
        value,
        operator,
    })
}

/// Reads a whole number. The vendor refuses one that is a text.
fn number(field: &Field<'_>, range: RangeInclusive<u64>) -> Option<u64> {
    is_unquoted(field, "a whole number").then(|| field.integer(range))?
}

/// Returns true for a value that is not a text in quotes; one that is gets told with `what` it must be.
fn is_unquoted(field: &Field<'_>, what: &str) -> bool {
    let spanned_yaml::Value::Scalar { text, quoted: true } = &field.node.value else {
        return true;
    };
    field.wrong(format!(
        "{} must be {what} without quotes, not the text {}",
        field.name,
        quote(text)
    ));
    false
}

/// Text, also empty text in quotes.
fn agency(field: &Field<'_>) -> Option<String> {
    match &field.node.value {
        spanned_yaml::Value::Scalar { text, quoted: true } if text.is_empty() => {
            Some(String::new())
        }
        _ => field.word("-_").map(str::to_owned),
    }
}

/// The parameters of an add-on, of which only the add-on knows what they may be.
fn object(field: &Field<'_>) -> Value {
    if !matches!(field.node.value, spanned_yaml::Value::Map(_)) {
        field.wrong(format!(
            "{} must be a mapping (key: value), not {}",
            field.name,
            field.node.kind()
        ));
    }
    json(field.node, field.problems)
}

/// A tree as JSON. A word without quotes that JSON knows is what JSON takes it for.
fn json(node: &Node, problems: &Problems) -> Value {
    match &node.value {
        spanned_yaml::Value::Scalar { text, quoted } => {
            if *quoted {
                return Value::from(text.as_str());
            }
            if node.is_null() {
                return Value::Null;
            }
            match serde_json::from_str(text) {
                Ok(Value::Number(number)) => {
                    let is_whole = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
                    if is_whole && number.to_string() != *text {
                        let what =
                            format!("{} is too large a number: put it in quotes", quote(text));
                        problems.add(node.at, what);
                    }
                    Value::Number(number)
                }
                Ok(value @ Value::Bool(_)) => value,
                _ => Value::from(text.as_str()),
            }
        }
        spanned_yaml::Value::List(items) => items.iter().map(|item| json(item, problems)).collect(),
        spanned_yaml::Value::Map(entries) => {
            let entries = entries.iter();
            let map: Map<String, Value> = entries
                .map(|(key, node)| (key.text.clone(), json(node, problems)))
                .collect();
            Value::Object(map)
        }
    }
}
