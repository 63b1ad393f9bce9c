//! Failing secondary calls of a whole product in an account.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{ClusterState, Reason};

/// Secondary call that fails for at least one cluster of a product in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingCall {
    /// The account's name in the config.
    pub account: Arc<str>,
    /// The product's name.
    pub product: &'static str,
    /// Vendor's name of the call: the label `endpoint`.
    pub endpoint: &'static str,
    /// Value of the label `reason`, of the cluster whose reason changed last.
    pub reason: Reason,
    /// Time of the first failure of the cluster that has failed longest.
    pub since: Timestamp,
}

/// Failing calls of clusters that change one by one.
#[derive(Debug, Default)]
pub struct FailingCalls(BTreeMap<(Arc<str>, &'static str, &'static str), Failures>);

/// Failures of one call, with the ids of the clusters.
#[derive(Debug, Default)]
struct Failures {
    /// By begin.
    begins: BTreeSet<(Timestamp, Arc<str>)>,
    /// By the time since which the reason holds; of those at one time the first cluster is the last entry.
    reasons: BTreeSet<(Timestamp, Reverse<Arc<str>>, Reason)>,
}

impl FailingCalls {
    /// Puts the state of a cluster in the place of the one before; `None` where there is none.
    pub fn replace(&mut self, before: Option<&ClusterState>, now: Option<&ClusterState>) {
        for cluster in before
            .into_iter()
            .filter(|cluster| !cluster.degraded.is_empty())
        {
            self.remove(cluster);
        }
        for cluster in now
            .into_iter()
            .filter(|cluster| !cluster.degraded.is_empty())
        {
            self.add(cluster);
        }
    }

    /// Returns the failing calls by account, product and endpoint.
    pub fn calls(&self) -> impl Iterator<Item = FailingCall> {
        self.0
            .iter()
            .filter_map(|((account, product, endpoint), failures)| {
                let (since, _) = failures.begins.first()?;
                let (_, _, reason) = failures.reasons.last()?;
                Some(FailingCall {
                    account: account.clone(),
                    product,
                    endpoint,
                    reason: *reason,
                    since: *since,
                })
            })
    }

    fn add(&mut self, cluster: &ClusterState) {
        let key = &cluster.key;
        for call in &cluster.degraded {
            let of = (key.account.clone(), key.product, call.endpoint);
            let failures = self.0.entry(of).or_default();
            failures.begins.insert((call.since, key.id.clone()));
            let id = Reverse(key.id.clone());
            failures
                .reasons
                .insert((call.reason_since, id, call.reason));
        }
    }

    fn remove(&mut self, cluster: &ClusterState) {
        let key = &cluster.key;
        for call in &cluster.degraded {
            let of = (key.account.clone(), key.product, call.endpoint);
            let Some(failures) = self.0.get_mut(&of) else {
                continue;
            };
            failures.begins.remove(&(call.since, key.id.clone()));
            let id = Reverse(key.id.clone());
            failures
                .reasons
                .remove(&(call.reason_since, id, call.reason));
            if failures.begins.is_empty() {
                self.0.remove(&of);
            }
        }
    }
}

impl<'a> FromIterator<&'a ClusterState> for FailingCalls {
    fn from_iter<I: IntoIterator<Item = &'a ClusterState>>(clusters: I) -> Self {
        let mut calls = Self::default();
        for cluster in clusters {
            calls.replace(None, Some(cluster));
        }
        calls
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

    fn failing(id: &str, calls: &[(&'static str, Reason, i64)]) -> ClusterState {
        let degraded = calls.iter().map(|(endpoint, reason, since)| Degraded {
            endpoint,
            reason: *reason,
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
            name: id.into(),
            version: "".into(),
            version_name: None,
            raw_status: "".into(),
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
            failing("1", &[("ListNodes", Reason::Server, 20)]),
            failing(
                "2",
                &[
                    ("ListNodes", Reason::Permission, 30),
                    ("ListTasks", Reason::Timeout, 40),
                ],
            ),
            failing("3", &[("ListNodes", Reason::Throttled, 10)]),
            failing("4", &[]),
        ];
        let calls = FailingCalls::from_iter(&clusters)
            .calls()
            .collect::<Vec<_>>();
        let told: Vec<_> = calls
            .iter()
            .map(|call| (call.endpoint, call.reason, call.since))
            .collect();
        let want = [
            ("ListNodes", Reason::Permission, at(10)),
            ("ListTasks", Reason::Timeout, at(40)),
        ];
        assert_eq!(told, want);
    }

    #[test]
    fn reason_that_changed_last_is_told() {
        let mut older = failing("1", &[("ListNodes", Reason::Timeout, 10)]);
        older.degraded[0].reason_since = at(50);
        let clusters = [
            older,
            failing("2", &[("ListNodes", Reason::Permission, 30)]),
        ];
        let calls = FailingCalls::from_iter(&clusters)
            .calls()
            .collect::<Vec<_>>();
        assert_eq!((calls[0].reason, calls[0].since), (Reason::Timeout, at(10)));
    }

    #[test]
    fn accounts_and_products_are_apart() {
        let of = |account: &str, product: &'static str| {
            let mut state = failing("1", &[("ListNodes", Reason::Server, 20)]);
            (state.key.account, state.key.product) = (account.into(), product);
            state
        };
        let clusters = [of("cn", "cce"), of("cn", "css"), of("eu", "cce")];
        let calls = FailingCalls::from_iter(&clusters)
            .calls()
            .collect::<Vec<_>>();
        let keys: Vec<_> = calls.iter().map(|c| (&*c.account, c.product)).collect();
        assert_eq!(keys, [("cn", "cce"), ("cn", "css"), ("eu", "cce")]);
    }

    #[test]
    fn calls_leave_with_the_last_failure() {
        let mut calls = FailingCalls::default();
        let first = failing("1", &[("ListNodes", Reason::Server, 20)]);
        let second = failing("2", &[("ListNodes", Reason::Permission, 30)]);
        calls.replace(None, Some(&first));
        calls.replace(None, Some(&second));
        calls.replace(Some(&first), Some(&failing("1", &[])));
        let told: Vec<_> = calls.calls().map(|c| (c.reason, c.since)).collect();
        assert_eq!(told, [(Reason::Permission, at(30))]);
        calls.replace(Some(&second), None);
        assert_eq!(calls.calls().count(), 0);
        assert!(calls.0.is_empty(), "nothing is kept");
    }
}
