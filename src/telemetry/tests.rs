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
    let source = (&*account.name, "css", "1");
    let failed = Err(Reason::Auth);
    metrics.poll(source, Duration::ZERO, failed, Timestamp::UNIX_EPOCH);
    metrics.clock_skew(&account.name, 1.0);
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
            "_clock_skew_seconds",
            "_clusters",
            "_failing_since_timestamp_seconds",
            "_poll_failures_total",
            "_polls_total",
            "_truncated_total",
            "_upgrades_ended_total",
        ]
    );
}

#[test]
fn failing_since_is_of_the_source_that_fails_longest() {
    let metrics = Metrics::new();
    let at = |seconds| Timestamp::from_second(seconds).unwrap();
    let poll = |source: &str, outcome, seconds| {
        metrics.poll(("a", "ses", source), Duration::ZERO, outcome, at(seconds));
    };
    let told = || {
        let text = metrics.encode();
        let lines = text
            .lines()
            .filter(|l| l.contains("failing_since_timestamp_seconds{"));
        lines
            .map(|l| l.rsplit_once(',').unwrap().1.to_owned())
            .collect::<Vec<_>>()
    };
    poll("1", Err(Reason::Auth), 10);
    poll("2", Err(Reason::Auth), 20);
    poll("1", Err(Reason::Auth), 30);
    assert_eq!(told(), ["reason=\"auth\"} 10.0"]);
    poll("1", Ok(()), 40);
    assert_eq!(
        told(),
        ["reason=\"auth\"} 20.0"],
        "another cluster still fails"
    );
    poll("2", Err(Reason::Network), 50);
    assert_eq!(told(), ["reason=\"network\"} 50.0"]);
    metrics.forget("a", "ses", "2");
    assert!(told().is_empty());
}

#[test]
fn alerts_are_decided_on_what_the_metrics_show() {
    let metrics = Metrics::new();
    let at = |seconds| Timestamp::from_second(seconds).unwrap();
    for (source, seconds) in [("1", 10), ("2", 5)] {
        let outcome = Err(Reason::Auth);
        metrics.poll(("a", "ses", source), Duration::ZERO, outcome, at(seconds));
    }
    metrics.clock_skew("a", -3.0);
    metrics.config_loaded(Some(at(1)));
    metrics.alerts().announce("http://am");
    metrics.alerts().refused("http://am", 2, at(7));
    metrics.alerts().refused("http://am", 2, at(9));
    let own = metrics.own();
    assert_eq!(own.failing.len(), 1);
    assert_eq!(own.failing[0].since, at(5), "the longest failing");
    assert_eq!(own.clock_skew, [("a".to_owned(), -3.0)]);
    assert!(!own.reload_failed);
    assert_eq!(own.unreachable, [("http://am".to_owned(), at(7))]);
    let text = metrics.encode();
    for line in [
        "alerts_sent_total{alertmanager=\"http://am\"} 4",
        "alerts_errors_total{alertmanager=\"http://am\"} 4",
        "alerts_dropped_total{alertmanager=\"http://am\"} 0",
        "notifications_failing_since_timestamp_seconds{alertmanager=\"http://am\"} 7.0",
    ] {
        assert!(text.contains(&format!("{PREFIX}_{line}")), "{line}\n{text}");
    }
    metrics.alerts().delivered("http://am", 1);
    metrics.config_loaded(None);
    assert!(metrics.own().unreachable.is_empty());
    assert!(metrics.own().reload_failed);
    assert!(
        !metrics
            .encode()
            .contains("notifications_failing_since_timestamp_seconds{")
    );
}
