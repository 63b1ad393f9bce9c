//! Query of the history's page and API.

use url::form_urlencoded;

use crate::model::{PastUpgrade, UpgradeStatus};
use crate::poll::select;
use crate::report::FilterError;
use crate::report::filter::add;

/// States in which an upgrade ends.
pub const OUTCOMES: [UpgradeStatus; 4] = [
    UpgradeStatus::Succeeded,
    UpgradeStatus::Failed,
    UpgradeStatus::PartiallyFailed,
    UpgradeStatus::Cancelled,
];

/// Names of the parameters.
const PARAMETERS: &str = "account, product, cluster, outcome and limit";

/// Upgrades of the history that a client asks for. Values of one kind are alternatives, kinds add up, and
/// an empty kind leaves all. In names and ids each `*` stands for any text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Names of accounts.
    pub accounts: Vec<String>,
    /// Names of products.
    pub products: Vec<String>,
    /// Ids or names of clusters.
    pub clusters: Vec<String>,
    /// States at the end.
    pub outcomes: Vec<UpgradeStatus>,
    /// Most upgrades to return; `None` for all that match.
    pub limit: Option<usize>,
    /// Number of matching upgrades to leave out, those that ended last; no part of a query.
    pub skip: usize,
}

impl HistoryFilter {
    /// Most upgrades that a query may ask for.
    pub const MOST: usize = 10_000;

    /// Builds the filter that leaves the upgrades of one cluster.
    pub fn of(account: &str, product: &str, cluster_id: &str) -> Self {
        Self {
            accounts: vec![account.to_owned()],
            products: vec![product.to_owned()],
            clusters: vec![cluster_id.to_owned()],
            ..Self::default()
        }
    }

    /// Parses the query of an address for these products, and returns all that is wrong with it beside
    /// the rest. Empty values, which forms send, ask for nothing.
    pub fn parse(query: &str, products: &[&str]) -> (Self, Vec<FilterError>) {
        let mut filter = Self::default();
        let mut wrong = Vec::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            let word = || value.to_owned();
            match &*key {
                "account" => add(&mut filter.accounts, value),
                "cluster" => add(&mut filter.clusters, value),
                "product" if is_product(value, products) => add(&mut filter.products, value),
                "product" => wrong.push(FilterError::product(value, products)),
                "outcome" => match OUTCOMES.iter().find(|outcome| outcome.as_str() == value) {
                    Some(outcome) if filter.outcomes.contains(outcome) => {}
                    Some(outcome) => filter.outcomes.push(*outcome),
                    None if value.is_empty() => {}
                    None => wrong.push(FilterError::Outcome { word: word() }),
                },
                "limit" => match value.parse() {
                    Ok(limit @ 1..=Self::MOST) => filter.limit = Some(limit),
                    _ if value.is_empty() => {}
                    _ => wrong.push(FilterError::Limit { word: word() }),
                },
                _ => wrong.push(FilterError::Parameter {
                    known: PARAMETERS,
                    word: key.into_owned(),
                }),
            }
        }
        (filter, wrong)
    }

    /// Builds the query of an address; empty when the filter leaves all.
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (key, values) in [
            ("account", &self.accounts),
            ("product", &self.products),
            ("cluster", &self.clusters),
        ] {
            query.extend_pairs(values.iter().map(|value| (key, value)));
        }
        let outcomes = self.outcomes.iter();
        query.extend_pairs(outcomes.map(|outcome| ("outcome", outcome.as_str())));
        if let Some(limit) = self.limit {
            query.append_pair("limit", &limit.to_string());
        }
        query.finish()
    }

    /// Returns whether every upgrade matches.
    pub fn is_empty(&self) -> bool {
        let names = [&self.accounts, &self.products, &self.clusters];
        self.outcomes.is_empty() && names.into_iter().all(Vec::is_empty)
    }

    /// Returns whether an upgrade matches.
    pub fn matches(&self, past: &PastUpgrade) -> bool {
        let cluster = &past.key.cluster;
        is_one_of(&self.accounts, &cluster.account)
            && is_one_of(&self.products, &cluster.product)
            && select::is_among(&self.clusters, &cluster.cluster_id, &past.cluster_name)
            && (self.outcomes.is_empty() || self.outcomes.contains(&past.outcome()))
    }
}

fn is_product(pattern: &str, products: &[&str]) -> bool {
    pattern.is_empty() || products.iter().any(|name| select::glob(pattern, name))
}

fn is_one_of(patterns: &[String], word: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| select::glob(pattern, word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::history::tests::past;

    const PRODUCTS: &[&str] = &["ses", "css"];

    fn parse(query: &str) -> HistoryFilter {
        let (filter, wrong) = HistoryFilter::parse(query, PRODUCTS);
        assert_eq!(wrong, [], "{query}");
        filter
    }

    #[test]
    fn kinds_add_up_and_values_are_alternatives() {
        let past = past("c1", 0, 60, 1);
        for (query, matches) in [
            ("", true),
            ("account=&product=&cluster=&outcome=&limit=", true),
            ("account=kr&product=ses", true),
            ("account=cn", false),
            ("account=k*&product=*s", true),
            ("product=css", false),
            ("cluster=c1", true),
            ("cluster=c", false),
            ("cluster=x&cluster=name-*", true),
            ("outcome=succeeded&outcome=failed", true),
            ("outcome=failed&cluster=c1", false),
        ] {
            assert_eq!(parse(query).matches(&past), matches, "{query}");
        }
    }

    #[test]
    fn query_survives_the_way_through_an_address() {
        let filter = HistoryFilter {
            accounts: vec!["a b&c=d".to_owned(), "검색".to_owned()],
            products: vec!["ses".to_owned()],
            clusters: vec!["*-#1".to_owned()],
            outcomes: vec![UpgradeStatus::PartiallyFailed],
            limit: Some(10_000),
            skip: 0,
        };
        assert_eq!(parse(&filter.query()), filter);
        assert!(!filter.is_empty());
        assert_eq!(parse("").query(), "");
        assert!(parse("limit=3").is_empty());
    }

    #[test]
    fn says_all_that_is_wrong_beside_what_is_right() {
        let query =
            "product=cce&outcome=running&limit=0&limit=10001&limit=x&state=failed&account=kr";
        let (filter, wrong) = HistoryFilter::parse(query, PRODUCTS);
        assert_eq!(filter.accounts, ["kr"]);
        let texts: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                r#"no product "cce"; there are ses, css"#,
                r#"no outcome "running"; there are succeeded, failed, partially_failed, cancelled"#,
                r#"limit "0" is not a number from 1 to 10000"#,
                r#"limit "10001" is not a number from 1 to 10000"#,
                r#"limit "x" is not a number from 1 to 10000"#,
                r#"no parameter "state"; there are account, product, cluster, outcome and limit"#,
            ]
        );
    }

    #[test]
    fn every_final_state_is_an_outcome() {
        for status in UpgradeStatus::ALL {
            assert_eq!(OUTCOMES.contains(status), status.is_final(), "{status:?}");
        }
    }
}
