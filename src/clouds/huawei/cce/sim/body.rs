//! Checks the body of `operation/upgrade` against the tables of the vendor's page.

use serde_json::{Map, Value, json};

use crate::sim::Request;

/// Operators of a label.
const OPERATORS: [&str; 6] = ["in", "notin", "exists", "!", "gt", "lt"];

/// Keys of `clusterUpgradeAction`.
const KEYS: [&str; 7] = [
    "addons",
    "nodeOrder",
    "nodePoolOrder",
    "strategy",
    "targetVersion",
    "isOnlyUpgrade",
    "agencyName",
];

/// Field and reason of a refusal.
type Checked = Result<(), String>;

/// Returns what is not as the vendor documents it, with the name of the field; `None` when all of it is.
pub(super) fn wrong(body: &Value, request: &Request<'_>) -> Option<String> {
    let is_json = request
        .header("content-type")
        .is_some_and(|value| value.starts_with("application/json"));
    if !is_json {
        return Some("a POST needs Content-Type: application/json".to_owned());
    }
    if body["metadata"] != json!({"apiVersion": "v3", "kind": "UpgradeTask"}) {
        return Some("metadata is not that of an UpgradeTask".to_owned());
    }
    let Some(action) = body["spec"]["clusterUpgradeAction"].as_object() else {
        return Some("spec.clusterUpgradeAction is missing".to_owned());
    };
    check(action).err()
}

fn check(action: &Map<String, Value>) -> Checked {
    if let Some(key) = action.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("there is no field {key}"));
    }
    let null = Value::Null;
    let of = |key: &str| action.get(key).unwrap_or(&null);
    text(of("targetVersion"), "targetVersion")?;
    strategy(of("strategy"))?;
    each(of("addons"), "addons", addon)?;
    by_pool(of("nodeOrder"), "nodeOrder", |value, place| {
        must(value.is_array(), place, "must be a list")?;
        each(value, place, node_priority)
    })?;
    by_pool(of("nodePoolOrder"), "nodePoolOrder", priority)?;
    let only = of("isOnlyUpgrade");
    must(
        only.is_null() || only.is_boolean(),
        "isOnlyUpgrade",
        "must be a boolean",
    )?;
    let agency = of("agencyName");
    must(
        agency.is_null() || agency.is_string(),
        "agencyName",
        "must be a string",
    )
}

fn strategy(strategy: &Value) -> Checked {
    let kind = "inPlaceRollingUpdate";
    must(
        strategy["type"] == kind,
        "strategy.type",
        "must be inPlaceRollingUpdate",
    )?;
    let update = &strategy[kind];
    let step = update["userDefinedStep"].as_u64();
    must(
        step.is_some_and(|step| (1..=120).contains(&step)),
        "strategy.inPlaceRollingUpdate.userDefinedStep",
        "must be an integer from 1 to 120",
    )?;
    let scope = &update["scope"];
    must(
        scope.is_null() || scope == "Cluster" || scope == "NodePool",
        "strategy.inPlaceRollingUpdate.scope",
        "must be Cluster or NodePool",
    )
}

fn addon(addon: &Value, place: &str) -> Checked {
    text(
        &addon["addonTemplateName"],
        &format!("{place}.addonTemplateName"),
    )?;
    text(&addon["version"], &format!("{place}.version"))?;
    must(
        addon["operation"] == "patch",
        &format!("{place}.operation"),
        "must be patch",
    )?;
    let values = &addon["values"];
    must(
        values.is_null() || values.is_object(),
        &format!("{place}.values"),
        "must be an object",
    )
}

fn node_priority(entry: &Value, place: &str) -> Checked {
    let selector = &entry["nodeSelector"];
    let at = format!("{place}.nodeSelector");
    must(selector.is_object(), &at, "must be an object")?;
    text(&selector["key"], &format!("{at}.key"))?;
    let operator = selector["operator"].as_str();
    must(
        operator.is_some_and(|operator| OPERATORS.contains(&operator)),
        &format!("{at}.operator"),
        "must be in, notin, exists, !, gt or lt",
    )?;
    each(
        &selector["value"],
        &format!("{at}.value"),
        |value, place| must(value.is_string(), place, "must be a string"),
    )?;
    priority(&entry["priority"], &format!("{place}.priority"))
}

fn priority(value: &Value, place: &str) -> Checked {
    let is_one = value
        .as_u64()
        .is_some_and(|number| i32::try_from(number).is_ok());
    must(is_one, place, "must be an integer from 0")
}

/// Checks a list, which may be missing.
fn each(list: &Value, place: &str, check: impl Fn(&Value, &str) -> Checked) -> Checked {
    let Some(entries) = list.as_array() else {
        return must(list.is_null(), place, "must be a list");
    };
    let mut entries = entries.iter().enumerate();
    entries.try_for_each(|(at, entry)| check(entry, &format!("{place}[{at}]")))
}

/// Checks an object by node pools, which may be missing.
fn by_pool(pools: &Value, place: &str, check: impl Fn(&Value, &str) -> Checked) -> Checked {
    let Some(pools) = pools.as_object() else {
        return must(pools.is_null(), place, "must be an object");
    };
    let mut pools = pools.iter();
    pools.try_for_each(|(pool, value)| check(value, &format!("{place}.{pool}")))
}

fn text(value: &Value, place: &str) -> Checked {
    let is_text = value.as_str().is_some_and(|text| !text.is_empty());
    must(is_text, place, "must be a string that is not empty")
}

fn must(is_so: bool, place: &str, what: &str) -> Checked {
    if is_so {
        Ok(())
    } else {
        Err(format!("{place} {what}"))
    }
}
