//! Search Engine Service (OpenSearch): what it is asked, in which order.

mod map;
mod sim;
mod version;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::json;

use super::lasting::Lasting;
use super::list::{Clusters, Listed, PAGE_SIZE};
use super::notes::Notes;
use super::{Client, Service};
use crate::config::Zone;
use crate::model::{Kind, Memory, Observation};
use crate::provider::listing::Shared;
use crate::provider::{ApiError, Call, Context, Discovery, Method, Product, Provider, Reason};

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

const VERSIONS: Call = Call::read(
    "getSearchEngineVersionList",
    Method::Get,
    "/cluster/getSearchEngineVersionList",
);

const NODES: Call = Call::read(
    "getClusterNodeList",
    Method::Get,
    "/cluster/getClusterNodeList/{}",
);

/// The setting that names the region's number.
const REGION_NO: &str = "region_no";

/// This product's line of the table.
pub const PRODUCT: Product = Product {
    name: SERVICE.product,
    cloud: "ncloud",
    stalled_after: Duration::from_secs(30 * 60),
    settings: &[REGION_NO],
    numeric_ids: true,
    permission: "the policy NCP_VPC_SEARCH_ENGINE_SERVICE_VIEWER for its sub-account",
    calls: &[&LIST, &PROGRESS, &VERSIONS, &NODES],
    sim: sim::answer,
    open: |context| Ok(Arc::new(Ses::open(context)?)),
};

#[derive(Debug)]
struct Ses {
    client: Client,
    /// The region's number where the config or the region's name tells it.
    region_no: RegionNo,
    learnt_region_no: Lasting<String>,
    versions: Lasting<Vec<wire::Version>>,
    list: Shared<Clusters>,
    notes: Notes,
}

/// Where `regionNo` of the progress call comes from. The public guide requires it since 2026-07-23;
/// older editions and those of the other zones do not know it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RegionNo {
    Known(String),
    /// The node list of any cluster tells it.
    Learnt,
    NotSent,
}

impl RegionNo {
    fn of(setting: Option<&str>, zone: Zone, region: &str) -> Self {
        match (setting, zone) {
            (Some(number), _) => Self::Known(number.to_owned()),
            (None, Zone::Fin | Zone::Gov) => Self::NotSent,
            (None, Zone::Public) => match region.to_ascii_uppercase().as_str() {
                "KR" => Self::Known("1".to_owned()),
                "SGN" => Self::Known("7".to_owned()),
                _ => Self::Learnt,
            },
        }
    }
}

impl Ses {
    fn open(context: Context<'_>) -> Result<Self, ApiError> {
        let setting = context.product.setting(REGION_NO).map(str::to_owned);
        let client = Client::open(context, SERVICE)?;
        let account = &client.account;
        Ok(Self {
            region_no: RegionNo::of(setting.as_deref(), account.zone, &account.region),
            client,
            learnt_region_no: Lasting::default(),
            versions: Lasting::default(),
            list: Shared::default(),
            notes: Notes::default(),
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

    /// The versions that the service knows, to read the list's version by; not vital.
    async fn versions(&self) -> Option<Arc<Vec<wire::Version>>> {
        self.versions
            .get(|| async {
                let list: Option<wire::VersionList> = self.client.get(&VERSIONS, &[], &[]).await?;
                Ok(list.unwrap_or_default().search_engine_version_list)
            })
            .await
    }

    /// The region's number, if it is to be sent and is known; whether the vendor insists on it is
    /// not known, so a number that cannot be learnt is left out.
    async fn region_no(&self, cluster: &str) -> Option<String> {
        match &self.region_no {
            RegionNo::Known(number) => Some(number.clone()),
            RegionNo::NotSent => None,
            RegionNo::Learnt => self
                .learnt_region_no
                .get(|| async {
                    let nodes: Option<wire::NodeList> =
                        self.client.get(&NODES, &[cluster], &[]).await?;
                    let number = nodes.unwrap_or_default().region_no;
                    number.map(|number| number.to_string()).ok_or_else(|| {
                        ApiError::new(Reason::Protocol, "the node list tells no region number")
                    })
                })
                .await
                .map(|number| number.to_string()),
        }
    }

    async fn progress(&self, cluster: &str) -> Result<Option<wire::Progress>, ApiError> {
        let mut body = json!({"serviceGroupInstanceNo": cluster});
        if let Some(number) = self.region_no(cluster).await {
            body["regionNo"] = number.into();
        }
        self.client.post(&PROGRESS, &body).await
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
        let versions = self.versions().await;
        let versions = versions.as_deref().map_or(&[][..], Vec::as_slice);
        if version::cannot_be_upgraded(&listed.version, versions) {
            return Ok(map::idle(listed));
        }
        let seen = memory.last(Kind::Version);
        let progress = match self.progress(cluster).await {
            Ok(progress) => progress.unwrap_or_default(),
            // How the service speaks of a cluster that never was upgraded is not documented.
            Err(error)
                if error.reason == Reason::Refused
                    && (listed.is("running") || listed.is("creating"))
                    && seen.is_none_or(|seen| seen.forgotten) =>
            {
                let mut observation = map::idle(listed);
                observation.refused = Some(error.to_string());
                return Ok(observation);
            }
            Err(error) => return Err(error),
        };
        let input = map::MappingInput {
            listed,
            versions,
            seen,
            zone: self.client.zone(),
        };
        let (mut observation, remarks) = map::observation(&progress, &input);
        if observation.upgrades.is_empty() {
            observation.upgrades.extend(memory.once_more(Kind::Version));
        }
        let source = (&*self.client.name, SERVICE.product, cluster);
        self.notes.tell(source, remarks);
        Ok(observation)
    }
}

impl Provider for Ses {
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
    ) -> BoxFuture<'a, Result<Observation, ApiError>> {
        Box::pin(self.look(cluster_id, memory, fresh))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_region_number_comes_from() {
        let known = |number: &str| RegionNo::Known(number.to_owned());
        assert_eq!(RegionNo::of(None, Zone::Public, "KR"), known("1"));
        assert_eq!(RegionNo::of(None, Zone::Public, "SGN"), known("7"));
        assert_eq!(RegionNo::of(None, Zone::Public, "JPN"), RegionNo::Learnt);
        assert_eq!(RegionNo::of(Some("8"), Zone::Public, "JPN"), known("8"));
        assert_eq!(RegionNo::of(None, Zone::Fin, "FKR"), RegionNo::NotSent);
        assert_eq!(RegionNo::of(None, Zone::Gov, "KR"), RegionNo::NotSent);
        assert_eq!(RegionNo::of(Some("1"), Zone::Gov, "KR"), known("1"));
    }
}
