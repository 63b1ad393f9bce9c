//! Which clusters somebody asks for: the query of `/` and of `/api/v1/upgrades`.

use url::form_urlencoded;

use super::{Attention, ClusterReport, OUTCOMES, Report, UpgradeReport};
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
    #[error("no parameter {word:?}; there are {known}")]
    Parameter {
        /// Those that there are.
        known: &'static str,
        /// Value in the query.
        word: String,
    },
    /// Nothing can be in this state.
    #[error("no state {word:?}; there are {known}", known = states().join(", "))]
    State {
        /// Value in the query.
        word: String,
    },
    /// There is no such product.
    #[error("no product {word:?}; there are {known}")]
    Product {
        /// Those that there are.
        known: String,
        /// Value in the query.
        word: String,
    },
    /// No upgrade ends in this state.
    #[error("no outcome {word:?}; there are {known}", known = OUTCOMES.map(UpgradeStatus::as_str).join(", "))]
    Outcome {
        /// Value in the query.
        word: String,
    },
    /// The limit is no number, or out of range.
    #[error("limit {word:?} is not a number from 1 to 10000")]
    Limit {
        /// Value in the query.
        word: String,
    },
}

impl FilterError {
    /// Builds the error of a product that is none of these.
    pub(super) fn product(word: &str, products: &[&str]) -> Self {
        Self::Product {
            known: products.join(", "),
            word: word.to_owned(),
        }
    }
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
                "product" => wrong.push(FilterError::product(value, products)),
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
                _ => wrong.push(FilterError::Parameter {
                    known: "account, product, state and q",
                    word: key.into_owned(),
                }),
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

/// Adds a value that is not empty, once.
pub(super) fn add(values: &mut Vec<String>, value: &str) {
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
mod tests;
