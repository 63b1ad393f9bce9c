//! User and password of basic authentication (RFC 7617).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};
use secrecy::{ExposeSecret, SecretSlice};

/// A user and a password, as a request names them.
pub(super) struct Credentials {
    pub(super) user: Vec<u8>,
    pub(super) password: SecretSlice<u8>,
}

impl Credentials {
    /// Reads the `Authorization` header; `None` when it is another scheme's, or cannot be read.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(AUTHORIZATION)?.as_bytes();
        let (scheme, coded) = value.split_at_checked("Basic ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Basic ") {
            return None;
        }
        let pair = SecretSlice::from(STANDARD.decode(coded).ok()?);
        let colon = pair.expose_secret().iter().position(|b| *b == b':')?;
        let (user, password) = pair.expose_secret().split_at_checked(colon)?;
        let password = password.get(1..).unwrap_or_default().to_vec();
        Some(Self {
            user: user.to_vec(),
            password: SecretSlice::from(password),
        })
    }
}
