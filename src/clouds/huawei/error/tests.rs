use reqwest::header::{HeaderMap, HeaderValue};

use super::*;

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
        skew: None,
    }
}

fn error(status: u16, body: &str) -> ApiError {
    judge(&answer(status, body)).unwrap_err()
}

fn gateway(status: u16, code: &str, text: &str) -> ApiError {
    let body = serde_json::json!({"error_msg": text, "error_code": code, "request_id": "r-1"});
    error(status, &body.to_string())
}

#[test]
fn codes_are_read_from_bodies_with_broken_texts() {
    for body in [
        &b"\xef\xbb\xbf{\"error_code\":\"APIGW.0302\"}"[..],
        b"{\"error_code\":\"APIGW.0302\",\"error_msg\":\"\xff\"}",
        b"{\"error_code\":\"APIGW.0302\",\"error_msg\":\"\\ud83d\"}",
        b"{\"error_code\":\"\",\"error_code\":\"APIGW.0302\",\"x\":\"\xff\"}",
    ] {
        let mut answer = answer(400, "");
        answer.body = body.into();
        let error = judge(&answer).unwrap_err();
        assert_eq!(error.code.as_deref(), Some("APIGW.0302"), "{body:?}");
        assert_eq!(error.reason, Reason::Permission);
    }
}

#[test]
fn codes_decide_where_the_status_misleads() {
    for (status, code, want) in [
        (403, "CSS.0015", Reason::NotFound),
        (400, "CSS.0047", Reason::NotFound),
        (404, "CSS.0002", Reason::NotFound),
        (404, "CSS.3027", Reason::NotFound),
        (400, "CSS.0036", Reason::Server),
        (500, "CSS.9999", Reason::Server),
        (400, "CSS.0051", Reason::Permission),
        (403, "CSS.0010", Reason::Permission),
        (400, "CSS.0001", Reason::Refused),
        (409, "CSS.0011", Reason::Refused),
        (202, "CSS.0011", Reason::Refused),
        (403, "css.0015", Reason::NotFound),
    ] {
        let body = format!(r#"{{"errCode":"{code}","externalMessage":"{code} : text"}}"#);
        let error = error(status, &body);
        assert_eq!(error.reason, want, "{status} {code}");
        assert_eq!(error.code.as_deref(), Some(code));
        assert_eq!(error.status, Some(status));
    }
    for (status, code, want) in [
        (401, "CCE.01401001", Reason::Auth),
        (403, "CCE.01403001", Reason::Permission),
        (404, "CCE.01404001", Reason::NotFound),
        (409, "CCE.01409001", Reason::Refused),
        (400, "CCE.01429002", Reason::Throttled),
        (429, "CCE.02429001", Reason::Throttled),
        (500, "CCE.01500001", Reason::Server),
        (400, "CCE.01400001", Reason::Refused),
        (400, "cce.01404001", Reason::NotFound),
        (400, "CCE.x", Reason::Refused),
    ] {
        let body = format!(r#"{{"errorCode":"{code}","errorMessage":"text"}}"#);
        assert_eq!(error(status, &body).reason, want, "{code}");
    }
    for (status, number, want) in [
        (401, "0301", Reason::Auth),
        (403, "0302", Reason::Permission),
        (404, "0101", Reason::NotFound),
        (429, "0308", Reason::Throttled),
        (504, "0201", Reason::Server),
        (413, "0199", Reason::Refused),
    ] {
        for prefix in ["APIGW", "APIG", "APIC"] {
            let error = gateway(status, &format!("{prefix}.{number}"), "text");
            assert_eq!(error.reason, want, "{prefix}.{number}");
            assert_eq!(error.request_id.as_deref(), Some("r-1"));
        }
    }
}

/// Documented codes, and what `check` makes of them.
#[test]
fn each_failure_has_its_cause() {
    for (status, body, want) in [
        (401, r#"{"error_code":"APIGW.0301"}"#, Cause::Credentials),
        (403, r#"{"error_code":"APIGW.0302"}"#, Cause::Permission),
        (404, r#"{"error_code":"APIGW.0101"}"#, Cause::NotPublished),
        (429, r#"{"error_code":"APIGW.0308"}"#, Cause::Throttled),
        (504, r#"{"error_code":"APIGW.0201"}"#, Cause::Vendor),
        (403, r#"{"errCode":"CSS.0010"}"#, Cause::Permission),
        (403, r#"{"errCode":"CSS.0015"}"#, Cause::Region),
        (400, r#"{"errCode":"CSS.0001"}"#, Cause::Refusal),
        (401, r#"{"errorCode":"CCE.01401001"}"#, Cause::Credentials),
        (403, r#"{"errorCode":"CCE.01403001"}"#, Cause::Permission),
        (404, r#"{"errorCode":"CCE.01404001"}"#, Cause::Region),
        (
            404,
            r#"{"error":{"message":"Could not find the project.","code":404}}"#,
            Cause::Region,
        ),
        (302, "", Cause::Answer),
        (407, "", Cause::Network(Network::Proxy)),
    ] {
        assert_eq!(error(status, body).cause, want, "{status} {body}");
    }
}

#[test]
fn unpublished_is_told_from_not_found() {
    assert!(is_unpublished(&gateway(404, "APIGW.0101", "x")));
    assert!(is_unpublished(&gateway(404, "APIG.0101", "x")));
    assert!(is_unpublished(&gateway(404, "apigw.0101", "x")));
    assert!(!is_unpublished(&gateway(404, "CSS.0002", "x")));
    assert!(!is_unpublished(&gateway(401, "APIGW.0301", "x")));
    assert!(!is_unpublished(&error(404, "")));
}

#[test]
fn three_codes_in_one_body() {
    let body = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":400,"errorCode":"CCE.01429003","errorMessage":"Invalid request.","error_code":"CCE_CM.0004","error_msg":"Request is invalid","message":"Eni subnetId and subnetCidr not matched","reason":"BadRequest"}"#;
    let known = error(400, body);
    assert_eq!(known.reason, Reason::Throttled);
    assert_eq!(known.code.as_deref(), Some("CCE.01429003"));
    let unknown = error(400, &body.replace("01429003", "01400001"));
    assert_eq!(unknown.reason, Reason::Refused);
    assert_eq!(unknown.code.as_deref(), Some("CCE_CM.0004"));
    assert_eq!(
        unknown.message,
        "the vendor refused the call: Request is invalid"
    );
}

#[test]
fn each_0301_has_its_own_advice() {
    for (text, part) in [
        (
            "Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:GET|/v1.0/x-security-token:abc",
            "check secret_key",
        ),
        (
            "Incorrect IAM authentication information: Get secretKey failed,ak:QTWAOYTTIND,err:ak not exist",
            "check access_key",
        ),
        (
            "Incorrect IAM authentication information: calc ak sk signature fail:signature expired",
            "expired",
        ),
        (
            "Incorrect IAM authentication information: AK access failed to reach the limit,forbidden",
            "locked for 5m",
        ),
        (
            "Incorrect IAM authentication information: decrypt token fail",
            "the token",
        ),
        (
            "Incorrect IAM authentication information: token expires, expires_at: 2020",
            "the token",
        ),
        ("x-auth-token not found", "the token"),
        ("something new", "the keys or the token"),
    ] {
        let error = gateway(401, "APIGW.0301", text);
        assert_eq!(error.reason, Reason::Auth);
        assert!(error.message.contains(part), "{text}: {}", error.message);
    }
}

#[test]
fn a_wrong_clock_is_named_with_its_amount() {
    let body = r#"{"error_code":"APIGW.0301","error_msg":"signature expired"}"#;
    let mut answer = answer(401, body);
    answer.skew = Some(SignedDuration::from_mins(-20));
    let error = judge(&answer).unwrap_err();
    assert_eq!((error.reason, error.cause), (Reason::Auth, Cause::Clock));
    assert!(error.message.contains("20m behind the vendor's"), "{error}");
    answer.skew = Some(SignedDuration::from_mins(-14));
    let error = judge(&answer).unwrap_err();
    assert_eq!(error.cause, Cause::Credentials);
    assert!(error.message.contains("temporary key"), "{error}");
    answer.skew = None;
    let error = judge(&answer).unwrap_err();
    assert!(error.message.contains("check the clock"), "{error}");
}

#[test]
fn the_gateways_text_is_never_shown() {
    let secret = "ak:QTWAOYTTINDUT2QVKYUC canonicalRequest:GET|/v1.0";
    for (status, code) in [
        (401, "APIGW.0301"),
        (403, "APIGW.0302"),
        (400, "APIGW.0999"),
        (401, "OTHER.1"),
        (403, "OTHER.1"),
    ] {
        let shown = gateway(status, code, secret).to_string();
        assert!(!shown.contains("QTWA"), "{shown}");
        assert!(!shown.contains("canonical"), "{shown}");
    }
    // Nor what stands in the code's place.
    let error = gateway(401, "ak: QTWAOYTTINDUT2QVKYUC", secret);
    assert_eq!(error.code, None);
}

#[test]
fn bodies_that_tell_nothing_are_judged_by_the_status() {
    // The transport cuts long ones.
    let cut = r#"{"error_code":"APIGW.0301","error_msg":"cut o"#;
    for body in [
        "",
        "<html>CloudMiddleWareTomcat</html>",
        "[]",
        "null",
        "3",
        cut,
    ] {
        for (status, want) in [
            (302, Reason::Protocol),
            (400, Reason::Refused),
            (401, Reason::Auth),
            (403, Reason::Permission),
            (404, Reason::NotFound),
            (429, Reason::Throttled),
            (500, Reason::Server),
            (503, Reason::Server),
            (100, Reason::Protocol),
        ] {
            let error = error(status, body);
            assert_eq!(error.reason, want, "{status} {body}");
            assert!(!error.message.contains("Tomcat"));
        }
        assert_eq!(judge(&answer(200, body)), Ok(()));
    }
}

#[test]
fn request_ids_come_from_the_body_or_the_headers() {
    let mut answer = answer(500, "");
    answer
        .headers
        .insert("x-iam-trace-id", HeaderValue::from_static("trace-1"));
    let error = judge(&answer).unwrap_err();
    assert_eq!(error.request_id.as_deref(), Some("trace-1"));
}

#[test]
fn iams_nested_error_is_read() {
    let error = error(
        404,
        r#"{"error":{"message":"Could not find the project.","code":404,"title":"Not Found"}}"#,
    );
    assert_eq!(error.reason, Reason::NotFound);
    assert!(error.message.ends_with(": Could not find the project."));
    assert_eq!(error.code, None);
}
