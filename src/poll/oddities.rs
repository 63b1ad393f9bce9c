//! Log of oddities in answers: words that are not known, exceeded bounds, and remarks, each once.

use super::generation::Generation;
use crate::cloud::Discovery;
use crate::model::bounds::{Truncated, is_cut};
use crate::model::{Observation, Remark};
use crate::telemetry::log::LogOnce;

/// Oddities of a product's answers that were logged.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    words: LogOnce<String>,
    /// Bounds and remarks, each with its cluster.
    bounds: LogOnce<(String, Truncated)>,
    remarks: LogOnce<(String, Remark)>,
}

impl Generation {
    /// Counts the bounds that a list of clusters exceeded, and logs each once.
    pub(super) fn tell_of_list(&self, discovery: &Discovery, left_out: u64) {
        let has_cut_name = discovery.clusters.iter().any(|c| is_cut(&c.name));
        let exceeded = [
            (left_out > 0).then_some(Truncated::Clusters),
            has_cut_name.then_some(Truncated::Label),
        ];
        for bound in exceeded.into_iter().flatten() {
            if self.is_news("", bound) {
                tracing::warn!(
                    account = %self.account.name, product = self.product().name,
                    what = bound.as_str(), left_out,
                    "The list of clusters exceeds the bounds: {}.", bound.effect()
                );
            }
        }
    }

    /// Counts the bounds that an answer about a cluster exceeded and the words that are not known, and
    /// logs each once, as each remark.
    pub(super) fn tell_of_answer(
        &self,
        cluster: &str,
        observation: &Observation,
        exceeded: &[Truncated],
    ) {
        for bound in exceeded {
            if self.is_news(cluster, *bound) {
                let upgrades = observation.upgrades.iter().map(|upgrade| &upgrade.left_out);
                let left_out: u64 = match bound {
                    Truncated::Nodes => upgrades.map(|left_out| left_out.nodes.total()).sum(),
                    Truncated::Tasks => upgrades.map(|left_out| left_out.tasks).sum(),
                    Truncated::Clusters | Truncated::Label => 0,
                };
                tracing::warn!(
                    account = %self.account.name, product = self.product().name, cluster,
                    what = bound.as_str(), left_out,
                    "An answer exceeds the bounds: {}.", bound.effect()
                );
            }
        }
        let (account, product) = (&*self.account.name, self.product().name);
        for word in &observation.unknown_words {
            self.metrics.unknown_status();
            if self.oddities.words.is_new(word.clone()) {
                tracing::warn!(
                    account,
                    product,
                    cluster,
                    word,
                    "The vendor uses a status word that is not known; please report it."
                );
            }
        }
        for remark in observation.remarks.iter() {
            let key = (cluster.to_owned(), remark.clone());
            if !self.oddities.remarks.is_new(key) {
                continue;
            }
            match remark {
                Remark::NodeTwice(node) => tracing::warn!(
                    account,
                    product,
                    cluster,
                    node,
                    "A node stands twice in one answer; the worse state counts."
                ),
                Remark::Note(note) => {
                    tracing::warn!(account, product, cluster, note, "An answer is odd.");
                }
            }
        }
    }

    /// Counts, and returns whether this is the first time for this cluster and bound.
    fn is_news(&self, cluster: &str, bound: Truncated) -> bool {
        self.metrics.truncated(bound);
        self.oddities.bounds.is_new((cluster.to_owned(), bound))
    }
}
