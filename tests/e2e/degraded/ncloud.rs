//! NAVER Cloud: lists and progress are primary, version and node lists are secondary.

use rolling_upgrade_exporter::sim::scenario::{Fault, FaultAnswer};

use super::{Case, FAST, Table};

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
            assert!(shown.page.contains(call), "the page names the call");
        }
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
