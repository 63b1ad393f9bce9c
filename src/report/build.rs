//! From what is stored to the report.

use jiff::Timestamp;

use super::format::between;
use super::{
    API_VERSION, ClusterReport, DegradedReport, ErrorReport, NodeReport, NodesLeftOut,
    ProductReport, Report, TaskReport, UpgradeReport, clock, seconds,
};
use crate::clock::Times;
use crate::cloud::Clouds;
use crate::model::{
    ClusterState, Degraded, DiscoveryState, LastError, NodeCounts, NodeStatus, Task, UpgradeView,
};
use crate::store::Store;

impl Report {
    /// Builds the report of what is known at `now`, by the local clock.
    pub fn new(store: &Store, ready: bool, now: Timestamp) -> Self {
        let times = Times::read(now, &store.clocks());
        Self {
            api_version: API_VERSION.to_owned(),
            exporter_version: env!("CARGO_PKG_VERSION").to_owned(),
            generated: now,
            ready,
            products: store
                .discoveries()
                .values()
                .map(|state| product(state, &times))
                .collect(),
            clusters: store
                .snapshot()
                .values()
                .map(|state| cluster(state, times.of(&state.key.account)))
                .collect(),
        }
    }
}

impl Report {
    /// Adds the languages of these clouds' texts, for pages that show them.
    #[must_use]
    pub fn with_languages(mut self, clouds: Clouds) -> Self {
        for product in &mut self.products {
            product.language = language(clouds, &product.cloud);
        }
        for cluster in &mut self.clusters {
            cluster.language = language(clouds, &cluster.cloud);
        }
        self
    }
}

/// Returns the language of the texts of the cloud of this name, as an HTML `lang`; `None` where they are English.
pub(super) fn language(clouds: Clouds, name: &str) -> Option<&'static str> {
    let cloud = clouds.iter().find(|cloud| cloud.name() == name);
    cloud.and_then(|cloud| cloud.language())
}

fn product(state: &DiscoveryState, times: &Times) -> ProductReport {
    ProductReport {
        account: state.account.to_string(),
        product: state.product.to_owned(),
        cloud: state.cloud.to_owned(),
        language: None,
        cloud_region: state.cloud_region.to_string(),
        watched: state.watched,
        inaccessible: state.inaccessible,
        left_out: state.left_out,
        last_success: state.last_success,
        last_error: state.last_error.as_ref().map(error),
        clock_skew_seconds: times.skew(&state.account).map(clock::seconds),
    }
}

fn error(error: &LastError) -> ErrorReport {
    ErrorReport {
        reason: error.reason.into(),
        message: error.message.clone(),
        at: error.at,
    }
}

fn cluster(state: &ClusterState, now: Timestamp) -> ClusterReport {
    ClusterReport {
        account: state.key.account.to_string(),
        product: state.key.product.to_owned(),
        cluster_id: state.key.id.to_string(),
        cluster_name: state.name.to_string(),
        cloud: state.cloud.to_owned(),
        language: None,
        cloud_region: state.cloud_region.to_string(),
        version: state.version.to_string(),
        version_name: state.version_name.as_deref().map(str::to_owned),
        raw_status: state.raw_status.to_string(),
        status_meaning: state.status_meaning.map(str::to_owned),
        available_versions: state.available.iter().map(Into::into).collect(),
        up: state.up,
        last_success: state.answered.then_some(state.last_success),
        last_error: state.last_error.as_ref().map(error),
        degraded: state.degraded.iter().map(degraded).collect(),
        poll_interval_seconds: seconds(state.poll_interval),
        upgrades: state
            .shown(now)
            .map(|view| upgrade(state, view, now))
            .collect(),
    }
}

fn degraded(call: &Degraded) -> DegradedReport {
    DegradedReport {
        endpoint: call.endpoint.to_owned(),
        reason: call.reason.into(),
        message: call.message.clone(),
        missing: call.missing.to_owned(),
        permission: call.permission.to_owned(),
        since: call.since,
    }
}

fn upgrade(cluster: &ClusterState, view: &UpgradeView, now: Timestamp) -> UpgradeReport {
    let upgrade = &view.upgrade;
    UpgradeReport {
        kind: upgrade.kind.into(),
        status: upgrade.status.into(),
        status_since: view.status_since,
        stalled: view.stalled,
        overdue: cluster.is_overdue(view),
        waits_for_person: upgrade.waits_for_person,
        upgrade_id: upgrade.id.clone(),
        from_version: upgrade.from_version.clone(),
        to_version: upgrade.to_version.clone(),
        from_version_name: upgrade.details.from_version_name.clone(),
        to_version_name: upgrade.details.to_version_name.clone(),
        reason: view.reason(),
        zone_move: upgrade.details.zone_move.as_ref().map(Into::into),
        agency: upgrade.details.agency.clone(),
        precheck: upgrade.details.precheck.as_ref().map(Into::into),
        can_be_cancelled: upgrade.details.is_cancellable,
        requested: upgrade.requested,
        started: view.started,
        ended: view.ended,
        last_progress: view.last_progress,
        duration_seconds: upgrade
            .requested
            .map(|requested| between(requested, view.ended.unwrap_or(now))),
        progress_ratio: view.ratio,
        estimated_end: view.estimated_end.filter(|at| *at > now),
        stalled_after_seconds: view.stalled_after(&cluster.thresholds).map(seconds),
        overdue_after_seconds: view.overdue_after(&cluster.thresholds).map(seconds),
        executions: upgrade.executions,
        retries: upgrade.retries(),
        task_order: view.task_order,
        nodes: nodes(view, now),
        tasks: upgrade.tasks.iter().map(task).collect(),
        nodes_left_out: left_out(&upgrade.left_out.nodes),
        tasks_left_out: upgrade.left_out.tasks,
    }
}

/// Builds the reports of the nodes of an upgrade as of `now`.
pub(super) fn nodes(view: &UpgradeView, now: Timestamp) -> Vec<NodeReport> {
    let nodes = view.upgrade.nodes.iter().enumerate();
    nodes
        .map(|(place, node)| {
            let work = view.work(place);
            NodeReport {
                node: node.key.name.clone(),
                role: node.key.role.clone(),
                status: node.status.into(),
                raw_status: node.raw_status.clone(),
                updated: node.updated,
                started: work.map(|work| work.start),
                ended: work.and_then(|work| work.end),
                duration_seconds: work.map(|w| between(w.start, w.end.unwrap_or(now))),
                task_order: node.task_order,
            }
        })
        .collect()
}

pub(super) fn left_out(nodes: &NodeCounts) -> NodesLeftOut {
    NodesLeftOut {
        waiting: nodes.of(NodeStatus::Waiting),
        upgrading: nodes.of(NodeStatus::Upgrading),
        succeeded: nodes.of(NodeStatus::Succeeded),
        failed: nodes.of(NodeStatus::Failed),
        unknown: nodes.of(NodeStatus::Unknown),
    }
}

pub(super) fn task(task: &Task) -> TaskReport {
    TaskReport {
        order: task.order,
        task: task.name.clone(),
        status: task.status.into(),
        start: task.start,
        end: task.end,
        description: task.description.clone(),
    }
}

#[cfg(test)]
mod tests;
