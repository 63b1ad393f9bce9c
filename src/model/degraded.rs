//! Failing secondary calls of a whole product in an account.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::ClusterState;

/// Secondary call that fails for at least one cluster of a product in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailingCall<'a> {
    /// The account's name in the config.
    pub account: &'a str,
    /// The product's name.
    pub product: &'static str,
    /// Vendor's name of the call: the label `endpoint`.
    pub endpoint: &'static str,
    /// Value of the label `reason`, of the cluster whose reason changed last.
    pub reason: &'static str,
    /// Time of the first failure of the cluster that has failed longest.
    pub since: Timestamp,
}

impl<'a> FailingCall<'a> {
    /// Returns the failing calls of these clusters, by account, product and endpoint.
    pub fn of(clusters: impl IntoIterator<Item = &'a ClusterState>) -> Vec<Self> {
        let mut calls: BTreeMap<_, (Self, Timestamp)> = BTreeMap::new();
        for cluster in clusters {
            let (account, product) = (&*cluster.key.account, cluster.key.product);
            for call in &cluster.degraded {
                let failing = Self {
                    account,
                    product,
                    endpoint: call.endpoint,
                    reason: call.reason,
                    since: call.since,
                };
                let (first, latest) = calls
                    .entry((account, product, call.endpoint))
                    .or_insert((failing, call.reason_since));
                first.since = first.since.min(call.since);
                if call.reason_since > *latest {
                    (first.reason, *latest) = (call.reason, call.reason_since);
                }
            }
        }
        calls.into_values().map(|(call, _)| call).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Degraded, Key, Thresholds};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn failing(id: &str, calls: &[(&'static str, &'static str, i64)]) -> ClusterState {
        let degraded = calls.iter().map(|(endpoint, reason, since)| Degraded {
            endpoint,
            reason,
            message: String::new(),
            missing: "states of nodes",
            permission: "cce:node:list",
            since: at(*since),
            reason_since: at(*since),
        });
        ClusterState {
            key: Key {
                account: "cn".into(),
                product: "cce",
                id: id.into(),
            },
            cloud: "huawei",
            cloud_region: "cn-north-4".into(),
            name: id.to_owned(),
            version: String::new(),
            version_name: None,
            raw_status: String::new(),
            status_meaning: None,
            available: Vec::new(),
            up: true,
            answered: true,
            last_success: at(60),
            last_error: None,
            poll_interval: Duration::from_secs(30),
            thresholds: Thresholds {
                stalled_after: Duration::from_secs(1800),
                overdue_after: Duration::from_secs(21_600),
                retain_ended: Duration::from_secs(604_800),
            },
            upgrades: Vec::new(),
            degraded: degraded.collect(),
        }
    }

    #[test]
    fn longest_failing_cluster_tells_since_when_and_the_last_one_why() {
        let clusters = [
            failing("1", &[("ListNodes", "server", 20)]),
            failing(
                "2",
                &[
                    ("ListNodes", "permission", 30),
                    ("ListTasks", "timeout", 40),
                ],
            ),
            failing("3", &[("ListNodes", "throttled", 10)]),
            failing("4", &[]),
        ];
        let calls = FailingCall::of(&clusters);
        let told: Vec<_> = calls
            .iter()
            .map(|call| (call.endpoint, call.reason, call.since))
            .collect();
        let want = [
            ("ListNodes", "permission", at(10)),
            ("ListTasks", "timeout", at(40)),
        ];
        assert_eq!(told, want);
    }

    #[test]
    fn reason_that_changed_last_is_told() {
        let mut older = failing("1", &[("ListNodes", "timeout", 10)]);
        older.degraded[0].reason_since = at(50);
        let clusters = [older, failing("2", &[("ListNodes", "permission", 30)])];
        let calls = FailingCall::of(&clusters);
        assert_eq!((calls[0].reason, calls[0].since), ("timeout", at(10)));
    }

    #[test]
    fn accounts_and_products_are_apart() {
        let of = |account: &str, product: &'static str| {
            let mut state = failing("1", &[("ListNodes", "server", 20)]);
            (state.key.account, state.key.product) = (account.into(), product);
            state
        };
        let clusters = [of("cn", "cce"), of("cn", "css"), of("eu", "cce")];
        let calls = FailingCall::of(&clusters);
        let keys: Vec<_> = calls.iter().map(|c| (c.account, c.product)).collect();
        assert_eq!(keys, [("cn", "cce"), ("cn", "css"), ("eu", "cce")]);
    }
}
