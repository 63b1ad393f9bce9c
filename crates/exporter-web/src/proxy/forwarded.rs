//! The chain of addresses that `Forwarded` (RFC 7239) or `X-Forwarded-For` tells, nearest last.
//!
//! An entry that names no IP address (`unknown`, `_hidden`, a broken one) is `None`.

use std::net::{IpAddr, Ipv6Addr};

use hyper::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue};

type Chain = Vec<Option<IpAddr>>;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Reads all `Forwarded` headers; `None` without one.
pub(super) fn forwarded(headers: &HeaderMap) -> Option<Chain> {
    read(headers, &FORWARDED, |line| {
        unquoted_split(line, ',').map(forwarded_for).collect()
    })
}

/// Reads all `X-Forwarded-For` headers; `None` without one.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> Option<Chain> {
    read(headers, &X_FORWARDED_FOR, |line| {
        let entries = line.split(',').map(str::trim);
        entries.filter(|e| !e.is_empty()).map(node).collect()
    })
}

/// Joins the entries of a header's lines; a line that is no text is an entry that cannot be read.
fn read(headers: &HeaderMap, name: &HeaderName, entries: impl Fn(&str) -> Chain) -> Option<Chain> {
    if !headers.contains_key(name) {
        return None;
    }
    let line = |value: &HeaderValue| value.to_str().map_or_else(|_| vec![None], &entries);
    Some(headers.get_all(name).iter().flat_map(line).collect())
}

/// Reads the `for` of one element: `for=192.0.2.1;proto=https`, `for="[2001:db8::1]:4711"`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in unquoted_split(element, ';') {
        let (name, value) = pair.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("for") && found.replace(value.trim()).is_some() {
            return None;
        }
    }
    let value = found?;
    match value.strip_prefix('"') {
        Some(quoted) => node(&quoted.strip_suffix('"')?.replace('\\', "")),
        None => node(value),
    }
}

/// Splits where no quotes are open; empty parts are left out.
fn unquoted_split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return c == separator && !quoted,
        }
        false
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// Reads an address with or without a port; one of IPv6 stands in brackets, or alone.
fn node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        (IpAddr::from(address.parse::<Ipv6Addr>().ok()?), port)
    } else {
        let (address, port) = text.split_at_checked(text.find(':')?)?;
        (address.parse().ok()?, port)
    };
    is_port(port).then_some(address.to_canonical())
}

/// Reports the port after an address: none, or a colon with a number or a hidden name (`_x`).
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else {
        return text.is_empty();
    };
    let hidden = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match port.strip_prefix('_') {
        Some(name) => !name.is_empty() && name.bytes().all(hidden),
        None => port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit()),
    }
}
