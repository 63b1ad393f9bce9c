//! Texts and whole numbers, in any form that a vendor writes them in.

use std::fmt;

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::fault;
use super::nothing::Nothing;
use super::number::Float;

/// Reads a text that decides nothing: from a string, a number or a boolean; empty for anything else.
/// A number in float form is read as [`strict_text`] does, or as it comes when it has a fraction.
pub(crate) fn text<'de, D: Deserializer<'de>>(de: D) -> Result<String, D::Error> {
    Ok(match Scalar::deserialize(de)? {
        Scalar::Text(text) => text,
        Scalar::Whole(number) => number.to_string(),
        Scalar::Fraction(number) => number.to_string(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Nothing | Scalar::Inexact | Scalar::List | Scalar::Object => String::new(),
    })
}

/// Reads a whole number that decides nothing: from a number or from text; none for anything else.
pub(crate) fn number<'de, D: Deserializer<'de>>(de: D) -> Result<Option<i64>, D::Error> {
    Ok(Scalar::deserialize(de)?.whole().unwrap_or_default())
}

/// Reads a text that decides: from a string or a whole number (`3427188`, `3427188.0`, `3.427188E6`);
/// empty for null and for lists and objects that tell nothing.
///
/// # Errors
/// Rejects booleans, fractions, floats beyond 2^53, and lists and objects that tell something.
pub(crate) fn strict_text<'de, D: Deserializer<'de>>(de: D) -> Result<String, D::Error> {
    match Scalar::deserialize(de)? {
        Scalar::Text(text) => Ok(text),
        Scalar::Whole(number) => Ok(number.to_string()),
        Scalar::Nothing => Ok(String::new()),
        other => Err(other.misfit("a text")),
    }
}

/// Reads a whole number that decides: from a number or a text, also in float form (`"2.0"`); none for
/// null, blank text, and lists and objects that tell nothing.
///
/// # Errors
/// Rejects any other value.
pub(crate) fn strict_number<'de, D: Deserializer<'de>>(de: D) -> Result<Option<i64>, D::Error> {
    Scalar::deserialize(de)?
        .whole()
        .map_err(|misfit| misfit.misfit("a whole number"))
}

/// A value where a text or a number belongs.
#[derive(Debug)]
enum Scalar {
    /// Null, or a list or an object that tells nothing.
    Nothing,
    Text(String),
    Whole(i128),
    Fraction(f64),
    /// A number that does not say which whole number it stands for.
    Inexact,
    Bool(bool),
    List,
    Object,
}

impl Scalar {
    /// Returns the whole number, `None` for nothing; or what is there instead.
    fn whole(self) -> Result<Option<i64>, Self> {
        match self {
            Self::Nothing => Ok(None),
            Self::Whole(number) => i64::try_from(number).map(Some).map_err(|_| Self::Inexact),
            Self::Text(text) => {
                let digits = text.trim();
                if digits.is_empty() {
                    return Ok(None);
                }
                if let Ok(number) = digits.parse() {
                    return Ok(Some(number));
                }
                match Float::parse(digits) {
                    Some(float) => Self::of(float).whole(),
                    None => Err(Self::Text(text)),
                }
            }
            other => Err(other),
        }
    }

    fn of(float: Float) -> Self {
        match float {
            Float::Whole(number) => Self::Whole(number.into()),
            Float::Fraction(number) => Self::Fraction(number),
            Float::Inexact => Self::Inexact,
        }
    }

    fn misfit<E: de::Error>(&self, wanted: &str) -> E {
        let found = match self {
            Self::Inexact => return fault("is a number beyond 2^53 that is not exact"),
            Self::Nothing => "empty",
            Self::Text(_) => "a text",
            Self::Whole(_) => "a whole number",
            Self::Fraction(_) => "a fraction",
            Self::Bool(_) => "a boolean",
            Self::List => "a list",
            Self::Object => "an object",
        };
        fault(format_args!("is {found}, not {wanted}"))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        de.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar::of(Float::of(number)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Scalar, A::Error> {
        Ok(if Nothing::in_list(list)? {
            Scalar::Nothing
        } else {
            Scalar::List
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scalar, A::Error> {
        Ok(if Nothing::in_map(map)? {
            Scalar::Nothing
        } else {
            Scalar::Object
        })
    }
}
