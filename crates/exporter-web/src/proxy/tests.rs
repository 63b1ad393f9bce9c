use hyper::header::HeaderValue;

use super::*;

fn proxies(texts: &[&str]) -> TrustedProxies {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The client's address behind the peer 10.0.0.1, where 10.0.0.0/8 and `::1` are trusted.
fn client(lines: &[(&'static str, &str)]) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let proxies = proxies(&["10.0.0.0/8", "::1"]);
    proxies.client_address(ip("10.0.0.1"), &headers).to_string()
}

#[test]
fn an_address_or_a_network_is_trusted() {
    let proxies = proxies(&["10.0.0.0/8", "192.0.2.1", " ::1", "2001:db8::/32"]);
    for inside in [
        "10.0.0.0",
        "10.255.255.255",
        "192.0.2.1",
        "::1",
        "2001:db8:ffff::1",
        "::ffff:10.1.2.3",
    ] {
        assert!(proxies.contains(ip(inside)), "{inside}");
    }
    for outside in ["11.0.0.0", "192.0.2.2", "::2", "2001:db9::", "127.0.0.1"] {
        assert!(!proxies.contains(ip(outside)), "{outside}");
    }
    let mapped: ProxyNetwork = "::ffff:10.0.0.0/104".parse().unwrap();
    assert_eq!(mapped.to_string(), "10.0.0.0/8");
}

#[test]
fn refuses_what_is_no_network_and_tells_what_to_write() {
    for (text, remedy) in [
        ("", "write for instance 10.0.0.0/8"),
        ("proxy.example", "not a name"),
        ("10.0.0.1:80", "not a name or a port"),
        ("10.0.0.0/33", "write for instance"),
        ("10.0.0.0/255.0.0.0", "write for instance"),
        ("10.0.0.1/8", "write 10.0.0.0/8"),
        ("2001:db8::1/64", "write 2001:db8::/64"),
        ("10.0.0.1-10.0.0.9", "write for instance"),
    ] {
        let error = text.parse::<ProxyNetwork>().unwrap_err();
        assert!(error.contains(remedy), "{text}: {error}");
    }
}

#[test]
fn takes_the_last_address_that_is_no_proxy() {
    for (value, want) in [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1, 10.0.0.7 ,::1", "192.0.2.1"),
        ("192.0.2.1,, 10.0.0.7,", "192.0.2.1"),
        // All are trusted: the first asked.
        ("10.0.0.9, 10.0.0.7", "10.0.0.9"),
        ("rubbish, 192.0.2.1", "192.0.2.1"),
    ] {
        assert_eq!(client(&[("x-forwarded-for", value)]), want, "{value}");
    }
}

#[test]
fn reads_forwarded_as_the_rfc_writes_it() {
    for (value, want) in [
        ("for=192.0.2.43", "192.0.2.43"),
        ("For=192.0.2.43:47011;Proto=https", "192.0.2.43"),
        (
            "proto=http;by=203.0.113.43; for = \"192.0.2.60\"",
            "192.0.2.60",
        ),
        ("for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
        ("for=\"[2001:db8:cafe::17]:_port\"", "2001:db8:cafe::17"),
        (
            "for=192.0.2.43, for=198.51.100.17;by=\"a,b;c\"",
            "198.51.100.17",
        ),
        (
            "for=192.0.2.43;host=\"a\\\",b\", for=10.0.0.7",
            "192.0.2.43",
        ),
        ("for=_hidden, for=192.0.2.1", "192.0.2.1"),
    ] {
        assert_eq!(client(&[("forwarded", value)]), want, "{value}");
    }
}

#[test]
fn an_entry_that_cannot_be_read_leaves_the_peer() {
    for value in [
        "",
        "unknown",
        "192.0.2.1, rubbish",
        "192.0.2.1, rubbish, 10.0.0.7",
        "192.0.2.1:port",
        "192.0.2.1:99999",
        "[2001:db8::1",
        "[192.0.2.1]",
        "[2001:db8::1]x",
        "fe80::1%eth0",
        "1.2.3",
    ] {
        assert_eq!(client(&[("x-forwarded-for", value)]), "10.0.0.1", "{value}");
    }
    for value in [
        "for=unknown",
        "for=_hidden",
        "192.0.2.1",
        "by=192.0.2.1",
        "for=192.0.2.1;for=192.0.2.2",
        "for=\"192.0.2.1",
        "for=192.0.2.1, proto=https",
        "for=192.0.2.1;x",
    ] {
        assert_eq!(client(&[("forwarded", value)]), "10.0.0.1", "{value}");
    }
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", HeaderValue::from_bytes(b"\xff").unwrap());
    let proxies = proxies(&["10.0.0.0/8"]);
    let peer = ip("10.0.0.1");
    assert_eq!(proxies.client_address(peer, &headers), peer);
}

#[test]
fn several_lines_of_a_header_are_one_list() {
    let lines = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-for", "192.0.2.1, 10.0.0.7"),
        ("x-forwarded-for", "10.0.0.8"),
    ];
    assert_eq!(client(&lines), "192.0.2.1");
}

#[test]
fn headers_that_disagree_leave_the_peer() {
    let own = ("x-forwarded-for", "192.0.2.1");
    assert_eq!(client(&[own, ("forwarded", "for=192.0.2.1")]), "192.0.2.1");
    for forged in ["for=203.0.113.9", "for=unknown", "rubbish"] {
        assert_eq!(
            client(&[own, ("forwarded", forged)]),
            "10.0.0.1",
            "{forged}"
        );
    }
}

#[test]
fn the_headers_of_a_peer_that_is_not_trusted_are_ignored() {
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
    headers.insert("forwarded", HeaderValue::from_static("for=192.0.2.1"));
    for proxies in [proxies(&["10.0.0.0/8"]), TrustedProxies::default()] {
        let peer = ip("203.0.113.9");
        assert_eq!(proxies.client_address(peer, &headers), peer);
    }
}
