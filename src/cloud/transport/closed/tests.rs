use url::Url;

use super::*;
use crate::cloud::Method;
use crate::cloud::transport::Effort;

const STATUS: Call = Call::read("GetStatus", Method::Get, "/v1/clusters/{}:status");
const LIST: Call = Call::read("ListClusters", Method::Get, "/v1/clusters");
const FORM: Call = Call::read("DescribeUpdates", Method::Post, "/")
    .named(Action::Form("Action", "DescribeUpdates"));
const HEADER: Call = Call::read("DescribeClusters", Method::Post, "/json")
    .named(Action::Header("x-target", "DescribeClusters"));

fn allowed() -> Allowed {
    Allowed {
        base: Url::parse("https://api.vendor.invalid").unwrap(),
        prefix: "/eu".to_owned(),
        calls: &[&STATUS, &LIST, &FORM, &HEADER],
    }
}

/// Sends it as the call `LIST`: only what it really is counts.
fn checked(method: Method, url: &str, headers: &[(&'static str, &str)], body: &str) -> bool {
    static POST: Call = Call::read("Post", Method::Post, "/");
    let url = Url::parse(url).unwrap();
    let base = url.join("/").unwrap();
    let target = url.as_str().strip_prefix(base.as_str()).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    let request = Request {
        product: "toy",
        call: if method == Method::Get { &LIST } else { &POST },
        base: &base,
        path: format!("/{path}"),
        query: query.to_owned(),
        headers: headers.collect(),
        body: (!body.is_empty()).then(|| body.to_owned()),
        effort: Effort::Normal,
    };
    let outcome = check(&[allowed()], &request);
    if let Err(error) = &outcome {
        assert!(error.message.contains("was not sent"), "{error}");
    }
    outcome.is_ok()
}

fn get(url: &str) -> bool {
    checked(Method::Get, url, &[], "")
}

#[test]
fn a_call_is_its_method_host_and_path() {
    assert!(get("https://api.vendor.invalid/eu/v1/clusters"));
    assert!(get("https://api.vendor.invalid/eu/v1/clusters?page=2"));
    for other in [
        "https://api.vendor.invalid:8443/eu/v1/clusters",
        "http://api.vendor.invalid/eu/v1/clusters",
        "https://other.vendor.invalid/eu/v1/clusters",
        "https://api.vendor.invalid/us/v1/clusters",
        "https://api.vendor.invalid/v1/clusters",
        "https://api.vendor.invalid/eu/v1/clusters/",
        "https://api.vendor.invalid/eu/v1/clusters/a",
        "https://api.vendor.invalid/eu",
        "https://api.vendor.invalid/",
    ] {
        assert!(!get(other), "{other}");
    }
    let url = "https://api.vendor.invalid/eu/v1/clusters";
    assert!(!checked(Method::Post, url, &[], ""));
}

#[test]
fn a_hole_takes_one_encoded_parameter() {
    let status = |id: &str| get(&format!("https://api.vendor.invalid/eu/v1/clusters/{id}"));
    assert!(status("a:status"));
    assert!(status("a%2Fb%3Arestart:status"));
    for other in [
        "a:restart",
        ":status",
        "a:restart:status",
        "a/b:status",
        "a",
        "a:status/x",
    ] {
        assert!(!status(other), "{other}");
    }
}

#[test]
fn an_action_is_named_once_and_nowhere_else() {
    let form = |query: &str, body: &str| {
        let url = format!("https://api.vendor.invalid/eu/{query}");
        checked(Method::Post, &url, &[], body)
    };
    assert!(form("", "Version=1&Action=DescribeUpdates"));
    for (query, body) in [
        ("", ""),
        ("", "Action=ApplyUpdate"),
        ("", "Action=DescribeUpdates&Action=ApplyUpdate"),
        ("", "Action=DescribeUpdates&action=ApplyUpdate"),
        ("?Action=ApplyUpdate", "Action=DescribeUpdates"),
        ("?Action=ApplyUpdate", ""),
    ] {
        assert!(!form(query, body), "{query} {body}");
    }
    let header = |headers: &[(&'static str, &str)]| {
        let url = "https://api.vendor.invalid/eu/json";
        checked(Method::Post, url, headers, "{}")
    };
    assert!(header(&[("X-Target", "DescribeClusters")]));
    assert!(!header(&[("x-target", "UpdateCluster")]));
    assert!(!header(&[
        ("x-target", "DescribeClusters"),
        ("X-Target", "UpdateCluster")
    ]));
    assert!(!header(&[]));
}

#[test]
fn a_transport_without_calls_sends_nothing() {
    let base = Url::parse("https://api.vendor.invalid").unwrap();
    let request = Request {
        product: "toy",
        call: &LIST,
        base: &base,
        path: LIST.path.to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: None,
        effort: Effort::Normal,
    };
    check(&[], &request).unwrap_err();
}
