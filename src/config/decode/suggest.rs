//! Which known word somebody meant.

/// Returns the known word nearest to `word`, if one is near enough.
pub(in crate::config) fn closest<'a, S: AsRef<str>>(word: &str, known: &'a [S]) -> Option<&'a str> {
    let length = word.chars().count();
    // Short words are near to anything; long ones need not be compared.
    let near = match length {
        3..=4 => 1,
        5..=8 => 2,
        9..=64 => 3,
        _ => return None,
    };
    known
        .iter()
        .map(|candidate| (distance(word, candidate.as_ref()), candidate))
        .filter(|(distance, _)| *distance <= near)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.as_ref())
}

/// Edits from one word to the other: characters added, removed, replaced, or swapped with the next.
/// Upper and lower case are the same, and so are `-` and `_`.
fn distance(a: &str, b: &str) -> usize {
    let fold = |text: &str| -> Vec<char> {
        let fold = |c: char| {
            if c == '-' {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        };
        text.chars().map(fold).collect()
    };
    let (a, b) = (fold(a), fold(b));
    // Rows of the table of prefixes: the one before the last, the last, and the one in work.
    let mut older: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let differs = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + differs);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(older[j - 2] + 1);
            }
        }
        older = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_edits() {
        for (a, b, edits) in [
            ("region", "region", 0),
            ("regoin", "region", 1),
            ("regin", "region", 1),
            ("regions", "region", 1),
            ("reglon", "region", 1),
            ("", "abc", 3),
            ("abc", "", 3),
            ("Access-Key", "access_key", 0),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    #[test]
    fn only_near_words_are_offered() {
        let known = ["timeout", "time_zone", "css"].map(str::to_owned);
        assert_eq!(closest("timout", &known), Some("timeout"));
        assert_eq!(closest("timezone", &known), Some("time_zone"));
        assert_eq!(closest("interval", &known), None);
        assert_eq!(closest("x", &known), None);
        assert_eq!(closest(&"timeout".repeat(20), &known), None);
    }
}
