//! Tests of what the metrics show.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

#[test]
fn counters_start_at_0_for_labels_that_are_known() {
    let config = "accounts: [{name: a, huawei: {region: cn-north-4, project_id: p, css: {}, \
                  token: {domain: d, user: u, password: p}}}]";
    let config = crate::config::parse(config, Path::new("."), &|_| None).unwrap();
    let account = &config.accounts[0];
    let metrics = Metrics::new();
    metrics.announce(account, account.products[0].product);
    let text = metrics.encode();
    for series in [
        "polls_total{account=\"a\",product=\"css\"} 0",
        "poll_failures_total{account=\"a\",product=\"css\",reason=\"refused\"} 0",
        "api_requests_total{account=\"a\",product=\"css\",endpoint=\"UpgradeDetail\",code=\"200\"} 0",
        "api_requests_total{account=\"a\",product=\"css\",endpoint=\"KeystoneCreateUserTokenByPassword\",code=\"201\"} 0",
        "upgrades_ended_total{account=\"a\",product=\"css\",outcome=\"failed\"} 0",
        "unknown_statuses_total{product=\"css\"} 0",
        "web_logins_refused_total{reason=\"credentials\"} 0",
        "web_logins_refused_total{reason=\"busy\"} 0",
        "web_logins_refused_total{reason=\"share\"} 0",
    ] {
        assert!(
            text.contains(&format!("{PREFIX}_{series}")),
            "{series}\n{text}"
        );
    }
}

#[test]
fn account_labels_of_all_families_are_escaped() {
    let config = r#"accounts: [{name: "a\u202E\\u{1b}", huawei: {region: cn-north-4, project_id: p,
        css: {}, token: {domain: d, user: u, password: p}}}]"#;
    let config = crate::config::parse(config, Path::new("."), &|_| None).unwrap();
    let account = &config.accounts[0];
    let metrics = Metrics::new();
    metrics.announce(account, account.products[0].product);
    let text = metrics.encode();
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
            "_api_requests_total",
            "_poll_failures_total",
            "_polls_total",
            "_truncated_total",
            "_upgrades_ended_total",
        ]
    );
}
