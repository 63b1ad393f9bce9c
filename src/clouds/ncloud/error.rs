//! What an answer means: three error envelopes, codes that look like HTTP statuses and are not,
//! and refusals that come with HTTP 200. Pure.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use super::outline::Outline;
use super::sign;
use crate::cloud::VENDOR_SAYS;
use crate::cloud::transport::Answer;
use crate::http::{ApiError, Cause, Network};
use crate::json;
use crate::model::Reason;
use crate::text::{clean, exact_length};

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
        408 | 500.. => Reason::Server,
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
        Cause::Answer | Cause::Held | Cause::NotAsked => unreadable(answer),
    };
    if said.message.is_empty() || said.envelope == Envelope::Success {
        what
    } else {
        format!("{what}{VENDOR_SAYS}{}", said.message)
    }
}

fn wrong_clock(skew: SignedDuration) -> String {
    format!(
        "the clock of this machine is {} {} that of the vendor, who refuses 5m and more; set the clock",
        exact_length(Duration::from_secs(skew.unsigned_abs().as_secs())),
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
mod tests;
