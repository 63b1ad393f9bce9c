//! Readers of a scenario's values, for the simulator and for what clouds and products read themselves.

use secrecy::SecretString;
use spanned_yaml::{Field, Section};

/// Takes a key into its place; a value that is missing, or wrong, leaves the default there.
pub(crate) fn set<T>(
    section: &mut Section<'_>,
    key: &str,
    place: &mut T,
    read: impl FnOnce(&Field<'_>) -> Option<T>,
) {
    if let Some(value) = section.take(key).and_then(|field| read(&field)) {
        *place = value;
    }
}

/// Takes a list; `None` when one of its entries is wrong.
pub(crate) fn list<T>(
    section: &mut Section<'_>,
    key: &str,
    read: impl Fn(&Field<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(field) = section.take(key) else {
        return Some(Vec::new());
    };
    let entries: Vec<Option<T>> = field.items()?.iter().map(read).collect();
    entries.into_iter().collect()
}

/// Reads a line of text.
pub(crate) fn text(field: &Field<'_>) -> Option<String> {
    field.text().map(str::to_owned)
}

/// Reads `true` or `false`.
pub(crate) fn flag(field: &Field<'_>) -> Option<bool> {
    field.bool()
}

/// Reads a secret.
pub(crate) fn secret(field: &Field<'_>) -> Option<SecretString> {
    field.raw().map(SecretString::from)
}
