//! Which format and which coding a scrape gets: plain functions of two request headers
//! (RFC 9110, section 12; Prometheus, "Content negotiation").
//!
//! The parser is lenient: empty parameters, ones without a value and blanks around `=` cost no range.
//! `mediatype` refuses such a range, and reads no codings.

/// The text formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus text 0.0.4: the default and the last resort.
    Text,
    /// `OpenMetrics` text 1.0.0.
    OpenMetrics,
}

impl Format {
    /// Its `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            // From 1.0.0 on, an answer has to say how it escapes names. Names here hold letters and
            // underscores only, so each scheme that can be asked for gives the same bytes.
            Self::OpenMetrics => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
            }
        }
    }
}

/// The format for an `Accept` header. `OpenMetrics` only if its weight is above that of the text
/// format; whatever is not understood counts for nothing, and nothing is not acceptable.
pub(crate) fn format(accept: Option<&str>) -> Format {
    let ranges: Vec<_> = split(accept.unwrap_or_default(), ',')
        .filter_map(range)
        .collect();
    let text = weight_of(&ranges, "text", "plain", "0.0.4");
    let open_metrics = weight_of(&ranges, "application", "openmetrics-text", "1.0.0");
    if open_metrics > text {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

/// Whether an `Accept-Encoding` header wants gzip: allowed, and not behind the plain form.
pub(crate) fn gzip(accept_encoding: Option<&str>) -> bool {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    for element in split(accept_encoding.unwrap_or_default(), ',') {
        let mut parts = split(element, ';');
        let coding = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let Some(weight) = weight(parts) else {
            continue;
        };
        match coding.as_str() {
            "gzip" | "x-gzip" => gzip = gzip.max(Some(weight)),
            "identity" => identity = Some(weight),
            "*" => any = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or(0);
    gzip > 0 && gzip >= identity.unwrap_or(0)
}

/// A media range of an `Accept` header.
struct Range {
    kind: String,
    subtype: String,
    version: Option<String>,
    /// In thousandths.
    weight: u16,
}

fn range(element: &str) -> Option<Range> {
    let mut parts = split(element, ';');
    let (kind, subtype) = parts.next()?.trim().split_once('/')?;
    let parts: Vec<_> = parts.collect();
    let version = parts
        .iter()
        .filter_map(|part| parameter(part))
        .find(|(name, _)| name == "version");
    Some(Range {
        kind: kind.to_ascii_lowercase(),
        subtype: subtype.to_ascii_lowercase(),
        version: version.map(|(_, value)| value),
        weight: weight(parts.into_iter())?,
    })
}

/// The weight of the most specific range that matches this type, 0 without one. Of equally specific
/// ranges the greatest counts.
fn weight_of(ranges: &[Range], kind: &str, subtype: &str, version: &str) -> u16 {
    ranges
        .iter()
        .filter_map(|range| {
            let specific = match (range.kind.as_str(), range.subtype.as_str()) {
                ("*", "*") => 0,
                (k, "*") if k == kind => 1,
                (k, s) if k == kind && s == subtype => match &range.version {
                    None => 2,
                    Some(v) if v == version => 3,
                    Some(_) => return None,
                },
                _ => return None,
            };
            Some((specific, range.weight))
        })
        .max()
        .map_or(0, |(_, weight)| weight)
}

/// The weight among the parameters in thousandths, 1000 without one. None for one that is no number.
fn weight<'a>(parameters: impl Iterator<Item = &'a str>) -> Option<u16> {
    let Some((_, value)) = parameters
        .filter_map(parameter)
        .find(|(name, _)| name == "q")
    else {
        return Some(1000);
    };
    let (whole, decimals) = value.split_once('.').unwrap_or((&value, ""));
    let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || whole.len() + decimals.len() == 0 {
        return None;
    }
    if whole.bytes().any(|b| b != b'0') {
        return Some(1000);
    }
    let digits = decimals.bytes().chain(*b"000").take(3);
    Some(digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

/// A parameter: its name in lower case, its value without quotes.
fn parameter(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim();
    let value = match value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
        Some(quoted) => {
            let mut escaped = false;
            let keep = |c: &char| {
                escaped = *c == '\\' && !escaped;
                !escaped
            };
            quoted.chars().filter(keep).collect()
        }
        None => value.to_owned(),
    };
    Some((name.trim().to_ascii_lowercase(), value))
}

/// Splits at `at`, but not within a quoted string.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c: char| {
        let is_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' if quoted => escaped = !is_escaped,
            '"' if !is_escaped => quoted = !quoted,
            _ => {}
        }
        c == at && !quoted
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formats_of_real_clients() {
        const TEXT: Format = Format::Text;
        const OPEN: Format = Format::OpenMetrics;
        for (accept, expected) in [
            // Prometheus 3 by default, and as configured for text first.
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                OPEN,
            ),
            (
                "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,*/*;q=0.1",
                TEXT,
            ),
            // Protobuf first: the best that there is here.
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.1,*/*;q=0.0",
                OPEN,
            ),
            // Prometheus before 2.33 asks for a version that is not spoken here.
            (
                "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                TEXT,
            ),
            // vmagent, curl, a browser, axios.
            ("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT),
            ("*/*", TEXT),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
                TEXT,
            ),
            ("application/json, text/plain, */*", TEXT),
            ("", TEXT),
            // By hand.
            ("application/openmetrics-text", OPEN),
            (
                "Application/OpenMetrics-Text; VERSION=\"1.0.0\" ; Q=1.000",
                OPEN,
            ),
            ("application/openmetrics-text,text/plain", TEXT),
            ("application/openmetrics-text;q=0", TEXT),
            ("application/openmetrics-text;q=0.001,*/*;q=0", OPEN),
            ("application/openmetrics-text;version=2.0.0", TEXT),
            (
                "application/openmetrics-text;x=\"a,b;q=0\";q=0.9,text/*;q=0.8",
                OPEN,
            ),
            (
                "application/openmetrics-text;x=\"a\\\",text/plain;q=1\";q=0.9",
                OPEN,
            ),
            ("text/plain;q=0,*/*", OPEN),
            ("application/*;q=0.2,text/*;q=0.3,*/*", TEXT),
            // Empty parameters, ones without a value, and spaces count for nothing.
            ("application/openmetrics-text;;q=0.9,text/plain;q=0.8", OPEN),
            (
                "application/openmetrics-text;new;q=0.9,text/plain;q=0.8",
                OPEN,
            ),
            (
                "application/openmetrics-text ; q = 0.9 , text/plain;q=0.8",
                OPEN,
            ),
            // The more specific range counts, not the greater one.
            (
                "application/openmetrics-text;version=1.0.0;q=0.1,application/openmetrics-text,text/plain;q=0.5",
                TEXT,
            ),
            // Garbage.
            ("application/openmetrics-text;q=high", TEXT),
            ("application/openmetrics-text;q=", TEXT),
            ("application/openmetrics-text;q=.", TEXT),
            ("application/openmetrics-text;q=7", OPEN),
            ("application/openmetrics-text;q=nan,;;,/,=,\"", TEXT),
            ("image/png", TEXT),
        ] {
            assert_eq!(format(Some(accept)), expected, "{accept}");
        }
        assert_eq!(format(None), TEXT);
    }

    #[test]
    fn codings() {
        for (accept, expected) in [
            ("gzip", true),
            ("identity", false),
            ("", false),
            ("gzip, deflate, br, zstd", true),
            ("deflate, br", false),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("GZIP ; Q=0.1", true),
            ("x-gzip", true),
            ("*", true),
            ("*;q=0", false),
            ("*;q=0,gzip", true),
            ("gzip;q=0,*", false),
            ("identity;q=0", false),
            ("identity;q=0,*", true),
            ("identity;q=0.5,gzip;q=0.4", false),
            ("identity;q=0.5,gzip;q=0.5", true),
            ("gzip;q=yes", false),
            ("gzipped", false),
        ] {
            assert_eq!(gzip(Some(accept)), expected, "{accept}");
        }
        assert!(!gzip(None));
    }

    proptest! {
        #[test]
        fn any_header_has_an_answer(header in "[a-z/*;,=q0-9.\"\\\\ ]{0,60}|\\PC{0,40}") {
            let _ = (format(Some(&header)), gzip(Some(&header)));
        }

        #[test]
        fn the_greater_weight_wins(open in 0u16..=1000, text in 0u16..=1000) {
            let q = |weight: u16| format!("{}.{:03}", weight / 1000, weight % 1000);
            let header = format!(
                "text/plain;version=0.0.4;q={},application/openmetrics-text;version=1.0.0;q={}",
                q(text),
                q(open),
            );
            prop_assert_eq!(format(Some(&header)) == Format::OpenMetrics, open > text);
        }
    }
}
