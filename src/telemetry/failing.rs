//! What fails now, why and since when: the family `failing_since_timestamp_seconds`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::labels::reason_labels;
use super::{Metrics, seconds};
use crate::alert::Failing;
use crate::http::Reason;
use crate::model::shifted;

/// By account and product: which clusters (or the discovery) fail now, why, and since when.
pub(super) type Sources = BTreeMap<(String, &'static str), BTreeMap<String, (Reason, Timestamp)>>;

impl Metrics {
    /// A cluster, or the discovery, is not asked any more.
    pub fn forget(&self, account: &str, product: &'static str, source: &str) {
        self.set_failing((account, product, source), None, Timestamp::UNIX_EPOCH);
    }

    pub(super) fn set_failing(
        &self,
        (account, product, source): (&str, &'static str, &str),
        reason: Option<Reason>,
        now: Timestamp,
    ) {
        let mut failing = self.failing.lock();
        let sources = failing.entry((account.to_owned(), product)).or_default();
        let before = sources.get(source).map(|(reason, _)| *reason);
        if before == reason {
            return;
        }
        match reason {
            Some(reason) => sources.insert(source.to_owned(), (reason, now)),
            None => sources.remove(source),
        };
        for changed in [before, reason].into_iter().flatten() {
            let labels = reason_labels(account, product, changed);
            match since(sources, changed) {
                Some(at) => {
                    self.failing_since
                        .get_or_create_owned(&labels)
                        .set(seconds(at));
                }
                None => {
                    self.failing_since.remove(&labels);
                }
            }
        }
    }

    /// Shifts since when polls of an account fail by a step of its vendor's clock.
    pub fn shift_failing(&self, account: &str, by: SignedDuration) {
        let mut failing = self.failing.lock();
        let of_account = failing.iter_mut().filter(|((name, _), _)| name == account);
        for ((_, product), sources) in of_account {
            for (_, at) in sources.values_mut() {
                *at = shifted(*at, by);
            }
            for reason in Reason::ALL {
                if let Some(at) = since(sources, *reason) {
                    self.failing_since
                        .get_or_create_owned(&reason_labels(account, product, *reason))
                        .set(seconds(at));
                }
            }
        }
    }

    /// What the family `failing_since_timestamp_seconds` shows.
    pub(super) fn failing(&self) -> Vec<Failing> {
        let failing = self.failing.lock();
        failing
            .iter()
            .flat_map(|((account, product), sources)| {
                Reason::ALL.iter().filter_map(|reason| {
                    Some(Failing {
                        account: account.clone(),
                        product,
                        reason: *reason,
                        since: since(sources, *reason)?,
                    })
                })
            })
            .collect()
    }
}

/// Since when the longest failing source fails for this reason.
fn since(sources: &BTreeMap<String, (Reason, Timestamp)>, reason: Reason) -> Option<Timestamp> {
    let since = sources.values().filter(|(r, _)| *r == reason);
    since.map(|(_, at)| *at).min()
}
