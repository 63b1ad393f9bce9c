//! CSS: the list and the upgrades are primary, changes of the zone are secondary.

use std::collections::BTreeMap;

use rolling_upgrade_exporter::sim::scenario::{Fault, FaultAnswer};

use super::{Case, FAST, Shown, Table};
use crate::harness::select;

/// Polling after which only the first poll of each cluster has happened.
const ONCE: &str = "{active_interval: 1h, idle_interval: 1h, discovery_interval: 2h, timeout: 1s, rate_limit: 1000}";

/// The secondary call has the vendor's name of the primary one, whose path it goes to.
const CALL: &str = "UpgradeDetail";

const REFUSED: &str = "refused";
const NOT_PUBLISHED: FaultAnswer = FaultAnswer::NotPublished;

/// Ways in which the call fails, with the reason that each is known by.
const FAILURES: [(&str, FaultAnswer, &str); 12] = [
    ("http-400", FaultAnswer::BadRequest, REFUSED),
    // CSS says so of a cluster that is gone, too.
    ("http-403", FaultAnswer::Denied, "not_found"),
    ("http-403-gateway", FaultAnswer::Forbidden, "permission"),
    ("http-404", FaultAnswer::NotFound, "not_found"),
    ("http-404-0101", NOT_PUBLISHED, "not_found"),
    ("http-429", FaultAnswer::Throttled, "throttled"),
    ("http-500", FaultAnswer::InternalError, "server"),
    ("http-500-html", FaultAnswer::Html, "server"),
    ("timeout", FaultAnswer::Hang, "timeout"),
    ("truncated", FaultAnswer::Truncated, "network"),
    ("cut-json", FaultAnswer::Garbage, "protocol"),
    ("html-200", FaultAnswer::LoginPage, "protocol"),
];

/// Upgrades of a version, by their state: the rest of the cluster in the scenario.
const VERSIONS: [(&str, &str); 4] = [
    (
        "running",
        "starts_after: 0s, steps: [{name: Data migration, takes: 1h}]",
    ),
    (
        "failed",
        "starts_after: 0s, steps: [{name: Data migration, takes: 10ms}], fails: {node: 1, step: 1}",
    ),
    (
        "succeeded",
        "starts_after: 0s, steps: [{name: Data migration, takes: 10ms}]",
    ),
    ("none", "steps: [{name: Data migration, takes: 1h}]"),
];

/// Changes of the zone, as [`VERSIONS`].
const MOVES: [(&str, &str); 2] = [
    (
        "running",
        "kind: az_migration, starts_after: 0s, steps: [{name: Data migration, takes: 1h}]",
    ),
    (
        "failed",
        "kind: az_migration, starts_after: 0s, steps: [{name: Data migration, takes: 10ms}], fails: {node: 1, step: 1}",
    ),
];

/// Returns an account with this cluster.
fn case(name: String, cluster: &str, fault: Option<FaultAnswer>) -> Case {
    let fault = fault.map(|answer| {
        let mut names = FaultAnswer::NAMES.iter();
        let (word, _) = names.find(|(_, a)| *a == answer).unwrap();
        format!("faults: [{{path: /upgrade/detail, query: AZ_MIGRATION, answer: {word}}}]\n")
    });
    Case {
        name,
        scenario: format!(
            "clusters:\n  - {{product: css, id: ea244205-d641-45d9-9dcb-ab2236bcd07e, name: css-test, \
             versions: [7.6.2, 7.10.2], {cluster}, \
             nodes: [{{name: ess-1, role: ess}}, {{name: ess-2, role: ess}}]}}\n{}",
            fault.unwrap_or_default(),
        ),
        cloud: "huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, \
                access_key: SIMHUAWEIACCESSKEY00, secret_key: sim-huawei-secret-key, \
                css: {endpoint: ENDPOINT}}, upgrades: {stalled_after: 1s}"
            .to_owned(),
    }
}

/// Every way in which the call fails beside every one of these upgrades, as an account each.
fn matrix(
    upgrades: &[(&'static str, &'static str)],
) -> Vec<(
    String,
    &'static str,
    &'static str,
    FaultAnswer,
    &'static str,
)> {
    let beside = |(status, cluster): &(&'static str, &'static str)| {
        let (status, cluster) = (*status, *cluster);
        FAILURES.map(|(way, answer, reason)| {
            (format!("{status}-{way}"), status, cluster, answer, reason)
        })
    };
    upgrades.iter().flat_map(beside).collect()
}

/// Checks that an account shows its upgrade of this kind, and no more than `degraded` as missing.
fn check(
    shown: &Shown,
    account: &str,
    (kind, status): (&str, &str),
    degraded: Option<&str>,
) -> Result<(), String> {
    let want: BTreeMap<&str, &str> = degraded.map(|reason| (CALL, reason)).into_iter().collect();
    let failures = shown.failures(account);
    let seen = (
        shown.up(account),
        shown.status(account, kind),
        shown.degraded(account),
    );
    if seen == (Some(true), Some(status), want) && failures.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{account} shows {seen:?}, failed polls {failures:?}"
    ))
}

/// Checks that the API and the page say what is missing, and the permission that gives it.
async fn check_is_told(table: &Table, shown: &Shown, account: &str, reason: &str) {
    let degraded = &shown.cluster(account)["degraded"][0];
    let told = |field: &str| degraded[field].as_str().unwrap().to_owned();
    assert_eq!(
        (told("endpoint"), told("reason")),
        (CALL.into(), reason.into())
    );
    assert_eq!(told("missing"), "changes of the availability zone");
    assert_eq!(told("permission"), "css:cluster:get");
    table.check_card(shown, account).await;
}

#[tokio::test]
async fn a_first_poll_without_zone_changes_tells_upgrades() {
    let matrix = matrix(&VERSIONS);
    let cases: Vec<Case> = matrix
        .iter()
        .map(|(name, _, cluster, answer, _)| case(name.clone(), cluster, Some(*answer)))
        .collect();
    let table = Table::start(ONCE, &cases).await;
    let shown = table.shown().await;
    for (name, status, _, _, reason) in &matrix {
        // Most clouds that refuse the question know no such changes.
        let degraded = Some(*reason).filter(|reason| *reason != REFUSED);
        check(&shown, name, ("version", status), degraded).unwrap();
        assert_eq!(shown.status(name, "az_migration"), None, "{name}");
        if let Some(reason) = degraded {
            check_is_told(&table, &shown, name, reason).await;
        }
    }
}

#[tokio::test]
async fn only_a_call_that_is_not_offered_is_left_alone() {
    let matrix = matrix(&VERSIONS);
    let cases: Vec<Case> = matrix
        .iter()
        .map(|(name, _, cluster, answer, _)| case(name.clone(), cluster, Some(*answer)))
        .collect();
    let table = Table::start(FAST, &cases).await;
    let asked = |name: &str| table.calls(name, "/upgrade/detail");
    table
        .until("some polls of each", |_| {
            let mut few = matrix.iter().filter(|(name, ..)| asked(name) < 10);
            few.next().map_or(Ok(()), |(name, ..)| {
                Err(format!("{name}: {} calls", asked(name)))
            })
        })
        .await;
    let shown = table.shown().await;
    for (name, status, _, answer, reason) in &matrix {
        let is_offered = *reason != REFUSED && *answer != NOT_PUBLISHED;
        let degraded = Some(*reason).filter(|_| is_offered);
        check(&shown, name, ("version", status), degraded).unwrap();
    }
}

#[tokio::test]
async fn a_known_zone_change_stays_while_its_call_fails() {
    let matrix = matrix(&MOVES);
    let cases: Vec<Case> = matrix
        .iter()
        .map(|(name, _, cluster, ..)| case(name.clone(), cluster, None))
        .collect();
    let table = Table::start(FAST, &cases).await;
    let all = |shown: &Shown, is_failing: bool| {
        let mut checks = matrix.iter().map(|(name, status, _, _, reason)| {
            let degraded = Some(*reason).filter(|_| is_failing);
            check(shown, name, ("az_migration", status), degraded)
        });
        checks.find(Result::is_err).unwrap_or(Ok(()))
    };
    table.until("every change", |shown| all(shown, false)).await;
    for (name, _, _, answer, _) in &matrix {
        let fault = Fault::new("/upgrade/detail", *answer);
        let query = Some("AZ_MIGRATION".to_owned());
        table.inject(name, Fault { query, ..fault });
    }
    let before = table.calls("running-html-200", "/upgrade/detail");
    table.until("every failure", |shown| all(shown, true)).await;
    // Later polls change nothing: neither the second refusal, nor silence beyond `stalled_after`.
    table
        .until("later polls", |_| {
            let calls = table.calls("running-html-200", "/upgrade/detail");
            (calls > before + 12)
                .then_some(())
                .ok_or(format!("{calls} calls"))
        })
        .await;
    let shown = table.shown().await;
    all(&shown, true).unwrap();
    for (name, status, _, _, reason) in &matrix {
        check_is_told(&table, &shown, name, reason).await;
        assert_eq!(shown.status(name, "version"), Some("none"), "{name}");
        let labels = [("account", name.as_str()), ("kind", "az_migration")];
        let nodes = select(&shown.samples, "rolling_upgrade_node_status", &labels);
        assert!(!nodes.is_empty(), "{name} keeps its nodes");
        if *status == "running" {
            let limit = "rolling_upgrade_stalled_after_seconds";
            assert!(select(&shown.samples, limit, &labels).is_empty(), "{name}");
            let stalled = select(&shown.samples, "rolling_upgrade_stalled", &labels);
            assert!(stalled.iter().all(|sample| sample.value < 0.5), "{name}");
        }
    }
}

#[tokio::test]
async fn refused_credentials_fail_the_poll() {
    let cases = [case(
        "a".to_owned(),
        VERSIONS[0].1,
        Some(FaultAnswer::Unauthorized),
    )];
    let table = Table::start(ONCE, &cases).await;
    let shown = table.shown().await;
    assert_eq!(shown.up("a"), Some(false));
    let reasons: Vec<_> = shown.failures("a").into_keys().collect();
    assert_eq!(
        (reasons, shown.degraded("a")),
        (vec!["auth"], BTreeMap::new())
    );
}

#[tokio::test]
async fn a_primary_call_that_is_not_published_is_none_from_the_second_poll() {
    let scenario =
        |answer: &str| format!("faults: [{{path: /upgrade/detail, answer: {answer}}}]\n");
    let mut polled_once = case("once".to_owned(), VERSIONS[0].1, None);
    polled_once.scenario += &scenario("not_published");
    let once = Table::start(ONCE, &[polled_once]).await;
    let shown = once.shown().await;
    assert_eq!(shown.up("once"), Some(false), "one answer proves nothing");
    let mut polled_twice = case("twice".to_owned(), VERSIONS[0].1, None);
    polled_twice.scenario += &scenario("not_published");
    let mut known = case("known".to_owned(), VERSIONS[0].1, None);
    known.scenario += "faults: [{path: /upgrade/detail, from: 3s, answer: not_published}]\n";
    // The second poll follows after the active interval.
    let polling = FAST.replace("idle_interval: 500ms", "idle_interval: 1h");
    let twice = Table::start(&polling, &[polled_twice, known]).await;
    let shown = twice
        .until("a second poll", |shown| {
            let seen = (shown.up("twice"), shown.status("twice", "version"));
            (seen == (Some(true), Some("none")))
                .then_some(())
                .ok_or(format!("{seen:?}"))
        })
        .await;
    assert!(shown.degraded("twice").is_empty());
    let shown = twice
        .until("failed polls", |shown| {
            let failed = shown.failures("known").get("not_found").copied();
            failed
                .filter(|count| *count > 2.5)
                .map(|_| ())
                .ok_or(format!("{failed:?}"))
        })
        .await;
    assert_eq!(shown.up("known"), Some(false));
    assert_eq!(shown.status("known", "version"), Some("running"));
}
