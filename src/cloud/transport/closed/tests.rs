use url::Url;

use super::*;
use crate::cloud::Method;
use crate::cloud::transport::Effort;

const STATUS: Call = Call::read("GetStatus", Method::Get, "/v1/clusters/{}:status");
const LIST: Call = Call::read("ListClusters", Method::Get, "/v1/clusters");
const NODES: Call = Call::read("ListNodes", Method::Get, "/v1/{}/nodes/{}");
/// Path without its slash.
const BARE: Call = Call::read("Bare", Method::Get, "clusters");
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

/// Judges a message as it stands, without an address that reads it first.
fn passes(prefix: &str, path: &str, query: &str, headers: &[(&'static str, String)]) -> bool {
    let allowed = Allowed {
        prefix: prefix.to_owned(),
        ..allowed()
    };
    allowed.passes(&Message {
        method: Method::Get,
        base: &allowed.base,
        path,
        query,
        headers,
        body: None,
    })
}

#[test]
fn a_prefix_ends_where_a_segment_does() {
    assert!(passes("/eu", "/eu/v1/clusters", "", &[]));
    for path in [
        "/eux/v1/clusters",
        "/eu1/clusters",
        "/euv1/clusters",
        "v1/clusters",
    ] {
        assert!(!passes("/eu", path, "", &[]), "{path}");
    }
    for (prefix, path) in [
        ("", "v1/clusters"),
        ("/eu/", "/eu/v1/clusters"),
        ("eu", "eu/v1/clusters"),
    ] {
        assert!(!passes(prefix, path, "", &[]), "{prefix} {path}");
    }
    let rootless = Allowed {
        calls: &[&BARE],
        ..allowed()
    };
    let base = rootless.base.clone();
    let message = Message {
        method: Method::Get,
        base: &base,
        path: "/euclusters",
        query: "",
        headers: &[],
        body: None,
    };
    assert!(!rootless.passes(&message), "a path without its slash");
}

#[test]
fn a_path_is_sent_as_it_was_checked() {
    let is_sent = |path: &str| {
        let allowed = Allowed {
            prefix: String::new(),
            calls: &[&NODES, &LIST],
            ..allowed()
        };
        allowed.passes(&Message {
            method: Method::Get,
            base: &allowed.base,
            path,
            query: "",
            headers: &[],
            body: None,
        })
    };
    for good in [
        "/v1/a/nodes/b",
        "/v1/a%2Fb/nodes/%ED%95%9C",
        "/v1/..a/nodes/b..",
        "/v1/clusters",
    ] {
        assert!(is_sent(good), "{good}");
    }
    for step in [
        ".",
        "..",
        "%2e",
        "%2E%2e",
        ".%2E",
        "%2e.",
        "..%2Fx",
        "x%2F..%2Fy",
        "x%2F%2E%2E",
        "%2Fx",
        "x%2F",
        "x%2F%2Fy",
        "..%5Cx",
        "x%5Cy",
        "%252e%252e",
        "%",
        "%2",
        "%zz",
        "a%00",
        "a%0A",
        "a%0d%0ab",
        "%ff",
        "",
        "a\\b",
        "a\tb",
        "a?b",
        "a#b",
        "a;b",
        "a b",
        "a/b",
    ] {
        for path in [format!("/v1/{step}/nodes/b"), format!("/v1/a/nodes/{step}")] {
            assert!(!is_sent(&path), "{path:?}");
        }
    }
    for path in [
        "/v1\\clusters",
        "/v1/clus\tters",
        "/v1/clusters\n",
        "/v1/clusters?x",
        "/v1/clusters#x",
        "/v1/clusters;x",
        "/v1/x/../clusters",
        "/v1/./clusters",
        "//v1/clusters",
        "/v1//clusters",
        "/V1/clusters",
        "/v1/%63lusters",
        "v1/clusters",
        "/v1/clusters/",
        "/v1/clusters%2F",
    ] {
        assert!(!is_sent(path), "{path:?}");
    }
}

#[test]
fn a_host_is_all_of_it() {
    for other in [
        "https://api.vendor.invalid.evil.invalid/eu/v1/clusters",
        "https://evil-api.vendor.invalid/eu/v1/clusters",
        "https://api.vendor.invalid./eu/v1/clusters",
        "https://api.vendor.invalid@evil.invalid/eu/v1/clusters",
        "https://vendor.invalid/eu/v1/clusters",
        "https://api.vendor.invalid:80/eu/v1/clusters",
        "https://[::1]/eu/v1/clusters",
    ] {
        assert!(!get(other), "{other}");
    }
    for same in [
        "https://API.Vendor.Invalid/eu/v1/clusters",
        "https://api.vendor.invalid:443/eu/v1/clusters",
    ] {
        assert!(get(same), "{same}");
    }
}

#[test]
fn no_header_and_no_query_stands_over_the_address() {
    let is_sent = |query: &str, headers: &[(&'static str, &str)]| {
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        passes("/eu", "/eu/v1/clusters", query, &headers)
    };
    assert!(is_sent(
        "page=2&at=a%20b",
        &[("content-type", "application/json")]
    ));
    for name in [
        "host",
        "Host",
        "x-http-method-override",
        "X-HTTP-Method",
        "x-original-url",
    ] {
        assert!(!is_sent("", &[(name, "evil.invalid")]), "{name}");
    }
    for query in ["a=1#b", "a=\n1", "a b=1", "a=\t"] {
        assert!(!is_sent(query, &[]), "{query:?}");
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
        ("", "Act%69on=ApplyUpdate&Action=DescribeUpdates"),
        ("", "Version=1;Action=ApplyUpdate&Action=DescribeUpdates"),
        ("?a=1;Action=ApplyUpdate", "Action=DescribeUpdates"),
        ("", "Action=DescribeUpdates%20"),
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
