//! Meaning of answers that are not plain successes. Pure.

use reqwest::header::HeaderValue;
use serde_json::Value;
use url::Url;

use super::{Failure, Remedy};
use crate::text::clean;

/// By status and body; `url` is what was posted to.
pub(super) fn judge(status: u16, location: Option<&HeaderValue>, body: &str, url: &Url) -> Failure {
    let body = Body::read(body);
    let told = if body.text.is_empty() {
        String::new()
    } else {
        format!(": {}", body.text)
    };
    let (remedy, text) = match status {
        300..=399 => {
            let text = match location.and_then(|location| target(location, url)) {
                Some(to) => format!("it redirects to {to}: if that is its address, set url to it"),
                None => "it redirects: set url to its real address".to_owned(),
            };
            (Remedy::Change, text)
        }
        400 if body.form == Form::Text => (Remedy::Leave, "it left out alerts".to_owned() + &told),
        400 if body.form == Form::Object => (Remedy::Split, "it took no alert".to_owned() + &told),
        413 | 422 => (Remedy::Split, "it took no alert".to_owned() + &told),
        401 | 403 => {
            let text = format!("it refuses us{told}; check basic_auth or bearer_token");
            (Remedy::Change, text)
        }
        404 | 405 => {
            let text =
                format!("it has no API there{told}; check url, with the prefix of its routes");
            (Remedy::Change, text)
        }
        425 | 429 => (Remedy::Wait, "it cannot take alerts now".to_owned() + &told),
        408 | 500.. => (
            Remedy::Doubt,
            "it cannot take alerts now".to_owned() + &told,
        ),
        _ => (Remedy::Change, "it takes no alerts".to_owned() + &told),
    };
    Failure::new(remedy, format!("HTTP {status}, {text}"))
}

/// Rejects a success that is a web page: the alerts went to a login or a proxy. `body` is its beginning,
/// not empty as far as the length tells.
///
/// # Errors
/// The page's text, and where to look.
pub(super) fn reject_page(
    status: u16,
    content_type: Option<&HeaderValue>,
    body: &str,
) -> Result<(), Failure> {
    let is_html = |value: &HeaderValue| {
        let kind = value.as_bytes().split(|&b| b == b';').next();
        let kind = kind.unwrap_or_default().trim_ascii();
        kind.eq_ignore_ascii_case(b"text/html")
            || kind.eq_ignore_ascii_case(b"application/xhtml+xml")
    };
    let begin = body.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if !content_type.is_some_and(is_html) && !begin.starts_with('<') {
        return Ok(());
    }
    let text = match clean(body) {
        text if text.is_empty() => text,
        text => format!(": {text}"),
    };
    let text = format!(
        "HTTP {status} with a web page, so the alerts were not taken{text}; a login or a proxy answers in its place: check url, basic_auth and bearer_token"
    );
    Err(Failure::new(Remedy::Wait, text))
}

/// The form of a body: it tells who refused.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    /// A JSON string: the API's handler, after it stored the good alerts.
    Text,
    /// A JSON object with a message: the API's check of the form, before anything was stored.
    Object,
    /// Somebody on the way.
    Other,
}

struct Body {
    form: Form,
    text: String,
}

impl Body {
    fn read(body: &str) -> Self {
        let (form, text) = match serde_json::from_str(body) {
            Ok(Value::String(text)) => (Form::Text, text),
            Ok(Value::Object(mut object)) => match object.remove("message") {
                Some(Value::String(text)) => (Form::Object, text),
                _ => (Form::Other, body.to_owned()),
            },
            _ => (Form::Other, body.to_owned()),
        };
        Self {
            form,
            text: clean(&text),
        }
    }
}

/// Where a redirect leads, in the form of the config's `url`: without the API's own path, and without
/// user and query, which may be secret.
fn target(location: &HeaderValue, url: &Url) -> Option<String> {
    let to = url.join(location.to_str().ok()?).ok()?;
    let port = to
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    let path = to.path().trim_end_matches('/');
    let path = path.strip_suffix("/api/v2/alerts").unwrap_or(path);
    let text = format!("{}://{}{port}{path}", to.scheme(), to.host_str()?);
    Some(clean(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> (Remedy, String) {
        let url = Url::parse("http://am:9093/api/v2/alerts").unwrap();
        let failure = judge(status, None, body, &url);
        (failure.remedy, failure.text)
    }

    #[test]
    fn the_form_of_a_400_tells_whether_the_rest_was_stored() {
        // As Alertmanager 0.25 answers.
        let partly =
            r#""start time must be before end time; invalid label set: invalid name \"a-b\"""#;
        assert_eq!(
            judged(400, partly),
            (
                Remedy::Leave,
                "HTTP 400, it left out alerts: start time must be before end time; \
                 invalid label set: invalid name \"a-b\""
                    .to_owned()
            )
        );
        let nothing = r#"{"code":400,"message":"parsing alerts body from \"\" failed"}"#;
        assert_eq!(judged(400, nothing).0, Remedy::Split);
        let nothing = r#"{"code":602,"message":"1.labels in body is required"}"#;
        assert_eq!(
            judged(422, nothing),
            (
                Remedy::Split,
                "HTTP 422, it took no alert: 1.labels in body is required".to_owned()
            )
        );
        assert_eq!(judged(413, "<h1>Too large</h1>").0, Remedy::Split);
        let proxy = "<h1>The plain HTTP request was sent to HTTPS port</h1>";
        assert_eq!(judged(400, proxy).0, Remedy::Change);
    }

    #[test]
    fn what_may_pass_by_itself_is_told_from_a_wrong_set_up() {
        for (status, remedy) in [
            (301, Remedy::Change),
            (401, Remedy::Change),
            (403, Remedy::Change),
            (404, Remedy::Change),
            (405, Remedy::Change),
            (408, Remedy::Doubt),
            (415, Remedy::Change),
            (429, Remedy::Wait),
            (500, Remedy::Doubt),
            (503, Remedy::Doubt),
            (599, Remedy::Doubt),
        ] {
            assert_eq!(judged(status, "").0, remedy, "{status}");
        }
    }

    #[test]
    fn a_success_with_a_web_page_has_not_taken_the_alerts() {
        let judged = |kind: &'static str, body| {
            let kind = Some(HeaderValue::from_static(kind)).filter(|k| !k.is_empty());
            reject_page(200, kind.as_ref(), body).map_err(|f| (f.remedy, f.text))
        };
        let failed = (
            Remedy::Wait,
            "HTTP 200 with a web page, so the alerts were not taken: Sign in; a login or a proxy \
             answers in its place: check url, basic_auth and bearer_token"
                .to_owned(),
        );
        for (kind, body) in [
            ("text/html; charset=utf-8", "<h1>Sign in</h1>"),
            ("TEXT/HTML", "Sign in"),
            ("application/xhtml+xml ;q=1", "<?xml?><b>Sign in</b>"),
            ("text/plain", "\u{feff}\r\n <!DOCTYPE html><b>Sign in"),
            ("", "<html>Sign in"),
        ] {
            assert_eq!(judged(kind, body), Err(failed.clone()), "{kind} {body}");
        }
        for (kind, body) in [
            ("application/json", r#"{"status":"success"}"#),
            ("application/json", ""),
            ("", "ok <3"),
        ] {
            assert_eq!(judged(kind, body), Ok(()), "{kind} {body}");
        }
        assert!(judged("text/html", "").is_err(), "the body never came");
    }

    #[test]
    fn texts_are_one_short_line() {
        let (_, text) = judged(500, &format!("<b>Oops</b>\n\u{1b}{}", "x".repeat(70_000)));
        assert!(
            text.starts_with("HTTP 500, it cannot take alerts now: Oops "),
            "{text}"
        );
        assert!(
            !text.contains(['\n', '\u{1b}']) && text.len() < 300,
            "{text}"
        );
    }

    #[test]
    fn a_redirect_tells_where_to_without_what_may_be_secret() {
        let url = Url::parse("http://am/x/api/v2/alerts").unwrap();
        let to = |location: &'static str| {
            judge(302, Some(&HeaderValue::from_static(location)), "", &url).text
        };
        for (location, told) in [
            (
                "https://u:hunter2@am.example:8443/x/api/v2/alerts?token=hunter2",
                "it redirects to https://am.example:8443/x: if that is its address, set url to it",
            ),
            (
                "/login/?state=hunter2",
                "it redirects to http://am/login: if that is its address, set url to it",
            ),
            ("http://", "it redirects: set url to its real address"),
        ] {
            assert_eq!(to(location), format!("HTTP 302, {told}"));
        }
    }
}
