//! Calls of one service in one project: signed with keys, or with an IAM token.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::token::{Bearer, TokenSource};
use super::{error, host, sign};
use crate::clock::Clock;
use crate::config::{Cloud, HuaweiAuth, Secret};
use crate::provider::http::{Answer, Authentication, Effort, Message, Request, Transport, Vendor};
use crate::provider::{ApiError, Call, Context, Reason, call};

pub(crate) use super::error::is_unpublished;

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
    pub(crate) fn new(context: &Context<'_>, service: &'static str) -> Result<Self, ApiError> {
        let Cloud::Huawei(account) = &context.account.cloud else {
            return Err(ApiError::new(
                Reason::Protocol,
                format!("{service} is not a product of this account's cloud"),
            ));
        };
        let auth = match account.auth.clone() {
            HuaweiAuth::Keys {
                access_key,
                secret_key,
                security_token,
            } => Auth::Keys(Keys {
                access_key,
                secret_key,
                security_token,
                project_id: account.project_id.clone(),
            }),
            HuaweiAuth::Token {
                iam_endpoint,
                domain,
                user,
                password,
            } => {
                let iam = host::base("iam", account, iam_endpoint.as_ref())?;
                let project = account.project_id.clone();
                Auth::Token(
                    context
                        .transport
                        .shared(|| TokenSource::new(iam, project, domain, user, password)),
                )
            }
        };
        Ok(Self {
            transport: context.transport.clone(),
            product: context.product.product.name,
            base: host::base(service, account, context.product.endpoint.as_ref())?,
            project_id: account.project_id.clone(),
            time_zone: account.time_zone,
            auth,
        })
    }

    /// Makes a call with normal effort.
    pub(crate) async fn get(
        &self,
        call: &'static Call,
        params: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, ApiError> {
        self.get_with(Effort::Normal, call, params, query).await
    }

    /// Makes a call. `params` fill the path after the project's id, which is always the first
    /// hole and is added here.
    pub(crate) async fn get_with(
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
            Auth::Keys(keys) => Ok(Box::new(keys)),
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

    /// The clock that calls are signed by.
    pub(crate) fn clock(&self) -> &Clock {
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
#[derive(Debug)]
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
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::config::Account;
    use crate::provider::Method;
    use crate::provider::huawei::css;
    use crate::provider::huawei::sim::tests as stage;
    use crate::sim::World;
    use crate::sim::scenario::{Fault, FaultAnswer, Scenario};

    const CALL: Call = Call::read("List", Method::Get, "/v1.0/{}/clusters");

    fn client(account: &Account, transport: &Arc<Transport>) -> Client {
        let context = Context {
            account,
            product: &account.products[0],
            transport: transport.clone(),
        };
        Client::new(&context, css::PRODUCT.name).unwrap()
    }

    fn world(scenario: Scenario) -> World {
        World::new(scenario, 1.0, Clock::system())
    }

    fn token_auth(address: SocketAddr, password: &str) -> HuaweiAuth {
        HuaweiAuth::Token {
            iam_endpoint: Some(format!("http://{address}").parse().unwrap()),
            domain: "domain A".into(),
            user: "user A".into(),
            password: stage::secret(password),
        }
    }

    #[tokio::test]
    async fn signed_calls_are_let_in_with_what_needs_encoding() {
        let mut scenario = stage::scenario(Vec::new());
        scenario.huawei.security_token = Some("a+b/c==".to_owned().into());
        let (address, world) = stage::serve(world(scenario)).await;
        let HuaweiAuth::Keys {
            access_key,
            secret_key,
            ..
        } = stage::good_keys()
        else {
            unreachable!("they are keys")
        };
        let auth = HuaweiAuth::Keys {
            access_key,
            secret_key,
            security_token: Some(stage::secret(" a+b/c==\n")),
        };
        let account = stage::account(address, auth);
        let client = client(&account, &stage::transport(&account));
        let answer = client
            .get(&CALL, &[], &[("name", "a b~*한"), ("limit", "10")])
            .await
            .unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(world.seen(), (1, Vec::new()));
    }

    #[tokio::test]
    async fn a_refused_key_is_tried_once() {
        let (address, world) = stage::serve(world(stage::scenario(Vec::new()))).await;
        let account = stage::account(address, stage::keys("wrong"));
        let transport = stage::transport(&account);
        let first = client(&account, &transport);
        let error = first.get(&CALL, &[], &[]).await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some("APIGW.0301"));
        assert!(error.message.contains("secret_key"), "{error}");
        // The account's other product has the same key.
        let second = client(&account, &transport);
        let error = second.get(&CALL, &[], &[]).await.unwrap_err();
        assert_eq!((error.reason, error.status), (Reason::Auth, None));
        assert_eq!(world.seen().0, 1);
        let shown = format!("{error} {first:?}");
        assert!(!shown.contains("wrong"), "{shown}");
    }

    #[tokio::test]
    async fn products_share_one_token() {
        let (address, world) = stage::serve(world(stage::scenario(Vec::new()))).await;
        let account = stage::account(address, token_auth(address, "pass\"phrase"));
        let transport = stage::transport(&account);
        let (one, other) = (client(&account, &transport), client(&account, &transport));
        let answers = tokio::join!(
            one.get(&CALL, &[], &[]),
            other.get(&CALL, &[], &[]),
            one.get(&CALL, &[], &[])
        );
        assert!(answers.0.is_ok() && answers.1.is_ok() && answers.2.is_ok());
        assert_eq!(world.seen(), (4, Vec::new()), "one token, three calls");
        let Auth::Token(source) = &one.auth else {
            unreachable!("it is a token")
        };
        let shown = format!("{one:?} {source:?}");
        assert!(
            !shown.contains("MIISIM") && !shown.contains("phrase"),
            "{shown}"
        );
    }

    #[tokio::test]
    async fn a_refused_password_is_tried_once() {
        let (address, world) = stage::serve(world(stage::scenario(Vec::new()))).await;
        let account = stage::account(address, token_auth(address, "wrong"));
        let client = client(&account, &stage::transport(&account));
        let (x, y) = tokio::join!(client.get(&CALL, &[], &[]), client.get(&CALL, &[], &[]));
        let error = x.unwrap_err();
        assert_eq!(error.call, "KeystoneCreateUserTokenByPassword");
        assert!(error.message.contains("password"), "{error}");
        assert_eq!(y.unwrap_err().reason, Reason::Auth);
        let later = client.get(&CALL, &[], &[]).await.unwrap_err();
        assert_eq!(later.status, None);
        assert_eq!(world.seen().0, 1);
    }

    #[tokio::test]
    async fn a_token_that_dies_early_is_renewed_once() {
        // The tokens are of another world: this one refuses them all.
        let (iam, iam_world) = stage::serve(world(stage::scenario(Vec::new()))).await;
        let mut other = stage::scenario(Vec::new());
        other.huawei.password = "other".to_owned().into();
        let (address, world) = stage::serve(world(other)).await;
        let account = stage::account(address, token_auth(iam, "pass\"phrase"));
        let client = client(&account, &stage::transport(&account));
        let error = client.get(&CALL, &[], &[]).await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some("APIGW.0301"));
        assert_eq!((iam_world.seen().0, world.seen().0), (2, 2));
        let error = client.get(&CALL, &[], &[]).await.unwrap_err();
        assert_eq!(
            (error.reason, error.status),
            (Reason::Auth, None),
            "it rests"
        );
        assert_eq!((iam_world.seen().0, world.seen().0), (2, 2));
    }

    #[tokio::test]
    async fn many_that_wait_with_a_dead_token_do_not_try_it_one_after_another() {
        let (iam, iam_world) = stage::serve(world(stage::scenario(Vec::new()))).await;
        let mut other = stage::scenario(Vec::new());
        other.huawei.password = "other".to_owned().into();
        let (address, world) = stage::serve(world(other)).await;
        let account = stage::account(address, token_auth(iam, "pass\"phrase"));
        let client = client(&account, &stage::transport(&account));
        let calls = (0..20).map(|_| client.get(&CALL, &[], &[]));
        for outcome in futures_util::future::join_all(calls).await {
            assert_eq!(outcome.unwrap_err().reason, Reason::Auth);
        }
        assert_eq!(
            (iam_world.seen().0, world.seen().0),
            (2, 2),
            "the first token and its successor are each tried once"
        );
    }

    /// Moves tokio's clock; no call is on its way.
    async fn pass(time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }

    #[tokio::test]
    async fn a_token_is_renewed_before_its_end_and_used_while_it_lives() {
        const HOUR: Duration = Duration::from_secs(3600);
        let clock = Clock::tokio(Clock::system().now());
        let mut scenario = stage::scenario(Vec::new());
        scenario.faults.push(Fault {
            path: "/v3/auth/tokens".into(),
            query: None,
            cluster: None,
            from: HOUR * 40,
            lasts: None,
            answer: FaultAnswer::Forbidden,
        });
        let (address, world) = stage::serve(World::new(scenario, 1.0, clock.clone())).await;
        let account = stage::account(address, token_auth(address, "pass\"phrase"));
        let transport = Transport::new(&account, Arc::default(), clock).unwrap();
        let client = client(&account, &Arc::new(transport));
        let asked = async || {
            let before = world.seen().0;
            client.get(&CALL, &[], &[]).await.unwrap();
            world.seen().0 - before
        };
        assert_eq!(asked().await, 2, "a token and a call");
        pass(HOUR * 23).await;
        assert_eq!(asked().await, 1);
        pass(HOUR / 2).await;
        assert_eq!(asked().await, 2, "half an hour is left");
        pass(HOUR * 71 / 3).await;
        assert_eq!(asked().await, 2, "IAM gives none, and the old one is good");
        assert_eq!(asked().await, 1, "IAM is not asked again at once");
        pass(HOUR).await;
        let error = client.get(&CALL, &[], &[]).await.unwrap_err();
        assert_eq!(error.reason, Reason::Permission);
        assert_eq!(world.seen().1, [""; 0], "no dead token was sent");
    }
}
