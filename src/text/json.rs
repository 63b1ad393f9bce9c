//! JSON whose text holds no unprintable character: each is written as `\uXXXX`, which a reader takes
//! as the character itself.

use std::fmt::{self, Write};

use serde::Serialize;

use super::is_unprintable;

/// Writes a value as JSON.
///
/// # Errors
/// When the value's own [`Serialize`] fails.
#[expect(clippy::disallowed_methods, reason = "what it writes is escaped here")]
pub fn to_string(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value).map(escape)
}

/// Writes a value as indented JSON.
///
/// # Errors
/// When the value's own [`Serialize`] fails.
#[expect(clippy::disallowed_methods, reason = "what it writes is escaped here")]
pub fn to_string_pretty(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(escape)
}

/// Escapes a JSON document. Unprintable characters other than those of its layout stand only inside
/// its strings, where an escape has the same meaning.
fn escape(json: String) -> String {
    let is_bad = |c: char| c != '\n' && is_unprintable(c);
    if !json.contains(is_bad) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        let written = if is_bad(c) {
            write_escape(&mut out, c)
        } else {
            out.write_char(c)
        };
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    out
}

/// Writes a character as `\uXXXX`, in two halves where it does not fit into one.
pub(crate) fn write_escape(out: &mut impl Write, c: char) -> fmt::Result {
    for unit in c.encode_utf16(&mut [0; 2]) {
        write!(out, "\\u{unit:04x}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn unprintable_characters_are_escaped_once() {
        let text = "a\u{7f}\u{80}\u{9f}\u{202e}\u{e0001}é\n\"\\";
        assert_eq!(
            to_string(&text).unwrap(),
            r#""a\u007f\u0080\u009f\u202e\udb40\udc01é\n\"\\""#
        );
        let pretty = to_string_pretty(&[text]).unwrap();
        assert_eq!(pretty.lines().count(), 3, "{pretty}");
        assert!(pretty.contains(r"a\u007f"), "{pretty}");
    }

    proptest! {
        #[test]
        fn readers_get_the_same_text(
            texts in prop::collection::btree_map(any::<String>(), "[\u{0}-\u{9f}\u{200b}-\u{202e}]{0,9}", 0..4)
        ) {
            for json in [to_string(&texts).unwrap(), to_string_pretty(&texts).unwrap()] {
                prop_assert!(!json.contains(|c: char| c != '\n' && is_unprintable(c)), "{json:?}");
                let read: BTreeMap<String, String> = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(&read, &texts);
            }
            let value: Value = serde_json::from_str(&to_string(&texts).unwrap()).unwrap();
            prop_assert!(value.is_object());
        }
    }
}
