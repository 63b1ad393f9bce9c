//! The signature `SDK-HMAC-SHA256` (API Request Signing Guide, "Signing Algorithm"): pure functions,
//! used by the client to sign and by the simulator to verify.

use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use crate::cloud::call::UNRESERVED;

/// The one algorithm that every cloud with this API takes.
pub(super) const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// A client that hashed its body itself tells the hash in this header, and it stands for the body.
const CONTENT_HASH: &str = "x-sdk-content-sha256";

/// What is signed of a request.
#[derive(Debug, Clone)]
pub(super) struct Signable<'a> {
    /// Upper case.
    pub(super) method: &'a str,
    /// The path as it is sent, encoded.
    pub(super) path: &'a str,
    /// The query as it is sent, encoded; empty for none.
    pub(super) query: &'a str,
    /// The headers to be signed, in any order and case.
    pub(super) headers: Vec<(&'a str, &'a str)>,
    /// The body, whole.
    pub(super) body: &'a [u8],
}

impl Signable<'_> {
    /// Names in lower case, values trimmed, sorted by name.
    fn canonical_headers(&self) -> Vec<(String, &str)> {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
            .collect();
        headers.sort();
        headers
    }

    /// The names of the signed headers, as the `Authorization` header lists them.
    pub(super) fn signed_headers(&self) -> String {
        let names: Vec<_> = self
            .canonical_headers()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        names.join(";")
    }

    /// The canonical request.
    pub(super) fn canonical_request(&self) -> String {
        let headers = self.canonical_headers();
        let mut out = format!(
            "{}\n{}\n{}\n",
            self.method,
            canonical_path(self.path),
            canonical_query(self.query)
        );
        for (name, value) in &headers {
            out.push_str(name);
            out.push(':');
            out.push_str(value);
            out.push('\n');
        }
        out.push('\n');
        out.push_str(&self.signed_headers());
        out.push('\n');
        match headers.iter().find(|(name, _)| name == CONTENT_HASH) {
            Some((_, hash)) => out.push_str(hash),
            None => out.push_str(&hex(&Sha256::digest(self.body))),
        }
        out
    }

    /// The value of the `Authorization` header for a request with this `X-Sdk-Date`.
    pub(super) fn authorization(&self, access_key: &str, secret_key: &str, date: &str) -> String {
        let signature = keyed(secret_key, &string_to_sign(date, &self.canonical_request()));
        format!(
            "{ALGORITHM} Access={access_key}, SignedHeaders={}, Signature={}",
            self.signed_headers(),
            hex(&signature.into_bytes())
        )
    }

    /// Whether the signature, in hexadecimal, is that of this request; takes the same time for
    /// every wrong one.
    pub(super) fn verify(&self, secret_key: &str, date: &str, signature: &str) -> bool {
        unhex(signature).is_some_and(|signature| {
            mac(secret_key, &string_to_sign(date, &self.canonical_request()))
                .verify_slice(&signature)
                .is_ok()
        })
    }
}

/// What the key signs.
fn string_to_sign(date: &str, canonical_request: &str) -> String {
    let hash = hex(&Sha256::digest(canonical_request.as_bytes()));
    format!("{ALGORITHM}\n{date}\n{hash}")
}

/// The keyed hash of a text; comparing two takes the same time whatever the difference.
pub(super) fn keyed(key: &str, text: &str) -> CtOutput<Hmac<Sha256>> {
    mac(key, text).finalize()
}

/// The secret key is used as it is: no derived key, no scope.
fn mac(secret_key: &str, text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac
}

/// The form of `X-Sdk-Date`.
const DATE: &str = "%Y%m%dT%H%M%SZ";

/// The value of `X-Sdk-Date`: UTC, to the second.
pub(super) fn date(at: Timestamp) -> String {
    at.strftime(DATE).to_string()
}

/// Reads an `X-Sdk-Date`.
pub(super) fn parse_date(text: &str) -> Option<Timestamp> {
    let civil = jiff::civil::DateTime::strptime(DATE, text).ok()?;
    jiff::tz::Offset::UTC.to_timestamp(civil).ok()
}

/// Each segment encoded, and a slash at the end: it is signed, but must not be sent, or the gateway
/// knows no such API (404 `APIGW.0101`).
fn canonical_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 1);
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            out.push('/');
        }
        recode(&mut out, segment);
    }
    if !out.ends_with('/') {
        out.push('/');
    }
    out
}

/// Pairs encoded, sorted by name and then by value; a name without a value keeps its `=`.
fn canonical_query(query: &str) -> String {
    let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value), name, value)
        })
        .collect();
    pairs.sort();
    let mut out = String::with_capacity(query.len());
    for (_, _, name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        recode(&mut out, name);
        out.push('=');
        recode(&mut out, value);
    }
    out
}

/// Brings encoded or plain text into the one encoding that is signed.
fn recode(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(
        &percent_decode_str(text).decode_utf8_lossy(),
        UNRESERVED,
    ));
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(digit.into(), 16));
        }
    }
    out
}

/// The bytes of hexadecimal text; none when it is not.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<Vec<u8>>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Vector {
        name: String,
        ak: String,
        sk: String,
        method: String,
        url: String,
        headers: BTreeMap<String, String>,
        body: String,
        x_sdk_date: String,
        canonical_request: String,
        string_to_sign: String,
        authorization: String,
        signed_headers: Vec<String>,
    }

    fn vectors() -> Vec<Vector> {
        let text = include_str!("../../../tests/data/huawei/signing-vectors.json");
        serde_json::from_str(text).unwrap()
    }

    fn signable(vector: &Vector) -> Signable<'_> {
        let rest = vector.url.split_once("://").unwrap().1;
        let target = rest.find('/').map_or("/", |at| rest.split_at(at).1);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Signable {
            method: &vector.method,
            path,
            query,
            headers: vector
                .headers
                .iter()
                .filter(|(name, _)| vector.signed_headers.contains(&name.to_lowercase()))
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            body: vector.body.as_bytes(),
        }
    }

    #[test]
    fn all_vectors_are_met() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 22);
        for vector in &vectors {
            let signable = signable(vector);
            let canonical = signable.canonical_request();
            assert_eq!(canonical, vector.canonical_request, "{}", vector.name);
            assert_eq!(
                string_to_sign(&vector.x_sdk_date, &canonical),
                vector.string_to_sign,
                "{}",
                vector.name
            );
            assert_eq!(
                signable.authorization(&vector.ak, &vector.sk, &vector.x_sdk_date),
                vector.authorization,
                "{}",
                vector.name
            );
        }
    }

    #[test]
    fn only_the_right_signature_is_verified() {
        for vector in &vectors() {
            let signable = signable(vector);
            let signature = vector.authorization.rsplit_once('=').unwrap().1;
            assert!(signable.verify(&vector.sk, &vector.x_sdk_date, signature));
            assert!(!signable.verify("other", &vector.x_sdk_date, signature));
            assert!(!signable.verify(&vector.sk, "20200101T000000Z", signature));
            assert!(!signable.verify(&vector.sk, &vector.x_sdk_date, ""));
            assert!(!signable.verify(&vector.sk, &vector.x_sdk_date, "zz"));
        }
    }

    #[test]
    fn order_in_the_query_does_not_matter() {
        assert_eq!(canonical_query("b=2&a=%7e&a=1&C"), "C=&a=1&a=~&b=2");
    }

    #[test]
    fn dates_are_utc_to_the_second() {
        let at: Timestamp = "2019-11-15T12:36:55.9+09:00".parse().unwrap();
        assert_eq!(date(at), "20191115T033655Z");
        assert_eq!(
            parse_date("20191115T033655Z"),
            Some("2019-11-15T03:36:55Z".parse().unwrap())
        );
        assert_eq!(parse_date("2019-11-15T03:36:55Z"), None);
    }
}
