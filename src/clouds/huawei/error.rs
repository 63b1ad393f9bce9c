//! What an answer means: the gateway's and the services' errors, in all their shapes.

use jiff::SignedDuration;
use serde_json::Value;

use crate::cloud::transport::Answer;
use crate::http::{ApiError, Cause, Network};
use crate::json;
use crate::model::Reason;
use crate::text::clean;

/// The gateway refuses what was signed at a time further than this from its own.
const SKEW_LIMIT: SignedDuration = SignedDuration::from_mins(15);

/// What a body tells of a failure. One body can hold three codes of three layers at once.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// In the order in which the vendor's SDK believes them.
    codes: Vec<String>,
    /// The first text that is not empty. A gateway's can hold the access key and the canonical
    /// request: it is read, never shown.
    text: String,
    /// The body's request id.
    request_id: String,
}

/// The layer that a code comes from.
enum Layer<'a> {
    /// The gateway, with the number alone: other installations write `APIG.` and `APIC.`.
    Gateway(&'a str),
    /// Cloud Search Service.
    Css(&'a str),
    /// Cloud Container Engine: its codes hold the HTTP status.
    Cce(u16),
    /// Any other.
    Other,
}

/// The meaning of a failure.
struct Meaning {
    reason: Reason,
    cause: Cause,
    message: String,
    /// Whether the service's own text may follow.
    quote: bool,
}

impl Meaning {
    fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            cause: Cause::of(reason),
            message: message.into(),
            quote: false,
        }
    }

    fn because(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    fn quoting(reason: Reason, message: &str) -> Self {
        Self {
            quote: true,
            ..Self::new(reason, message)
        }
    }
}

/// Whether the cloud does not publish this API: 404 `APIGW.0101`.
fn is_unpublished(error: &ApiError) -> bool {
    error.status == Some(404)
        && matches!(
            error.code.as_deref().map(layer),
            Some(Layer::Gateway("0101"))
        )
}

/// What the answer means. A 202 that carries a code is a refusal (`CSS.0011`).
pub(super) fn judge(answer: &Answer) -> Result<(), ApiError> {
    if answer.is_success() && answer.status != 202 {
        return Ok(());
    }
    let told = read(&answer.body);
    if answer.is_success() && told.codes.is_empty() {
        return Ok(());
    }
    let by_code = told.codes.iter().find_map(|code| {
        let meaning = by_code(code, answer, &told.text)?;
        Some((meaning, Some(code)))
    });
    let (meaning, code) = by_code.unwrap_or_else(|| (by_status(answer.status), told.codes.first()));
    let mut message = meaning.message;
    let text = clean(&told.text);
    if meaning.quote && !text.is_empty() {
        message = format!("{message}: {text}");
    }
    let mut error = ApiError::new(meaning.reason, message).because(meaning.cause);
    error.status = Some(answer.status);
    error.code = code.cloned();
    if is_unpublished(&error) {
        error.cause = Cause::NotPublished;
    }
    error.request_id = Some(told.request_id)
        .filter(|id| !id.is_empty())
        .or_else(|| {
            ["x-request-id", "x-iam-trace-id"]
                .iter()
                .find_map(|name| word(answer.header(name)?))
        });
    Err(error)
}

/// Reads the known shapes: `error_code`/`error_msg` (gateway), `errCode`/`externalMessage` (CSS),
/// `errorCode`/`errorMessage` (CCE), Kubernetes' `code`/`message`, and IAM's nested `error`.
/// Anything else (HTML, empty) tells nothing.
fn read(body: &[u8]) -> Told {
    let Ok(body) = json::read::<Value>(body) else {
        return Told::default();
    };
    let nested = &body["error"];
    let codes = [
        &body["error_code"],
        &body["errCode"],
        &body["errorCode"],
        &nested["error_code"],
        &nested["code"],
        &body["code"],
    ];
    let texts = [
        &body["error_msg"],
        &body["externalMessage"],
        &body["errorMessage"],
        &body["errorMsg"],
        &nested["message"],
        &nested["error_msg"],
        &body["message"],
    ];
    let ids = [&body["request_id"], &body["requestId"]];
    let mut told = Told::default();
    for code in codes {
        // A number is the HTTP status over again.
        told.codes.extend(code.as_str().and_then(word));
    }
    told.text = texts
        .iter()
        .filter_map(|text| text.as_str())
        .find(|text| !text.trim().is_empty())
        .map(str::to_owned)
        .unwrap_or_default();
    told.request_id = ids
        .iter()
        .find_map(|id| id.as_str().and_then(word))
        .unwrap_or_default();
    told
}

/// A code or an id: one short word, or it is something else in its place.
fn word(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    fits.then(|| text.to_owned())
}

fn layer(code: &str) -> Layer<'_> {
    let Some((service, number)) = code.split_once('.') else {
        return Layer::Other;
    };
    match service.to_ascii_uppercase().as_str() {
        "APIGW" | "APIG" | "APIC" => Layer::Gateway(number),
        "CSS" => Layer::Css(number),
        // CCE.01404001: two digits for the module, three for the HTTP status.
        "CCE" => number
            .get(2..5)
            .and_then(|status| status.parse().ok())
            .map_or(Layer::Other, Layer::Cce),
        _ => Layer::Other,
    }
}

fn by_code(code: &str, answer: &Answer, text: &str) -> Option<Meaning> {
    Some(match layer(code) {
        Layer::Gateway("0301") => refused_credentials(answer.skew, text),
        Layer::Gateway("0302") => Meaning::new(
            Reason::Permission,
            "the IAM user may not make this call; give it read rights for the service in this project, and check that project_id is a project of this region",
        ),
        Layer::Gateway("0101") => Meaning::new(
            Reason::NotFound,
            "this cloud does not publish the call at this address; check region, domain and endpoint, unless the cloud is known to lack it",
        ),
        Layer::Gateway("0308") => Meaning::new(
            Reason::Throttled,
            "the gateway's quota of calls is used up; lower polling.rate_limit or poll less often",
        ),
        Layer::Gateway("0201") => Meaning::new(
            Reason::Server,
            "the service behind the gateway did not answer in time; nothing to do unless it lasts",
        ),
        // Not known by number: the status decides, and the text stays here.
        Layer::Gateway(_) => {
            return Some(Meaning {
                quote: false,
                ..by_status(answer.status)
            });
        }
        // 403 CSS.0015 is what CSS says for a cluster that is gone.
        Layer::Css("0002" | "0015" | "0016" | "0022" | "0047" | "1103" | "3027") => Meaning::new(
            Reason::NotFound,
            "the service finds no such cluster, or denies access to it; check the cluster's id, the project and the user's rights",
        ),
        // 400 CSS.0036 is an internal error, and passes.
        Layer::Css("0005" | "0036" | "1004" | "9999") | Layer::Cce(500..600) => Meaning::quoting(
            Reason::Server,
            "the service broke; nothing to do unless it lasts",
        ),
        Layer::Css("0010" | "0051" | "5045") => Meaning::new(
            Reason::Permission,
            "the user's policy denies this call; give it the read rights of CSS in this project",
        ),
        Layer::Cce(401) => Meaning::new(
            Reason::Auth,
            "the service refused the credentials; check the keys or the token, and the project",
        ),
        Layer::Cce(403) => Meaning::new(
            Reason::Permission,
            "the user may not make this call; give it the action that the call takes: cce:cluster:list, cce:cluster:get or cce:node:list",
        ),
        Layer::Cce(404) => Meaning::quoting(
            Reason::NotFound,
            "the service finds no such cluster or task; check the cluster's id and the project",
        ),
        Layer::Cce(429) => Meaning::quoting(
            Reason::Throttled,
            "the service takes no more calls now; lower polling.rate_limit or poll less often",
        ),
        Layer::Css(_) | Layer::Cce(_) | Layer::Other => return None,
    })
}

/// What `APIGW.0301` means is in its text only.
fn refused_credentials(skew: Option<SignedDuration>, text: &str) -> Meaning {
    let text = text.to_ascii_lowercase();
    let says = |part: &str| text.contains(part);
    if let Some(skew) = skew.filter(|skew| skew.abs() > SKEW_LIMIT) {
        let message = format!(
            "this machine's clock is {} {} the vendor's, which allows 15m; set it, for instance by NTP",
            crate::text::exact_length(std::time::Duration::from_secs(
                skew.unsigned_abs().as_secs()
            )),
            if skew.is_negative() {
                "behind"
            } else {
                "ahead of"
            },
        );
        return Meaning::new(Reason::Auth, message).because(Cause::Clock);
    }
    let message = if says("reach the limit") {
        "the access key is locked for 5m after too many bad signatures; check secret_key, here and wherever else the key is used".to_owned()
    } else if says("ak not exist") {
        "this cloud does not know the access key; check access_key, region and domain".to_owned()
    } else if says("signature expired") && skew.is_some() {
        // The clock is good, by the same answer.
        "the temporary key has expired; get a new one, with its security_token".to_owned()
    } else if says("signature expired") {
        "the signature or the temporary key has expired; check the clock, or renew the key with its security_token".to_owned()
    } else if says("token") && !says("aksk") {
        "the token was refused; check that user, project and IAM endpoint belong to this region"
            .to_owned()
    } else if says("signature fail") || says("aksk") {
        "the signature does not fit; check secret_key, and security_token for a temporary key"
            .to_owned()
    } else {
        "the gateway refused the credentials; check the keys or the token".to_owned()
    };
    Meaning::new(Reason::Auth, message)
}

fn by_status(status: u16) -> Meaning {
    match status {
        300..400 => Meaning::new(
            Reason::Protocol,
            "the answer is a redirect, which is not followed because it would carry credentials elsewhere; check region and endpoint",
        ),
        401 => Meaning::new(
            Reason::Auth,
            "the vendor refused the credentials; check the keys or the token",
        ),
        403 => Meaning::new(
            Reason::Permission,
            "the vendor denies this call; check the user's rights in this project",
        ),
        404 | 410 => Meaning::quoting(
            Reason::NotFound,
            "the vendor finds nothing there; check the cluster's id, the project and the endpoint",
        ),
        407 => Meaning::new(
            Reason::Network,
            "the proxy asks for credentials; put them into proxy_url",
        )
        .because(Cause::Network(Network::Proxy)),
        408 | 500.. => Meaning::quoting(
            Reason::Server,
            "the vendor's side broke; nothing to do unless it lasts",
        ),
        429 => Meaning::quoting(
            Reason::Throttled,
            "too many calls; lower polling.rate_limit or poll less often",
        ),
        202 | 400..500 => Meaning::quoting(Reason::Refused, "the vendor refused the call"),
        _ => Meaning::new(
            Reason::Protocol,
            "the answer has a status that the vendor does not document; check the endpoint and any proxy",
        ),
    }
}

#[cfg(test)]
mod tests;
