//! NAVER Cloud: lists and progress are primary, version and node lists are secondary.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rolling_upgrade_exporter::sim::scenario::{Fault, FaultAnswer};

use serde_json::Value;

use super::{Case, FAST, SLOW, Shown, Table};

/// Ways in which a call fails, with the reason that each is known by.
const FAILURES: [(&str, FaultAnswer, &str); 12] = [
    ("http-400", FaultAnswer::BadRequest, "refused"),
    ("http-401-210", FaultAnswer::Forbidden, "permission"),
    ("http-403", FaultAnswer::Denied, "permission"),
    ("http-404", FaultAnswer::NotFound, "not_found"),
    ("http-404-300", FaultAnswer::NotPublished, "not_found"),
    ("http-429", FaultAnswer::Throttled, "throttled"),
    ("http-500", FaultAnswer::InternalError, "server"),
    ("refusal-200", FaultAnswer::Refused, "refused"),
    ("timeout", FaultAnswer::Hang, "timeout"),
    ("truncated", FaultAnswer::Truncated, "network"),
    ("cut-json", FaultAnswer::Garbage, "protocol"),
    ("html-200", FaultAnswer::LoginPage, "protocol"),
];

/// An upgrade of two nodes that runs for the length of a test.
const RUNNING: &str = r#"
clusters:
  - product: PRODUCT
    id: "3427188"
    name: search
    versions: ["270", "290"]
    starts_after: 0s
    nodes: [{name: d-1, role: D}, {name: d-2, role: D}]
    steps: [{name: Upgrade_OpenSearch, takes: 1h}]
"#;

fn case(name: &str, product: &str) -> Case {
    Case {
        name: name.to_owned(),
        scenario: RUNNING.replace("PRODUCT", product),
        cloud: format!(
            "ncloud: {{access_key: SIMNCLOUDACCESSKEY00, secret_key: sim-ncloud-secret-key, {product}: {{endpoint: ENDPOINT}}}}"
        ),
    }
}

#[tokio::test]
async fn a_failed_primary_call_fails_the_poll_with_its_reason() {
    for (product, call) in [
        ("ses", "getRollingUpgradeProgress"),
        ("cdss", "rollingUpgradeProgressCheck"),
    ] {
        let cases: Vec<Case> = FAILURES
            .iter()
            .map(|(name, _, _)| case(name, product))
            .collect();
        let table = Table::start(FAST, &cases).await;
        for (name, answer, _) in FAILURES {
            table.inject(name, Fault::new(call, answer));
        }
        let what = format!("{product}: every account fails");
        let shown = table
            .until(&what, |shown| {
                let fine = FAILURES
                    .iter()
                    .filter(|(name, _, _)| shown.up(name) != Some(false));
                let fine: Vec<_> = fine.map(|(name, _, _)| name).collect();
                fine.is_empty().then_some(()).ok_or(format!("{fine:?}"))
            })
            .await;
        for (name, _, reason) in FAILURES {
            let failures = shown.failures(name);
            assert_eq!(failures.into_keys().collect::<Vec<_>>(), [reason], "{name}");
            assert_eq!(shown.status(name, "version"), Some("running"), "{name}");
            assert!(shown.degraded(name).is_empty(), "{name}");
            assert_eq!(shown.cluster(name)["last_error"]["reason"], reason);
            let page = table.page(name).await;
            assert!(page.contains(call), "{name}: the page names the call");
        }
    }
}

/// A secondary call of SES, the noun phrase for what it tells, and an account that needs it.
const LOOKUPS: [(&str, &str); 2] = [
    (
        "getSearchEngineVersionList",
        "names and engines of versions",
    ),
    ("getClusterNodeList", "the number of the region"),
];

/// Every lookup with every failure, each an account in a region whose number no document tells.
fn lookup_cases() -> Vec<(Case, &'static str, FaultAnswer, &'static str)> {
    let mut cases = Vec::new();
    for (call, _) in LOOKUPS {
        for (name, answer, reason) in FAILURES {
            let mut case = case(&format!("{call}-{name}"), "ses");
            case.scenario = format!("ncloud: {{region: JPN}}\n{}", case.scenario);
            case.cloud = case.cloud.replace("ncloud: {", "ncloud: {region: JPN, ");
            cases.push((case, call, answer, reason));
        }
    }
    cases
}

/// Checks that the primary call's word is shown whatever the lookup came to.
fn check_primary(shown: &Shown, account: &str) -> Result<(), String> {
    let seen = (shown.up(account), shown.status(account, "version"));
    if seen != (Some(true), Some("running")) {
        return Err(format!("{account}: {seen:?}"));
    }
    let cluster = shown.cluster(account);
    assert_eq!(cluster["upgrades"][0]["status"], "running", "{account}");
    assert_eq!(cluster["last_error"], Value::Null, "{account}");
    let failures = shown.failures(account);
    assert!(failures.is_empty(), "{account}: {failures:?}");
    Ok(())
}

/// Checks that only this lookup is degraded, wherever that is shown.
fn check_degraded(
    shown: &Shown,
    account: &str,
    (call, reason): (&str, &str),
) -> Result<(), String> {
    let degraded = shown.degraded(account);
    if degraded != BTreeMap::from([(call, reason)]) {
        return Err(format!("{account}: {degraded:?}"));
    }
    let told = &shown.cluster(account)["degraded"];
    let lookup = LOOKUPS.iter().find(|(name, _)| *name == call);
    let missing = lookup.unwrap().1;
    assert_eq!(told.as_array().unwrap().len(), 1, "{account}: {told}");
    for (field, want) in [
        ("endpoint", call),
        ("reason", reason),
        ("missing", missing),
        ("permission", "NCP_VPC_SEARCH_ENGINE_SERVICE_VIEWER"),
    ] {
        assert_eq!(told[0][field], want, "{account}: {told}");
    }
    Ok(())
}

/// Two refusals tell that a call is not offered, as long as it was never answered well.
fn is_not_offered(reason: &str) -> bool {
    matches!(reason, "not_found" | "refused")
}

#[tokio::test]
async fn lookups_that_fail_at_the_first_poll_hide_no_upgrade() {
    let (mut accounts, mut cases) = (Vec::new(), Vec::new());
    for (mut case, call, answer, reason) in lookup_cases() {
        let (name, _) = FaultAnswer::NAMES
            .iter()
            .find(|(_, a)| *a == answer)
            .unwrap();
        write!(case.scenario, "faults: [{{path: {call}, answer: {name}}}]").unwrap();
        accounts.push((case.name.clone(), call, reason));
        cases.push(case);
    }
    let table = Table::start(SLOW, &cases).await;
    let first = table.shown().await;
    for (account, call, reason) in &accounts {
        check_primary(&first, account).unwrap();
        check_degraded(&first, account, (call, reason)).unwrap();
        table.check_card(&first, account).await;
    }
    // It confirms at once which calls are not offered.
    let status = table.status().await;
    let is_offered = |(_, _, reason): &&(_, _, &'static str)| !is_not_offered(reason);
    let offered = FAILURES.iter().filter(is_offered).count();
    for (call, missing) in LOOKUPS {
        let lines = status
            .lines()
            .filter(|l| l.contains("degraded") && l.contains(call));
        assert_eq!(lines.clone().count(), offered, "{status}");
        let is_whole = |line: &str| {
            line.contains(missing) && line.contains("NCP_VPC_SEARCH_ENGINE_SERVICE_VIEWER")
        };
        assert!(lines.clone().all(is_whole), "{status}");
    }
    // The same answers at the second poll.
    table.reopen(FAST).await;
    let what = "only calls that are not offered are degraded no more";
    table
        .until(what, |shown| {
            accounts.iter().try_for_each(|(account, call, reason)| {
                check_primary(shown, account)?;
                if !is_not_offered(reason) {
                    return check_degraded(shown, account, (call, reason));
                }
                let degraded = shown.degraded(account);
                let told = || format!("{account}: {degraded:?}");
                degraded.is_empty().then_some(()).ok_or_else(told)
            })
        })
        .await;
}

#[tokio::test]
async fn lookups_that_fail_later_hide_no_upgrade() {
    let (cases, faults): (Vec<_>, Vec<_>) = lookup_cases()
        .into_iter()
        .map(|(case, call, answer, reason)| {
            let fault = (case.name.clone(), call, answer, reason);
            (case, fault)
        })
        .unzip();
    let table = Table::start(SLOW, &cases).await;
    let before = table.shown().await;
    for (account, call, answer, _) in &faults {
        check_primary(&before, account).unwrap();
        assert!(before.degraded(account).is_empty(), "{account}");
        table.inject(account, Fault::new(call, *answer));
    }
    // An account that is opened anew asks its lookups anew.
    table
        .reopen(&FAST.replace("timeout: 1s", "timeout: 2s"))
        .await;
    let shown = table
        .until("every account is degraded", |shown| {
            faults.iter().try_for_each(|(account, call, _, reason)| {
                check_primary(shown, account)?;
                check_degraded(shown, account, (call, reason))
            })
        })
        .await;
    for (account, call, ..) in &faults {
        let region_no = table.calls(account, "getRollingUpgradeProgress");
        assert!(region_no > 1, "{account} is polled, whatever {call} does");
        table.check_card(&shown, account).await;
    }
}

#[tokio::test]
async fn an_account_that_is_reopened_asks_its_lookups_anew() {
    let table = Table::start(FAST, &[case("a", "ses")]).await;
    let versions = "/cluster/getSearchEngineVersionList";
    assert_eq!(table.calls("a", versions), 1);
    table
        .reopen(&FAST.replace("timeout: 1s", "timeout: 2s"))
        .await;
    let shown = table
        .until("a second call", |_| match table.calls("a", versions) {
            2 => Ok(()),
            count => Err(format!("{count} calls")),
        })
        .await;
    assert_eq!(shown.status("a", "version"), Some("running"));
    assert_eq!(shown.up("a"), Some(true));
}
