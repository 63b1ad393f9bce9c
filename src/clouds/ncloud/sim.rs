//! The simulated API gateway: authenticates as the vendor does, then hands on to the services.

pub(super) mod account;

use std::sync::Arc;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use spanned_yaml::Section;

use self::account::SimulatedAccount;
use super::{PRODUCTS, prefix, sign};
use crate::sim::scenario::{Cluster, FaultAnswer, ListedAs};
use crate::sim::{Answer, Extensions, Gateway, Request, World};

/// The zone of the simulated dates.
pub(super) const KST: Offset = Offset::constant(9);

/// Clusters on a page when the client does not say.
const DEFAULT_PAGE_SIZE: u64 = 10;

/// The simulated API gateway: it has the paths of these versions under `/api/`, of any region.
pub(super) struct Apigw;

impl Gateway for Apigw {
    fn answer(&self, world: &World, request: &Request<'_>) -> Option<Answer> {
        let (version, _) = request.path.strip_prefix("/api/")?.split_once('/')?;
        if !matches!(version.rsplit('-').next(), Some("v1" | "v2")) {
            return None;
        }
        Some(answer(world, request).with_header("x-ncp-apigw-request-id", request_id(world.now())))
    }

    fn read_account(&self, section: Option<&mut Section<'_>>, accounts: &mut Extensions) {
        let account = section.map(SimulatedAccount::read).unwrap_or_default();
        accounts.insert(Arc::new(account));
    }

    fn config(&self, accounts: &Extensions) -> Vec<(&'static str, String)> {
        SimulatedAccount::among(accounts).config()
    }
}

fn answer(world: &World, request: &Request<'_>) -> Answer {
    if let Err(why) = authenticate(world, request) {
        return gateway_error(401, 200, "Authentication Failed").refusing(why);
    }
    if let Some(answer) = world.fault(request).and_then(|f| faulty(f, world.now())) {
        return answer;
    }
    if request.method == "POST" && !is_json(request) {
        return gateway_error(400, 100, "Bad Request Exception")
            .refusing("a POST needs Content-Type: application/json");
    }
    PRODUCTS
        .iter()
        .find_map(|product| product.simulator().answer(world, request))
        .unwrap_or_else(|| {
            gateway_error(404, 300, "Not Found Exception").refusing(format!(
                "no such call in region {}: {} {}",
                SimulatedAccount::of(world).region,
                request.method,
                request.path
            ))
        })
}

fn is_json(request: &Request<'_>) -> bool {
    request.header("content-type").is_some_and(|value| {
        let media = value.split(';').next().unwrap_or_default();
        media.trim().eq_ignore_ascii_case("application/json")
    })
}

/// Checks time, key and signature; the error says what is wrong, which the vendor does not.
fn authenticate(world: &World, request: &Request<'_>) -> Result<(), String> {
    let header = |name: &'static str| {
        request
            .header(name)
            .ok_or_else(|| format!("the header {name} is missing"))
    };
    let timestamp = header(sign::TIMESTAMP)?;
    let signed = timestamp
        .parse()
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .ok_or("the timestamp is not milliseconds since 1970")?;
    let off: SignedDuration = world.now().duration_since(signed);
    if off.abs() >= sign::WINDOW {
        return Err(format!(
            "the timestamp is off by {}",
            crate::text::length(off.abs().as_secs_f64())
        ));
    }
    let account = SimulatedAccount::of(world);
    let access_key = header(sign::ACCESS_KEY)?;
    if access_key != account.access_key {
        return Err("the access key is not known".to_owned());
    }
    let target = if request.query.is_empty() {
        request.path.to_owned()
    } else {
        format!("{}?{}", request.path, request.query)
    };
    let text = sign::string_to_sign(request.method, &target, timestamp, access_key);
    let secret_key = account.secret_key.expose_secret();
    if sign::verify(secret_key, &text, header(sign::SIGNATURE)?) {
        Ok(())
    } else {
        Err("the signature is wrong".to_owned())
    }
}

/// The vendor's words for a fault; the others are the server's.
fn faulty(fault: FaultAnswer, now: Timestamp) -> Option<Answer> {
    Some(match fault {
        FaultAnswer::Throttled => gateway_error(429, 410, "Throttle Limited"),
        FaultAnswer::Unauthorized => gateway_error(401, 200, "Authentication Failed"),
        FaultAnswer::Forbidden => gateway_error(401, 210, "Permission Denied"),
        FaultAnswer::ServerError => gateway_error(503, 500, "Endpoint Error"),
        FaultAnswer::Refused => refusal(200, 10999, "요청을 처리할 수 없습니다.", now),
        FaultAnswer::NotPublished => gateway_error(404, 300, "Not Found Exception"),
        FaultAnswer::BadRequest => refusal(400, 400, "잘못된 요청입니다.", now),
        FaultAnswer::Denied => Answer::json(
            403,
            &json!({"responseError": {"returnCode": "1103", "returnMessage": "Forbidden."}}),
        ),
        FaultAnswer::NotFound => refusal(404, 10001, "존재하지 않는 클러스터입니다.", now),
        FaultAnswer::InternalError => gateway_error(500, 900, "Unexpected Error"),
        _ => return None,
    })
}

/// An error of the gateway; its code comes as text.
pub(super) fn gateway_error(status: u16, code: u16, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({"error": {"errorCode": code.to_string(), "message": message}}),
    )
}

/// A refusal of a service.
pub(super) fn refusal(status: u16, code: u32, message: &str, now: Timestamp) -> Answer {
    let id = request_id(now);
    Answer::json(
        status,
        &json!({"code": code, "message": message, "result": null, "requestId": id}),
    )
}

/// A good answer of a service.
pub(super) fn success(result: &Value, now: Timestamp) -> Answer {
    let id = request_id(now);
    Answer::json(
        200,
        &json!({"code": 0, "message": "SUCCESS", "result": result, "requestId": id}),
    )
}

fn request_id(now: Timestamp) -> String {
    format!(
        "00000000-0000-4000-8000-{:012x}",
        now.as_millisecond() & 0xffff_ffff_ffff
    )
}

/// The rest of a path of this API version in the scenario's region.
pub(super) fn route<'a>(world: &World, request: &Request<'a>, version: &str) -> Option<&'a str> {
    request
        .path
        .strip_prefix(&prefix(&SimulatedAccount::of(world).region, version))
        .filter(|rest| rest.starts_with('/'))
}

/// The page that is asked for: number from 1, and size. The values are those given, if any.
pub(super) fn page(number: Option<&str>, size: Option<&str>) -> Option<(u64, u64)> {
    let read = |text: Option<&str>, default| match text {
        None => Some(default),
        Some(text) => text.parse().ok().filter(|n| *n >= 1),
    };
    Some((read(number, 1)?, read(size, DEFAULT_PAGE_SIZE)?))
}

/// A page of a service's clusters, each written by `write`.
pub(super) fn list(
    world: &World,
    product: &str,
    (number, size): (u64, u64),
    write: impl Fn(&Cluster) -> Value,
) -> Value {
    let all: Vec<&Cluster> = world.clusters(product).collect();
    let total = all.len() as u64;
    let pages = total.div_ceil(size).max(1);
    let skip = usize::try_from((number - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    let (mut allowed, mut disallowed) = (Vec::new(), Vec::new());
    for cluster in all
        .into_iter()
        .skip(skip)
        .take(usize::try_from(size).unwrap_or(usize::MAX))
    {
        if cluster.listed == ListedAs::Disallowed {
            disallowed.push(write(cluster));
        } else {
            allowed.push(write(cluster));
        }
    }
    json!({
        "allowedClusters": allowed,
        "disallowedClusters": disallowed,
        "currentPage": number,
        "isFirst": number == 1,
        "isLast": number >= pages,
        "pageSize": size,
        "totalCount": total,
        "totalPage": pages,
    })
}

/// The cluster of this number, if it may be asked for; else the answer that says no.
pub(super) fn find<'a>(world: &'a World, product: &str, id: &str) -> Result<&'a Cluster, Answer> {
    let now = world.now();
    match world.cluster(product, id) {
        Some(one) if one.listed == ListedAs::Disallowed => {
            Err(gateway_error(401, 210, "Permission Denied")
                .refusing(format!("cluster {id} may not be read")))
        }
        Some(one) if one.listed == ListedAs::Returned => {
            Err(refusal(200, 10002, "반납된 클러스터입니다.", now)
                .refusing(format!("cluster {id} was deleted")))
        }
        Some(one) => Ok(one),
        None => Err(refusal(400, 10001, "존재하지 않는 클러스터입니다.", now)
            .refusing(format!("there is no cluster {id}"))),
    }
}

#[cfg(test)]
pub(super) mod tests;
