//! What the first round of polls says about one product of an account, in sentences. Pure.

use std::collections::BTreeMap;

use crate::cloud::{self, Clouds};
use crate::model::Reason;
use crate::report::{Attention, ClusterReport, ErrorReport, ProductReport, Report};

/// One product of an account.
#[derive(Debug)]
pub(super) struct Round<'a> {
    pub(super) account: &'a str,
    pub(super) product: &'a str,
    /// Permissions that its calls take.
    permission: Option<&'static str>,
    report: &'a ProductReport,
    clusters: Vec<&'a ClusterReport>,
}

/// Every product of every account.
pub(super) fn rounds(report: &Report, clouds: Clouds) -> Vec<Round<'_>> {
    let of = |product: &ProductReport| {
        let is_of =
            |c: &&ClusterReport| c.account == product.account && c.product == product.product;
        report.clusters.iter().filter(is_of).collect()
    };
    let products = report.products.iter();
    products
        .map(|product| Round {
            account: &product.account,
            product: &product.product,
            permission: cloud::product(clouds, &product.product).map(|p| p.info().permission),
            report: product,
            clusters: of(product),
        })
        .collect()
}

impl Round<'_> {
    /// For instance `3 clusters watched; upgrades: 1 running, 1 stalled, 0 failed`.
    pub(super) fn found(&self) -> String {
        let watched = count(self.clusters.len() as u64, "cluster");
        let how_many = |attention| {
            let upgrades = self.clusters.iter().flat_map(|cluster| {
                let upgrades = cluster.upgrades.iter();
                upgrades.map(|upgrade| Attention::of(cluster, Some(upgrade)))
            });
            upgrades.filter(|found| *found == attention).count()
        };
        format!(
            "{watched} watched; upgrades: {} running, {} stalled, {} failed",
            how_many(Attention::Running),
            how_many(Attention::Stalled),
            how_many(Attention::Failed)
        )
    }

    /// What is wrong, each with its reason and what to do.
    pub(super) fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        if let Some(error) = &self.report.last_error {
            let why = self.why(error);
            troubles.push(format!("The clusters could not be listed: {why}"));
        }
        // The same reason often holds for all of them: the first one speaks for it.
        let mut silent: BTreeMap<&str, Vec<(&ClusterReport, &ErrorReport)>> = BTreeMap::new();
        for cluster in &self.clusters {
            if let Some(error) = &cluster.last_error {
                let same = silent.entry(error.reason.as_str()).or_default();
                same.push((cluster, error));
            }
        }
        for failures in silent.values() {
            let Some((cluster, error)) = failures.first() else {
                continue;
            };
            let others = match failures.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let (id, why) = (&cluster.cluster_id, self.why(error));
            troubles.push(format!("No answer for cluster {id}{others}: {why}"));
        }
        if self.report.inaccessible > 0 {
            let what = count(self.report.inaccessible, "cluster");
            let needs = self.needs();
            troubles.push(format!(
                "Not watched, since they may not be read: {what}.{needs}"
            ));
        }
        if self.clusters.is_empty() && troubles.is_empty() {
            troubles.push(
                "Nothing is watched: no cluster is there, or none is chosen; check --live tells which."
                    .to_owned(),
            );
        }
        troubles
    }

    fn why(&self, error: &ErrorReport) -> String {
        let needs = if error.reason == Reason::Permission {
            self.needs()
        } else {
            String::new()
        };
        format!("{}, {}.{needs}", error.reason.as_str(), error.message)
    }

    fn needs(&self) -> String {
        let needs = |permission| format!(" It needs {permission}.");
        self.permission.map_or_else(String::new, needs)
    }
}

fn count(number: u64, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UpgradeStatus;

    /// A document of one product with one cluster that runs an upgrade.
    fn report() -> Report {
        let golden = include_str!("../../../tests/data/api/upgrades.json");
        let mut report: Report = serde_json::from_str(golden).unwrap();
        report.clusters.truncate(1);
        let cluster = &mut report.clusters[0];
        (cluster.up, cluster.last_error) = (true, None);
        let of = |p: &ProductReport| p.account == cluster.account && p.product == cluster.product;
        report.products.retain(of);
        let product = &mut report.products[0];
        (product.last_error, product.inaccessible) = (None, 0);
        report
    }

    fn error(reason: Reason) -> ErrorReport {
        ErrorReport {
            reason: reason.into(),
            message: "listClusters: it says no (HTTP 403)".to_owned(),
            at: "2026-11-28T12:00:00Z".parse().unwrap(),
        }
    }

    fn told(report: &Report) -> (String, Vec<String>) {
        let rounds = rounds(report, crate::clouds::CLOUDS);
        assert_eq!(rounds.len(), 1);
        (rounds[0].found(), rounds[0].troubles())
    }

    #[test]
    fn counts_upgrades_by_what_matters() {
        let mut report = report();
        let add = |report: &mut Report, status: UpgradeStatus, stalled: bool| {
            let mut cluster = report.clusters[0].clone();
            cluster.upgrades.truncate(1);
            cluster.upgrades[0].nodes.clear();
            cluster.upgrades[0].status = status.into();
            cluster.upgrades[0].stalled = stalled;
            report.clusters.push(cluster);
        };
        for (status, stalled) in [
            (UpgradeStatus::Running, false),
            (UpgradeStatus::Paused, false),
            (UpgradeStatus::Running, true),
            (UpgradeStatus::Failed, false),
            (UpgradeStatus::PartiallyFailed, false),
            (UpgradeStatus::Succeeded, false),
        ] {
            add(&mut report, status, stalled);
        }
        report.clusters.remove(0);
        let mut other = report.clusters[0].clone();
        other.account = "other".to_owned();
        report.clusters.push(other);
        assert_eq!(
            told(&report),
            (
                "6 clusters watched; upgrades: 2 running, 1 stalled, 2 failed".to_owned(),
                vec![]
            )
        );
    }

    #[test]
    fn what_fails_is_told_once_with_its_remedy() {
        let mut report = report();
        report.products[0].last_error = Some(error(Reason::Permission));
        report.clusters[0].last_error = Some(error(Reason::Timeout));
        let second = report.clusters[0].clone();
        report.clusters.push(second);
        let (_, troubles) = told(&report);
        assert_eq!(troubles.len(), 2, "{troubles:?}");
        let says = "listClusters: it says no (HTTP 403).";
        let permission = format!("The clusters could not be listed: permission, {says} It needs ");
        assert!(troubles[0].starts_with(&permission), "{troubles:?}");
        let id = &report.clusters[0].cluster_id;
        assert_eq!(
            troubles[1],
            format!("No answer for cluster {id} and 1 more: timeout, {says}")
        );
    }

    #[test]
    fn what_may_not_be_read_and_an_empty_product_are_told() {
        let mut report = report();
        report.clusters.clear();
        let (found, troubles) = told(&report);
        assert!(found.starts_with("0 clusters watched;"), "{found}");
        assert!(
            troubles[0].starts_with("Nothing is watched: "),
            "{troubles:?}"
        );
        report.products[0].inaccessible = 2;
        let (_, troubles) = told(&report);
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        assert!(
            troubles[0]
                .starts_with("Not watched, since they may not be read: 2 clusters. It needs "),
            "{troubles:?}"
        );
    }
}
