//! Cloud Data Streaming Service (Kafka): what it is asked, in which order.

mod map;
mod product;
mod sim;
mod start;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::list::{Clusters, Listed, PAGE_SIZE};
use super::{Client, Service};
use crate::cloud::kit::listing::Shared;
use crate::cloud::{Call, Discovery, Method, OpenContext, PollFailure, Provider};
use crate::http::ApiError;
use crate::model::{Memory, Observation};

pub use product::PRODUCT;

const SERVICE: Service = Service {
    product: "cdss",
    host: "clouddatastreamingservice",
    version: "v1",
};

/// By POST, where SES lists by GET; without a body the service answers with an error.
const LIST: Call = Call::read(
    "getClusterInfoList",
    Method::Post,
    "/cluster/getClusterInfoList",
);

const PROGRESS: Call = Call::read(
    "rollingUpgradeProgressCheck",
    Method::Post,
    "/cluster/rollingUpgradeProgressCheck",
);

#[derive(Debug)]
struct CdssProvider {
    client: Client,
    list: Shared<Clusters>,
}

impl CdssProvider {
    fn open(context: OpenContext<'_>) -> Result<Self, ApiError> {
        Ok(Self {
            client: Client::open(context, SERVICE)?,
            list: Shared::default(),
        })
    }

    async fn clusters(&self, fresh: Duration) -> Result<Arc<Clusters>, ApiError> {
        self.list
            .get(fresh, || {
                Clusters::fetch::<wire::Cluster, _>(move |number| async move {
                    let body = json!({"pageNo": number, "pageSize": PAGE_SIZE});
                    self.client.post(&LIST, &body).await
                })
            })
            .await
            .map_err(|e| e.of(LIST.name))
    }

    async fn look(
        &self,
        cluster: &str,
        memory: &Memory,
        fresh: Duration,
    ) -> Result<Observation, ApiError> {
        let clusters = self.clusters(fresh).await?;
        let listed = clusters
            .find(cluster, &self.client.place())
            .map_err(|e| e.of(LIST.name))?;
        let body = json!({"serviceGroupInstanceNo": number(cluster)});
        let progress: Option<wire::Progress> = self.client.post(&PROGRESS, &body).await?;
        let progress = progress.unwrap_or_default();
        let now = self.client.now();
        Ok(map::observation(&progress, listed, memory, now))
    }
}

/// CDSS takes a cluster's number as an integer, although its list gives it as text.
fn number(cluster: &str) -> Value {
    cluster
        .parse::<u64>()
        .map_or_else(|_| Value::from(cluster), Value::from)
}

impl Provider for CdssProvider {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>> {
        Box::pin(async {
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
            status: cluster.server_status,
            version: cluster.kafka_version,
        }
    }
}
