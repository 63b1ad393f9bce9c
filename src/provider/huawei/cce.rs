//! Huawei Cloud CCE (Cloud Container Engine): which calls are made, and when.
//!
//! The upgrade calls are not published in every cloud; where they are not, they are left alone until
//! the next discovery, and the cluster's phase is all that is known.

pub mod start;

mod kept;
mod map;
mod nodes;
mod sim;
mod wire;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;

use self::kept::{Ask, Kept};
use self::map::MappingInput;
use self::wire::{Cluster, List, Node, Precheck, Task, UpgradeInfo, Workflow};
use self::words::ClusterPhase;
use super::client::{Client, is_unpublished};
use crate::model::{Kind, Memory, NodeCollector, Observation};
use crate::provider::error::check_id;
use crate::provider::listing::Shared;
use crate::provider::{
    ApiError, Call, Context, Discovered, Discovery, Method, Product, Provider, Reason,
};
use crate::text::clean;

/// This product's line of the table. The calls have the names of the vendor's Go SDK.
pub const PRODUCT: Product = Product {
    name: "cce",
    cloud: "huawei",
    stalled_after: Duration::from_secs(30 * 60),
    begun_by_a_task: true,
    settings: &[],
    numeric_ids: false,
    permission: "cce:cluster:list, cce:cluster:get and cce:node:list, as the system policy CCE ReadOnlyAccess has them",
    calls: &[
        &LIST_CLUSTERS,
        &LIST_WORKFLOWS,
        &SHOW_INFO,
        &LIST_TASKS,
        &LIST_NODES,
        &LIST_PRECHECKS,
    ],
    sim: sim::answer,
    open: |context| Ok(Arc::new(Cce::new(&context)?)),
};

/// All clusters of the project; it has no pages.
const LIST_CLUSTERS: Call = Call::read("ListClusters", Method::Get, "/api/v3/projects/{}/clusters");
/// All workflows, the history too, in no documented order.
const LIST_WORKFLOWS: Call = Call::read(
    "ListUpgradeWorkFlows",
    Method::Get,
    "/api/v3/projects/{}/clusters/{}/operation/upgradeworkflows",
);
/// Whether there is, or was, an upgrade task.
const SHOW_INFO: Call = Call::read(
    "ShowClusterUpgradeInfo",
    Method::Get,
    "/api/v3/projects/{}/clusters/{}/upgradeinfo",
);
/// All upgrade tasks with their progress.
const LIST_TASKS: Call = Call::read(
    "ListUpgradeClusterTasks",
    Method::Get,
    "/api/v3/projects/{}/clusters/{}/operation/upgrade/tasks",
);
/// The nodes, in pages.
const LIST_NODES: Call = Call::read(
    "ListNodes",
    Method::Get,
    "/api/v3/projects/{}/clusters/{}/nodes",
);
/// The prechecks with their result for each node.
const LIST_PRECHECKS: Call = Call::read(
    "ListPreCheckTasks",
    Method::Get,
    "/api/v3/projects/{}/clusters/{}/operation/precheck/tasks",
);

/// Nodes asked for at once: of 2000, which is the most, an answer could be over the body cap.
const NODES_A_PAGE: &str = "500";

/// Pages of nodes; together far more nodes than a cluster can have.
const MOST_PAGES: usize = 100;

/// Nodes of all pages, should a cloud not keep to the size of a page.
const MAX_LISTED: usize = 500_000;

/// CCE of one account.
struct Cce {
    client: Client,
    account: Arc<str>,
    /// By id.
    clusters: Shared<BTreeMap<String, Cluster>>,
    /// By cluster id.
    kept: Mutex<BTreeMap<String, Kept>>,
    unpublished: Mutex<Unpublished>,
}

/// The calls that the cloud does not publish.
#[derive(Debug, Default)]
struct Unpublished {
    /// Left alone until the next discovery.
    left_alone: BTreeSet<&'static str>,
    /// That there are such calls was told in the log, once a process.
    told: bool,
}

impl Cce {
    fn new(context: &Context<'_>) -> Result<Self, ApiError> {
        Ok(Self {
            client: Client::new(context, "cce")?,
            account: context.account.name.clone(),
            clusters: Shared::default(),
            kept: Mutex::default(),
            unpublished: Mutex::default(),
        })
    }

    async fn clusters(&self, fresh: Duration) -> Result<Arc<BTreeMap<String, Cluster>>, ApiError> {
        let fetch = || async {
            let list: List<Cluster> = self.read(&LIST_CLUSTERS, &[], &[]).await?;
            // An answer that is no list at all must not end the watch of every cluster.
            if !list.is_list {
                let what = "the answer is not the list of clusters that the vendor documents";
                return Err(ApiError::new(Reason::Protocol, what).of(LIST_CLUSTERS.name));
            }
            Ok(by_id(list.items))
        };
        self.clusters.get(fresh, fetch).await
    }

    async fn look(
        &self,
        id: &str,
        memory: &Memory,
        fresh: Duration,
    ) -> Result<Observation, ApiError> {
        let clusters = self.clusters(fresh).await?;
        let Some(cluster) = clusters.get(id) else {
            return Err(ApiError::new(
                Reason::NotFound,
                "the project has no cluster with this id; check id, region and project_id, or take it out of the config",
            )
            .of(LIST_CLUSTERS.name));
        };
        let phase = cluster.status.phase.as_str();
        let is_changing = words::cluster_phase(phase).is_some_and(ClusterPhase::is_changing);
        // Tasks first: a task that is listed then has its workflow listed too, and the workflow
        // names it. The other way round a new task could pass for one without a workflow.
        let tasks = self.tasks(id, is_changing).await?;
        let workflows: Option<List<Workflow>> = self.upgrade_call(&LIST_WORKFLOWS, id).await?;
        let is_published = workflows.is_some();
        let workflows = workflows.unwrap_or_default();
        let mut words = Vec::new();
        let now = self.client.clock().now();
        let input = MappingInput {
            cluster_phase: phase,
            workflows: &workflows.items,
            tasks: &tasks,
            memory,
            now,
        };
        let current = map::current(&input, &mut words);
        if let Some(id) = current.as_ref().and_then(|c| c.upgrade.id.as_deref()) {
            let mut uids = workflows.items.iter().map(|w| &w.metadata.uid);
            let call = if uids.any(|uid| uid == id) {
                &LIST_WORKFLOWS
            } else {
                &LIST_TASKS
            };
            check_id("metadata.uid of the upgrade", id).map_err(|error| error.of(call.name))?;
        }
        let upgrade = match current {
            // Where only the phase tells of upgrades, its word is enough.
            None if !is_published => None,
            None => memory.once_more(Kind::Version),
            Some(mut current) => {
                if let Some(last) = nodes::remembered(&current.upgrade, memory) {
                    current.upgrade.nodes.clone_from(&last.nodes);
                    let left_out = &mut current.upgrade.left_out;
                    (left_out.nodes, left_out.latest) = (last.left_out.nodes, last.left_out.latest);
                } else {
                    let nodes = self.nodes(id, &current, memory, &mut words).await?;
                    current.upgrade.set_nodes(nodes);
                }
                Some(current.upgrade)
            }
        };
        Ok(Observation {
            name: cluster.metadata.name.clone(),
            version: cluster.spec.version.clone(),
            raw_status: clean(phase),
            changing: is_changing,
            upgrades: upgrade.into_iter().collect(),
            unknown_words: words,
            refused: None,
            ..Observation::default()
        })
    }

    /// The upgrade tasks: listed when [`kept`] says so, else as they were.
    async fn tasks(&self, id: &str, is_changing: bool) -> Result<Arc<Vec<Task>>, ApiError> {
        let kept = self.kept(id, |kept| kept.clone());
        let mut said = None;
        if !kept.is_moving(is_changing)
            && let Some(info) = self.upgrade_call::<UpgradeInfo>(&SHOW_INFO, id).await?
        {
            let now = kept::said(info);
            if kept.ask(&now) == Ask::Nothing {
                return Ok(kept.tasks);
            }
            said = Some(now);
        }
        let list: Option<List<Task>> = self.upgrade_call(&LIST_TASKS, id).await?;
        let tasks = Arc::new(list.unwrap_or_default().items);
        self.kept(id, |kept| {
            kept.tasks = tasks.clone();
            kept.info = said;
        });
        Ok(tasks)
    }

    async fn nodes(
        &self,
        id: &str,
        current: &map::Current,
        memory: &Memory,
        words: &mut Vec<String>,
    ) -> Result<NodeCollector, ApiError> {
        let list = pages(|marker| async move {
            let mut query = vec![("limit", NODES_A_PAGE)];
            query.extend(marker.as_deref().map(|marker| ("marker", marker)));
            self.read(&LIST_NODES, &[id], &query).await
        })
        .await?;
        let mut prechecks = List::<Precheck>::default();
        if current.failed_precheck.is_some()
            && let Some(list) = self.upgrade_call(&LIST_PRECHECKS, id).await?
        {
            prechecks = list;
        }
        let found = nodes::nodes(&list, &prechecks.items, current, memory, words);
        if let Some(name) = &found.twice
            && !self.kept(id, |kept| std::mem::replace(&mut kept.told_twice, true))
        {
            tracing::warn!(
                account = %self.account,
                product = PRODUCT.name,
                cluster = id,
                node = name,
                "A node stands twice in one answer; the worse state counts."
            );
        }
        Ok(found.nodes)
    }

    /// Makes a call that not every cloud publishes; none where it is not published.
    async fn upgrade_call<T: DeserializeOwned>(
        &self,
        call: &'static Call,
        id: &str,
    ) -> Result<Option<T>, ApiError> {
        if self.unpublished(|calls| calls.left_alone.contains(call.name)) {
            return Ok(None);
        }
        match self.read(call, &[id], &[]).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_unpublished(&error) => {
                let told = self.unpublished(|calls| {
                    calls.left_alone.insert(call.name);
                    std::mem::replace(&mut calls.told, true)
                });
                if !told {
                    tracing::warn!(
                        account = %self.account,
                        product = PRODUCT.name,
                        call = call.name,
                        "This cloud does not publish all upgrade calls; less is known of upgrades. They are tried again at each discovery."
                    );
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        call: &'static Call,
        params: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, ApiError> {
        let answer = self.client.get(call, params, query).await?;
        answer.json().map_err(|error| error.of(call.name))
    }

    fn kept<R>(&self, id: &str, with: impl FnOnce(&mut Kept) -> R) -> R {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        with(kept.entry(id.to_owned()).or_default())
    }

    fn unpublished<R>(&self, with: impl FnOnce(&mut Unpublished) -> R) -> R {
        with(
            &mut self
                .unpublished
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl Provider for Cce {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>> {
        Box::pin(async move {
            let clusters = self.clusters(Duration::ZERO).await?;
            self.unpublished(|calls| calls.left_alone.clear());
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.retain(|id, _| clusters.contains_key(id));
            // Should a list once have lagged behind `upgradeinfo`, it is put right here.
            kept.values_mut().for_each(|kept| kept.info = None);
            drop(kept);
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
    ) -> BoxFuture<'a, Result<Observation, ApiError>> {
        Box::pin(self.look(cluster_id, memory, fresh))
    }
}

fn by_id(clusters: Vec<Cluster>) -> BTreeMap<String, Cluster> {
    clusters
        .into_iter()
        .filter(|cluster| !cluster.metadata.uid.is_empty())
        .map(|cluster| (cluster.metadata.uid.clone(), cluster))
        .collect()
}

/// Reads pages until there is no next marker. A marker that comes again ends it too: an API that
/// does not know `marker` gives the first page each time, whose nodes then count once.
async fn pages<F>(page: impl Fn(Option<String>) -> F) -> Result<Vec<Node>, ApiError>
where
    F: Future<Output = Result<List<Node>, ApiError>>,
{
    let mut nodes = Vec::new();
    let (mut markers, mut uids) = (BTreeSet::new(), BTreeSet::new());
    let mut marker = None;
    for _ in 0..MOST_PAGES {
        let list = page(marker).await?;
        let begin = nodes.len();
        let is_new = |node: &Node| !uids.contains(&node.metadata.uid);
        nodes.extend(list.items.into_iter().filter(is_new));
        let next = list.next_marker;
        if nodes.len() > MAX_LISTED {
            break;
        }
        if next.is_empty() || !markers.insert(next.clone()) {
            return Ok(nodes);
        }
        let fresh = nodes.iter().skip(begin).map(|node| &node.metadata.uid);
        uids.extend(fresh.filter(|uid| !uid.is_empty()).cloned());
        marker = Some(next);
    }
    Err(ApiError::new(
        Reason::Protocol,
        format!("the list of nodes does not end after {MOST_PAGES} pages or {MAX_LISTED} nodes; tell the maintainers"),
    )
    .of(LIST_NODES.name))
}

#[cfg(test)]
mod tests;
