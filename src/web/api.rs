//! `/api/v1/upgrades`: the report as JSON, for scripts.

use hyper::StatusCode;

use crate::cloud::{Clouds, products};
use crate::report::{Filter, Report};
use crate::text::json;

/// Where it is.
pub(super) const PATH: &str = "/api/v1/upgrades";

/// What is left of the report by the query, or what is wrong with the query. Unlike the page it is
/// strict: a script that spells a parameter wrong must not get everything.
pub(super) fn answer(
    mut report: Report,
    query: &str,
    clouds: Clouds,
) -> Result<Vec<u8>, (StatusCode, String)> {
    let names: Vec<&str> = products(clouds)
        .map(|product| product.info().name)
        .collect();
    let (filter, wrong) = Filter::parse(query, &names);
    if !wrong.is_empty() {
        let mut told = String::new();
        for error in wrong {
            told.extend([error.to_string().as_str(), "\n"]);
        }
        return Err((StatusCode::BAD_REQUEST, told));
    }
    filter.apply(&mut report);
    let mut body = json::to_string(&report).map_err(|error| {
        let told = format!("cannot write the report: {error}: this is a bug, please report it\n");
        (StatusCode::INTERNAL_SERVER_ERROR, told)
    })?;
    body.push('\n');
    Ok(body.into_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::clouds::CLOUDS;

    const GOLDEN: &str = include_str!("../../tests/data/api/upgrades.json");
    const DOCUMENT: &str = include_str!("../../docs/api.md");

    fn report() -> Report {
        serde_json::from_str(GOLDEN).unwrap()
    }

    #[test]
    fn sends_the_whole_document_and_what_is_asked_for() {
        let all: Report = serde_json::from_slice(&answer(report(), "", CLOUDS).unwrap()).unwrap();
        assert_eq!(all, report());
        let none = answer(report(), "state=failed", CLOUDS).unwrap();
        let none: Report = serde_json::from_slice(&none).unwrap();
        assert_eq!((none.clusters.len(), none.products.len()), (0, 1));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let (status, told) = answer(report(), "cluster=a&state=bad", CLOUDS).unwrap_err();
        assert_eq!(status, 400);
        assert!(told.starts_with("no parameter \"cluster\"; there are account"));
        assert_eq!(told.lines().count(), 2, "{told}");
    }

    /// The paths of all fields of a document, with `[]` for the elements of a list.
    fn fields(value: &Value, path: &str, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let path = format!("{path}.{name}");
                    fields(value, &path, into);
                    into.insert(path);
                }
            }
            Value::Array(list) => {
                for value in list {
                    fields(value, &format!("{path}[]"), into);
                }
            }
            _ => {}
        }
    }

    /// Each section of the document whose title names a path lists the fields there in a table.
    #[test]
    fn every_field_is_documented_and_every_documented_one_is_there() {
        let mut report = report();
        let error = report.products[0].last_error.clone();
        report.clusters[0].last_error = error;
        let mut sent = BTreeSet::new();
        fields(&serde_json::to_value(report).unwrap(), "", &mut sent);
        // One section tells the fields of both.
        let sent: BTreeSet<String> = sent
            .into_iter()
            .filter(|path| !path.starts_with(".clusters[].last_error."))
            .collect();
        let mut told = BTreeSet::new();
        let mut prefix = None;
        for line in DOCUMENT.lines() {
            if let Some(title) = line.strip_prefix('#') {
                let path = title.split('`').nth(1).filter(|p| p.starts_with('.'));
                prefix = path.map(|path| path.trim_end_matches('.').to_owned());
            } else if let (Some(prefix), Some(row)) = (&prefix, line.strip_prefix("| `")) {
                let name = row.split('`').next().unwrap();
                told.insert(format!("{prefix}.{name}"));
            }
        }
        assert_eq!(told, sent);
    }

    #[test]
    fn the_words_of_states_are_documented() {
        let line = DOCUMENT.lines().find(|l| l.starts_with("| `state` |"));
        let line = line.expect("a row for `state`");
        for word in crate::report::filter::states() {
            assert!(line.contains(&format!("`{word}`")), "{word}: {line}");
        }
    }
}
