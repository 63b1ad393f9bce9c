//! Readers for vendors' JSON. Lenient in form: numbers as text, text as numbers, one object for a list,
//! null or a record of empty fields for nothing. Strict in meaning where a field decides: what cannot be
//! read there is an error that names the field, never an empty value.
//!
//! | reader | for | null, absent, empty | wrong type |
//! |---|---|---|---|
//! | [`text`], [`number`] | fields that decide nothing | empty | empty |
//! | [`strict_text`], [`strict_number`] | states, request dates, ids, orders, counts | empty | error |
//! | [`list`], [`entries`], [`present_entries`], [`or_default`], [`optional`] | lists and objects | empty | error |

mod fault;
mod list;
mod nothing;
mod number;
mod record;
mod repair;
mod scalar;
#[cfg(test)]
mod tests;

use serde::Deserialize as _;
use serde::de::DeserializeOwned;

pub(crate) use fault::{Unread, fault};
pub(crate) use list::{Entries, entries, list, present_entries};
pub(crate) use nothing::is_nothing;
pub(crate) use number::whole;
pub(crate) use record::{optional, or_default};
pub(crate) use scalar::{number, strict_number, strict_text, text};

use fault::Fault;
use record::Record;

/// Reads a JSON document; what [`repair`] mends is no error.
///
/// # Errors
/// Names the field that could not be read by its path, or the place of what is not JSON. The error
/// quotes nothing of the document.
pub(crate) fn read<T: DeserializeOwned>(document: &[u8]) -> Result<T, Unread> {
    parse(document).or_else(|error| match repair::repaired(document) {
        Some(repaired) => parse(&repaired).map_err(|error| locate::<T>(&repaired, &error)),
        None => Err(locate::<T>(document, &error)),
    })
}

fn parse<T: DeserializeOwned>(document: &[u8]) -> serde_json::Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(document);
    let Record(value) = Record::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads once more, to find the field that failed: following the path costs too much for good answers.
fn locate<T: DeserializeOwned>(document: &[u8], error: &serde_json::Error) -> Unread {
    if error.is_data() {
        let mut reader = serde_json::Deserializer::from_slice(document);
        let located = serde_path_to_error::deserialize::<_, Record<T>>(&mut reader).err();
        if let Some(located) = located.filter(|located| located.inner().is_data()) {
            return Unread::Field(Fault::of(&located));
        }
    }
    Unread::at(error, document.len())
}
