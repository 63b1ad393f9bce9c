//! One exchange: a signed request goes out, its answer comes in, or it is told how far it came.

use bytes::BytesMut;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use secrecy::ExposeSecret as _;

use super::{Answer, Message, Vendor};
use crate::clock::Reading;
use crate::cloud::Method;
use crate::http::ApiError;
use crate::http::encoding::{BODY_CAP, decoded, too_long};
use crate::http::failure::network;
use crate::http::redaction::{Content, Redaction};
use crate::http::skew::{skew, vendor_time};
use crate::model::Reason;

/// The way that a request takes.
pub(crate) struct Way<'a> {
    /// The vendor's host, and its port when that is unusual.
    pub(crate) host: String,
    /// Host and port of the proxy.
    pub(crate) proxy: Option<&'a str>,
    /// Password of the proxy.
    pub(crate) proxy_secrets: &'a Redaction,
}

/// An answer, with the vendor's time that it tells.
pub(crate) struct Received {
    /// The answer.
    pub(crate) answer: Answer,
    /// Vendor's time; `None` when the answer does not tell it.
    pub(crate) reading: Option<Reading>,
}

/// An exchange without a whole answer.
pub(crate) struct Broken {
    /// What happened.
    pub(crate) error: ApiError,
    /// Whether there was a connection, so that the request may have arrived.
    pub(crate) connected: bool,
}

/// A signed request.
pub(crate) struct Prepared {
    request: reqwest::RequestBuilder,
    /// Secrets that it carries or was made of.
    redaction: Redaction,
}

/// The request with its headers and its signature at `now`.
pub(crate) fn prepare(
    client: &reqwest::Client,
    vendor: &dyn Vendor,
    message: &Message<'_>,
    now: Timestamp,
) -> Result<Prepared, ApiError> {
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("application/json"));
    headers.insert("accept-encoding", HeaderValue::from_static("identity"));
    let authentication = vendor.authorize(message, now)?;
    let plain = message.headers.iter();
    let plain = plain.map(|(name, value)| (*name, value.as_str(), false));
    let signed = authentication.headers.iter();
    let signed = signed.map(|(name, value)| (*name, value.expose_secret(), true));
    for (name, value, is_sensitive) in plain.chain(signed) {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            ApiError::new(
                Reason::Auth,
                format!("the value for the header {name} has characters that no header may have; check the credentials in the config"),
            )
        })?;
        value.set_sensitive(is_sensitive);
        headers.insert(HeaderName::from_static(name), value);
    }
    let method = match message.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
    };
    let mut request = client.request(method, message.url()).headers(headers);
    if let Some(body) = message.body {
        request = request.body(body.to_owned());
    }
    Ok(Prepared {
        request,
        redaction: authentication.redaction,
    })
}

/// Sends what was prepared and signed at `signed`, reads the whole answer, and removes from it the
/// secrets that were sent.
pub(crate) async fn receive(
    ready: Prepared,
    way: &Way<'_>,
    signed: Timestamp,
) -> Result<Received, Broken> {
    let Prepared {
        request,
        mut redaction,
    } = ready;
    redaction.extend(way.proxy_secrets);
    let broken = |e: reqwest::Error| Broken {
        connected: !e.is_connect(),
        error: network(&e, &way.host, way.proxy, &redaction),
    };
    let sent = Instant::now();
    let mut response = request.send().await.map_err(broken)?;
    let received = Instant::now();
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let passed = signed.checked_add(received.duration_since(sent));
    let skew = skew(&headers, signed, passed.unwrap_or(signed));
    let reading = vendor_time(&headers, sent, received);
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > BODY_CAP {
            return Err(unread(too_long("")));
        }
        body.extend_from_slice(&chunk);
    }
    let content = Content::of(status);
    let body = decoded(body.freeze(), content).await.map_err(unread)?;
    let (headers, body) = redaction.answer(headers, body, content).await;
    let answer = Answer {
        status,
        headers,
        body,
        skew,
    };
    Ok(Received { answer, reading })
}

/// Builds the failure of an answer that came and cannot be read.
fn unread(error: ApiError) -> Broken {
    Broken {
        error,
        connected: true,
    }
}
