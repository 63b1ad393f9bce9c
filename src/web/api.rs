//! `/api/v1/upgrades` and `/api/v1/history`: the reports as JSON, for scripts.
//!
//! Unlike the pages they are strict: a script that spells a parameter wrong must not get everything.

use hyper::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use crate::cloud::{Clouds, products};
use crate::report::{Filter, FilterError, HistoryFilter, HistoryReport, Report};
use crate::store::history::PastUpgrades;
use crate::text::json;

/// Path of the upgrades.
pub(super) const UPGRADES: &str = "/api/v1/upgrades";

/// Path of the upgrades that ended.
pub(super) const HISTORY: &str = "/api/v1/history";

/// Upgrades in an answer where the query gives no limit.
const PAST_UPGRADES: usize = 1000;

/// A document, or a status with the text that says what is wrong.
pub(super) type Outcome = Result<Vec<u8>, (StatusCode, String)>;

/// Returns the part of the report that the query asks for, or what is wrong with the query.
pub(super) fn upgrades(mut report: Report, query: &str, clouds: Clouds) -> Outcome {
    let (filter, wrong) = Filter::parse(query, &names(clouds));
    refuse(&wrong)?;
    filter.apply(&mut report);
    document(&report)
}

/// Returns the report of the past upgrades that the query asks for, or what is wrong with the query.
pub(super) fn history(past: &PastUpgrades, query: &str, clouds: Clouds, now: Timestamp) -> Outcome {
    let (mut filter, wrong) = HistoryFilter::parse(query, &names(clouds));
    refuse(&wrong)?;
    filter.limit = filter.limit.or(Some(PAST_UPGRADES));
    document(&HistoryReport::new(past, &filter, now))
}

fn names(clouds: Clouds) -> Vec<&'static str> {
    products(clouds)
        .map(|product| product.info().name)
        .collect()
}

fn refuse(wrong: &[FilterError]) -> Result<(), (StatusCode, String)> {
    if wrong.is_empty() {
        return Ok(());
    }
    let lines = wrong.iter().map(|error| format!("{error}\n"));
    Err((StatusCode::BAD_REQUEST, lines.collect()))
}

fn document(report: &impl Serialize) -> Outcome {
    let mut body = json::to_string(report).map_err(|error| {
        let text = format!("cannot write the report: {error}: this is a bug, please report it\n");
        (StatusCode::INTERNAL_SERVER_ERROR, text)
    })?;
    body.push('\n');
    Ok(body.into_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::clouds::CLOUDS;
    use crate::model::UpgradeStatus;
    use crate::report::OUTCOMES;
    use crate::store::history::tests::past;

    const GOLDEN: &str = include_str!("../../tests/data/api/upgrades.json");
    const DOCUMENT: &str = include_str!("../../docs/api.md");
    const HISTORY_GOLDEN: &str = include_str!("../../tests/data/api/history.json");
    const HISTORY_DOCUMENT: &str = include_str!("../../docs/api-history.md");

    fn report() -> Report {
        serde_json::from_str(GOLDEN).unwrap()
    }

    #[test]
    fn sends_the_whole_document_and_what_is_asked_for() {
        let all: Report = serde_json::from_slice(&upgrades(report(), "", CLOUDS).unwrap()).unwrap();
        assert_eq!(all, report());
        let none = upgrades(report(), "state=failed", CLOUDS).unwrap();
        let none: Report = serde_json::from_slice(&none).unwrap();
        assert_eq!((none.clusters.len(), none.products.len()), (0, 1));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let (status, told) = upgrades(report(), "cluster=a&state=bad", CLOUDS).unwrap_err();
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

    /// Returns the paths of the fields that the tables of a document list: in each section whose title names
    /// a path, the fields there.
    fn documented(text: &str) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        let mut prefix = None;
        for line in text.lines() {
            if let Some(title) = line.strip_prefix('#') {
                let path = title.split('`').nth(1).filter(|p| p.starts_with('.'));
                prefix = path.map(|path| path.trim_end_matches('.').to_owned());
            } else if let (Some(prefix), Some(row)) = (&prefix, line.strip_prefix("| `")) {
                let name = row.split('`').next().unwrap();
                told.insert(format!("{prefix}.{name}"));
            }
        }
        told
    }

    /// Returns the paths of the fields of a document, without those below these, which another section tells.
    fn sent(report: impl Serialize, elsewhere: &[&str]) -> BTreeSet<String> {
        let mut sent = BTreeSet::new();
        fields(&serde_json::to_value(report).unwrap(), "", &mut sent);
        sent.retain(|path| !elsewhere.iter().any(|begin| path.starts_with(begin)));
        sent
    }

    #[test]
    fn every_field_is_documented_and_every_documented_one_is_there() {
        let mut report = report();
        let error = report.products[0].last_error.clone();
        report.clusters[0].last_error = error;
        // One section tells the fields of both.
        let sent = sent(report, &[".clusters[].last_error."]);
        assert_eq!(documented(DOCUMENT), sent);
    }

    #[test]
    fn every_field_of_the_history_is_documented() {
        let below = [
            ".upgrades[].nodes[].",
            ".upgrades[].tasks[].",
            ".upgrades[].nodes_left_out.",
        ];
        let golden: HistoryReport = serde_json::from_str(HISTORY_GOLDEN).unwrap();
        assert_eq!(documented(HISTORY_DOCUMENT), sent(golden, &below));
    }

    #[test]
    fn the_words_of_states_are_documented() {
        let has = |document: &str, parameter: &str, words: &[&str]| {
            let begin = format!("| `{parameter}` |");
            let line = document.lines().find(|line| line.starts_with(&begin));
            let line = line.expect("a row for it");
            for word in words {
                assert!(line.contains(&format!("`{word}`")), "{word}: {line}");
            }
        };
        has(DOCUMENT, "state", &crate::report::filter::states());
        let outcomes = OUTCOMES.map(UpgradeStatus::as_str);
        has(HISTORY_DOCUMENT, "outcome", &outcomes);
    }

    fn past_upgrades(query: &str) -> HistoryReport {
        let upgrades = (1..=1002).map(|n| Arc::new(past("c1", n, n + 5, 0)));
        let past = PastUpgrades::new(upgrades.collect(), 7);
        let body = history(&past, query, CLOUDS, Timestamp::UNIX_EPOCH).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn an_answer_of_the_history_is_bounded() {
        for (query, number, more) in [
            ("", 1000, 2),
            ("limit=2", 2, 1000),
            ("limit=10000", 1002, 0),
            ("cluster=name-c1&limit=1001", 1001, 1),
            ("account=none", 0, 0),
        ] {
            let report = past_upgrades(query);
            assert_eq!(
                (report.upgrades.len(), report.more),
                (number, more),
                "{query}"
            );
            assert_eq!(report.left_out, 7, "{query}");
        }
    }

    #[test]
    fn the_history_refuses_what_it_does_not_know() {
        let answer = history(
            &PastUpgrades::default(),
            "limit=0&outcome=running&q=x",
            CLOUDS,
            Timestamp::UNIX_EPOCH,
        );
        let (status, text) = answer.unwrap_err();
        assert_eq!((status.as_u16(), text.lines().count()), (400, 3), "{text}");
    }
}
