//! What a new config leaves as it was. Pure.

use std::fmt;
use std::sync::Arc;

use crate::config::{Account, ProductConfig};

/// Whether two accounts are in the same place at the vendor: there a cluster's id names the same
/// cluster, so that what is known of it stays true.
pub(super) fn is_same_place(one: &Account, other: &Account) -> bool {
    one.cloud.is_same_location(&*other.cloud)
}

/// Returns for each new account the place of the one before that it follows, if there is one: that of its
/// name in its location, else another of its name.
pub(super) fn pair(before: &[&Account], after: &[Arc<Account>]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; after.len()];
    for follows in [is_same_place, |_: &Account, _: &Account| true] {
        for (next, account) in after.iter().enumerate() {
            let is_free = |place: usize| !pairs.contains(&Some(place));
            let mut places = before.iter().enumerate();
            let found = places.find(|(place, old)| {
                is_free(*place) && old.name == account.name && follows(old, account)
            });
            if let Some(pair) = pairs.get_mut(next).filter(|pair| pair.is_none()) {
                *pair = found.map(|(place, _)| place);
            }
        }
    }
    pairs
}

/// Whether calls of two accounts go the same way, with the same credentials and limits.
pub(super) fn is_same_way(one: &Account, other: &Account) -> bool {
    let limits = |account: &Account| {
        let polling = account.polling;
        (
            polling.timeout,
            polling.max_concurrency,
            // Compared as they were written.
            polling.rate_limit.to_bits(),
        )
    };
    *one.cloud == *other.cloud
        && limits(one) == limits(other)
        && one.ca_file == other.ca_file
        && one.proxy_url == other.proxy_url
        // An account without any https needs no CAs.
        && one.is_plain_http() == other.is_plain_http()
}

/// Whether a product is asked at the same address in the same way.
pub(super) fn is_same_service(one: &ProductConfig, other: &ProductConfig) -> bool {
    one.endpoint == other.endpoint && one.settings == other.settings
}

/// Whether the same clusters are chosen.
pub(super) fn is_same_choice(one: &ProductConfig, other: &ProductConfig) -> bool {
    one.clusters == other.clusters && one.include == other.include && one.exclude == other.exclude
}

/// How many of a kind came, went, and are not as they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// New ones.
    pub added: usize,
    /// Those that are not there any more.
    pub removed: usize,
    /// Those with other settings.
    pub changed: usize,
}

/// What a new config changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Accounts.
    pub accounts: Tally,
    /// Clusters that were watched, or are known already and now watched; others are found later.
    pub clusters: Tally,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            added,
            removed,
            changed,
        } = self;
        write!(f, "{added} added, {removed} removed, {changed} changed")
    }
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.added += other.added;
        self.removed += other.removed;
        self.changed += other.changed;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clouds::CLOUDS;

    fn account(text: &str) -> Account {
        let text = format!("accounts: [{{name: a, {text}}}]");
        let config = crate::config::parse(CLOUDS, &text, Path::new("."), &|_| None);
        config.unwrap().accounts.remove(0)
    }

    #[test]
    fn a_place_is_where_ids_mean_the_same() {
        let same = |one: &str, other: &str| is_same_place(&account(one), &account(other));
        let keys = "ncloud: {access_key: x, secret_key: x, ses: {}}";
        assert!(same(
            keys,
            "ncloud: {access_key: y, secret_key: y, cdss: {}}"
        ));
        assert!(!same(
            keys,
            "ncloud: {region: SGN, access_key: x, secret_key: x, ses: {}}"
        ));
        let huawei = |project| {
            format!(
                "huawei: {{region: r, project_id: {project}, access_key: x, secret_key: x, css: {{}}}}"
            )
        };
        assert!(!same(keys, &huawei("p")));
        assert!(same(&huawei("p"), &huawei("p")));
        assert!(!same(&huawei("p"), &huawei("q")));
    }

    #[test]
    fn a_way_is_everything_that_calls_depend_on() {
        let same = |one: &str, other: &str| is_same_way(&account(one), &account(other));
        let usual = "ncloud: {access_key: x, secret_key: x, ses: {}}";
        assert!(same(
            usual,
            "ncloud: {access_key: x, secret_key: x, ses: {stalled_after: 1h}, cdss: {}}"
        ));
        assert!(same(
            usual,
            &format!("polling: {{idle_interval: 1h}}, {usual}")
        ));
        for other in [
            "ncloud: {access_key: x, secret_key: y, ses: {}}",
            "ncloud: {access_key: x, secret_key: x, ses: {}, proxy_url: 'http://p:1'}",
            "ncloud: {access_key: x, secret_key: x, ses: {endpoint: 'http://127.0.0.1:1'}}",
            "ncloud: {access_key: x, secret_key: x, time_zone: '+00:00', ses: {}}",
            "polling: {timeout: 1s}, ncloud: {access_key: x, secret_key: x, ses: {}}",
            "polling: {rate_limit: 1}, ncloud: {access_key: x, secret_key: x, ses: {}}",
        ] {
            assert!(!same(usual, other), "{other}");
        }
    }
}
