//! Huawei Cloud CCE (Cloud Container Engine): which calls are made, and when.
//!
//! The list of clusters and the workflows are primary calls, all others are secondary. The upgrade calls
//! are not published in every cloud; where they are not, they are left alone until the next discovery,
//! and the cluster's phase is all that is known.

mod available;
mod map;
mod nodes;
mod pages;
mod poll;
mod precheck;
mod product;
mod sim;
mod start;
mod task_cache;
mod wire;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;

use self::poll::Poll;
use self::wire::{Cluster, List};
use super::client::Client;
use super::offered::{CallNotes, Offered};
use crate::cloud::kit::listing::Shared;
use crate::cloud::transport::Effort;
use crate::cloud::{
    Call, Discovered, Discovery, Method, OpenContext, PollFailure, Provider, Secondary,
};
use crate::http::ApiError;
use crate::model::{Memory, Observation, Reason};

pub use product::PRODUCT;

/// All clusters of the project; it has no pages.
const LIST_CLUSTERS: Call = Call::read("ListClusters", Method::Get, "/api/v3/projects/{}/clusters");
/// All workflows, the history too, in no documented order.
const LIST_WORKFLOWS: Call = Call::read(
    "ListUpgradeWorkFlows",
    Method::Get,
    "/api/v3/projects/{}/clusters/{}/operation/upgradeworkflows",
);
/// State of the last upgrade task, and the versions that the cloud offers.
const SHOW_INFO: Call = Call::secondary(
    "ShowClusterUpgradeInfo",
    Method::Get,
    "/api/v3/projects/{}/clusters/{}/upgradeinfo",
    Secondary {
        tells: "word of upgrades that were started over the API, and the versions that are offered",
        permission: "cce:cluster:get",
    },
);
/// All upgrade tasks with their progress.
const LIST_TASKS: Call = Call::secondary(
    "ListUpgradeClusterTasks",
    Method::Get,
    "/api/v3/projects/{}/clusters/{}/operation/upgrade/tasks",
    Secondary {
        tells: "progress of upgrade tasks, and upgrades that were started over the API",
        permission: "cce:cluster:get",
    },
);
/// The nodes, in pages.
const LIST_NODES: Call = Call::secondary(
    "ListNodes",
    Method::Get,
    "/api/v3/projects/{}/clusters/{}/nodes",
    Secondary {
        tells: "states of nodes",
        permission: "cce:node:list",
    },
);
/// The prechecks with their results for the cluster, its add-ons and each node.
const LIST_PRECHECKS: Call = Call::secondary(
    "ListPreCheckTasks",
    Method::Get,
    "/api/v3/projects/{}/clusters/{}/operation/precheck/tasks",
    Secondary {
        tells: "reasons of a failed precheck, and the nodes that it refused",
        permission: "cce:cluster:get",
    },
);

/// CCE of one account.
struct CceProvider {
    client: Client,
    account: Arc<str>,
    /// By id.
    clusters: Shared<BTreeMap<String, Cluster>>,
    offered: Offered,
}

impl CceProvider {
    fn new(context: &OpenContext<'_>) -> Result<Self, ApiError> {
        let client = Client::new(context, "cce")?;
        Ok(Self {
            offered: Offered::new(&client, &context.transport),
            client,
            account: context.account_name.clone(),
            clusters: Shared::default(),
        })
    }

    async fn clusters(&self, fresh: Duration) -> Result<Arc<BTreeMap<String, Cluster>>, ApiError> {
        let fetch = || async {
            let list: List<Cluster> = self.read(Effort::Normal, &LIST_CLUSTERS, &[], &[]).await?;
            Ok(by_id(list.items))
        };
        self.clusters.get(fresh, fetch).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        effort: Effort,
        call: &'static Call,
        params: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, ApiError> {
        let answer = self.client.get(effort, call, params, query).await?;
        answer.json().map_err(|error| error.of(call.name))
    }
}

impl Provider for CceProvider {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>> {
        Box::pin(async move {
            let clusters = self.clusters(Duration::ZERO).await?;
            let found = clusters.iter();
            let found = found.map(|(id, cluster)| Discovered::new(id, &cluster.metadata.name));
            let field = "metadata.uid";
            Discovery::read(field, found, 0).map_err(|error| error.of(LIST_CLUSTERS.name))
        })
    }

    fn observe<'a>(
        &'a self,
        cluster_id: &'a str,
        memory: &'a Memory,
        fresh: Duration,
    ) -> BoxFuture<'a, Result<Observation, PollFailure>> {
        Box::pin(async move {
            let clusters = self.clusters(fresh).await?;
            let cluster = clusters.get(cluster_id).ok_or_else(unknown_cluster)?;
            let mut notes = CallNotes::read(memory);
            let poll = Poll::new(self, cluster_id, memory, &mut notes);
            let outcome = poll.run(cluster).await;
            notes.leave(outcome)
        })
    }
}

fn by_id(clusters: Vec<Cluster>) -> BTreeMap<String, Cluster> {
    clusters
        .into_iter()
        .filter(|cluster| !cluster.metadata.uid.is_empty())
        .map(|cluster| (cluster.metadata.uid.clone(), cluster))
        .collect()
}

fn unknown_cluster() -> ApiError {
    ApiError::new(
        Reason::NotFound,
        "the project has no cluster with this id; check id, region and project_id, or take it out of the config",
    )
    .of(LIST_CLUSTERS.name)
}

#[cfg(test)]
mod tests;
