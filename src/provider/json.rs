//! Lenient readers for vendors' JSON: numbers as text, text as numbers, object or list, null for
//! absent. Meaning is checked by the mapping, not here.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// Text from a string, a number or a boolean; empty for null and anything else.
pub fn text<'de, D: Deserializer<'de>>(de: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(de)? {
        Value::String(s) => s,
        Value::Number(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        _ => String::new(),
    })
}

/// A whole number from a number or from text; none for anything else.
pub fn number<'de, D: Deserializer<'de>>(de: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(de)? {
        Value::Number(n) => n.as_i64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    })
}

/// A list from a list, from one object, or from null; entries that do not fit are an error.
pub fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(de: D) -> Result<Vec<T>, D::Error> {
    let values = match Value::deserialize(de)? {
        Value::Array(values) => values,
        Value::Null => Vec::new(),
        one => vec![one],
    };
    values
        .into_iter()
        .filter(|v| !v.is_null())
        .map(|v| serde_json::from_value(v).map_err(serde::de::Error::custom))
        .collect()
}

/// The default for null, for vendors that write it where they mean "absent".
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    de: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(de)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Wire {
        #[serde(deserialize_with = "text")]
        text: String,
        #[serde(deserialize_with = "number")]
        number: Option<i64>,
        #[serde(deserialize_with = "list")]
        list: Vec<Value>,
    }

    fn wire(json: &str) -> Wire {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn forms_are_folded() {
        assert_eq!(wire("{}"), Wire::default());
        assert_eq!(
            wire(r#"{"text":null,"number":null,"list":null}"#),
            Wire::default()
        );
        assert_eq!(wire(r#"{"text":3427188}"#).text, "3427188");
        assert_eq!(wire(r#"{"number":" 7 "}"#).number, Some(7));
        assert_eq!(wire(r#"{"number":"x"}"#).number, None);
        assert_eq!(wire(r#"{"list":{"a":1}}"#).list.len(), 1);
        assert_eq!(wire(r#"{"list":[{"a":1},null,2]}"#).list.len(), 2);
    }
}
