//! Values that tell nothing: null, false, zero, blank text, and lists and objects of nothing else.

use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Returns true for a value that tells nothing.
pub(crate) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.iter().all(is_nothing),
        Value::Object(fields) => fields.values().all(is_nothing),
    }
}

/// The answer of [`is_nothing`] for a value that is passed over, not kept.
pub(super) struct Nothing(pub(super) bool);

impl Nothing {
    /// Reads a list to its end; true when it tells nothing.
    pub(super) fn in_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<bool, A::Error> {
        while let Some(Self(is_nothing)) = list.next_element()? {
            if !is_nothing {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads an object to its end; true when it tells nothing.
    pub(super) fn in_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<bool, A::Error> {
        while let Some((IgnoredAny, Self(is_nothing))) = map.next_entry()? {
            if !is_nothing {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        de.deserialize_any(NothingVisitor).map(Self)
    }
}

struct NothingVisitor;

impl<'de> Visitor<'de> for NothingVisitor {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<bool, E> {
        Ok(!value)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<bool, E> {
        Ok(number == 0)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<bool, E> {
        Ok(number == 0)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<bool, E> {
        Ok(number == 0.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<bool, E> {
        Ok(text.trim().is_empty())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<bool, A::Error> {
        Nothing::in_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        Nothing::in_map(map)
    }
}
