//! Logins that clients give.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::RequestBuilder;
use secrecy::ExposeSecret as _;
use tokio::time::Instant;

use super::Redaction;
use crate::secret::{Secret, SecretError};

/// Login of a client.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Login {
    /// The server does not ask for one.
    #[default]
    None,
    /// User and password.
    Basic {
        /// User.
        username: String,
        /// Password.
        password: Secret,
    },
    /// Token in the header `Authorization`.
    Bearer(Secret),
}

impl Login {
    /// Returns the password or the token.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        match self {
            Self::None => None,
            Self::Basic { password, .. } => Some(password),
            Self::Bearer(token) => Some(token),
        }
    }

    /// Adds the login to a request, and returns it with the secrets that it carries. The secret's file is
    /// read now: a rotated one needs no reload.
    ///
    /// # Errors
    /// Fails where the file never gave a secret.
    pub(crate) async fn add_to(
        &self,
        request: RequestBuilder,
        deadline: Instant,
    ) -> Result<(RequestBuilder, Redaction), SecretError> {
        let mut redaction = Redaction::default();
        let Some(secret) = self.secret() else {
            return Ok((request, redaction));
        };
        secret.refresh(deadline).await;
        let secret = secret.get()?;
        let secret = secret.expose_secret();
        redaction.add(secret);
        let request = if let Self::Basic { username, .. } = self {
            redaction.add(&BASE64_STANDARD.encode(format!("{username}:{secret}")));
            request.basic_auth(username, Some(secret))
        } else {
            request.bearer_auth(secret)
        };
        Ok((request, redaction))
    }
}
