//! Which clusters somebody asks for: the query of `/` and of `/api/v1/upgrades`.

use url::form_urlencoded;

use super::{Attention, ClusterReport, Report, UpgradeReport};
use crate::model::UpgradeStatus;

/// What to leave in a [`Report`]. Values of one kind are alternatives, kinds add up, and what is
/// empty leaves all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names of accounts.
    pub accounts: Vec<String>,
    /// Names of products.
    pub products: Vec<String>,
    /// States, one of which the upgrade or the cluster without one must have.
    pub states: Vec<StateFilter>,
    /// Words that must all be there, in any case, in names, ids, versions, errors or other texts of the
    /// vendor.
    pub text: String,
}

/// Why a query cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Nothing has this name.
    #[error("no parameter {0:?}; there are account, product, state and q")]
    Parameter(String),
    /// Nothing can be in this state.
    #[error("no state {word:?}; there are {known}", known = states().join(", "))]
    State {
        /// What was asked for.
        word: String,
    },
    /// There is no such product.
    #[error("no product {word:?}; there are {known}")]
    Product {
        /// Those that there are.
        known: String,
        /// What was asked for.
        word: String,
    },
}

/// State that a query asks for. A word of both is the page's: `running` is not stalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateFilter {
    /// Part of the page.
    Attention(Attention),
    /// State of an upgrade, which is finer.
    Status(UpgradeStatus),
}

impl StateFilter {
    /// Returns every state: the parts of the page, which every upgrade has one of, then the states of
    /// upgrades with other words.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<_> = Attention::ALL.map(Self::Attention).to_vec();
        for status in UpgradeStatus::ALL {
            if all.iter().all(|state| state.as_str() != status.as_str()) {
                all.push(Self::Status(*status));
            }
        }
        all
    }

    /// Returns the word in a query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attention(attention) => attention.as_str(),
            Self::Status(status) => status.as_str(),
        }
    }

    fn read(word: &str) -> Option<Self> {
        Self::all().into_iter().find(|state| state.as_str() == word)
    }

    fn matches(self, cluster: &ClusterReport, upgrade: Option<&UpgradeReport>) -> bool {
        match self {
            Self::Attention(attention) => attention == Attention::of(cluster, upgrade),
            Self::Status(status) => match upgrade {
                Some(upgrade) => upgrade.status == status,
                None => cluster.last_success.is_some() && status == UpgradeStatus::None,
            },
        }
    }
}

/// Returns every word that `state` takes.
pub fn states() -> Vec<&'static str> {
    StateFilter::all()
        .into_iter()
        .map(StateFilter::as_str)
        .collect()
}

impl Filter {
    /// Reads the query of an address to a report of these products, and returns all that is wrong with it
    /// beside what is right.
    /// Empty values, which forms send, ask for nothing.
    pub fn parse(query: &str, products: &[&str]) -> (Self, Vec<FilterError>) {
        let mut filter = Self::default();
        let mut wrong = Vec::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            match &*key {
                "account" => add(&mut filter.accounts, value),
                "product" if value.is_empty() || products.contains(&value) => {
                    add(&mut filter.products, value);
                }
                "product" => wrong.push(FilterError::Product {
                    known: products.join(", "),
                    word: value.into(),
                }),
                "state" => match StateFilter::read(value) {
                    Some(state) if filter.states.contains(&state) => {}
                    Some(state) => filter.states.push(state),
                    None if value.is_empty() => {}
                    None => wrong.push(FilterError::State { word: value.into() }),
                },
                "q" => {
                    if !filter.text.is_empty() && !value.is_empty() {
                        filter.text.push(' ');
                    }
                    filter.text.push_str(value);
                }
                _ => wrong.push(FilterError::Parameter(key.into_owned())),
            }
        }
        (filter, wrong)
    }

    /// As the query of an address; empty when it leaves all.
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (key, values) in [("account", &self.accounts), ("product", &self.products)] {
            query.extend_pairs(values.iter().map(|value| (key, value)));
        }
        query.extend_pairs(self.states.iter().map(|state| ("state", state.as_str())));
        if !self.text.is_empty() {
            query.append_pair("q", &self.text);
        }
        query.finish()
    }

    /// Whether it leaves all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Leaves what is asked for: a cluster stays with those of its upgrades that match.
    pub fn apply(&self, report: &mut Report) {
        if self.is_empty() {
            return;
        }
        report
            .products
            .retain(|p| self.takes(&p.account, &p.product));
        let words: Vec<String> = self
            .text
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        report.clusters.retain_mut(|cluster| {
            if !self.takes(&cluster.account, &cluster.product) {
                return false;
            }
            if cluster.upgrades.is_empty() {
                return self.matches(cluster, None, &words);
            }
            let upgrades = std::mem::take(&mut cluster.upgrades);
            let kept = upgrades
                .into_iter()
                .filter(|upgrade| self.matches(cluster, Some(upgrade), &words))
                .collect();
            cluster.upgrades = kept;
            !cluster.upgrades.is_empty()
        });
    }

    fn takes(&self, account: &str, product: &str) -> bool {
        holds(&self.accounts, account) && holds(&self.products, product)
    }

    fn matches(
        &self,
        cluster: &ClusterReport,
        upgrade: Option<&UpgradeReport>,
        words: &[String],
    ) -> bool {
        let state = self.states.is_empty()
            || self
                .states
                .iter()
                .any(|state| state.matches(cluster, upgrade));
        state && (words.is_empty() || says(cluster, upgrade, words))
    }
}

fn add(values: &mut Vec<String>, value: &str) {
    if !value.is_empty() && !values.iter().any(|known| known == value) {
        values.push(value.to_owned());
    }
}

fn holds(wanted: &[String], value: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|word| word == value)
}

/// Whether each word is somewhere in what people know the cluster or its upgrade by.
fn says(cluster: &ClusterReport, upgrade: Option<&UpgradeReport>, words: &[String]) -> bool {
    let mut texts: Vec<&str> = vec![
        &cluster.cluster_name,
        &cluster.cluster_id,
        &cluster.account,
        &cluster.product,
        &cluster.cloud_region,
        &cluster.version,
        &cluster.raw_status,
    ];
    let of_cluster = [&cluster.version_name, &cluster.status_meaning];
    texts.extend(of_cluster.into_iter().flatten().map(String::as_str));
    let offers = &cluster.available_versions;
    texts.extend(offers.iter().map(|offer| offer.version.as_str()));
    if let Some(error) = &cluster.last_error {
        texts.extend([error.reason.as_str(), &error.message]);
    }
    for call in &cluster.degraded {
        texts.extend([call.endpoint.as_str(), call.reason.as_str(), &call.message]);
        texts.extend(["degraded", &call.missing, &call.permission]);
    }
    if let Some(upgrade) = upgrade {
        let told = [
            &upgrade.upgrade_id,
            &upgrade.from_version,
            &upgrade.to_version,
            &upgrade.from_version_name,
            &upgrade.to_version_name,
            &upgrade.reason,
            &upgrade.agency,
        ];
        texts.extend(told.into_iter().flatten().map(String::as_str));
        for node in &upgrade.nodes {
            texts.extend([node.node.as_str(), &node.raw_status]);
        }
        for task in &upgrade.tasks {
            texts.push(&task.task);
            texts.extend(task.description.as_deref());
        }
        for finding in upgrade.precheck.iter().flat_map(|check| &check.findings) {
            texts.extend([finding.target.as_str(), &finding.item, &finding.message]);
            texts.extend(finding.codes.iter().map(String::as_str));
        }
    }
    let texts: Vec<String> = texts.into_iter().map(str::to_lowercase).collect();
    words
        .iter()
        .all(|word| texts.iter().any(|text| text.contains(word.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    const PRODUCTS: &[&str] = &["ses", "cdss", "css", "cce"];

    fn report() -> Report {
        let golden = include_str!("../../tests/data/api/upgrades.json");
        let mut report: Report = serde_json::from_str(golden).unwrap();
        let running = report.clusters.remove(0);
        let other = |name: &str, change: &dyn Fn(&mut ClusterReport)| {
            let mut cluster = running.clone();
            cluster.cluster_name = name.to_owned();
            change(&mut cluster);
            cluster
        };
        report.clusters = vec![
            other("검색-Logs", &|_| {}),
            other("stalled", &|c| c.upgrades[0].stalled = true),
            other("partly", &|c| {
                c.upgrades[0].status = UpgradeStatus::PartiallyFailed.into();
            }),
            other("two", &|c| {
                let mut move_ = c.upgrades[0].clone();
                (move_.kind, move_.status) =
                    (Kind::AzMigration.into(), UpgradeStatus::Succeeded.into());
                move_.upgrade_id = Some("the-move".into());
                c.upgrades.push(move_);
            }),
            other("paused", &|c| {
                c.upgrades[0].status = UpgradeStatus::Paused.into()
            }),
            other("idle", &|c| {
                c.upgrades.clear();
                c.available_versions.clear();
            }),
            other("new", &|c| {
                c.upgrades.clear();
                c.available_versions.clear();
                (c.up, c.last_success) = (false, None);
                c.last_error = report.products[0].last_error.clone();
            }),
            other("events", &|c| {
                (c.account, c.product) = ("kr-prod".into(), "cdss".into());
                c.status_meaning = Some("unavailable".into());
                c.available_versions[0].version = "v1.31.1-r0".into();
                let upgrade = &mut c.upgrades[0];
                upgrade.to_version_name = Some("OpenSearch 2.14.0".into());
                upgrade.reason = Some("no quota".into());
                upgrade.tasks[0].description = Some("The disk moves.".into());
                let findings = &mut upgrade.precheck.as_mut().unwrap().findings;
                findings[0].codes = vec!["CCE.01400017".into()];
            }),
        ];
        report
    }

    /// The names of what a query leaves, with the kinds of their upgrades.
    fn left(query: &str) -> Vec<String> {
        let (filter, wrong) = Filter::parse(query, PRODUCTS);
        assert_eq!(wrong, [], "{query}");
        let mut report = report();
        filter.apply(&mut report);
        let told = |cluster: &ClusterReport| {
            let kinds: Vec<_> = cluster.upgrades.iter().map(|u| u.kind.as_str()).collect();
            format!("{} {}", cluster.cluster_name, kinds.join(" "))
        };
        report.clusters.iter().map(told).collect()
    }

    #[test]
    fn an_empty_query_leaves_all() {
        assert_eq!(left("").len(), 8);
        assert_eq!(left("account=&product=&state=&q=").len(), 8);
        assert_eq!(left("q=+%20").len(), 8);
    }

    #[test]
    fn values_of_one_kind_are_alternatives_and_kinds_add_up() {
        assert_eq!(left("account=kr-prod"), ["events version"]);
        assert_eq!(left("account=kr-prod&account=cn-prod").len(), 8);
        assert_eq!(left("account=kr-prod&product=css").len(), 0);
        assert_eq!(left("account=nobody").len(), 0);
        assert_eq!(left("product=cdss&product=css&state=idle"), ["idle "]);
    }

    #[test]
    fn a_state_is_the_pages_word_or_a_finer_one() {
        let running = [
            "검색-Logs version",
            "two version",
            "paused version",
            "events version",
        ];
        assert_eq!(left("state=running"), running);
        assert_eq!(left("state=stalled"), ["stalled version"]);
        assert_eq!(left("state=failed"), ["partly version"]);
        assert_eq!(left("state=partially_failed"), ["partly version"]);
        assert_eq!(left("state=ended"), ["two az_migration"]);
        assert_eq!(left("state=succeeded"), ["two az_migration"]);
        assert_eq!(left("state=paused"), ["paused version"]);
        assert_eq!(left("state=silent"), ["new "]);
        assert_eq!(left("state=none"), ["idle "], "of a new one nobody knows");
        assert_eq!(left("state=silent&state=idle"), ["idle ", "new "]);
    }

    #[test]
    fn text_is_looked_for_in_any_case_and_every_word_counts() {
        assert_eq!(left("q=LOGS"), ["검색-Logs version"]);
        assert_eq!(left("q=%EA%B2%80%EC%83%89"), ["검색-Logs version"]);
        assert_eq!(left("q=The-Move"), ["two az_migration"]);
        assert_eq!(left("q=too+many+CALLS"), ["new "]);
        assert_eq!(left("q=cdss+n-2"), ["events version"]);
        assert_eq!(left("q=cdss+nothing").len(), 0);
        assert_eq!(left("q=7.10.2").len(), 6);
        assert_eq!(left("q=two&q=move"), ["two az_migration"]);
    }

    #[test]
    fn text_is_looked_for_in_what_vendors_tell() {
        for words in [
            "unavailable",
            "1.31.1",
            "opensearch+2.14",
            "quota",
            "disk",
            "01400017",
        ] {
            assert_eq!(left(&format!("q={words}")), ["events version"], "{words}");
        }
        assert_eq!(left("q=coredns").len(), 6);
        assert_eq!(left("q=css_agency").len(), 6);
    }

    #[test]
    fn the_entries_of_products_follow_account_and_product_alone() {
        let products = |query: &str| {
            let mut report = report();
            Filter::parse(query, PRODUCTS).0.apply(&mut report);
            report.products.len()
        };
        assert_eq!(products("state=failed&q=nothing"), 1);
        assert_eq!(products("account=kr-prod"), 0);
    }

    #[test]
    fn says_what_is_wrong_with_a_query() {
        let (filter, wrong) =
            Filter::parse("acount=a&state=Failed&product=es&state=failed", PRODUCTS);
        let told: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "no parameter \"acount\"; there are account, product, state and q",
                "no state \"Failed\"; there are failed, stalled, silent, running, ended, idle, none, \
                 pending, paused, succeeded, partially_failed, cancelled, unknown",
                "no product \"es\"; there are ses, cdss, css, cce",
            ]
        );
        assert_eq!(filter.states, [StateFilter::Attention(Attention::Failed)]);
    }

    #[test]
    fn a_filter_survives_its_way_through_an_address() {
        let text = "account=a%26b&product=ses&state=failed&state=stalled&q=%ED%95%9C%20x";
        let (filter, wrong) = Filter::parse(text, PRODUCTS);
        assert_eq!(wrong, []);
        assert_eq!(Filter::parse(&filter.query(), PRODUCTS), (filter, wrong));
        assert_eq!(Filter::default().query(), "");
    }
}
