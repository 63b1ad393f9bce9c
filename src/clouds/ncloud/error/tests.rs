//! Tests of what answers mean.

use bytes::Bytes;
use reqwest::header::HeaderMap;

use super::*;

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        skew: None,
    }
}

fn error(status: u16, body: &str) -> ApiError {
    judge(&answer(status, body), "zone public, region KR").unwrap_err()
}

fn gateway(code: &str) -> String {
    format!(r#"{{"error":{{"errorCode":{code},"message":"m"}}}}"#)
}

#[test]
fn the_gateways_table() {
    let table = [
        (400, 100, Reason::Protocol),
        (401, 200, Reason::Auth),
        (401, 210, Reason::Permission),
        (404, 300, Reason::NotFound),
        (429, 400, Reason::Throttled),
        (429, 410, Reason::Throttled),
        (429, 420, Reason::Throttled),
        (413, 430, Reason::Protocol),
        (503, 500, Reason::Server),
        (504, 510, Reason::Server),
        (500, 900, Reason::Server),
    ];
    for (status, code, want) in table {
        for form in [format!("\"{code}\""), code.to_string()] {
            let error = error(status, &gateway(&form));
            assert_eq!(error.reason, want, "{status} {form}");
            assert_eq!(error.status, Some(status), "a code never becomes a status");
            assert_eq!(error.code, Some(code.to_string()));
        }
        let want = if code == 210 { Reason::Auth } else { want };
        assert_eq!(error(status, "").reason, want, "{status} without a body");
    }
    let float = error(401, &gateway("210.0"));
    assert_eq!(float.code.as_deref(), Some("210"));
    let nested = error(401, &gateway(r#"{"code":"200"}"#));
    assert_eq!(nested.code.as_deref(), Some("200"));
}

#[test]
fn codes_are_read_from_bodies_with_broken_texts() {
    for body in [
        &b"\xef\xbb\xbf{\"error\":{\"errorCode\":\"210\"}}"[..],
        b"{\"error\":{\"errorCode\":\"210\",\"message\":\"\xff\"}}",
        b"{\"error\":{\"errorCode\":\"210\",\"message\":\"\\ud83d\"}}",
        b"{\"error\":7,\"error\":{\"errorCode\":\"210\",\"details\":\"\xff\"}}",
    ] {
        let mut answer = answer(401, "");
        answer.body = Bytes::from_static(body);
        let error = judge(&answer, "").unwrap_err();
        assert_eq!(error.code.as_deref(), Some("210"), "{body:?}");
    }
}

#[test]
fn documented_bodies() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../../../tests/data/ncloud/errors.json")).unwrap();
    let want = [
        (
            200,
            Reason::Refused,
            Cause::Refusal,
            "10153",
            "업데이트된 Kafka 버전은",
        ),
        (
            401,
            Reason::Permission,
            Cause::Permission,
            "210",
            "vendor says: Permission Denied",
        ),
        (
            401,
            Reason::Permission,
            Cause::Subscription,
            "210",
            "Permission Denied: A subscription to the API is required.",
        ),
        (
            400,
            Reason::Server,
            Cause::Vendor,
            "80031",
            "says: Please try again in a few minutes. It is temporarily unavailable. If the error",
        ),
        (
            403,
            Reason::Permission,
            Cause::Permission,
            "1103",
            "vendor says: Forbidden.",
        ),
    ];
    assert_eq!(cases.len(), want.len());
    for (case, (status, reason, cause, code, text)) in cases.iter().zip(want) {
        let error = error(status, &case["body"].to_string());
        assert_eq!(error.reason, reason, "{}", case["name"]);
        assert_eq!(error.cause, cause, "{}", case["name"]);
        assert_eq!(error.code.as_deref(), Some(code));
        assert!(error.message.contains(text), "{}", error.message);
        assert!(!error.message.contains('<'), "{}", error.message);
    }
}

#[test]
fn services_refuse_with_any_status() {
    let body =
        r#"{"code":3,"message":"numPartitions has an error","result":null,"requestId":"71b0"}"#;
    for status in [200, 400, 500] {
        let error = error(status, body);
        assert_eq!(error.reason, Reason::Refused, "{status}");
        assert_eq!(error.request_id.as_deref(), Some("71b0"));
    }
    for (status, want) in [
        (401, Reason::Auth),
        (408, Reason::Server),
        (404, Reason::NotFound),
        (429, Reason::Throttled),
        (503, Reason::Server),
    ] {
        assert_eq!(error(status, body).reason, want, "{status}");
    }
}

#[test]
fn zero_is_success_in_any_form() {
    for body in [
        r#"{"code":0,"result":null}"#,
        r#"{"code":"0","message":"SUCCESS"}"#,
        r#"{"result":{}}"#,
    ] {
        assert_eq!(judge(&answer(200, body), ""), Ok(()), "{body}");
    }
    for body in ["", "{}", "null", "[0]", "<html>", r#"{"code":null}"#] {
        assert_eq!(error(200, body).reason, Reason::Protocol, "{body}");
    }
    assert_eq!(error(500, r#"{"code":0}"#).reason, Reason::Server);
}

#[test]
fn pages_and_redirects_are_not_answers() {
    assert_eq!(error(302, "").reason, Reason::Protocol);
    assert!(error(302, "").message.contains("redirect"));
    let cut = r#"{"error":{"errorCode":"200","message":"secret"#;
    for body in ["<html><body>secret</body></html>", cut] {
        let page = error(500, body);
        assert_eq!(page.reason, Reason::Server);
        assert!(!page.message.contains("secret"), "no body in errors");
    }
    let spring = error(400, r#"{"error":"Bad Request","message":"no"}"#);
    assert_eq!(spring.reason, Reason::Protocol);
}

#[test]
fn a_wrong_clock_is_told_from_a_wrong_key() {
    let told = |skew: Option<i64>| {
        let mut answer = answer(401, &gateway("\"200\""));
        answer.skew = skew.map(SignedDuration::from_secs);
        judge(&answer, "").unwrap_err()
    };
    for (skew, part) in [(360, "is 6m ahead of"), (-301, "is 5m1s behind")] {
        let error = told(Some(skew));
        assert_eq!((error.reason, error.cause), (Reason::Auth, Cause::Clock));
        assert!(error.message.contains(part), "{error}");
    }
    for fine in [None, Some(200), Some(-200)] {
        let error = told(fine);
        assert_eq!(error.cause, Cause::Credentials, "{fine:?}");
        assert!(error.message.contains("check access_key"), "{error}");
    }
}

#[test]
fn the_place_is_named_and_the_gateways_request_id_wins() {
    let mut answer = answer(404, r#"{"error":{"errorCode":"300"},"requestId":"b"}"#);
    assert_eq!(
        judge(&answer, "x").unwrap_err().request_id.as_deref(),
        Some("b")
    );
    answer
        .headers
        .insert("x-ncp-apigw-request-id", "a".parse().unwrap());
    let error = judge(&answer, "zone gov, region KRS").unwrap_err();
    assert_eq!(error.request_id.as_deref(), Some("a"));
    assert!(error.message.contains("zone gov, region KRS"));
    assert_eq!(error.cause, Cause::Region);
    assert_eq!(
        self::error(407, "").cause,
        Cause::Network(Network::Proxy),
        "a proxy speaks in the vendor's place"
    );
}
