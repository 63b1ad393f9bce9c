//! Versions of the service: their codes, names and engines. Pure.

use std::sync::Arc;

use super::wire::{Version, VersionList};
use crate::text::json;

/// Versions that the service knows.
#[derive(Debug, Default)]
pub(super) struct Versions {
    all: Vec<Version>,
    text: Arc<str>,
}

impl Versions {
    /// Takes the versions of an answer.
    pub(super) fn new(list: VersionList) -> Self {
        let VersionList(all) = list;
        let text = json::to_string(&all).unwrap_or_default();
        Self {
            all,
            text: text.into(),
        }
    }

    /// Reads the text form; none of a text that has another form.
    pub(super) fn parse(text: &str) -> Self {
        Self {
            all: serde_json::from_str(text).unwrap_or_default(),
            text: text.into(),
        }
    }

    /// Returns every version.
    pub(super) fn all(&self) -> &[Version] {
        &self.all
    }

    /// Returns the text form, to be remembered.
    pub(super) fn text(&self) -> Arc<str> {
        self.text.clone()
    }
}

/// Returns true where the version list tells that the engine of this version is not `OpenSearch`, which
/// alone can be upgraded; false in doubt.
pub(super) fn cannot_be_upgraded(version: &str, versions: &[Version]) -> bool {
    let mut engines = versions
        .iter()
        .filter(|known| is_named(version, known))
        .map(|known| known.engine.to_ascii_lowercase())
        .peekable();
    engines.peek().is_some()
        && engines.all(|engine| !engine.is_empty() && !engine.contains("opensearch"))
}

/// Returns true where the cluster runs the version of this code.
pub(super) fn runs(version: &str, code: &str, versions: &[Version]) -> bool {
    let code = code.trim();
    !code.is_empty()
        && (version.trim().eq_ignore_ascii_case(code)
            || versions
                .iter()
                .any(|known| known.code.eq_ignore_ascii_case(code) && is_named(version, known)))
}

/// Matches a version of the cluster list with one of the version list: by code, by name, or by the
/// number in the name (`OpenSearch 2.9.0` and `2.9.0`).
fn is_named(version: &str, known: &Version) -> bool {
    let version = version.trim();
    if version.is_empty() {
        return false;
    }
    if version.eq_ignore_ascii_case(&known.code) || version.eq_ignore_ascii_case(&known.name) {
        return true;
    }
    let one_is_bare = !version.contains(' ') || !known.name.contains(' ');
    one_is_bare && number_in(version).eq_ignore_ascii_case(number_in(&known.name))
}

fn number_in(name: &str) -> &str {
    name.split_whitespace().next_back().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_remembered_as_text() {
        let list = json!([
            {"searchEngineVersionCode": 290, "searchEngineVersionName": "OpenSearch 2.9.0", "type": "OpenSearch"},
        ]);
        for form in [json!({"searchEngineVersionList": list}), list] {
            let versions = Versions::new(serde_json::from_value(form).unwrap());
            let again = Versions::parse(&versions.text());
            assert!(runs("2.9.0", "290", again.all()));
            assert_eq!(again.text(), versions.text());
        }
        assert!(Versions::parse("?").all().is_empty());
    }

    #[test]
    fn engines_that_cannot_be_upgraded() {
        let versions: Vec<Version> = serde_json::from_value(json!([
            {"searchEngineVersionCode": "290", "searchEngineVersionName": "OpenSearch 2.9.0", "type": "OpenSearch"},
            {"searchEngineVersionCode": "7102", "searchEngineVersionName": "Elasticsearch 7.10.2", "type": "Elasticsearch"},
        ]))
        .unwrap();
        for version in ["7102", "Elasticsearch 7.10.2", "7.10.2"] {
            assert!(cannot_be_upgraded(version, &versions), "{version}");
            assert!(!cannot_be_upgraded(version, &[]), "no list says so");
        }
        for version in ["290", "OpenSearch 2.9.0", "2.9.0", "", "9.9.9"] {
            assert!(!cannot_be_upgraded(version, &versions), "{version}");
        }
        let twins: Vec<Version> = serde_json::from_value(json!([
            {"searchEngineVersionName": "OpenSearch 1.0.0", "type": "OpenSearch"},
            {"searchEngineVersionName": "Elasticsearch 1.0.0", "type": "Elasticsearch"},
        ]))
        .unwrap();
        assert!(!cannot_be_upgraded("1.0.0", &twins), "in doubt it can");
    }
}
