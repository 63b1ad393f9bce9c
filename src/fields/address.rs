//! Values that lead outside: endpoints, proxies, Alertmanagers, time zones.

use jiff::tz::Offset;
use url::{Host, Url};

use crate::text::quote;
use spanned_yaml::Field;

/// Reads scheme, host and port of a vendor's service. Signed requests go there, so plain http is
/// for this machine only.
pub fn endpoint(field: &Field<'_>) -> Option<Url> {
    let name = &field.name;
    let url = base(field)?;
    let loopback = match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !loopback {
        field.wrong(format!(
            "{name} must begin with https://: plain http is for this machine only"
        ));
        return None;
    }
    if has_user(&url) {
        field.wrong(format!(
            "{name} must not hold a user: calls are signed with the account's keys"
        ));
        return None;
    }
    Some(url)
}

/// Reads the address of an HTTP proxy; it may hold a user and a password.
pub fn proxy(field: &Field<'_>) -> Option<Url> {
    let url = base(field)?;
    if reqwest::Proxy::all(url.as_str()).is_err() {
        field.wrong(format!("{} is not an address that can be used", field.name));
        return None;
    }
    Some(url)
}

/// Reads the address of an Alertmanager: the part before `/api/v2/alerts`.
pub fn alertmanager(field: &Field<'_>) -> Option<Url> {
    let name = &field.name;
    let url = http(field)?;
    if has_user(&url) {
        field.wrong(format!(
            "{name} must not hold a user: write it under basic_auth"
        ));
        return None;
    }
    if url.query().is_some() || url.fragment().is_some() {
        field.wrong(format!(
            "{name} must not hold a query (?) or a fragment (#): write what stands before it"
        ));
        return None;
    }
    let path = url.path().trim_end_matches('/');
    let api = ["/api/v2/alerts", "/api/v1/alerts", "/api/v2", "/api/v1"];
    if let Some(api) = api.iter().find(|api| path.ends_with(*api)) {
        field.wrong(format!("{name} must end before {api}: the path is added"));
        return None;
    }
    Some(url)
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Reads `scheme://host[:port]`.
fn base(field: &Field<'_>) -> Option<Url> {
    let name = &field.name;
    let url = http(field)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        field.wrong(format!(
            "{name} must end after host and port: the rest of the address is added"
        ));
        return None;
    }
    Some(url)
}

/// Reads an address of http or https. The text is not quoted: it may hold a password.
fn http(field: &Field<'_>) -> Option<Url> {
    let name = &field.name;
    let text = field.text()?;
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.port() != Some(0));
    if url.is_none() {
        field.wrong(format!(
            "{name} must be an address such as https://host or http://host:8080"
        ));
    }
    url
}

/// Reads an offset from UTC.
pub fn time_zone(field: &Field<'_>) -> Option<Offset> {
    let text = field.text()?;
    let zone = offset(text);
    if zone.is_none() {
        field.wrong(format!(
            "{} must be an offset from UTC such as \"+09:00\", or UTC, not {}",
            field.name,
            quote(text)
        ));
    }
    zone
}

fn offset(text: &str) -> Option<Offset> {
    if matches!(text, "Z" | "UTC") {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str, max: i32| {
        let is_number = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse::<i32>().ok()?;
        (is_number && number <= max).then_some(number)
    };
    // The farthest zones on earth are -12:00 and +14:00.
    let seconds = number(hours, 14)? * 3600 + number(minutes, 59)? * 60;
    Offset::from_seconds(sign * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spanned_yaml::{At, Problems};
    use spanned_yaml::{Node, Value};

    /// Reads `text` as the value of `x`, and gives what came of it or what was wrong.
    fn read<T>(text: &str, read: impl FnOnce(&Field<'_>) -> Option<T>) -> Result<T, String> {
        let problems = Problems::default();
        let value = Value::Scalar {
            text: text.to_owned(),
            quoted: true,
        };
        let node = Node {
            at: At::START,
            value,
        };
        let field = Field {
            name: "x".to_owned(),
            at: At::START,
            node: &node,
            problems: &problems,
        };
        let value = read(&field);
        problems.settle(value).map_err(|all| all[0].message.clone())
    }

    #[test]
    fn endpoints_are_https_or_on_this_machine() {
        for good in [
            "https://css.example.com",
            "https://css.example.com:8443/",
            "https://[2001:db8::1]",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:80",
            "http://localhost:1",
        ] {
            assert!(read(good, endpoint).is_ok(), "{good}");
        }
        for bad in [
            "http://css.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://[::ffff:127.0.0.1]",
            "https://css.example.com/v1.0",
            "https://css.example.com?a=b",
            "https://css.example.com#a",
            "https://user:hunter2@css.example.com",
            "https://css.example.com:0",
            "https://css.example.com:99999",
            "css.example.com",
            "ftp://css.example.com",
            "https://",
        ] {
            let why = read(bad, endpoint).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn a_proxy_may_be_plain_and_have_a_user() {
        assert!(read("http://user:hunter2@proxy.example.com:3128", proxy).is_ok());
        let why = read("http://user:hunter2@proxy.example.com/path", proxy).unwrap_err();
        assert!(!why.contains("hunter2"), "{why}");
        assert!(read("socks5://proxy.example.com", proxy).is_err());
    }

    #[test]
    fn an_alertmanager_is_a_host_with_the_prefix_of_its_routes() {
        for good in [
            "http://127.0.0.1:9093",
            "http://alertmanager.example.com",
            "https://[2001:db8::1]:9093/",
            "https://example.com/monitoring/alertmanager/",
            "https://example.com/api",
            "https://example.com/api/v20",
        ] {
            let read = read(good, alertmanager);
            assert_eq!(read, Ok(Url::parse(good).unwrap()), "{good}");
        }
        for (bad, why) in [
            ("http://user:hunter2@example.com", "basic_auth"),
            ("http://:hunter2@example.com", "basic_auth"),
            ("http://user@example.com", "basic_auth"),
            ("http://example.com:9093/#/alerts", "fragment"),
            ("http://example.com:9093?silenced=false", "query"),
            (
                "http://example.com/api/v2/alerts",
                "must end before /api/v2/alerts:",
            ),
            (
                "http://example.com/am/api/v1/alerts//",
                "must end before /api/v1/alerts:",
            ),
            ("http://example.com/api/v2/", "must end before /api/v2:"),
            ("example.com:9093", "such as"),
            ("http://example.com:0", "such as"),
            ("unix:///run/alertmanager", "such as"),
        ] {
            let found = read(bad, alertmanager).unwrap_err();
            assert!(found.contains(why), "{bad}: {found}");
            assert!(!found.contains("hunter2"), "{found}");
        }
    }

    #[test]
    fn offsets_are_read_strictly() {
        for (text, seconds) in [
            ("+09:00", 32_400),
            ("-05:30", -19_800),
            ("Z", 0),
            ("UTC", 0),
        ] {
            assert_eq!(offset(text).map(Offset::seconds), Some(seconds), "{text}");
        }
        for text in [
            "09:00",
            "+9:00",
            "+0900",
            "+15:00",
            "+09:60",
            "Asia/Seoul",
            "",
            "+",
            "+0٣:00",
        ] {
            assert_eq!(offset(text), None, "{text}");
        }
    }
}
