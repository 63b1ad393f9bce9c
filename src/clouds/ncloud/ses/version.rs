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

/// Returns the name of the version of this code, to which or from which a cluster is upgraded: only
/// `OpenSearch` is. `None` where the version list does not tell one name.
pub(super) fn name_of_code(code: &str, versions: &[Version]) -> Option<String> {
    let code = code.trim();
    let of_code = versions
        .iter()
        .filter(|known| !code.is_empty() && known.code.trim().eq_ignore_ascii_case(code));
    let upgradable = of_code.clone().filter(|known| known.is_opensearch());
    one_name(upgradable).or_else(|| one_name(of_code))
}

/// Returns the name of the version that the cluster list tells; `None` where the version list does not
/// tell one name.
pub(super) fn name_of_listed(version: &str, versions: &[Version]) -> Option<String> {
    one_name(versions.iter().filter(|known| is_named(version, known)))
}

/// Returns the name that all of these versions have; `None` where there are several, or none.
fn one_name<'a>(versions: impl Iterator<Item = &'a Version>) -> Option<String> {
    let mut names = versions.filter_map(Version::full_name);
    let name = names.next()?;
    names.all(|other| other == name).then_some(name)
}

impl Version {
    fn is_opensearch(&self) -> bool {
        self.engine.to_ascii_lowercase().contains("opensearch")
    }

    /// Returns the name with the engine, whether the vendor's has it (`OpenSearch 2.9.0`) or not (`2.9.0`);
    /// `None` without a name.
    fn full_name(&self) -> Option<String> {
        let (name, engine) = (self.name.trim(), self.engine.trim());
        let has_engine = engine.is_empty()
            || name.contains(char::is_whitespace)
            || name
                .to_ascii_lowercase()
                .contains(&engine.to_ascii_lowercase());
        match name {
            "" => None,
            _ if has_engine => Some(name.to_owned()),
            _ => Some(format!("{engine} {name}")),
        }
    }
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

    fn named(code: &str, name: &str, engine: &str) -> Version {
        Version {
            code: code.into(),
            name: name.into(),
            engine: engine.into(),
        }
    }

    #[test]
    fn a_name_has_its_engine_once() {
        for (name, engine, want) in [
            ("OpenSearch 2.9.0", "OpenSearch", Some("OpenSearch 2.9.0")),
            ("OpenSearch 2.9.0", "opensearch", Some("OpenSearch 2.9.0")),
            ("OpenSearch 2.9.0", "", Some("OpenSearch 2.9.0")),
            ("OpenSearch-2.9.0", "OpenSearch", Some("OpenSearch-2.9.0")),
            ("2.9.0", "OpenSearch", Some("OpenSearch 2.9.0")),
            (" 2.9.0 ", " OpenSearch ", Some("OpenSearch 2.9.0")),
            ("2.9.0", "", Some("2.9.0")),
            ("", "OpenSearch", None),
        ] {
            let versions = [named("290", name, engine)];
            let got = name_of_code("290", &versions);
            assert_eq!(got.as_deref(), want, "{name:?} of {engine:?}");
        }
    }

    #[test]
    fn only_one_name_of_a_code_is_a_name() {
        let versions = [
            named("133", "OpenSearch 1.3.3", "OpenSearch"),
            named("133", "Elasticsearch 1.3.3", "Elasticsearch"),
            named("290", "OpenSearch 2.9.0", "OpenSearch"),
            named("290", "2.9.0", "OpenSearch"),
            named("270", "2.7.0", "OpenSearch"),
            named("270", "2.70", "OpenSearch"),
        ];
        let name = |code| name_of_code(code, &versions);
        assert_eq!(name("133").as_deref(), Some("OpenSearch 1.3.3"));
        assert_eq!(name(" 290").as_deref(), Some("OpenSearch 2.9.0"));
        for unknown in ["270", "2140", ""] {
            assert_eq!(name(unknown), None, "{unknown:?}");
        }
        assert_eq!(name_of_code("290", &[]), None);
        let listed = |version| name_of_listed(version, &versions);
        assert_eq!(
            listed("OpenSearch 1.3.3").as_deref(),
            Some("OpenSearch 1.3.3")
        );
        assert_eq!(listed("1.3.3"), None, "of either engine");
        for version in ["290", "2.9.0", "opensearch 2.9.0"] {
            assert_eq!(
                listed(version).as_deref(),
                Some("OpenSearch 2.9.0"),
                "{version}"
            );
        }
    }
}
