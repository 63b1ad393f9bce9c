//! Text of a secret as files and variables hold it: blanks around it, and placeholders in its place.

use secrecy::SecretString;

/// A text that is no secret. The message completes "cannot use it: …", and holds nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoSecret {
    /// Nothing but blanks.
    #[error("it is empty")]
    Empty,
    /// A template's placeholder.
    #[error(
        "it looks like a placeholder ({0}) that was not filled in; put the secret in its place, or let the tool that renders the template do it"
    )]
    Placeholder(&'static str),
}

/// Returns the secret in a file or a variable: the text without a byte order mark and without blanks
/// around it, which editors, shells and copies from a web page add.
///
/// # Errors
/// Rejects an empty text and a placeholder.
pub(crate) fn trimmed(text: &str) -> Result<SecretString, NoSecret> {
    exact(text.trim_matches(is_blank))
}

/// Returns the secret that the config itself holds: the text without the line end of block text.
/// Quotes keep blanks.
///
/// # Errors
/// Rejects an empty text and a placeholder.
pub(crate) fn written(text: &str) -> Result<SecretString, NoSecret> {
    exact(text.trim_end_matches(['\r', '\n']))
}

fn exact(text: &str) -> Result<SecretString, NoSecret> {
    let inside = text.trim_matches(is_blank);
    if inside.is_empty() {
        return Err(NoSecret::Empty);
    }
    match placeholder(inside) {
        Some(form) => Err(NoSecret::Placeholder(form)),
        None => Ok(text.to_owned().into()),
    }
}

/// Returns true for blanks of any width: spaces, line ends, no-break and zero-width ones, the byte
/// order mark, marks of direction.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Returns the form of the placeholder that is the whole text.
fn placeholder(text: &str) -> Option<&'static str> {
    let forms = [("${", "}", "${…}"), ("{{", "}}", "{{ … }}")];
    let is = |(begin, end, _): &(&str, &str, &str)| {
        let inside = text.strip_prefix(begin).and_then(|t| t.strip_suffix(end));
        inside.is_some()
    };
    forms.into_iter().find(is).map(|(_, _, form)| form)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn trimmed(text: &str) -> Result<String, NoSecret> {
        super::trimmed(text).map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn blanks_of_any_width_are_no_part_of_a_secret() {
        for text in [
            "hun ter2",
            "\u{feff}hun ter2\r\n",
            " \t hun ter2 \n\n",
            "\u{a0}hun ter2\u{a0}",
            "\u{200b}hun ter2\u{200b}\u{2060}\u{feff}\n",
            "\u{3000}\u{200e}hun ter2\u{202f}",
        ] {
            assert_eq!(trimmed(text).as_deref(), Ok("hun ter2"), "{text:?}");
        }
        assert_eq!(
            trimmed("a\u{a0}\u{200b}b").as_deref(),
            Ok("a\u{a0}\u{200b}b")
        );
    }

    #[test]
    fn blanks_alone_are_empty() {
        for text in ["", "\n", " \u{feff}\u{a0}\u{200b}\r\n"] {
            assert_eq!(trimmed(text), Err(NoSecret::Empty), "{text:?}");
        }
    }

    #[test]
    fn placeholders_are_no_secrets() {
        for text in [
            "${NCLOUD_SECRET}",
            "${NCLOUD_SECRET:-}\n",
            "\u{feff}{{ .Values.secret }}",
            "{{NCLOUD_SECRET}}",
            "{{- with secret \"kv/ncloud\" }}{{ .Data.key }}{{ end }}",
        ] {
            let why = trimmed(text).unwrap_err();
            assert!(matches!(why, NoSecret::Placeholder(_)), "{text:?}");
            assert!(!why.to_string().contains("CLOUD"), "{why}");
            assert!(written(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn secrets_that_resemble_placeholders_stay() {
        for text in ["$x{y}", "${", "{{", "${a}b", "a{{b}}", "{b}", "$NAME"] {
            assert_eq!(trimmed(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn the_config_keeps_blanks_inside_quotes() {
        let kept = |text| written(text).unwrap().expose_secret().to_owned();
        assert_eq!(kept(" hunter2 \n"), " hunter2 ");
        assert_eq!(kept("hunter2\r\n"), "hunter2");
    }
}
