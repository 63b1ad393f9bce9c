//! Which host answers for a service in a region.

use url::Url;

use super::account::Account;
use crate::http::{ApiError, Cause};
use crate::model::Reason;

/// The base address of a service (`css`, `cce`, `iam`): the endpoint that the config gives, else the
/// rule of the config's domain, else Huawei Cloud's own rules.
pub(super) fn base(
    service: &str,
    account: &Account,
    endpoint: Option<&Url>,
) -> Result<Url, ApiError> {
    if let Some(endpoint) = endpoint {
        return Ok(endpoint.clone());
    }
    let host = host(service, &account.region, account.domain.as_deref());
    Url::parse(&format!("https://{host}"))
        .ok()
        // A region or domain with a slash or an at sign would lead to another host.
        .filter(|url| url.host_str() == Some(host.as_str()))
        .ok_or_else(|| {
            ApiError::new(
                Reason::Network,
                format!("region and domain do not make a host name for {service}; check them in the config, or set an endpoint"),
            )
            .because(Cause::Region)
        })
}

fn host(service: &str, region: &str, domain: Option<&str>) -> String {
    let (service, domain) = match (service, region, domain) {
        (_, _, Some(domain)) => (service, domain.trim_start_matches('.')),
        // The regions that had the service under its first name (Elasticsearch) keep it.
        ("css", "cn-north-1" | "cn-east-2", None) => ("es", GLOBAL),
        // Dublin's CSS is in the vendor's table of endpoints with the global domain.
        ("css", "eu-west-101", None) => (service, GLOBAL),
        (_, region, None) if region.starts_with("eu-west-1") => (service, EUROPE),
        (_, _, None) => (service, GLOBAL),
    };
    format!("{service}.{region}.{domain}").to_ascii_lowercase()
}

const GLOBAL: &str = "myhuaweicloud.com";
const EUROPE: &str = "myhuaweicloud.eu";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_follow_the_vendors_tables() {
        for (service, region, domain, want) in [
            (
                "css",
                "cn-north-4",
                None,
                "css.cn-north-4.myhuaweicloud.com",
            ),
            ("css", "cn-north-1", None, "es.cn-north-1.myhuaweicloud.com"),
            ("css", "cn-east-2", None, "es.cn-east-2.myhuaweicloud.com"),
            (
                "cce",
                "cn-north-1",
                None,
                "cce.cn-north-1.myhuaweicloud.com",
            ),
            (
                "cce",
                "eu-west-101",
                None,
                "cce.eu-west-101.myhuaweicloud.eu",
            ),
            (
                "iam",
                "eu-west-101",
                None,
                "iam.eu-west-101.myhuaweicloud.eu",
            ),
            (
                "css",
                "eu-west-101",
                None,
                "css.eu-west-101.myhuaweicloud.com",
            ),
            ("iam", "tr-west-1", None, "iam.tr-west-1.myhuaweicloud.com"),
            (
                "css",
                "eu-de",
                Some("otc.t-systems.com"),
                "css.eu-de.otc.t-systems.com",
            ),
            (
                "css",
                "cn-north-1",
                Some("cloud.example"),
                "css.cn-north-1.cloud.example",
            ),
        ] {
            assert_eq!(host(service, region, domain), want);
        }
    }

    #[test]
    fn the_configs_endpoint_wins_and_no_other_host_is_reached() {
        let mut account = Account {
            region: "cn-north-4".into(),
            project_id: "p".into(),
            domain: None,
            auth: crate::clouds::huawei::sim::tests::good_keys(),
            time_zone: jiff::tz::Offset::UTC,
        };
        let endpoint = Url::parse("https://css.example.local:8443").unwrap();
        assert_eq!(base("css", &account, Some(&endpoint)).unwrap(), endpoint);
        for region in ["evil.example/", "user@evil.example", "a b", "x:1", "x?y"] {
            account.region = region.into();
            assert!(base("css", &account, None).is_err(), "{region}");
        }
    }
}
