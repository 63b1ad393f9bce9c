//! Series of accounts and products that are not in the config any more.

use super::Metrics;
use super::labels::{
    OnlyAccount, StateLabels, outcome_labels, product_labels, reason_labels, truncated_labels,
};
use crate::http::Reason;
use crate::model::UpgradeStatus;
use crate::model::bounds::Truncated;

/// The states of the family `clusters`.
pub(super) const CLUSTER_STATES: [&str; 2] = ["watched", "inaccessible"];

impl Metrics {
    /// Nothing of this product of an account is asked any more: its series end.
    pub fn forget_product(&self, account: &str, product: &'static str) {
        self.polls.remove(&product_labels(account, product));
        for reason in Reason::ALL {
            let labels = reason_labels(account, product, *reason);
            self.poll_failures.remove(&labels);
            self.failing_since.remove(&labels);
        }
        let mut failing = self.failing.lock();
        failing.remove(&(account.to_owned(), product));
        drop(failing);
        for outcome in UpgradeStatus::ALL {
            let labels = outcome_labels(account, product, *outcome);
            self.upgrades_ended.remove(&labels);
        }
        for what in Truncated::ALL {
            self.truncated
                .remove(&truncated_labels(account, product, *what));
        }
        for state in CLUSTER_STATES {
            let labels = StateLabels {
                account: account.into(),
                product,
                state,
            };
            self.clusters.remove(&labels);
        }
        let mut requests = self.requests.lock();
        requests.retain(|labels| {
            let stays = labels.account.0 != account || labels.product != product;
            if !stays {
                self.api_requests.remove(labels);
            }
            stays
        });
    }

    /// Nothing of this account is asked any more; its products are forgotten already.
    pub fn forget_account(&self, account: &str) {
        self.clock_skew.remove(&OnlyAccount {
            account: account.into(),
        });
        let mut skew = self.skew.lock();
        skew.remove(account);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::telemetry::DISCOVERY;

    #[test]
    fn of_what_is_forgotten_nothing_is_left() {
        let config =
            "accounts: [{name: a, ncloud: {access_key: x, secret_key: x, ses: {}, cdss: {}}}]";
        let config = crate::config::parse(config, Path::new("."), &|_| None).unwrap();
        let metrics = Metrics::new();
        for product in &config.accounts[0].products {
            let name = product.product.name;
            metrics.announce(&config.accounts[0], product.product);
            metrics.clusters("a", name, 3, 1);
            metrics.api_request("a", name, "getClusters", "503");
            metrics.upgrade_ended("a", name, UpgradeStatus::Failed);
            metrics.truncated("a", name, Truncated::Nodes);
            let outcome = Err(Reason::Auth);
            let at = Timestamp::UNIX_EPOCH;
            metrics.poll(("a", name, DISCOVERY), Duration::ZERO, outcome, at);
        }
        metrics.clock_skew("a", 90.0);
        metrics.forget_product("a", "ses");
        let text = metrics.encode();
        assert!(!text.contains("account=\"a\",product=\"ses\""), "{text}");
        assert_eq!(metrics.own().failing.len(), 1, "the other product's");
        let stays = "api_requests_total{account=\"a\",product=\"cdss\",endpoint=\"getClusters\",code=\"503\"} 1";
        assert!(text.contains(stays), "{text}");
        metrics.forget_product("a", "cdss");
        metrics.forget_account("a");
        let text = metrics.encode();
        assert!(!text.contains("account=\"a\""), "{text}");
        assert!(metrics.own().clock_skew.is_empty());
    }
}
