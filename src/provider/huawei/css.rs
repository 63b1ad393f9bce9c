//! Cloud Search Service: upgrades of Elasticsearch, `OpenSearch` and Logstash clusters, and changes
//! of their availability zone.
//!
//! Reading takes `css:cluster:list` and `css:cluster:get`. The vendor's table of permissions names
//! them for lists and details of clusters; that of upgrades is not in it.

mod map;
mod pages;
mod sim;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use self::map::MappingInput;
use self::pages::{Collected, Page};
use super::client::{Client, is_unpublished};
use crate::model::{Kind, Memory, Observation, Upgrade, UpgradeStatus};
use crate::provider::listing::Shared;
use crate::provider::{
    ApiError, Call, Context, Discovered, Discovery, Method, Product, Provider, Reason,
};

/// This product's line of the table.
pub const PRODUCT: Product = Product {
    name: "css",
    cloud: "huawei",
    // Its data migration may be silent for hours; the vendor allows it 48 h a node.
    stalled_after: Duration::from_secs(3 * 3600),
    settings: &[],
    numeric_ids: false,
    permission: "css:cluster:list and css:cluster:get, as the system policy CSS ReadOnlyAccess has them",
    calls: &[&LIST, &DETAIL],
    sim: sim::answer,
    open: |context| Ok(Arc::new(Css::new(&context)?)),
};

/// "Querying the Cluster List".
const LIST: Call = Call::read("ListClustersDetails", Method::Get, "/v1.0/{}/clusters");

/// "Obtaining Upgrade Details".
const DETAIL: Call = Call::read(
    "UpgradeDetail",
    Method::Get,
    "/v1.0/{}/clusters/{}/upgrade/detail",
);

/// The product in one project.
#[derive(Debug)]
struct Css {
    client: Client,
    list: Shared<Vec<wire::Cluster>>,
    silence: Mutex<Silence>,
}

/// What is not asked until the next discovery, because the answer is known to be no.
#[derive(Debug, Default)]
struct Silence {
    /// The cloud does not publish upgrades.
    unpublished: bool,
    /// Clusters for which it refuses to tell changes of the zone.
    az: BTreeSet<String>,
    /// Whether the log has told so; once is enough.
    told: bool,
}

impl Css {
    fn new(context: &Context<'_>) -> Result<Self, ApiError> {
        Ok(Self {
            client: Client::new(context, "css")?,
            list: Shared::default(),
            silence: Mutex::default(),
        })
    }

    /// Fetches all pages of a call. The first one is asked for without a position, and nearly always
    /// is the only one.
    async fn pages<P: Page>(
        &self,
        call: &'static Call,
        params: &[&str],
        filter: Option<(&str, &str)>,
    ) -> Result<Vec<P::Item>, ApiError> {
        let mut collected = Collected::default();
        for _ in 0..pages::MAX_PAGES {
            let position = collected.position();
            let mut query = vec![("limit", pages::LIMIT)];
            query.extend(filter);
            if let Some(position) = &position {
                // Renamed in 2025, and what a cloud does not know it passes over.
                query.extend([("offset", position.as_str()), ("start", position.as_str())]);
            }
            let answer = match self.client.get(call, params, &query).await {
                Ok(answer) => answer,
                Err(error) => {
                    collected.end_at(error).map_err(|e| e.of(call.name))?;
                    break;
                }
            };
            let page: P = answer.json().map_err(|error| error.of(call.name))?;
            let more = collected.add(page, answer.body.len());
            if !more.map_err(|error| error.of(call.name))? {
                break;
            }
        }
        collected.complete().map_err(|error| error.of(call.name))
    }

    async fn fetch_list(&self) -> Result<Vec<wire::Cluster>, ApiError> {
        self.pages::<wire::ClusterList>(&LIST, &[], None).await
    }

    /// The upgrades of this kind; none when the cloud does not tell them. It did tell one that
    /// `goes_on`: then a refusal is a failure.
    async fn details(
        &self,
        cluster: &str,
        kind: Kind,
        goes_on: bool,
    ) -> Result<Option<Vec<wire::Detail>>, ApiError> {
        let filter = match kind {
            // Older clouds know no other value than AZ_MIGRATION, so upgrades are the default.
            Kind::Version => None,
            Kind::AzMigration => Some(("action_mode", "AZ_MIGRATION")),
        };
        if self.is_silent(cluster, kind) {
            return Ok(None);
        }
        match self
            .pages::<wire::Details>(&DETAIL, &[cluster], filter)
            .await
        {
            Ok(details) => Ok(Some(details)),
            Err(error) if is_unpublished(&error) => {
                let mut silence = self.silence();
                silence.unpublished = true;
                if !std::mem::replace(&mut silence.told, true) {
                    tracing::warn!(%error, "This cloud does not publish upgrades of CSS clusters: their state will be none.");
                }
                Ok(None)
            }
            Err(error)
                if kind == Kind::AzMigration
                    && !goes_on
                    && error.reason == Reason::Refused
                    && error.status == Some(400) =>
            {
                tracing::debug!(cluster, %error, "The cloud does not tell zone changes of this cluster.");
                self.silence().az.insert(cluster.to_owned());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn is_silent(&self, cluster: &str, kind: Kind) -> bool {
        let silence = self.silence();
        silence.unpublished || (kind == Kind::AzMigration && silence.az.contains(cluster))
    }

    fn silence(&self) -> std::sync::MutexGuard<'_, Silence> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Css {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>> {
        Box::pin(async move {
            let list = self.list.get(Duration::ZERO, || self.fetch_list()).await?;
            let mut silence = self.silence();
            silence.unpublished = false;
            silence.az.clear();
            drop(silence);
            let clusters = list.iter().map(|c| Discovered::new(&c.id, &c.name));
            Discovery::read("id", clusters, 0).map_err(|error| error.of(LIST.name))
        })
    }

    fn observe<'a>(
        &'a self,
        cluster_id: &'a str,
        memory: &'a Memory,
        fresh: Duration,
    ) -> BoxFuture<'a, Result<Observation, ApiError>> {
        Box::pin(async move {
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
            let version = self.details(cluster_id, Kind::Version, true).await?;
            let version = map::upgrade(
                Kind::Version,
                version.unwrap_or_default(),
                &input,
                &mut observation.unknown_words,
            )
            .map_err(|error| error.of(DETAIL.name))?;
            let version = version.or_else(|| memory.once_more(Kind::Version));
            // A cluster does one thing at a time: while its version changes, a change of its zone
            // that is over stays as it is, and the second call of each poll is saved.
            let known = memory.last(Kind::AzMigration).map(|seen| &seen.last);
            let goes_on = known.is_some_and(|known| !known.is_ended());
            let az = if runs_on(version.as_ref(), memory) && !goes_on {
                None
            } else {
                self.details(cluster_id, Kind::AzMigration, goes_on).await?
            };
            let az = match az {
                Some(az) => map::upgrade(
                    Kind::AzMigration,
                    az,
                    &input,
                    &mut observation.unknown_words,
                )
                .map_err(|error| error.of(DETAIL.name))?
                .or_else(|| memory.once_more(Kind::AzMigration)),
                None => known.filter(|known| known.is_ended()).cloned(),
            };
            observation.upgrades.extend(version.into_iter().chain(az));
            Ok(observation)
        })
    }
}

/// Whether this is not the first sight of a running upgrade.
fn runs_on(upgrade: Option<&Upgrade>, memory: &Memory) -> bool {
    upgrade.is_some_and(|upgrade| {
        upgrade.status == UpgradeStatus::Running
            && memory
                .last(upgrade.kind)
                .is_some_and(|seen| seen.last.is_same(upgrade))
    })
}
