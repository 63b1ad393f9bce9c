//! From the history in the store to its report.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{HistoryFilter, HistoryReport, PastUpgradeReport};
use crate::cloud::Clouds;
use crate::model::past::median_of_latest;
use crate::model::{PastKey, PastUpgrade, UpgradeStatus};
use crate::report::build::{language, left_out, nodes, task};
use crate::report::{API_VERSION, seconds};
use crate::store::history::PastUpgrades;

impl HistoryReport {
    /// Builds the report of the upgrades that a filter leaves, as of `now` by the local clock.
    pub fn new(past: &PastUpgrades, filter: &HistoryFilter, now: Timestamp) -> Self {
        let medians = earlier_medians(past);
        let mut matching = past.upgrades.iter().filter(|past| filter.matches(past));
        let upgrades = matching
            .by_ref()
            .skip(filter.skip)
            .take(filter.limit.unwrap_or(usize::MAX))
            .map(|past| upgrade(past, medians.get(&past.key).copied()))
            .collect();
        Self {
            api_version: API_VERSION.to_owned(),
            exporter_version: env!("CARGO_PKG_VERSION").to_owned(),
            generated: now,
            left_out: past.left_out,
            upgrades,
            more: matching.count().try_into().unwrap_or(u64::MAX),
        }
    }

    /// Adds the languages of these clouds' texts, for pages that show them.
    #[must_use]
    pub fn with_languages(mut self, clouds: Clouds) -> Self {
        for upgrade in &mut self.upgrades {
            upgrade.language = language(clouds, &upgrade.cloud);
        }
        self
    }
}

/// Returns the median duration, in seconds, of the upgrades before each one that has such.
fn earlier_medians(past: &PastUpgrades) -> BTreeMap<&PastKey, f64> {
    let mut by_start: Vec<&PastUpgrade> = past.upgrades.iter().map(|past| &**past).collect();
    by_start.sort_by(|a, b| a.key.cmp(&b.key));
    let is_of_one = |a: &&PastUpgrade, b: &&PastUpgrade| {
        (&a.key.cluster, a.key.kind) == (&b.key.cluster, b.key.kind)
    };
    let mut medians = BTreeMap::new();
    for upgrades in by_start.chunk_by(is_of_one) {
        let mut durations = Vec::new();
        for past in upgrades {
            let latest_first = durations.iter().rev().copied();
            medians.extend(median_of_latest(latest_first).map(|median| (&past.key, median)));
            // One that had ended when it was first seen tells nothing where the vendor tells no times.
            let duration = Some(past.duration()).filter(|duration| !duration.is_zero());
            let is_example = past.outcome() == UpgradeStatus::Succeeded && !past.is_cut();
            durations.extend(duration.filter(|_| is_example).map(seconds));
        }
    }
    medians
}

fn upgrade(past: &PastUpgrade, earlier_median_seconds: Option<f64>) -> PastUpgradeReport {
    let view = &past.upgrade;
    let upgrade = &view.upgrade;
    let cluster = &past.key.cluster;
    PastUpgradeReport {
        account: cluster.account.clone(),
        product: cluster.product.clone(),
        cluster_id: cluster.cluster_id.clone(),
        cluster_name: past.cluster_name.clone(),
        cloud: past.cloud.clone(),
        language: None,
        cloud_region: past.cloud_region.clone(),
        kind: past.key.kind.into(),
        outcome: past.outcome().into(),
        upgrade_id: upgrade.id.clone(),
        from_version: upgrade.from_version.clone(),
        to_version: upgrade.to_version.clone(),
        from_version_name: upgrade.details.from_version_name.clone(),
        to_version_name: upgrade.details.to_version_name.clone(),
        reason: view.reason(),
        requested: upgrade.requested,
        first_seen: past.key.first_seen,
        started: view.started,
        ended: past.ended,
        duration_seconds: seconds(past.duration()),
        earlier_median_seconds,
        executions: upgrade.executions,
        retries: upgrade.retries(),
        nodes: nodes(view, past.ended),
        tasks: upgrade.tasks.iter().map(task).collect(),
        nodes_left_out: left_out(&upgrade.left_out.nodes),
        tasks_left_out: upgrade.left_out.tasks,
    }
}
