//! Lenient readers for vendors' JSON: numbers as text, text as numbers, object or list, null for
//! absent. Meaning is checked by the mapping, not here.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
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

/// A list from a list, from one object, or from null; entries that do not fit are an error. Entries
/// that are null or `{}` tell nothing and take no room.
pub fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(de: D) -> Result<Vec<T>, D::Error> {
    de.deserialize_any(Entries(PhantomData))
}

/// Reads a list entry by entry: as one value, a million small entries take hundreds of megabytes.
struct Entries<T>(PhantomData<T>);

impl<T: DeserializeOwned> Entries<T> {
    fn push<E: de::Error>(entries: &mut Vec<T>, value: Value) -> Result<(), E> {
        let is_nothing =
            value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
        if !is_nothing {
            entries.push(serde_json::from_value(value).map_err(E::custom)?);
        }
        Ok(())
    }

    fn one<E: de::Error>(value: impl Into<Value>) -> Result<Vec<T>, E> {
        let mut entries = Vec::new();
        Self::push(&mut entries, value.into())?;
        Ok(entries)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Entries<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(value) = list.next_element()? {
            Self::push(&mut entries, value)?;
        }
        Ok(entries)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        Self::one(Value::deserialize(MapAccessDeserializer::new(map))?)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        Self::one(text)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Vec<T>, E> {
        Self::one(value)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Vec<T>, E> {
        Self::one(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Vec<T>, E> {
        Self::one(number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Vec<T>, E> {
        Self::one(number)
    }
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
        assert_eq!(wire(r#"{"list":[{"a":1},null,{},2]}"#).list.len(), 2);
        assert_eq!(wire(r#"{"list":{}}"#).list.len(), 0);
        for one in ["true", "1", "-1", "0.5", r#""a""#] {
            assert_eq!(wire(&format!(r#"{{"list":{one}}}"#)).list.len(), 1, "{one}");
        }
    }
}
