//! Forms of CSS's own: names joined by commas, JSON in a text.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::json::{self, fault};

/// Names joined by commas, as they come: a million names of their own would take ten times the room.
/// A list of names is read as well. Names decide the states of nodes: anything else is an error.
#[derive(Debug, Default)]
pub(in super::super) struct Names(String);

impl Names {
    /// Returns the names in their order; no text is no name, not one that is empty.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = &str> {
        let names = self.0.split(',').map(str::trim);
        names.filter(|name| !name.is_empty())
    }

    /// Returns the names in their order, joined by commas.
    pub(in super::super) fn joined(&self) -> String {
        self.iter().collect::<Vec<_>>().join(",")
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let joined = match Value::deserialize(de)? {
            Value::Null => String::new(),
            Value::String(text) => text,
            Value::Object(fields) if fields.is_empty() => String::new(),
            Value::Array(values) => {
                let names = values
                    .iter()
                    .map(|value| value.as_str().or(as_nothing(value)));
                let names = names.collect::<Option<Vec<_>>>();
                let names = names.ok_or_else(|| fault("is a list of other things than names"))?;
                names.join(",")
            }
            Value::Bool(_) => return Err(fault("is a boolean, not names")),
            Value::Number(_) => return Err(fault("is a number, not names")),
            Value::Object(_) => return Err(fault("is an object, not names")),
        };
        Ok(Self(joined))
    }
}

fn as_nothing(value: &Value) -> Option<&str> {
    value.is_null().then_some("")
}

/// Reads names that decide nothing; none of any other form.
pub(super) fn lenient_names<'de, D: Deserializer<'de>>(de: D) -> Result<Names, D::Error> {
    Ok(lenient(Value::deserialize(de)?))
}

fn lenient(value: Value) -> Names {
    Names::deserialize(value).unwrap_or_default()
}

/// Zones with the names of their nodes: a record that comes as JSON in a text.
#[derive(Debug, Default)]
pub(in super::super) struct Zones(Vec<(String, Names)>);

impl Zones {
    /// Returns the zones in alphabetical order, each with its nodes.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = (&str, &Names)> {
        self.0.iter().map(|(zone, nodes)| (zone.as_str(), nodes))
    }

    /// Returns the names of the zones in alphabetical order, joined by commas.
    pub(in super::super) fn joined(&self) -> String {
        self.iter()
            .map(|(zone, _)| zone)
            .collect::<Vec<_>>()
            .join(",")
    }
}

impl<'de> Deserialize<'de> for Zones {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let zones = fields(de)?.into_iter();
        let mut zones: Vec<(String, Names)> =
            zones.map(|(zone, nodes)| (zone, lenient(nodes))).collect();
        zones.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Self(zones))
    }
}

/// Reads a record that decides nothing, from JSON in a text or from an object; the default for
/// anything else.
pub(super) fn nested<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    de: D,
) -> Result<T, D::Error> {
    let record = serde_json::from_value(Value::Object(fields(de)?));
    Ok(record.unwrap_or_default())
}

/// Reads an object from JSON in a text or from an object; an empty one for anything else.
fn fields<'de, D: Deserializer<'de>>(de: D) -> Result<Map<String, Value>, D::Error> {
    let value = match Value::deserialize(de)? {
        Value::String(text) => json::read(text.as_bytes()).unwrap_or_default(),
        other => other,
    };
    Ok(match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    })
}

/// Reads a record that decides nothing; the default for what is not an object.
pub(super) fn record<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    de: D,
) -> Result<T, D::Error> {
    let value = Some(Value::deserialize(de)?).filter(Value::is_object);
    let record = value.and_then(|value| serde_json::from_value(value).ok());
    Ok(record.unwrap_or_default())
}

/// Reads a list of records that decide nothing; leaves out what is not an object.
pub(super) fn records<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    de: D,
) -> Result<Vec<T>, D::Error> {
    let values: Vec<Value> = json::list(de)?;
    let records = values.into_iter().filter(Value::is_object);
    Ok(records
        .filter_map(|value| serde_json::from_value(value).ok())
        .collect())
}
