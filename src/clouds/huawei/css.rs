//! Cloud Search Service: upgrades of Elasticsearch, `OpenSearch` and Logstash clusters, and changes
//! of their availability zone.
//!
//! Reading takes `css:cluster:list` and `css:cluster:get`. The vendor's table of permissions names
//! them for lists and details of clusters; that of upgrades is not in it.

mod map;
mod moves;
mod pages;
mod product;
pub(super) mod sim;
#[cfg(test)]
mod tests;
mod wire;

use std::time::Duration;

use futures_util::future::BoxFuture;

use self::map::{MappingInput, untold};
use self::pages::{Collected, Page};
use super::client::Client;
use super::offered::{CallNotes, Offered};
use crate::cloud::kit::listing::Shared;
use crate::cloud::kit::paginate::paginate;
use crate::cloud::kit::secondary::SecondaryCalls;
use crate::cloud::transport::Effort;
use crate::cloud::{Call, Discovered, Discovery, Method, OpenContext, PollFailure, Provider};
use crate::http::{ApiError, Cause};
use crate::model::{Kind, Memory, Observation, Reason};

pub use product::PRODUCT;

/// "Querying the Cluster List".
const LIST: Call = Call::read("ListClustersDetails", Method::Get, "/v1.0/{}/clusters");

/// "Obtaining Upgrade Details": the primary call.
const DETAIL: Call = Call::read(
    "UpgradeDetail",
    Method::Get,
    "/v1.0/{}/clusters/{}/upgrade/detail",
);

/// The product in one project.
#[derive(Debug)]
struct CssProvider {
    client: Client,
    list: Shared<Vec<wire::Cluster>>,
    offered: Offered,
}

impl CssProvider {
    fn new(context: &OpenContext<'_>) -> Result<Self, ApiError> {
        let client = Client::new(context, "css")?;
        Ok(Self {
            offered: Offered::new(&client, &context.transport),
            client,
            list: Shared::default(),
        })
    }

    /// Fetches all pages of a call. The first one is asked for without a position, and nearly always
    /// is the only one.
    async fn pages<P: Page>(
        &self,
        (call, effort): (&'static Call, Effort),
        params: &[&str],
        filter: Option<(&str, &str)>,
    ) -> Result<Vec<P::Item>, ApiError> {
        let fetch = |place| async move {
            let position = pages::position(&place);
            let mut query = vec![("limit", pages::LIMIT)];
            query.extend(filter);
            if let Some(position) = &position {
                // Renamed in 2025, and what a cloud does not know it passes over.
                query.extend([("offset", position.as_str()), ("start", position.as_str())]);
            }
            let answer = self.client.get(effort, call, params, &query).await?;
            pages::read::<P>(answer.json()?, answer.body.len())
        };
        let collected = paginate::<Collected<P::Item>, _>(fetch).await;
        let collected = collected.map_err(|error| error.of(call.name))?;
        Ok(collected.items)
    }

    async fn fetch_list(&self) -> Result<Vec<wire::Cluster>, ApiError> {
        let call = (&LIST, Effort::Normal);
        self.pages::<wire::ClusterList>(call, &[], None).await
    }

    /// Asks for a cluster's upgrades; `None` when the cloud does not publish them.
    async fn upgrades(
        &self,
        cluster: &str,
        memory: &Memory,
        notes: &mut CallNotes,
    ) -> Result<Option<Vec<wire::Detail>>, ApiError> {
        if notes.is_skipped(&DETAIL) {
            return Ok(None);
        }
        // Older clouds know no other action_mode than AZ_MIGRATION, so upgrades are the default.
        let call = (&DETAIL, Effort::Normal);
        match self.pages::<wire::Details>(call, &[cluster], None).await {
            Ok(details) => {
                self.offered.answer(&DETAIL);
                notes.settle(&DETAIL);
                Ok(Some(details))
            }
            Err(error) if self.is_unpublished(&error, memory) => {
                notes.skip(&DETAIL);
                if self.offered.is_first_log() {
                    tracing::warn!(%error, "This cloud does not publish upgrades of CSS clusters: their state will be none.");
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns whether a failure of the primary call proves that the cloud does not publish it: the
    /// poll before was told so too, no call of it was ever answered well, and no upgrade is known.
    fn is_unpublished(&self, error: &ApiError, memory: &Memory) -> bool {
        error.cause == Cause::NotPublished
            && memory.unpublished_polls(DETAIL.name) > 0
            && !self.offered.has_answered(&DETAIL)
            && memory.upgrades.values().all(|seen| seen.forgotten)
    }

    async fn poll(
        &self,
        cluster_id: &str,
        memory: &Memory,
        notes: &mut CallNotes,
        fresh: Duration,
    ) -> Result<Observation, ApiError> {
        let list = self.list.get(fresh, || self.fetch_list()).await?;
        let cluster = list
            .iter()
            .find(|cluster| cluster.id == cluster_id)
            .ok_or_else(|| {
                ApiError::new(
                    Reason::NotFound,
                    "the project has no CSS cluster with this id; check the id, project_id and region",
                )
                .of(LIST.name)
            })?;
        let input = MappingInput {
            cluster,
            memory,
            zone: self.client.time_zone(),
        };
        let mut observation = map::observation(cluster);
        let Some(upgrades) = self.upgrades(cluster_id, memory, notes).await? else {
            return Ok(observation);
        };
        let words = &mut observation.unknown_words;
        let version = map::upgrade(Kind::Version, upgrades, &input, words)
            .map_err(|error| error.of(DETAIL.name))?
            .or_else(|| untold::once_more(memory, Kind::Version, &mut observation.unconfirmed));
        let mut calls = SecondaryCalls::new(memory, self.client.clock().now());
        let moved = self
            .zone_change(
                &input,
                version.as_ref(),
                (&mut calls, notes),
                &mut observation,
            )
            .await?;
        observation
            .upgrades
            .extend(version.into_iter().chain(moved));
        observation.secondary = calls.finish();
        Ok(observation)
    }
}

impl Provider for CssProvider {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>> {
        Box::pin(async move {
            let list = self.list.get(Duration::ZERO, || self.fetch_list()).await?;
            let clusters = list.iter().map(|c| Discovered::new(&c.id, &c.name));
            Discovery::read("id", clusters, 0).map_err(|error| error.of(LIST.name))
        })
    }

    fn observe<'a>(
        &'a self,
        cluster_id: &'a str,
        memory: &'a Memory,
        fresh: Duration,
    ) -> BoxFuture<'a, Result<Observation, PollFailure>> {
        Box::pin(async move {
            let mut notes = CallNotes::read(memory);
            let outcome = self.poll(cluster_id, memory, &mut notes, fresh).await;
            notes.leave(outcome)
        })
    }
}
