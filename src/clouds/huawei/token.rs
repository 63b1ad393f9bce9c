//! IAM tokens: fetched with a password, shared by all of an account's products, renewed in time.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::client::{REST, fingerprint};
use super::error::judge;
use crate::cloud::transport::{
    Answer, Authentication, Effort, Message, Request, Transport, Vendor,
};
use crate::cloud::{Call, Method};
use crate::http::{ApiError, Cause};
use crate::model::Reason;
use crate::secret::PATIENCE;
use crate::secret::Secret;

/// "Obtaining a User Token Through Password Authentication". It changes nothing: older tokens stay
/// good.
pub(super) const CREATE: Call = Call::read(
    "KeystoneCreateUserTokenByPassword",
    Method::Post,
    "/v3/auth/tokens",
);

/// How long a token lasts of which IAM does not say it (the documents say 24 hours; a 401 renews
/// sooner).
const UNTOLD_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// A token is renewed when less of its life is left, or less than a tenth.
const RENEW_AHEAD: SignedDuration = SignedDuration::from_mins(30);

/// Between attempts to renew a token that still lives.
const RENEW_AGAIN: Duration = Duration::from_secs(60);

/// A token with its times, by the vendor's clock.
#[derive(Debug)]
pub(super) struct Token {
    value: SecretString,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

/// Gives the account's token. One caller fetches it while the others wait for the same outcome.
#[derive(Debug)]
pub(super) struct TokenSource {
    iam: Url,
    project_id: Arc<str>,
    domain: String,
    user: String,
    password: Secret,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Arc<Token>>,
    /// When the last fetch began, if it failed.
    failed: Option<(Instant, ApiError)>,
    /// A living token is not renewed before.
    renew_after: Option<Instant>,
    /// When a token was last given up because the vendor refused it.
    given_up: Option<Instant>,
}

impl Token {
    /// Reads a token from IAM's answer to a request that was made at `asked`.
    fn read(answer: &Answer, asked: Timestamp) -> Result<Self, ApiError> {
        let value = answer
            .header("x-subject-token")
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                ApiError::new(
                    Reason::Protocol,
                    "IAM's answer carries no X-Subject-Token; check iam_endpoint",
                )
            })?;
        let body: Value = crate::json::read(&answer.body).unwrap_or_default();
        let time = |name: &str| -> Option<Timestamp> {
            super::time::naive(body["token"][name].as_str()?, jiff::tz::Offset::UTC)
        };
        // The length of its life holds whatever a clock says.
        let life = match (time("expires_at"), time("issued_at")) {
            (Some(expires), Some(issued)) => Some(expires.duration_since(issued)),
            (Some(expires), None) => Some(expires.duration_since(asked)),
            (None, _) => None,
        };
        // A token that was dead when it was given would be asked for with every call.
        let life = life
            .filter(jiff::SignedDuration::is_positive)
            .unwrap_or(UNTOLD_LIFE);
        let ahead = (life / 10).min(RENEW_AHEAD);
        let plus = |length| asked.checked_add(length).unwrap_or(asked);
        Ok(Self {
            value: SecretString::from(value.to_owned()),
            renew_at: plus(life - ahead),
            expires_at: plus(life),
        })
    }
}

impl TokenSource {
    pub(super) fn new(
        iam: Url,
        project_id: Arc<str>,
        domain: String,
        user: String,
        password: Secret,
    ) -> Self {
        Self {
            iam,
            project_id,
            domain,
            user,
            password,
            state: Mutex::default(),
        }
    }

    /// A token that is good as far as known; fetched for `product`, when there is none.
    pub(super) async fn token(
        &self,
        transport: &Transport,
        product: &'static str,
    ) -> Result<Arc<Token>, ApiError> {
        let asked = Instant::now();
        // An async mutex, held across the fetch on purpose: this is the queue of those who wait.
        let mut state = self.state.lock().await;
        let now = transport.clock().now();
        let living = state.token.clone().filter(|token| now < token.expires_at);
        if let Some(token) = &living {
            let may_renew = state.renew_after.is_none_or(|at| at <= Instant::now());
            if now < token.renew_at || !may_renew {
                return Ok(token.clone());
            }
        }
        if let Some((at, error)) = &state.failed
            && *at >= asked
        {
            return Err(error.clone());
        }
        let begun = Instant::now();
        match self.fetch(transport, product).await {
            Ok(token) => {
                let token = Arc::new(token);
                *state = State {
                    token: Some(token.clone()),
                    given_up: state.given_up,
                    ..State::default()
                };
                Ok(token)
            }
            Err(error) => {
                let pause = if error.reason == Reason::Auth {
                    REST
                } else {
                    RENEW_AGAIN
                };
                state.renew_after = Some(Instant::now() + pause);
                if let Some(token) = living {
                    tracing::warn!(%error, "The IAM token could not be renewed; it is used until it expires.");
                    return Ok(token);
                }
                state.failed = Some((begun, error.clone()));
                Err(error)
            }
        }
    }

    /// The vendor refused this token: tells whether the next caller gets another. One that took the
    /// place of a refused one is kept for a while: then it is the credentials that are at fault.
    pub(super) async fn refused(&self, token: &Arc<Token>) -> bool {
        let mut state = self.state.lock().await;
        if !state.token.as_ref().is_some_and(|t| Arc::ptr_eq(t, token)) {
            return true;
        }
        if state.given_up.is_some_and(|at| at.elapsed() < REST) {
            return false;
        }
        *state = State {
            given_up: Some(Instant::now()),
            ..State::default()
        };
        true
    }

    async fn fetch(&self, transport: &Transport, product: &'static str) -> Result<Token, ApiError> {
        self.password.refresh(Instant::now() + PATIENCE).await;
        let password = self.password.get()?;
        let body = json!({"auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {
                    "name": self.user,
                    "password": password.expose_secret(),
                    "domain": {"name": self.domain},
                }},
            },
            "scope": {"project": {"id": &*self.project_id}},
        }});
        let request = Request {
            product,
            call: &CREATE,
            base: &self.iam,
            path: CREATE.path_with(&[]),
            query: String::new(),
            headers: vec![("content-type", "application/json;charset=utf8".to_owned())],
            body: Some(body.to_string()),
            effort: Effort::Normal,
        };
        let vendor = Iam {
            credentials: fingerprint(&[&self.domain, &self.user, password.expose_secret()]),
            password,
        };
        let asked = transport.clock().now();
        let answer = transport.send(&vendor, &request).await?;
        Token::read(&answer, asked).map_err(|error| error.of(CREATE.name))
    }
}

/// IAM itself: the credentials are in the body.
struct Iam {
    credentials: u64,
    password: SecretString,
}

impl Vendor for Iam {
    fn authorize(&self, _: &Message<'_>, _: Timestamp) -> Result<Authentication, ApiError> {
        Ok(Authentication::default().secret(&self.password))
    }

    fn judge(&self, answer: &Answer) -> Result<(), ApiError> {
        judge(answer).map_err(|mut error| {
            if error.cause == Cause::Credentials {
                "IAM refused domain, user or password; check them, and whether the user may log in by API"
                    .clone_into(&mut error.message);
            }
            error
        })
    }

    fn credentials(&self) -> u64 {
        self.credentials
    }

    fn rest_after_refusal(&self) -> Duration {
        REST
    }
}

/// Calls with a token.
pub(super) struct Bearer(pub(super) Arc<Token>);

impl Vendor for Bearer {
    fn authorize(&self, _: &Message<'_>, _: Timestamp) -> Result<Authentication, ApiError> {
        let token = self.0.value.clone();
        Ok(Authentication::default().secret_header("x-auth-token", token))
    }

    fn judge(&self, answer: &Answer) -> Result<(), ApiError> {
        judge(answer)
    }

    fn credentials(&self) -> u64 {
        fingerprint(&[self.0.value.expose_secret()])
    }

    /// This token rests; its successor is another credential.
    fn rest_after_refusal(&self) -> Duration {
        REST
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    fn read(body: &str) -> Token {
        let mut headers = HeaderMap::new();
        headers.insert("x-subject-token", HeaderValue::from_static("MIIF-secret"));
        let answer = Answer {
            status: 201,
            headers,
            body: body.to_owned().into(),
            skew: None,
        };
        Token::read(&answer, "2026-11-21T10:00:00Z".parse().unwrap()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn renewed_half_an_hour_or_a_tenth_before_the_end() {
        let day = r#"{"token":{"issued_at":"2015-11-09T00:42:57.5Z","expires_at":"2015-11-10T00:42:57.500000Z"}}"#;
        let token = read(day);
        assert_eq!(token.expires_at, at("2026-11-22T10:00:00Z"));
        assert_eq!(token.renew_at, at("2026-11-22T09:30:00Z"));
        let hour = r#"{"token":{"issued_at":"2015-11-09T00:42:57.527404Z","expires_at":"2015-11-09T01:42:57.527404Z"}}"#;
        assert_eq!(read(hour).renew_at, at("2026-11-21T10:54:00Z"));
        let bare = r#"{"token":{"expires_at":"2026-11-21T12:00:00Z"}}"#;
        assert_eq!(read(bare).renew_at, at("2026-11-21T11:48:00Z"));
    }

    #[test]
    fn a_body_that_says_nothing_is_no_obstacle() {
        for body in ["", "{}", "[]", r#"{"token":{"expires_at":7}}"#] {
            assert_eq!(read(body).expires_at, at("2026-11-21T11:00:00Z"), "{body}");
        }
    }

    #[test]
    fn an_answer_without_a_token_is_an_error() {
        let answer = Answer {
            status: 201,
            headers: HeaderMap::new(),
            body: "{}".into(),
            skew: None,
        };
        let error = Token::read(&answer, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.reason, Reason::Protocol);
    }

    #[test]
    fn the_token_is_not_in_debug() {
        assert!(!format!("{:?}", read("{}")).contains("MIIF"));
    }
}
