//! Suggestions for words that are not known.

/// Returns the known word nearest to `word`; `None` when none is near enough to be meant.
pub fn closest<'a, S: AsRef<str>>(word: &str, known: &'a [S]) -> Option<&'a str> {
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

/// Counts the edits from one word to the other: characters added, removed, replaced, or swapped with the
/// next. Upper and lower case are equal, and so are `-` and `_`.
fn distance(a: &str, b: &str) -> usize {
    let fold = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    strsim::osa_distance(&fold(a), &fold(b))
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
