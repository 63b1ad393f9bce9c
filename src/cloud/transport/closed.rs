//! The closed list: a transport sends the calls that were allowed when its products were opened, all of
//! which only read, and nothing else. Some vendors restart clusters on GET, and start an upgrade beside
//! the path that tells of it.

use percent_encoding::percent_decode_str;
use url::{Url, form_urlencoded};

use super::{Message, Request, host};
use crate::cloud::{Action, Call};
use crate::http::ApiError;
use crate::model::Reason;

/// Headers by which a request reaches another host or becomes another method, whatever its address says.
const OVERRIDES: &[&str] = &[
    "host",
    "x-forwarded-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// Calls that may be made at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Scheme, host and port.
    pub base: Url,
    /// Prefix of each call's own path, as of a version and a region; empty for nothing.
    pub prefix: String,
    /// The calls.
    pub calls: &'static [&'static Call],
}

/// Passes a request that is one of these calls, by its method, its host, the path that it really has, and
/// its action where the call has one.
pub(super) fn check(allowed: &[Allowed], request: &Request<'_>) -> Result<(), ApiError> {
    let message = request.message();
    if allowed.iter().any(|allowed| allowed.passes(&message)) {
        return Ok(());
    }
    let what = format!(
        "{} {} is not one of the calls that only read, so it was not sent: this is a fault of this program",
        message.method.as_str(),
        message.path
    );
    Err(ApiError::new(Reason::Protocol, what).of(request.call.name))
}

impl Allowed {
    /// Returns true for a request that is one of the calls.
    pub(crate) fn passes(&self, message: &Message<'_>) -> bool {
        let is_here =
            self.base.scheme() == message.base.scheme() && host(&self.base) == host(message.base);
        let path = message.path.strip_prefix(self.prefix.as_str());
        let path = path.filter(|path| path.starts_with('/'));
        let is_call = |call: &&Call| {
            call.method == message.method
                && path.is_some_and(|path| fits(call.path, path))
                && call.action.is_none_or(|action| has(message, action))
        };
        is_here && is_as_written(message) && self.calls.iter().copied().any(|call| is_call(&call))
    }
}

/// Returns true when path and query are sent as they were written, and no header stands over the address.
fn is_as_written(message: &Message<'_>) -> bool {
    let url = message.url();
    let headers = message.headers.iter();
    let mut overrides = headers.filter(|(key, _)| {
        let mut names = OVERRIDES.iter();
        names.any(|name| key.eq_ignore_ascii_case(name))
    });
    url.path() == message.path
        && url.query().unwrap_or_default() == message.query
        && overrides.next().is_none()
}

/// Returns true when a path is this one, with text in place of each hole.
fn fits(template: &str, path: &str) -> bool {
    let (wanted, given) = (template.split('/'), path.split('/'));
    template.split('/').count() == path.split('/').count()
        && wanted
            .zip(given)
            .all(|(wanted, given)| fits_segment(wanted, given))
}

fn fits_segment(template: &str, segment: &str) -> bool {
    let Some((before, after)) = template.split_once("{}") else {
        return template == segment;
    };
    let hole = segment.strip_prefix(before);
    let hole = hole.and_then(|rest| rest.strip_suffix(after));
    hole.is_some_and(is_parameter)
}

/// Returns true for a percent-encoded parameter that stays one, and in its place, for a gateway that decodes
/// it once more or sooner than it should.
fn is_parameter(hole: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b);
    let Ok(text) = percent_decode_str(hole).decode_utf8() else {
        return false;
    };
    // A `%` that begins no code is left by decoding, and a `%25` makes one.
    let is_clean = |c: char| !c.is_control() && !matches!(c, '%' | '\\');
    let is_step = |step: &str| matches!(step, "" | "." | "..");
    hole.bytes().all(is_plain) && text.chars().all(is_clean) && !text.split('/').any(is_step)
}

/// Returns true when a request has this action, and no other beside it.
fn has(message: &Message<'_>, action: Action) -> bool {
    match action {
        Action::Form(name, wanted) => {
            let forms = [message.body.unwrap_or_default(), message.query];
            let pairs = forms.map(|form| form_urlencoded::parse(form.as_bytes()));
            let named = pairs
                .into_iter()
                .flatten()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name));
            // Some servers end a pair at `;` too.
            named.map(|(_, value)| value).eq([wanted]) && !forms.concat().contains(';')
        }
        Action::Header(name, wanted) => {
            let headers = message.headers.iter();
            let named = headers.filter(|(key, _)| key.eq_ignore_ascii_case(name));
            named.map(|(_, value)| value.as_str()).eq([wanted])
        }
    }
}

/// Returns true when a request without a body is among these products' calls behind a prefix.
#[cfg(test)]
pub(crate) fn is_among(
    products: &[&dyn crate::cloud::Product],
    prefix: &str,
    (method, path): (crate::cloud::Method, &str),
) -> bool {
    let base = Url::parse("https://vendor.invalid").expect("it is an address");
    let message = Message {
        method,
        base: &base,
        path,
        query: "",
        headers: &[],
        body: None,
    };
    let allowed = products.iter().map(|product| Allowed {
        base: base.clone(),
        prefix: prefix.to_owned(),
        calls: product.info().calls,
    });
    allowed.into_iter().any(|allowed| allowed.passes(&message))
}

#[cfg(test)]
mod tests;
