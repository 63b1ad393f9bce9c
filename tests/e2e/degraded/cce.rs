//! CCE: clusters and workflows are primary, all other calls are secondary.

use std::collections::BTreeMap;

use rolling_upgrade_exporter::sim::scenario::{Fault, FaultAnswer};

use super::{Case, FAST, Shown, Table};
use crate::harness::select;

/// Ways in which a call fails, with the reason that each is known by.
const FAILURES: [(&str, FaultAnswer, &str); 10] = [
    ("http-400", FaultAnswer::BadRequest, "refused"),
    ("http-403", FaultAnswer::Denied, "permission"),
    ("http-403-gateway", FaultAnswer::Forbidden, "permission"),
    ("http-404", FaultAnswer::NotFound, "not_found"),
    ("http-429", FaultAnswer::Throttled, "throttled"),
    ("http-500", FaultAnswer::InternalError, "server"),
    ("timeout", FaultAnswer::Hang, "timeout"),
    ("truncated", FaultAnswer::Truncated, "network"),
    ("cut-json", FaultAnswer::Garbage, "protocol"),
    ("html-200", FaultAnswer::LoginPage, "protocol"),
];

/// A way in which only a call fails that answered before: until then it passes for one that the cloud
/// does not offer.
const UNPUBLISHED: (&str, FaultAnswer, &str) =
    ("http-404-0101", FaultAnswer::NotPublished, "not_found");

/// A secondary call.
#[derive(Clone, Copy)]
struct Call {
    name: &'static str,
    path: &'static str,
    permission: &'static str,
}

const INFO: Call = Call {
    name: "ShowClusterUpgradeInfo",
    path: "/upgradeinfo$",
    permission: "cce:cluster:get",
};
const TASKS: Call = Call {
    name: "ListUpgradeClusterTasks",
    path: "/operation/upgrade/tasks$",
    permission: "cce:cluster:get",
};
const NODES: Call = Call {
    name: "ListNodes",
    path: "/nodes$",
    permission: "cce:node:list",
};

const PRECHECKS: Call = Call {
    name: "ListPreCheckTasks",
    path: "/operation/precheck/tasks$",
    permission: "cce:cluster:get",
};

/// A cluster whose workflow does the same for the length of a test.
struct Stage {
    name: &'static str,
    /// State of the upgrade.
    status: &'static str,
    /// Steps in the scenario.
    steps: &'static str,
    /// Secondary calls that the first poll needs.
    first: &'static [Call],
    /// Secondary calls that every later poll needs.
    later: &'static [Call],
}

/// The point before the nodes is in work. There is no task yet.
const CHECKING: Stage = Stage {
    name: "checking",
    status: "running",
    steps: "before: [{name: PreCheck, takes: 1h}], steps: [{name: Upgrade, takes: 1h}]",
    first: &[INFO, NODES],
    later: &[INFO, NODES],
};

/// The nodes are in work: tasks are listed whatever `upgradeinfo` says.
const UPGRADING: Stage = Stage {
    name: "upgrading",
    status: "running",
    steps: "steps: [{name: Upgrade, takes: 1h}]",
    first: &[TASKS, NODES],
    later: &[TASKS, NODES],
};

/// A node failed at once, and the workflow is `Pending`. Its tasks are listed once.
const FAILED: Stage = Stage {
    name: "failed",
    status: "failed",
    steps: "steps: [{name: Upgrade, takes: 10ms}], fails: {node: 1, step: 1}",
    first: &[INFO, TASKS, NODES],
    later: &[INFO, NODES],
};

/// The precheck refused the nodes, and the workflow is `Pending`. There is no task.
const REFUSED: Stage = Stage {
    name: "refused",
    status: "failed",
    steps: "before: [{name: PreCheck, takes: 10ms}], steps: [{name: Upgrade, takes: 10ms}], fails: {before: 1}",
    first: &[INFO, NODES, PRECHECKS],
    later: &[INFO, NODES, PRECHECKS],
};

const STAGES: [Stage; 4] = [CHECKING, UPGRADING, FAILED, REFUSED];

impl Stage {
    /// Returns an account with this cluster. The call fails from the beginning, where there is one.
    fn case(&self, name: String, fault: Option<(&str, FaultAnswer)>) -> Case {
        let fault = fault.map(|(path, answer)| {
            let mut names = FaultAnswer::NAMES.iter();
            let (word, _) = names.find(|(_, a)| *a == answer).unwrap();
            format!("faults: [{{path: {path}, answer: {word}}}]\n")
        });
        Case {
            name,
            scenario: format!(
                "clusters:\n  - {{product: cce, id: 4d1ecb2c-229a-11e8-9c75-0255ac100ceb, name: shop, \
                 versions: [v1.28.3-r0, v1.29.1-r0], starts_after: 0s, {}, \
                 nodes: [{{name: n-1, role: node}}, {{name: n-2, role: node}}]}}\n{}",
                self.steps,
                fault.unwrap_or_default(),
            ),
            cloud: "huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, \
                    access_key: SIMHUAWEIACCESSKEY00, secret_key: sim-huawei-secret-key, \
                    cce: {endpoint: ENDPOINT}}, upgrades: {stalled_after: 1s}"
                .to_owned(),
        }
    }

    /// Checks that an account shows its upgrade although a call fails.
    fn check(
        &self,
        shown: &Shown,
        account: &str,
        want: &BTreeMap<&str, &str>,
    ) -> Result<(), String> {
        let seen = (
            shown.up(account),
            shown.status(account, "version"),
            shown.degraded(account),
        );
        if seen == (Some(true), Some(self.status), want.clone()) {
            return Ok(());
        }
        Err(format!("{}: {account} shows {seen:?}", self.name))
    }
}

/// Every secondary call with every one of these ways in which it fails, as an account each.
fn failures(
    calls: &[Call],
    ways: &[(&str, FaultAnswer, &'static str)],
) -> Vec<(String, Call, FaultAnswer, &'static str)> {
    let of = |call: &Call| {
        let call = *call;
        let of_way = move |(way, answer, reason): &(&str, FaultAnswer, &'static str)| {
            let name = format!("{}-{way}", call.name.to_lowercase());
            (name, call, *answer, *reason)
        };
        ways.iter().map(of_way)
    };
    calls.iter().flat_map(of).collect()
}

/// Checks that every account shows its upgrade, what is missing, and the permission.
async fn hides_nothing(
    stage: &Stage,
    table: &Table,
    failures: &[(String, Call, FaultAnswer, &'static str)],
) {
    let shown = table
        .until(stage.name, |shown| {
            failures.iter().try_for_each(|(name, call, _, reason)| {
                stage.check(shown, name, &BTreeMap::from([(call.name, *reason)]))
            })
        })
        .await;
    for (name, call, _, reason) in failures {
        assert!(shown.failures(name).is_empty(), "{name}: no poll failed");
        let degraded = &shown.cluster(name)["degraded"];
        assert_eq!(degraded[0]["endpoint"], call.name);
        assert_eq!(degraded[0]["reason"], *reason);
        assert_eq!(degraded[0]["permission"], call.permission);
        table.check_card(&shown, name).await;
    }
}

#[tokio::test]
async fn a_secondary_call_that_never_answered_hides_nothing() {
    for stage in &STAGES {
        let failures = failures(stage.first, &FAILURES);
        let cases = failures.iter();
        let cases: Vec<Case> = cases
            .map(|(name, call, answer, _)| stage.case(name.clone(), Some((call.path, *answer))))
            .collect();
        let table = Table::start(FAST, &cases).await;
        hides_nothing(stage, &table, &failures).await;
    }
}

#[tokio::test]
async fn a_secondary_call_that_fails_later_hides_nothing() {
    for stage in &STAGES {
        let failures = failures(stage.later, &[&FAILURES[..], &[UNPUBLISHED]].concat());
        let names = failures.iter().map(|(name, ..)| name);
        let cases: Vec<Case> = names.map(|name| stage.case(name.clone(), None)).collect();
        let table = Table::start(FAST, &cases).await;
        table
            .until("every upgrade is known", |shown| {
                let mut names = failures.iter().map(|(name, ..)| name);
                names.try_for_each(|name| stage.check(shown, name, &BTreeMap::new()))
            })
            .await;
        for (name, call, answer, _) in &failures {
            table.inject(name, Fault::new(call.path, *answer));
        }
        hides_nothing(stage, &table, &failures).await;
        let shown = table.shown().await;
        for (name, ..) in failures {
            let nodes = shown.cluster(&name)["upgrades"][0]["nodes"].as_array();
            assert_eq!(nodes.unwrap().len(), 2, "{name}: kept");
            if stage.name == UPGRADING.name {
                let labels = [("account", name.as_str())];
                let limit = "rolling_upgrade_stalled_after_seconds";
                assert!(select(&shown.samples, limit, &labels).is_empty(), "{name}");
                let stalled = select(&shown.samples, "rolling_upgrade_stalled", &labels);
                assert!(stalled.iter().all(|sample| sample.value < 0.5), "{name}");
            }
        }
    }
}

/// Polls that can be told from each other.
const SLOW: &str = "{active_interval: 5s, idle_interval: 5m, discovery_interval: 1h, timeout: 10s, rate_limit: 1000}";

#[tokio::test]
async fn an_unpublished_call_counts_at_the_second_poll() {
    let calls = [
        (CHECKING, INFO),
        (UPGRADING, TASKS),
        (UPGRADING, NODES),
        (FAILED, NODES),
        (REFUSED, PRECHECKS),
    ];
    let name = |stage: &Stage, call: &Call| format!("{}-{}", stage.name, call.name.to_lowercase());
    let fault = |call: &Call| Some((call.path, FaultAnswer::NotPublished));
    let cases = calls.iter();
    let mut cases: Vec<Case> = cases
        .map(|(stage, call)| stage.case(name(stage, call), fault(call)))
        .collect();
    let workflows = Some(("upgradeworkflows$", FaultAnswer::NotPublished));
    cases.push(UPGRADING.case("primary".to_owned(), workflows));
    let table = Table::start(SLOW, &cases).await;
    let first = table.shown().await;
    for (stage, call) in &calls {
        let want = BTreeMap::from([(call.name, "not_found")]);
        let checked = stage.check(&first, &name(stage, call), &want);
        assert_eq!(checked, Ok(()), "first poll");
    }
    assert_eq!(first.up("primary"), Some(false));
    let second = table
        .until("the second poll", |shown| {
            UPGRADING.check(shown, "primary", &BTreeMap::new())?;
            let mut calls = calls.iter();
            calls.try_for_each(|(stage, call)| {
                stage.check(shown, &name(stage, call), &BTreeMap::new())
            })
        })
        .await;
    assert_eq!(
        second.failures("primary"),
        BTreeMap::from([("not_found", 1.0)])
    );
}

#[tokio::test]
async fn a_primary_call_that_fails_fails_the_poll_and_keeps_the_upgrade() {
    let ways = || {
        FAILURES
            .iter()
            .chain([&("unpublished", FaultAnswer::NotPublished, "not_found")])
    };
    let cases: Vec<Case> = ways()
        .map(|(name, ..)| UPGRADING.case((*name).to_owned(), None))
        .collect();
    let table = Table::start(FAST, &cases).await;
    for (name, answer, _) in ways() {
        table.inject(name, Fault::new("upgradeworkflows$", *answer));
    }
    let shown = table
        .until("every account fails", |shown| {
            let mut fine = ways().filter(|(name, ..)| {
                shown.up(name) != Some(false) || shown.failures(name).values().sum::<f64>() < 3.0
            });
            fine.next()
                .map_or(Ok(()), |(name, ..)| Err(format!("{name} is fine")))
        })
        .await;
    for (name, _, reason) in ways() {
        let failures = shown.failures(name);
        assert_eq!(
            failures.into_keys().collect::<Vec<_>>(),
            [*reason],
            "{name}"
        );
        assert_eq!(shown.status(name, "version"), Some("running"), "{name}");
        assert!(shown.degraded(name).is_empty(), "{name}");
    }
}
