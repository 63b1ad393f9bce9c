//! The envelope of an answer without its result, which may be megabytes of nodes.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Envelope of an answer: the fields that say how it went, and `true` for a result of any size.
pub(super) struct Outline(pub(super) Value);

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        de.deserialize_map(OutlineVisitor)
    }
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut outline = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = match key.as_str() {
                "error" | "responseError" | "code" | "message" | "requestId" => map.next_value()?,
                "result" => match map.next_value::<Option<IgnoredAny>>()? {
                    Some(IgnoredAny) => Value::Bool(true),
                    None => Value::Null,
                },
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            outline.insert(key, value);
        }
        Ok(Outline(Value::Object(outline)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn outline(text: &str) -> Option<Value> {
        let outline: Option<Outline> = json::read(text.as_bytes()).ok();
        outline.map(|outline| outline.0)
    }

    #[test]
    fn keeps_what_says_how_it_went_and_no_result() {
        let json = r#"{"code":0,"message":"ok","result":{"list":[1,2]},"requestId":"r","new":[3]}"#;
        let want = serde_json::json!({"code":0,"message":"ok","result":true,"requestId":"r"});
        assert_eq!(outline(json), Some(want));
        let want = serde_json::json!({"result":null});
        assert_eq!(outline(r#"{"result":null}"#), Some(want));
        assert_eq!(outline("[1]"), None);
        assert_eq!(outline(r#"{"code":0"#), None);
    }
}
