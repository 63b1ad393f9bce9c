//! Whatever others write stays text: markup in every text of the document, also in those to come.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::tests::report;
use super::{Page, Report, SCRIPT, STYLE, page};
use crate::text::is_unprintable;

/// Opens and closes everything that can be opened; a number tells the places apart.
pub(super) fn evil(number: usize) -> String {
    format!(
        "evil{number}<b id=x>\"'`><script>alert({number})</script><img src=x onerror=alert(1)>\
         --></title></style><a href=javascript:alert(1)>&lt;&#60;\u{202e}\u{2066}\u{0}\u{7}\u{1b}[0m\r\n"
    )
}

/// Puts evil into every text, and tells where it went.
pub(super) fn poison(value: &mut Value, path: &str, places: &mut Vec<String>) {
    match value {
        Value::String(text) if text.parse::<Timestamp>().is_err() => {
            *text = evil(places.len());
            places.push(path.to_owned());
        }
        Value::Array(list) => {
            for value in list {
                poison(value, path, places);
            }
        }
        Value::Object(object) => {
            for (name, value) in object {
                poison(value, &format!("{path}.{name}"), places);
            }
        }
        Value::Null => panic!("{path} is null: give it a value, so that it is tried"),
        _ => {}
    }
}

/// A document without a hole.
fn full() -> Value {
    let mut report = report();
    report.clusters[0].last_error = report.products[0].last_error.clone();
    report.products[0].clock_skew_seconds = Some(1200.0);
    let upgrade = &mut report.clusters[0].upgrades[0];
    upgrade.ended = Some(report.generated);
    upgrade.reason = Some(String::new());
    for node in &mut upgrade.nodes {
        node.updated = Some(report.generated);
        node.ended = Some(report.generated);
        node.task_order = Some(4);
    }
    upgrade.tasks[0].end = Some(report.generated);
    serde_json::to_value(report).unwrap()
}

/// Each tag with its attributes. Strict: whatever a browser would have to guess at panics.
fn tags(html: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        assert!(!text.contains('>'), "a lone > in {text:?}");
        // An attribute's value may hold a `>`.
        let mut name = String::new();
        let mut attributes = Vec::new();
        let mut chars = after.chars();
        let mut word = String::new();
        let end = loop {
            match chars.next().expect("an end of the tag") {
                '>' => break chars.as_str(),
                '"' => {
                    let key = word.trim_end_matches('=').to_owned();
                    word.clear();
                    let value: String = chars.by_ref().take_while(|c| *c != '"').collect();
                    assert!(!value.contains('<'), "{value:?}");
                    attributes.push((key, value));
                }
                ' ' if name.is_empty() => name = std::mem::take(&mut word),
                ' ' if word.is_empty() => {}
                ' ' => attributes.push((std::mem::take(&mut word), String::new())),
                c => word.push(c),
            }
        };
        if name.is_empty() {
            name = word;
        } else if !word.is_empty() {
            attributes.push((word, String::new()));
        }
        rest = end;
        found.push((name, attributes));
    }
    found
}

/// Returns the names of all tags and attributes.
pub(super) fn names(html: &str) -> BTreeSet<String> {
    let tags = tags(html).into_iter();
    tags.flat_map(|(name, attributes)| {
        let keys = attributes.into_iter().map(|(key, _)| format!(" {key}"));
        keys.chain([name]).collect::<Vec<_>>()
    })
    .collect()
}

/// Asserts that a page has no other tags and attributes, and no address of another place.
pub(super) fn uses_only(html: &str, allowed: &BTreeSet<String>) {
    for (name, attributes) in tags(html) {
        assert!(allowed.contains(&name), "<{name}>");
        for (key, value) in attributes {
            assert!(allowed.contains(&format!(" {key}")), "<{name} {key}>");
            let address = matches!(key.as_str(), "href" | "src" | "action");
            let ours = ["#", "?", "./", "data:image/svg+xml,%3Csvg xmlns="];
            assert!(
                !address || ours.iter().any(|start| value.starts_with(start)),
                "{key}={value}"
            );
        }
    }
}

/// Returns the text from the first character on that steers a terminal or the direction of text. The values of
/// forms are sent back as they came.
pub(super) fn unprintable(html: &str) -> Option<&str> {
    let mut shown = html
        .split(" value=\"")
        .filter_map(|part| part.split_once('"'));
    shown.find_map(|(_, shown)| shown.get(shown.find(is_unprintable)?..))
}

fn without_own_texts(html: &str) -> String {
    let whole = html.len();
    let html = html.replacen(SCRIPT, "", 1).replacen(STYLE, "", 1);
    assert_eq!(html.len(), whole - SCRIPT.len() - STYLE.len());
    html
}

fn render(document: Value, query: &str, telemetry_path: &str) -> Page {
    let report: Report = serde_json::from_value(document).unwrap();
    page(report, query, telemetry_path, crate::clouds::CLOUDS)
}

#[test]
fn markup_in_any_text_of_the_document_stays_text() {
    let mut allowed = names(&without_own_texts(
        &render(full(), "state=failed&q=x", "/metrics").html,
    ));
    allowed.extend(names(&without_own_texts(
        &render(full(), "", "/metrics").html,
    )));
    allowed.extend(["small".into(), "/small".into()]);
    let mut document = full();
    let mut places = Vec::new();
    poison(&mut document, "", &mut places);
    assert!(places.len() > 30, "{places:?}");
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("state", &evil(100))
        .append_pair("account", &evil(0))
        .append_pair(&evil(101), "x")
        .finish();
    let searched: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("q", &evil(102))
        .finish();
    for query in ["", &query, &searched] {
        let html = render(document.clone(), query, &format!("/{}", evil(103))).html;
        let own = without_own_texts(&html);
        assert_eq!(html.matches("<script").count(), 1);
        uses_only(&own, &allowed);
        // A form sends its values back as they are, and the path of the metrics is the operator's.
        let shown = own.replace(" href=\"./evil103", " value=\"");
        assert_eq!(unprintable(&shown), None);
        if query.is_empty() {
            // What steers the page is not shown on it.
            let steers = [
                ".api_version",
                ".products.cloud",
                ".clusters.cloud",
                ".kind",
            ];
            for (number, place) in places.iter().enumerate() {
                let shown = own.contains(&format!("evil{number}&lt;b id=x&gt;&quot;"));
                let hidden = steers.iter().any(|end| place.ends_with(end));
                assert_eq!(shown, !hidden, "{place}");
            }
        }
    }
}

#[test]
fn the_test_would_notice() {
    let broken = "<p><b id=\"x\">bold</b></p>";
    let names: Vec<String> = tags(broken).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["p", "b", "/b", "/p"]);
    assert_eq!(
        tags("<a href=\"x\" hidden>")[0].1,
        [
            ("href".into(), "x".into()),
            ("hidden".into(), String::new())
        ]
    );
}
