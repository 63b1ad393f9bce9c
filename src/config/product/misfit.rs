//! Values that are no section of a product or no list of clusters, each with what to write instead.

use crate::cloud::Product;
use crate::fields::id::IdForm;
use crate::model::bounds::check_id;
use crate::text::quote;
use spanned_yaml::{Field, Value};

/// Returns what is wrong with a product's value and what to write instead; `None` for a mapping, and where
/// nothing is written.
pub(super) fn product(field: &Field<'_>) -> Option<String> {
    let name = &field.name;
    let all = format!("{name}: {{}} to watch all its clusters");
    let (what, remedy) = match &field.node.value {
        Value::Map(_) => return None,
        Value::Scalar { .. } if field.node.is_null() => return None,
        Value::List(_) => (
            "a list".to_owned(),
            format!("write {all}, or {name}: {{clusters: [id, …]}}"),
        ),
        Value::Scalar { text, .. } => match text.trim().to_ascii_lowercase().as_str() {
            word @ ("true" | "yes" | "on" | "all") => (word.to_owned(), format!("write {all}")),
            word @ ("false" | "no" | "off" | "none") => {
                let remedy = format!("remove {name} to watch none of its clusters");
                (word.to_owned(), remedy)
            }
            _ => (
                "text".to_owned(),
                format!("write {all}, or {name}: {{clusters: [id, …]}}"),
            ),
        },
    };
    Some(format!("{name} must be a mapping, not {what}: {remedy}"))
}

/// Returns what to write instead of a text in place of a list of clusters.
pub(super) fn clusters(text: &str, product: &dyn Product) -> String {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    let is_id = |word: &&str| {
        let is_number = word.bytes().all(|b| b.is_ascii_digit());
        // Whatever is a word may be an id of the other products, and ids of the vendors hold digits.
        let has_digit = word.bytes().any(|b| b.is_ascii_digit());
        is_number || (product.info().ids == IdForm::Word && has_digit && check_id(word).is_ok())
    };
    let remedy = if text.contains('*') {
        format!(
            "put a pattern under include, as in include: [{}]",
            quote(text)
        )
    } else if !words.is_empty() && words.iter().all(is_id) {
        format!("write clusters: [{}]", words.join(", "))
    } else {
        "write all, or the ids in brackets".to_owned()
    };
    format!(
        "clusters must be all or a list of ids, not {}: {remedy}",
        quote(text)
    )
}
