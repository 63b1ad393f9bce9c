//! Order of versions.

/// Returns the numbers of a version, which order versions.
pub(super) fn parts(version: &str) -> Vec<u64> {
    version
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap_or_default())
        .collect()
}
