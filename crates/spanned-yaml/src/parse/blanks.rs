//! Blanks that look like spaces and are text to YAML, such as the no-break space that comes with text
//! copied from a web page.

use std::collections::BTreeSet;

use crate::problem::At;

/// Returns true for plain text that YAML would read otherwise if each look-alike in it were a space.
pub(super) fn is_broken(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let ends_key = |before, after: Option<char>| before == Some(':') || after.is_none();
    !look_alikes(&chars, ends_key).is_empty()
}

/// Returns the place of each look-alike that indents one of these lines, ends it, or stands beside a mark
/// of YAML, and what to say of it. Comments do not count. A run of blanks tells its first look-alike.
pub(super) fn find(text: &str, lines: &BTreeSet<usize>) -> Vec<(At, String)> {
    let mut found = Vec::new();
    if lines.is_empty() || !text.chars().any(is_look_alike) {
        return found;
    }
    let is_beside_mark = |before, after| {
        matches!(before, Some(':' | ',' | '[' | '{' | ']' | '}'))
            || matches!(after, None | Some(':' | ',' | ']' | '}'))
    };
    for (line, text) in (1..).zip(text.lines()) {
        if !lines.contains(&line) {
            continue;
        }
        let chars: Vec<char> = text.chars().take(comment(text)).collect();
        for index in look_alikes(&chars, is_beside_mark) {
            let at = At {
                line,
                column: index + 1,
            };
            let blank = chars.get(index).copied().unwrap_or_default();
            found.push((at, message(blank)));
        }
    }
    found
}

/// Returns the index of the first look-alike of each run of blanks at the start, after the dashes there,
/// or between two characters of which `counts` is true.
fn look_alikes(chars: &[char], counts: impl Fn(Option<char>, Option<char>) -> bool) -> Vec<usize> {
    let mut found = Vec::new();
    let mut run = 0;
    let mut is_start = true;
    let mut before = None;
    for blanks in chars.chunk_by(|a, b| is_blank(*a) == is_blank(*b)) {
        let end = run + blanks.len();
        let first = blanks.iter().position(|c| is_look_alike(*c));
        if let Some(first) = first
            && (is_start || counts(before, chars.get(end).copied()))
        {
            found.push(run + first);
        }
        is_start &= blanks.iter().all(|c| is_blank(*c)) || blanks == ['-'];
        before = blanks.last().copied();
        run = end;
    }
    found
}

fn message(blank: char) -> String {
    let name = if blank == '\u{a0}' {
        "a no-break space"
    } else {
        "a blank"
    };
    let code = u32::from(blank);
    format!(
        "{name} (U+{code:04X}) stands here, which is text to YAML and no space: replace it by a space, or put the text around it in quotes"
    )
}

/// Returns the number of characters before a line's comment.
fn comment(line: &str) -> usize {
    let mut before = ' ';
    let begins = |c: char| {
        let begins = c == '#' && is_blank(before);
        before = c;
        begins
    };
    line.chars().position(begins).unwrap_or(usize::MAX)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t') || is_look_alike(c)
}

/// Returns true for blanks of any width but those of ASCII.
fn is_look_alike(c: char) -> bool {
    (c.is_whitespace() && !c.is_ascii())
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use crate::parse::parse;
    use crate::problem::Problems;

    /// Reads a text, and returns the place of each problem that names a blank, and how many others there
    /// are.
    fn read(text: &str) -> (Vec<String>, usize) {
        let problems = Problems::default();
        parse(text, &problems);
        let all = problems.into_sorted();
        let (blanks, others): (Vec<_>, Vec<_>) =
            all.iter().partition(|p| p.message.contains("stands here"));
        (blanks.iter().map(|p| p.place()).collect(), others.len())
    }

    #[test]
    fn names_look_alikes_where_yaml_wants_spaces() {
        for (text, places) in [
            ("a:\n\u{a0}\u{a0}- b\n", &["2:1"][..]),
            ("a:\n  - b: 1\n  \u{a0} c: 1\n", &["3:3"]),
            ("a:\n  -\u{a0}b: 1\n", &["2:4"]),
            ("a:\u{a0}1\nb: 2\n", &["1:3"]),
            ("a: \u{a0}1\n", &["1:4"]),
            ("a: 1 \u{3000}\n", &["1:6"]),
            ("a\u{200b}: 1\n", &["1:2"]),
            ("{a: 1,\u{a0}b: 2}\n", &["1:7"]),
            ("a:\u{a0}1\n\u{a0}b: 2\n", &["1:3", "2:1"]),
        ] {
            assert_eq!(read(text).0, places, "{text:?}");
        }
        let (_, others) = read("a: \u{a0}1\n");
        assert_eq!(others, 0, "one problem is told once");
    }

    #[test]
    fn look_alikes_in_text_and_comments_stay() {
        for text in [
            "a: b\u{a0}c\n",
            "a: b,\u{a0}c -\u{a0}d\n",
            "a: '\u{a0}b:\u{a0}c\u{a0}'\n",
            "a: \"b\u{3000}\"\n",
            "a: |\n  b:\u{a0}c\u{a0}\n  \u{a0}d\n",
            "a: b #\u{a0}c:\u{a0}\n#\u{a0}d\n",
        ] {
            assert_eq!(read(text), (Vec::new(), 0), "{text:?}");
        }
    }

    #[test]
    fn an_error_of_another_kind_stays_beside_them() {
        let (places, others) = read("a:\u{a0}'b'\nc: 'd\n");
        assert_eq!((places.as_slice(), others), (&["1:3".to_owned()][..], 1));
    }
}
