//! The simulator's gateway: lets in what the vendor would let in, then asks the products.

pub(super) mod account;
mod iam;
#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;
use spanned_yaml::Section;

use self::account::SimulatedAccount;
use super::{PRODUCTS, sign};
use crate::sim::scenario::FaultAnswer;
use crate::sim::{Answer, Extensions, Gateway, Request, World};

/// A request may be signed this long before or after the gateway's time.
const SKEW: Duration = Duration::from_secs(15 * 60);

/// More bad signatures than this in a row lock the key.
const STRIKES: u32 = 5;

/// For how long.
const LOCK: Duration = Duration::from_secs(300);

/// The simulated API gateway.
pub(super) struct ApiGateway;

impl Gateway for ApiGateway {
    fn answer(&self, world: &World, request: &Request<'_>) -> Option<Answer> {
        answer(world, request)
    }

    fn read_account(&self, section: Option<&mut Section<'_>>, accounts: &mut Extensions) {
        let account = section.map(SimulatedAccount::read).unwrap_or_default();
        accounts.insert(Arc::new(account));
    }

    fn config(&self, accounts: &Extensions) -> Vec<(&'static str, String)> {
        SimulatedAccount::among(accounts).config()
    }
}

/// Answers what is Huawei Cloud's by its path.
fn answer(world: &World, request: &Request<'_>) -> Option<Answer> {
    let prefixes = ["/v1.0/", "/v3/", "/api/v3/", "/api/v3.1/"];
    if !prefixes.iter().any(|p| request.path.starts_with(p)) {
        return None;
    }
    if request.path == iam::TOKENS {
        return Some(iam::answer(world, request));
    }
    // The slash that stands in the canonical request must not be sent.
    if request.path.ends_with('/') {
        return Some(unpublished().refusing("the path ends with a slash"));
    }
    let Some(project) = project(request.path) else {
        return Some(unpublished().refusing("no such API"));
    };
    if let Err(refusal) = authenticate(world, request, project) {
        return Some(refusal);
    }
    if let Some(answer) = world
        .fault(request)
        .and_then(|fault| faulty(fault, request))
    {
        return Some(answer);
    }
    let mut products = PRODUCTS.iter();
    let by_product = products.find_map(|product| product.simulator().answer(world, request));
    Some(by_product.unwrap_or_else(|| unpublished().refusing("no such API")))
}

/// The project's id in a path.
fn project(path: &str) -> Option<&str> {
    let rest = ["/v1.0/", "/api/v3/projects/", "/api/v3.1/projects/"]
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))?;
    rest.split('/').next().filter(|id| !id.is_empty())
}

fn authenticate(world: &World, request: &Request<'_>, project: &str) -> Result<(), Answer> {
    let account = SimulatedAccount::of(world);
    if let Some(token) = request.header("x-auth-token") {
        iam::check(world, token)?;
    } else {
        signed(world, request, project)?;
    }
    if project == account.project_id {
        Ok(())
    } else {
        Err(gateway(
            403,
            "0302",
            "The IAM user is not allowed to access the API.",
        )
        .refusing("the project is not the account's"))
    }
}

/// Checks the signature and everything about it; a bad one is a strike against its key.
fn signed(world: &World, request: &Request<'_>, project: &str) -> Result<(), Answer> {
    let Some(header) = request.header("authorization") else {
        return Err(denied("x-auth-token not found", "no credentials"));
    };
    let Some(parts) = Authorization::parse(header) else {
        return Err(denied(
            "verify aksk signature fail, authorization header is malformed",
            "the Authorization header is malformed",
        ));
    };
    let account = SimulatedAccount::of(world);
    if parts.access_key != account.access_key {
        return Err(denied(
            &format!(
                "Get secretKey failed,ak:{},err:ak not exist",
                parts.access_key
            ),
            "no such access key",
        ));
    }
    if let Some((strikes, last)) = world.strikes(parts.access_key) {
        if world.now().duration_since(last).unsigned_abs() >= LOCK {
            world.forgive(parts.access_key);
        } else if strikes > STRIKES {
            return Err(denied(
                "AK access failed to reach the limit,forbidden",
                "the access key is locked",
            ));
        }
    }
    match parts.check(world, request, project) {
        Ok(()) => {
            world.forgive(parts.access_key);
            Ok(())
        }
        Err((text, why)) => {
            world.strike(parts.access_key);
            Err(denied(&text, why))
        }
    }
}

/// What an `Authorization` header says.
struct Authorization<'a> {
    access_key: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let parts = header.strip_prefix(sign::ALGORITHM)?.strip_prefix(' ')?;
        let part = |name: &str| {
            parts
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        Some(Self {
            access_key: part("Access")?,
            signed_headers: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }

    /// The error is the gateway's text, and why it is said.
    fn check(
        &self,
        world: &World,
        request: &Request<'_>,
        project: &str,
    ) -> Result<(), (String, &'static str)> {
        let account = SimulatedAccount::of(world);
        let fails = |why| ("verify aksk signature fail".to_owned(), why);
        let is_signed = |name: &str| self.signed_headers.contains(&name);
        if !is_signed("x-sdk-date") {
            return Err(fails("x-sdk-date is not signed"));
        }
        let headers = self
            .signed_headers
            .iter()
            .map(|name| Some((*name, request.header(name)?)))
            .collect::<Option<Vec<_>>>()
            .ok_or(fails("a signed header was not sent"))?;
        let date = request.header("x-sdk-date").unwrap_or_default();
        let signed_at = sign::parse_date(date).ok_or(fails("x-sdk-date has a wrong form"))?;
        if world.now().duration_since(signed_at).unsigned_abs() > SKEW {
            return Err((
                "calc ak sk signature fail:signature expired".to_owned(),
                "x-sdk-date is more than 15 minutes off",
            ));
        }
        let signable = sign::Signable {
            method: request.method,
            path: request.path,
            query: request.query,
            headers,
            body: request.body,
        };
        let secret_key = account.secret_key.expose_secret();
        if !signable.verify(secret_key, date, self.signature) {
            let canonical = signable.canonical_request().replace('\n', "|");
            return Err((
                format!("verify aksk signature fail, canonicalRequest:{canonical}"),
                "the signature does not fit",
            ));
        }
        for name in ["x-project-id", "x-security-token"] {
            if request.header(name).is_some() && !is_signed(name) {
                return Err(fails("x-project-id or x-security-token is not signed"));
            }
        }
        if request
            .header("x-project-id")
            .is_some_and(|id| id != project)
        {
            return Err(fails("x-project-id is not the project in the path"));
        }
        let token = request.header("x-security-token");
        let wanted = account
            .security_token
            .as_ref()
            .map(ExposeSecret::expose_secret);
        match (token, wanted) {
            (None, None) => Ok(()),
            (Some(token), Some(wanted)) if same(token, wanted) => Ok(()),
            (None, Some(_)) => Err(fails("a temporary key came without its security token")),
            (Some(_), _) => Err(fails("the security token is not the key's")),
        }
    }
}

/// Compares in the same time whatever the difference.
fn same(a: &str, b: &str) -> bool {
    sign::keyed("", a) == sign::keyed("", b)
}

/// The vendor's words for a fault; none for those that the server has answered.
fn faulty(fault: FaultAnswer, request: &Request<'_>) -> Option<Answer> {
    Some(match fault {
        FaultAnswer::Throttled => gateway(
            429,
            "0308",
            "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:5 minute",
        ),
        FaultAnswer::Unauthorized => gateway(
            401,
            "0301",
            "Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:GET|/v1.0/",
        ),
        FaultAnswer::Forbidden => gateway(
            403,
            "0302",
            "The IAM user is not allowed to access the API.",
        ),
        FaultAnswer::ServerError => gateway(504, "0201", "Backend timeout."),
        FaultAnswer::NotPublished => unpublished(),
        FaultAnswer::Refused | FaultAnswer::BadRequest => match service(request) {
            Service::Css => css(
                400,
                "0078",
                "The cluster state does not allow this operation.",
            ),
            Service::Cce => cce(400, "01400001", "Invalid request."),
        },
        FaultAnswer::Denied => match service(request) {
            Service::Css => css(
                403,
                "0015",
                "No resources are found or the access is denied.",
            ),
            Service::Cce => cce(403, "01403001", "Forbidden."),
        },
        FaultAnswer::NotFound => match service(request) {
            Service::Css => css(404, "0002", "The resource does not exist."),
            Service::Cce => cce(404, "01404001", "Resource not found."),
        },
        FaultAnswer::InternalError => match service(request) {
            Service::Css => css(500, "0036", "Internal error."),
            Service::Cce => cce(500, "01500001", "Internal error."),
        },
        _ => return None,
    })
}

/// Service of a request.
#[derive(Clone, Copy)]
enum Service {
    Css,
    Cce,
}

fn service(request: &Request<'_>) -> Service {
    if request.path.starts_with("/v1.0/") {
        Service::Css
    } else {
        Service::Cce
    }
}

/// Builds an error as CSS words it.
fn css(status: u16, number: &str, text: &str) -> Answer {
    let code = format!("CSS.{number}");
    let text = format!("{code} : {text}");
    Answer::json(status, &json!({"errCode": code, "externalMessage": text}))
}

/// Builds an error as CCE words it.
fn cce(status: u16, number: &str, text: &str) -> Answer {
    Answer::json(
        status,
        &json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "code": status,
            "errorCode": format!("CCE.{number}"),
            "errorMessage": text,
            "error_code": "CCE_CM.0004",
            "error_msg": text,
            "message": text,
            "reason": "Failure",
        }),
    )
}

/// The answer to a path that the gateway does not know.
pub(super) fn unpublished() -> Answer {
    gateway(
        404,
        "0101",
        "The API does not exist or has not been published in the environment",
    )
}

/// A refusal of credentials.
fn denied(text: &str, why: &str) -> Answer {
    let text = format!("Incorrect IAM authentication information: {text}");
    gateway(401, "0301", &text).refusing(why)
}

fn gateway(status: u16, number: &str, text: &str) -> Answer {
    Answer::json(
        status,
        &json!({
            "error_msg": text,
            "error_code": format!("APIGW.{number}"),
            "request_id": "9f4b0a1c2d3e4f5061728394a5b6c7d8",
        }),
    )
}
