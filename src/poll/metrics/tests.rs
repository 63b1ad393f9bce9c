//! Tests of the series that are shown.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::clouds::CLOUDS;

const PREFIX: &str = "rolling_upgrade_exporter_";

/// Builds the counters, and the registry that shows them.
fn metrics() -> (Metrics, crate::telemetry::Metrics) {
    let mut registry = crate::telemetry::Metrics::new();
    (Metrics::new(registry.own()), registry)
}

/// Starts the counters of each product of an account.
fn announced(metrics: &Metrics, account: &Account) -> Vec<Arc<ProductMetrics>> {
    let products = account.products.iter().map(|config| {
        let counters = metrics.product(&account.name, config.product.info().name);
        counters.announce(account, config.product);
        counters
    });
    products.collect()
}

#[test]
fn counters_start_at_0_for_labels_that_are_known() {
    let config = "accounts: [{name: a, huawei: {region: cn-north-4, project_id: p, css: {}, \
                  token: {domain: d, user: u, password: p}}}]";
    let config = crate::config::parse(CLOUDS, config, Path::new("."), &|_| None).unwrap();
    let (metrics, registry) = metrics();
    let _counters = announced(&metrics, &config.accounts[0]);
    let text = registry.encode();
    for series in [
        "polls_total{account=\"a\",product=\"css\"} 0",
        "poll_failures_total{account=\"a\",product=\"css\",reason=\"refused\"} 0",
        "api_requests_total{account=\"a\",product=\"css\",endpoint=\"UpgradeDetail\",code=\"200\"} 0",
        "api_requests_total{account=\"a\",product=\"css\",endpoint=\"KeystoneCreateUserTokenByPassword\",code=\"201\"} 0",
        "upgrades_ended_total{account=\"a\",product=\"css\",outcome=\"failed\"} 0",
        "unknown_statuses_total{product=\"css\"} 0",
    ] {
        assert!(
            text.contains(&format!("{PREFIX}{series}")),
            "{series}\n{text}"
        );
    }
}

#[test]
fn account_labels_of_all_families_are_escaped() {
    let config = r#"accounts: [{name: "a\u202E\\u{1b}", huawei: {region: cn-north-4, project_id: p,
        css: {}, token: {domain: d, user: u, password: p}}}]"#;
    let config = crate::config::parse(CLOUDS, config, Path::new("."), &|_| None).unwrap();
    let (metrics, registry) = metrics();
    let _counters = announced(&metrics, &config.accounts[0]);
    let text = registry.encode();
    let mut families = BTreeSet::new();
    for line in text.lines().filter(|line| line.contains("{account=\"")) {
        let escaped = r#"{account="a\\u{202e}\\u{5c}u{1b}""#;
        let (family, labels) = line.split_at(line.find('{').unwrap());
        assert!(labels.starts_with(escaped), "{line}");
        families.insert(family.strip_prefix(PREFIX).unwrap());
    }
    let families: Vec<_> = families.into_iter().collect();
    assert_eq!(
        families,
        [
            "api_requests_total",
            "poll_failures_total",
            "polls_total",
            "truncated_total",
            "upgrades_ended_total",
        ]
    );
}

#[test]
fn of_a_product_that_ends_nothing_is_left() {
    let config = "accounts: [{name: a, ncloud: {access_key: x, secret_key: x, ses: {}, cdss: {}}}]";
    let config = crate::config::parse(CLOUDS, config, Path::new("."), &|_| None).unwrap();
    let account = &config.accounts[0];
    let (metrics, registry) = metrics();
    let mut products = announced(&metrics, account);
    for (counters, config) in products.iter().zip(&account.products) {
        counters.polled(Duration::ZERO, Some(Reason::Auth));
        counters.upgrade_ended(UpgradeStatus::Failed, Duration::from_secs(1));
        counters.truncated(Truncated::Nodes);
        let (name, product) = (&account.name, config.product.info().name);
        metrics.requests.count(name, product, "getClusters", "503");
    }
    let of_first = format!(
        "account=\"a\",product=\"{}\"",
        account.products[0].product.info().name
    );
    assert!(registry.encode().contains(&of_first));
    drop(products.remove(0));
    let text = registry.encode();
    assert!(!text.contains(&of_first), "{text}");
    let stays = account.products[1].product.info().name;
    let stays = format!(
        "api_requests_total{{account=\"a\",product=\"{stays}\",endpoint=\"getClusters\",code=\"503\"}} 1"
    );
    assert!(text.contains(&stays), "{text}");
    let (name, product) = (&account.name, account.products[0].product);
    metrics
        .requests
        .count(name, product.info().name, "getClusters", "503");
    assert!(!registry.encode().contains(&of_first), "a late call");
    metrics
        .product(name, product.info().name)
        .announce(account, product);
    drop(products);
    let text = registry.encode();
    assert!(!text.contains("account=\"a\""), "{text}");
}
