//! Excerpts of foreign text for messages.

/// Returns an excerpt of foreign text for a message: in quotes, escaped, at most 40 characters.
pub fn quote(text: &str) -> String {
    const MAX: usize = 40;
    let mut short: String = text.chars().take(MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_escaped_and_cut() {
        let text = "a\u{1b}[31m\"b\n\u{202e}";
        assert_eq!(quote(text), r#""a\u{1b}[31m\"b\n\u{202e}""#);
        assert_eq!(quote(&"가".repeat(50)).chars().count(), 43);
    }
}
