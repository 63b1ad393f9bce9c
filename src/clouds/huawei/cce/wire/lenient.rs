//! Readers for details that decide nothing: a form that does not fit tells nothing, and is no error.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads an object; its default for anything else.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    de: D,
) -> Result<T, D::Error> {
    Ok(read(Value::deserialize(de)?).unwrap_or_default())
}

/// Reads a list of objects, or one without a list around it; entries that do not fit are left out.
pub(super) fn objects<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    de: D,
) -> Result<Vec<T>, D::Error> {
    Ok(entries(Value::deserialize(de)?).filter_map(read).collect())
}

/// Reads a list of texts, or one without a list around it; empty texts and other entries are left out.
pub(super) fn texts<'de, D: Deserializer<'de>>(de: D) -> Result<Vec<String>, D::Error> {
    let text = |entry: Value| match entry {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Ok(entries(Value::deserialize(de)?).filter_map(text).collect())
}

fn entries(value: Value) -> impl Iterator<Item = Value> {
    let entries = match value {
        Value::Array(entries) => entries,
        one => vec![one],
    };
    entries.into_iter()
}

/// Reads an object, and only that: serde's derived readers take a list, too, and read its entries by
/// position.
fn read<T: DeserializeOwned>(value: Value) -> Option<T> {
    if !value.is_object() {
        return None;
    }
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Thing {
        a: u8,
    }

    #[test]
    fn forms_that_do_not_fit_tell_nothing() {
        for odd in [
            json!(null),
            json!("x"),
            json!(1.5),
            json!([1]),
            json!({"a": "x"}),
        ] {
            assert_eq!(object::<_, Thing>(&odd).unwrap(), Thing::default(), "{odd}");
            assert_eq!(objects::<_, Thing>(&odd).unwrap(), [], "{odd}");
        }
        let mixed = json!([{"a": 1}, 7, null, {"a": []}, {"a": 2}]);
        assert_eq!(
            objects::<_, Thing>(&mixed).unwrap(),
            [Thing { a: 1 }, Thing { a: 2 }]
        );
        assert_eq!(
            objects::<_, Thing>(&json!({"a": 3})).unwrap(),
            [Thing { a: 3 }]
        );
    }

    #[test]
    fn texts_may_be_one_text() {
        for (json, want) in [
            (json!(["v1.29", "", 1, null, {}]), vec!["v1.29", "1"]),
            (json!("v1.29"), vec!["v1.29"]),
            (json!({"a": 1}), vec![]),
        ] {
            assert_eq!(texts(&json).unwrap(), want, "{json}");
        }
    }
}
