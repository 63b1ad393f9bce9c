//! Ids of clusters, in the forms that products have.

use std::sync::Arc;

use spanned_yaml::Field;

use crate::model::bounds;
use crate::text::quote;

/// Form of a product's cluster ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForm {
    /// Whole numbers. They are kept as they are written: they are names, not amounts.
    Number,
    /// Words ([`bounds::check_id`]).
    Word,
}

impl IdForm {
    /// Reads the id of a cluster of this product.
    pub fn read(self, product: &str, field: &Field<'_>) -> Option<Arc<str>> {
        let text = field.text()?;
        match self.fault(product, text) {
            None => Some(text.into()),
            Some(fault) => {
                field.wrong(fault);
                None
            }
        }
    }

    /// Returns what is wrong with a text as an id, and what to write instead.
    fn fault(self, product: &str, text: &str) -> Option<String> {
        let is_number = text.bytes().all(|b| b.is_ascii_digit())
            && !text.starts_with('0')
            && text.parse::<u64>().is_ok();
        match self {
            Self::Number if is_number => None,
            Self::Number => Some(format!(
                "a cluster id of {product} is a whole number, not {}: copy it from the console",
                quote(text)
            )),
            Self::Word if text.contains('*') => Some(format!(
                "{} is a pattern, not a cluster id: write clusters: all and put it under include",
                quote(text)
            )),
            Self::Word => bounds::check_id(text).err().map(|fault| {
                format!(
                    "{} is not a cluster id: {fault}; copy it from the console",
                    quote(text)
                )
            }),
        }
    }
}
