//! Calls of one service in one project: signed with keys, or with an IAM token.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::account::{self, Account};
use super::token::{Bearer, TokenSource};
use super::{CALLS, error, host, sign};
use crate::clock::VendorClock;
use crate::cloud::transport::{
    Allowed, Answer, Authentication, Effort, Message, Request, Transport, Vendor,
};
use crate::cloud::{Call, OpenContext, call};
use crate::http::ApiError;
use crate::model::Reason;
use crate::secret::Secret;

/// The vendor locks an access key for 5 minutes after more than 5 bad signatures in a row, so one
/// refusal is enough to leave it alone for as long.
pub(super) const REST: Duration = Duration::from_secs(300);

/// One service of one account.
#[derive(Debug)]
pub(crate) struct Client {
    transport: Arc<Transport>,
    product: &'static str,
    base: Url,
    project_id: Arc<str>,
    time_zone: Offset,
    auth: Auth,
}

#[derive(Debug)]
enum Auth {
    Keys(Keys),
    Token(Arc<TokenSource>),
}

impl Client {
    /// A client for `service`, the first label of its host: `css`, `cce`.
    pub(crate) fn new(context: &OpenContext<'_>, service: &'static str) -> Result<Self, ApiError> {
        let account: &Account = context.account.downcast().ok_or_else(|| {
            ApiError::new(
                Reason::Protocol,
                format!("{service} is not a product of this account's cloud"),
            )
        })?;
        let allow = |base: &Url, calls| {
            context.transport.allow(Allowed {
                base: base.clone(),
                prefix: String::new(),
                calls,
            });
        };
        let auth = match account.auth.clone() {
            account::Auth::Keys {
                access_key,
                secret_key,
                security_token,
            } => Auth::Keys(Keys {
                access_key,
                secret_key,
                security_token,
                project_id: account.project_id.clone(),
            }),
            account::Auth::Token {
                iam_endpoint,
                domain,
                user,
                password,
            } => {
                let iam = host::base("iam", account, iam_endpoint.as_ref())?;
                allow(&iam, CALLS);
                let project = account.project_id.clone();
                Auth::Token(
                    context
                        .transport
                        .shared(|| TokenSource::new(iam, project, domain, user, password)),
                )
            }
        };
        let base = host::base(service, account, context.endpoint)?;
        allow(&base, context.info.calls);
        Ok(Self {
            transport: context.transport.clone(),
            product: context.info.name,
            base,
            project_id: account.project_id.clone(),
            time_zone: account.time_zone,
            auth,
        })
    }

    /// Makes a call. `params` fill the path after the project's id, which is always the first
    /// hole and is added here.
    pub(crate) async fn get(
        &self,
        effort: Effort,
        call: &'static Call,
        params: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, ApiError> {
        let params: Vec<&str> = std::iter::once(&*self.project_id)
            .chain(params.iter().copied())
            .collect();
        let request = Request {
            product: self.product,
            call,
            base: &self.base,
            path: call.path_with(&params),
            query: call::query(query),
            headers: Vec::new(),
            body: None,
            effort,
        };
        match &self.auth {
            Auth::Keys(keys) => self.transport.send(keys, &request).await,
            Auth::Token(source) => self.send_with_token(source, &request).await,
        }
    }

    /// A token can be voided before its time: its refusal, here or where others used it, gets it
    /// renewed. All who wait to use the old one go on with the new one.
    async fn send_with_token(
        &self,
        source: &TokenSource,
        request: &Request<'_>,
    ) -> Result<Answer, ApiError> {
        let token = source.token(&self.transport, self.product).await?;
        let error = match self.transport.send(&Bearer(token.clone()), request).await {
            Err(error) if error.reason == Reason::Auth => error,
            outcome => return outcome,
        };
        if !source.refused(&token).await {
            return Err(error);
        }
        let token = source.token(&self.transport, self.product).await?;
        self.transport.send(&Bearer(token.clone()), request).await
    }

    /// What signs a request of the account.
    pub(super) async fn vendor(&self) -> Result<Box<dyn Vendor + '_>, ApiError> {
        match &self.auth {
            Auth::Keys(keys) => Ok(Box::new(keys.clone())),
            Auth::Token(source) => {
                let token = source.token(&self.transport, self.product).await?;
                Ok(Box::new(Bearer(token)))
            }
        }
    }

    /// Where a call in the account's project goes: scheme, host and port, and the path.
    pub(super) fn place(&self, path: impl FnOnce(&str) -> String) -> (Url, String) {
        (self.base.clone(), path(&self.project_id))
    }

    /// Returns the clock of the account's vendor.
    pub(crate) fn clock(&self) -> &VendorClock {
        self.transport.clock()
    }

    /// The zone of dates that carry none.
    pub(crate) fn time_zone(&self) -> Offset {
        self.time_zone
    }
}

/// A number for these credentials, the same for every product of the account; it does not tell them.
pub(super) fn fingerprint(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hash = hash.finalize();
    hash.iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// AK and SK, of which temporary ones come with a token.
#[derive(Debug, Clone)]
struct Keys {
    access_key: Secret,
    secret_key: Secret,
    security_token: Option<Secret>,
    project_id: Arc<str>,
}

impl Vendor for Keys {
    fn secrets(&self) -> Vec<&Secret> {
        let keys = [&self.access_key, &self.secret_key];
        keys.into_iter().chain(&self.security_token).collect()
    }

    /// Every header that is sent here is signed, as the vendor demands of `X-Project-Id` and
    /// `X-Security-Token`; the host is signed as it will be sent.
    fn authorize(&self, message: &Message<'_>, now: Timestamp) -> Result<Authentication, ApiError> {
        let access_key = self.access_key.get()?;
        let secret_key = self.secret_key.get()?;
        let date = sign::date(now);
        let project = ("x-project-id", &*self.project_id);
        let security_token = match &self.security_token {
            Some(token) => Some(token.get()?),
            None => None,
        };
        let token = security_token.as_ref();
        let token = token.map(|token| ("x-security-token", token.expose_secret().trim()));
        let host = message.host();
        let signable = sign::Signable {
            method: message.method.as_str(),
            path: message.path,
            query: message.query,
            headers: message
                .headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .chain([("host", host.as_str()), project, ("x-sdk-date", &date)])
                .chain(token)
                .collect(),
            body: message.body.unwrap_or_default().as_bytes(),
        };
        let authorization = signable.authorization(
            access_key.expose_secret(),
            secret_key.expose_secret(),
            &date,
        );
        let (_, signature) = authorization.split_once("Signature=").unwrap_or_default();
        let mut authentication = Authentication::default()
            .secret(&access_key)
            .secret(&secret_key)
            .secret(&signature.into())
            .header(project.0, project.1)
            .header("x-sdk-date", date)
            .header("authorization", authorization);
        if let Some((name, token)) = token {
            authentication = authentication.secret_header(name, token);
        }
        Ok(authentication)
    }

    fn judge(&self, answer: &Answer) -> Result<(), ApiError> {
        error::judge(answer)
    }

    fn credentials(&self) -> u64 {
        let read = |secret: &Secret| secret.get().unwrap_or_default();
        let token = self.security_token.as_ref().map(read).unwrap_or_default();
        fingerprint(&[
            read(&self.access_key).expose_secret(),
            read(&self.secret_key).expose_secret(),
            token.expose_secret(),
        ])
    }

    fn rest_after_refusal(&self) -> Duration {
        REST
    }
}

#[cfg(test)]
mod tests;
