//! Foreign words and sentences in one line: cleaned.

use super::is_format;

/// Cleans text of a vendor for one line: removes control characters, marks of direction and markup,
/// and cuts it after 200 characters.
pub fn clean(text: &str) -> String {
    const MAX: usize = 200;
    let mut out = String::new();
    let mut in_tag = false;
    let mut taken = 0;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                if !out.ends_with(' ') && !out.is_empty() {
                    out.push(' ');
                }
            }
            c if in_tag || is_format(c) => {}
            c if c.is_control() || c.is_whitespace() => {
                if !out.ends_with(' ') && !out.is_empty() {
                    out.push(' ');
                }
            }
            c => {
                out.push(c);
                taken += 1;
                if taken == MAX {
                    out.push('…');
                    break;
                }
            }
        }
    }
    out.trim_end().to_owned()
}

/// Returns text without blanks around it; `None` where there is no other.
pub fn non_empty(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_control_characters_are_removed() {
        assert_eq!(
            clean("<strong>Please try again.</strong><br><br>It is\n\u{1b}[31m down."),
            "Please try again. It is [31m down."
        );
    }

    #[test]
    fn blanks_are_no_text() {
        for nothing in ["", " ", "\t\n"] {
            assert_eq!(non_empty(nothing), None);
        }
        assert_eq!(non_empty(" v1.29 ").as_deref(), Some("v1.29"));
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let cut = clean(&"가".repeat(500));
        assert_eq!(cut.chars().count(), 201);
    }
}
