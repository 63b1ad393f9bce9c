//! NAVER Cloud Platform: hosts, region prefixes, and the client that signs its products' calls.
//!
//! What may be called is a closed list, the products' `calls`: some GETs of these services restart
//! clusters. Bodies are never logged: CDSS's cluster detail, which is not called, holds a password.

pub mod cdss;
pub mod ses;

pub mod account;
mod error;
mod list;
mod lookup;
mod outline;
#[cfg(test)]
mod roundtrip;
mod sign;
mod sim;
mod time;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;
use spanned_yaml::Section;
use url::Url;

use account::{Account, Zone};

use crate::cloud::{Call, Cloud, CloudAccount, OpenContext, Product, call, transport};
use crate::fields;
use crate::http::ApiError;
use crate::json;
use crate::model::Reason;
use crate::secret::Secret;
use crate::sim::Gateway;

/// The cloud.
#[derive(Debug)]
pub struct Ncloud;

/// Name: the key in the config and the label `cloud`.
const NAME: &str = "ncloud";

/// Products, in the order in which they are documented.
const PRODUCTS: &[&dyn Product] = &[&ses::PRODUCT, &cdss::PRODUCT];

impl Cloud for Ncloud {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        "NAVER Cloud"
    }

    fn language(&self) -> Option<&'static str> {
        Some("ko")
    }

    fn products(&self) -> &'static [&'static dyn Product] {
        PRODUCTS
    }

    fn calls(&self) -> &'static [&'static Call] {
        &[]
    }

    fn accounts(
        &self,
        section: &mut Section<'_>,
        context: &fields::Context<'_>,
    ) -> Option<Vec<Arc<dyn CloudAccount>>> {
        Some(vec![Arc::new(account::read(section, context)?)])
    }

    fn gateway(&self) -> &'static dyn Gateway {
        &sim::Apigw
    }
}

/// Calls end by themselves soon enough; this only keeps wrong credentials from being hammered.
const REST_AFTER_REFUSAL: Duration = Duration::from_secs(60);

/// A service of the API gateway.
#[derive(Debug, Clone, Copy)]
struct Service {
    /// The product's name.
    product: &'static str,
    /// The first label of its host.
    host: &'static str,
    /// The version in its paths.
    version: &'static str,
}

/// The envelope of every good answer. The judge looked at its code already.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Envelope<T> {
    #[serde(default, deserialize_with = "json::optional")]
    result: Option<T>,
}

impl<T> Envelope<T> {
    /// Returns the result; `None` when the service says null.
    fn into_result(self) -> Option<T> {
        self.result
    }
}

/// The way of one product to its service.
#[derive(Debug, Clone)]
struct Client {
    service: Service,
    account: Account,
    base: Url,
    /// Path prefix of version and region.
    prefix: String,
    transport: Arc<transport::Transport>,
}

impl Client {
    /// The client of a product. Fails when the account is not of this cloud: a bug.
    fn open(context: OpenContext<'_>, service: Service) -> Result<Self, ApiError> {
        let account: &Account = context.account.downcast().ok_or_else(|| {
            ApiError::new(
                Reason::Protocol,
                format!("{} belongs to an ncloud account", service.product),
            )
        })?;
        let base = match context.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => Url::parse(&format!("https://{}", host(service.host, account.zone)))
                .expect("the hosts are constants"),
        };
        let prefix = prefix(&account.region, service.version);
        context.transport.allow(transport::Allowed {
            base: base.clone(),
            prefix: prefix.clone(),
            calls: context.info.calls,
        });
        Ok(Self {
            service,
            account: account.clone(),
            base,
            prefix,
            transport: context.transport,
        })
    }

    /// Sends a call without a body; the query is signed with it.
    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        call: &'static Call,
        params: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Option<T>, ApiError> {
        let request = self.request(call, params, call::query(query), None);
        self.send(&request).await.map(Envelope::into_result)
    }

    /// Sends a secondary call without a body, and reads its answer with the envelope.
    async fn look_up<E: serde::de::DeserializeOwned>(
        &self,
        effort: transport::Effort,
        call: &'static Call,
        params: &[&str],
    ) -> Result<E, ApiError> {
        let request = self.request(call, params, String::new(), None);
        self.send(&transport::Request { effort, ..request }).await
    }

    /// Sends a call with a JSON body, which is not signed.
    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        call: &'static Call,
        body: &Value,
    ) -> Result<Option<T>, ApiError> {
        let request = self.request(call, &[], String::new(), Some(body.to_string()));
        self.send(&request).await.map(Envelope::into_result)
    }

    fn request(
        &self,
        call: &'static Call,
        params: &[&str],
        query: String,
        body: Option<String>,
    ) -> transport::Request<'_> {
        let json = ("content-type", "application/json".to_owned());
        transport::Request {
            product: self.service.product,
            call,
            base: &self.base,
            path: format!("{}{}", self.prefix, call.path_with(params)),
            query,
            headers: body.iter().map(|_| json.clone()).collect(),
            body,
            effort: transport::Effort::Normal,
        }
    }

    /// Sends a request, and reads its answer with the envelope.
    async fn send<E: serde::de::DeserializeOwned>(
        &self,
        request: &transport::Request<'_>,
    ) -> Result<E, ApiError> {
        let answer = self.transport.send(self, request).await?;
        answer.json().map_err(|e| e.of(request.call.name))
    }

    /// Returns the vendor's time now.
    fn now(&self) -> Timestamp {
        self.transport.clock().now()
    }

    /// Returns the zone of the account's dates.
    fn zone(&self) -> Offset {
        self.account.time_zone
    }

    /// Zone and region, for people. Cluster numbers are not documented to be unique across them.
    fn place(&self) -> String {
        format!(
            "zone {}, region {}",
            self.account.zone.as_str(),
            self.account.region
        )
    }
}

impl transport::Vendor for Client {
    fn secrets(&self) -> Vec<&Secret> {
        vec![&self.account.access_key, &self.account.secret_key]
    }

    fn authorize(
        &self,
        message: &transport::Message<'_>,
        now: Timestamp,
    ) -> Result<transport::Authentication, ApiError> {
        let access_key = self.account.access_key.get()?;
        let secret_key = self.account.secret_key.get()?;
        let timestamp = now.as_millisecond().to_string();
        let text = sign::string_to_sign(
            message.method.as_str(),
            &message.target(),
            &timestamp,
            access_key.expose_secret(),
        );
        let signature = sign::signature(secret_key.expose_secret(), &text);
        Ok(transport::Authentication::default()
            .secret(&secret_key)
            .header(sign::TIMESTAMP, timestamp)
            .secret_header(sign::ACCESS_KEY, access_key)
            .secret_header(sign::SIGNATURE, signature))
    }

    fn judge(&self, answer: &transport::Answer) -> Result<(), ApiError> {
        error::judge(answer, &self.place())
    }

    fn credentials(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        for secret in [&self.account.access_key, &self.account.secret_key] {
            // What cannot be read is told when the call is signed.
            if let Ok(secret) = secret.get() {
                secret.expose_secret().hash(&mut hash);
            }
        }
        hash.finish()
    }

    fn rest_after_refusal(&self) -> Duration {
        REST_AFTER_REFUSAL
    }
}

/// Returns the first of two spellings of a field that holds text, without blanks around it.
fn either<'a>(one: &'a str, other: &'a str) -> &'a str {
    let one = one.trim();
    if one.is_empty() { other.trim() } else { one }
}

/// The host of a service. Only the financial zone puts its name before the service's, too.
fn host(service: &str, zone: Zone) -> String {
    match zone {
        Zone::Public => format!("{service}.apigw.ntruss.com"),
        Zone::Fin => format!("fin-{service}.apigw.fin-ntruss.com"),
        Zone::Gov => format!("{service}.apigw.gov-ntruss.com"),
    }
}

/// What stands before a service's paths: the main region of each zone has none of its own name.
fn prefix(region: &str, version: &str) -> String {
    match region.to_ascii_uppercase().as_str() {
        "KR" | "FKR" => format!("/api/{version}"),
        _ => {
            let region = region.to_ascii_lowercase();
            let region = percent_encoding::utf8_percent_encode(&region, call::UNRESERVED);
            format!("/api/{region}-{version}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_each_zone() {
        let hosts = |zone| {
            ["vpcsearchengine", "clouddatastreamingservice"].map(|service| host(service, zone))
        };
        assert_eq!(
            hosts(Zone::Public),
            [
                "vpcsearchengine.apigw.ntruss.com",
                "clouddatastreamingservice.apigw.ntruss.com"
            ]
        );
        assert_eq!(
            hosts(Zone::Fin),
            [
                "fin-vpcsearchengine.apigw.fin-ntruss.com",
                "fin-clouddatastreamingservice.apigw.fin-ntruss.com"
            ]
        );
        assert_eq!(
            hosts(Zone::Gov),
            [
                "vpcsearchengine.apigw.gov-ntruss.com",
                "clouddatastreamingservice.apigw.gov-ntruss.com"
            ]
        );
    }

    #[test]
    fn prefixes_of_each_region() {
        let prefixes = |version| {
            ["KR", "FKR", "SGN", "JPN", "KRS", "kr"].map(|region| prefix(region, version))
        };
        assert_eq!(
            prefixes("v2"),
            [
                "/api/v2",
                "/api/v2",
                "/api/sgn-v2",
                "/api/jpn-v2",
                "/api/krs-v2",
                "/api/v2"
            ]
        );
        assert_eq!(prefix("SGN", "v1"), "/api/sgn-v1");
        assert_eq!(prefix("a/b", "v1"), "/api/a%2Fb-v1");
    }

    #[test]
    fn calls_without_which_a_poll_goes_on_are_secondary() {
        let secondary = |product: &dyn Product| {
            let calls = product
                .info()
                .calls
                .iter()
                .filter(|call| call.secondary.is_some());
            calls.map(|call| call.name).collect::<Vec<_>>()
        };
        let lookups = ["getSearchEngineVersionList", "getClusterNodeList"];
        assert_eq!(secondary(&ses::PRODUCT), lookups);
        assert_eq!(secondary(&cdss::PRODUCT), [""; 0], "it has none");
    }

    #[test]
    fn what_changes_a_cluster_is_not_sent() {
        use crate::cloud::Method::{Get, Post};
        let is_sent = |prefix, call| transport::closed::is_among(PRODUCTS, prefix, call);
        for (prefix, method, path) in [
            ("/api/v1", Post, "/api/v1/cluster/rollingUpgrade"),
            ("/api/sgn-v1", Post, "/api/sgn-v1/cluster/rollingUpgrade"),
            ("/api/v2", Post, "/api/v2/cluster/rollingUpgradeCluster"),
            ("/api/v1", Post, "/api/v1/cluster/rollingRestart"),
            ("/api/v1", Get, "/api/v1/cluster/restartAllServices/1"),
            (
                "/api/v2",
                Get,
                "/api/v2/cluster/restartSearchEngineCluster/1",
            ),
            ("/api/v2", Get, "/api/jpn-v2/cluster/getClusterNodeList/1"),
            ("/api/v2", Get, "/api/v2/cluster/getClusterNodeList/"),
            ("/api/v2", Get, "/cluster/getClusterInfoList"),
        ] {
            assert!(!is_sent(prefix, (method, path)), "{path}");
        }
        for (prefix, method, path) in [
            (
                "/api/v1",
                Post,
                "/api/v1/cluster/rollingUpgradeProgressCheck",
            ),
            (
                "/api/jpn-v2",
                Post,
                "/api/jpn-v2/cluster/getRollingUpgradeProgress",
            ),
            ("/api/v2", Get, "/api/v2/cluster/getClusterNodeList/17"),
        ] {
            assert!(is_sent(prefix, (method, path)), "{path}");
        }
    }
}
