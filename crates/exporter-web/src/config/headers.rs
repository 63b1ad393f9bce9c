//! The section `http_server_config`: HTTP/2, and headers for the answers.

use hyper::header::{HeaderName, HeaderValue};

use super::given;
use spanned_yaml::{Field, either, quote};

/// The headers that may be set, with the values that they may have; none: any.
const KNOWN: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// The section.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) http2: bool,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

pub(super) fn read(field: Option<&Field<'_>>) -> Option<Http> {
    let Some(field) = field else {
        return Some(Http {
            http2: true,
            headers: Vec::new(),
        });
    };
    let mut section = field.section();
    let http2 = match given(&mut section, "http2") {
        Some(field) => field.bool(),
        None => Some(true),
    };
    let headers = match section.take("headers") {
        Some(field) => headers(&field),
        None => Some(Vec::new()),
    };
    section.finish();
    Some(Http {
        http2: http2?,
        headers: headers?,
    })
}

fn headers(field: &Field<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut section = field.section();
    let found: Vec<Option<_>> = KNOWN
        .iter()
        .filter_map(|(name, values)| Some((*name, *values, given(&mut section, name)?)))
        .map(|(name, values, field)| {
            let value = value(&field, values)?;
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, value))
        })
        .collect();
    section.finish();
    found.into_iter().collect()
}

fn value(field: &Field<'_>, values: &[&str]) -> Option<HeaderValue> {
    let text = field.text()?;
    if !values.is_empty() && !values.contains(&text) {
        let (name, values) = (&field.name, either(values));
        field.wrong(format!("{name} must be {values}, not {}", quote(text)));
        return None;
    }
    let value = HeaderValue::from_str(text);
    if value.is_err() {
        field.wrong(format!("{} is no value of a header", field.name));
    }
    value.ok()
}
