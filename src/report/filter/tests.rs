//! Queries, and the clusters that they leave.

use super::*;
use crate::model::Kind;

const PRODUCTS: &[&str] = &["ses", "cdss", "css", "cce"];

fn report() -> Report {
    let golden = include_str!("../../../tests/data/api/upgrades.json");
    let mut report: Report = serde_json::from_str(golden).unwrap();
    let running = report.clusters.remove(0);
    let other = |name: &str, change: &dyn Fn(&mut ClusterReport)| {
        let mut cluster = running.clone();
        cluster.cluster_name = name.to_owned();
        change(&mut cluster);
        cluster
    };
    report.clusters = vec![
        other("검색-Logs", &|_| {}),
        other("stalled", &|c| c.upgrades[0].stalled = true),
        other("partly", &|c| {
            c.upgrades[0].status = UpgradeStatus::PartiallyFailed.into();
        }),
        other("two", &|c| {
            let mut move_ = c.upgrades[0].clone();
            (move_.kind, move_.status) =
                (Kind::AzMigration.into(), UpgradeStatus::Succeeded.into());
            move_.upgrade_id = Some("the-move".into());
            c.upgrades.push(move_);
        }),
        other("paused", &|c| {
            c.upgrades[0].status = UpgradeStatus::Paused.into();
        }),
        other("idle", &|c| {
            c.upgrades.clear();
            c.available_versions.clear();
        }),
        other("new", &|c| {
            c.upgrades.clear();
            c.available_versions.clear();
            (c.up, c.last_success) = (false, None);
            c.last_error = report.products[0].last_error.clone();
        }),
        other("events", &|c| {
            (c.account, c.product) = ("kr-prod".into(), "cdss".into());
            c.status_meaning = Some("unavailable".into());
            c.available_versions[0].version = "v1.31.1-r0".into();
            let upgrade = &mut c.upgrades[0];
            upgrade.to_version_name = Some("OpenSearch 2.14.0".into());
            upgrade.reason = Some("no quota".into());
            upgrade.tasks[0].description = Some("The disk moves.".into());
            let findings = &mut upgrade.precheck.as_mut().unwrap().findings;
            findings[0].codes = vec!["CCE.01400017".into()];
        }),
    ];
    report
}

/// The names of what a query leaves, with the kinds of their upgrades.
fn left(query: &str) -> Vec<String> {
    let (filter, wrong) = Filter::parse(query, PRODUCTS);
    assert_eq!(wrong, [], "{query}");
    let mut report = report();
    filter.apply(&mut report);
    let told = |cluster: &ClusterReport| {
        let kinds: Vec<_> = cluster.upgrades.iter().map(|u| u.kind.as_str()).collect();
        format!("{} {}", cluster.cluster_name, kinds.join(" "))
    };
    report.clusters.iter().map(told).collect()
}

#[test]
fn an_empty_query_leaves_all() {
    assert_eq!(left("").len(), 8);
    assert_eq!(left("account=&product=&state=&q=").len(), 8);
    assert_eq!(left("q=+%20").len(), 8);
}

#[test]
fn values_of_one_kind_are_alternatives_and_kinds_add_up() {
    assert_eq!(left("account=kr-prod"), ["events version"]);
    assert_eq!(left("account=kr-prod&account=cn-prod").len(), 8);
    assert_eq!(left("account=kr-prod&product=css").len(), 0);
    assert_eq!(left("account=nobody").len(), 0);
    assert_eq!(left("product=cdss&product=css&state=idle"), ["idle "]);
}

#[test]
fn a_state_is_the_pages_word_or_a_finer_one() {
    let running = [
        "검색-Logs version",
        "two version",
        "paused version",
        "events version",
    ];
    assert_eq!(left("state=running"), running);
    assert_eq!(left("state=stalled"), ["stalled version"]);
    assert_eq!(left("state=failed"), ["partly version"]);
    assert_eq!(left("state=partially_failed"), ["partly version"]);
    assert_eq!(left("state=ended"), ["two az_migration"]);
    assert_eq!(left("state=succeeded"), ["two az_migration"]);
    assert_eq!(left("state=paused"), ["paused version"]);
    assert_eq!(left("state=silent"), ["new "]);
    assert_eq!(left("state=none"), ["idle "], "of a new one nobody knows");
    assert_eq!(left("state=silent&state=idle"), ["idle ", "new "]);
}

#[test]
fn text_is_looked_for_in_any_case_and_every_word_counts() {
    assert_eq!(left("q=LOGS"), ["검색-Logs version"]);
    assert_eq!(left("q=%EA%B2%80%EC%83%89"), ["검색-Logs version"]);
    assert_eq!(left("q=The-Move"), ["two az_migration"]);
    assert_eq!(left("q=too+many+CALLS"), ["new "]);
    assert_eq!(left("q=cdss+n-2"), ["events version"]);
    assert_eq!(left("q=cdss+nothing").len(), 0);
    assert_eq!(left("q=7.10.2").len(), 6);
    assert_eq!(left("q=two&q=move"), ["two az_migration"]);
}

#[test]
fn text_is_looked_for_in_what_vendors_tell() {
    for words in [
        "unavailable",
        "1.31.1",
        "opensearch+2.14",
        "quota",
        "disk",
        "01400017",
    ] {
        assert_eq!(left(&format!("q={words}")), ["events version"], "{words}");
    }
    assert_eq!(left("q=coredns").len(), 6);
    assert_eq!(left("q=css_agency").len(), 6);
}

#[test]
fn the_entries_of_products_follow_account_and_product_alone() {
    let products = |query: &str| {
        let mut report = report();
        Filter::parse(query, PRODUCTS).0.apply(&mut report);
        report.products.len()
    };
    assert_eq!(products("state=failed&q=nothing"), 1);
    assert_eq!(products("account=kr-prod"), 0);
}

#[test]
fn says_what_is_wrong_with_a_query() {
    let (filter, wrong) = Filter::parse("acount=a&state=Failed&product=es&state=failed", PRODUCTS);
    let told: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "no parameter \"acount\"; there are account, product, state and q",
            "no state \"Failed\"; there are failed, stalled, silent, running, ended, idle, none, \
             pending, paused, succeeded, partially_failed, cancelled, unknown",
            "no product \"es\"; there are ses, cdss, css, cce",
        ]
    );
    assert_eq!(filter.states, [StateFilter::Attention(Attention::Failed)]);
}

#[test]
fn a_filter_survives_its_way_through_an_address() {
    let text = "account=a%26b&product=ses&state=failed&state=stalled&q=%ED%95%9C%20x";
    let (filter, wrong) = Filter::parse(text, PRODUCTS);
    assert_eq!(wrong, []);
    assert_eq!(Filter::parse(&filter.query(), PRODUCTS), (filter, wrong));
    assert_eq!(Filter::default().query(), "");
}
