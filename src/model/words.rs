//! Closed sets of words, written and read as words.

/// Implements serde's traits for an enum with `ALL` and `as_str`. A word that is none of them is an error.
macro_rules! serde_words {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                let known = Self::ALL.iter().find(|known| known.as_str() == word);
                known
                    .copied()
                    .ok_or_else(|| serde::de::Error::unknown_variant(&word, &[]))
            }
        }
    };
}

pub(super) use serde_words;
