//! What an answer means: three error envelopes, codes that look like HTTP statuses and are not,
//! and refusals that come with HTTP 200. Pure.

use jiff::SignedDuration;
use serde_json::Value;

use super::outline::Outline;
use super::sign;
use crate::provider::error::VENDOR_SAYS;
use crate::provider::http::Answer;
use crate::provider::{ApiError, Cause, Network, Reason, json};
use crate::text::clean;

/// The `Date` header is cut to the second.
const PRECISION: SignedDuration = SignedDuration::from_secs(1);

/// What the body says, whatever its envelope.
#[derive(Debug, Default)]
struct Said {
    envelope: Envelope,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
}

/// Who speaks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Envelope {
    /// The service: all is well.
    Success,
    /// The service: a code that is not 0.
    Refusal,
    /// The gateway before it, with a code of its table.
    Gateway,
    /// Nobody who is known.
    #[default]
    None,
}

/// Passes a good answer, and turns any other into an error. `place` names zone and region.
pub(super) fn judge(answer: &Answer, place: &str) -> Result<(), ApiError> {
    let body: Option<Outline> = json::read(&answer.body).ok();
    let said = body.map(|outline| read(&outline.0)).unwrap_or_default();
    if answer.is_success() && said.envelope == Envelope::Success {
        return Ok(());
    }
    let reason = reason(answer.status, &said);
    let cause = cause(reason, answer, &said);
    let mut error = ApiError::new(reason, sentence(cause, answer, &said, place)).because(cause);
    error.status = Some(answer.status);
    error.code = said.code;
    error.request_id = answer
        .header("x-ncp-apigw-request-id")
        .map(clean)
        .filter(|id| !id.is_empty())
        .or(said.request_id);
    Err(error)
}

/// Reads any of the envelopes: `{code, message, result, requestId}` of the services,
/// `{"error": {errorCode, message, details}}` of the gateway, `{"responseError": {…}}` of older
/// gateways. Codes come as text, as numbers, and inside objects.
fn read(body: &Value) -> Said {
    let request_id = field(body, &["requestId"]);
    if let Some(error) = body.get("error").filter(|e| e.is_object()) {
        let message = [field(error, &["message"]), field(error, &["details"])];
        return Said {
            envelope: Envelope::Gateway,
            code: field(error, &["errorCode", "code"]),
            message: join(message),
            request_id,
        };
    }
    if let Some(error) = body.get("responseError").filter(|e| e.is_object()) {
        return Said {
            envelope: Envelope::None,
            code: field(error, &["returnCode", "code"]),
            message: field(error, &["returnMessage", "message"]).unwrap_or_default(),
            request_id,
        };
    }
    let code = body.get("code").filter(|code| !code.is_null());
    let has_result = body.get("result").is_some_and(|r| !r.is_null());
    let envelope = match code {
        Some(code) if is_zero(code) => Envelope::Success,
        Some(_) => Envelope::Refusal,
        None if has_result => Envelope::Success,
        None => Envelope::None,
    };
    Said {
        envelope,
        code: code.and_then(text),
        message: field(body, &["message"]).unwrap_or_default(),
        request_id,
    }
}

fn is_zero(code: &Value) -> bool {
    code.as_f64() == Some(0.0) || code.as_str().is_some_and(|code| code.trim() == "0")
}

/// The first of these fields that holds something.
fn field(object: &Value, names: &[&str]) -> Option<String> {
    names
        .iter()
        .find_map(|name| object.get(name).and_then(text))
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => clean(text),
        Value::Number(number) => json::text(number).unwrap_or_default(),
        Value::Object(_) => field(value, &["code", "errorCode", "value"])?,
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn join(parts: [Option<String>; 2]) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(": ")
}

/// The gateway's code decides where it is known, then the HTTP status. The codes of the gateway are
/// not HTTP statuses: its 200 is a failed authentication, its 400 a quota.
fn reason(status: u16, said: &Said) -> Reason {
    match said.envelope {
        Envelope::Gateway => match said.code.as_deref() {
            Some("100" | "430") => Reason::Protocol,
            Some("200") => Reason::Auth,
            Some("210") => Reason::Permission,
            Some("300") => Reason::NotFound,
            Some("400" | "410" | "420") => Reason::Throttled,
            Some("500" | "510" | "900") => Reason::Server,
            // Such as 80031 with HTTP 400: "temporarily unavailable".
            _ if matches!(status, 200..300 | 400) => Reason::Server,
            _ => by_status(status),
        },
        // The services refuse with 200, 400 and 500 alike.
        Envelope::Refusal if matches!(status, 200..300 | 400 | 409 | 422 | 500) => Reason::Refused,
        _ => by_status(status),
    }
}

fn by_status(status: u16) -> Reason {
    match status {
        401 => Reason::Auth,
        403 => Reason::Permission,
        404 | 405 => Reason::NotFound,
        407 => Reason::Network,
        429 => Reason::Throttled,
        500.. => Reason::Server,
        _ => Reason::Protocol,
    }
}

/// The gateway answers a wrong clock as it answers a wrong key, and an account that does not use the
/// API as it answers a missing policy: its `Date` header and its details tell them apart.
fn cause(reason: Reason, answer: &Answer, said: &Said) -> Cause {
    let is_skewed = answer.skew.is_some_and(is_outside);
    match reason {
        Reason::Auth if is_skewed => Cause::Clock,
        Reason::Permission if said.message.to_ascii_lowercase().contains("subscription") => {
            Cause::Subscription
        }
        Reason::Network => Cause::Network(Network::Proxy),
        _ => Cause::of(reason),
    }
}

fn is_outside(skew: SignedDuration) -> bool {
    skew.abs() >= sign::WINDOW - PRECISION
}

fn sentence(cause: Cause, answer: &Answer, said: &Said, place: &str) -> String {
    let what = match cause {
        Cause::Clock => wrong_clock(answer.skew.unwrap_or_default()),
        Cause::Credentials => {
            "the vendor did not accept the access key or its signature; check access_key, secret_key and zone".to_owned()
        }
        Cause::Permission => {
            "the key is good, but may not do this; give its sub-account a policy to view the service, and check that the account uses the service".to_owned()
        }
        Cause::Subscription => format!(
            "the key is good, but its account does not use this service in {place}; subscribe to it in the console, or check zone, region and key"
        ),
        Cause::Network(_) => {
            "the proxy asks for credentials; put them into proxy_url".to_owned()
        }
        Cause::Region | Cause::NotPublished => format!(
            "the gateway knows no such API in {place}; check zone, region and endpoint in the config, and that the service exists there"
        ),
        Cause::Throttled => {
            "the vendor has had too many calls; lower polling.rate_limit or raise the intervals".to_owned()
        }
        Cause::Vendor => {
            "the vendor's side cannot serve the call now; wait, and look at the vendor's status page if it lasts".to_owned()
        }
        Cause::Refusal => "the service refused the call".to_owned(),
        Cause::Answer | Cause::Held => unreadable(answer),
    };
    if said.message.is_empty() || said.envelope == Envelope::Success {
        what
    } else {
        format!("{what}{VENDOR_SAYS}{}", said.message)
    }
}

fn wrong_clock(skew: SignedDuration) -> String {
    format!(
        "the clock of this machine is {} s {} that of the vendor, who refuses 5 minutes and more; set the clock",
        skew.abs().as_secs(),
        if skew.is_positive() {
            "ahead of"
        } else {
            "behind"
        },
    )
}

fn unreadable(answer: &Answer) -> String {
    match answer.status {
        200..300 if answer.body.is_empty() => {
            "the answer is empty; check that endpoint and proxy lead to the vendor".to_owned()
        }
        200..300 => {
            "the answer is not what the vendor documents; check that endpoint and proxy lead to the vendor".to_owned()
        }
        300..400 => {
            "the answer is a redirect, which is not followed, since it would carry signed headers elsewhere; check the endpoint".to_owned()
        }
        413 => "the vendor calls the request too large; check that no proxy adds to it".to_owned(),
        _ => "the vendor could not read the request; its API may have changed: look for a newer version of this program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::header::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            skew: None,
        }
    }

    fn error(status: u16, body: &str) -> ApiError {
        judge(&answer(status, body), "zone public, region KR").unwrap_err()
    }

    fn gateway(code: &str) -> String {
        format!(r#"{{"error":{{"errorCode":{code},"message":"m"}}}}"#)
    }

    #[test]
    fn the_gateways_table() {
        let table = [
            (400, 100, Reason::Protocol),
            (401, 200, Reason::Auth),
            (401, 210, Reason::Permission),
            (404, 300, Reason::NotFound),
            (429, 400, Reason::Throttled),
            (429, 410, Reason::Throttled),
            (429, 420, Reason::Throttled),
            (413, 430, Reason::Protocol),
            (503, 500, Reason::Server),
            (504, 510, Reason::Server),
            (500, 900, Reason::Server),
        ];
        for (status, code, want) in table {
            for form in [format!("\"{code}\""), code.to_string()] {
                let error = error(status, &gateway(&form));
                assert_eq!(error.reason, want, "{status} {form}");
                assert_eq!(error.status, Some(status), "a code never becomes a status");
                assert_eq!(error.code, Some(code.to_string()));
            }
            let want = if code == 210 { Reason::Auth } else { want };
            assert_eq!(error(status, "").reason, want, "{status} without a body");
        }
        let float = error(401, &gateway("210.0"));
        assert_eq!(float.code.as_deref(), Some("210"));
        let nested = error(401, &gateway(r#"{"code":"200"}"#));
        assert_eq!(nested.code.as_deref(), Some("200"));
    }

    #[test]
    fn codes_are_read_from_bodies_with_broken_texts() {
        for body in [
            &b"\xef\xbb\xbf{\"error\":{\"errorCode\":\"210\"}}"[..],
            b"{\"error\":{\"errorCode\":\"210\",\"message\":\"\xff\"}}",
            b"{\"error\":{\"errorCode\":\"210\",\"message\":\"\\ud83d\"}}",
            b"{\"error\":7,\"error\":{\"errorCode\":\"210\",\"details\":\"\xff\"}}",
        ] {
            let mut answer = answer(401, "");
            answer.body = Bytes::from_static(body);
            let error = judge(&answer, "").unwrap_err();
            assert_eq!(error.code.as_deref(), Some("210"), "{body:?}");
        }
    }

    #[test]
    fn documented_bodies() {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../../tests/data/ncloud/errors.json")).unwrap();
        let want = [
            (
                200,
                Reason::Refused,
                Cause::Refusal,
                "10153",
                "업데이트된 Kafka 버전은",
            ),
            (
                401,
                Reason::Permission,
                Cause::Permission,
                "210",
                "vendor says: Permission Denied",
            ),
            (
                401,
                Reason::Permission,
                Cause::Subscription,
                "210",
                "Permission Denied: A subscription to the API is required.",
            ),
            (
                400,
                Reason::Server,
                Cause::Vendor,
                "80031",
                "says: Please try again in a few minutes. It is temporarily unavailable. If the error",
            ),
            (
                403,
                Reason::Permission,
                Cause::Permission,
                "1103",
                "vendor says: Forbidden.",
            ),
        ];
        assert_eq!(cases.len(), want.len());
        for (case, (status, reason, cause, code, text)) in cases.iter().zip(want) {
            let error = error(status, &case["body"].to_string());
            assert_eq!(error.reason, reason, "{}", case["name"]);
            assert_eq!(error.cause, cause, "{}", case["name"]);
            assert_eq!(error.code.as_deref(), Some(code));
            assert!(error.message.contains(text), "{}", error.message);
            assert!(!error.message.contains('<'), "{}", error.message);
        }
    }

    #[test]
    fn services_refuse_with_any_status() {
        let body =
            r#"{"code":3,"message":"numPartitions has an error","result":null,"requestId":"71b0"}"#;
        for status in [200, 400, 500] {
            let error = error(status, body);
            assert_eq!(error.reason, Reason::Refused, "{status}");
            assert_eq!(error.request_id.as_deref(), Some("71b0"));
        }
        for (status, want) in [
            (401, Reason::Auth),
            (404, Reason::NotFound),
            (429, Reason::Throttled),
            (503, Reason::Server),
        ] {
            assert_eq!(error(status, body).reason, want, "{status}");
        }
    }

    #[test]
    fn zero_is_success_in_any_form() {
        for body in [
            r#"{"code":0,"result":null}"#,
            r#"{"code":"0","message":"SUCCESS"}"#,
            r#"{"result":{}}"#,
        ] {
            assert_eq!(judge(&answer(200, body), ""), Ok(()), "{body}");
        }
        for body in ["", "{}", "null", "[0]", "<html>", r#"{"code":null}"#] {
            assert_eq!(error(200, body).reason, Reason::Protocol, "{body}");
        }
        assert_eq!(error(500, r#"{"code":0}"#).reason, Reason::Server);
    }

    #[test]
    fn pages_and_redirects_are_not_answers() {
        assert_eq!(error(302, "").reason, Reason::Protocol);
        assert!(error(302, "").message.contains("redirect"));
        let cut = r#"{"error":{"errorCode":"200","message":"secret"#;
        for body in ["<html><body>secret</body></html>", cut] {
            let page = error(500, body);
            assert_eq!(page.reason, Reason::Server);
            assert!(!page.message.contains("secret"), "no body in errors");
        }
        let spring = error(400, r#"{"error":"Bad Request","message":"no"}"#);
        assert_eq!(spring.reason, Reason::Protocol);
    }

    #[test]
    fn a_wrong_clock_is_told_from_a_wrong_key() {
        let told = |skew: Option<i64>| {
            let mut answer = answer(401, &gateway("\"200\""));
            answer.skew = skew.map(SignedDuration::from_secs);
            judge(&answer, "").unwrap_err()
        };
        for (skew, part) in [(360, "360 s ahead of"), (-301, "301 s behind")] {
            let error = told(Some(skew));
            assert_eq!((error.reason, error.cause), (Reason::Auth, Cause::Clock));
            assert!(error.message.contains(part), "{error}");
        }
        for fine in [None, Some(200), Some(-200)] {
            let error = told(fine);
            assert_eq!(error.cause, Cause::Credentials, "{fine:?}");
            assert!(error.message.contains("check access_key"), "{error}");
        }
    }

    #[test]
    fn the_place_is_named_and_the_gateways_request_id_wins() {
        let mut answer = answer(404, r#"{"error":{"errorCode":"300"},"requestId":"b"}"#);
        assert_eq!(
            judge(&answer, "x").unwrap_err().request_id.as_deref(),
            Some("b")
        );
        answer
            .headers
            .insert("x-ncp-apigw-request-id", "a".parse().unwrap());
        let error = judge(&answer, "zone gov, region KRS").unwrap_err();
        assert_eq!(error.request_id.as_deref(), Some("a"));
        assert!(error.message.contains("zone gov, region KRS"));
        assert_eq!(error.cause, Cause::Region);
        assert_eq!(
            self::error(407, "").cause,
            Cause::Network(Network::Proxy),
            "a proxy speaks in the vendor's place"
        );
    }
}
