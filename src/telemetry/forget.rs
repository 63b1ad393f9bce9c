//! Series of accounts and products that are not in the config any more.

use super::Metrics;
use super::labels::{outcome_labels, product_labels, reason_labels, truncated_labels};
use crate::http::Reason;
use crate::model::UpgradeStatus;
use crate::model::bounds::Truncated;

impl Metrics {
    /// Nothing of this product of an account is asked any more: its series end.
    pub fn forget_product(&self, account: &str, product: &'static str) {
        self.polls.remove(&product_labels(account, product));
        for reason in Reason::ALL {
            let labels = reason_labels(account, product, *reason);
            self.poll_failures.remove(&labels);
        }
        for outcome in UpgradeStatus::ALL {
            let labels = outcome_labels(account, product, *outcome);
            self.upgrades_ended.remove(&labels);
        }
        for what in Truncated::ALL {
            self.truncated
                .remove(&truncated_labels(account, product, *what));
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
}
