//! Accounts at Huawei Cloud, or at another cloud with the same API.

mod regions;

use std::sync::Arc;

use jiff::tz::Offset;
use url::Url;

use super::{PRODUCTS, token};
use crate::cloud::{Call, CloudAccount};
use crate::fields::{Context, address, secret};
use crate::secret::Secret;
use crate::text::quote;
use spanned_yaml::{Field, Node, Section, Value};

/// An account (a project of it) at Huawei Cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// For instance `cn-north-4`.
    pub region: Arc<str>,
    /// The project's id.
    pub project_id: Arc<str>,
    /// The domain of the cloud's hosts, for instance `myhuaweicloud.com`; none: the cloud's own rule.
    pub domain: Option<String>,
    /// Login of calls.
    pub auth: Auth,
    /// The zone of CSS's dates, which carry none.
    pub time_zone: Offset,
}

/// Ways in which calls to Huawei Cloud are authenticated.
#[derive(Debug, Clone, PartialEq)]
pub enum Auth {
    /// Signed with an access key.
    Keys {
        /// AK.
        access_key: Secret,
        /// SK.
        secret_key: Secret,
        /// Token of temporary keys.
        security_token: Option<Secret>,
    },
    /// With a token that IAM gives for a password.
    Token {
        /// Scheme, host and port of IAM; none: `iam.{region}.{domain}`.
        iam_endpoint: Option<Url>,
        /// The account's name (IAM calls it domain).
        domain: String,
        /// The IAM user's name.
        user: String,
        /// Password of the user.
        password: Secret,
    },
}

impl CloudAccount for Account {
    fn region(&self) -> &Arc<str> {
        &self.region
    }

    fn location(&self) -> String {
        self.region.to_string()
    }

    fn secrets(&self) -> Vec<&Secret> {
        match &self.auth {
            Auth::Keys {
                access_key,
                secret_key,
                security_token,
            } => [access_key, secret_key]
                .into_iter()
                .chain(security_token)
                .collect(),
            Auth::Token { password, .. } => vec![password],
        }
    }

    fn endpoints(&self) -> Vec<Option<&Url>> {
        match &self.auth {
            Auth::Keys { .. } => Vec::new(),
            Auth::Token { iam_endpoint, .. } => vec![iam_endpoint.as_ref()],
        }
    }

    fn sign_in(&self) -> Option<(&'static Call, &'static str)> {
        match &self.auth {
            Auth::Keys { .. } => None,
            Auth::Token { .. } => Some((&token::CREATE, "201")),
        }
    }

    fn place(&self) -> String {
        let domain = self.domain.as_deref().unwrap_or_default();
        format!("{domain}/{}/{}", self.region, self.project_id)
    }

    fn is_same_access(&self, other: &dyn CloudAccount) -> bool {
        other.downcast() == Some(self)
    }
}

/// Decodes the keys of an account.
pub(super) fn read(section: &mut Section<'_>, context: &Context<'_>) -> Option<Account> {
    // These become parts of host names and paths.
    let region = section.need("region").and_then(|field| {
        let region = field.word("-_")?;
        if has_own_hosts(section) {
            regions::look(&field, region);
        }
        Some(region)
    });
    let project = section.need("project_id").and_then(|field| {
        let project = field.word("-")?;
        look_at_project(&field, project);
        Some(project)
    });
    let domain = section.take("domain");
    let domain = match &domain {
        Some(field) => field.word("-.").map(Some),
        None => Some(None),
    };
    let auth = auth(section, context);
    let time_zone = match section.take("time_zone") {
        Some(field) => address::time_zone(&field),
        None => Some(Offset::UTC),
    };
    Some(Account {
        region: region?.into(),
        project_id: project?.into(),
        domain: domain?.map(str::to_owned),
        auth: auth?,
        time_zone: time_zone?,
    })
}

/// Returns true when a host of the account is made of the region by Huawei Cloud's own rule: `domain` is
/// not given, and a product, or IAM, has no endpoint.
fn has_own_hosts(section: &Section<'_>) -> bool {
    let lacks = |node: &Node, key: &str| match &node.value {
        Value::Map(entries) => entries.iter().all(|(k, _)| k.text != key),
        _ => true,
    };
    let mut given = PRODUCTS
        .iter()
        .filter_map(|product| section.peek(product.info().name))
        .map(|product| (product, "endpoint"))
        .chain(section.peek("token").map(|token| (token, "iam_endpoint")));
    section.peek("domain").is_none() && given.any(|(node, key)| lacks(node, key))
}

/// Warns of a project id of another form than the vendor's: mostly a name, or an id cut off.
fn look_at_project(field: &Field<'_>, project: &str) {
    let length = project.len();
    if length == PROJECT_DIGITS && project.bytes().all(|b| b.is_ascii_hexdigit()) {
        return;
    }
    field.odd(format!(
        "project_id {} is no project id, which has {PROJECT_DIGITS} hexadecimal digits (this has {length} characters): copy it from My Credentials in the console",
        quote(project)
    ));
}

/// Length of every project id in the vendor's documents.
const PROJECT_DIGITS: usize = 32;

const KEYS: [&str; 3] = ["access_key", "secret_key", "security_token"];

/// Either keys or a token.
fn auth(section: &mut Section<'_>, context: &Context<'_>) -> Option<Auth> {
    let has_keys = KEYS.iter().any(|key| secret::is_given(section, key));
    let token = section.take("token");
    if let Some(token) = token {
        let auth = password(&token, context);
        if has_keys {
            token.problems.add(
                token.at,
                "token and access_key are both given: keep one way to authenticate",
            );
            for key in KEYS {
                secret::take(section, key, context);
            }
        }
        return auth;
    }
    if !has_keys {
        let keys = "keys or a token: add access_key and secret_key (or …_file, …_env), or token";
        section.lacks(keys);
        // Makes the keys known, so that a misspelt one is recognised.
        for key in KEYS {
            secret::take(section, key, context);
        }
        return None;
    }
    let access_key = secret::need(section, "access_key", context);
    let secret_key = secret::need(section, "secret_key", context);
    let has_token = secret::is_given(section, "security_token");
    let security_token = secret::take(section, "security_token", context);
    if has_token && security_token.is_none() {
        return None;
    }
    Some(Auth::Keys {
        access_key: access_key?,
        secret_key: secret_key?,
        security_token,
    })
}

/// The section `token`: a user with a password.
fn password(field: &Field<'_>, context: &Context<'_>) -> Option<Auth> {
    let mut section = field.section();
    let iam_endpoint = match section.take("iam_endpoint") {
        Some(field) => address::endpoint(&field).map(Some),
        None => Some(None),
    };
    let domain = section.need("domain").and_then(|field| field.text());
    let user = section.need("user").and_then(|field| field.text());
    let password = secret::need(&mut section, "password", context);
    section.finish();
    Some(Auth::Token {
        iam_endpoint: iam_endpoint?,
        domain: domain?.to_owned(),
        user: user?.to_owned(),
        password: password?,
    })
}
