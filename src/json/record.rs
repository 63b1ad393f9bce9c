//! Objects. serde's derived readers also take a list and read its entries by position, so that a list
//! where an object belongs would pass for other fields; here it is an error.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use super::fault;
use super::nothing::Nothing;

/// Reads an object that may be missing; none for a value that tells nothing.
///
/// # Errors
/// Rejects any other value that is not an object.
pub(crate) fn optional<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    de: D,
) -> Result<Option<T>, D::Error> {
    de.deserialize_any(OptionalVisitor(PhantomData))
}

/// Reads an object; its default for a value that tells nothing.
///
/// # Errors
/// Rejects any other value that is not an object.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    de: D,
) -> Result<T, D::Error> {
    Ok(optional(de)?.unwrap_or_default())
}

/// A value whose struct is read from an object only.
pub(super) struct Record<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Record<T> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        T::deserialize(RecordDeserializer(de)).map(Self)
    }
}

struct RecordDeserializer<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for RecordDeserializer<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(ObjectVisitor(visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(ObjectVisitor(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct newtype_struct seq tuple tuple_struct enum identifier
    }
}

/// Passes an object on, and rejects anything else.
struct ObjectVisitor<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for ObjectVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(map)
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        Err(misfit("null"))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<V::Value, E> {
        Err(misfit("a boolean"))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<V::Value, E> {
        Err(misfit("a number"))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<V::Value, E> {
        Err(misfit("a number"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<V::Value, E> {
        Err(misfit("a number"))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<V::Value, E> {
        Err(misfit("a text"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<V::Value, A::Error> {
        Err(misfit("a list"))
    }
}

fn misfit<E: de::Error>(found: &str) -> E {
    fault(format_args!("is {found}, not an object"))
}

struct OptionalVisitor<T>(PhantomData<T>);

impl<T> OptionalVisitor<T> {
    fn none_if<E: de::Error>(is_nothing: bool, found: &str) -> Result<Option<T>, E> {
        if is_nothing {
            Ok(None)
        } else {
            Err(misfit(found))
        }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for OptionalVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Option<T>, E> {
        Self::none_if(!value, "a boolean")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Option<T>, E> {
        Self::none_if(number == 0, "a number")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Option<T>, E> {
        Self::none_if(number == 0, "a number")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Option<T>, E> {
        Self::none_if(number == 0.0, "a number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<T>, E> {
        Self::none_if(text.trim().is_empty(), "a text")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Option<T>, A::Error> {
        Self::none_if(Nothing::in_list(list)?, "a list")
    }
}
