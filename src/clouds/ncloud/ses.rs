//! Search Engine Service (OpenSearch): what it is asked, in which order.

mod map;
mod product;
mod region;
mod sim;
mod version;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::json;

use super::list::{Clusters, Listed, PAGE_SIZE};
use super::lookup::{CachedLookup, Found};
use super::{Client, Envelope, Service};
use crate::cloud::kit::listing::Shared;
use crate::cloud::kit::secondary::SecondaryCalls;
use crate::cloud::{Call, Discovery, Method, OpenContext, PollFailure, Provider, Secondary};
use crate::http::ApiError;
use crate::model::{Kind, Memory, Observation, Reason};
use region::RegionNo;
use version::Versions;

pub use product::PRODUCT;

const SERVICE: Service = Service {
    product: "ses",
    host: "vpcsearchengine",
    version: "v2",
};

const LIST: Call = Call::read(
    "getClusterInfoList",
    Method::Get,
    "/cluster/getClusterInfoList",
);

/// One sample in the documents says GET; the gateway has no such route.
const PROGRESS: Call = Call::read(
    "getRollingUpgradeProgress",
    Method::Post,
    "/cluster/getRollingUpgradeProgress",
);

const VERSIONS: Call = Call::secondary(
    "getSearchEngineVersionList",
    Method::Get,
    "/cluster/getSearchEngineVersionList",
    Secondary {
        tells: "names and engines of versions",
        permission: VIEWER,
    },
);

const NODES: Call = Call::secondary(
    "getClusterNodeList",
    Method::Get,
    "/cluster/getClusterNodeList/{}",
    Secondary {
        tells: "the number of the region",
        permission: VIEWER,
    },
);

/// The policy that permits every call.
const VIEWER: &str = "NCP_VPC_SEARCH_ENGINE_SERVICE_VIEWER";

/// Time for which the version list is fresh.
const FRESH_VERSIONS: Duration = Duration::from_secs(3600);

/// Time for which the region's number is fresh: it does not change.
const FRESH_REGION_NO: Duration = Duration::MAX;

/// The setting that names the region's number.
const REGION_NO: &str = "region_no";

#[derive(Debug)]
struct SesProvider {
    client: Client,
    /// The region's number where the config or the region's name tells it.
    region_no: RegionNo,
    learnt_region_no: CachedLookup<Arc<str>>,
    versions: CachedLookup<Versions>,
    list: Shared<Clusters>,
}

impl SesProvider {
    fn open(context: OpenContext<'_>) -> Result<Self, ApiError> {
        let setting = context.setting(REGION_NO).map(str::to_owned);
        let client = Client::open(context, SERVICE)?;
        let account = &client.account;
        Ok(Self {
            region_no: RegionNo::of(setting.as_deref(), account.zone, &account.region),
            client,
            learnt_region_no: CachedLookup::new(FRESH_REGION_NO),
            versions: CachedLookup::new(FRESH_VERSIONS),
            list: Shared::default(),
        })
    }

    async fn clusters(&self, fresh: Duration) -> Result<Arc<Clusters>, ApiError> {
        let size = PAGE_SIZE.to_string();
        let size = size.as_str();
        self.list
            .get(fresh, || {
                Clusters::fetch::<wire::Cluster, _>(move |number| async move {
                    let number = number.to_string();
                    let query = [("pageNo", number.as_str()), ("pageSize", size)];
                    self.client.get(&LIST, &[], &query).await
                })
            })
            .await
            .map_err(|e| e.of(LIST.name))
    }

    /// Looks up the versions that the service knows, to read the list's version by.
    async fn versions(
        &self,
        memory: &Memory,
        calls: &mut SecondaryCalls<'_>,
    ) -> Result<Arc<Versions>, ApiError> {
        let known = memory.call(VERSIONS.name);
        let fetch = |effort| async move {
            let answer: wire::VersionAnswer = self.client.look_up(effort, &VERSIONS, &[]).await?;
            Ok(Versions::new(answer.result))
        };
        let found = self.versions.get("", known, fetch).await?;
        let versions = note(calls, &VERSIONS, found, Versions::text)?;
        Ok(versions.unwrap_or_else(|| {
            let remembered = known.and_then(|known| known.answer.as_deref());
            Arc::new(remembered.map_or_else(Versions::default, Versions::parse))
        }))
    }

    /// Returns the region's number, if it is to be sent and is known. No document tells whether the
    /// vendor insists on it, so a number that cannot be learnt is left out; a refusal without it tells
    /// nothing of the cluster.
    async fn region_no(
        &self,
        cluster: &str,
        memory: &Memory,
        calls: &mut SecondaryCalls<'_>,
    ) -> Result<Option<Arc<str>>, ApiError> {
        match &self.region_no {
            RegionNo::Known(number) => return Ok(Some(number.clone())),
            RegionNo::NotSent => return Ok(None),
            RegionNo::Learnt => {}
        }
        let known = memory.call(NODES.name);
        let fetch = |effort| async move {
            let params = [cluster];
            let answer = self.client.look_up(effort, &NODES, &params);
            let nodes: Option<wire::NodeList> = answer.await.map(Envelope::into_result)?;
            let number = nodes.unwrap_or_default().region_no;
            let number = number.ok_or_else(|| {
                let text = "the node list tells no region number; set ses.region_no in the config";
                ApiError::new(Reason::Protocol, text).of(NODES.name)
            })?;
            Ok(Arc::from(number.to_string()))
        };
        let found = self.learnt_region_no.get(cluster, known, fetch).await?;
        let number = note(calls, &NODES, found, Arc::clone)?;
        Ok(match number {
            Some(number) => Some(number.as_ref().clone()),
            None => known.and_then(|known| known.answer.clone()),
        })
    }

    async fn progress(
        &self,
        cluster: &str,
        region_no: Option<Arc<str>>,
    ) -> Result<Option<wire::Progress>, ApiError> {
        let mut body = json!({"serviceGroupInstanceNo": cluster});
        if let Some(number) = region_no {
            body["regionNo"] = (*number).into();
        }
        self.client.post(&PROGRESS, &body).await
    }

    /// Polls a cluster, and records what its secondary calls came to.
    async fn look(
        &self,
        cluster: &str,
        memory: &Memory,
        fresh: Duration,
    ) -> Result<Observation, ApiError> {
        let mut calls = SecondaryCalls::new(memory, self.client.now());
        let mut observation = self.ask(cluster, memory, &mut calls, fresh).await?;
        observation.ask_again_soon = calls.asks_again_soon();
        observation.secondary = calls.finish();
        Ok(observation)
    }

    async fn ask(
        &self,
        cluster: &str,
        memory: &Memory,
        calls: &mut SecondaryCalls<'_>,
        fresh: Duration,
    ) -> Result<Observation, ApiError> {
        let clusters = self.clusters(fresh).await?;
        let listed = clusters
            .find(cluster, &self.client.place())
            .map_err(|e| e.of(LIST.name))?;
        let versions = self.versions(memory, calls).await?;
        let versions = versions.all();
        if version::cannot_be_upgraded(&listed.version, versions) {
            return Ok(map::idle(listed, versions));
        }
        let region_no = self.region_no(cluster, memory, calls).await?;
        let is_complete = region_no.is_some() || self.region_no != RegionNo::Learnt;
        let seen = memory.last(Kind::Version);
        let progress = match self.progress(cluster, region_no).await {
            Ok(progress) => progress.unwrap_or_default(),
            // How the service speaks of a cluster that never was upgraded is not documented.
            Err(error)
                if error.reason == Reason::Refused
                    && (listed.is("creating") || (listed.is("running") && is_complete))
                    && seen.is_none_or(|seen| seen.forgotten) =>
            {
                let mut observation = map::idle(listed, versions);
                observation.refused = Some(error.to_string());
                return Ok(observation);
            }
            Err(error) if error.reason == Reason::Refused && !is_complete => {
                return Err(region::blame_missing(error));
            }
            Err(error) => return Err(error),
        };
        let input = map::MappingInput {
            listed,
            versions,
            seen,
            zone: self.client.zone(),
        };
        let mut observation = map::observation(&progress, &input);
        if observation.upgrades.is_empty() {
            let seen = memory.once_more(Kind::Version, &mut observation.unconfirmed);
            observation
                .upgrades
                .extend(seen.map(|seen| (*seen.last).clone()));
        }
        Ok(observation)
    }
}

/// Records the outcome of a lookup that a poll needed, and returns its last good answer, which `text`
/// gives in the form to remember.
///
/// # Errors
/// Returns a failure that fails the whole poll.
fn note<T>(
    calls: &mut SecondaryCalls<'_>,
    call: &Call,
    found: Found<T>,
    text: impl FnOnce(&T) -> Arc<str>,
) -> Result<Option<Arc<T>>, ApiError> {
    match found.failure {
        Some(failure) => calls.fail(call, failure.error, failure.is_not_offered)?,
        None => calls.succeed(call, found.good.as_deref().map(text)),
    }
    Ok(found.good)
}

impl Provider for SesProvider {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>> {
        Box::pin(async {
            self.versions.discovered();
            self.learnt_region_no.discovered();
            let clusters = self.clusters(Duration::ZERO).await?;
            clusters.discovery().map_err(|e| e.of(LIST.name))
        })
    }

    fn observe<'a>(
        &'a self,
        cluster_id: &'a str,
        memory: &'a Memory,
        fresh: Duration,
    ) -> BoxFuture<'a, Result<Observation, PollFailure>> {
        Box::pin(async move { Ok(self.look(cluster_id, memory, fresh).await?) })
    }
}

impl From<wire::Cluster> for Listed {
    fn from(cluster: wire::Cluster) -> Self {
        Self {
            id: cluster.service_group_instance_no,
            name: cluster.name,
            status: cluster.status,
            version: cluster.search_engine_version,
        }
    }
}
