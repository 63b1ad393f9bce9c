//! One alert as Alertmanager's API v2 takes it.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::rule::Labels;

/// An alert, firing until `ends_at` or resolved at it.
///
/// The form is that of `POST /api/v2/alerts` in Alertmanager's `openapi.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Its identity. No value is empty.
    pub labels: Labels,
    /// Its texts.
    pub annotations: Labels,
    /// When it began to fire.
    #[serde(serialize_with = "rfc3339")]
    pub starts_at: Timestamp,
    /// In the future: it fires until then unless it is posted again. In the past: it ended.
    #[serde(serialize_with = "rfc3339")]
    pub ends_at: Timestamp,
    /// Where people see more of it: the exporter's page, if its address is known.
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    pub generator_url: Option<String>,
}

/// RFC 3339 with milliseconds, in UTC.
fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::json;

    #[test]
    fn the_form_is_that_of_the_api() {
        let label = |name: &str| Labels::from([(name.to_owned(), "x \"1\"".to_owned())]);
        let alert = Notification {
            labels: label("alertname"),
            annotations: label("summary"),
            starts_at: Timestamp::from_second(1_700_000_000).unwrap(),
            ends_at: Timestamp::from_millisecond(1_700_000_240_500).unwrap(),
            generator_url: None,
        };
        assert_eq!(
            json::to_string(&alert).unwrap(),
            r#"{"labels":{"alertname":"x \"1\""},"annotations":{"summary":"x \"1\""},"startsAt":"2023-11-14T22:13:20.000Z","endsAt":"2023-11-14T22:17:20.500Z"}"#
        );
        let linked = Notification {
            generator_url: Some("https://x.example/".to_owned()),
            ..alert
        };
        let text = json::to_string(&linked).unwrap();
        assert!(
            text.ends_with(r#","generatorURL":"https://x.example/"}"#),
            "{text}"
        );
    }
}
