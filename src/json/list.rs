//! Lists.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::fault::Fault;
use super::nothing::is_nothing;
use super::record::Record;

/// Reads a list from a list, from one entry without a list around it, or from null. Entries that tell
/// nothing are left out: null, and records of empty fields and zeros only.
///
/// # Errors
/// Rejects entries that do not fit.
pub(crate) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    de: D,
) -> Result<Vec<T>, D::Error> {
    Ok(entries(de)?.list)
}

/// Reads a page of a list as [`list`] does, and counts the entries that it leaves out.
///
/// # Errors
/// Rejects entries that do not fit.
pub(crate) fn entries<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    de: D,
) -> Result<Entries<T>, D::Error> {
    de.deserialize_any(ListVisitor(PhantomData))
}

/// Reads a page of a list as [`entries`] does; with a default, `None` only where the field is missing:
/// null is an empty list.
///
/// # Errors
/// Rejects entries that do not fit.
pub(crate) fn present_entries<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    de: D,
) -> Result<Option<Entries<T>>, D::Error> {
    entries(de).map(Some)
}

/// Entries of a page.
#[derive(Debug)]
pub(crate) struct Entries<T> {
    /// Those that tell something.
    pub(crate) list: Vec<T>,
    /// Number of the others, which count where the vendor gives a total or a position.
    pub(crate) left_out: usize,
}

impl<T> Entries<T> {
    /// Returns the number of entries that the vendor sent.
    pub(crate) fn sent(&self) -> usize {
        self.list.len() + self.left_out
    }

    fn push(&mut self, entry: Option<T>) {
        match entry {
            Some(entry) => self.list.push(entry),
            None => self.left_out += 1,
        }
    }
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            left_out: 0,
        }
    }
}

/// Reads a list entry by entry: as one value, a million small entries take hundreds of megabytes.
struct ListVisitor<T>(PhantomData<T>);

impl<T: DeserializeOwned> ListVisitor<T> {
    fn one<E: de::Error>(value: impl Into<Value>) -> Result<Entries<T>, E> {
        let mut entries = Entries::default();
        entries.push(entry(&value.into())?);
        Ok(entries)
    }
}

/// An entry; `None` for one that tells nothing.
struct EntrySeed<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for EntrySeed<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Option<T>, D::Error> {
        entry(&Value::deserialize(de)?)
    }
}

fn entry<T: DeserializeOwned, E: de::Error>(value: &Value) -> Result<Option<T>, E> {
    if is_nothing(value) {
        return Ok(None);
    }
    if let Ok(Record(entry)) = Record::deserialize(value) {
        return Ok(Some(entry));
    }
    // Read once more, to find the field that failed.
    match serde_path_to_error::deserialize::<_, Record<T>>(value) {
        Ok(Record(entry)) => Ok(Some(entry)),
        Err(located) => Err(Fault::of(&located).nested()),
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for ListVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries<T>, A::Error> {
        let mut entries = Entries::default();
        while let Some(entry) = list.next_element_seed(EntrySeed(PhantomData))? {
            entries.push(entry);
        }
        Ok(entries)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entries<T>, A::Error> {
        Self::one(Value::deserialize(MapAccessDeserializer::new(map))?)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Entries<T>, E> {
        Ok(Entries::default())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Entries<T>, E> {
        Self::one(text)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Entries<T>, E> {
        Self::one(value)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Entries<T>, E> {
        Self::one(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Entries<T>, E> {
        Self::one(number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Entries<T>, E> {
        Self::one(number)
    }
}
