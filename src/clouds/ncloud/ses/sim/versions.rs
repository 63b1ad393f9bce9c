//! Codes of versions: `2150` is 2.15.0, and 2160 follows.

use crate::sim::{VersionForm, number};

pub(super) const FORMS: &[VersionForm] = &[VersionForm {
    examples: &["2150"],
    later,
}];

fn later(version: &str, steps: u64) -> Option<String> {
    number(version)?;
    let (major, rest) = version.split_at_checked(1)?;
    let (minor, _patch) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
    let minor = number(minor)?.saturating_add(steps);
    Some(format!("{major}{minor}0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_minor_version_follows_a_code() {
        for (version, want) in [
            ("2150", ["2160", "2170", "2180"]),
            ("290", ["2100", "2110", "2120"]),
        ] {
            let later: Vec<_> = (1..=3).filter_map(|steps| later(version, steps)).collect();
            assert_eq!(later, want, "{version}");
        }
    }
}
