//! The simulator's IAM: gives tokens for the password, and knows its own again.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::account::SimulatedAccount;
use super::{denied, faulty, same};
use crate::clouds::huawei::sign;
use crate::sim::{Answer, Request, World};

/// The path of its one call.
pub(super) const TOKENS: &str = "/v3/auth/tokens";

/// Real tokens are kilobytes long.
const PADDING: usize = 3000;

pub(super) fn answer(world: &World, request: &Request<'_>) -> Answer {
    if request.method != "POST" {
        return error(404, "Not Found", "Not found.").refusing("tokens are fetched by POST");
    }
    let is_json = request
        .header("content-type")
        .is_some_and(|value| value.starts_with("application/json"));
    let (true, Some(body)) = (is_json, request.json()) else {
        return error(400, "Bad Request", "The request body is invalid.")
            .refusing("the body is not JSON, or is not called so");
    };
    if let Err(why) = login(world, &body) {
        return error(401, "Unauthorized", "The username or password is wrong.").refusing(why);
    }
    if let Some(answer) = world
        .fault(request)
        .and_then(|fault| faulty(fault, request))
    {
        return answer;
    }
    let account = SimulatedAccount::of(world);
    let now = world.now();
    let expires = now.checked_add(account.token_lasts).unwrap_or(now);
    let body = json!({"token": {
        "methods": ["password"],
        "issued_at": format!("{now:.6}"),
        "expires_at": format!("{expires:.6}"),
        "user": {"name": account.user, "domain": {"name": account.domain}},
        "project": {"id": account.project_id},
    }});
    Answer::json(201, &body).with_header("x-subject-token", token(world, expires))
}

fn login(world: &World, body: &Value) -> Result<(), &'static str> {
    let account = SimulatedAccount::of(world);
    let identity = &body["auth"]["identity"];
    if identity["methods"] != json!(["password"]) {
        return Err("the method is not password");
    }
    let user = &identity["password"]["user"];
    if user["name"] != account.user || user["domain"]["name"] != account.domain {
        return Err("no such user");
    }
    let password = user["password"].as_str().unwrap_or_default();
    if !same(password, account.password.expose_secret()) {
        return Err("the password is wrong");
    }
    if body["auth"]["scope"]["project"]["id"] != account.project_id {
        return Err("the scope is not the project");
    }
    Ok(())
}

/// It carries its end and a code over that, so that nothing has to be remembered.
fn token(world: &World, expires: Timestamp) -> String {
    let expires = expires.as_millisecond().to_string();
    let code = code(world, &expires);
    format!("MIISIM.{expires}.{code}.{}", "A".repeat(PADDING))
}

fn code(world: &World, expires: &str) -> String {
    let account = SimulatedAccount::of(world);
    let password = account.password.expose_secret();
    sign::hex(&sign::keyed(password, expires).into_bytes())
}

/// Checks a token that a call came with.
pub(super) fn check(world: &World, token: &str) -> Result<(), Answer> {
    let parts: Vec<&str> = token.split('.').collect();
    let ["MIISIM", expires, sent, _] = parts.as_slice() else {
        return Err(denied("decrypt token fail", "the token is not IAM's"));
    };
    if !same(sent, &code(world, expires)) {
        return Err(denied("decrypt token fail", "the token is not IAM's"));
    }
    let expires = expires
        .parse()
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MIN);
    if world.now() < expires {
        Ok(())
    } else {
        Err(denied(
            &format!("token expires, expires_at: {expires:.6}"),
            "the token has expired",
        ))
    }
}

fn error(status: u16, title: &str, text: &str) -> Answer {
    Answer::json(
        status,
        &json!({"error": {"message": text, "code": status, "title": title}}),
    )
}
